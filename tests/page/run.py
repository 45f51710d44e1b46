"""Runs the suite of the page in Debian's Chromium: run.py BUILD [words of names…]. Installs the node packages of
package-lock.json beside itself when they are not there."""
import os
import signal
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def install():
    """`npm ci`, unless what the lock file names is there."""
    lock, installed = HERE / "package-lock.json", HERE / "node_modules/.package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=HERE, check=True, timeout=300)
    installed.touch()


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("the page suite starts the daemon, which needs root")
    install()
    build = Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    process = subprocess.Popen(["node", str(HERE / "main.mjs"), str(build), *sys.argv[2:]], stdin=subprocess.DEVNULL)
    # Told to end, it takes its daemon and its browser along.
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGTERM))
    sys.exit(process.wait())
