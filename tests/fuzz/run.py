#!/usr/bin/env python3
"""Runs every fuzz target for some seconds, two at a time; ends with "N passed, N failed".

    run.py BUILD SECONDS

Inputs found grow a corpus in BUILD/corpus; the project's own seeds are in tests/fuzz/corpus and, for
policies and runtimes, the real files. An input that breaks a target is left in BUILD/found.
"""
import concurrent.futures
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = {"policies": "policies/*.jsonc", "runtimes": "runtimes/*/runtime.jsonc"}
# A source as long as a whole file of samples takes a second with all checks on; what is worth trying fits in this.
LONGEST = 1024
HEAD = bytes((1, 4, 2, 60, 3, 5, 150, 1, 9))  # where a suggestion is asked for, and two edits


def seeds_of(name):
    """Files by name: the project's own, or each sample of a language."""
    language = name.removeprefix("analysis_")
    samples = ROOT / f"tests/analysis/samples/{language}.txt"
    if language == name or not samples.is_file():
        return {f"{path.parent.name}-{path.name}": path.read_bytes() for path in ROOT.glob(SEEDS.get(name, "none"))}
    pieces = re.split(r"(?m)^=== .*\n", samples.read_text())
    return {f"sample-{i}": HEAD + piece.encode()[:LONGEST - len(HEAD)] for i, piece in enumerate(pieces) if piece.strip()}


def fuzz(program, seconds, build):
    name = program.name.removeprefix("fuzz_")
    corpus, found = build / "corpus" / name, build / "found"
    corpus.mkdir(parents=True, exist_ok=True)
    found.mkdir(exist_ok=True)
    for seed, content in seeds_of(name).items():
        (corpus / seed).write_bytes(content)
    bound = [f"-max_len={LONGEST}"] if name.startswith("analysis_") else []
    own = ROOT / "tests/fuzz/corpus" / name
    return name, subprocess.run(
        [program, f"-max_total_time={seconds}", "-timeout=10", "-rss_limit_mb=2048", "-print_final_stats=1", *bound,
         f"-artifact_prefix={found}/{name}-", corpus, *([own] if own.is_dir() else [])],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def main(build, seconds):
    programs = sorted(path for path in build.glob("fuzz_*") if path.is_file() and path.suffix == "")
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for name, done in pool.map(lambda program: fuzz(program, seconds, build), programs):
            text = done.stdout.decode(errors="replace")
            runs = [line.split()[-1] for line in text.splitlines() if "number_of_executed_units" in line]
            print(f"{'ok  ' if done.returncode == 0 else 'FAIL'} {name}: {runs[-1] if runs else '?'} inputs", flush=True)
            if done.returncode:
                failed += 1
                print("\n".join(text.splitlines()[-40:]), flush=True)
    print(f"{len(programs) - failed} passed, {failed} failed")
    return 1 if failed or not programs else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), int(sys.argv[2])))
