#!/usr/bin/env python3
"""Types of the page's code: tsc over daemon/front/page, with the packages of its lockfile, in build-tidy/page.

    page_types.py
    page_types.py --self-test
"""
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "daemon/front/page"
STAGE = ROOT / "build-tidy/page"


def stage():
    """The sources as they are, beside the packages of just this lockfile."""
    STAGE.mkdir(parents=True, exist_ok=True)
    for name in ("src", "static"):
        shutil.rmtree(STAGE / name, ignore_errors=True)
        shutil.copytree(SOURCE / name, STAGE / name)
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(SOURCE / name, STAGE / name)
    lock, mark = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest(), STAGE / "installed"
    if mark.exists() and mark.read_text() == lock:
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=STAGE, check=True,
                   timeout=300)
    mark.write_text(lock)


def check():
    return subprocess.run(["node_modules/.bin/tsc", "--noEmit"], cwd=STAGE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True)


def self_test():
    """A wrong line is refused."""
    (STAGE / "src/wrong.ts").write_text('export const wrong: number = "a text"\n')
    done = check()
    (STAGE / "src/wrong.ts").unlink()
    assert done.returncode != 0 and "src/wrong.ts" in done.stdout, done.stdout


if __name__ == "__main__":
    stage()
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    result = check()
    print(result.stdout, end="")
    sys.exit(result.returncode)
