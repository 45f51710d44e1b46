#!/usr/bin/env python3
"""Holds the engine's figures against independent tools on real code that is installed anyway: the standard library of
Python (radon for complexity, pyflakes for names), of Go, of Java where its sources are installed, and Node's npm. All of it
compiles, so each syntax error is a false one; and it has been read by many, so each finding is worth a look.

    peers.py BUILD [FILES]      BUILD has analysis_tool; FILES of each language, 150 unless told; prints a table
    peers.py BUILD --golden     exit code 1 when agreement falls below its bounds
"""
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def corpus(language, count):
    """The same files each time on the same machine, below the bound of a request."""
    places = {"python": ("/usr/lib/python3*", "*.py"), "go": ("/usr/lib/go-*/src", "*.go"),
              "javascript": ("/usr/lib/node_modules", "*.js")}
    place, ending = places[language]
    files = sorted(path for folder in Path("/").glob(place[1:]) for path in folder.rglob(ending)
                   if path.is_file() and 200 < path.stat().st_size < 256 * 1024 and "test" not in str(path))
    random.Random(7).shuffle(files)
    return files[:count]


def java_corpus(count, folder):
    """From the first archive of a Java runtime's sources that there is."""
    for archive in sorted(Path("/usr/lib/jvm").glob("*/lib/src.zip")):
        if not archive.exists():
            continue
        with zipfile.ZipFile(archive) as opened:
            names = sorted(name for name in opened.namelist()
                           if re.match(r"java\.base/java/(util|io|text|net|time)/.*\.java$", name)
                           and opened.getinfo(name).file_size < 256 * 1024)
            random.Random(7).shuffle(names)
            return [Path(opened.extract(name, folder)) for name in names[:count]]
    return []


def analyses(build, language, files):
    done = subprocess.run([build / "analysis_tool", ROOT / "runtimes", language, *files], check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in done.stdout.decode().splitlines()]


def radon(files, ours):
    """Functions of one name, file and line: how many have the same cyclomatic complexity."""
    if not shutil.which("radon"):
        return None
    told = json.loads(subprocess.run(["radon", "cc", "-j", *map(str, files)], check=True, stdout=subprocess.PIPE).stdout)
    same = total = 0
    for path, analysis in zip(files, ours):
        blocks = told.get(str(path), [])
        if isinstance(blocks, dict):
            continue
        known = {}
        for block in blocks:
            if block["type"] != "class" and not block["closures"]:
                known[(block["name"], block["lineno"])] = block["complexity"]
            for method in block.get("methods", []):
                if not method["closures"]:
                    known[(method["name"], method["lineno"])] = method["complexity"]
        for one in analysis["metrics"]["per_function"]:
            for line in (one["line"],):
                if (one["name"], line) in known:
                    total += 1
                    same += known[(one["name"], line)] == one["complexity"]
    return same, total


def pyflakes(files, ours):
    """Per rule: those of ours that pyflakes has on that line, ours, and pyflakes'."""
    words = {"unused-import": r"imported but unused", "undefined-name": r"undefined name",
             "unused-variable": r"local variable .* is assigned to but never used",
             "f-string-without-placeholders": r"f-string is missing placeholders", "is-literal": r"use ==/!= to compare"}
    found = {rule: set() for rule in words}
    done = subprocess.run([sys.executable if shutil.which("pyflakes3") is None else "pyflakes3", *map(str, files)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for line in done.stdout.splitlines():
        match = re.match(r"(.+?):(\d+):\d+:? (.*)", line)
        for rule, word in words.items():
            if match and re.search(word, match[3]):
                found[rule].add((match[1], int(match[2])))
    rows = {}
    for rule in words:
        mine = {(str(path), issue["line"]) for path, analysis in zip(files, ours)
                for issue in analysis["issues"] if issue["rule"] == rule}
        rows[rule] = (len(mine & found[rule]), len(mine), len(found[rule]), sorted(mine - found[rule])[:5])
    return rows


def main():
    build = Path(sys.argv[1]).resolve()
    golden = "--golden" in sys.argv
    count = int(sys.argv[2]) if len(sys.argv) > 2 and not golden else 150
    bad = 0
    folder = tempfile.TemporaryDirectory()
    for language in ("python", "go", "javascript", "java"):
        files = java_corpus(count, folder.name) if language == "java" else corpus(language, count)
        if not files:
            print(f"{language}: no code is installed here")
            continue
        ours = analyses(build, language, files)
        invalid = [str(path) for path, one in zip(files, ours) if not one["syntax_valid"]]
        lines = sum(one["metrics"]["lines"] for one in ours)
        issues = {}
        for one in ours:
            for issue in one["issues"]:
                if issue["category"] != "size":
                    issues.setdefault(issue["rule"], []).append(issue)
        print(f"{language}: {len(files)} files, {lines} lines; called invalid: {len(invalid)} {invalid[:4]}; "
              f"truncated: {sum(one['truncated'] for one in ours)}")
        print("  findings: " + ", ".join(f"{rule} {len(found)}" for rule, found in sorted(issues.items())))
        bad += len(invalid) > len(files) // 100
        if language != "python":
            continue
        equal = radon(files, ours)
        if equal:
            print(f"  cyclomatic complexity as radon's: {equal[0]} of {equal[1]} functions ({equal[0] / max(1, equal[1]):.1%})")
            bad += equal[0] < 0.98 * equal[1]
        for rule, (both, mine, theirs, extra) in pyflakes(files, ours).items():
            print(f"  {rule}: {both} of ours {mine} are pyflakes', which has {theirs}; not its: {extra}")
            bad += both < 0.9 * mine
    return 1 if golden and bad else 0


if __name__ == "__main__":
    sys.exit(main())
