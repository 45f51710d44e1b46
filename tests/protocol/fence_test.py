"""The executor `local` on a kernel that gives ordinary users no namespaces: file rules (Landlock), a narrower filter and
one process group are all that is between a program and its user. The same verdicts; what is kept is attacked; what is
not is said."""
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import base_test
import cases
import local_test
import service
import wire

NOBODY = local_test.NOBODY
UNPROTECTED = [*local_test.UNPROTECTED, "written_programs", "file_total", "host_view"]
WITHOUT_NAMESPACES = ("/usr/bin/python3", "-c", local_test.FILTERED)


def show(mark):
    """Names its process so; /proc/self/comm cannot be written here."""
    return f"__import__('ctypes').CDLL(None).prctl(15, b'{mark}', 0, 0, 0)\n"


def can(attacks):
    """Python that prints which of these (words, expression) succeed."""
    lines = ["import ctypes, os, resource, signal, socket, struct", "libc = ctypes.CDLL(None, use_errno=True)",
             "def call(number, *words):", "    result = libc.syscall(number, *words)",
             "    if result < 0: raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))", "    return result",
             "def can(what, attack):", "    try: attack()", "    except (OSError, ValueError, AttributeError, PermissionError): return",
             "    print('can', what)"]
    lines += [f"can({what!r}, lambda: {attack})" for what, attack in attacks]
    return "\n".join([*lines, "print('tried')"])


