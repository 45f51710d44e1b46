import importlib.abc
import importlib.machinery
import sys


class Finder(importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self)

    def exec_module(self, module):
        raise OSError("loader")


sys.meta_path.insert(0, Finder())
import made_up
