#!/usr/bin/env python3
"""Waits until a machine's log says READY, then writes the machine's memory to a file and ends it.

    th-snap.py QMP_SOCKET LOG STATE SECONDS PID

The machine is not stopped first: one that is saved while it runs starts by itself when it is woken.
"""
import json
import os
import shlex
import socket
import sys
import time


class Machine:
    """The emulator's control socket, one JSON object a line."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.lines = self.socket.makefile("rw")
        self.lines.readline()
        self.ask("qmp_capabilities")

    def ask(self, name, **arguments):
        self.lines.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.lines.flush()
        while True:
            reply = json.loads(self.lines.readline())
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                sys.exit(f"th-snap: {name}: {reply['error']}")


def wait_until_ready(log, end, pid):
    while not (os.path.exists(log) and b"TH READY" in open(log, "rb").read()):
        if time.time() > end:
            sys.exit("th-snap: the guest was not ready in time")
        try:
            os.kill(pid, 0)
        except OSError:
            sys.exit("th-snap: the emulator is gone")
        time.sleep(0.1)


def main():
    path, log, state, seconds, pid = sys.argv[1:]
    end = time.time() + float(seconds)
    wait_until_ready(log, end, int(pid))
    machine = Machine(path)
    machine.ask("migrate-set-parameters", **{"max-bandwidth": 1 << 33})
    machine.ask("migrate", uri="exec:cat > " + shlex.quote(state))
    while (status := machine.ask("query-migrate")["status"]) != "completed":
        if status in ("failed", "cancelled") or time.time() > end:
            sys.exit(f"th-snap: saving {status}")
        time.sleep(0.1)
    machine.ask("quit")


main()
