"""Piston's interface, version 2: every field, default, error text and status that its clients know, over HTTP and over
its WebSocket."""
import base64
import http.client
import json
import tempfile
import time

import cases
import service
import wire

TOKEN = "a-token-of-some-length-0123456789"
CONNECT = "/api/v2/connect"
STAGE_KEYS = {"signal", "stdout", "stderr", "code", "output", "memory", "message", "status", "cpu_time", "wall_time"}


def program(code, language="python", **fields):
    return {"language": language, "version": "*", "files": [{"content": code}], **fields}


class PistonCase(cases.Case):
    def ask(self, method, path, body=None, daemon=None, **fields):
        daemon = daemon or service.shared()
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60 * service.SLOW)
        self.addCleanup(connection.close)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        text = answer.read().decode()
        self.fields = answer.headers
        return answer.status, json.loads(text) if text[:1] in ("{", "[") else text

    def execute(self, code, language="python", **fields):
        status, answer = self.ask("POST", "/api/v2/execute", program(code, language, **fields))
        self.assertEqual(status, 200, answer)
        self.assertEqual(set(answer["run"]), STAGE_KEYS)
        return answer

    def refused(self, body, **fields):
        status, answer = self.ask("POST", "/api/v2/execute", body, **fields)
        self.assertEqual(status, 400, answer)
        self.assertEqual(list(answer), ["message"])
        return answer["message"]


class Lists(PistonCase):
    def test_runtimes(self):
        status, runtimes = self.ask("GET", "/api/v2/runtimes")
        self.assertEqual(status, 200)
        by_name = {one["language"]: one for one in runtimes}
        versions = {id: version for id, version in cases.versions().items() if version}
        self.assertEqual({one["version"] for one in runtimes}, set(versions.values()))
        self.assertEqual(by_name["python"]["version"], versions["python"])
        self.assertIn("py", by_name["python"]["aliases"])
        self.assertNotIn("runtime", by_name["python"])
        if "cpp" in versions:
            self.assertEqual(by_name["c++"]["runtime"], "gcc")
            self.assertIn("cpp", by_name["c++"]["aliases"])
        self.assertEqual(self.ask("GET", "/api/v2/runtimes?x=1")[0], 200)

    def test_packages(self):
        status, packages = self.ask("GET", "/api/v2/packages")
        self.assertEqual(status, 200)
        self.assertIn({"language": "python", "language_version": cases.versions()["python"], "installed": True}, packages)
        python = {"language": "python", "version": "3.x"}
        self.assertEqual(self.ask("POST", "/api/v2/packages", python), (500, {"message": "Already installed"}))
        status, answer = self.ask("DELETE", "/api/v2/packages", python)
        self.assertEqual(status, 500)
        self.assertIn("Debian", answer["message"])
        self.assertEqual(self.ask("POST", "/api/v2/packages", {"language": "cobol", "version": "1"}),
                         (404, {"message": "Requested package cobol-1 does not exist"}))
        self.assertEqual(self.ask("POST", "/api/v2/packages", {}), (400, {"message": "language is required as a string"}))


