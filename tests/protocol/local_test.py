"""The executor `local`: the whole daemon as an ordinary user. The same programs with the same verdicts; nobody is
left; what it does not protect is said; and what it does protect is attacked."""
import json
import os
import shutil
import signal
import subprocess
import unittest
from pathlib import Path

import analysis_test
import base_test
import cases
import service
import wire

NOBODY = 65534
# The words of docs/executors.md.
UNPROTECTED = ["memory_tree", "processor_share", "user_identity"]

# A kernel that gives ordinary users no user namespace: unshare(CLONE_NEWUSER) and clone with it are refused. With
# "bare" as the first word it has no Landlock either.
FILTERED = """
import ctypes, os, platform, struct, sys
calls = {"x86_64": (272, 56), "aarch64": (97, 220)}[platform.machine()]
bare = sys.argv[1] == "bare"
def one(code, jt, jf, k): return struct.pack("HBBI", code, jt, jf, k)
program = one(0x20, 0, 0, 0)
if bare: program += one(0x15, 0, 1, 444) + one(0x06, 0, 0, 0x00050026)
program += one(0x15, 1, 0, calls[0]) + one(0x15, 0, 3, calls[1])
program += one(0x20, 0, 0, 16) + one(0x45, 0, 1, 0x10000000) + one(0x06, 0, 0, 0x00050001) + one(0x06, 0, 0, 0x7fff0000)
libc = ctypes.CDLL(None, use_errno=True)
buffer = ctypes.create_string_buffer(program)
class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
libc.prctl(38, 1, 0, 0, 0)
if libc.prctl(22, 2, ctypes.byref(Program(len(program) // 8, ctypes.addressof(buffer)))) != 0:
    sys.exit("no filter: " + os.strerror(ctypes.get_errno()))
words = sys.argv[2 if bare else 1:]
os.execvp(words[0], words)
"""


