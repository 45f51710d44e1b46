"""`cloister run` and `cloister runtimes` as clients of a daemon: streams, input, exit status."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import types
from pathlib import Path

import cases
import service
import wire


class Command(cases.Case):
    def command(self, *words, daemon=None):
        daemon = daemon or service.shared()
        return [str(service.build_directory() / "cloister"), words[0], "--address", f"{daemon.host}:{daemon.port}", *words[1:]]

    def run_file(self, code, *arguments, language="python", name="main.py", daemon=None, **fields):
        folder = tempfile.TemporaryDirectory(prefix="cloister-command-")
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / name
        file.write_bytes(code if isinstance(code, bytes) else code.encode())
        words = self.command("run", *(["--language", language] if language else []), str(file), *arguments, daemon=daemon)
        return subprocess.run(words, capture_output=True, timeout=60 * service.SLOW, **({"stdin": subprocess.DEVNULL} | fields))

    def test_streams_arguments_and_exit_status(self):
        done = self.run_file("import sys\nprint(sys.argv[1:])\nprint('e', file=sys.stderr)\nsys.exit(7)", "a b", "--x")
        self.assertEqual((done.stdout, done.stderr, done.returncode), (b"['a b', '--x']\n", b"e\n", 7))

    def test_any_bytes_pass_both_ways(self):
        data = os.urandom(700_000)
        done = self.run_file("import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())", stdin=None, input=data)
        self.assertEqual((done.stdout, done.returncode), (data, 0), done.stderr)

    def test_a_file_as_stdin(self):
        with tempfile.TemporaryFile() as file:
            file.write(b"one\ntwo\n")
            file.seek(0)
            done = self.run_file("for l in open(0): print(l.strip()[::-1])", stdin=file)
        self.assertEqual(done.stdout, b"eno\nowt\n")

    def test_code_that_is_no_utf8(self):
        done = self.run_file(b"# -*- coding: latin-1 -*-\nprint(len('\xff'))\n")
        self.assertEqual((done.stdout, done.returncode), (b"1\n", 0), done.stderr)

    def test_who_answers_and_is_no_daemon_is_named_and_nothing_runs(self):
        for answer, said in ((b"", b"the daemon at 127.0.0.1"), (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", b"answers 404: none")):
            with socket.create_server(("127.0.0.1", 0)) as listener:
                def serve():
                    with listener.accept()[0] as stranger:
                        stranger.recv(65536)
                        stranger.sendall(answer)
                thread = threading.Thread(target=serve)
                thread.start()
                stranger = types.SimpleNamespace(host="127.0.0.1", port=listener.getsockname()[1])
                done = self.run_file("print('ran')", daemon=stranger)
                thread.join()
            self.assertEqual((done.stdout, done.returncode), (b"", 125), done.stderr)
            self.assertIn(said, done.stderr)

    def test_how_programs_end(self):
        done = self.run_file("import os; os.kill(os.getpid(), 9)")
        self.assertEqual(done.returncode, 128 + 9)
        done = self.run_file("import sys\nwhile True: sys.stdout.write('x' * 65536)")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"more than its 1 MiB", done.stderr)
        done = self.run_file("x", language="pyton")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"pyton", done.stderr)
        if cases.versions().get("c"):
            done = self.run_file("int main(void) {\n  return x;\n}\n", language="c", name="a.c")
            self.assertEqual(done.returncode, 1)
            self.assertIn(b"a.c:2", done.stderr)

    def test_ctrl_c_reaches_the_program(self):
        folder = tempfile.TemporaryDirectory(prefix="cloister-command-")
        self.addCleanup(folder.cleanup)
        file = Path(folder.name) / "a.py"
        code = "import time\ntry:\n  print('up', flush=True)\n  time.sleep(9)\nexcept KeyboardInterrupt: print('stopped')"
        file.write_text(code)
        process = subprocess.Popen(self.command("run", "--language", "python", str(file)), stdout=subprocess.PIPE, stdin=subprocess.PIPE)
        self.assertEqual(process.stdout.readline(), b"up\n")
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.stdout.read(), b"stopped\n")
        self.assertEqual(process.wait(5), 0)
        self.assertLess(time.monotonic() - begin, 2 * service.SLOW)
        process.stdout.close()
        process.stdin.close()

    def test_runtimes(self):
        done = subprocess.run(self.command("runtimes"), capture_output=True, timeout=20)
        self.assertIn(f"python      {cases.versions()['python']}".encode(), done.stdout)
        self.assertRegex(done.stdout.decode(), r"(?m)^boxes +\d+, \d+ in use; \d+ stand ready, \d+ of them warm$")

    def test_the_language_is_the_daemons_choice(self):
        done = self.run_file("print(1)", language=None, name="a.py")
        self.assertEqual((done.stdout, done.returncode), (b"1\n", 0), done.stderr)
        done = self.run_file("print(1)", language=None, name="a.unknown")
        self.assertEqual(done.returncode, 125)
        self.assertIn(b"the daemon at ", done.stderr)
        # Known to this daemon only: the runtimes beside the command have no such ending.
        copy = tempfile.TemporaryDirectory(prefix="cloister-runtimes-")
        self.addCleanup(copy.cleanup)
        shutil.copytree(service.SOURCE / "runtimes", copy.name, dirs_exist_ok=True)
        file = Path(copy.name) / "python" / "runtime.jsonc"
        file.write_text(file.read_text().replace('".py"', '".py", ".serpent"'))
        daemon = service.Daemon(runtimes=copy.name)
        self.addCleanup(daemon.stop)
        done = self.run_file("print(2)", language=None, name="a.serpent", daemon=daemon)
        self.assertEqual((done.stdout, done.returncode), (b"2\n", 0), done.stderr)

    def test_what_stands_ready_is_counted(self):
        daemon = service.Daemon({"boxes": 2, "prepared_boxes": 3, "warm_boxes": 1})
        self.addCleanup(daemon.stop)
        self.assertTrue(self.connect(daemon).run("print(1)")["success"])  # what was asked for stands ready first
        end = time.monotonic() + 30 * service.SLOW
        while True:
            boxes = json.loads(wire.get(daemon.host, daemon.port, "/api/v1/runtimes")[2])["boxes"]
            self.assertEqual((boxes["total"], boxes["running"]), (2, 0))
            self.assertLessEqual(boxes["warm"], boxes["prepared"])
            if (boxes["prepared"], boxes["warm"]) == (3, 1) or time.monotonic() > end:
                break
            time.sleep(0.05)
        self.assertEqual((boxes["prepared"], boxes["warm"]), (3, 1))
