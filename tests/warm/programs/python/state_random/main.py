import random
import sys
for name, module in sys.modules.items():
    print(name, getattr(module, "__spec__", None), [one for one in sorted(vars(module)) if name != "__main__"])
print(sorted(sys.path_importer_cache), sys.meta_path)
