#!/usr/bin/env python3
"""People who type: 16 documents, each in a room of its own, two keystrokes a second each, and how long after a keystroke
its analysis is there. Alone: each keystroke asks with the whole text, outside of a room. In a room: the same text of a
document that the room edits. Pushed: a subscriber's result, without the 120 ms that the server waits for more to come.

    analysis_load.py [--build BUILD] [--seconds S]
"""
import argparse
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import machine
import report
from client import Client

DOCUMENTS, EVERY, PAUSE = 16, 0.5, 0.12
WAYS = ("alone", "in a room", "pushed")
LINES = (1_000, 5_000)
CONFIG = {"prepared_boxes": 0, "warm_boxes": 0, "artifact_cache": 0}
UNITS = {
    "main.py": "def compute_{n}(values, limit=10):\n    total = 0\n    for value in values:\n        if value < limit and value > 0:\n"
               "            total += value * {n}\n        elif value == limit:\n            continue\n    count = len(values)\n"
               "    return total, count\n\n",
    "main.js": "function compute{n}(values, limit = 10) {{\n  let total = 0;\n  for (const value of values) {{\n"
               "    if (value < limit && value > 0) {{\n      total += value * {n};\n    }}\n  }}\n"
               "  return {{total, count: values.length}};\n}}\n\n",
    "Main.java": "  int compute{n}(int[] values, int limit) {{\n    int total = 0;\n    for (int value : values) {{\n"
                 "      if (value < limit && value > 0) {{\n        total += value * {n};\n      }}\n    }}\n    return total;\n  }}\n\n",
    "main.go": "func compute{n}(values []int, limit int) int {{\n\ttotal := 0\n\tfor _, value := range values {{\n"
               "\t\tif value < limit && value > 0 {{\n\t\t\ttotal += value * {n}\n\t\t}}\n\t}}\n\treturn total\n}}\n\n",
}
FRAME = {"Main.java": ("class Main {\n", "}\n"), "main.go": ("package main\n\n", "")}


def source(path, lines):
    begin, end = FRAME.get(path, ("", ""))
    return begin + "".join(UNITS[path].format(n=i) for i in range(lines // 10)) + end


@dataclass
class Cell:
    """Of one way: seconds of each keystroke, and the share of a processor that the daemon used."""
    way: str
    lines: int
    times: list
    share: float


class Typist:
    """Makes a name in the middle longer, letter by letter, and takes it back."""

    def __init__(self, port, number, way, lines):
        self.way, self.path = way, list(UNITS)[number % len(UNITS)]
        self.text = source(self.path, lines)
        self.place = self.text.index("total", len(self.text) // 2) + len("total")
        self.typed, self.seq, self.times = 0, 0, []
        self.client = Client("127.0.0.1", port)
        self.client.receive()
        if way == "alone":
            return
        self.client.ask({"type": "hello", "protocol": 2}, "hello_ok")
        self.client.ask({"type": "join_room", "room_id": f"load-{way}-{lines}-{number}".replace(" ", "-")}, "room_joined")
        self.client.send({"type": "code_change", "file_path": self.path, "content": self.text, "version": 0})
        state = self.client.ask({"type": "doc_open", "file_path": self.path}, "doc_state")
        self.epoch, self.version = state["epoch"], state["version"]
        if way == "pushed":
            self.client.ask({"type": "analysis_subscribe", "file_path": self.path}, "analysis_result")

    def key(self):
        """One keystroke; how long until its analysis was there."""
        adds = self.typed < 8
        at = self.place + (self.typed if adds else 15 - self.typed)
        before = len(self.text)
        self.text = self.text[:at] + "a" + self.text[at:] if adds else self.text[:at] + self.text[at + 1:]
        self.typed = (self.typed + 1) % 16
        begin = time.monotonic()
        if self.way != "alone":
            rest = before - at - (0 if adds else 1)
            self.seq += 1
            self.client.send({"type": "doc_push", "file_path": self.path, "epoch": self.epoch, "version": self.version,
                              "updates": [{"seq": self.seq, "changes": [at, [0, "a"] if adds else [1], rest]}]})
            self.version += 1
        if self.way == "pushed":
            while True:
                answer = self.client.receive()
                if answer["type"] == "error":
                    raise RuntimeError(answer["message"])
                if answer["type"] == "analysis_result" and answer["version"] == self.version:
                    return time.monotonic() - begin - PAUSE
        self.client.ask({"type": "request_analysis", "file_path": self.path, "content": self.text}, "analysis_result")
        return time.monotonic() - begin

    def type_until(self, end, first):
        due = first
        while due < end:
            time.sleep(max(0, due - time.monotonic()))
            self.times.append(self.key())
            due += EVERY


def measure_cell(build, way, lines, seconds):
    daemon = machine.Daemon(build, CONFIG)
    try:
        daemon.settle(5)
        typists = []
        while len(typists) < DOCUMENTS:
            typists.append(Typist(daemon.port, len(typists), way, lines))
        for typist in typists:
            typist.key()  # from here on it is held
        used, begin = machine.processor_seconds(daemon.process.pid), time.monotonic()
        threads = [threading.Thread(target=typist.type_until, args=(begin + seconds, begin + i * EVERY / DOCUMENTS))
                   for i, typist in enumerate(typists)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        share = (machine.processor_seconds(daemon.process.pid) - used) / (time.monotonic() - begin)
        return Cell(way, lines, [each for typist in typists for each in typist.times], share)
    finally:
        daemon.stop()


def measure(build, seconds, left_out):
    cells = []
    for lines in LINES:
        for way in WAYS:
            try:
                cells.append(measure_cell(build, way, lines, seconds))
            except (RuntimeError, OSError, machine.Refused) as error:
                left_out[f"typing, {lines} lines {way}"] = str(error)
    return cells


def table(cells):
    if not cells:
        return ""
    rows = [[f"{cell.lines:,} lines, {cell.way}", *(report.milliseconds(report.percentile(cell.times, part))
                                                   for part in (0.5, 0.95, 0.99)),
             f"{cell.share * 100:.0f} %"] for cell in cells if cell.times]
    return (f"**Analysis while {DOCUMENTS} people type**, 2 keystrokes a second each:\n\n" +
            report.table(["", "p50", "p95", "p99", "of a processor"], rows))


def main():
    parser = argparse.ArgumentParser(description="Measures; see tests/bench/README.md.")
    parser.add_argument("--build", type=Path, default=machine.ROOT / "build")
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    left_out = {}
    print(f"{machine.describe()}; load average {machine.load()}\n")
    print(table(measure(options.build.resolve(), options.seconds, left_out)))
    for what, why in left_out.items():
        print(f"left out: {what}: {why}")


if __name__ == "__main__":
    main()
