"""Runs the suite of the executors against a build directory: run.py BUILD [unittest names…]."""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "protocol"))
import runner

if __name__ == "__main__":
    runner.main(Path(__file__).resolve().parent, 240)  # a test may be the first to need images, which are made then
