"""Runs the suite of clients that nobody wrote for this daemon alone: run.py BUILD [unittest names…]. Installs the
node packages of package-lock.json beside itself when they are not there; run.py --install does nothing else."""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
DEBIANS = "/usr/bin/python3"  # which knows python3-websockets; the first one on the path may be another
sys.path.insert(0, str(HERE.parent / "protocol"))

import runner  # noqa: E402 - the protocol suite's, as its daemon is


def install():
    """`npm ci`, unless what the lock file names is there."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules/.package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True, timeout=300)
    installed.touch()


if __name__ == "__main__":
    if sys.argv[1:] == ["--install"]:
        sys.exit(install())
    if importlib.util.find_spec("websockets") is None and Path(sys.executable) != Path(DEBIANS):
        os.execv(DEBIANS, [DEBIANS, *sys.argv])
    install()
    runner.main(HERE, 90)
