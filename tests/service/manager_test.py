"""The daemon under a service manager: what it tells, what it is handed over, and that both halves are watched."""
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


class Manager:
    """What of systemd the daemon sees: a socket for notifications, variables, a listening socket."""

    def __init__(self, test, watchdog=None):
        self.folder = tempfile.TemporaryDirectory(prefix="cloister-manager-")
        test.addCleanup(self.folder.cleanup)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(f"{self.folder.name}/notify")
        test.addCleanup(self.socket.close)
        self.environment = {"NOTIFY_SOCKET": f"{self.folder.name}/notify"}
        if watchdog:
            self.environment["WATCHDOG_USEC"] = str(int(watchdog * 1e6))

    def next(self, seconds=20):
        self.socket.settimeout(seconds * service.SLOW)
        return self.socket.recv(4096).decode()

    def heard(self, word, seconds=20):
        """The first message that begins so, of those that come in time; None when none does."""
        end = time.monotonic() + seconds * service.SLOW
        while time.monotonic() < end:
            try:
                text = self.next((end - time.monotonic()) / service.SLOW)
            except (TimeoutError, ValueError):
                return None
            if text.startswith(word):
                return text
        return None


class Manages(unittest.TestCase):
    def daemon(self, **options):
        daemon = service.Daemon(**options)
        self.addCleanup(daemon.stop)
        return daemon

    def test_ready_is_told_when_clients_are_served_and_stopping_when_the_drain_begins(self):
        manager = Manager(self)
        daemon = self.daemon(environment=manager.environment)
        self.assertIn("STATUS=Serving on 127.0.0.1:", manager.heard("READY=1"))
        client = wire.Client(daemon.host, daemon.port)
        client.close()
        daemon.process.send_signal(signal.SIGTERM)
        self.assertIsNotNone(manager.heard("STOPPING=1"))
        self.assertEqual(daemon.process.wait(20 * service.SLOW), 0)

    def test_the_watchdog_hears_while_both_halves_live(self):
        manager = Manager(self, watchdog=8)
        self.daemon(environment=manager.environment)
        for _ in range(2):
            self.assertIsNotNone(manager.heard("WATCHDOG=1", 6))

    def test_the_watchdog_hears_nothing_while_the_front_hangs_nor_while_the_keeper_does(self):
        manager = Manager(self, watchdog=8)
        daemon = self.daemon(environment=manager.environment)
        self.assertIsNotNone(manager.heard("WATCHDOG=1", 6))
        for process in (daemon.front(), daemon.process.pid):
            os.kill(process, signal.SIGSTOP)
            try:
                time.sleep(0.3)  # what it had said already
                while manager.heard("WATCHDOG=1", 0.1):
                    pass
                self.assertIsNone(manager.heard("WATCHDOG=1", 5 / service.SLOW))
            finally:
                os.kill(process, signal.SIGCONT)
            self.assertIsNotNone(manager.heard("WATCHDOG=1", 6))

    def test_a_socket_of_the_manager_is_where_clients_are_served(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            # The daemon must be process LISTEN_PID and have the socket at 3: a shell execs it.
            with tempfile.TemporaryDirectory(prefix="cloister-passed-") as state, \
                    open(f"{state}/log", "w+") as log:
                started = subprocess.Popen(
                    ["setpriv", "--pdeathsig", "TERM", "bash", "-c",
                     f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "_",
                     str(service.build_directory() / "cloisterd"), "--listen", "127.0.0.1:1", "--state-dir", state,
                     "--policies", str(service.SOURCE / "policies"), "--runtimes", str(service.SOURCE / "runtimes")],
                    pass_fds=[listener.fileno()], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
                try:
                    # Nobody accepts yet: the connection waits in the manager's socket until somebody does.
                    client = wire.Client("127.0.0.1", port)
                    client.close()
                finally:
                    started.terminate()
                    self.assertEqual(started.wait(20 * service.SLOW), 0)
                self.assertIn(f"serving http://127.0.0.1:{port}/", Path(f"{state}/log").read_text())

    def test_a_socket_that_others_can_reach_needs_a_token_like_any_other_address(self):
        with socket.create_server(("0.0.0.0", 0)) as listener:
            done = subprocess.run(
                ["bash", "-c", f"exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec \"$@\"", "_",
                 str(service.build_directory() / "cloisterd"), "--listen", "127.0.0.1:1"],
                pass_fds=[listener.fileno()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30)
        self.assertEqual(done.returncode, 2)
        self.assertIn("token_file", done.stdout)


if __name__ == "__main__":
    unittest.main()
