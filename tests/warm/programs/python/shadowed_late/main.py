import os
import sys
import json
open("bisect.py", "w").write("print('mine')\ndef bisect(*a): return 5\n_bisect = bisect\nfrom _bisect import *\n")
import random
import bisect
print(bisect.__file__ == os.path.abspath("bisect.py"), sys.modules["json"] is json)
