"""Runs the load suite against the daemon of a build directory: run.py BUILD [unittest names…]. How many runs
the search for leaks takes: CLOISTER_LOAD_RUNS."""
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "protocol"))

import runner  # noqa: E402 - the protocol suite's, as its daemon and its client are

if __name__ == "__main__":
    runner.main(HERE, 700)
