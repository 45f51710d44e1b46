#!/usr/bin/env python3
"""Real public code in golden/, and what is said about it: golden/golden.json, which golden_test.cpp holds the engine to. For
complexity it also holds what an independent tool says: radon, ESLint, pmccabe.

    golden.py BUILD            writes golden.json anew with the engine of BUILD, and with those tools that are here; the change
                               is for people to read before they keep it
"""
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FILES = {"api.py": "python", "for-direction.js": "javascript", "DirectoryManager.java": "java", "match.go": "go",
         "xmlfile.c": "c", "coding.cc": "cpp"}
METRICS = ("lines", "lines_of_code", "comment_lines", "blank_lines", "functions", "classes", "complexity", "cognitive", "max_nesting")


def output(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def radon(path):
    told = json.loads(output("radon", "cc", "-j", str(path)))[str(path)]
    return {f"{one['lineno']} {one['name']}": one["complexity"] for one in told if one["type"] == "function"}


def pmccabe(path):
    """Modified complexity counts a switch once; the first column counts each case."""
    rows = [line.split("\t") for line in output("pmccabe", str(path)).splitlines()]
    names = {}
    for row in rows:
        line = int(re.search(r"\((\d+)\)", row[5])[1])
        names[f"{line} {row[5].split(': ')[-1].split('::')[-1]}"] = int(row[1])
    return names


def eslint(path):
    script = """const { Linter } = require('eslint');
const text = require('fs').readFileSync(process.argv[1], 'utf8');
const flat = Number(Linter.version.split('.')[0]) >= 9;
const rules = { complexity: ['warn', 0] };
const found = new Linter().verify(text, flat ? [{ rules }] : { rules, parserOptions: { ecmaVersion: 2020 } });
console.log(JSON.stringify(found.map((one) => [one.line, one.message])));"""
    told = json.loads(subprocess.run(["node", "-e", script, str(path)], stdout=subprocess.PIPE, text=True, check=True,
                                     env={"PATH": "/usr/bin", "NODE_PATH": "/usr/share/nodejs:/usr/lib/node_modules"}).stdout)
    found = {}
    for line, message in told:
        match = re.match(r".*?(?:'(\w+)')? has a complexity of (\d+)", message)
        found[f"{line} {match[1] or ''}"] = int(match[2])
    return found


TOOLS = {"python": ("radon", radon), "javascript": ("eslint", eslint), "c": ("pmccabe", pmccabe), "cpp": ("pmccabe", pmccabe)}


def write(build, folder):
    file = HERE / "golden/golden.json"
    before = json.loads(file.read_text()) if file.exists() else {}
    golden = {}
    for name, language in FILES.items():
        path = Path(folder) / name
        shutil.copyfile(HERE / "golden" / f"{name}.txt", path)
        told = json.loads(output(build / "analysis_tool", ROOT / "runtimes", language, path))
        entry = {"language": language, "metrics": {key: told["metrics"][key] for key in METRICS},
                 "complexity": {f"{one['line']} {one['name']}": one["complexity"] for one in told["metrics"]["per_function"]},
                 "issues": [f"{one['line']} {one['rule']}" for one in told["issues"]]}
        tool, ask = TOOLS.get(language, (None, None))
        if tool and shutil.which(tool):
            entry["peer"] = {"tool": tool, "complexity": ask(path)}
        elif "peer" in before.get(name, {}):
            entry["peer"] = before[name]["peer"]
        golden[name] = entry
    file.write_text(json.dumps(golden, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        write(Path(sys.argv[1]), temporary)
