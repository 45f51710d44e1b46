import sys
print(list(sys.modules), sys.path, sys.meta_path, sys.path_hooks, sorted(sys.path_importer_cache))
print(sys.flags, sys.warnoptions, sys._xoptions, sys.getrecursionlimit(), sys.gettrace(), sys.argv)
print(sorted(vars()), __name__, __file__, __spec__, __builtins__, __loader__.name)
