"""Faults of the host and of operators, each with the behaviour that docs/operations.md promises."""
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import service
import wire


class Faults(unittest.TestCase):
    def daemon(self, **options):
        daemon = service.Daemon(**options)
        self.addCleanup(daemon.stop)
        return daemon

    def refused(self, *words, **fields):
        """The daemon's last words when it does not start, within ten seconds."""
        done = subprocess.run([str(service.build_directory() / "cloisterd"), "--policies", str(service.SOURCE / "policies"),
                               "--runtimes", str(service.SOURCE / "runtimes"), *words], capture_output=True, text=True,
                              timeout=10 * service.SLOW, **fields)
        self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
        return done.stderr.strip().splitlines()[-1]

    def test_twenty_kills_in_a_row_leave_nothing_and_each_start_serves_at_once(self):
        daemon = self.daemon(config={"prepared_boxes": 2, "warm_boxes": 0})
        for turn in range(20):
            client = wire.Client(daemon.host, daemon.port)
            mark = service.fresh_mark()
            client.send(type="execute_code", language="python", stream=True,
                        code=service.show(mark) + "print('begun', flush=True)\nimport time\ntime.sleep(60)")
            client.wait("execution_output", seconds=20 * service.SLOW)
            daemon.end(signal.SIGKILL)
            self.assertTrue(service.gone_within(mark, 1 * service.SLOW), f"turn {turn}: its program lives")
            client.close()
            daemon.start()
        client = wire.Client(daemon.host, daemon.port)
        self.assertEqual(client.run("print(1)")["output"], "1\n")
        client.close()

    def test_a_second_daemon_on_the_same_address_or_state_is_refused_in_words_and_harms_nothing(self):
        daemon = self.daemon()
        said = self.refused("--listen", f"127.0.0.1:{daemon.port}", "--state-dir", "/run/cloister-test-second")
        self.addCleanup(lambda: os.path.isdir("/run/cloister-test-second") and os.rmdir("/run/cloister-test-second"))
        self.assertIn(f"127.0.0.1:{daemon.port} is in use", said)
        self.assertIn("another cloisterd uses", self.refused("--listen", "127.0.0.1:0", "--state-dir", daemon.state))
        client = wire.Client(daemon.host, daemon.port)
        self.assertEqual(client.run("print(1)")["output"], "1\n")
        client.close()

    def test_two_daemons_on_one_host_have_their_own_boxes_and_do_not_meet(self):
        one, two = self.daemon(), self.daemon()
        clients = [wire.Client(d.host, d.port) for d in (one, two)]
        for client in clients:
            client.send(type="execute_code", language="python", stream=True,
                        code="import os, time; print(os.getuid(), flush=True); time.sleep(3)")
        users = {client.wait("execution_output", seconds=20 * service.SLOW)["data"] for client in clients}
        self.assertEqual(len(users), 2, "both use the same user id")
        two.end(signal.SIGKILL)
        self.assertEqual(clients[0].wait("execution_result", seconds=20 * service.SLOW)["result"]["verdict"], "ok")
        for client in clients:
            client.close()

    def test_a_state_directory_that_is_none_of_ours_is_refused_in_words(self):
        with tempfile.TemporaryDirectory(prefix="cloister-foreign-") as folder:
            link, file = Path(folder, "link"), Path(folder, "file")
            Path(folder, "real").mkdir()
            link.symlink_to(Path(folder, "real"))
            file.write_text("not a folder")
            for path in (link, file, Path(folder, "no/such/parent")):
                self.assertIn(str(path), self.refused("--listen", "127.0.0.1:0", "--state-dir", str(path)))
            self.assertEqual(file.read_text(), "not a folder")
            self.assertEqual(list(Path(folder, "real").iterdir()), [])

    def test_a_full_disk_loses_no_run_and_no_room_that_was_kept(self):
        with tempfile.TemporaryDirectory(prefix="cloister-full-") as state:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", state], check=True)
            try:
                daemon = self.daemon(config={"state_dir": state, "store_bytes": "16m"})
                # `--state-dir` of the test daemon comes before the configuration: serve from here instead.
                daemon.end(signal.SIGTERM)
                daemon.command = [state if word == daemon.state else word for word in daemon.command]
                daemon.start()
                client = wire.Client(daemon.host, daemon.port)
                client.send(type="join_room", room_id="full")
                client.wait("room_joined")
                client.send(type="code_change", file_path="a.py", content="kept = 1\n", change_type="edit",
                            position={"line": 0, "column": 0})
                client.send(type="ping")
                client.wait("pong")
                try:
                    with open(f"{state}/filler", "wb") as filler:
                        while True:
                            filler.write(b"x" * 65536)
                            filler.flush()
                except OSError:
                    pass
                self.assertEqual(client.run("print(1)", private=True)["output"], "1\n")
                self.assertEqual(wire.get(daemon.host, daemon.port, "/healthz")[0], 200)
                os.unlink(f"{state}/filler")
                client.close()
                daemon.restart(signal.SIGKILL)
                reader = wire.Client(daemon.host, daemon.port)
                reader.send(type="hello", protocol=2, name="r")
                reader.wait("hello_ok")
                reader.send(type="join_room", room_id="full")
                reader.wait("room_joined")
                reader.send(type="doc_open", file_path="a.py")
                self.assertEqual(reader.wait("doc_state")["content"], "kept = 1\n")
                reader.close()
                daemon.end(signal.SIGTERM)
            finally:
                subprocess.run(["umount", state], check=True)

    def test_slow_heads_hold_up_nobody_and_are_closed_in_time(self):
        daemon = self.daemon(config={"handshake_timeout": 2})
        slow = []
        for _ in range(200):
            one = socket.create_connection((daemon.host, daemon.port), timeout=20)
            one.sendall(b"GET /api/v1/ws/demo HTTP/1.1\r\nHost: ")
            slow.append(one)
        begin = time.monotonic()
        client = wire.Client(daemon.host, daemon.port)
        self.assertEqual(client.run("print(1)")["output"], "1\n")
        self.assertLess(time.monotonic() - begin, 2 * service.SLOW)
        for one in slow:  # a byte now and then buys no time
            try:
                one.sendall(b"x")
            except OSError:
                pass
        for one in slow:
            one.settimeout(10 * service.SLOW)
            try:
                while one.recv(4096):
                    pass
            except ConnectionError:
                pass
            one.close()
        self.assertLess(time.monotonic() - begin, 8 * service.SLOW)
        self.assertEqual(client.run("print(2)")["output"], "2\n")
        client.close()


if __name__ == "__main__":
    unittest.main()