def ordinary(*command, **fields):
    return subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *command],
                          capture_output=True, text=True, timeout=60 * service.SLOW, **fields)


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Local(cases.Case):
    """One daemon for the whole class, as `nobody`."""
    daemon = None

    @classmethod
    def setUpClass(cls):
        if ordinary("test", "-x", str(service.build_directory() / "cloisterd")).returncode != 0:
            raise unittest.SkipTest("the build directory cannot be entered by an ordinary user")
        cls.daemon = service.Daemon(config={"executor": "local"}, user=NOBODY)
        cls.addClassCleanup(lambda: cls.daemon.stop())

    def mine(self, **fields):
        return self.connect(self.daemon, **fields)

    def test_six_languages_run_and_each_result_says_what_is_not_protected(self):
        client = self.mine()
        for language, code in base_test.HELLO.items():
            with self.subTest(language):
                self.need(language)
                result = client.run(code, language=language, seconds=120 * service.SLOW)
                self.assertEqual((result["output"], result["verdict"]), ("Hello, World!\n", "ok"), result)
                self.assertEqual((result["method"], result["unprotected"]), ("local", UNPROTECTED))
                self.assertGreater(result["memory_peak"], 0)
                self.assertGreater(result["cpu_time"], 0)

    def test_results_over_http_say_it_too(self):
        body = json.dumps({"language": "python", "code": "print(1)", "wait": True})
        status, _, answer = wire.http(self.daemon.host, self.daemon.port, (
            f"POST /api/v1/execute HTTP/1.1\r\nHost: {self.daemon.host}:{self.daemon.port}\r\nConnection: close\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"))
        self.assertEqual(status, 200, answer)
        self.assertEqual(json.loads(answer)["unprotected"], UNPROTECTED)

    def test_native_results_do_not_have_the_field(self):
        self.assertNotIn("unprotected", self.connect().run("print(1)"))

    def test_limits_and_ends_have_the_same_names_as_ever(self):
        client = self.mine()
        spin = "while True: pass"
        for what, code, fields, verdict in (
                ("wall", "import time; time.sleep(60)", {"limits": {"wall_time": 1}}, "wall_limit"),
                ("processor", spin, {"limits": {"cpu_time": 1}}, "time_limit"),
                ("memory", "a = []\nwhile True: a.append(bytearray(1 << 20))", {}, "memory_limit"),
                ("memory of children", "import os, time\nfor i in range(6):\n  if os.fork() == 0:\n"
                 "    a = bytearray(b'x' * (40 << 20)); time.sleep(8); os._exit(0)\ntime.sleep(8)", {}, "memory_limit"),
                # It fails a moment later: nobody counts what the kernel refuses, so it must be seen at its limit.
                ("processes", "import os, time\ntry:\n  while True:\n    if os.fork() == 0: time.sleep(8); os._exit(0)\n"
                 "except OSError:\n  time.sleep(.5); raise", {}, "process_limit"),
                ("output", "while True: print('x' * 1000)", {}, "output_limit"),
                ("status", "raise SystemExit(3)", {}, "nonzero_exit"),
                ("signal", "import os; os.abort()", {}, "signalled"),
                ("well", "print(1)", {}, "ok")):
            with self.subTest(what):
                result = client.run(code, seconds=60 * service.SLOW, **fields)
                self.assertEqual(result["verdict"], verdict, result)
        self.need("c")
        result = client.run("int main(void) { return x; }", language="c", seconds=60 * service.SLOW)
        self.assertEqual(result["verdict"], "compile_error")

    def test_pages_that_parent_and_children_share_count_once(self):
        code = ("import os, time\na = b'x' * (60 << 20)\nfor i in range(5):\n  if os.fork() == 0:\n"
                "    time.sleep(1); os._exit(0)\nfor i in range(5): os.wait()\nprint('done')")
        result = self.mine().run(code, seconds=60 * service.SLOW)
        self.assertEqual((result["output"], result["verdict"]), ("done\n", "ok"), result)

    def test_input_streams_terminals_and_signals(self):
        client = self.mine()
        self.assertEqual(client.run("print(input()[::-1])", stdin="abc\n")["output"], "cba\n")
        result = client.run("import sys; print(sys.stdin.isatty(), sys.stdout.isatty())", tty=True, stream=True,
                            seconds=30 * service.SLOW)
        self.assertIn("True True", result["output"])
        self.hears_a_signal(client)

    def test_nobody_is_left_after_a_result_or_a_lost_client(self):
        hide = ("import os, time\n"
                "def away():\n  if os.fork(): return\n  os.setsid()\n  if os.fork(): os._exit(0)\n"
                "  [os.close(f) for f in range(3)]\n  time.sleep(60); os._exit(0)\n")
        for end in ("", "print('up', flush=True)\ntime.sleep(60)"):
            mark = service.fresh_mark()
            client = self.mine()
            client.send(type="execute_code", language="python", stream=True,
                        code=service.show(mark) + hide + "for i in range(5): away()\n" + end)
            if end:
                client.wait("execution_output", seconds=30 * service.SLOW)
                self.assertTrue(service.processes_with(mark))
                client.close()
            else:
                client.wait("execution_result", seconds=30 * service.SLOW)
            self.assertTrue(service.gone_within(mark, 1 * service.SLOW), end)

    def test_a_killed_daemon_takes_everybody_along_and_starts_again(self):
        daemon = service.Daemon(config={"executor": "local"}, user=NOBODY)
        self.addCleanup(daemon.stop)
        for turn in range(3):
            mark = service.fresh_mark()
            client = wire.Client(daemon.host, daemon.port)
            client.send(type="execute_code", language="python", stream=True, code=service.show(mark) + (
                "import os, time\nif os.fork() == 0: os.setsid()\nprint('up', flush=True)\ntime.sleep(60)"))
            client.wait("execution_output", seconds=30 * service.SLOW)
            daemon.end(signal.SIGKILL)
            self.assertTrue(service.gone_within(mark, 1 * service.SLOW), f"turn {turn}")
            client.close()
            daemon.start()

    def test_what_it_protects_holds_under_attack(self):
        client = self.mine()
        secret = Path(self.daemon.state) / "secret"
        secret.write_text("of the developer")
        os.chown(secret, NOBODY, NOBODY)
        code = f"""
import ctypes, os, signal, socket
def can(what, attack):
    try: attack()
    except (OSError, ValueError, AttributeError): return
    print("can", what)
can("read the user's files", lambda: open({str(secret)!r}).read())
can("list the user's files", lambda: os.listdir({self.daemon.state!r}))
can("write beside its own", lambda: open("/etc/x", "w"))
can("see the keeper", lambda: open("/proc/{self.daemon.process.pid}/status").read())
can("signal the keeper", lambda: os.kill({self.daemon.process.pid}, signal.SIGTERM))
can("signal the front", lambda: os.kill({self.daemon.front()}, signal.SIGTERM))
can("look into init", lambda: open("/proc/1/mem"))
can("reach the daemon", lambda: socket.create_connection(({self.daemon.host!r}, {self.daemon.port}), timeout=1))
can("reach another host", lambda: socket.create_connection(("192.0.2.1", 9), timeout=1))
libc = ctypes.CDLL(None, use_errno=True)
def call(result):
    if result < 0: raise OSError(ctypes.get_errno())
can("make a user namespace", lambda: call(libc.unshare(0x10000000)))
can("mount", lambda: call(libc.mount(b"x", b"/tmp", b"tmpfs", 0, None)))
can("trace init", lambda: call(libc.ptrace(16, 1, 0, 0)))
can("be root", lambda: call(libc.setuid(0)))
def run_it(folder):
    path = folder + "/x"
    with open(path, "w") as file: file.write("#!/usr/bin/python3\\n")
    os.chmod(path, 0o700)
    os.posix_spawn(path, [path], {{}})
for folder in ("/box", "/tmp"): can("execute in " + folder, lambda: run_it(folder))
status = open("/proc/self/status").read()
for line in ("CapEff:\\t0000000000000000", "CapPrm:\\t0000000000000000", "CapBnd:\\t0000000000000000", "NoNewPrivs:\\t1", "Seccomp:\\t2"):
    if line not in status: print("lacks", line)
print("tried")
"""
        self.assertEqual(client.run(code, seconds=30 * service.SLOW)["output"], "tried\n")

    def test_runs_do_not_meet(self):
        client = self.mine()
        client.send(type="execute_code", language="python", stream=True, id="first", code=(
            "import os, time\nopen('/tmp/left', 'w').write('x')\nopen('/dev/shm/left', 'w').write('x') if os.path.isdir('/dev/shm') else 0\n"
            "print(os.getpid(), flush=True)\ntime.sleep(3)"))
        client.wait("execution_output", seconds=30 * service.SLOW)
        seen = self.mine().run("import os\nprint(sorted(os.listdir('/tmp')), [p for p in os.listdir('/proc') if p.isdigit() and "
                               "p != str(os.getpid())])", seconds=30 * service.SLOW)
        self.assertEqual(seen["output"], "[] []\n")

    def test_analysis_works_from_a_box_of_the_same_kind(self):
        answer = analysis_test.Analysis.ask(self, self.mine(), "def f(a=[]):\n    return a\n")
        self.assertEqual(answer["type"], "analysis_result", answer)
        self.assertEqual(answer["analysis"]["language"], "python")

    def test_the_start_is_loud(self):
        text = self.daemon.text()
        self.assertIn("WARNING: the executor 'local' does not protect", text)
        lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        said = [line for line in lines if line.get("event") == "executor"]
        self.assertEqual([(one["method"], one["unprotected"]) for one in said], [("local", ", ".join(UNPROTECTED))])

    def test_daemon_and_programs_are_the_ordinary_user_without_privilege(self):
        for pid in (self.daemon.process.pid, self.daemon.front()):
            status = Path(f"/proc/{pid}/status").read_text()
            self.assertIn(f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}", status)
        front = Path(f"/proc/{self.daemon.front()}/status").read_text()
        self.assertIn("CapEff:\t0000000000000000", front)
        self.assertIn("NoNewPrivs:\t1", front)


