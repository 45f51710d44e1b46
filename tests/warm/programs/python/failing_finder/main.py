import sys


class Finder:
    @staticmethod
    def find_spec(name, path=None, target=None):
        raise OSError("finder")


sys.meta_path.insert(0, Finder)
import json
