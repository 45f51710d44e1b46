"""Runs the bench's own tests, which need neither root nor a build: run.py [BUILD]. Ends with "N passed, N failed"."""
import sys
import unittest
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
result = unittest.TextTestRunner(verbosity=2).run(unittest.TestLoader().discover(str(here), pattern="*_test.py"))
failed = len({str(test) for test, _ in result.failures + result.errors})
print(f"{result.testsRun - failed} passed, {failed} failed", flush=True)
sys.exit(1 if failed else 0)
