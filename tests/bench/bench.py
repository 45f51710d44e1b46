#!/usr/bin/env python3
"""./dev bench: what a run costs, beside a bare spawn and the other sandboxes that are installed, and through a
daemon at every level of what was ready; what judging costs beside running; what a message costs, and an edit in a room, beside other WebSocket servers.
Prints tables, asserts nothing.

    bench.py --build BUILD [--quick] [--publish] [--rounds N] [--hello-rounds N] [--slices N] [--pause-ms MS]

Writes BUILD/bench/table.md, bench.svg and every single time as CSV. --publish also puts the tables into README.md
and tests/bench/README.md, and the picture into docs/.
"""
import argparse
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import analysis_load
import clocks
import judging
import levels
import machine
import report
import sockets
import throughput
from client import Client
from contenders import Contenders
from engine import Engine
from picture import picture

# Seconds that each part may take, `settle` for each daemon: it ends with the round or slice in which they are
# used up.
FULL = {"latency": 25, "loops": 50, "hello": 85, "throughput": 55, "settle": 15, "sockets": 75, "judging": 30}
QUICK = {"latency": 4, "loops": 7, "hello": 18, "throughput": 9, "settle": 4, "sockets": 15, "judging": 12}
# One contender's slice in box_bench, and one cell's counting in the daemons.
LOOP_MS = {False: 400, True: 150}
COUNT_SECONDS = {False: 0.8, True: 0.25}
# For what box_bench does beside: its last round, and a peer that takes seconds.
GRACE = 60


def options_of(arguments):
    parser = argparse.ArgumentParser(description="Measures; see tests/bench/README.md.")
    parser.add_argument("--build", type=Path, default=machine.ROOT / "build")
    parser.add_argument("--quick", action="store_true", help="within a minute: fewer rounds, shorter loops")
    parser.add_argument("--publish", action="store_true", help="put the numbers into the READMEs and docs/")
    parser.add_argument("--rounds", type=int, help="of /bin/true by everyone (100; quick: 20)")
    parser.add_argument("--hello-rounds", type=int, help="of every language at every level (10; quick: 2)")
    parser.add_argument("--slices", type=int, help="of closed loops (3; quick: 1)")
    parser.add_argument("--pause-ms", type=int,
                        help="idle time after each run of a daemon that makes boxes ahead (200; quick: 150)")
    options = parser.parse_args(arguments)
    options.rounds = options.rounds or (20 if options.quick else 100)
    options.hello_rounds = options.hello_rounds or (2 if options.quick else 10)
    options.slices = options.slices or (1 if options.quick else 3)
    if options.pause_ms is None:
        options.pause_ms = 150 if options.quick else 200
    options.build = options.build.resolve()
    return options


def measure_boxes(options, seconds, commands):
    """/bin/true by everyone: first one at a time, then in closed loops."""
    program, policies = options.build / "box_bench", machine.ROOT / "policies"
    peers = [f"{name}={command}" for name, command in commands.items()]
    latency = machine.output_of([program, policies, "latency", options.rounds, seconds["latency"], *peers],
                                seconds["latency"] + GRACE)
    loops = machine.output_of([program, policies, "loops", options.slices, LOOP_MS[options.quick], seconds["loops"],
                               ",".join(map(str, throughput.CONNECTIONS)), *peers], seconds["loops"] + GRACE)
    if latency is None or loops is None:
        sys.exit("bench: box_bench failed")
    return report.Boxes(latency + loops)


def measure_clocks(daemons, rounds, left_out):
    try:
        return clocks.measure(Client("127.0.0.1", daemons.by_level["warm"].port), rounds)
    except (KeyError, RuntimeError, OSError) as error:
        left_out["clocks"] = str(error)
        return []


def method(options):
    return (f"{options.rounds} rounds of `/bin/true` and {options.hello_rounds} of hello world at most, everyone in "
            f"turn in each; closed loops in {options.slices} slice(s). In a daemon that makes boxes ahead, a run is "
            f"followed by {options.pause_ms} ms of rest when its latency is measured, and by the next run at once "
            "when its throughput is.")


