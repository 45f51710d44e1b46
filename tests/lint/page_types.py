#!/usr/bin/env python3
"""Types of the page's code and of the TypeScript client: tsc over daemon/front/page and clients/typescript, with the
packages of the page's lockfile, in build-tidy/page.

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
CLIENT = ROOT / "clients/typescript"
STAGE = ROOT / "build-tidy/page"


def stage():
    """The sources as they are, beside the packages of just this lockfile."""
    STAGE.mkdir(parents=True, exist_ok=True)
    for name in ("src", "static"):
        shutil.rmtree(STAGE / name, ignore_errors=True)
        shutil.copytree(SOURCE / name, STAGE / name)
    shutil.rmtree(STAGE / "client", ignore_errors=True)
    shutil.copytree(CLIENT, STAGE / "client")
    for name in ("package.json", "package-lock.json", "tsconfig.json"):
        shutil.copy(SOURCE / name, STAGE / name)
    lock, mark = hashlib.sha256((SOURCE / "package-lock.json").read_bytes()).hexdigest(), STAGE / "installed"
    if mark.exists() and mark.read_text() == lock:
        return
    subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=STAGE, check=True,
                   timeout=300)
    mark.write_text(lock)


def check(project="."):
    return subprocess.run(["node_modules/.bin/tsc", "--noEmit", "--project", project], cwd=STAGE, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)


def self_test():
    """A wrong line is refused."""
    for project, folder in ((".", "src"), ("client", "client")):
        wrong = STAGE / folder / "wrong.ts"
        wrong.write_text('export const wrong: number = "a text"\n')
        done = check(project)
        wrong.unlink()
        assert done.returncode != 0 and f"{folder}/wrong.ts" in done.stdout, done.stdout


if __name__ == "__main__":
    stage()
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    results = [check(), check("client")]
    print("".join(one.stdout for one in results), end="")
    sys.exit(max(one.returncode for one in results))
