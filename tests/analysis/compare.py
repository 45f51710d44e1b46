#!/usr/bin/env python3
"""Precision and recall of the instant tier's rules against the tools whose rules they name, over real code: run by hand, for
docs/analysis.md. A finding agrees when the peer has one of the same rule on that line (or, of names, in that statement).

    compare.py BUILD [options]
        --count N                files of each language (200)
        --python DIR, --javascript DIR, --java DIR, --c DIR, --cpp DIR      where code lies, instead of what is installed
        --staticcheck DIR        staticcheck's own test data, with its marks `//@ diag(…)`
        --only LANGUAGE          not all of them
        --show                   each disagreement

Peers, where they are installed: pyflakes, ESLint, javac -Xlint and gcc -Wall -Wextra by the runtimes' own check steps and the
maps of deep.jsonc; staticcheck by its test data. Rules that neither side reports are left out. What no peer can be asked for
(a rule without one in deep.jsonc) is counted in the last line of its language, for people to look at.
"""
import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import peers

ROOT = Path(__file__).resolve().parents[2]


def read(path):
    """JSON with comments, which may stand behind a value."""
    text = re.sub(r'("(?:[^"\\]|\\.)*")|//[^\n]*', lambda match: match[1] or "", path.read_text())
    return json.loads(re.sub(r",(\s*[}\]])", r"\1", text))


ENDINGS = {"python": ["*.py"], "javascript": ["*.js", "*.cjs", "*.mjs"], "java": ["*.java"], "c": ["*.c"],
           "cpp": ["*.cc", "*.cpp", "*.cxx"], "go": ["*.go"]}
# Beyond what a check step asks for, so that each rule has its peer.
MORE = {"c": ["-Wformat-security", "-Wduplicated-cond", "-Wlogical-op"], "cpp": ["-Wformat-security", "-Wduplicated-cond", "-Wlogical-op"]}
MORE_SAME = {"c": {"-Wduplicated-cond": ["repeated-condition"], "-Wlogical-op": ["identical-operands"]}}
MORE_SAME["cpp"] = MORE_SAME["c"]


def files_of(language, folder, count):
    if folder is None:
        return peers.corpus(language, count) if language in ("python", "javascript", "go") else []
    found = sorted(path for ending in ENDINGS[language] for path in Path(folder).resolve().rglob(ending)
                   if path.is_file() and 50 < path.stat().st_size < 256 * 1024)
    random.Random(7).shuffle(found)
    return found[:count]


def command_of(language, path):
    """The runtime's check step as it is without a box."""
    step = read(ROOT / f"runtimes/{language}/runtime.jsonc")["check"]
    words = []
    for word in step["command"]:
        word = re.sub(r"^/usr/lib/cloister/\w+-check/", str(ROOT / f"runtimes/{language}/check") + "/", word)
        word = word.replace("{memory_mib}", "512").replace("/box", "OUT")
        words.append(str(path) if word in ("{entry}", "{sources}") else word)
    if language in ("c", "cpp"):
        words += MORE[language] + [f"-I{folder}" for folder in list(path.parents)[:3]] + [f"-I{path.parent.parent / 'include'}"]
    environment = dict(word.split("=", 1) for word in step.get("environment", []))
    return words, environment


def said(language, path, folder):
    """(line, code) of what the checkers print; None when they cannot read the file."""
    plan = read(ROOT / f"runtimes/{language}/analysis/deep.jsonc")
    words, environment = command_of(language, path)
    words = [str(folder) if word == "OUT" else word for word in words]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60,
                          env={"PATH": "/usr/bin", "LANG": "C.UTF-8", "HOME": str(folder)} | environment)
    found = set()
    for line in done.stdout.decode(errors="replace").splitlines():
        for pattern in plan["patterns"]:
            match = re.fullmatch(pattern["form"], line)
            if not match:
                continue
            fields = dict(zip(pattern["fields"], match.groups()))
            if language in ("c", "cpp", "java") and Path(line.split(":")[0]).name != path.name:
                break
            if fields.get("severity") == "error" and language in ("c", "cpp", "java") or pattern.get("syntax"):
                return None
            if plan.get("severities", {}).get(fields.get("code")) != "ignore":
                found.add((int(fields["line"]), fields.get("code", "")))
            break
    return found