class Chosen(cases.Case):
    """`local` is chosen by name, and never by itself."""

    def refused(self, config, *before, root=False):
        state = Path(service.tempfile.mkdtemp(prefix="cloister-local-"))
        self.addCleanup(shutil.rmtree, state)
        if not root:
            os.chown(state, NOBODY, NOBODY)
        (state / "cloister.jsonc").write_text(json.dumps(config))
        command = [*before, str(service.build_directory() / "cloisterd"), "--listen", "127.0.0.1:0", "--state-dir", str(state),
                   "--config", str(state / "cloister.jsonc"), "--policies", str(service.SOURCE / "policies"),
                   "--runtimes", str(service.SOURCE / "runtimes")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30 * service.SLOW) if root else ordinary(*command)
        self.assertEqual(done.returncode, 2, done.stderr)
        return done.stderr

    def test_an_ordinary_user_gets_it_only_by_name(self):
        for config in ({}, {"executor": "auto"}, {"executor": "native"}):
            self.assertIn('"executor": "local"', self.refused(config))

    def test_root_is_refused(self):
        self.assertIn("'local' is for an ordinary user", self.refused({"executor": "local"}, root=True))

    def test_a_kernel_without_user_namespaces_and_file_rules_is_told_in_words(self):
        said = self.refused({"executor": "local"}, "/usr/bin/python3", "-c", FILTERED, "bare")
        self.assertIn("'local' needs user namespaces, or file rules in their place", said)
        self.assertIn("no file rules that keep signals in", said)
        self.assertIn("make a user namespace: Operation not permitted", said)
