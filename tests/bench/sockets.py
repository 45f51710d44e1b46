"""What messages cost: round trips with few and with many connections open, memory of a connection that only waits,
how long until a room has an edit. The daemon and two servers that do as little as they can, in turn; all are asked by
the same crowd of raw connections (socket_bench), which shares the machine with them.
"""
import re
import select
import subprocess
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import machine
from levels import OPEN

HERE = Path(__file__).resolve().parent
OURS = "cloister"
CONNECTIONS = {False: (1, 100, 1000, 10_000), True: (1, 100, 1000)}
MEMBERS = (2, 100, 1000)  # of a room; with two, how long an edit takes from one to the other
IN_FLIGHT = 64
# One slice of one cell.
SLICE_MS = {False: 300, True: 120}
FILES = 20_000
# A peer may take so long for one command before it is left out.
ANSWER_SECONDS = 30
CONFIG = OPEN | {"connections": 12_000, "prepared_boxes": 0, "warm_boxes": 0, "artifact_cache": 0}
# A thousand who come in one after the other are told of each other, half a million times in all.
ROOM_CONFIG = CONFIG | {"room_members": 1100, "send_queue_messages": 20_000, "send_queue_bytes": 8 << 20}
PEERS = {"ws (node)": ["node", HERE / "peers/ws_server.mjs"],
         "websockets (python)": ["/usr/bin/python3", HERE / "peers/websockets_server.py"]}
PING = '"pong" {"type":"ping"}'
SAYING = '{"type":"said","updates":[{"client_id":"c7f3","seq":1,"changes":[[0,"x"],100]}]}'


@dataclass
class Trips:
    """Of one cell: percentiles in nanoseconds of each slice, and messages a second."""
    medians: list = field(default_factory=list)
    p99s: list = field(default_factory=list)
    rates: list = field(default_factory=list)

    def add(self, count, elapsed, median, p99):
        self.medians.append(median / 1e9)
        self.p99s.append(p99 / 1e9)
        self.rates.append(count * 1e9 / elapsed)


@dataclass
class Results:
    trips: dict = field(default_factory=dict)    # (server, connections, in flight) to Trips
    rooms: dict = field(default_factory=dict)    # (server, members) to Trips
    memory: dict = field(default_factory=dict)   # server to bytes of an idle connection
    joining: dict = field(default_factory=dict)  # members to seconds until all of them were in the room
    authority: list = field(default_factory=list)  # (what, microseconds, edits a second)
    left_out: dict = field(default_factory=dict)


class Failed(Exception):
    """Why a server takes no further part."""


