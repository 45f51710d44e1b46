"""go-judge's interface: command lines of the client's own, its files, every status word, and what they must not reach."""
import http.client
import json
import os
import tempfile
import time

import cases
import service
import wire

TOKEN = "a-token-of-some-length-0123456789"
ENV = ["PATH=/usr/bin:/bin"]
SECOND = 1_000_000_000
MIB = 1 << 20
ALWAYS = {"status", "exitStatus", "time", "memory", "runTime"}


def cmd(*args, stdin="", out=65536, **fields):
    """One command with both outputs collected."""
    files = [{"content": stdin}, {"name": "stdout", "max": out}, {"name": "stderr", "max": 65536}]
    return {"args": list(args), "env": ENV, "files": files, "cpuLimit": 5 * SECOND, "clockLimit": 10 * SECOND,
            "memoryLimit": 256 * MIB, "procLimit": 50} | fields


def python(code, **fields):
    return cmd("/usr/bin/python3", "-c", code, **fields)


class GoJudgeCase(cases.Case):
    base = ""

    def ask(self, method, path, body=None, daemon=None, **fields):
        daemon = daemon or service.shared()
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60 * service.SLOW)
        self.addCleanup(connection.close)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if body is not None and "Content-Type" not in fields:
            fields["Content-Type"] = "application/json"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        self.fields = answer.headers
        data = answer.read()
        if self.fields["Content-Type"] == "application/json":
            return answer.status, json.loads(data)
        return answer.status, data

    def run_all(self, *commands, daemon=None, **fields):
        status, answer = self.ask("POST", self.base + "/run", {"cmd": list(commands), **fields}, daemon)
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer), len(commands))
        for one in answer:
            self.assertLessEqual(ALWAYS, set(one), one)
        return answer

    def run_one(self, command, daemon=None):
        return self.run_all(command, daemon=daemon)[0]

    def refused(self, request):
        status, answer = self.ask("POST", "/run", request)
        self.assertEqual(status, 400, answer)
        self.assertIsInstance(answer, str)
        return answer

    def leave(self, content, name="a.txt", daemon=None, **fields):
        body, kind = form(content, name)
        return self.ask("POST", "/file", body, daemon, Content_Type=kind, **fields)


