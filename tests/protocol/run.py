"""Runs the protocol suite against the daemon of a build directory: run.py BUILD [unittest names…]."""
from pathlib import Path

import runner

if __name__ == "__main__":
    runner.main(Path(__file__).resolve().parent, 60)  # the longest test sleeps for half a minute
