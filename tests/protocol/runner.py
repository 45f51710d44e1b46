"""Runs the suites that talk to a real daemon: finds the test cases of a folder, watches that none hangs, and
closes with the line that `dev` counts by."""
import faulthandler
import os
import sys
import unittest
from pathlib import Path


def main(folder, patience):
    """`python3 FOLDER/run.py BUILD [unittest names…]`. `patience`: seconds for one test, before CLOISTER_SLOW."""
    for place in (folder, Path(__file__).resolve().parent):
        sys.path.insert(0, str(place))
    if len(sys.argv) > 1:
        os.environ["CLOISTER_BUILD"] = str(Path(sys.argv[1]).resolve())
    if os.geteuid() != 0:
        print(f"the {folder.name} suite starts the daemon, which needs root", file=sys.stderr)
        sys.exit(1)

    import service  # beside this file, and it reads CLOISTER_BUILD
    most = patience + patience * service.SLOW

    class Watched(unittest.TextTestResult):
        """Ends a run whose test hangs, and says in which line."""

        def startTest(self, test):
            faulthandler.dump_traceback_later(most, exit=True)
            super().startTest(test)

        def stopTest(self, test):
            super().stopTest(test)
            faulthandler.cancel_dump_traceback_later()

    loader = unittest.TestLoader()
    names = sys.argv[2:]
    tests = loader.loadTestsFromNames(names) if names else loader.discover(str(folder), pattern="*_test.py")
    result = unittest.TextTestRunner(verbosity=2, resultclass=Watched).run(tests)
    for test, reason in result.skipped:
        print(f"skipped: {test}: {reason}")
    failed = len({str(test) for test, _ in result.failures + result.errors})
    passed = result.testsRun - failed - len(result.skipped)
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    sys.exit(1 if failed else 0)