class Peer:
    """A server of somebody else; its first line is its port."""

    def __init__(self, command):
        self.process = machine.start(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            self.stop()
            raise Failed("it did not start")
        line = self.process.stdout.readline().strip()
        if not line.isdigit():
            self.stop()
            raise Failed("not installed")
        self.port, self.pid = int(line), self.process.pid

    def stop(self):
        machine.end(self.process)
        self.process.stdout.close()


class Crowd:
    """socket_bench at a server; do() is one of its commands and the numbers of its answer."""

    def __init__(self, build, port):
        self.process = machine.start([build / "socket_bench", port, "/api/v1/ws/demo"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def do(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], ANSWER_SECONDS)[0]:
            raise Failed(f"no answer to '{command[:20]}' within {ANSWER_SECONDS} s")
        line = self.process.stdout.readline().strip()
        if not line:
            raise Failed(self.process.stderr.read().strip())
        return [int(word) for word in line.split(",")[1:]]

    def stop(self):
        self.process.stdin.close()
        machine.end(self.process)
        self.process.stdout.close()
        self.process.stderr.close()


def memory_of(pid):
    """Resident bytes of a process, those of its files and libraries included."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1]) * 1024


class Servers:
    """All that start, by name, for the length of a with-block."""

    def __init__(self, build, config, left_out):
        self.build, self.config, self.left_out = build, config, left_out
        self.by_name, self.stack = {}, ExitStack()

    def __enter__(self):
        with ExitStack() as stack:
            for name in (OURS, *PEERS):
                try:
                    server = (machine.Daemon(self.build, self.config, FILES) if name == OURS else Peer(PEERS[name]))
                except (Failed, machine.Refused, OSError) as error:
                    self.left_out[name] = str(error)
                    continue
                stack.callback(server.stop)
                self.by_name[name] = server
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *_):
        self.stack.close()


class Turns:
    """The servers that still take part, each with a crowd, one after the other."""

    def __init__(self, build, servers, results, until):
        self.servers, self.results, self.until = servers, results, until
        self.crowds = {name: Crowd(build, server.port) for name, server in servers.by_name.items()}

    def take(self, act):
        """act(name, crowd, server) for each; whoever fails takes no further part. False when the time is up."""
        for name, crowd in list(self.crowds.items()):
            if time.monotonic() > self.until:
                return False
            try:
                act(name, crowd, self.servers.by_name[name])
            except (Failed, OSError, ValueError) as error:
                self.results.left_out[f"messages, {name}"] = str(error) or type(error).__name__
                crowd.stop()
                del self.crowds[name]
        return True

    def stop(self):
        for crowd in self.crowds.values():
            crowd.stop()


def measure_trips(turns, results, counts, slices, slice_ms):
    """Connections are added until there are so many; the last ones have only been greeted when memory is read."""
    here = 0
    for count in counts:
        def open_more(name, crowd, server):
            before = memory_of(server.pid)
            crowd.do(f"open {count}")
            if count == max(counts):
                results.memory[name] = (memory_of(server.pid) - before) / (count - here)
        if not turns.take(open_more):
            return
        for _ in range(slices):
            for in_flight in (1, IN_FLIGHT):
                def ping(name, crowd, server):
                    numbers = crowd.do(f"ping {in_flight} {slice_ms} {PING}")
                    results.trips.setdefault((name, count, in_flight), Trips()).add(*numbers[2:])
                if (count > 1 or in_flight == 1) and not turns.take(ping):
                    return
        here = count


def enter(crowd, members, path):
    """Everybody into one room, with one file open."""
    room = f"bench_{members}"
    begin = time.monotonic()
    crowd.do('all "hello_ok" {"type":"hello","protocol":2}')
    crowd.do('all "room_joined" {"type":"join_room","room_id":"%s"}' % room)
    took = time.monotonic() - begin
    crowd.do('first "file_operation" {"type":"file_operation","operation":"create","file_path":"%s"}' % path)
    crowd.do('all "doc_state" {"type":"doc_open","file_path":"%s"}' % path)
    return took


def measure_rooms(turns, results, slices, slice_ms):
    """Edits in a room of ours, beside a message that the peers pass on to everybody."""
    path = "main.py"
    for members in MEMBERS:
        def gather(name, crowd, server):
            crowd.do("close 0")
            crowd.do(f"open {members}")
            if name == OURS:
                results.joining[members] = enter(crowd, members, path)
        if not turns.take(gather):
            return
        for _ in range(slices):
            def spread(name, crowd, server):
                command = f"edit {slice_ms} {path}" if name == OURS else f'spread {slice_ms} "said" {SAYING}'
                results.rooms.setdefault((name, members), Trips()).add(*crowd.do(command)[1:])
            if not turns.take(spread):
                return


def measure_authority(build, edits):
    text = machine.output_of([build / "rooms_bench", edits], 30) or ""
    return [(what.strip(), float(micro), int(rate)) for what, micro, rate in
            re.findall(r"^(.*?) +([\d.]+) us +(\d+) edits/s", text, re.M)]


def measure(build, quick, slices, seconds, left_out):
    results = Results(left_out=left_out)
    results.authority = measure_authority(build, 10_000 if quick else 50_000)
    counts, slice_ms, until = CONNECTIONS[quick], SLICE_MS[quick], time.monotonic() + seconds
    for config, part in ((CONFIG, lambda turns: measure_trips(turns, results, counts, slices, slice_ms)),
                         (ROOM_CONFIG, lambda turns: measure_rooms(turns, results, slices, slice_ms))):
        with Servers(build, config, left_out) as servers:
            turns = Turns(build, servers, results, until)
            try:
                part(turns)
            finally:
                turns.stop()
    return results