class Requests(PistonCase):
    def test_where_nothing_is(self):
        for method, path in (("GET", "/api/v2"), ("GET", "/api/v2/"), ("GET", "/api/v2/nothing"), ("GET", "/api/v2/execute"),
                             ("GET", "/api/v2/connect")):
            self.assertEqual(self.ask(method, path), (404, {"message": "Not Found"}), path)
        self.assertEqual(self.ask("POST", "/api/v2/nothing", {}), (404, {"message": "Not Found"}))
        self.assertEqual(self.ask("DELETE", "/api/v2/execute", {}), (404, {"message": "Not Found"}))

    def test_other_kinds_of_body(self):
        for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
            for method, path in (("POST", "/api/v2/execute"), ("POST", "/api/v2/nothing"), ("DELETE", "/api/v2/packages")):
                self.assertEqual(self.ask(method, path, "{}", Content_Type=kind),
                                 (415, {"message": "requests must be of type application/json"}))
        self.assertEqual(self.ask("POST", "/api/v2/execute", program("print(1)"), Content_Type="application/json; charset=utf-8")[0], 200)

    def test_bodies_that_cannot_be_read(self):
        for body in ("{", "5", '"text"', "null", b"\xff", "[" * 100 + "]" * 100):
            status, answer = self.ask("POST", "/api/v2/execute", body)
            self.assertEqual((status, list(answer)), (400, ["stack"]), body)
        self.assertEqual(self.refused("[]"), "language is required as a string")
        self.assertEqual(self.refused(""), "language is required as a string")
        daemon = service.shared()
        head = f"POST /api/v2/execute HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\nContent-Type: application/json\r\n"
        piece = "10000\r\n" + "x" * 65536 + "\r\n"
        for rest in ("Content-Length: 2000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n" + piece * 17):
            status, _, body = wire.http(daemon.host, daemon.port, head + rest)
            self.assertEqual((status, json.loads(body)), (400, {"stack": "PayloadTooLargeError: request entity too large"}))

    def test_checks_come_in_their_order(self):
        body = {"run_timeout": "late", "compile_memory_limit": "x"}
        for key, value, wrong in (
                ("language", 5, "language is required as a string"),
                ("language", "", "language is required as a string"),
                ("language", "python", "language is required as a string"),
                ("version", 3, "version is required as a string"),
                ("version", "2.7.18", "version is required as a string"),
                ("files", {"content": "print()"}, "files is required as an array"),
                ("files", [{"content": "a"}, {"name": "b"}], "files is required as an array"),
                ("files", [{"content": "a", "encoding": "hex"}], "files[1].content is required as a string"),
                ("version", "^3.0.0", "python-2.7.18 runtime is unknown"),
                ("files", [{"content": "print(1)"}], "files must include at least one utf8 encoded file"),
                ("compile_memory_limit", None, "If specified, compile_memory_limit must be a number"),
                ("run_timeout", 1e9, "If specified, run_timeout must be a number"),
                ("run_timeout", -5, "run_timeout cannot exceed the configured limit of 10000"),
                ("run_timeout", 0, "run_timeout must be non-negative")):
            self.assertEqual(self.refused(body), wrong)
            body[key] = value
        self.assertEqual(self.ask("POST", "/api/v2/execute", body)[0], 200)
        self.assertEqual(self.refused(program("", files=[{"content": "x", "name": "../x"}])),
                         "The file '../x' lies outside the program's folder.")
        self.assertEqual(self.refused(program("", stdin=5)), "stdin must be a string")
        self.assertEqual(self.refused(program("", args=[5])), "args must be an array of strings")

    def test_hosts_origins_and_tokens(self):
        self.assertEqual(self.ask("GET", "/api/v2/runtimes", Host="evil.example")[0], 403)
        status, answer = self.ask("POST", "/api/v2/execute", program("print(1)"), Origin="http://evil.example")
        self.assertEqual((status, list(answer)), (403, ["message"]))
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            guarded = service.Daemon({"token_file": file.name})
        self.addCleanup(guarded.stop)
        for path in ("/api/v2/runtimes", "/api/v2/packages"):
            self.assertEqual(self.ask("GET", path, daemon=guarded)[0], 401)
        self.assertEqual(self.ask("POST", "/api/v2/execute", program("print(1)"), guarded)[0], 401)
        self.assertEqual(self.ask("POST", "/api/v2/execute", program("print(1)"), guarded, Authorization="no" + TOKEN)[0], 401)
        for given in (TOKEN, "Bearer " + TOKEN):
            self.assertEqual(self.ask("POST", "/api/v2/execute", program("print(1)"), guarded, Authorization=given)[0], 200)
        with self.assertRaises(wire.Refused) as refused:
            wire.Client(guarded.host, guarded.port, CONNECT, greet=False)
        self.assertEqual(refused.exception.status, 401)
        wire.Client(guarded.host, guarded.port, CONNECT, greet=False, Authorization="Bearer " + TOKEN).close()

    def test_it_can_be_switched_off(self):
        without = service.Daemon({"piston_api": False})
        self.addCleanup(without.stop)
        status, answer = self.ask("GET", "/api/v2/runtimes", daemon=without)
        self.assertEqual((status, answer["error"]["code"]), (404, "not_found"))
        with self.assertRaises(wire.Refused) as refused:
            wire.Client(without.host, without.port, CONNECT, greet=False)
        self.assertEqual(refused.exception.status, 404)

    def test_a_full_queue_and_a_flood(self):
        small = service.Daemon({"boxes": 1, "queue_per_client": 1, "queue": 1, "messages_per_second": 1, "message_burst": 3})
        self.addCleanup(small.stop)
        others = [http.client.HTTPConnection(small.host, small.port, timeout=60) for _ in range(2)]
        for other in others:
            self.addCleanup(other.close)
            other.request("POST", "/api/v2/execute", json.dumps(program("import time; time.sleep(2)")),
                          {"Content-Type": "application/json"})
            time.sleep(0.3)
        status, answer = self.ask("POST", "/api/v2/execute", program("print(1)"), small)
        self.assertEqual((status, answer), (503, {"message": "The server's queue is full."}))
        self.assertEqual(self.fields["Retry-After"], "1")
        connection = http.client.HTTPConnection(small.host, small.port, timeout=60)
        self.addCleanup(connection.close)
        statuses = []
        for _ in range(4):
            connection.request("GET", "/api/v2/runtimes")
            answer = connection.getresponse()
            text = answer.read()
            statuses.append(answer.status)
        self.assertEqual(statuses, [200, 200, 200, 429])
        self.assertEqual(json.loads(text), {"message": "Too many requests."})