def paragraphs(*parts):
    return "\n\n".join(filter(None, parts))


def part_between(text, name, new):
    """`text` with what stands between the two marks of that name replaced."""
    begin, end = f"<!-- {name}: written by ./dev bench --publish -->", f"<!-- {name}: end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        sys.exit(f"bench: no place for '{name}' to be published in")
    new = f"{begin}\n{new.strip()}\n{end}"
    return re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: new, text, flags=re.S)


def publish(short, whole, folder):
    for name, new in ((machine.ROOT / "README.md", short), (machine.ROOT / "tests/bench/README.md", whole)):
        name.write_text(part_between(name.read_text(), "numbers", new))
    (machine.ROOT / "docs").mkdir(exist_ok=True)
    shutil.copy(folder / "bench.svg", machine.ROOT / "docs/bench.svg")


def main():
    options = options_of(sys.argv[1:])
    # Every with-block below ends what it started, whoever interrupts.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))
    seconds = QUICK if options.quick else FULL
    begin = time.monotonic()
    others = machine.busy_with_others()
    about = f"{machine.describe()}; {others * 100:.0f} % busy with other work before the start"
    loads = [machine.load()]
    print(about, flush=True)

    with tempfile.TemporaryDirectory(prefix="cloister-bench-") as work, Contenders(work) as contenders:
        boxes = measure_boxes(options, seconds, contenders.commands)
        left_out = dict(contenders.left_out)
    loads.append(machine.load())
    with levels.Daemons(options.build, seconds["settle"]) as daemons:
        with tempfile.TemporaryDirectory(prefix="cloister-bench-") as work, \
                Engine(work, {language: levels.HELLO[language] for language in ("python", "java")}) as engine:
            hello = levels.measure(daemons, 2 if options.quick else 3, options.hello_rounds, options.pause_ms / 1000,
                                   seconds["hello"], engine)
        left_out |= daemons.left_out | hello.left_out | engine.left_out
        loads.append(machine.load())
        slices = throughput.measure(daemons, options.slices, COUNT_SECONDS[options.quick], seconds["throughput"],
                                    left_out)
        exact = measure_clocks(daemons, 1 if options.quick else 5, left_out)
    loads.append(machine.load())
    judged = judging.measure(options.build, options.quick, 2 * options.slices, seconds["judging"], left_out)
    messages = sockets.measure(options.build, options.quick, options.slices, seconds["sockets"], left_out)
    loads.append(machine.load())
    typing = analysis_load.measure(options.build, 1.5 if options.quick else 5, left_out)

    about += (f". Load average {loads[0]} before, {loads[1]} after the boxes, {loads[2]} after hello world, "
              f"{loads[3]} after the runs, {loads[4]} at the end.")
    tables = [boxes.table(), paragraphs(report.hello_matrix(hello.samples), report.engine_table(hello)),
              report.throughput_table(slices), report.judging_table(judged, os.cpu_count()),
              report.messages_table(messages), report.rooms_table(messages), analysis_load.table(typing)]
    ratios = report.ratios(boxes, slices)
    whole = paragraphs(about, method(options), tables[0], ratios, tables[1], report.hello_table(hello.samples),
                       tables[2], tables[3], report.clocks_table(exact), *tables[4:], report.authority_table(messages), "Left out:",
                       report.left_out(left_out)) + "\n"
    short = paragraphs(about, "![The same numbers as bars](docs/bench.svg)", *tables, ratios)
    folder = options.build / "bench"
    folder.mkdir(exist_ok=True)
    report.write_times(folder, boxes, hello, slices)
    report.write_slices(folder, messages)
    (folder / "table.md").write_text(whole)
    (folder / "bench.svg").write_text(picture(boxes, hello.samples, slices, machine.describe()))
    print(f"\n{whole}\n{time.monotonic() - begin:.0f} s; tables, picture and every time: {folder}")
    if options.publish:
        publish(short, whole, folder)


if __name__ == "__main__":
    main()
