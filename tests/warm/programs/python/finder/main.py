import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        print("asked for", name, path)


sys.meta_path.insert(0, Finder)
import json
import random
print(json.loads("1"), 0 <= random.random() < 1)
