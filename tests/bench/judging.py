"""What judging costs beside running: the same program on the same inputs, once as a judging of so many tests, once as
so many runs of `execute_code` with as many under way at one time, in turn. Both meet the same daemon, whose runs have
the judge's policy, so that boxes are alike; what differs is the comparing, the order of the verdicts, and one message
for all tests instead of one for each."""
import time
from dataclasses import dataclass

from client import Client
from levels import OPEN
from machine import Daemon, Refused

AT_ONCE = 2  # as `judge_parallel` is shipped
TESTS = {False: 100, True: 40}
PROGRAMS = {
    "C": {"language": "c", "code": '#include <stdio.h>\nint main(void) { int a, b; if (scanf("%d %d", &a, &b) != 2) '
                                   'return 1; printf("%d\\n", a + b); }\n'},
    "Python": {"language": "python", "code": "a, b = map(int, input().split())\nprint(a + b)\n"},
}


@dataclass
class Slice:
    program: str
    kind: str  # "judged" or "bare"
    number: int
    tests: int
    seconds: float


def tests_of(count):
    return [{"stdin": f"{number} {number + 1}\n", "expected": f"{2 * number + 1}\n"} for number in range(count)]


def judged(client, program, tests):
    begin = time.perf_counter()
    result = client.ask({"type": "judge", **program, "tests": tests}, "judge_result")["result"]
    took = time.perf_counter() - begin
    if result["verdicts"] != {"AC": len(tests)}:
        raise RuntimeError(f"judged {result['verdicts']}")
    return took


def bare(client, program, tests):
    waiting = list(enumerate(tests))
    under_way = {}

    def begin_one():
        number, test = waiting.pop()
        under_way[str(number)] = test["expected"]
        client.send({"type": "execute_code", "id": str(number), "stdin": test["stdin"], **program})

    begin = time.perf_counter()
    while waiting or under_way:
        while waiting and len(under_way) < AT_ONCE:
            begin_one()
        got = client.receive()
        if got["type"] == "error":
            raise RuntimeError(f"{got['code']}: {got['message']}")
        if got["result"]["output"] != under_way.pop(got["id"]):
            raise RuntimeError(f"{got['result']['verdict']}: {got['result']['error']!r}")
    return time.perf_counter() - begin


def measure(build, quick, slices, most_seconds, left_out):
    """Up to `slices` of each, as far as the time goes; the one that warms up is not counted."""
    done = []
    begin = time.monotonic()
    try:
        daemon = Daemon(build, OPEN | {"run_policy": "judge"})
    except Refused as refusal:
        left_out["judging"] = str(refusal)
        return done
    try:
        daemon.settle(most_seconds / 4)
        client = Client("127.0.0.1", daemon.port)
        client.receive()
        tests = tests_of(TESTS[quick])
        kinds = {"judged": judged, "bare": bare}
        for number in range(-1, slices):
            for name, program in PROGRAMS.items():
                if time.monotonic() - begin > most_seconds and number > 0:
                    return done
                # Whoever comes first in a pair finds what the pause before it made ahead.
                order = list(kinds) if number % 2 else list(reversed(kinds))
                for kind in order:
                    few = tests[:10] if number < 0 else tests
                    seconds = kinds[kind](client, program, few)
                    if number >= 0:
                        done.append(Slice(name, kind, number, len(few), seconds))
        client.close()
    except (RuntimeError, OSError) as error:
        left_out["judging"] = str(error)
    finally:
        daemon.stop()
    return done
