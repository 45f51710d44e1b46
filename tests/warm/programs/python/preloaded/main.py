import importlib
import sys

before = set(sys.modules)
NAMES = """gc json re random math cmath itertools functools operator collections collections.abc typing datetime
dataclasses enum heapq bisect string decimal fractions statistics copy time calendar textwrap traceback types inspect
abc contextlib io os.path pathlib pprint struct array hashlib base64 threading queue argparse csv logging asyncio pickle
shutil tempfile glob warnings weakref uuid secrets numbers reprlib keyword locale signal select selectors socket
subprocess platform importlib.util unicodedata zlib _strptime""".split()
for name in NAMES:
    module = importlib.import_module(name)
    print(name, module.__name__, module.__spec__, module.__loader__ is module.__spec__.loader,
          getattr(module, "__file__", None), len(sys.modules))
print(list(sys.modules))
print({name: sorted(vars(module)) for name, module in sys.modules.items() if name != "__main__"})
print(sorted(sys.path_importer_cache))
