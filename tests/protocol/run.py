"""Runs the protocol suite against the daemon of a build directory: run.py BUILD [unittest names…]."""
import os
import sys
import unittest
from pathlib import Path

here = Path(__file__).resolve().parent
sys.path.insert(0, str(here))
if len(sys.argv) > 1:
    os.environ["CLOISTER_BUILD"] = str(Path(sys.argv[1]).resolve())

if os.geteuid() != 0:
    print("the protocol suite starts the daemon, which needs root", file=sys.stderr)
    sys.exit(1)

loader = unittest.TestLoader()
names = sys.argv[2:]
tests = loader.loadTestsFromNames(names) if names else loader.discover(str(here), pattern="*_test.py")
result = unittest.TextTestRunner(verbosity=2).run(tests)
for test, reason in result.skipped:
    print(f"skipped: {test}: {reason}")
failed = len({str(test) for test, _ in result.failures + result.errors})
print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
sys.exit(1 if failed else 0)
