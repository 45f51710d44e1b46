import json
import random


class Thing:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name, json is not None, random is not None)


a = Thing("global a")
loop = [Thing("in a ring")]
loop.append(loop)
b = Thing("global b")
print("end")
