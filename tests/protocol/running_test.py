"""Programs of every temper: streams, input, terminals, compilers, limits, ends."""
import base64
import time
import uuid

import cases
import service

PATIENCE = 0.5  # a limit is kept within this much


class Running(cases.Case):
    def test_events_come_in_order_and_the_result_has_the_whole(self):
        client = self.connect()
        code = "import time,sys\nfor i in range(3):\n  print(i, flush=True); time.sleep(.05)\nprint('e', file=sys.stderr)"
        result = client.run(code, stream=True, id="mine")
        events = result["events"]
        self.assertEqual(events[0]["type"], "execution_started")
        self.assertEqual(events[0]["language"], "python")
        self.assertEqual(events[0]["method"], "native")
        outputs = [e for e in events if e["type"] == "execution_output"]
        self.assertEqual("".join(e["data"] for e in outputs if e["stream"] == "stdout"), "0\n1\n2\n")
        self.assertEqual("".join(e["data"] for e in outputs if e["stream"] == "stderr"), "e\n")
        self.assertEqual([e["seq"] for e in outputs], list(range(1, len(outputs) + 1)))
        self.assertGreaterEqual(len(outputs), 3)
        self.assertTrue(all(e["id"] == "mine" and e["run_id"] == events[0]["run_id"] for e in events))
        self.assertEqual((result["output"], result["error"]), ("0\n1\n2\n", "e\n"))

    def test_stdin_given_at_once(self):
        result = self.connect().run("import sys; print(input()[::-1]); print(sys.stdin.read())", stdin="abc\nrest")
        self.assertEqual(result["output"], "cba\nrest\n")

    def test_without_stdin_there_is_its_end(self):
        self.assertEqual(self.connect().run("import sys; print(repr(sys.stdin.read()))")["output"], "''\n")

    def test_a_large_stdin_arrives_whole(self):
        result = self.connect().run("import sys; print(len(sys.stdin.read()))", stdin="x" * 600_000)
        self.assertEqual(result["output"], "600000\n")

    def test_stdin_line_by_line(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, interactive=True, code=(
            "while True:\n  try: line = input('> ')\n  except EOFError: break\n  print('got', line, flush=True)"))
        run_id = client.wait("execution_started")["run_id"]
        for word in ("one", "two"):
            client.send(type="execution_input", run_id=run_id, data=word + "\n")
            seen = ""
            while f"got {word}\n" not in seen:
                seen += client.wait("execution_output", seconds=5)["data"]
        client.send(type="execution_input", run_id=run_id, eof=True)
        result = client.wait("execution_result", seconds=5)["result"]
        self.assertEqual(result["output"], "> got one\n> got two\n> ")

    def test_input_may_be_base64_and_addressed_by_id(self):
        client = self.connect()
        client.send(type="execute_code", language="python", id="me", interactive=True,
                    code="import sys; print(sys.stdin.buffer.read())")
        client.wait("execution_started")
        client.send(type="execution_input", id="me", data=base64.b64encode(b"\xff\x00").decode(), encoding="base64", eof=True)
        self.assertEqual(client.wait("execution_result")["result"]["output"], "b'\\xff\\x00'\n")

    def test_input_beyond_its_bound_is_refused_whole_and_the_run_goes_on(self):
        client = self.connect()
        client.send(type="execute_code", language="python", interactive=True, stream=True,
                    code="import sys,time\nprint('up', flush=True)\ntime.sleep(.7)\nprint(len(sys.stdin.read()))")
        run_id = client.wait("execution_started")["run_id"]
        client.wait("execution_output")
        piece = "x" * 200_000
        client.send(type="execution_input", run_id=run_id, data=piece)
        client.send(type="execution_input", run_id=run_id, data=piece, id="second")
        answer = client.wait("error", seconds=5)
        self.assertEqual((answer["code"], answer["id"], answer["run_id"]), ("too_large", "second", run_id))
        client.send(type="execution_input", run_id=run_id, eof=True)
        self.assertIn("200000\n", client.wait("execution_result")["result"]["output"])

    def test_a_closed_stdin_takes_no_input(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, code="import time; time.sleep(.5)")
        run_id = client.wait("execution_started")["run_id"]
        client.send(type="execution_input", run_id=run_id, data="x")
        self.assertEqual(client.wait("error")["code"], "bad_message")
        self.assertTrue(client.wait("execution_result")["result"]["success"])

    def test_a_terminal(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, tty=True, cols=91, rows=33, code=(
            "import os,sys,signal\nprint(os.isatty(0), os.isatty(1), os.get_terminal_size(), flush=True)\n"
            "signal.signal(signal.SIGWINCH, lambda *_: print('now', os.get_terminal_size(), flush=True))\n"
            "print('name', input('? '), flush=True)\n"
            "try:\n  input()\n  input()\nexcept KeyboardInterrupt: print('stopped', flush=True)\n"
            "try: input()\nexcept EOFError: print('over')\n"))
        run_id = client.wait("execution_started")["run_id"]
        seen = ""

        def until(text):
            nonlocal seen
            while text not in seen:
                event = client.wait("execution_output", seconds=8)
                self.assertEqual(event["stream"], "tty")
                seen += event["data"]

        until("? ")
        self.assertIn("True True os.terminal_size(columns=91, lines=33)", seen)
        client.send(type="execution_input", run_id=run_id, data="Ada\n")
        until("name Ada")
        client.send(type="execution_resize", run_id=run_id, cols=100, rows=30)
        until("columns=100, lines=30")
        client.send(type="execution_input", run_id=run_id, data="\x03")
        until("stopped")
        client.send(type="execution_input", run_id=run_id, eof=True)
        result = client.wait("execution_result", seconds=8)["result"]
        self.assertIn("over", result["output"])
        self.assertTrue(result["success"], result)

    def test_the_loader_knows_the_libraries_of_its_box(self):
        code = ("import os\nfor word in open('/etc/ld.so.cache', 'rb').read().split(b'\\0'):\n"
                "  if word.startswith((b'/lib/', b'/usr/')): print(word.decode(), os.path.exists(word))\n"
                "try: open('/etc/ld.so.cache', 'ab')\nexcept OSError as error: print(error.errno)")
        lines = self.connect().run(code)["output"].splitlines()
        self.assertIn(lines.pop(), ("13", "30"))  # EACCES, EROFS
        self.assertTrue(any("/libc.so.6 " in line for line in lines), lines[:5])
        self.assertEqual([line for line in lines if not line.endswith(" True")], [])

    def test_signals(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, code=(
            # os.write: print() writes a line and its end apart, and the signal may come between.
            "import os,signal,time\nsignal.signal(signal.SIGUSR1, lambda *_: os.write(1, b'usr1\\n'))\n"
            "os.write(1, b'up\\n')\nwhile True: time.sleep(.1)"))
        run_id = client.wait("execution_started")["run_id"]
        client.wait("execution_output")
        client.send(type="execution_signal", run_id=run_id, signal="SIGUSR1")
        self.assertEqual(client.wait("execution_output", seconds=5)["data"], "usr1\n")
        client.send(type="execution_signal", run_id=run_id, signal="SIGTERM")
        result = client.wait("execution_result", seconds=5)["result"]
        self.assertEqual((result["verdict"], result["signal"], result["exit_code"]), ("signalled", "SIGTERM", None))
        self.assertEqual(client.ask(type="execution_signal", run_id=run_id, signal="SIGTERM")["code"], "no_such_run")
        self.assertEqual(client.ask(type="execution_signal", run_id=run_id, signal="SIGSEGV")["code"], "bad_message")

    def test_arguments_and_several_files(self):
        client = self.connect()
        result = client.run(None, args=["a b", "ü", ""], entry="app/start.py", files=[
            {"path": "app/start.py", "content": "import sys, helper\nprint(sys.argv[1:], helper.x, open('data.bin','rb').read())"},
            {"path": "app/helper.py", "content": "x = 7"},
            {"path": "data.bin", "content": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"}])
        self.assertEqual(result["output"], "['a b', 'ü', ''] 7 b'\\x00\\xff'\n", result)

    def test_a_compiled_language_with_several_files(self):
        self.need("c")
        result = self.connect().run(None, "c", files=[
            {"path": "main.c", "content": '#include "twice.h"\n#include <stdio.h>\nint main(int n, char** v) { printf("%d %s\\n", twice(21), v[1]); }'},
            {"path": "twice.c", "content": '#include "twice.h"\nint twice(int x) { return 2 * x; }'},
            {"path": "twice.h", "content": "int twice(int);"}], args=["arg"])
        self.assertEqual(result["output"], "42 arg\n", result)

    def test_java_is_named_after_its_public_class(self):
        self.need("java")
        code = 'package a.b;\n// public class Wrong {}\npublic class Right { public static void main(String[] x) { System.out.println("in " + Right.class.getName()); } }'
        result = self.connect().run(code, "java", file_path="main.java")
        self.assertEqual(result["output"], "in a.b.Right\n", result)

    def test_a_compile_error_names_its_line(self):
        client = self.connect()
        broken = {"c": ("int main(void) {\n  return x;\n}\n", "main.c:2"),
                  "cpp": ("int main() {\n  return x;\n}\n", "main.cpp:2"),
                  "go": ("package main\nfunc main() {\n\tx()\n}\n", "main.go:3"),
                  "java": ("public class Main {\n  int x = y;\n}\n", "Main.java:2")}
        for language, (code, place) in broken.items():
            with self.subTest(language):
                if not cases.versions().get(language):
                    continue
                result = client.run(code, language, stream=True)
                self.assertEqual((result["verdict"], result["success"]), ("compile_error", False), result)
                self.assertIn(place, result["error"])
                self.assertIs(result["compile"]["success"], False)
                self.assertIn("compile", [e.get("stage") for e in result["events"]])

    def test_stages_of_a_compiled_run(self):
        self.need("c")
        result = self.connect().run("int main(void) { return 3; }", "c", stream=True)
        self.assertEqual([e["stage"] for e in result["events"] if e["type"] == "execution_stage"], ["compile", "run"])
        self.assertEqual((result["verdict"], result["exit_code"]), ("nonzero_exit", 3))
        self.assertIs(result["compile"]["success"], True)

    def test_the_same_sources_are_compiled_once(self):
        self.need("c")
        code = f"/* {uuid.uuid4()} */" + """
            #include <stdio.h>
            #warning "careful"
            int main(int count, char** words) { int c = getchar(); printf("%d %s %c", count, words[count - 1], c); return 0; }"""
        first = self.connect().run(code, "c", args=["one"], stdin="x")
        self.assertEqual((first["output"], first["compile"]["cached"]), ("2 one x", False))
        self.assertIn("careful", first["compile"]["error"])
        again = self.connect().run(code, "c", args=["one", "two"], stdin="y", limits={"wall_time": 5}, stream=True)
        self.assertEqual([e["stage"] for e in again["events"] if e["type"] == "execution_stage"], ["run"])
        self.assertEqual(again["events"][0]["type"], "execution_started")
        self.assertEqual(again["output"], "3 two y")
        self.assertEqual(again["compile"], {"success": True, "cached": True, "output": "", "wall_time": 0,
                                            "error": first["compile"]["error"]})
        other = self.connect().run(code + " ", "c", stdin="z")
        self.assertIs(other["compile"]["cached"], False)

    def test_many_who_want_the_same_program_get_it_from_one_compiler(self):
        self.need("c")
        code = f"/* {uuid.uuid4()} */ int main(void) {{ return 7; }}"
        clients = [self.connect() for _ in range(6)]
        for client in clients:
            client.send(type="execute_code", language="c", code=code)
        results = [client.wait("execution_result")["result"] for client in clients]
        self.assertEqual([r["exit_code"] for r in results], [7] * 6)
        self.assertEqual(sorted(r["compile"]["cached"] for r in results), [False] + [True] * 5)

    def test_nothing_is_kept_where_the_operator_says_so(self):
        self.need("c")
        daemon = service.Daemon({"artifact_cache": 0})
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        for _ in range(2):
            self.assertIs(client.run("int main(void) { return 0; }", "c")["compile"]["cached"], False)

    def test_what_a_program_does_to_a_kept_one_is_refused(self):
        self.need("c")
        code = f"/* {uuid.uuid4()} */" + """
            #include <fcntl.h>
            #include <stdio.h>
            #include <sys/stat.h>
            #include <unistd.h>
            int main(void) {
                printf("%d %d %d %d\\n", open("/app/main", O_WRONLY), unlink("/app/main"), chmod("/app/main", 0777),
                       open("/app/new", O_CREAT | O_WRONLY, 0600));
                return 0;
            }"""
        for _ in range(3):
            self.assertEqual(self.connect().run(code, "c")["output"], "-1 -1 -1 -1\n")

    def test_a_crash(self):
        self.need("c")
        result = self.connect().run("int main(void) { *(volatile int*)8 = 1; }", "c")
        self.assertEqual((result["verdict"], result["signal"], result["success"]), ("signalled", "SIGSEGV", False))
        self.assertIn("SIGSEGV", result["error"])

    def test_an_exception_is_on_stderr(self):
        result = self.connect().run("1/0")
        self.assertEqual((result["verdict"], result["exit_code"]), ("nonzero_exit", 1))
        self.assertIn("ZeroDivisionError", result["error"])

    def timed(self, seconds, *arguments, **fields):
        begin = time.monotonic()
        result = self.connect().run(*arguments, **fields)
        self.assertLess(time.monotonic() - begin, seconds + (PATIENCE + 0.5) * service.SLOW, result)
        return result

    def test_an_endless_loop_ends_at_its_processor_time(self):
        result = self.timed(2, "while True: pass", limits={"cpu_time": 0.5, "wall_time": 4})
        self.assertEqual(result["verdict"], "time_limit")
        self.assertIn("0.5 s of processor time", result["error"])

    def test_an_idle_program_ends_at_its_wall_time(self):
        result = self.timed(1, "import time; time.sleep(60)", limits={"wall_time": 1})
        self.assertEqual(result["verdict"], "wall_limit")
        self.assertAlmostEqual(result["wall_time"], 1, delta=PATIENCE * service.SLOW)

    def test_ignoring_signals_does_not_help(self):
        code = ("import signal\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n  except (OSError, ValueError): pass\n"
                "while True: pass")
        self.assertEqual(self.timed(1, code, limits={"wall_time": 1})["verdict"], "wall_limit")

    def test_a_memory_bomb(self):
        result = self.timed(10, "x = []\nwhile True: x.append(bytearray(1 << 20))", limits={"memory": "64m"})
        self.assertEqual(result["verdict"], "memory_limit")
        self.assertIn("64 MiB", result["error"])
        self.assertLessEqual(result["memory_peak"], 64 << 20)

    def test_a_fork_bomb(self):
        mark = service.fresh_mark()
        code = service.show(mark) + "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
        result = self.timed(2, code, limits={"wall_time": 2})
        self.assertIn(result["verdict"], ("wall_limit", "time_limit", "memory_limit"))
        self.assertEqual(service.processes_with(mark), [])
        result = self.connect().run("import os\nfor i in range(500): os.fork() or os.pause()" .replace("os.pause()", "__import__('time').sleep(9)"))
        self.assertEqual(result["verdict"], "process_limit")

    def test_a_hundred_megabytes_of_output(self):
        result = self.timed(10, "import sys\nfor i in range(100): sys.stdout.write('x' * (1 << 20))")
        self.assertEqual(result["verdict"], "output_limit")
        self.assertEqual(result["output"], "x" * (1 << 20))
        self.assertGreater(result["truncated"]["stdout"], 0)
        self.assertIn("1 MiB", result["error"])

    def test_output_is_kept_to_the_last_byte_of_its_limit(self):
        client = self.connect()
        exact = client.run("import sys; sys.stdout.write('ab' * 500)", limits={"output_bytes": 1000})
        self.assertEqual((exact["verdict"], exact["output"], exact["truncated"]["stdout"]), ("ok", "ab" * 500, 0))
        over = client.run("import sys; sys.stderr.write('c' * 1001)", limits={"output_bytes": 1000})
        self.assertEqual((over["verdict"], over["truncated"]["stderr"]), ("output_limit", 1))
        self.assertTrue(over["error"].startswith("c" * 1000 + "\n"))

    def test_streamed_output_is_as_whole_as_the_result(self):
        result = self.connect().run("import sys\nfor i in range(200000): sys.stdout.write(chr(0xAC00 + i % 5000))", stream=True)
        text = "".join(e["data"] for e in result["events"] if e["type"] == "execution_output")
        self.assertEqual(text, result["output"])
        self.assertEqual(len(text), 200000)
        self.assertTrue(all(len(e["data"].encode()) <= 33 * 1024 for e in result["events"] if e["type"] == "execution_output"))

    def test_a_letter_per_write_is_not_a_message_per_letter(self):
        result = self.connect().run("import os\nfor i in range(20000): os.write(1, b'x')", stream=True)
        outputs = [e for e in result["events"] if e["type"] == "execution_output"]
        self.assertEqual(sum(len(e["data"]) for e in outputs), 20000)
        self.assertLess(len(outputs), 1000)

    def test_bytes_that_are_no_text_are_repaired(self):
        client = self.connect()
        result = client.run("import os,time\nfor b in b'\\xed\\x95\\x9c\\xff\\xe2\\x82':\n  os.write(1, bytes([b])); time.sleep(.03)", stream=True)
        self.assertEqual(result["output"], "한\ufffd\ufffd")
        self.assertEqual("".join(e["data"] for e in result["events"] if e["type"] == "execution_output"), result["output"])

    def test_output_as_base64(self):
        client = self.connect()
        result = client.run("import os; os.write(1, b'\\xff\\x00a'); os.write(2, b'\\xfe')", output_encoding="base64", stream=True)
        self.assertEqual(base64.b64decode(result["output"]), b"\xff\x00a")
        self.assertEqual(base64.b64decode(result["error"]), b"\xfe")
        outputs = [e for e in result["events"] if e["type"] == "execution_output"]
        self.assertEqual(b"".join(base64.b64decode(e["data"]) for e in outputs if e["stream"] == "stdout"), b"\xff\x00a")

    def test_cancel_ends_a_run_and_its_result_comes(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, code="import os,time\nos.write(1, b'up\\n')\ntime.sleep(60)")
        run_id = client.wait("execution_started")["run_id"]
        client.wait("execution_output")
        begin = time.monotonic()
        client.send(type="execution_cancel", run_id=run_id)
        result = client.wait("execution_result", seconds=5)["result"]
        self.assertLess(time.monotonic() - begin, 1 * service.SLOW)
        self.assertEqual((result["verdict"], result["output"]), ("cancelled", "up\n"))
        self.assertTrue(client.run("print(1)")["success"])

    def test_cancel_during_compilation(self):
        self.need("cpp")
        client = self.connect()
        client.send(type="execute_code", language="cpp", stream=True, id="c", code="#include <bits/stdc++.h>\nint main() {}")
        client.wait("execution_stage")
        client.send(type="execution_cancel", id="c")
        self.assertEqual(client.wait("execution_result", seconds=5)["result"]["verdict"], "cancelled")

    def test_another_connection_cannot_touch_a_run(self):
        client, other = self.connect(), self.connect()
        client.send(type="execute_code", language="python", stream=True, code="import time; time.sleep(.6); print('mine')")
        run_id = client.wait("execution_started")["run_id"]
        for message in ({"type": "execution_cancel"}, {"type": "execution_signal", "signal": "SIGKILL"},
                        {"type": "execution_input", "data": "x"}, {"type": "execution_resize", "cols": 1, "rows": 1}):
            self.assertEqual(other.ask(message | {"run_id": run_id})["code"], "no_such_run")
        self.assertEqual(client.wait("execution_result")["result"]["output"], "mine\n")

    def test_a_disconnect_kills_at_once_and_leaves_nothing(self):
        for names in ({}, {"file_path": "other.py"}):  # what a warm interpreter runs, and what it does not
            mark = service.fresh_mark()
            client = self.connect()
            client.send({"type": "execute_code", "language": "python", "stream": True, "code": service.show(mark) + (
                "import os,time\nfor i in range(5): os.fork()\nos.setsid() if os.getpid() != 2 else 0\nprint('up', flush=True)\ntime.sleep(60)")} | names)
            client.wait("execution_output")
            self.assertGreater(len(service.processes_with(mark)), 4)
            client.close()
            self.assertTrue(service.gone_within(mark, 1 * service.SLOW))
            self.assertTrue(self.connect().run("print(1)")["success"])

    def test_a_forbidden_call_is_named(self):
        self.need("c")
        code = "#include <sys/syscall.h>\n#include <unistd.h>\nint main(void) { int x; __asm__ volatile(\"int $0x80\" : \"=a\"(x) : \"a\"(20)); return 0; }"
        result = self.connect().run(code, "c")
        self.assertEqual(result["verdict"], "forbidden_syscall", result)
        self.assertIn("forbidden", result["error"])

    def test_the_next_run_knows_nothing_of_the_last(self):
        client = self.connect()
        client.run("open('/tmp/left', 'w').write('x'); open('/dev/shm/left', 'w').write('x')")
        result = client.run("import os; print(os.listdir('/tmp'), os.listdir('/dev/shm'), sorted(os.listdir('/box')))")
        self.assertEqual(result["output"], "[] [] ['main.py']\n")


class Collecting(cases.Case):
    def test_files_come_back_with_the_result(self):
        client = self.connect()
        self.assertIn("collect", client.hello["features"])
        self.assertEqual(client.hello["limits"]["collect_files"], 64)
        code = ("import os\nos.mkdir('d')\nopen('d/text', 'w').write('한\\n')\nopen('bytes', 'wb').write(b'\\xff\\x00')\n"
                "os.symlink('/etc/passwd', 'link')\nopen('large', 'wb').truncate(2 << 20)\nprint('done')")
        names = ["d/text", "bytes", "link", "d", "large", "none"]
        for file_path in ("main.py", "other.py"):  # in a warm box, and in another
            result = client.run(code, collect=names, file_path=file_path)
            self.assertEqual((result["verdict"], result["output"]), ("ok", "done\n"), result)
            self.assertEqual(result["files"], [
                {"path": "d/text", "content": "한\n", "encoding": "utf8", "bytes": 4},
                {"path": "bytes", "content": base64.b64encode(b"\xff\x00").decode(), "encoding": "base64", "bytes": 2},
                {"path": "link", "error": "not_regular"}, {"path": "d", "error": "not_regular"},
                {"path": "large", "error": "too_large"}, {"path": "none", "error": "missing"}])
        self.assertNotIn("files", client.run("pass"))

    def test_a_program_that_a_limit_ends_leaves_files_too(self):
        client = self.connect()
        for on, limits, verdict in (("while True: pass", {"cpu_time": 1}, "time_limit"),
                                    ("import time\ntime.sleep(60)", {"wall_time": 3}, "wall_limit"),
                                    ("while True: print('x' * 65536)", {"output_bytes": "64k"}, "output_limit"),
                                    ("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", {"cpu_time": 1}, "time_limit")):
            for file_path in ("main.py", "other.py"):
                result = client.run("open('f', 'w').write('x')\n" + on, collect=["f", "g"], limits=limits, file_path=file_path)
                self.assertEqual((result["verdict"], result["files"]),
                                 (verdict, [{"path": "f", "content": "x", "encoding": "utf8", "bytes": 1}, {"path": "g", "error": "missing"}]), result)

    def test_a_program_that_is_cancelled_leaves_nothing(self):
        client = self.connect()
        client.send(type="execute_code", language="python", collect=["f"], stream=True, id="c",
                    code="open('f', 'w').write('x')\nprint('ready', flush=True)\nwhile True: pass")
        client.wait("execution_output")
        client.send(type="execution_cancel", id="c")
        result = client.wait("execution_result")["result"]
        self.assertEqual((result["verdict"], result["files"]), ("cancelled", [{"path": "f", "error": "not_collected"}]))

    def test_compiled_programs_leave_files_too(self):
        self.need("c")
        code = "#include <stdio.h>\nint main(void) { FILE *f = fopen(\"f\", \"w\"); fputs(\"left\", f); return fclose(f); } // " + service.fresh_mark()
        for cached in (False, True):
            result = self.connect().run(code, "c", collect=["f"] if cached else ["g", "f"])
            self.assertEqual(result["files"][-1]["content"], "left")
            self.assertEqual(result["compile"]["cached"], cached)

    def test_what_is_asked_for_is_bounded_and_beneath(self):
        client = self.connect()
        ask = {"type": "execute_code", "language": "python", "code": ""}
        for collect, code in ((["x"] * 65, "too_large"), ([1], "bad_message"), ("x", "bad_message"), (["../x"], "bad_path"),
                              (["/etc/passwd"], "bad_path"), (["a//b"], "bad_path"), (["a/./b"], "bad_path"), ([""], "bad_path"),
                              (["x" * 2000], "bad_path")):
            self.assertEqual(client.ask(ask | {"collect": collect})["code"], code, collect[:1])
        self.assertEqual(client.ask(ask | {"collect": ["x"], "tty": True})["code"], "bad_message")
        many = client.run("for i in range(64): open(str(i), 'w').write(str(i))", collect=[str(i) for i in range(64)])
        self.assertEqual([f["content"] for f in many["files"]], [str(i) for i in range(64)])

    def test_who_stays_behind_holds_nobody_up(self):
        code = ("import os\nopen('f', 'w').write('early')\n"
                "for _ in range(20):\n  if os.fork() == 0:\n    while True: open('f', 'w').write('late')\n")
        begin = time.monotonic()
        result = self.connect().run("import os\nopen('g', 'w').write('g')\n" + code, collect=["g", "f"])
        self.assertEqual(result["files"][0]["content"], "g")
        self.assertIn(result["files"][1]["content"], ("early", "late", ""))
        self.assertLess(time.monotonic() - begin, 4 * service.SLOW)


class Limits(cases.Case):
    def refused(self, code, **fields):
        answer = self.connect().ask({"type": "execute_code", "language": "python", "code": ""} | fields)
        self.assertEqual((answer["type"], answer["code"]), ("error", code), answer)
        return answer["message"]

    def test_a_limit_above_the_ceiling_is_named_with_it(self):
        for name, value, ceiling in (("wall_time", 11, "10 s"), ("memory", "129m", "128 MiB"), ("processes", 65, "64"),
                                     ("cpu_percent", 51, "50"), ("output_bytes", 1 << 21, "1 MiB"), ("open_files", 1 << 20, "1024")):
            message = self.refused("limit_too_high", limits={name: value})
            self.assertIn(name, message)
            self.assertIn(ceiling, message)

    def test_a_limit_that_is_no_amount_is_a_bad_message(self):
        for name, value in (("wall_time", 0), ("wall_time", -1), ("wall_time", "1"), ("memory", "lots"), ("memory", 0),
                            ("memory", -5), ("processes", 1.5), ("cpu_time", True), ("stack", []), ("memory", "0m")):
            self.assertIn(name, self.refused("bad_message", limits={name: value}))

    def test_lower_limits_are_kept(self):
        client = self.connect()
        result = client.run("import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])", limits={"open_files": 40})
        self.assertEqual(result["output"], "40\n")
        result = client.run("import os\ntry: open('/tmp/x','wb').write(b'x' * (2 << 20))\nexcept OSError as e: print(e.strerror)",
                            limits={"file_bytes": 1 << 20})
        self.assertEqual(result["output"], "No space left on device\n")