class Executing(PistonCase):
    def test_a_run(self):
        answer = self.execute("import sys; print('out'); print('err', file=sys.stderr); sys.exit(4)")
        self.assertEqual((answer["language"], answer["version"]), ("python", cases.versions()["python"]))
        self.assertNotIn("compile", answer)
        run = answer["run"]
        self.assertEqual((run["stdout"], run["stderr"], run["code"], run["signal"]), ("out\n", "err\n", 4, None))
        self.assertEqual((run["status"], run["message"]), ("RE", "Exited with error status 4"))
        self.assertEqual(sorted(run["output"].split()), ["err", "out"])
        self.assertGreater(run["memory"], 100_000)
        self.assertGreater(run["wall_time"], 0)
        self.assertIsInstance(run["cpu_time"], int)
        well = self.execute("print(1)", "py")["run"]
        self.assertEqual((well["code"], well["signal"], well["status"], well["message"]), (0, None, None, None))

    def test_output_is_in_the_order_of_arrival(self):
        code = ("import sys, time\nfor i in range(6):\n"
                " print(i, file=(sys.stderr if i % 2 else sys.stdout), flush=True); time.sleep(0.05)")
        self.assertEqual(self.execute(code)["run"]["output"], "0\n1\n2\n3\n4\n5\n")

    def test_stdin_arguments_and_files(self):
        self.assertEqual(self.execute("import sys; print(repr(sys.stdin.read()))")["run"]["stdout"], "'\\n'\n")
        for given, read in (("a", "'a\\n'\n"), ("a\n", "'a\\n'\n"), ("a\n\n", "'a\\n\\n'\n")):
            self.assertEqual(self.execute("import sys; print(repr(sys.stdin.read()))", stdin=given)["run"]["stdout"], read)
        self.assertEqual(self.execute("import sys; print(sys.argv[1:])", args=["a b", "-c", ""])["run"]["stdout"], "['a b', '-c', '']\n")
        files = [{"name": "data/blob", "content": base64.b64encode(b"\x00\xff").decode(), "encoding": "base64"},
                 {"content": "import os, lib.part; print(sorted(os.listdir('.')), lib.part.NAME, open('data/blob', 'rb').read(),"
                             " open('file3.code', 'rb').read())"},
                 {"name": "lib/part.py", "content": "NAME = 'part'"},
                 {"content": "c3a4", "encoding": "hex"}]
        run = self.execute("", files=files)["run"]
        self.assertEqual(run["stdout"], "['data', 'file1.code', 'file3.code', 'lib'] part b'\\x00\\xff' b'\\xc3\\xa4'\n")
        named = self.execute("", files=[{"name": "sub/dir/main.py", "content": "print(__file__)"}])["run"]
        self.assertTrue(named["stdout"].endswith("sub/dir/main.py\n"))

    def test_every_way_to_end(self):
        def ends(code, **fields):
            run = self.execute(code, **fields)["run"]
            return run["status"], run["signal"], run["code"], run["message"]
        self.assertEqual(ends("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"), ("SG", "SIGSEGV", None, "Caught fatal signal 11"))
        self.assertEqual(ends("while True: pass", run_cpu_time=200), ("TO", "SIGKILL", None, "Time limit exceeded"))
        self.assertEqual(ends("import time; time.sleep(9)", run_timeout=300), ("TO", "SIGKILL", None, "Time limit exceeded (wall clock)"))
        self.assertEqual(ends("while True: print('x' * 10000)"), ("OL", "SIGKILL", None, "stdout length exceeded"))
        self.assertEqual(ends("import sys\nwhile True: print('x' * 10000, file=sys.stderr)"), ("EL", "SIGKILL", None, "stderr length exceeded"))
        self.assertEqual(ends("x = bytearray(1 << 30)\nfor i in range(0, 1 << 30, 4096): x[i] = 1", run_memory_limit=50_000_000),
                         ("SG", "SIGKILL", None, "Caught fatal signal 9"))

    def test_default_times(self):
        started = time.monotonic()
        run = self.execute("import time; time.sleep(60)", run_timeout=0, run_cpu_time=0, run_memory_limit=-1)["run"]
        self.assertEqual(run["message"], "Time limit exceeded (wall clock)")
        self.assertGreaterEqual(run["wall_time"], 3000)
        self.assertLess(run["wall_time"], 10_000)
        self.assertGreaterEqual(time.monotonic() - started, 3)

    def test_compiled_languages(self):
        self.need("c")
        mark = service.fresh_mark()
        answer = self.execute('#include <stdio.h>\nint main(void) { puts("' + mark + '"); return 0; }', "c")
        self.assertEqual(set(answer["compile"]), STAGE_KEYS)
        self.assertEqual((answer["compile"]["code"], answer["run"]["stdout"]), (0, mark + "\n"))
        wrong = self.execute("int main(void) { return nothing; } // " + mark, "c")
        self.assertEqual(wrong["run"], wrong["compile"])
        self.assertEqual((wrong["run"]["code"], wrong["run"]["status"]), (1, "RE"))
        self.assertIn("nothing", wrong["run"]["stderr"])
        slow = self.execute("#include <stdio.h>\nint main(void) { return 0; } // slow " + mark, "c", compile_timeout=1)
        self.assertEqual((slow["compile"]["status"], slow["compile"]["signal"]), ("TO", "SIGKILL"))
        self.assertEqual(slow["run"], slow["compile"])
        several = [{"name": "main.c", "content": '#include "part.h"\nint main(void) { return part(); }'},
                   {"name": "part.h", "content": "int part(void);"}, {"name": "part.c", "content": "int part(void) { return 7; }"}]
        self.assertEqual(self.execute("", "c", files=several)["run"]["code"], 7)

    def test_other_languages_without_names_of_files(self):
        for language, id, code in (("c++", "cpp", '#include <iostream>\nint main() { std::cout << "hi\\n"; }'),
                                   ("go", "go", 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }'),
                                   ("java", "java", 'class A { public static void main(String[] a) { System.out.println("hi"); } }'),
                                   ("js", "javascript", 'console.log("hi")')):
            with self.subTest(language):
                self.need(id)
                self.assertEqual(self.execute(code, language)["run"]["stdout"], "hi\n")

    def test_who_leaves_takes_the_run_along(self):
        mark = service.fresh_mark()
        daemon = service.shared()
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60)
        connection.request("POST", "/api/v2/execute", json.dumps(program(service.show(mark) + "import time; time.sleep(60)", run_timeout=10_000)),
                           {"Content-Type": "application/json"})
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertTrue(service.processes_with(mark))
        connection.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))