def compare(language, files, build, show):
    same = dict(read(ROOT / f"runtimes/{language}/analysis/deep.jsonc")["same"])
    same |= MORE_SAME.get(language, {})
    asked = {rule for rules in same.values() for rule in rules}
    table, rest, looked, lines = defaultdict(lambda: [0, 0, 0]), Counter(), 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for path, ours in zip(files, peers.analyses(build, language, files)):
            theirs = said(language, path, Path(folder))
            if theirs is None:
                continue
            looked += 1
            lines += ours["metrics"]["lines"]
            mine = [(one["line"], one["rule"]) for one in ours["issues"] if one["category"] not in ("size", "syntax")]
            for line, rule in mine:
                if rule not in asked:
                    rest[rule] += 1
                    continue
                near = 20 if "unused" in rule else 0
                agrees = any(rule in same.get(code, []) and abs(line - at) <= near for at, code in theirs)
                table[rule][0 if agrees else 1] += 1
                if show and not agrees:
                    print(f"    only ours: {path}:{line} {rule}")
            for at, code in theirs:
                rules = same.get(code, [])
                near = 20 if any("unused" in rule for rule in rules) else 0
                if rules and not any(rule in rules and abs(line - at) <= near for line, rule in mine):
                    table[rules[0]][2] += 1
                    if show:
                        print(f"    only theirs: {path}:{at} {code}")
    print(f"\n**{language}**: {looked} of {len(files)} files that the peer can read, {lines} lines\n")
    print("| rule | both | only ours | only theirs | precision | recall |\n|---|---|---|---|---|---|")
    for rule, (both, extra, missed) in sorted(table.items()):
        print(f"| `{rule}` | {both} | {extra} | {missed} | {share(both, extra)} | {share(both, missed)} |")
    print("\nWithout a peer: " + (", ".join(f"`{rule}` {count}" for rule, count in sorted(rest.items())) or "nothing") + ".")


def share(good, bad):
    return f"{good / (good + bad):.2f}" if good + bad else "–"


def without_marks(files, build):
    """The marks are comments, which matter to some rules."""
    with tempfile.TemporaryDirectory() as folder:
        copies = [Path(folder) / f"{number}.go" for number in range(len(files))]
        for path, copy in zip(files, copies):
            copy.write_text(re.sub(r"\s*//@.*", "", path.read_text(errors="replace")))
        return peers.analyses(build, "go", copies) if files else []


def staticcheck(folder, build, show):
    """Of each check that a rule of ours names: the marked lines of its test data."""
    rules = read(ROOT / "runtimes/go/analysis/rules.jsonc")
    named = {}
    for file in Path(folder).rglob("analysis.go"):
        named |= dict(re.findall(r'"([A-Z]+\d{4})":\s*\{[^{}]*?Run:\s*(\w+)', file.read_text()))
    by_check = {code: name for name, rule in rules.items() for code in re.findall(r"\b[A-Z]+\d{4}\b", rule["peer"])}
    print("\n**go**, staticcheck's own test data\n\n| rule | check | both | only ours | only theirs | precision | recall |\n"
          "|---|---|---|---|---|---|---|")
    for code, rule in sorted(by_check.items(), key=lambda item: item[1]):
        files = sorted(path for place in Path(folder).rglob(named.get(code, code)) if place.is_dir() for path in place.rglob("*.go") if "_generated" not in path.name)
        both = extra = missed = 0
        for path, ours in zip(files, without_marks(files, build)):
            marked = {number for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1) if "//@ diag(" in line}
            mine = {one["line"] for one in ours["issues"] if one["rule"] == rule}
            both, extra, missed = both + len(mine & marked), extra + len(mine - marked), missed + len(marked - mine)
            if show:
                print(*(f"    only ours: {path}:{line} {rule}\n" for line in sorted(mine - marked)), sep="", end="")
        if both + extra + missed:
            print(f"| `{rule}` | {code} | {both} | {extra} | {missed} | {share(both, extra)} | {share(both, missed)} |")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("build", type=Path)
    options.add_argument("--count", type=int, default=200)
    options.add_argument("--staticcheck")
    options.add_argument("--show", action="store_true")
    options.add_argument("--only", action="append", help="this language alone (several times: these)")
    for language in ("python", "javascript", "java", "c", "cpp"):
        options.add_argument(f"--{language}")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for language in asked.only or ("python", "javascript", "java", "c", "cpp"):
            files = files_of(language, getattr(asked, language), asked.count)
            if language == "java" and not files:
                files = peers.java_corpus(asked.count, folder)
            if files:
                compare(language, files, asked.build, asked.show)
    if asked.staticcheck:
        staticcheck(asked.staticcheck, asked.build, asked.show)


if __name__ == "__main__":
    main()
