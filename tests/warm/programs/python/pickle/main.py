import copyreg
import pickle
import re
print(len(copyreg.dispatch_table), pickle.loads(pickle.dumps(re.compile("a+"))))
import datetime
print(datetime.datetime.strptime("2024-02-29", "%Y-%m-%d"))
