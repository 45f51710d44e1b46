import os
import subprocess
import sys
print(sorted(os.environ.items()), os.getcwd() == os.path.dirname(os.path.abspath(__file__)))
print(subprocess.run([sys.executable, "-c", "import os; print(sorted(os.environ.items()))"], capture_output=True).stdout)