class Connecting(PistonCase):
    def open(self):
        client = self.connect_piston()
        self.addCleanup(client.close)
        return client

    def connect_piston(self):
        daemon = service.shared()
        return wire.Client(daemon.host, daemon.port, CONNECT, greet=False)

    def init(self, code, language="python", **fields):
        client = self.open()
        client.send({"type": "init", **program(code, language, **fields)})
        return client

    def line(self, client):
        """The output up to a line's end, in however many pieces it comes."""
        text = ""
        while not text.endswith("\n"):
            text += client.wait("data")["data"]
        return text

    def rest(self, client):
        """All messages until the close, and its code."""
        found = []
        try:
            while True:
                found.append(client.receive(30 * service.SLOW))
        except wire.Closed as closed:
            return found, closed.code

    def test_a_program_from_its_start_to_its_end(self):
        client = self.init("print(input()); print(input())")
        self.assertEqual(client.receive(), {"type": "runtime", "language": "python", "version": cases.versions()["python"]})
        self.assertEqual(client.receive(), {"type": "stage", "stage": "run"})
        client.send({"type": "data", "stream": "stdin", "data": "one\n"})
        self.assertEqual(self.line(client), "one\n")
        client.send({"type": "data", "stream": "stdin", "data": "two\n"})
        messages, code = self.rest(client)
        self.assertEqual("".join(one["data"] for one in messages[:-1]), "two\n")
        last = messages[-1]
        self.assertEqual((last["type"], last["stage"], last["code"], last["signal"]), ("exit", "run", 0, None))
        self.assertEqual(set(last), {"type", "stage", "code", "signal", "memory", "message", "status", "cpu_time", "wall_time"})
        self.assertEqual(code, 4999)

    def test_the_end_of_the_input(self):
        client = self.init("import sys; print(repr(sys.stdin.read()))")
        client.send({"type": "data", "stream": "stdin", "data": "all"})
        client.send({"type": "eof"})
        messages, code = self.rest(client)
        self.assertEqual("".join(one["data"] for one in messages if one["type"] == "data"), "'all'\n")
        self.assertEqual(code, 4999)

    def test_signals_arrive(self):
        code = ("import signal\nfor one in (signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN + 2):\n"
                " signal.signal(one, lambda number, frame: print(number, flush=True))\n"
                "print('up', flush=True)\nwhile True: signal.pause()")
        client = self.init(code)
        self.line(client)
        for name, number in (("SIGTERM", 15), ("SIGUSR1", 10), ("SIGRTMIN+2", 36)):
            client.send({"type": "signal", "signal": name})
            self.assertEqual(self.line(client), f"{number}\n")
        client.send({"type": "signal", "signal": "SIGKILL"})
        messages, code = self.rest(client)
        self.assertEqual((messages[-1]["signal"], messages[-1]["code"], code), ("SIGKILL", None, 4999))

    def test_stages_of_a_compiled_program(self):
        self.need("c")
        source = f'#include <stdio.h>\n#warning "{service.fresh_mark()}"\nint main(void) {{ puts("run"); return 2; }}'
        for _ in range(2):  # the second time it is compiled already
            messages, code = self.rest(self.init(source, "c"))
            self.assertEqual([one["type"] + ":" + one.get("stage", one.get("stream", "")) for one in messages],
                             ["runtime:", "stage:compile", "data:stderr", "exit:compile", "stage:run", "data:stdout", "exit:run"])
            self.assertEqual((messages[-1]["code"], messages[3]["code"], code), (2, 0, 4999))
        messages, code = self.rest(self.init("int main(void) { return no; } // " + service.fresh_mark(), "c"))
        self.assertEqual((messages[-1]["stage"], messages[-1]["code"], code), ("compile", 1, 4999))

    def test_close_codes(self):
        def closed_by(message, begun=False):
            client = self.init("import time; time.sleep(30)") if begun else self.open()
            client.send(message)
            return self.rest(client)[1]
        self.assertEqual(closed_by({"type": "init", **program("")}, begun=True), 4000)
        self.assertEqual(closed_by({"type": "data", "stream": "stdin", "data": ""}), 4003)
        self.assertEqual(closed_by({"type": "signal", "signal": "SIGKILL"}), 4003)
        self.assertEqual(closed_by({"type": "eof"}), 4003)
        self.assertEqual(closed_by({"type": "data", "stream": "stdout", "data": ""}, begun=True), 4004)
        self.assertEqual(closed_by({"type": "signal", "signal": "SIGNONE"}, begun=True), 4005)
        client = self.open()
        started = time.monotonic()
        self.assertEqual(self.rest(client)[1], 4001)
        self.assertGreater(time.monotonic() - started, 0.9)

    def test_what_is_wrong_is_said_before_the_close(self):
        for text, message in (("{", None), (json.dumps({"type": "init"}), "language is required as a string"),
                              (json.dumps({"type": "init", **program("", "cobol")}), "cobol-* runtime is unknown")):
            client = self.open()
            client.text(text)
            messages, code = self.rest(client)
            self.assertEqual((messages[0]["type"], code), ("error", 4002))
            if message:
                self.assertEqual(messages[0]["message"], message)

    def test_unknown_messages_are_passed_over(self):
        client = self.init("print(input())")
        client.send({"type": "of a later version"})
        client.text("[]")
        client.send({"type": "data", "stream": "stdin", "data": "still here\n"})
        messages, code = self.rest(client)
        self.assertIn("still here\n", "".join(one.get("data", "") for one in messages))
        self.assertEqual(code, 4999)

    def test_a_job_ends_with_its_connection(self):
        mark = service.fresh_mark()
        client = self.init(service.show(mark) + "import time\nprint('up', flush=True)\ntime.sleep(60)", run_timeout=10_000)
        client.wait("data")
        self.assertTrue(service.processes_with(mark))
        client.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
