import importlib
import importlib.util
import json
import sys

old = json
del sys.modules["json"]
import json
print(old is json, json.loads is old.loads)
print(importlib.reload(json) is json)
spec = importlib.util.find_spec("csv")
print(spec.name, type(spec.loader), "csv" in sys.modules)
module = importlib.util.module_from_spec(spec)
print(hasattr(module, "reader"))
spec.loader.exec_module(module)
import csv
print(module is csv, hasattr(module, "reader"))