def form(content, name="a.txt", field="file", boundary="xxBOUNDARYxx"):
    content = content if isinstance(content, bytes) else content.encode()
    head = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nsomething\r\n"
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\n").encode()
    return head + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Running(GoJudgeCase):
    def test_a_command(self):
        for base in ("", "/go-judge"):
            self.base = base
            one = self.run_one(cmd("/bin/cat", stdin="TEST 1"))
            self.assertEqual((one["status"], one["exitStatus"]), ("Accepted", 0), one)
            self.assertEqual(one["files"], {"stdout": "TEST 1", "stderr": ""})
            self.assertGreater(one["time"], 0)
            self.assertGreater(one["runTime"], 0)
            self.assertGreater(one["memory"], 10_000)
            self.assertNotIn("fileIds", one)
            self.assertNotIn("fileError", one)
            self.assertNotIn("error", one)

    def test_a_compiler_and_then_its_program(self):
        self.need("cpp")
        source = '#include <iostream>\nint main() { int a, b; std::cin >> a >> b; std::cout << a + b << "\\n"; }'
        built = self.run_one(cmd("/usr/bin/g++", "a.cc", "-o", "a", copyIn={"a.cc": {"content": source}}, copyOut=["stdout", "stderr"],
                                 copyOutCached=["a.cc", "a"], cpuLimit=10 * SECOND, clockLimit=20 * SECOND))
        self.assertEqual(built["status"], "Accepted", built)
        self.assertEqual(set(built["fileIds"]), {"a.cc", "a"})
        self.assertEqual(built["files"], {"stdout": "", "stderr": ""})
        for args in (["a"], ["./a"], ["/box/a"]):
            one = self.run_one(cmd(*args, stdin="1 1", copyIn={"a": {"fileId": built["fileIds"]["a"]}}))
            self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", "2\n"), one)
        status, body = self.ask("GET", "/file/" + built["fileIds"]["a.cc"])
        self.assertEqual((status, body), (200, source.encode()))
        self.assertEqual(self.fields["Content-Type"], "application/octet-stream")
        wrong = self.run_one(cmd("/usr/bin/g++", "a.cc", "-o", "a", copyIn={"a.cc": {"content": "int main() { return x; }"}},
                                 copyOut=["stderr"], copyOutCached=["a?"], cpuLimit=10 * SECOND, clockLimit=20 * SECOND))
        self.assertEqual((wrong["status"], wrong["exitStatus"]), ("Nonzero Exit Status", 1), wrong)
        self.assertIn("not declared", wrong["files"]["stderr"])
        self.assertNotIn("fileIds", wrong)
        self.assertNotIn("fileError", wrong)

    def test_other_languages(self):
        for language, compiler, name, source, program in (
                ("c", ["/usr/bin/gcc", "a.c", "-o", "a"], "a.c", '#include <stdio.h>\nint main(void) { puts("hi"); return 0; }', ["a"]),
                ("java", ["/usr/bin/javac", "A.java"], "A.java",
                 'class A { public static void main(String[] a) { System.out.println("hi"); } }', ["/usr/bin/java", "-cp", ".", "A"]),
                ("go", ["/usr/bin/go", "build", "-o", "a", "a.go"], "a.go",
                 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }', ["a"]),
                ("javascript", None, "a.js", 'console.log("hi")', ["/usr/bin/node", "a.js"]),
                ("python", None, "a.py", 'print("hi")', ["/usr/bin/python3", "a.py"])):
            with self.subTest(language):
                if not cases.versions().get(language):
                    continue
                files = {name: {"content": source}}
                wide = {"memoryLimit": 512 * MIB, "procLimit": 100, "cpuLimit": 10 * SECOND, "clockLimit": 20 * SECOND,
                        "env": ENV + ["GOCACHE=/tmp/cache", "GOPATH=/tmp/go", "GO111MODULE=off"]}
                if compiler:
                    left = "A.class" if language == "java" else "a"
                    built = self.run_one(cmd(*compiler, copyIn=files, copyOutCached=[left], **wide))
                    self.assertEqual(built["status"], "Accepted", built)
                    files = {left: {"fileId": built["fileIds"][left]}}
                one = self.run_one(cmd(*program, copyIn=files, **wide))
                self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", "hi\n"), one)

    def test_every_way_to_end(self):
        for code, status, exit_status, fields in (
                ("", "Accepted", 0, {}),
                ("import sys; sys.exit(7)", "Nonzero Exit Status", 7, {}),
                ("import os; os.kill(os.getpid(), 11)", "Signalled", 11, {}),
                ("while True: pass", "Time Limit Exceeded", 9, {"cpuLimit": SECOND // 5}),
                ("import time; time.sleep(9)", "Time Limit Exceeded", 9, {"cpuLimit": SECOND // 5, "clockLimit": SECOND // 2}),
                ("import time; time.sleep(9)", "Time Limit Exceeded", 9, {"cpuLimit": SECOND // 5, "clockLimit": 0}),
                ("import time; time.sleep(9)", "Time Limit Exceeded", 9, {"realCpuLimit": SECOND // 2}),
                ("x = bytearray(1 << 29)\nfor i in range(0, 1 << 29, 4096): x[i] = 1", "Memory Limit Exceeded", 9, {"memoryLimit": 50 * MIB}),
                ("while True: print('x' * 10000)", "Output Limit Exceeded", 9, {"out": 100_000})):
            one = self.run_one(python(code, **fields))
            self.assertEqual((one["status"], one["exitStatus"]), (status, exit_status), (code, one))
        one = self.run_one(cmd("nothing"))
        self.assertEqual(one["status"], "Internal Error")
        self.assertIn("No such file", one["error"])
        self.assertEqual(self.run_one(cmd("/etc/passwd"))["status"], "Internal Error")

    def test_what_a_collector_takes(self):
        one = self.run_one(python("import sys; sys.stdout.write('a' * 11); sys.stderr.write('b' * 10)", files=[
            {"content": ""}, {"name": "out", "max": 10}, {"name": "err", "max": 10, "pipe": True}]))
        self.assertEqual(one["status"], "Output Limit Exceeded")
        self.assertEqual(one["files"], {"out": "a" * 10, "err": "b" * 10})
        self.assertEqual(one["fileError"], [{"name": "out", "type": "CollectSizeExceeded", "message": "the output is too large"}])
        one = self.run_one(python("print('x')", files=[None, {"name": "o", "max": 9}], copyOutCached=["o"]))
        self.assertEqual(list(one["fileIds"]), ["o"])
        self.assertNotIn("files", one)
        self.assertEqual(self.ask("GET", "/file/" + one["fileIds"]["o"])[1], b"x\n")
        self.assertEqual(self.run_one(python("print(repr(input))", files=[]))["status"], "Accepted")
        self.assertEqual(self.run_one(python("import os; os.write(1, b'\\xff\\x00')"))["files"]["stdout"], "\ufffd\x00")

    def test_environment_and_arguments(self):
        code = "import os, sys; print(sorted(k for k in os.environ if k != 'LC_CTYPE'), sys.argv[1:])"
        one = self.run_one(cmd("python3", "-c", code, "a b", "", "-x", "{args}", env=["PATH=/nowhere:/usr/bin", "A=1", "LANG=C.UTF-8"]))
        self.assertEqual(one["files"]["stdout"], "['A', 'LANG', 'PATH'] ['a b', '', '-x', '{args}']\n", one)
        bare = python(code)
        del bare["env"]
        self.assertEqual(self.run_one(bare)["files"]["stdout"], "['HOME', 'LANG', 'PATH', 'TMPDIR'] []\n")
        empty = self.run_one(python(code, env=[]))
        self.assertEqual(empty["files"]["stdout"], "[] []\n", empty)
        self.assertEqual(self.run_one(cmd("python3", "-c", "", env=[]))["status"], "Internal Error")

    def test_files_in_and_out(self):
        code = ("import os\nprint(open('d/in').read(), open('link').read(), os.readlink('link'))\nos.mkdir('e')\n"
                "open('e/out', 'w').write('left')\nopen('large', 'w').write('x' * 100)\nos.mkdir('folder')\nos.mkfifo('fifo')\n"
                "open('closed', 'w'); os.chmod('closed', 0)")
        command = python(code, copyIn={"d/in": {"content": "한"}, "link": {"symlink": "d/in"}},
                         copyOut=["e/out", "none?", "large", "none", "folder", "fifo", "closed"], copyOutMax=50)
        one = self.run_one(command)
        self.assertEqual(one["status"], "File Error", one)
        self.assertEqual(one["files"], {"stdout": "한 한 d/in\n", "stderr": "", "e/out": "left"})
        self.assertEqual([(e["name"], e["type"]) for e in one["fileError"]],
                         [("large", "CopyOutSizeExceeded"), ("none", "CopyOutOpen"), ("folder", "CopyOutNotRegularFile"),
                          ("fifo", "CopyOutNotRegularFile"), ("closed", "CopyOutOpen")])
        one = self.run_one(command | {"copyOutTruncate": True, "copyOut": ["large", "none?"]})
        self.assertEqual((one["status"], one["files"]["large"]), ("Accepted", "x" * 50), one)
        # What is wrong with the command itself is said first.
        one = self.run_one(python("import sys; sys.exit(3)", copyOut=["none"]))
        self.assertEqual((one["status"], one["fileError"][0]["type"]), ("Nonzero Exit Status", "CopyOutOpen"))

    def test_a_file_that_cannot_be_had_or_made(self):
        one = self.run_one(python("", copyIn={"a": {"fileId": "ABCDEFGH"}}))
        self.assertEqual((one["status"], one["fileError"][0]["type"], one["fileError"][0]["name"]), ("File Error", "CopyInOpenFile", "a"))
        one = self.run_one(python("", files=[{"fileId": "ABCDEFGH"}]))
        self.assertEqual((one["status"], one["fileError"][0]["type"]), ("File Error", "CopyInOpenFile"))
        one = self.run_one(python("", copyIn={"a": {"content": ""}, "a/b": {"content": ""}}))
        self.assertEqual((one["status"], one["fileError"][0]["type"]), ("File Error", "CopyInCreateFile"), one)

    def test_several_commands_side_by_side(self):
        answer = self.run_all(*(python(f"print({i})") for i in range(8)))
        self.assertEqual([one["files"]["stdout"] for one in answer], [f"{i}\n" for i in range(8)])
        mixed = self.run_all(python("print(1)"), python("", copyIn={"a": {"fileId": "x"}}), cmd("nothing"))
        self.assertEqual([one["status"] for one in mixed], ["Accepted", "File Error", "Internal Error"])

    def test_limits_are_held_down_to_the_policys(self):
        one = self.run_one(python("import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0])", cpuLimit=10**18, clockLimit=10**18,
                                  memoryLimit=1 << 50, stackLimit=1 << 50, procLimit=10**9, cpuRateLimit=10**9))
        self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", f"{512 * MIB}\n"), one)
        one = self.run_one(python("import resource; print(resource.getrlimit(resource.RLIMIT_STACK)[0])", stackLimit=8 * MIB))
        self.assertEqual(one["files"]["stdout"], f"{8 * MIB}\n")

    def test_who_leaves_takes_the_command_along(self):
        mark = service.fresh_mark()
        daemon = service.shared()
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60)
        connection.request("POST", "/run", json.dumps({"cmd": [python(service.show(mark) + "import time; time.sleep(60)")] * 2}),
                           {"Content-Type": "application/json"})
        end = time.monotonic() + 20 * service.SLOW
        while len(service.processes_with(mark)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(len(service.processes_with(mark)), 2)
        connection.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))


class Piping(GoJudgeCase):
    FORTH = {"in": {"index": 0, "fd": 1}, "out": {"index": 1, "fd": 0}}
    BACK = {"in": {"index": 1, "fd": 1}, "out": {"index": 0, "fd": 0}}

    def test_one_talks_to_the_other(self):
        answer = self.run_all(cmd("/bin/cat", files=[{"content": "TEST 1"}, None, {"name": "e", "max": 100}]),
                              cmd("/bin/cat", files=[None, {"name": "o", "max": 100}]), pipeMapping=[self.FORTH])
        self.assertEqual([one["status"] for one in answer], ["Accepted", "Accepted"], answer)
        self.assertEqual([one["files"] for one in answer], [{"e": ""}, {"o": "TEST 1"}])
        large = self.run_all(cmd("/usr/bin/seq", "300000", files=[None, None]), cmd("/usr/bin/tail", "-n", "1", files=[None, {"name": "o", "max": 100}]),
                             pipeMapping=[self.FORTH | {"proxy": True}])
        self.assertEqual(large[1]["files"]["o"], "300000\n", large)

    def test_an_interactor(self):
        guesser = python("low, high = 1, 1000\nwhile True:\n  m = (low + high) // 2\n  print(m, flush=True)\n  a = input()\n"
                         "  if a == '=': break\n  if a == '<': high = m - 1\n  else: low = m + 1", files=[None, None, {"name": "stderr", "max": 1000}])
        knower = python("import sys\nn = 0\nwhile True:\n  g = int(input()); n += 1\n  print('=' if g == 700 else '<' if g > 700 else '>', flush=True)\n"
                        "  if g == 700: break\nopen('score', 'w').write(str(n))", files=[None, None, {"name": "stderr", "max": 1000}], copyOut=["score"])
        for commands, wires in (((guesser, knower), [self.FORTH, self.BACK]), ((knower, guesser), [self.BACK, self.FORTH])):
            answer = self.run_all(*commands, pipeMapping=wires)
            self.assertEqual([one["status"] for one in answer], ["Accepted", "Accepted"], answer)
            score = next(one["files"]["score"] for one in answer if "score" in one["files"])
            self.assertLessEqual(int(score), 10)

    def test_two_that_wait_for_each_other(self):
        waits = python("input()", files=[None, None], cpuLimit=SECOND, clockLimit=SECOND)
        answer = self.run_all(waits, waits, pipeMapping=[self.FORTH, self.BACK])
        self.assertIn("Time Limit Exceeded", [one["status"] for one in answer])

    def test_beside_others(self):
        answer = self.run_all(cmd("/bin/echo", "a", files=[None, None]), python("print(1)"), cmd("/bin/cat", files=[None, {"name": "o", "max": 9}]),
                              pipeMapping=[self.FORTH | {"out": {"index": 2, "fd": 0}}])
        self.assertEqual((answer[1]["files"]["stdout"], answer[2]["files"]["o"]), ("1\n", "a\n"))

    def test_what_cannot_be_had(self):
        two = [cmd("/bin/cat", files=[None, None])] * 2
        for wires, words in (([self.FORTH | {"in": {"index": 0, "fd": 2}}], "descriptor 1"), ([self.FORTH | {"out": {"index": 1, "fd": 3}}], "descriptor 0"),
                             ([self.FORTH | {"out": {"index": 0, "fd": 0}}], "itself"), ([self.FORTH | {"out": {"index": 2, "fd": 0}}], "no command"),
                             ([self.FORTH, self.FORTH], "twice"), ([self.FORTH | {"proxy": True, "name": "log", "max": 10}], "recorded"),
                             ([{}], "missing"), ([5], "object")):
            self.assertIn(words, self.refused({"cmd": two, "pipeMapping": wires}))
        three = two + two[:1]
        chain = [self.FORTH, {"in": {"index": 1, "fd": 1}, "out": {"index": 2, "fd": 0}}]
        self.assertIn("only two", self.refused({"cmd": three, "pipeMapping": chain}))
        self.assertIn("already", self.refused({"cmd": [cmd("/bin/cat")] * 2, "pipeMapping": [self.FORTH]}))


class Requests(GoJudgeCase):
    def test_bodies_that_are_none(self):
        for body in ("{", "5", "[]", '"text"', "null", b"\xff", '{"x":' * 50 + "1" + "}" * 50):
            status, answer = self.ask("POST", "/run", body)
            self.assertEqual((status, type(answer)), (400, str), body)
        self.assertEqual(self.refused({}), "no cmd provided")
        self.assertEqual(self.refused({"cmd": []}), "no cmd provided")
        self.assertEqual(self.ask("POST", "/run", "{}", Content_Type="text/plain")[0], 415)

    def test_every_field_is_checked(self):
        for change, words in (({"args": []}, "args"), ({"args": None}, "args"), ({"args": [""]}, "args"), ({"args": [5]}, "args"),
                              ({"args": "x"}, "args"), ({"args": ["a\0b"]}, "NUL"), ({"env": ["A=\0"]}, "NUL"), ({"env": [1]}, "env"),
                              ({"args": ["a"] * 257}, "256"), ({"env": ["A=1"] * 257}, "256"), ({"args": ["a", "b" * 140_000]}, "too long"),
                              ({"files": [None] * 4}, "0, 1 and 2"), ({"files": {}}, "files"), ({"files": [5]}, "files[0]"),
                              ({"files": [{}]}, "not valid"), ({"files": [{"name": "x", "max": 1}]}, "collected"),
                              ({"files": [None, {"content": "x"}]}, "descriptor 0"), ({"files": [{"streamIn": "i"}]}, "/stream"),
                              ({"files": [None, {"name": "x", "max": 1}, {"name": "x", "max": 1}]}, "one name"),
                              ({"files": [None, {"name": "x", "max": -1}]}, "max"), ({"files": [{"src": "/etc/passwd"}]}, "src"),
                              ({"tty": True}, "/stream"), ({"tty": 1}, "tty"), ({"cpuLimit": -1}, "cpuLimit"), ({"memoryLimit": "1"}, "memoryLimit"),
                              ({"copyIn": []}, "copyIn"), ({"copyIn": {"a": 5}}, "copyIn"), ({"copyIn": {"a": {}}}, "not valid"),
                              ({"copyIn": {"a": {"src": "/etc/passwd"}}}, "src"), ({"copyIn": {"a": {"symlink": ""}}}, "symlink"),
                              ({"copyIn": {"a": {"symlink": "x\0y"}}}, "symlink"), ({"copyIn": {str(i): {"content": ""} for i in range(65)}}, "64"),
                              ({"copyOut": "x"}, "copyOut"), ({"copyOut": [1]}, "copyOut"), ({"copyOut": ["x"] * 65}, "64"),
                              ({"copyOutMax": -1}, "copyOutMax"), ({"copyOutTruncate": 1}, "copyOutTruncate")):
            self.assertIn(words, self.refused({"cmd": [cmd("/bin/true") | change]}), change)
        self.assertIn("16", self.refused({"cmd": [cmd("/bin/true")] * 17}))
        self.assertIn("object", self.refused({"cmd": [5]}))
        self.assertIn("requestId", self.refused({"cmd": [cmd("/bin/true")], "requestId": 5}))

    def test_paths_that_lead_out(self):
        for path in ("../x", "/etc/passwd", "a/../../x", "a//b", "./a", "", "a/", "x" * 2000, "a\nb", "a\0b"):
            self.refused({"cmd": [cmd("/bin/true", copyIn={path: {"content": ""}})]})
            self.refused({"cmd": [cmd("/bin/true", copyIn={path: {"symlink": "b"}})]})
            self.refused({"cmd": [cmd("/bin/true", copyOut=[path])]})
            self.refused({"cmd": [cmd("/bin/true", copyOutCached=[path])]})

    def test_addresses(self):
        for path in ("/go-judge", "/go-judge/", "/go-judge/nothing", "/go-judge/run/x"):
            status, answer = self.ask("GET", path)
            self.assertEqual((status, type(answer)), (404, str), path)
        for method, path in (("GET", "/run"), ("DELETE", "/run"), ("DELETE", "/file"), ("POST", "/file/x"), ("POST", "/config")):
            status, answer = self.ask(method, path, {} if method == "POST" else None)
            self.assertEqual((status, type(answer)), (405, str), path)

    def test_versions_and_features(self):
        status, version = self.ask("GET", "/go-judge/version")
        self.assertEqual((status, version["os"], version["platform"], version["copyOutOptional"]), (200, "linux", "amd64", True))
        self.assertIn("cloister", version["buildVersion"])
        for path in ("/config", "/go-judge/config"):
            status, config = self.ask("GET", path)
            self.assertEqual((status, config["symlink"], config["pipeProxy"]), (200, True, False))
        self.assertEqual(self.ask("GET", "/version")[1], b"1.13.1")  # Judge0's
        without = service.Daemon({"judge0_api": False})
        self.addCleanup(without.stop)
        self.assertIn("buildVersion", self.ask("GET", "/version", daemon=without)[1])

    def test_hosts_origins_and_tokens(self):
        self.assertEqual(self.ask("GET", "/config", Host="evil.example")[0], 403)
        status, answer = self.ask("POST", "/run", {"cmd": [cmd("/bin/true")]}, Origin="http://evil.example")
        self.assertEqual((status, type(answer)), (403, str))
        self.assertEqual(self.leave("x", Origin="http://evil.example")[0], 403)
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            guarded = service.Daemon({"token_file": file.name})
        self.addCleanup(guarded.stop)
        for method, path in (("GET", "/config"), ("GET", "/file"), ("GET", "/file/x"), ("DELETE", "/file/x"), ("POST", "/run"), ("POST", "/file")):
            status, answer = self.ask(method, path, "{}" if method == "POST" else None, guarded)
            self.assertEqual((status, type(answer)), (401, str), path)
        mine = {"Authorization": "Bearer " + TOKEN}
        self.assertEqual(self.ask("POST", "/run", {"cmd": [cmd("/bin/true")]}, guarded, **mine)[0], 200)
        self.assertEqual(self.leave("x", daemon=guarded, **mine)[0], 200)

    def test_it_can_be_switched_off(self):
        without = service.Daemon({"go_judge_api": False})
        self.addCleanup(without.stop)
        for path in ("/config", "/go-judge/config", "/file"):
            status, answer = self.ask("GET", path, daemon=without)
            self.assertEqual((status, answer["error"]["code"]), (404, "not_found"))

    def test_a_full_queue(self):
        small = service.Daemon({"boxes": 1, "queue_per_client": 1, "runs_per_client": 1})
        self.addCleanup(small.stop)
        status, answer = self.ask("POST", "/run", {"cmd": [python("import time; time.sleep(20)")] * 3}, small)
        self.assertEqual((status, answer), (500, "worker queue is full"))
        self.assertEqual(self.run_one(cmd("/bin/true"), small)["status"], "Accepted")
        status, answer = self.ask("POST", "/run", {"cmd": [cmd("/bin/cat", files=[None, None])] * 2, "pipeMapping": [Piping.FORTH]}, small)
        self.assertEqual(status, 500)
        self.assertIn("Two boxes", answer)


class Files(GoJudgeCase):
    def test_a_file_comes_and_goes(self):
        content = bytes(range(256)) * 10 + b"\r\n--xxBOUNDARYx\r\n"
        status, id = self.leave(content, 'dir/a "b".bin'.replace('"', '\\"'))
        self.assertEqual(status, 200, id)
        self.assertEqual(self.ask("GET", "/file")[1][id], 'a "b".bin')
        self.assertEqual(self.ask("GET", "/go-judge/file/" + id), (200, content))
        one = self.run_one(python("import sys; sys.stdout.write(str(len(open('x', 'rb').read())))", copyIn={"x": {"fileId": id}}))
        self.assertEqual(one["files"]["stdout"], str(len(content)))
        one = self.run_one(cmd("/usr/bin/wc", "-c", files=[{"fileId": id}, {"name": "o", "max": 100}]))
        self.assertEqual(one["files"]["o"].strip(), str(len(content)))
        self.assertEqual(self.ask("DELETE", "/file/" + id)[0], 200)
        for method in ("GET", "DELETE"):
            self.assertEqual(self.ask(method, "/file/" + id)[0], 404)
        self.assertNotIn(id, self.ask("GET", "/file")[1])

    def test_forms_that_are_none(self):
        good, kind = form("x")
        for body, given in ((good, "application/json"), (good, "multipart/form-data"), (good, kind + "y"), (good[:-20], kind), (b"", kind),
                            (form("x", field="files")[0], kind), (good.replace(b"\r\n\r\n", b"\r\n"), kind), (good, kind.replace("xx", "x" * 80)),
                            (b"--xxBOUNDARYxx\r\n\r\n" * 40, kind)):
            status, answer = self.ask("POST", "/file", body, Content_Type=given)
            self.assertEqual(status, 400, (body, given))
            self.assertIsInstance(answer, str)
        daemon = service.shared()
        head = f"POST /file HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\nContent-Type: {kind}\r\n"
        piece = "10000\r\n" + "x" * 65536 + "\r\n"
        for rest in ("Content-Length: 2000000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n" + piece * 17):
            status, _, body = wire.http(daemon.host, daemon.port, head + rest)
            self.assertEqual((status, type(json.loads(body))), (413, str))

    def test_the_store_is_bounded(self):
        small = service.Daemon({"go_judge_files": 2, "go_judge_file_bytes": "10k"})
        self.addCleanup(small.stop)
        ids = [self.leave("x", daemon=small)[1] for _ in range(2)]
        self.assertEqual(self.leave("x", daemon=small), (500, "The file store is full."))
        one = self.run_one(python("open('f', 'w')", copyOutCached=["f"]), small)
        self.assertEqual((one["status"], one["fileError"][0]["type"]), ("File Error", "CopyOutCreateFile"))
        self.ask("DELETE", "/file/" + ids[0], daemon=small)
        self.assertEqual(self.leave("x" * 10_000, daemon=small)[0], 500)
        self.assertEqual(self.leave("x" * 9000, daemon=small)[0], 200)


class Sockets(GoJudgeCase):
    """/ws: many requests at one time."""

    def open(self, path="/go-judge/ws", **fields):
        daemon = service.shared()
        client = wire.Client(daemon.host, daemon.port, path, greet=False, **fields)
        self.addCleanup(client.close)
        return client

    def test_many_requests_at_one_time(self):
        for path in ("/ws", "/go-judge/ws"):
            client = self.open(path)
            for i in range(6):
                client.send({"requestId": f"r{i}", "cmd": [python(f"print({i})")]})
            answers = {one["requestId"]: one for one in (client.receive(60 * service.SLOW) for _ in range(6))}
            self.assertEqual({id: one["results"][0]["files"]["stdout"] for id, one in answers.items()}, {f"r{i}": f"{i}\n" for i in range(6)})
            self.assertNotIn("error", answers["r0"])

    def test_a_request_is_cancelled(self):
        client = self.open()
        mark = service.fresh_mark()
        client.send({"requestId": "long", "cmd": [python(service.show(mark) + "import time; time.sleep(60)")]})
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        client.send({"cancelRequestId": "none"})
        client.send({"cancelRequestId": "long"})
        answer = client.receive(20 * service.SLOW)
        self.assertEqual((answer["requestId"], answer["results"][0]["status"]), ("long", "Internal Error"))
        self.assertIn("cancelled", answer["results"][0]["error"])
        self.assertEqual(service.processes_with(mark), [])
        client.send({"requestId": "long", "cmd": [cmd("/bin/true")]})
        self.assertEqual(client.receive(20 * service.SLOW)["results"][0]["status"], "Accepted")

    def test_what_is_wrong_is_said_and_nothing_is_lost(self):
        client = self.open()
        client.send({"requestId": "a", "cmd": [python("import time; time.sleep(1)")]})
        for message, id, words in (({"requestId": "a", "cmd": [cmd("/bin/true")]}, "a", "duplicated"), ({"cmd": [cmd("/bin/true")]}, "", "empty"),
                                   ({"requestId": "b"}, "b", "no cmd"), ({"requestId": "c", "cmd": [{"args": []}]}, "c", "args")):
            client.send(message)
            answer = client.receive(20)
            self.assertEqual((answer["requestId"], answer["results"]), (id, None))
            self.assertIn(words, answer["error"])
        client.text("{")
        self.assertEqual(client.receive(20)["requestId"], "")
        self.assertEqual(client.receive(20 * service.SLOW)["results"][0]["status"], "Accepted")

    def test_more_than_may_wait(self):
        roomy = service.Daemon({"queue_per_client": 200})
        self.addCleanup(roomy.stop)
        for daemon, most in ((service.shared(), None), (roomy, 64)):
            client = wire.Client(daemon.host, daemon.port, "/ws", greet=False)
            self.addCleanup(client.close)
            client.raw.socket.settimeout(60 * service.SLOW)
            for i in range(70):
                client.send({"requestId": str(i), "cmd": [cmd("/bin/sleep", "2" if i < 4 else ".01")]})
            answers = [json.loads(client.message()) for _ in range(70)]
            self.assertEqual({one["requestId"] for one in answers}, {str(i) for i in range(70)})
            refused = [one for one in answers if "error" in one]
            self.assertEqual({one["error"] for one in refused}, {"worker queue is full"})
            if most:
                self.assertEqual(len(answers) - len(refused), most)
            self.assertGreaterEqual(len(answers) - len(refused), 16)

    def test_requests_end_with_their_connection(self):
        client = self.open()
        mark = service.fresh_mark()
        for i in range(2):
            client.send({"requestId": str(i), "cmd": [python(service.show(mark) + "import time; time.sleep(60)")]})
        end = time.monotonic() + 20 * service.SLOW
        while len(service.processes_with(mark)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        client.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_who_may_not_connect(self):
        for path in ("/ws", "/stream", "/go-judge/ws", "/go-judge/stream"):
            with self.assertRaises(wire.Refused) as refused:
                self.open(path, Origin="http://evil.example")
            self.assertEqual(refused.exception.status, 403)
        without = service.Daemon({"go_judge_api": False})
        self.addCleanup(without.stop)
        for path in ("/ws", "/go-judge/stream"):
            with self.assertRaises(wire.Refused) as refused:
                wire.Client(without.host, without.port, path, greet=False)
            self.assertEqual(refused.exception.status, 404)


class Streams(GoJudgeCase):
    """/stream: one request, whose input and output pass as they come."""

    def open(self, request=None, path="/go-judge/stream"):
        daemon = service.shared()
        client = wire.Client(daemon.host, daemon.port, path, greet=False)
        self.addCleanup(client.close)
        client.raw.socket.settimeout(60 * service.SLOW)
        if request is not None:
            client.frame(2, b"\x01" + json.dumps(request).encode())
        return client

    def feed(self, client, data, index=0, fd=0):
        client.frame(2, bytes([3, index << 4 | fd]) + data)

    def until(self, client, mark, place=1):
        """What comes for `place` until it holds `mark`."""
        found = b""
        while mark not in found:
            frame = client.message()
            self.assertEqual(frame[0], 2, frame)
            if frame[1] == place:
                found += frame[2:]
        return found

    def rest(self, client):
        """Output by place, the final answer, and the close code."""
        output, final = {}, None
        try:
            while True:
                frame = client.message()
                if frame[0] == 2:
                    output[frame[1]] = output.get(frame[1], b"") + frame[2:]
                else:
                    self.assertEqual(frame[0], 1)
                    final = json.loads(frame[1:])
        except wire.Closed as closed:
            return output, final, closed.code

    LIVE = [{"streamIn": True}, {"streamOut": True}, {"streamOut": True}]

    def test_a_command_is_fed_and_watched(self):
        for path in ("/stream", "/go-judge/stream"):
            client = self.open({"cmd": [python("print(input(), flush=True)\nimport sys\nprint(repr(sys.stdin.read()), flush=True)\n"
                                               "sys.stderr.write('e'); sys.exit(2)", files=self.LIVE)]}, path)
            self.feed(client, "한\n".encode())
            self.assertEqual(self.until(client, b"\n"), "한\n".encode())
            self.feed(client, b"rest")
            self.feed(client, b"")
            output, final, code = self.rest(client)
            self.assertEqual((output, code), ({1: b"'rest'\n", 2: b"e"}, 1000))
            self.assertEqual((final["results"][0]["status"], final["results"][0]["exitStatus"]), ("Nonzero Exit Status", 2))
            self.assertNotIn("files", final["results"][0])

    def test_several_with_collectors_beside_streams(self):
        first = python("print('first')", files=[None, {"name": "o", "max": 100}, None])
        second = python("import os; os.write(1, bytes(range(256)))", files=[None, {"streamOut": True}, {"name": "e", "max": 10}], copyOut=["none?"])
        output, final, code = self.rest(self.open({"cmd": [first, second]}))
        self.assertEqual(output, {0x11: bytes(range(256))})
        self.assertEqual([one["files"] for one in final["results"]], [{"o": "first\n"}, {"e": ""}])

    def test_a_terminal(self):
        code = "import os, sys\nprint(os.isatty(0), os.get_terminal_size(), flush=True)\nsys.stdin.readline()\nprint(os.get_terminal_size(), flush=True)"
        client = self.open({"cmd": [python(code, files=self.LIVE, tty=True)]})
        self.assertIn(b"True os.terminal_size(columns=80, lines=24)", self.until(client, b"24)"))
        client.frame(2, b"\x02" + json.dumps({"index": 0, "fd": 0, "rows": 10, "cols": 40, "x": 0, "y": 0}).encode())
        self.feed(client, b"\n")
        output, final, _ = self.rest(client)
        self.assertIn(b"columns=40, lines=10", output[1])
        self.assertEqual(final["results"][0]["status"], "Accepted")

    def test_it_is_cancelled(self):
        client = self.open({"cmd": [python("print('up', flush=True)\nimport time; time.sleep(60)", files=self.LIVE)]})
        self.until(client, b"up\n")
        client.frame(2, b"\x04")
        _, final, _ = self.rest(client)
        self.assertEqual(final["results"][0]["status"], "Internal Error")

    def test_what_is_wrong_is_the_last_word(self):
        good = json.dumps({"cmd": [python("import time; time.sleep(60)", files=self.LIVE)]}).encode()
        for frames, words in (([b""], "first"), ([b"\x03\x00x"], "first"), ([b"\x01{"], "JSON"), ([b"\x01{}"], "no cmd"),
                              ([b"\x01" + good] * 2, "already"), ([b"\x01" + good, b"\x03\x01x"], "input"), ([b"\x01" + good, b"\x03\x10x"], "input"),
                              ([b"\x01" + good, b"\x03"], "descriptor"), ([b"\x01" + good, b"\x02{}"], "tty"), ([b"\x01" + good, b"\x02x"], "JSON"),
                              ([b"\x01" + good, b"\x09"], "invalid type")):
            client = self.open()
            for frame in frames:
                client.frame(2, frame)
            output, final, code = self.rest(client)
            self.assertEqual((final["results"], code), (None, 1000), frames)
            self.assertIn(words, final["error"])

    def test_a_stream_without_end(self):
        output, final, _ = self.rest(self.open({"cmd": [cmd("/usr/bin/seq", "100000000", files=self.LIVE)]}))
        self.assertEqual(final["results"][0]["status"], "Output Limit Exceeded")
        self.assertLessEqual(len(output[1]), 16 * MIB)

    def test_it_ends_with_its_connection(self):
        mark = service.fresh_mark()
        client = self.open({"cmd": [python(service.show(mark) + "print('up', flush=True)\nimport time; time.sleep(60)", files=self.LIVE)]})
        self.until(client, b"up\n")
        self.assertTrue(service.processes_with(mark))
        client.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))


class Attacks(GoJudgeCase):
    """Each is also what a client could send; what holds it is told in SECURITY.md."""

    def test_a_left_link_is_not_followed(self):
        code = ("import os\nos.symlink('/etc/passwd', 'a')\nos.symlink('/etc', 'b')\nos.symlink('/proc/self/root/etc/passwd', 'c')\n"
                "os.mkdir('d')\nos.symlink('..', 'd/up')\nopen('secret', 'w').write('own')\nos.symlink('secret', 'e')")
        names = ["a", "b/passwd", "c", "d/up/secret", "e"]
        one = self.run_one(python(code, copyOut=names, copyOutCached=names))
        self.assertEqual(one["status"], "File Error")
        self.assertEqual({e["type"] for e in one["fileError"]}, {"CopyOutNotRegularFile"})
        self.assertEqual((set(one["files"]), one.get("fileIds")), ({"stdout", "stderr"}, None))

    def test_a_brought_link_leads_nowhere_but_in_the_box(self):
        links = {"a": {"symlink": "/etc/shadow"}, "b": {"symlink": "/proc/1/root"}, "c": {"symlink": "../../../../etc"}, "d": {"symlink": "/etc/passwd"}}
        one = self.run_one(python("import os\nprint(os.path.exists('a'), os.path.isdir('c'))\n"
                                  "try: print(os.listdir('b'))\nexcept OSError as e: print(e.strerror)\nprint(open('d').read())",
                                  copyIn=links, copyOut=["a", "d", "c/passwd"]))
        out = one["files"]["stdout"]
        self.assertTrue(out.startswith("False True\n"), out)
        self.assertNotIn(open("/etc/passwd").read().splitlines()[-1], out)  # the box's own
        self.assertEqual({e["type"] for e in one["fileError"]}, {"CopyOutNotRegularFile"})
        one = self.run_one(python("", copyIn={"z": {"symlink": "/tmp"}, "z/x": {"content": "through"}}))
        self.assertEqual(one["status"], "File Error", one)

    def test_files_without_end(self):
        one = self.run_one(python("f = open('f', 'wb')\nwhile True: f.write(b'x' * 65536)", copyOut=["f"], clockLimit=20 * SECOND, cpuLimit=10 * SECOND))
        self.assertIn(one["status"], ("Signalled", "Nonzero Exit Status", "Memory Limit Exceeded"))
        one = self.run_one(python("open('f', 'wb').truncate(1 << 27)", copyOut=["f"], copyOutCached=["f"], copyOutTruncate=True))
        self.assertEqual((one["status"], {e["type"] for e in one["fileError"]}), ("File Error", {"CopyOutSizeExceeded"}))
        one = self.run_one(python("import os\nfor i in range(100000): open(str(i), 'w')"))
        self.assertIn("No space left", one["files"]["stderr"])

    def test_bombs(self):
        mark = service.fresh_mark()
        one = self.run_one(python(service.show(mark) + "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", cpuLimit=SECOND, clockLimit=2 * SECOND))
        self.assertEqual(one["status"], "Time Limit Exceeded", one)
        self.assertEqual(service.processes_with(mark), [])
        one = self.run_one(python("x = []\nwhile True: x.append(bytearray(1 << 20))", memoryLimit=64 * MIB))
        self.assertEqual(one["status"], "Memory Limit Exceeded")
        self.assertLessEqual(one["memory"], 64 * MIB)
        one = self.run_one(cmd("/bin/sh", "-c", "sleep 60 & sleep 60 & echo up", clockLimit=5 * SECOND))
        self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", "up\n"))

    def test_there_is_no_network(self):
        code = ("import socket\nfor a in (('127.0.0.1', %d), ('1.1.1.1', 53)):\n  s = socket.socket(); s.settimeout(2)\n"
                "  try: s.connect(a); print('connected')\n  except OSError as e: print('no')" % service.shared().port)
        self.assertEqual(self.run_one(python(code))["files"]["stdout"], "no\nno\n")

    def test_it_is_a_program_like_any_other(self):
        code = """import ctypes, os
status = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)
print(os.getuid() > 1000000, int(status['CapEff'], 16), int(status['CapBnd'], 16), status['NoNewPrivs'], status['Seccomp'])
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), libc.ptrace(0, 0, 0, 0), libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))
def can(path):
  try: open(path, 'w').close(); return True
  except OSError: return False
print([can(p) for p in ('/usr/bin/x', '/etc/passwd', '/x', '/dev/x', '/proc/sys/x', '/usr/bin/python3')])
print(os.path.exists('/root'), os.path.exists('/home'), os.path.exists('/var'), os.path.exists('/sys'), os.path.exists('/run'))"""
        one = self.run_one(python(code))
        self.assertEqual(one["files"]["stdout"], "True 0 0 1 2\n-1 -1 -1\n[False, False, False, False, False, False]\nFalse False False False False\n", one)

    def test_nobody_else_is_seen(self):
        mark = service.fresh_mark()
        secret = python(service.show(mark) + "import time\nopen('mine', 'w').write('x'); open('/tmp/mine', 'w').write('x'); time.sleep(3)")
        spy = python("import os, time\ntime.sleep(1)\nfor d in ('/box', '/tmp', '/dev/shm', '/app'): print(sorted(os.listdir(d)))\n"
                     "print([p for p in os.listdir('/proc') if p.isdigit()])")
        answer = self.run_all(secret, spy)
        self.assertEqual(answer[1]["files"]["stdout"], "[]\n[]\n[]\n[]\n['2']\n", answer[1])

    def test_a_lock_is_none(self):
        # Held on a file that both boxes show, by whoever else: nobody can tell.
        code = ("import fcntl, time\nf = open('/usr/bin/python3', 'rb')\nfor how in (fcntl.LOCK_EX, fcntl.LOCK_SH):\n"
                "  fcntl.flock(f, how | fcntl.LOCK_NB); print('got', flush=True); time.sleep(1)")
        answer = self.run_all(python(code), python(code))
        self.assertEqual([one["files"]["stdout"] for one in answer], ["got\ngot\n"] * 2, answer)

    def test_what_may_be_executed_gives_no_privilege(self):
        code = "for line in open('/proc/self/mounts'):\n  w = line.split()\n  if w[1] in ('/box', '/tmp', '/dev/shm'): print(w[1], sorted(set(w[3].split(',')) & {'nosuid', 'nodev', 'noexec'}))"
        for fields in ({}, {"memoryLimit": 100 * MIB}):
            out = self.run_one(python(code, **fields))["files"]["stdout"]
            self.assertEqual(sorted(set(out.splitlines())), ["/box ['nodev', 'nosuid']", "/dev/shm ['nodev', 'noexec', 'nosuid']", "/tmp ['nodev', 'nosuid']"])

    def test_limits_that_are_too_low_harm_nobody(self):
        for fields in ({"memoryLimit": 1}, {"procLimit": 1}, {"stackLimit": 1}, {"cpuLimit": 1}, {"clockLimit": 1, "cpuLimit": 0}):
            status = self.run_one(cmd("/bin/sh", "-c", "while true; do /bin/true; done", **{"cpuLimit": SECOND // 2} | fields))["status"]
            self.assertNotEqual(status, "Accepted", fields)
            self.assertEqual(self.run_one(cmd("/bin/true"))["status"], "Accepted")

    def test_no_other_door_leads_to_commands(self):
        client = self.connect()
        for language in ("command", "Command"):
            self.assertEqual(client.ask(type="execute_code", language=language, code="x")["code"], "unknown_language")
        listed = json.loads(wire.get(service.shared().host, service.shared().port, "/api/v1/runtimes")[2])
        self.assertNotIn("command", json.dumps(listed))
        self.assertNotIn("command", json.dumps(self.ask("GET", "/api/v2/runtimes")[1]))
        self.assertNotIn("command", json.dumps(self.ask("GET", "/languages")[1]).lower())
        # And what is run there cannot execute what it writes, as ever.
        code = "import os, shutil\nshutil.copy('/usr/bin/python3', 'p')\ntry: os.execv('p', ['p', '-c', 'print(1)'])\nexcept OSError as e: print(e.strerror)"
        self.assertEqual(client.run(code)["output"], "Permission denied\n")
