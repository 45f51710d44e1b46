"""Hello world over the WebSocket, in every language and at every level of what was ready before the message
came. One daemon a level, all up at one time; a round asks each of them once for each language.

    cold      nothing is made ahead
    prepared  boxes stand ready, without an interpreter
    warm      the settings that we ship: boxes with an interpreter, too; a compiled language's source is new
    cached    the same daemon, the same source as before: its compiled program is still there

In the first rounds a container engine is asked beside them, where there is one.
"""
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import engine as engines
from client import Client
from machine import Daemon, Refused

# A client may have more under way than we ship, so that the daemon is measured and not its fairness.
OPEN = {"runs_per_client": 256, "queue_per_client": 1024, "messages_per_second": 1_000_000,
        "message_burst": 1_000_000}
CONFIGS = {
    "cold": {"prepared_boxes": 0, "warm_boxes": 0, "artifact_cache": 0},
    "prepared": {"warm_boxes": 0, "artifact_cache": 0},
    "warm": {},
}
LEVELS = ("cold", "prepared", "warm", "cached")
COMPILED = ("c", "cpp", "go", "java")

HELLO = {
    "python": ("main.py", "print('Hello, World!')\n"),
    "javascript": ("main.js", "console.log('Hello, World!');\n"),
    "c": ("main.c", '#include <stdio.h>\nint main(void) { puts("Hello, World!"); }\n'),
    "cpp": ("main.cpp", '#include <iostream>\nint main() { std::cout << "Hello, World!\\n"; }\n'),
    "go": ("main.go", 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("Hello, World!") }\n'),
    "java": ("Main.java", "public class Main {\n  public static void main(String[] args) {\n"
                          '    System.out.println("Hello, World!");\n  }\n}\n'),
}


def message(language, mark):
    """`mark` stands in a comment: sources with different marks are different to a cache."""
    path, code = HELLO[language]
    comment = "#" if language == "python" else "//"
    return {"type": "execute_code", "language": language, "file_path": path, "code": f"{code}{comment} {mark}\n"}


class Daemons:
    """One for each level that this cloisterd knows, for the length of a with-block, each with at most
    `settle_seconds` for what it makes ahead. `left_out`: what to reason."""

    def __init__(self, build, settle_seconds):
        self.build, self.settle_seconds = build, settle_seconds
        self.by_level, self.left_out, self.stack = {}, {}, ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            for level, config in CONFIGS.items():
                try:
                    daemon = Daemon(self.build, OPEN | config)
                except Refused as refusal:
                    self.left_out[f"level {level}"] = str(refusal)
                    continue
                stack.callback(daemon.stop)
                self.by_level[level] = daemon
                if not daemon.settle(self.settle_seconds):
                    self.left_out[f"rest before {level}"] = (
                        f"after {self.settle_seconds} s the daemon was still making things ahead")
            if "warm" in self.by_level:
                self.by_level["cached"] = self.by_level["warm"]
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


@dataclass
class Sample:
    language: str
    level: str
    round: int
    seconds: float
    start: str
    cached: bool
    run_seconds: float
    setup_seconds: float
    compile_seconds: float


@dataclass
class Hello:
    samples: list = field(default_factory=list)
    left_out: dict = field(default_factory=dict)  # (language, level) to reason
    engine: dict = field(default_factory=dict)  # language to seconds


def shows_level(level, sample):
    """Whether the daemon's own words about a run agree with the level that it was to show."""
    if level == "cached":
        return sample.cached
    if level == "warm":
        # No interpreter waits for what a compiler makes: a box that was made ahead is all there can be.
        good = ("warm", "prepared") if sample.language in COMPILED else ("warm",)
        return not sample.cached and sample.start in good
    return not sample.cached and sample.start == level


def words_for(sample):
    made = f"a {sample.start} box"
    if sample.language not in COMPILED:
        return made
    return f"{made} and {'an earlier compilation' if sample.cached else 'a new compilation'}"


def ask(client, language, level, turn):
    mark = "always the same" if level == "cached" else f"{level} {turn}"
    begin = time.perf_counter()
    result = client.ask(message(language, mark), "execution_result")["result"]
    took = time.perf_counter() - begin
    if result["output"] != "Hello, World!\n":
        raise RuntimeError(f"{result['verdict']}: {result['error'].strip() or result['output']!r}")
    compiling = result.get("compile") or {}
    return Sample(language, level, turn, took, result.get("start", "cold"), bool(compiling.get("cached")),
                  result["execution_time"], result.get("setup_time", 0.0), compiling.get("wall_time", 0.0))


def ask_engine(engine, hello):
    for language in list(engine.commands):
        try:
            hello.engine.setdefault(language, []).append(engine.ask(language))
        except engines.LeftOut as reason:
            engine.left_out[f"docker run, {language}"] = str(reason)
            del engine.commands[language]


def measure(daemons, warm_up, rounds, pause, seconds, engine=None):
    """`warm_up` rounds that do not count, one at least, then up to `rounds` that do, as far as `seconds` go: the
    first round that counts may take half as long again. After each run in a daemon that makes boxes ahead the
    machine is left alone for `pause` seconds, so that what the run took is made again before anybody is
    measured."""
    hello, clients = Hello(), {}
    begin = time.monotonic()
    pairs = [(language, level) for language in HELLO for level in LEVELS if level in daemons.by_level
             and (level != "cached" or language in COMPILED)]
    try:
        for level, daemon in daemons.by_level.items():
            clients[level] = Client("127.0.0.1", daemon.port)
            clients[level].receive()
        for turn in range(-warm_up, rounds):
            for language, level in list(pairs):
                took = time.monotonic() - begin
                if took > seconds and turn < -1:
                    break
                if took > seconds * 1.5 and turn <= 0:
                    hello.left_out[language, level] = "the time was up"
                    pairs.remove((language, level))
                    continue
                try:
                    sample = ask(clients[level], language, level, turn)
                except RuntimeError as error:
                    hello.left_out[language, level] = str(error)
                    pairs.remove((language, level))
                    continue
                if turn >= 0:
                    hello.samples.append(sample)
                elif turn == -1 and not shows_level(level, sample):
                    hello.left_out[language, level] = f"the daemon says that it was {words_for(sample)}"
                    pairs.remove((language, level))
                if level != "cold":
                    time.sleep(pause)
            if engine and 0 <= turn < engines.ROUNDS:
                ask_engine(engine, hello)
            if turn >= 0 and time.monotonic() - begin > seconds:
                break
    finally:
        for client in clients.values():
            client.close()
    return hello
