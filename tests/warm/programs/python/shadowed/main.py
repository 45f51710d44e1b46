import random
print(random.X)
import json
print(json.dumps([1]))
import tempfile
