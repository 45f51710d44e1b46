#!/usr/bin/env python3
"""Writes runtimes/LANGUAGE/analysis/members.json: what the standard library of the installed runtime has behind its
modules' names, for suggestions. Run by people, not by the build; the result is data of this repository.

    members.py [python] [javascript] [java] [go]
"""
import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

PYTHON = """argparse asyncio base64 bisect collections contextlib copy csv dataclasses datetime decimal enum fractions
functools glob hashlib heapq io itertools json logging math operator os os.path pathlib pickle random re shutil
statistics string struct subprocess sys textwrap threading time typing unittest urllib.parse uuid""".split()

JAVASCRIPT_GLOBALS = "Array Date JSON Math Number Object Promise Reflect String Symbol console process Buffer".split()
JAVASCRIPT_MODULES = "assert crypto events fs http os path readline url util".split()

JAVA = """java.lang.Boolean java.lang.Character java.lang.Double java.lang.Integer java.lang.Long java.lang.Math
java.lang.Objects java.lang.String java.lang.System java.lang.Thread java.nio.file.Files java.nio.file.Path
java.nio.file.Paths java.time.Duration java.time.Instant java.time.LocalDate java.util.Arrays java.util.Collections
java.util.List java.util.Map java.util.Objects java.util.Optional java.util.Set java.util.stream.Collectors
java.util.stream.IntStream java.util.stream.Stream""".split()

GO = """bufio bytes context errors fmt io math os path path/filepath regexp sort strconv strings sync sync/atomic time
unicode utf8=unicode/utf8 json=encoding/json http=net/http rand=math/rand log""".split()


def one_line(value):
    try:
        return str(inspect.signature(value))[:120]
    except (TypeError, ValueError):
        return type(value).__name__


def python():
    found = {}
    for name in PYTHON:
        module = importlib.import_module(name)
        members = {key: one_line(getattr(module, key)) for key in dir(module)
                   if not key.startswith("_") and not inspect.ismodule(getattr(module, key))}
        public = getattr(module, "__all__", None)
        found[name.split(".")[-1]] = {key: text for key, text in members.items() if public is None or key in public}
    return found


def javascript():
    script = """
const found = {};
const list = (thing) => Object.fromEntries(Object.getOwnPropertyNames(thing).filter((k) => /^[A-Za-z]\\w*$/.test(k))
  .filter((k) => !['length', 'name', 'prototype', 'caller', 'arguments'].includes(k)).sort()
  .map((k) => { let v; try { v = thing[k]; } catch { return [k, '']; }
    return [k, typeof v === 'function' ? '(' + '…'.repeat(v.length ? 1 : 0) + ')' : typeof v]; }));
for (const name of %s) found[name] = list(globalThis[name]);
for (const name of %s) found[name] = list(require(name));
console.log(JSON.stringify(found));
""" % (json.dumps(JAVASCRIPT_GLOBALS), json.dumps(JAVASCRIPT_MODULES))
    return json.loads(subprocess.run(["node", "--no-warnings", "-e", script], check=True, stdout=subprocess.PIPE).stdout)


def java():
    found = {}
    names = [name.replace("java.lang.Objects", "java.util.Objects") for name in JAVA]
    told = subprocess.run(["javap", "-public", *names], check=True, stdout=subprocess.PIPE, text=True).stdout
    members = None
    for line in told.splitlines():
        head = re.match(r"^public .*?(?:class|interface) ([\w.]+)", line)
        if head:
            members = found.setdefault(head[1].split(".")[-1], {})
        member = re.match(r"^  public (?:abstract |final |native |synchronized )*static (?:final )?(?:<.*?> )?.*? (\w+)(\(.*\)|;)", line)
        if member and members is not None:
            members[member[1]] = re.sub(r"[\w.]+\.(\w)", r"\1", member[2]).replace(";", "")[:120]
    return {name: members for name, members in found.items() if members}


def go():
    found = {}
    for entry in GO:
        path = entry.split("=")[-1]
        name = entry.split("=")[0].split("/")[-1]
        told = subprocess.run(["go", "doc", "-short", path], check=True, stdout=subprocess.PIPE, text=True).stdout
        members = found[name] = {}
        for line in told.splitlines():
            match = re.match(r"^\s*(?:func|type|const|var) ([A-Z]\w*)(.*)", line)
            if match:
                members[match[1]] = match[2].strip()[:120]
    return found


def main():
    makers = {"python": python, "javascript": javascript, "java": java, "go": go}
    for language in sys.argv[1:] or makers:
        members = makers[language]()
        place = HERE / language / "analysis" / "members.json"
        place.write_text(json.dumps(members, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
        print(f"{language}: {sum(map(len, members.values()))} members of {len(members)}")


if __name__ == "__main__":
    main()
