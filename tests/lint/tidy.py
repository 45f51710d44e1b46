#!/usr/bin/env python3
"""clang-tidy over every file of ours that build-tidy/compile_commands.json names, as many at a time as there are
processors.

A file that was clean is not looked at again until it, a header of ours that it includes, its command
line, the configuration or the compiler changes: the stamp in build-tidy/tidy-stamps says so.

    tidy.py [--jobs N] [FILE...]
    tidy.py --self-test
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build-tidy"


def output_of(*command, cwd=None):
    return subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def versions():
    return output_of("clang-tidy", "--version") + output_of(
        "dpkg-query", "-W", "libboost1.81-dev", "nlohmann-json3-dev", "catch2", "libstdc++-12-dev")


def digest(entry, headers, base):
    sha = hashlib.sha256(base + entry["command"].encode())
    for name in [entry["file"], *headers]:
        path = Path(name)
        sha.update(name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"gone"))
    return sha.hexdigest()


def without_launcher(entry):
    """The compile command without ccache and without what it would write."""
    words = shlex.split(entry["command"])
    if "ccache" in os.path.basename(words[0]):
        words = words[1:]
    if "-o" in words:
        at = words.index("-o")
        del words[at:at + 2]
    return words


def headers_of(entry, root):
    """The headers of ours which the file includes, found by the compiler."""
    words = [word for word in without_launcher(entry) if word != "-c"]
    listed = output_of(*words, "-MM", "-MG", cwd=entry["directory"]).decode().replace("\\\n", " ").split()[1:]
    paths = (Path(entry["directory"], name).resolve() for name in listed)
    return sorted(str(path) for path in paths if path.is_relative_to(root) and str(path) != entry["file"])


def tidy(entry, build, stamps, base, root):
    """None when the stamp holds, else (clean, text, seconds)."""
    stamp = stamps / hashlib.sha256(entry["file"].encode()).hexdigest()[:24]
    if stamp.is_file():
        old = json.loads(stamp.read_text())
        if digest(entry, old["headers"], base) == old["digest"]:
            return None
    begin = time.monotonic()
    done = subprocess.run(["clang-tidy", "--quiet", "-p", str(build), entry["file"]],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode == 0:
        headers = headers_of(entry, root)
        stamp.write_text(json.dumps({"headers": headers, "digest": digest(entry, headers, base)}))
    errors = "" if done.returncode == 0 else done.stderr[-2000:]
    return done.returncode == 0, done.stdout + errors, time.monotonic() - begin


def run(build, root, jobs, only, out=sys.stdout):
    commands = json.loads((build / "compile_commands.json").read_text())
    # Attacks, and the actor that plays in boxes, are programs that do wrong on purpose.
    entries = {entry["file"]: entry for entry in commands if Path(entry["file"]).is_relative_to(root)
               and "/build-tidy/" not in entry["file"] and "/escape/attacks/" not in entry["file"]
               and not entry["file"].endswith("/tests/box/actor.c")}
    if only:
        entries = {name: entry for name, entry in entries.items() if any(name.endswith(o) for o in only)}
    stamps = build / "tidy-stamps"
    stamps.mkdir(exist_ok=True)
    base = (root / ".clang-tidy").read_bytes() + versions()
    bad = fresh = 0
    # The largest first, so that the last one does not run alone.
    order = sorted(entries.values(), key=lambda entry: -Path(entry["file"]).stat().st_size)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(tidy, entry, build, stamps, base, root): entry for entry in order}
        for future in concurrent.futures.as_completed(waiting):
            result = future.result()
            if result is None:
                continue
            fresh += 1
            clean, text, seconds = result
            name = Path(waiting[future]["file"]).relative_to(root)
            print(f"tidy {name}: {'clean' if clean else 'NOT clean'}, {seconds:.0f} s", file=out, flush=True)
            if not clean:
                bad += 1
                print(text, file=out, flush=True)
    print(f"tidy: {len(entries)} files, {fresh} looked at, {bad} not clean", file=out)
    return bad == 0


def self_test():
    """A bad file is reported, is not stamped, and a clean one is looked at once."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name).resolve()
        (root / ".clang-tidy").write_bytes((ROOT / ".clang-tidy").read_bytes())
        source = root / "a.cpp"
        command = f"clang++ -std=c++20 -c {source} -o a.o"
        (root / "compile_commands.json").write_text(json.dumps(
            [{"directory": name, "command": command, "file": str(source)}]))
        silent = open(os.devnull, "w")
        source.write_text("int BadName(int* p) { if (p) return 1; return *p; }\n")
        assert not run(root, root, 1, [], silent) and not run(root, root, 1, [], silent)
        source.write_text("int good_name(int number) { return number + 1; }\n")
        assert run(root, root, 1, [], silent) and len(list((root / "tidy-stamps").iterdir())) == 1
        entry = json.loads((root / "compile_commands.json").read_text())[0]
        base = (root / ".clang-tidy").read_bytes() + versions()
        assert tidy(entry, root, root / "tidy-stamps", base, root) is None
        silent.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    if options.self_test:
        return self_test()
    return 0 if run(BUILD, ROOT, options.jobs, options.files) else 1


if __name__ == "__main__":
    sys.exit(main())
