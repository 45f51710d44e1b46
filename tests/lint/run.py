#!/usr/bin/env python3
"""Every check of ./dev lint, each one a line; ends with "N passed, N failed".

First each rule's self test (a bad snippet must be refused, a good one not), then the rule itself.
"""
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def files(*patterns):
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard", *patterns], cwd=ROOT,
                            check=True, stdout=subprocess.PIPE).stdout.decode().split("\0")
    # The programs of tests/warm are data, and some are wrong on purpose.
    return sorted({name for name in listed if name and (ROOT / name).is_file()
                   and not name.startswith("tests/warm/programs/")})


def shell_files():
    found = set(files("*.sh", "dev", ".ci/run"))
    for name in files("tests/**", "systemd/**"):
        if "." not in Path(name).name:
            with open(ROOT / name, "rb") as opened:
                if opened.readline().startswith((b"#!/bin/bash", b"#!/bin/sh")):
                    found.add(name)
    return sorted(found)


def main():
    python = sys.executable
    rules = ["include_rule.py", "co_await_rule.py", "text_rule.py"]
    sources = files("*.cpp", "*.h", "*.c")
    # A bad snippet must be refused: the formatter runs with the project's own configuration.
    checks = [(f"{rule} refuses what it must", [python, HERE / rule, "--self-test"]) for rule in [*rules, "tidy.py", "page_types.py"]]
    checks.append(("format refuses what it must", ["bash", "-c", "! printf 'int  f( ){return 1 ;}\\n' | "
                   "clang-format --dry-run -Werror --assume-filename=isolate/a.cpp 2>/dev/null"]))
    checks += [(rule[:-3].replace("_", " "), [python, HERE / rule]) for rule in rules]
    checks.append((f"format of {len(sources)} files", ["clang-format", "--dry-run", "-Werror", *sources]))
    checks.append(("the table of rules in docs/analysis.md", [python, ROOT / "tests/analysis/rules_table.py", "--check"]))
    scripts = shell_files()
    checks.append((f"shell syntax of {len(scripts)} files",
                   ["bash", "-c", 'for f; do bash -n "$f" || exit 1; done', "_", *scripts]))
    pythons = files("*.py", "tests/host/mkpayload")
    checks.append((f"python syntax of {len(pythons)} files",
                   [python, "-c", "import ast, sys\nfor f in sys.argv[1:]: ast.parse(open(f).read(), f)", *pythons]))
    checks.append(("types of the page's code", [python, HERE / "page_types.py"]))
    modules = files("*.mjs", "*.js")
    checks.append((f"syntax of {len(modules)} scripts for node",
                   ["bash", "-c", 'for f; do node --check "$f" || exit 1; done', "_", *modules]))
    checks.append(("clang-tidy", [python, HERE / "tidy.py"]))

    failed = 0
    for name, command in checks:
        begin = time.monotonic()
        done = subprocess.run([str(word) for word in command], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        good = done.returncode == 0
        failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        if not good:
            lines = done.stdout.splitlines()
            print("\n".join(lines if name == "clang-tidy" else lines[:60]), flush=True)
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
