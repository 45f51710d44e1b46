"""go-judge's interface over HTTP: every field, default, status word and error, and the files between requests."""
import http.client
import json
import subprocess
import tempfile
import time

import cases
import service
import wire
from go_judge_cases import ENV, MIB, SECOND, TOKEN, GoJudgeCase, cmd, form, pipe, python


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

    def test_as_an_ordinary_user(self):
        self.need("c")
        nobody = 65534
        program = service.build_directory() / "cloisterd"
        if subprocess.run(["setpriv", f"--reuid={nobody}", "--clear-groups", "test", "-x", str(program)]).returncode != 0:
            self.skipTest("the build directory cannot be entered by an ordinary user")
        local = service.Daemon({"executor": "local"}, user=nobody)
        self.addCleanup(local.stop)
        source = '#include <stdio.h>\nint main(void) { puts("hi"); return 0; }'
        built = self.run_one(cmd("/usr/bin/gcc", "a.c", "-o", "a", copyIn={"a.c": {"content": source}}, copyOutCached=["a"]), local)
        self.assertEqual(built["status"], "Accepted", built)
        one = self.run_one(cmd("a", copyIn={"a": {"fileId": built["fileIds"]["a"]}}), local)
        self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", "hi\n"), one)

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

    def chained(self, *commands, daemon=None, **fields):
        """What each prints is the next one's input."""
        pipes = [pipe(i, i + 1) for i in range(len(commands) - 1)]
        return self.run_all(*commands, daemon=daemon, pipeMapping=pipes, **fields)

    def test_a_chain(self):
        first = cmd("/usr/bin/seq", "1000", files=[{"content": ""}, None, {"name": "e", "max": 100}])
        second = python("import sys\nfor line in sys.stdin:\n  if '7' in line: print(line, end='')\nprint('done', file=sys.stderr)",
                        files=[None, None, {"name": "e", "max": 100}])
        last = cmd("/usr/bin/wc", "-l", files=[None, {"name": "o", "max": 100}])
        answer = self.chained(first, second, last)
        self.assertEqual([one["status"] for one in answer], ["Accepted"] * 3, answer)
        self.assertEqual((answer[1]["files"], answer[2]["files"]["o"].strip()), ({"e": "done\n"}, "271"))
        # The order of pipes and commands is nobody's concern.
        answer = self.run_all(last, first, second, pipeMapping=[pipe(2, 0), pipe(1, 2)])
        self.assertEqual(answer[0]["files"]["o"].strip(), "271", answer)

    def test_as_many_as_may_be(self):
        daemon = service.Daemon({"boxes": 8})
        self.addCleanup(daemon.stop)
        links = [cmd("/bin/cat", files=[None, None])] * 6
        answer = self.chained(cmd("/bin/cat", files=[{"content": "x" * 200_000}, None]), *links,
                              cmd("/usr/bin/wc", "-c", files=[None, {"name": "o", "max": 100}]), daemon=daemon)
        self.assertEqual([one["status"] for one in answer], ["Accepted"] * 8, answer)
        self.assertEqual(answer[7]["files"]["o"].strip(), "200000")

    def test_a_fan_of_both_streams(self):
        speaker = python("import sys\nfor i in range(1000):\n  print(i)\n  print(-i, file=sys.stderr)", files=[{"content": ""}, None, None])
        adds = python("import sys; print(sum(map(int, sys.stdin)))", files=[None, {"name": "o", "max": 100}, {"name": "e", "max": 1000}])
        answer = self.run_all(speaker, adds, adds, pipeMapping=[pipe(0, 1), pipe(0, 2, fd=2)])
        self.assertEqual([one["status"] for one in answer], ["Accepted"] * 3, answer)
        self.assertEqual([one["files"]["o"] for one in answer[1:]], ["499500\n", "-499500\n"])

    def test_a_ring(self):
        member = ("import sys\n{}\nwhile True:\n  line = sys.stdin.readline()\n  if not line: break\n  n = int(line)\n  print(n + 1, flush=True)\n"
                  "  if n > 60: break\nprint('left', file=sys.stderr)")
        ring = [python(member.format("print(0, flush=True)" if i == 0 else ""), files=[None, None, {"name": "e", "max": 1000}]) for i in range(3)]
        answer = self.run_all(*ring, pipeMapping=[pipe(0, 1), pipe(1, 2), pipe(2, 0)])
        self.assertEqual([(one["status"], one["files"]["e"]) for one in answer], [("Accepted", "left\n")] * 3, answer)

    def test_two_chains_of_one_request(self):
        word = lambda text: cmd("/bin/echo", text, files=[{"content": ""}, None])  # noqa: E731
        hears = cmd("/bin/cat", files=[None, {"name": "o", "max": 100}])
        answer = self.run_all(word("a"), word("b"), hears, hears, pipeMapping=[pipe(0, 3), pipe(1, 2)])
        self.assertEqual([one["files"]["o"] for one in answer[2:]], ["b\n", "a\n"])

    def test_what_passes_is_recorded(self):
        speaker = python("import sys\nsys.stdout.write('x' * 100000)\nsys.stderr.write('why')", files=[{"content": ""}, None, None],
                         copyOut=["log?"], copyOutCached=["err"])
        counts = cmd("/usr/bin/wc", "-c", files=[None, {"name": "o", "max": 100}])
        pipes = [pipe(0, 1, proxy=True, name="log", max=10), pipe(0, 2, fd=2, proxy=True, name="err", max=1000)]
        answer = self.run_all(speaker, counts, counts, pipeMapping=pipes)
        # What is more than it may be passes all the same, and is no fault.
        self.assertEqual([one["status"] for one in answer], ["Accepted"] * 3, answer)
        self.assertEqual((answer[0]["files"], [one["files"]["o"].strip() for one in answer[1:]]), ({"log": "x" * 10}, ["100000", "3"]))
        self.assertEqual(self.ask("GET", "/file/" + answer[0]["fileIds"]["err"]), (200, b"why"))
        self.ask("DELETE", "/file/" + answer[0]["fileIds"]["err"])
        unnamed = self.run_all(speaker | {"copyOut": [], "copyOutCached": []}, counts, counts,
                               pipeMapping=[pipe(0, 1, proxy=True, max=10), pipe(0, 2, fd=2, name="not without a proxy", max=10)])
        self.assertNotIn("files", unnamed[0])

    def test_a_conversation_is_recorded(self):
        asks = python("print('question', flush=True)\nprint(input())", files=[None, None])
        answers = python("input()\nprint('answer')", files=[None, None])
        answer = self.run_all(asks, answers, pipeMapping=[self.FORTH | {"proxy": True, "name": "said", "max": 100}, self.BACK | {"proxy": True, "name": "said", "max": 100}])
        self.assertEqual([one["files"] for one in answer], [{"said": "question\nanswer\n"}, {"said": "answer\n"}])

    def test_one_that_cannot_begin_ends_them_all(self):
        mark = service.fresh_mark()
        waits = python(service.show(mark) + "import time; time.sleep(60)", files=[None, None], cpuLimit=10 * SECOND, clockLimit=20 * SECOND)
        begin = time.monotonic()
        for bad in (cmd("/box/nothing", files=[None, None]), cmd("/bin/cat", files=[None, None], copyIn={"a": {"content": ""}, "a/b": {"content": ""}}),
                    cmd("/bin/cat", files=[None, None], copyIn={"a": {"fileId": "none"}})):
            answer = self.run_all(waits, bad, waits, pipeMapping=[pipe(0, 1), pipe(1, 2), pipe(2, 0)])
            self.assertNotIn("Accepted", [one["status"] for one in answer], answer)
            self.assertEqual([answer[0]["status"], answer[2]["status"]], ["Internal Error"] * 2, answer)
            self.assertEqual(service.processes_with(mark), [])
        self.assertLess(time.monotonic() - begin, 18 * service.SLOW)

    def test_what_cannot_be_had(self):
        two = [cmd("/bin/cat", files=[None, None])] * 2
        for pipes, words in (([pipe(0, 1, fd=0)], "descriptor 1 or 2"), ([self.FORTH | {"out": {"index": 1, "fd": 1}}], "descriptor 0"),
                             ([pipe(0, 1, fd=3)], "only descriptors"), ([self.FORTH | {"out": {"index": 1, "fd": 3}}], "only descriptors"),
                             ([pipe(0, 0)], "itself"), ([pipe(0, 2)], "no command"), ([pipe(2, 0)], "no command"), ([pipe(1 << 63, 0)], "no command"),
                             ([self.FORTH, self.FORTH], "twice"), ([pipe(0, 1), pipe(0, 1, fd=2)], "twice"), ([pipe(0, 1)] * 1000, "twice"),
                             ([self.FORTH | {"proxy": True, "name": "x" * 5000}], "no name"), ([self.FORTH | {"proxy": True, "name": "x", "max": -1}], "max"),
                             ([self.FORTH | {"proxy": 1}], "proxy"), ([{}], "missing"), ([5], "object"), ([{"in": 5, "out": 5}], "missing")):
            self.assertIn(words, self.refused({"cmd": two, "pipeMapping": pipes}))
        nine = [cmd("/bin/cat", files=[None, None])] * 9
        self.assertIn("at most 8", self.refused({"cmd": nine, "pipeMapping": [pipe(i, i + 1) for i in range(8)]}))
        self.assertIn("already", self.refused({"cmd": [cmd("/bin/cat")] * 2, "pipeMapping": [self.FORTH]}))
        collects = cmd("/bin/cat", files=[None, None, {"name": "x", "max": 5}])
        self.assertIn("one name", self.refused({"cmd": [collects] * 2, "pipeMapping": [self.FORTH | {"proxy": True, "name": "x", "max": 5}]}))


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
            self.assertEqual((status, config["symlink"], config["pipeProxy"]), (200, True, True))
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
        self.assertIn("2 boxes", answer)


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