class Fenced(cases.Case):
    """One daemon for the whole class, as `nobody`, without namespaces."""
    daemon = None

    @classmethod
    def setUpClass(cls):
        if local_test.ordinary("test", "-x", str(service.build_directory() / "cloisterd")).returncode != 0:
            raise unittest.SkipTest("the build directory cannot be entered by an ordinary user")
        cls.daemon = service.Daemon(config={"executor": "local"}, user=NOBODY, before=WITHOUT_NAMESPACES)
        cls.addClassCleanup(lambda: cls.daemon.stop())
        # A home of the same user's: everything in it could be the program's to take.
        cls.home = tempfile.mkdtemp(prefix="cloister-home-")
        cls.addClassCleanup(shutil.rmtree, cls.home)
        cls.secret = Path(cls.home, "secret")
        cls.secret.write_text("of the developer")
        for path in (cls.home, cls.secret):
            os.chown(path, NOBODY, NOBODY)

    def mine(self):
        return self.connect(self.daemon)

    def run_here(self, code, language="python", **fields):
        return self.mine().run(code, language, seconds=120 * service.SLOW, **fields)

    def tries(self, attacks, **fields):
        result = self.run_here(can(attacks), **fields)
        self.assertEqual(result["output"], "tried\n", result["error"][-1000:])

    def test_six_languages_run_and_each_result_says_what_is_not_protected(self):
        for language, code in base_test.HELLO.items():
            with self.subTest(language):
                self.need(language)
                result = self.run_here(code, language)
                self.assertEqual((result["output"], result["verdict"]), ("Hello, World!\n", "ok"), result)
                self.assertEqual((result["method"], result["unprotected"]), ("local", UNPROTECTED))

    def test_files_of_the_user_are_out_of_reach(self):
        secret, home, box = str(self.secret), self.home, self.daemon.state
        before = self.secret.stat()
        self.tries([
            ("read it", f"open({secret!r}).read()"), ("write it", f"open({secret!r}, 'a')"), ("truncate it", f"os.truncate({secret!r}, 0)"),
            ("remove it", f"os.unlink({secret!r})"), ("rename it", f"os.rename({secret!r}, {secret!r} + '2')"),
            ("take it", f"os.rename({secret!r}, 'mine')"), ("link it", f"os.link({secret!r}, 'mine')"),
            ("follow a link to it", f"(os.symlink({secret!r}, 'to'), open('to').read())"),
            ("read it by /proc", f"open('/proc/self/root' + {secret!r}).read()"),
            ("change its mode", f"os.chmod({secret!r}, 0o777)"), ("change its mode by number", f"call(268, -100, {secret!r}.encode(), 0o777)"),
            ("change its mode by the youngest call", f"call(452, -100, {secret!r}.encode(), 0o777, 0)"),
            ("change its owner", f"os.chown({secret!r}, {NOBODY}, {NOBODY})"), ("change its time", f"os.utime({secret!r}, (1, 1))"),
            ("change its attributes", f"os.setxattr({secret!r}, 'user.x', b'x')"),
            ("change the folder's mode", f"os.chmod({home!r}, 0o777)"), ("list the folder", f"os.listdir({home!r})"),
            ("write beside it", f"open({home!r} + '/x', 'w')"), ("make a folder there", f"os.mkdir({home!r} + '/x')"),
            ("list the state", f"os.listdir({box!r})"), ("read the key", f"open({box!r} + '/room.key', 'rb').read()"),
            ("read the configuration", f"open({box!r} + '/cloister.jsonc').read()"), ("list other runs", "os.listdir('..')"),
            ("list the root", "os.listdir('/')"), ("list /etc", "os.listdir('/etc')"), ("list /tmp", "os.listdir('/tmp')"),
            ("write to /tmp", "open('/tmp/x', 'w')"), ("write to /dev/shm", "open('/dev/shm/x', 'w')"),
            ("watch it", f"call(254, call(294, 0), {secret!r}.encode(), 0xfff)")])
        after = self.secret.stat()
        self.assertEqual((self.secret.read_text(), after.st_mode, after.st_mtime), ("of the developer", before.st_mode, before.st_mtime))

    def test_the_network_and_sockets_of_the_user_are_out_of_reach(self):
        path = str(Path(self.home, "bus"))
        name = service.fresh_mark()
        for address in (path, "\0" + name):
            for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                one = socket.socket(socket.AF_UNIX, kind)
                one.bind(address + str(int(kind)))
                if kind == socket.SOCK_STREAM:
                    one.listen()
                self.addCleanup(one.close)
        for kind in (1, 2):
            os.chmod(path + str(kind), 0o777)
        host, port = self.daemon.host, self.daemon.port
        self.tries([
            ("reach the daemon", f"socket.create_connection(({host!r}, {port}), timeout=1)"),
            ("send a packet", "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 9))"),
            ("reach a socket in the file system", f"socket.socket(socket.AF_UNIX).connect({path + '1'!r})"),
            ("reach an abstract one", f"socket.socket(socket.AF_UNIX).connect({chr(0) + name + '1'!r})"),
            ("send past a pair's other end", f"socket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(b'x', {path + '2'!r})"),
            ("turn a pair of streams around", f"socket.socketpair()[0].connect({path + '1'!r})"),
            ("send a stream's bytes elsewhere", f"socket.socketpair()[0].sendto(b'x', {path + '1'!r})"),
            ("open a ring, which no filter sees", "call(425, 4, ctypes.create_string_buffer(256))"),
            ("list interfaces", "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)")])
        self.assertEqual(self.run_here("import socket\na, b = socket.socketpair()\na.sendall(b'x')\nprint(b.recv(1))")["output"], "b'x'\n")

    def test_processes_of_the_user_are_out_of_reach(self):
        other = subprocess.Popen(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "sleep", "600"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        while Path(f"/proc/{other.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)
        for pid in (other.pid, self.daemon.process.pid, self.daemon.front(), "os.getppid()"):
            with self.subTest(pid=pid):
                self.tries([
                    ("signal it", f"os.kill({pid}, signal.SIGCONT)"), ("signal its thread", f"call(234, {pid}, {pid}, 18)"),
                    ("signal it by number", f"call(200, {pid}, 18)"), ("signal its group", f"os.killpg(os.getpgid({pid}), signal.SIGCONT)"),
                    ("signal it by descriptor", f"signal.pidfd_send_signal(os.pidfd_open({pid}), signal.SIGCONT)"),
                    ("queue a signal", f"call(129, {pid}, 18, struct.pack('iiiiQQ', 18, 0, -1, 0, 0, 0).ljust(128, bytes(1)))"),
                    ("trace it", f"call(101, 16, {pid}, 0, 0)"), ("take its descriptor", f"call(438, os.pidfd_open({pid}), 0, 0)"),
                    ("read its memory", f"open('/proc/%d/mem' % {pid}, 'rb')"), ("read its variables", f"open('/proc/%d/environ' % {pid}).read()"),
                    ("read its state", f"open('/proc/%d/status' % {pid}).read()"), ("read its files", f"os.listdir('/proc/%d/fd' % {pid})"),
                    ("limit it", f"resource.prlimit({pid}, resource.RLIMIT_NOFILE, (3, 3))"),
                    ("slow it down", f"os.setpriority(os.PRIO_PROCESS, {pid}, 19)"), ("slow all down", "os.setpriority(os.PRIO_USER, 0, 19)"),
                    ("schedule it", f"os.sched_setscheduler({pid}, os.SCHED_IDLE, os.sched_param(0))"),
                    ("move it", f"os.sched_setaffinity({pid}, [0])")])
        self.tries([("list processes", "os.listdir('/proc')"), ("shared memory of the host", "call(29, 4711, 4096, 0o1666)"),
                    ("a message queue", "call(240, b'x', 0o100, 0o600, None)"), ("keys", "call(250, 0, -3, 1)"),
                    ("make a user namespace", "call(272, 0x10000000)"), ("be root", "os.setuid(0)")])
        self.assertIsNone(other.poll())

    def test_it_signals_its_own_and_nobody_else(self):
        code = ("import os, signal\nold = signal.signal(signal.SIGUSR1, lambda *a: print('own', flush=True))\nos.kill(os.getpid(), signal.SIGUSR1)\n"
                "child = os.fork()\nif child == 0:\n  signal.signal(signal.SIGTERM, signal.SIG_DFL)\n  signal.pause()\nos.kill(child, signal.SIGTERM)\n"
                "print(os.waitstatus_to_exitcode(os.wait()[1]))\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.kill(-1, signal.SIGTERM)\nprint('alone')")
        self.assertEqual(self.run_here(code)["output"], "own\n-15\nalone\n")

    def test_what_it_writes_it_does_not_execute(self):
        code = ("import os\nfor place in ('.', os.environ['TMPDIR']):\n  path = place + '/x'\n"
                "  fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o700)\n  os.write(fd, b'#!/usr/bin/python3\\n')\n  os.close(fd)\n"
                "  try: os.posix_spawn(path, [path], {})\n  except OSError: print('refused')\n")
        self.assertEqual(self.run_here(code)["output"], "refused\nrefused\n")

    def test_a_compiled_program_cannot_change_what_others_run(self):
        code = ("#include <fcntl.h>\n#include <stdio.h>\n#include <string.h>\n#include <unistd.h>\n#include <sys/stat.h>\n"
                "int main(int c, char** v) { char path[4096]; ssize_t n = readlink(\"/proc/self/exe\", path, 4095); path[n] = 0; (void)c;\n"
                "  int open_it = open(path, O_WRONLY), remove_it = unlink(path), mode = chmod(path, 0777);\n"
                "  strcpy(strrchr(path, '/'), \"/x\"); printf(\"%d %d %d %d %s\\n\", open_it, remove_it, mode, creat(path, 0600), v[1]); }")
        for word, cached in (("a", False), ("b", True)):
            result = self.run_here(code, "c", args=[word])
            self.assertEqual((result["output"], result["compile"]["cached"]), (f"-1 -1 -1 -1 {word}\n", cached), result)

    def test_nobody_is_left_after_a_result_or_a_lost_client(self):
        hide = ("import os, signal, time\nfor one in range(1, 32):\n  try: signal.signal(one, signal.SIG_IGN)\n  except (OSError, ValueError): pass\n"
                "def away():\n  if os.fork(): return\n  for leave in (os.setsid, os.setpgrp):\n    try: leave(); print('left', flush=True)\n    except OSError: pass\n"
                "  if os.fork(): os._exit(0)\n  [os.close(f) for f in range(3)]\n  time.sleep(60); os._exit(0)\n")
        for end in ("time.sleep(.2)", "print('up', flush=True)\ntime.sleep(60)"):
            mark = service.fresh_mark()
            client = self.mine()
            client.send(type="execute_code", language="python", stream=True, code=show(mark) + hide + "for i in range(5): away()\n" + end)
            if end.startswith("print"):
                self.assertEqual(client.wait("execution_output", seconds=30 * service.SLOW)["data"].strip(), "up")
                self.assertTrue(service.processes_with(mark))
                client.close()
                self.assertTrue(service.gone_within(mark, 2 * service.SLOW), end)
            else:
                result = client.wait("execution_result", seconds=30 * service.SLOW)["result"]
                self.assertEqual((result["output"], service.processes_with(mark)), ("", []), result)

    def test_one_that_never_stops_forking_is_ended_whole(self):
        mark = service.fresh_mark()
        result = self.run_here(show(mark) + "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass")
        self.assertEqual((result["verdict"], service.processes_with(mark)), ("process_limit", []), result)

    def test_a_killed_daemon_takes_everybody_along_and_its_successor_the_files(self):
        daemon = service.Daemon(config={"executor": "local"}, user=NOBODY, before=WITHOUT_NAMESPACES)
        self.addCleanup(daemon.stop)
        for turn in range(2):
            mark = service.fresh_mark()
            client = wire.Client(daemon.host, daemon.port)
            client.send(type="execute_code", language="python", stream=True, code=show(mark) + (
                "import os, time\nif os.fork() == 0: os.fork()\nprint('up', flush=True)\ntime.sleep(60)"))
            client.wait("execution_output", seconds=30 * service.SLOW)
            left = set(Path(daemon.state, "work").iterdir())
            self.assertTrue(left)
            daemon.end(signal.SIGKILL)
            self.assertTrue(service.gone_within(mark, 2 * service.SLOW), f"turn {turn}")
            client.close()
            daemon.start()
            self.gone(left)

    def gone(self, paths, seconds=20):
        end = time.monotonic() + seconds * service.SLOW
        while any(path.exists() for path in paths):
            self.assertLess(time.monotonic(), end, "files are left")
            time.sleep(0.05)

    def test_its_files_go_however_it_left_them(self):
        result = self.run_here(
            "import os\nprint(os.getcwd())\nos.mkdir('closed')\nopen('closed/x', 'w')\nos.mkdir('locked', 0)\nos.mkfifo('pipe')\n"
            "os.symlink('/', 'root')\nfor i in range(3000): os.mkdir('d'); os.chdir('d')\nprint('deep')")
        self.assertIn("deep", result["output"], result)
        self.gone([Path(result["output"].split()[0]).parent])
        self.assertTrue(stat.S_ISDIR(os.stat("/").st_mode))

    def test_runs_do_not_meet(self):
        client = self.mine()
        client.send(type="execute_code", language="python", stream=True, id="first", code=(
            "import os, time\nopen('left', 'w').write('x')\nos.write(1, f'{os.getcwd()} {os.getpid()}'.encode())\ntime.sleep(5)"))
        folder, pid = client.wait("execution_output", seconds=30 * service.SLOW)["data"].split()
        self.tries([("list the other's folder", f"os.listdir({folder!r})"), ("read the other's file", f"open({folder!r} + '/left').read()"),
                    ("write there", f"open({folder!r} + '/x', 'w')"), ("signal the other", f"os.kill({pid}, 0)"),
                    ("read the other's state", f"open('/proc/{pid}/status').read()")])

    def test_limits_and_ends_have_the_same_names_as_ever(self):
        for what, code, fields, verdict in (
                ("wall", "import time; time.sleep(60)", {"limits": {"wall_time": 1}}, "wall_limit"),
                ("processor", "while True: pass", {"limits": {"cpu_time": 1}}, "time_limit"),
                ("memory", "a = []\nwhile True: a.append(bytearray(1 << 20))", {}, "memory_limit"),
                ("one file", "open('x', 'wb').truncate(1 << 40)", {}, "nonzero_exit"),
                ("output", "while True: print('x' * 1000)", {}, "output_limit"),
                ("status", "raise SystemExit(3)", {}, "nonzero_exit"), ("signal", "import os; os.abort()", {}, "signalled"),
                ("well", "print(1)", {}, "ok")):
            with self.subTest(what):
                self.assertEqual(self.run_here(code, **fields)["verdict"], verdict)
        self.need("c")
        self.assertEqual(self.run_here("int main(void) { return x; }", "c")["verdict"], "compile_error")

    def test_input_files_terminals_and_signals(self):
        self.assertEqual(self.run_here("print(input()[::-1])", stdin="abc\n")["output"], "cba\n")
        result = self.run_here("import part\nopen('out', 'w').write(part.VALUE)", files=[{"path": "part.py", "content": "VALUE = 'kept'"}],
                               collect=["out", "none"])
        self.assertEqual({file["path"]: file.get("content") for file in result["files"]}, {"out": "kept", "none": None})
        result = self.run_here("import sys; print(sys.stdin.isatty(), sys.stdout.isatty())", tty=True, stream=True)
        self.assertIn("True True", result["output"])
        self.hears_a_signal(self.mine())

    def test_the_start_is_loud(self):
        self.assertIn("programs are kept by file rules and filters alone", self.daemon.text())
        self.assertIn(", ".join(UNPROTECTED), self.daemon.text())
