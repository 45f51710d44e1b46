"""What a host runs out of: room on its disk, memory, processes, descriptors; ten thousand peers that say nothing;
a clock that jumps. Each time the service says so to those whom it concerns, loses nothing, and goes on."""
import os
import resource
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import service
import wire

IDLE = 10_000
IDLE_BYTES = 20_000  # of the front's memory for each connection
OWN_FILES = 200      # descriptors that this process and the front need for other things


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def oom_adjustment(pid):
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


def until(true, seconds):
    end = time.monotonic() + seconds * service.SLOW
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Pressure(unittest.TestCase):
    def daemon(self, **options):
        daemon = service.Daemon(**options)
        self.addCleanup(daemon.stop)
        return daemon

    def connect(self, daemon, **fields):
        client = wire.Client(daemon.host, daemon.port, **fields)
        self.addCleanup(client.close)
        return client

    def serves(self, daemon):
        with wire.Client(daemon.host, daemon.port) as client:
            return client.run("print(1)", seconds=60 * service.SLOW).get("output") == "1\n"

    def test_ten_thousand_idle_connections_are_light_and_the_service_answers(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        count = min(IDLE, hard - OWN_FILES)
        if count < IDLE:
            print(f"(only {count} connections: no more descriptors than {hard} are allowed here)", end=" ")
        daemon = self.daemon(config={"connections": count + 10, "idle_ping": 600})
        front = daemon.front()
        self.assertTrue(self.serves(daemon))
        before = resident(front)
        idle = []
        self.addCleanup(lambda: [one.close() for one in idle])
        for number in range(count):
            idle.append(wire.Client(daemon.host, daemon.port, path=f"/api/v1/ws/idle-{number}"))
        self.assertLess((resident(front) - before) / count, IDLE_BYTES * service.SLOW)
        self.assertTrue(self.serves(daemon))
        self.assertEqual(wire.get(daemon.host, daemon.port, "/healthz")[0], 200)
        for one in (idle[0], idle[count // 2], idle[-1]):  # none was given up for another
            self.assertEqual(one.ask(type="ping")["type"], "pong")
        for one in idle:
            one.close()
        self.assertTrue(until(lambda: len(os.listdir(f"/proc/{front}/fd")) < OWN_FILES, 30))
        self.assertTrue(self.serves(daemon))

    def test_edits_on_a_full_disk_are_refused_and_none_that_was_acknowledged_is_lost(self):
        with tempfile.TemporaryDirectory(prefix="cloister-full-") as state:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", state], check=True)
            try:
                self.edit_on_a_full_disk(state)
            finally:
                subprocess.run(["umount", state], check=True)

    def edit_on_a_full_disk(self, state):
        daemon = self.daemon()
        daemon.end(signal.SIGTERM)
        daemon.command = [state if word == daemon.state else word for word in daemon.command]
        daemon.start()
        try:
            editor = self.connect(daemon)
            editor.send(type="hello", protocol=2, name="editor")
            editor.wait("hello_ok")
            editor.send(type="join_room", room_id="full")
            editor.wait("room_joined")
            editor.send(type="file_operation", operation="create", file_path="a.py")
            editor.wait("file_operation")
            editor.send(type="doc_open", file_path="a.py")
            document = editor.wait("doc_state")
            version = document["version"]

            def push(seq, line):
                length = sum(len(one) for one in kept)
                changes = ([length] if length else []) + [[0, line.rstrip("\n"), ""]]
                editor.send(type="doc_push", file_path="a.py", epoch=document["epoch"], version=version,
                            updates=[{"seq": seq, "changes": changes}], id=str(seq))

            kept, seq = [], 1
            push(seq, "first\n")
            version = editor.wait("doc_ack")["version"]
            kept.append("first\n")
            filler = os.open(f"{state}/filler", os.O_WRONLY | os.O_CREAT)
            try:
                while True:
                    os.write(filler, b"x" * 4096)
            except OSError:
                os.close(filler)
            # What fits into the room that the store holds already may still be acknowledged; not for long.
            refused = None
            for _ in range(400):
                seq += 1
                line = f"{seq} " + "." * 8000 + "\n"
                push(seq, line)
                editor.send(type="doc_open", file_path="a.py", id=f"look-{seq}")
                answer = editor.wait("doc_ack", "doc_state", "doc_updates", "error", seconds=20 * service.SLOW)
                if answer["type"] != "doc_ack":
                    refused = answer
                    break
                version = answer["version"]
                kept.append(line)
                editor.wait("doc_state", "doc_updates")
            self.assertIsNotNone(refused, "the disk is full and every edit was acknowledged")
            self.assertEqual((refused["type"], refused.get("code")), ("error", "busy"), refused)
            self.assertTrue(self.serves(daemon))
            os.unlink(f"{state}/filler")
            # The held edit is acknowledged by itself once it is kept.
            version = editor.wait("doc_ack", seconds=20 * service.SLOW)["version"]
            kept.append(line)
            seq += 1
            push(seq, "last\n")
            editor.wait("doc_ack", seconds=20 * service.SLOW)
            kept.append("last\n")
            editor.close()
            daemon.restart(signal.SIGKILL)
            reader = self.connect(daemon)
            reader.send(type="hello", protocol=2, name="reader")
            reader.wait("hello_ok")
            reader.send(type="join_room", room_id="full")
            reader.wait("room_joined")
            reader.send(type="doc_open", file_path="a.py")
            self.assertEqual(reader.wait("doc_state")["content"], "".join(kept))
            reader.close()
        finally:
            if daemon.process.poll() is None:
                daemon.end(signal.SIGTERM)

    def test_when_memory_is_short_programs_go_first_and_the_service_last(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", stream=True, id="look",
                    code="print(open('/proc/self/oom_score_adj').read(), flush=True)")
        of_program = int(client.wait("execution_output", seconds=20 * service.SLOW)["data"])
        client.wait("execution_result")
        for process in (daemon.process.pid, daemon.front()):
            self.assertGreaterEqual(of_program, oom_adjustment(process) + 500)
        eaters = [self.connect(daemon) for _ in range(4)]
        for eater in eaters:
            for number in range(4):
                eater.send(type="execute_code", language="python", id=str(number), code=(
                    "held = []\nwhile True: held.append(bytearray(1 << 20))"))
        for eater in eaters:
            self.assertEqual(client.ask(type="ping")["type"], "pong")
            for _ in range(4):
                answer = eater.wait("execution_result", "error", seconds=60 * service.SLOW)
                self.assertEqual(answer["type"], "execution_result", answer)
                self.assertEqual(answer["result"]["verdict"], "memory_limit")
        self.assertTrue(self.serves(daemon))

    def test_a_refused_fork_is_one_error_and_the_next_run_is_well(self):
        daemon = self.daemon(config={"prepared_boxes": 0})
        self.assertTrue(self.serves(daemon))
        bound = self.process_bound(daemon)
        client = self.connect(daemon)
        bound.write_text("1")
        try:
            for _ in range(3):
                client.send(type="execute_code", language="python", code="print(2)", id="refused")
                answer = client.wait("execution_result", "error", seconds=20 * service.SLOW)
                self.assertEqual(answer["id"], "refused")
                told = answer.get("result", answer)
                self.assertEqual(told.get("verdict", told.get("code")), "internal_error", answer)
                self.assertIn("Resource temporarily unavailable", told.get("error", ""))
        finally:
            bound.write_text("max")
        self.assertEqual(client.run("print(3)")["output"], "3\n")

    def process_bound(self, daemon):
        """pids.max of the instance's own group, above those of its boxes."""
        held = [os.readlink(entry) for entry in Path(f"/proc/{daemon.process.pid}/fd").iterdir()]
        instance = next(Path(path).name for path in held if path.startswith("/run/cloister/instance-"))
        for line in Path(f"/proc/{daemon.process.pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers not in ("", "pids"):
                continue
            group = Path(f"/sys/fs/cgroup/{controllers}" + path)
            for folder in (group, *group.parents):
                found = folder / "cloister" / instance / "pids.max"
                if found.exists():
                    return found
        self.fail("no control group of this instance's processes")

    def test_a_keeper_without_descriptors_answers_each_run_and_recovers(self):
        daemon = self.daemon(config={"prepared_boxes": 0})
        self.assertTrue(self.serves(daemon))
        client = self.connect(daemon)
        held = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        for room in (0, 2, 5):
            before = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (held + room, before[1]))
            try:
                client.send(type="execute_code", language="python", code="print(2)", id=str(room))
                answer = client.wait("execution_result", "error", seconds=20 * service.SLOW)
                self.assertEqual(answer["id"], str(room))
                told = answer.get("result", answer)
                good = ("internal_error", "busy") if room == 0 else ("internal_error", "busy", "ok")
                self.assertIn(told.get("verdict", told.get("code")), good, answer)
            finally:
                resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, before)
            self.assertEqual(client.run("print(3)", seconds=20 * service.SLOW)["output"], "3\n")

    def test_a_clock_that_jumps_by_days_changes_no_limit_and_loses_nobody(self):
        daemon = self.daemon(program="cloisterd_jumping_clock", config={"idle_ping": 5, "handshake_timeout": 4})
        client = self.connect(daemon)
        days = set()
        begin = time.monotonic()
        while len(days) < 3 and time.monotonic() - begin < 10 * service.SLOW:
            days.add(client.ask(type="ping")["timestamp"][:10])
            time.sleep(0.2)
        self.assertEqual(len(days), 3, "the clock does not jump: nothing is tried here")
        quiet = socket.create_connection((daemon.host, daemon.port), timeout=60)
        self.addCleanup(quiet.close)
        for _ in range(2):
            result = client.run("import time; time.sleep(4); print('slept')", seconds=30 * service.SLOW)
            self.assertEqual((result["verdict"], result["output"]), ("ok", "slept\n"))
            self.assertTrue(4 <= result["execution_time"] < 9 * service.SLOW, result["execution_time"])
        result = client.run("while True: pass", limits={"wall_time": 2}, seconds=30 * service.SLOW)
        self.assertEqual(result["verdict"], "wall_limit")
        self.assertTrue(2 <= result["execution_time"] < 6 * service.SLOW, result["execution_time"])
        self.assertEqual(quiet.recv(1), b"")  # its time for a head is over
        self.assertEqual(client.ask(type="ping")["type"], "pong")
        room = self.connect(daemon)
        room.send(type="join_room", room_id="days")
        room.wait("room_joined")
        room.send(type="code_change", file_path="a.py", content="x = 1\n", change_type="edit", position={"line": 0, "column": 0})
        self.assertEqual(room.ask(type="ping")["type"], "pong")
        room.close()
        time.sleep(3)
        again = self.connect(daemon)
        again.send(type="join_room", room_id="days")
        self.assertIn("a.py", str(again.wait("room_joined")["files"]))


if __name__ == "__main__":
    unittest.main()
