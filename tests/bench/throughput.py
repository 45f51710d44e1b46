"""How many runs end in a second: N connections to a daemon, each of which sends its next request when the
answer to the last one has come. The loop that drives them does next to nothing with an answer, because it
shares the machine with the daemon."""
import json
import re
import selectors
import struct
import time
from collections import Counter
from dataclasses import dataclass, field

from client import Client

CONNECTIONS = (1, 2, 8, 64)
# Requests go on for this long before counting begins: what stood ready is used up by then.
LEAD_SECONDS = 0.3
# Between cells, so that one daemon's boxes are not made ahead in another one's time.
REST_SECONDS = 0.15
ANSWER_SECONDS = 60

PROGRAMS = {
    "C, the same program again": {"type": "execute_code", "language": "c", "file_path": "main.c",
                                  "code": "int main(void) { return 0; }\n"},
    "Python hello": {"type": "execute_code", "language": "python", "file_path": "main.py",
                     "code": "print('Hello, World!')\n"},
}
# The daemons of levels.py that are asked, and how they are called here.
DAEMONS = {"cold": "nothing made ahead", "warm": "as shipped"}

START = re.compile(rb'"start":"(\w+)"')


@dataclass
class Slice:
    program: str
    daemon: str
    connections: int
    number: int
    per_second: float
    times: list                              # seconds, of the runs that ended while counting
    starts: Counter = field(default_factory=Counter)  # "cold", "prepared", "warm" to runs
    cached: int = 0


def frame_of(message):
    """One masked text frame. The mask is zero, so that the same bytes can be sent again and again."""
    payload = json.dumps(message).encode()
    size = len(payload)
    head = struct.pack(">BB", 0x81, 0x80 | size) if size < 126 else struct.pack(">BBH", 0x81, 0xFE, size)
    return head + bytes(4) + payload


def take_frame(held):
    """The payload of the first whole frame in `held`, and what follows it; None while it is not whole."""
    if len(held) < 2:
        return None, held
    size, at = held[1] & 0x7F, 2
    if size == 126:
        if len(held) < 4:
            return None, held
        size, at = struct.unpack(">H", held[2:4])[0], 4
    elif size == 127:
        if len(held) < 10:
            return None, held
        size, at = struct.unpack(">Q", held[2:10])[0], 10
    if len(held) < at + size:
        return None, held
    return held[at:at + size], held[at + size:]


class Connection:
    def __init__(self, port, frame):
        client = Client("127.0.0.1", port)
        client.receive()
        self.socket, self.held, self.frame, self.begun = client.socket, client.held, frame, 0.0

    def ask(self):
        self.begun = time.perf_counter()
        self.socket.sendall(self.frame)

    def answer(self):
        """The result's text once it is there, else None. Blocks for what select() has announced only."""
        piece = self.socket.recv(65536)
        if not piece:
            raise RuntimeError("the daemon closed the connection")
        self.held += piece
        while True:
            payload, self.held = take_frame(self.held)
            if payload is None:
                return None
            if payload.startswith(b'{"type":"execution_result"'):
                if b'"verdict":"ok"' not in payload:
                    raise RuntimeError(payload.decode(errors="replace")[:300])
                return payload
            if payload.startswith(b'{"type":"error"'):
                raise RuntimeError(payload.decode(errors="replace")[:300])


def run_slice(port, frame, connections, seconds):
    """Times of the runs that ended while it counted, and what their results say. The rate is over the fixed
    time in which it counted, in the middle of the loop: neither its beginning nor its end is in it."""
    times, starts, cached, waiting = [], Counter(), 0, 0
    selector = selectors.DefaultSelector()
    all_of_them = []
    try:
        for _ in range(connections):
            one = Connection(port, frame)
            all_of_them.append(one)
            selector.register(one.socket, selectors.EVENT_READ, one)
        count_from = time.perf_counter() + LEAD_SECONDS
        count_to = count_from + seconds
        for one in all_of_them:
            one.ask()
            waiting += 1
        while waiting:
            ready = selector.select(ANSWER_SECONDS)
            if not ready:
                raise RuntimeError(f"no answer within {ANSWER_SECONDS} s")
            for key, _ in ready:
                payload = key.data.answer()
                if payload is None:
                    continue
                now = time.perf_counter()
                if count_from <= now < count_to:
                    times.append(now - key.data.begun)
                    if found := START.search(payload):
                        starts[found.group(1).decode()] += 1
                    cached += b'"cached":true' in payload
                if now < count_to:
                    key.data.ask()
                else:
                    waiting -= 1
    finally:
        selector.close()
        for one in all_of_them:
            one.socket.close()
    return times, starts, cached


def measure(daemons, slices, seconds, most_seconds, left_out):
    """Every program at every number of connections in every daemon, in turn, `slices` times over, as far as
    `most_seconds` go; the first slice may take half as long again."""
    done = []
    begin = time.monotonic()
    frames = {program: frame_of(message) for program, message in PROGRAMS.items()}
    cells = [(connections, program, level) for connections in CONNECTIONS for program in PROGRAMS
             for level in DAEMONS if level in daemons.by_level]
    for number in range(slices):
        for cell in list(cells):
            if time.monotonic() - begin > most_seconds * (1 if number > 0 else 1.5):
                return done
            connections, program, level = cell
            try:
                times, starts, cached = run_slice(daemons.by_level[level].port, frames[program], connections,
                                                  seconds)
            except (RuntimeError, OSError) as error:
                left_out[f"{program}, {DAEMONS[level]}, {connections} connections"] = str(error)
                cells.remove(cell)
                continue
            done.append(Slice(program, DAEMONS[level], connections, number, len(times) / seconds, times, starts,
                              cached))
            time.sleep(REST_SECONDS)
    return done
