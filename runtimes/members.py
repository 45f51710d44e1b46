#!/usr/bin/env python3
"""Writes runtimes/LANGUAGE/analysis/members.json: what the standard library of the installed runtime has behind its
modules' names, for suggestions. Run by people, not by the build; the result is data of this repository.

    members.py [python] [javascript] [java] [go] [c] [cpp]
"""
import importlib
import inspect
import json
import re
import subprocess
import sys
import tempfile
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

C = """assert ctype errno fcntl float inttypes limits locale math pthread setjmp signal stdarg stdbool stddef stdint stdio
stdlib string strings time unistd wchar wctype""".split()

CPP = """algorithm any array atomic bitset charconv chrono cmath compare complex concepts condition_variable cstdint cstdio
cstdlib cstring deque exception filesystem forward_list fstream functional future initializer_list iomanip iostream
iterator limits list map memory mutex numbers numeric optional queue random ranges regex set shared_mutex span sstream
stack stdexcept string string_view thread tuple type_traits unordered_map unordered_set utility variant vector""".split()


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


def compiled(compiler, text, *options):
    with tempfile.TemporaryDirectory() as work:
        source, told = Path(work) / "a.h", Path(work) / "told"
        source.write_text(text)
        done = subprocess.run([*compiler, *(option.replace("TOLD", str(told)) for option in options), source],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return done.stdout, done.stderr, told.read_text() if told.exists() else ""


def c():
    """By header: what the compiler says is declared, and the macros that come with it."""
    compiler = ["gcc", "-x", "c", "-std=c17", "-D_POSIX_C_SOURCE=200809L"]
    plain = set(compiled(compiler, "", "-dM", "-E")[0].splitlines())
    found = {}
    for name in C:
        text = f"#include <{name}.h>\n"
        members = found[name + ".h"] = {}
        for line in compiled(compiler, text, "-fsyntax-only", "-aux-info", "TOLD")[2].splitlines():
            match = re.match(r"/\*.*?\*/ extern (.*?)([a-z]\w*) (\(.*\));", line)
            if match:
                members[match[2]] = f"{match[3]} {match[1].strip()}"[:120]
        for line in set(compiled(compiler, text, "-dM", "-E")[0].splitlines()) - plain:
            match = re.match(r"#define ([A-Za-z]\w*)\b(\([^)]*\))?", line)
            if match:
                members.setdefault(match[1], match[2] or "macro")
        members |= {each: "type" for each in ("FILE", "size_t", "time_t", "va_list", "ptrdiff_t", "int64_t", "uint8_t",
                                              "uint32_t", "uint64_t", "pthread_t", "wchar_t", "ssize_t", "sigset_t", "jmp_buf")
                    if not compiled(compiler, text + f"extern {each} *x;\n", "-fsyntax-only")[1]}
    return found


def cpp():
    """Names of std: each that stands anywhere in its headers is asked for."""
    compiler = ["g++", "-x", "c++", "-std=c++20", "-fmax-errors=0"]
    text = "".join(f"#include <{name}>\n" for name in CPP)
    names = sorted(set(re.findall(r"\b[a-z]\w*", compiled(compiler, text, "-E")[0])))
    faults = compiled(compiler, text + "".join(f"using std::{name};\n" for name in names), "-fsyntax-only", "-w")[1]
    before = text.count("\n") + 1
    wrong = {int(line) - before for line in re.findall(r":(\d+):\d+: error", faults)}
    return {"std": {name: "" for i, name in enumerate(names) if i not in wrong}, **c()}


def main():
    makers = {"python": python, "javascript": javascript, "java": java, "go": go, "c": c, "cpp": cpp}
    for language in sys.argv[1:] or makers:
        members = makers[language]()
        place = HERE / language / "analysis" / "members.json"
        place.write_text(json.dumps(members, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
        print(f"{language}: {sum(map(len, members.values()))} members of {len(members)}")


if __name__ == "__main__":
    main()
