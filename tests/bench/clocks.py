"""How exact a run's limits and accounts are, on this machine as it is and with every processor taken twice by other
work: programs read the kernel's clocks themselves, and what they saw last is held against what the daemon allowed
and says.

    wall     how much longer than wall_time a program lived that only slept
    cpu      how much more than cpu_time a program used that only computed
    account  how far the result's cpu_time is from the program's own clock
    quota    the most of one processor that a long computation got in any half second
    short    a computation of 40 ms: its wall time against its processor time
"""
import os
from contextlib import ExitStack
from dataclasses import dataclass

from machine import end, start

WALL_LIMIT, CPU_LIMIT, LONG, WINDOW = 0.4, 0.3, 2.0, 0.5
PROGRAM = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
static double now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec + at.tv_nsec / 1e9;
}
static void tell(double wall, double cpu) {
    char line[64];
    int size = snprintf(line, sizeof line, "%.6f %.6f\n", wall, cpu);
    if (write(1, line, size) != size) _exit(1);
}
int main(int count, char** words) {
    double begin = now(CLOCK_MONOTONIC), cpu = 0;
    double most = atof(words[2]);
    int sleeps = count > 1 && strcmp(words[1], "sleep") == 0;
    tell(begin, cpu);
    while (now(CLOCK_MONOTONIC) - begin < most && (sleeps || cpu < atof(words[3]))) {
        if (sleeps) usleep(500);
        else for (double next = cpu + 0.002; cpu < next; cpu = now(CLOCK_PROCESS_CPUTIME_ID)) {}
        tell(now(CLOCK_MONOTONIC), now(CLOCK_PROCESS_CPUTIME_ID));
    }
}
"""


@dataclass
class Clock:
    what: str
    busy: bool
    values: list  # seconds, or parts of one


def ask(client, arguments, **limits):
    message = {"type": "execute_code", "language": "c", "code": PROGRAM, "args": list(map(str, arguments))}
    if limits:
        message["limits"] = limits
    return client.ask(message, "execution_result")["result"]


def seen(result):
    """[wall, cpu] of each whole line."""
    return [tuple(map(float, line.split())) for line in result["output"].split("\n")[:-1]]


def most_in_a_window(lines):
    """The largest part of one processor that was used within WINDOW seconds, between two lines."""
    most, first = 0.0, 0
    for last in range(len(lines)):
        while lines[last][0] - lines[first][0] > WINDOW:
            first += 1
        if first > 0:
            wall, cpu = (lines[last][at] - lines[first - 1][at] for at in (0, 1))
            most = max(most, cpu / wall)
    return most


def expect(result, verdict):
    if result["verdict"] != verdict:
        raise RuntimeError(f"{result['verdict']} in place of {verdict}: {result['error'][:200]}")
    return seen(result)


def sample(client):
    """One value of each kind."""
    lines = expect(ask(client, ("sleep", 60), wall_time=WALL_LIMIT), "wall_limit")
    yield "wall", lines[-1][0] - lines[0][0] - WALL_LIMIT
    result = ask(client, ("compute", 60, 60), cpu_time=CPU_LIMIT)
    lines = expect(result, "time_limit")
    yield "cpu", lines[-1][1] - CPU_LIMIT
    result = ask(client, ("compute", 60, 0.2))
    lines = expect(result, "ok")
    yield "account", abs(result["cpu_time"] - lines[-1][1]) / lines[-1][1]
    yield "quota", most_in_a_window(expect(ask(client, ("compute", LONG, 60)), "ok"))
    result = ask(client, ("compute", 60, 0.04))
    lines = expect(result, "ok")
    yield "short", (lines[-1][0] - lines[0][0]) / lines[-1][1]


def measure(client, rounds):
    """A list of Clock, first of the machine as it is, then of a busy one."""
    found = {}
    ask(client, ("compute", 60, 0.01))  # compiled once
    for busy in (False, True):
        with ExitStack() as stack:
            for _ in range(2 * os.cpu_count() if busy else 0):
                stack.callback(end, start(["sh", "-c", "while :; do :; done"]))
            for _ in range(rounds):
                for what, value in sample(client):
                    found.setdefault((what, busy), []).append(value)
    return [Clock(what, busy, values) for (what, busy), values in found.items()]
