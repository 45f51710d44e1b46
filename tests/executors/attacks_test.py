"""The attacks on boxes (tests/escape/attacks), sent by a client and run in containers. Those that containers do not
contain are listed, with what they find; SECURITY.md says what that means."""
import concurrent.futures
import os
import socket
import tempfile
import unittest
from pathlib import Path

import engine
import service
import wire

FOLDER = service.SOURCE / "tests" / "escape" / "attacks"
SMALL = {"memory": "48m"}
FEW = {"processes": 20}
# Program, arguments, limits, and the verdict when it is not the program's own word. {…}: see Attacks.words.
CONTAINED = [
    ("host_file.c", ["{sentinel}"]), ("host_files.py", ["{sentinel}"]), ("shadow.c", []), ("root_home.c", []),
    ("write_root.c", []), ("remount.c", []), ("kernel_knobs.c", []), ("make_device.c", []), ("run_written.c", []),
    ("run_memfd.c", []), ("system_commands.py", []),
    ("host_port.c", ["{port}"]), ("host_port.py", ["{port}"]), ("host_abstract.c", ["{abstract}"]), ("socket_families.c", []),
    ("wide_family.c", []), ("raw_socket.c", []),
    ("host_process.c", ["{pid}"]), ("init_files.c", []), ("trace.c", []),
    ("daemonize.c", []), ("hop.c", []), ("terminal.c", []),
    ("stop_self.c", [], {"wall_time": 1}, "wall_limit"), ("ignore_signals.c", [], {"wall_time": 1}, "wall_limit"),
    ("become_root.c", []), ("capabilities.c", []), ("new_privileges.c", []), ("filter_mode.c", []),
    ("user_namespace.c", ["unshare"]), ("user_namespace.c", ["clone"]), ("user_namespace.c", ["clone3"]),
    ("other_namespaces.c", []), ("mount_new.c", []), ("mount_by_fd.c", []), ("change_root.c", []), ("keys.c", []),
    ("kernel_programs.c", ["bpf"]), ("kernel_programs.c", ["perf"]), ("kernel_programs.c", ["userfaultfd"]),
    ("kernel_programs.c", ["io_uring"]), ("administrator.c", []), ("priority.c", []), ("fixed_addresses.c", []),
    ("push_input.c", []), ("push_input.c", ["high"]), ("rare_calls.c", ["10"]),
    ("old_calls.c", [], {}, "forbidden_syscall"), ("x32_calls.c", [], {}, "forbidden_syscall"),
    ("use_memory.c", ["heap", str(48 << 20)], SMALL, "memory_limit"), ("use_memory.c", ["shared", str(48 << 20)], SMALL, "memory_limit"),
    ("use_memory.c", ["files", str(48 << 20)], SMALL, "memory_limit"), ("use_memory.c", ["many", str(48 << 20)], SMALL, "memory_limit"),
    ("many_processes.c", ["processes", "20"], FEW), ("many_processes.c", ["threads", "20"], FEW), ("fork_flood.py", ["20"], FEW),
    ("fork_bomb.c", ["20"], FEW),
    ("spin.c", ["1", "9000", "1200"], {"cpu_time": 0.4}, "time_limit"), ("sleep_long.c", ["4000"], {"wall_time": 1}, "wall_limit"),
    ("open_many.c", ["64"], {"open_files": 64}), ("lock_memory.c", []), ("core_file.c", []),
    ("fill_shm.c", []), ("watch.c", ["{shown}"]), ("cached_pages.c", ["{shown}"]), ("group_path.c", []),
    ("host_name.c", ["{hostname}"]), ("environment.c", []), ("descriptors.c", []),
]
# A second run looks for what the first one left.
IN_TURN = [
    ("left_files.c", [["leave", "{mark}"], ["look", "{mark}"]]),
    ("left_ipc.c", [["leave", "{key}", "shm"], ["look", "{key}", "shm"]]),
    ("left_ipc.c", [["leave", "{key}", "mq"], ["look", "{key}", "mq"]]),
    ("left_key.c", [["leave", "{mark}"], ["look", "{mark}"]]),
]
# Refused for a reason that comes first: in a box the mount is read-only, and so it is here, but the file is root's, too.
REFUSED_EARLIER = [("write_shown.c", ["{shown}"], "Permission denied")]
# What an engine cannot be asked for, with the limits that they are tried under. SECURITY.md says what it means.
NOT_CONTAINED = [("kernel_secrets.c", [], {}), ("device_nodes.c", [], {}), ("neighbours.c", [], {}), ("neighbours.py", [], {}),
                 ("signal_init.c", [], {}), ("inode_flood.c", ["1000"], {"file_count": 1000})]


class Attacks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = engine.shared("docker")
        cls.folder = tempfile.TemporaryDirectory(prefix="cloister-attacks-")
        cls.addClassCleanup(cls.folder.cleanup)
        sentinel = Path(cls.folder.name, "sentinel")
        sentinel.write_text("a file of the host")
        os.chmod(cls.folder.name, 0o755)
        listener = socket.create_server(("0.0.0.0", 0))
        abstract = socket.socket(socket.AF_UNIX)
        name = service.fresh_mark()
        abstract.bind("\0" + name)
        abstract.listen()
        for one in (listener, abstract):
            cls.addClassCleanup(one.close)
        cls.words = {"sentinel": str(sentinel), "shown": "/lib64/ld-linux-x86-64.so.2", "port": str(listener.getsockname()[1]),
                     "abstract": name, "pid": str(os.getpid()), "hostname": socket.gethostname(), "mark": service.fresh_mark(),
                     "key": str(int.from_bytes(os.urandom(3), "big") + 1)}

    def attack(self, program, arguments, limits=None):
        client = wire.Client(self.daemon.host, self.daemon.port)
        try:
            arguments = [argument.format(**self.words) for argument in arguments]
            if program.endswith(".py"):
                return client.run((FOLDER / program).read_text(), "python", args=arguments, limits=limits or {}, seconds=120)
            return client.run("#define _GNU_SOURCE 1\n" + (FOLDER / program).read_text(), "c", args=arguments, limits=limits or {}, seconds=120,
                              files=[{"path": "attack.h", "content": (FOLDER / "attack.h").read_text()}])
        finally:
            client.close()

    def is_contained(self, result, verdict=None):
        said = (result["verdict"], result["exit_code"], result["output"], result["error"][-500:])
        self.assertNotIn("ESCAPED", result["output"], said)
        if verdict and result["verdict"] == verdict:
            return
        self.assertTrue(result["exit_code"] == 0 and "contained: " in result["output"], said)

    def test_containers_contain_what_boxes_contain(self):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda one: self.attack(*one[:3]), CONTAINED))
        for attack, result in zip(CONTAINED, results):
            with self.subTest(program=attack[0], arguments=attack[1]):
                self.is_contained(result, attack[3] if len(attack) > 3 else None)

    def test_nothing_passes_from_run_to_run(self):
        for program, runs in IN_TURN:
            for arguments in runs:
                result = self.attack(program, arguments)
            with self.subTest(program=program, arguments=arguments):
                self.is_contained(result)

    def test_the_list_of_what_containers_do_not_contain_is_true(self):
        for program, arguments, limits in NOT_CONTAINED:
            with self.subTest(program=program):
                self.assertIn("ESCAPED", self.attack(program, arguments, limits)["output"])

    def test_what_is_refused_earlier(self):
        for program, arguments, reason in REFUSED_EARLIER:
            with self.subTest(program=program):
                result = self.attack(program, arguments)
                self.assertEqual((result["exit_code"], reason in result["output"]), (3, True), result["output"])

    def test_a_parcel_cannot_climb_out(self):
        daemon = engine.shared("docker")
        client = wire.Client(daemon.host, daemon.port)
        self.addCleanup(client.close)
        answer = client.ask(type="execute_code", language="python", code="print(1)", files=[{"path": "../tmp/planted", "content": "x"}])
        self.assertEqual(answer["type"], "error")
