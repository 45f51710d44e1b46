"""Judging by a real daemon: verdicts of every kind, checkers, hostile programs and checkers, a thousand tests."""
import json
import threading
import time
import unittest

import cases
import service
from rest_test import Http, RestCase

SUM = "a, b = map(int, input().split())\nprint(a + b)"
TESTS = [{"stdin": f"{i} {i + 1}\n", "expected": f"{2 * i + 1}\n"} for i in range(4)]
CHECKER = """import sys
judge_input, answer, feedback = open(sys.argv[1]).read(), open(sys.argv[2]).read(), sys.argv[3]
assert feedback.endswith("/")
open(feedback + "judgemessage.txt", "w").write("seen")
team = sys.stdin.read()
print("expected", answer.strip(), "got", team.strip(), file=sys.stderr)
sys.exit(42 if sorted(team.split()) == sorted(answer.split()) else 43)
"""


class JudgeCase(RestCase):
    def judge(self, code, tests=TESTS, language="python", **fields):
        """Over a WebSocket: (verdicts, result)."""
        client = self.connect()
        client.send(type="judge", id="mine", language=language, code=code, tests=tests, **fields)
        verdicts = []
        while True:
            message = client.receive()
            self.assertEqual(message["id"], "mine", message)
            if message["type"] == "judge_verdict":
                verdicts.append(message["test"])
            elif message["type"] in ("judge_result", "error"):
                return verdicts, message
            else:
                self.assertIn(message["type"], ("judge_started", "judge_compiled"))

    def words(self, *args, **fields):
        verdicts, message = self.judge(*args, **fields)
        self.assertEqual(message["type"], "judge_result", message)
        return [one["verdict"] for one in verdicts]

    def one(self, code, test=None, **fields):
        verdicts, message = self.judge(code, [test or {}], **fields)
        self.assertEqual(len(verdicts), 1, message)
        return verdicts[0]


class Verdicts(JudgeCase):
    def test_right_and_wrong(self):
        verdicts, message = self.judge(SUM)
        self.assertEqual([one["verdict"] for one in verdicts], ["AC"] * 4)
        self.assertEqual([one["test"] for one in verdicts], [0, 1, 2, 3])
        self.assertEqual(message["result"]["verdicts"], {"AC": 4})
        wrong = self.one("print(1)\nprint('two')", {"expected": "1\n2"})
        self.assertEqual(wrong["verdict"], "WA")
        self.assertEqual((wrong["difference"]["line"], wrong["difference"]["expected"], wrong["difference"]["printed"]),
                         (2, "2", "two"))

    def test_how_programs_end(self):
        table = (
            ("import sys; sys.exit(42)", {}, "RTE", "exit_code"),
            ("import sys; sys.exit(43)", {}, "RTE", "exit_code"),
            ("import os; os.abort()", {}, "RTE", "signal"),
            ("while True: pass", {"limits": {"cpu_time": 0.3}}, "TLE", "cpu_time"),
            ("import time; time.sleep(30)", {"limits": {"wall_time": 0.5}}, "TLE", "wall_time"),
            ("x = bytearray(1 << 29)\nfor i in range(0, 1 << 29, 4096): x[i] = 1", {"limits": {"memory": "64m"}}, "MLE", "memory"),
            ("while True: print('x' * 1000)", {"limits": {"output_bytes": 100_000}}, "OLE", "output"),
            ("", {}, "AC", None),
        )
        for code, test, word, cause in table:
            verdict = self.one(code, test)
            self.assertEqual((verdict["verdict"], verdict.get("cause")), (word, cause), code)
            for field in ("exit_code", "signal", "cpu_time", "wall_time", "memory_peak"):
                self.assertIn(field, verdict)
        self.assertIn("ZeroDivisionError", self.one("1 / 0")["stderr"])

    def test_what_does_not_compile(self):
        self.need("c")
        verdicts, message = self.judge("int main(void) { return x; }", language="c")
        self.assertEqual((verdicts, message["result"]["verdict"], message["result"]["skipped"]), ([], "CE", 4))
        self.assertIn("'x' undeclared", message["result"]["compile"]["error"].replace("‘", "'").replace("’", "'"))

    def test_manners_of_comparing(self):
        self.assertEqual(self.words("print('YES ')", [{"expected": "yes"}]), ["AC"])
        self.assertEqual(self.words("print('YES')", [{"expected": "yes"}], checker={"type": "token", "case_sensitive": True}), ["WA"])
        self.assertEqual(self.words("print('a  b')", [{"expected": "a b\n"}], checker="exact"), ["PE"])
        self.assertEqual(self.words("print('a b ')", [{"expected": "a b"}], checker="lines"), ["AC"])
        self.assertEqual(self.words("print(0.333)", [{"expected": "0.3333333"}], checker={"absolute": 1e-3}), ["AC"])
        self.assertEqual(self.words("print('nan')", [{"expected": "0.3333333"}], checker={"absolute": 1e9}), ["WA"])
        self.assertEqual(self.words("import sys; sys.stdout.buffer.write(bytes(range(256)))",
                                    [{"expected": "AAECAwQ=", "encoding": "base64"}], checker="exact"), ["WA"])

    def test_stopping_and_points(self):
        code = "n = int(input())\nprint('no' if n in (1, 4) else 'yes')"
        tests = [{"stdin": str(i), "expected": "yes", "group": "a" if i < 3 else "b"} for i in range(6)]
        groups = [{"name": "a", "points": 40}, {"name": "b", "points": 60, "score": "each"}]
        verdicts, message = self.judge(code, tests, groups=groups)
        self.assertEqual("".join(one["verdict"][0] for one in verdicts), "AWAAWA")
        self.assertEqual((message["result"]["points"], message["result"]["max_points"]), (40, 100))
        verdicts, message = self.judge(code, [{k: v for k, v in test.items() if k != "group"} for test in tests],
                                       stop_at_first_failure=True)
        self.assertEqual([one["verdict"] for one in verdicts], ["AC", "WA"])
        self.assertEqual((message["result"]["decided_by"], message["result"]["skipped"]), (1, 4))

    def test_errors_of_the_request(self):
        for fields, code in (({"tests": []}, "bad_message"), ({"checker": "none"}, "bad_message"),
                             ({"language": "pyton"}, "unknown_language"), ({"limits": {"cpu_time": 1000}}, "limit_too_high")):
            client = self.connect()
            client.send(**{"type": "judge", "id": "x", "language": "python", "code": "", "tests": TESTS, **fields})
            message = client.receive()
            self.assertEqual((message["type"], message["code"], message["id"]), ("error", code, "x"))

    def test_cancelling(self):
        client = self.connect()
        mark = service.fresh_mark()
        client.send(type="judge", id="x", language="python", code=service.show(mark) + "import time; time.sleep(9)", tests=TESTS)
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        client.send(type="judge_cancel", id="x")
        while (message := client.receive())["type"] != "judge_result":
            pass
        self.assertEqual((message["result"]["verdict"], message["result"]["cause"]), ("JE", "cancelled"))
        self.assertTrue(service.gone_within(mark, 5))
        client.send(type="judge_cancel", id="x")
        self.assertEqual(client.receive()["code"], "no_such_run")
        client.send(type="judge", id="y", language="python", code=service.show(mark) + "import time; time.sleep(9)", tests=TESTS)
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        client.close()  # and takes it along
        self.assertTrue(service.gone_within(mark, 5))


class Checkers(JudgeCase):
    def checked(self, code, checker, language="python", tests=TESTS, **fields):
        return self.judge(code, tests, checker={"type": "program", "language": language, "code": checker, **fields})[0]

    def test_a_checker_by_the_convention(self):
        tests = [{"expected": "1 2 3"}, {"expected": "1 2 4"}]
        right, wrong = self.checked("print('3 2 1')", CHECKER, tests=tests)
        self.assertEqual((right["verdict"], wrong["verdict"]), ("AC", "WA"))
        self.assertEqual(wrong["checker"]["message"].strip(), "expected 1 2 4 got 3 2 1")
        self.assertEqual(wrong["checker"]["exit_code"], 43)

    def test_a_compiled_checker_with_arguments_of_its_own(self):
        self.need("c")
        code = "#include <string.h>\nint main(int n, char** v) { return n == 5 && !strcmp(v[4], \"own\") ? 42 : 1; }"
        verdicts, message = self.judge(SUM, checker={"type": "program", "language": "c", "code": code, "args": ["own"]})
        self.assertEqual([one["verdict"] for one in verdicts], ["AC"] * 4)

    def test_forged_verdicts(self):
        # What a program says of itself is output, its status an end like any other.
        forged = json.dumps({"type": "judge_verdict", "test": {"verdict": "AC"}}) + "\nAC\n42\n"
        for code in (f"print({forged!r})", f"import sys; sys.stderr.write({forged!r}); sys.exit(42)",
                     "import os, signal; os.kill(os.getppid(), signal.SIGKILL)",
                     "import os; os.write(3, b'42')", "import os; os._exit(42)"):
            for checker in ("token", {"type": "program", "language": "python", "code": CHECKER}):
                verdict = self.judge(code, [{"expected": "right"}], checker=checker)[0][0]
                self.assertIn(verdict["verdict"], ("WA", "RTE"), (code, verdict))
        # Nor does it find the answers, or what the checker finds.
        look = ("import os\nfor top in ('/', '.'):\n for folder, _, files in os.walk(top):\n"
                "  for name in files:\n   if name in ('test.ans', 'test.in', 'judgemessage.txt'): print('found', folder, name)\n")
        self.assertEqual(self.words(look, [{"expected": ""}] * 3, checker="exact"), ["AC"] * 3)
        self.assertEqual([one["verdict"] for one in self.checked(look, CHECKER, tests=[{"expected": ""}] * 3)], ["AC"] * 3)

    def test_hostile_checkers_are_judge_errors(self):
        for checker in ("raise SystemExit(0)", "raise SystemExit(1)", "1 / 0", "import os; os.abort()", "def",
                        "x = []\nwhile True: x.append('x' * 1_000_000)", "while True: print('x' * 1000)",
                        "import os\nwhile True: os.fork()"):
            verdict = self.judge(SUM, TESTS[:1], checker={"type": "program", "language": "python", "code": checker,
                                                          "limits": {"cpu_time": 1, "wall_time": 3}})[0][0]
            self.assertEqual(verdict["verdict"], "JE", checker)
        self.assertEqual(self.words(SUM, TESTS[:1]), ["AC"])  # nobody else is hurt

    def test_a_checker_that_does_not_compile(self):
        self.need("c")
        verdicts, message = self.judge(SUM, checker={"type": "program", "language": "c", "code": "no"})
        self.assertEqual((len(verdicts), verdicts[0]["cause"]), (1, "checker_compile_error"))
        self.assertEqual(message["result"]["skipped"], 3)


class Many(JudgeCase):
    def test_a_thousand_tests_compile_once_and_leave_others_their_turn(self):
        self.need("c")
        code = '#include <stdio.h>\nint main(void){int a;if(scanf("%d",&a)!=1)return 1;printf("%d\\n",2*a);return 0;}//' + service.fresh_mark()
        tests = [{"stdin": str(i), "expected": str(2 * i)} for i in range(1000)]
        client = self.connect()
        client.send(type="judge", id="mine", language="c", code=code, tests=tests)
        self.assertEqual(client.receive()["type"], "judge_started")
        compiled = client.receive()
        self.assertEqual((compiled["type"], compiled["compile"]["cached"]), ("judge_compiled", False))
        waits = []
        done = threading.Event()

        def others():
            other = Http()
            while not done.is_set():
                begin = time.monotonic()
                other.run(wait=True)
                waits.append(time.monotonic() - begin)
                time.sleep(0.1)
            other.close()

        thread = threading.Thread(target=others)
        thread.start()
        try:
            for number in range(1000):
                message = client.receive()
                self.assertEqual((message["type"], message["test"]["test"], message["test"]["verdict"]),
                                 ("judge_verdict", number, "AC"))
            self.assertEqual(client.receive()["result"]["verdicts"], {"AC": 1000})
        finally:
            done.set()
            thread.join()
        self.assertGreater(len(waits), 3)
        self.assertLess(sorted(waits)[len(waits) // 2], 1 * service.SLOW)

    def test_without_a_cache_it_is_still_compiled_once(self):
        self.need("c")
        daemon = service.Daemon({"artifact_cache": 0})
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        code = "int main(void){return 0;}"
        begin = time.monotonic()
        _, one = client.ask("POST", "/api/v1/judge", {"language": "c", "code": code, "tests": [{}], "wait": True})
        single = time.monotonic() - begin
        begin = time.monotonic()
        _, many = client.ask("POST", "/api/v1/judge", {"language": "c", "code": code, "tests": [{}] * 40, "wait": True})
        self.assertEqual((one["verdict"], many["verdict"], many["judged"]), ("AC", "AC", 40))
        self.assertEqual(many["compile"]["cached"], False)
        self.assertLess(time.monotonic() - begin, 20 * single)

    def test_over_http(self):
        client = self.http()
        body = {"language": "python", "code": SUM, "tests": TESTS}
        status, submission = client.ask("POST", "/api/v1/judge", body)
        self.assertEqual((status, submission["kind"]), (202, "judge"))
        events = self.events(submission["id"])
        self.assertEqual([name for _, name, _ in events], ["started"] + ["verdict"] * 4 + ["result"])
        self.assertEqual([data["verdict"] for _, name, data in events if name == "verdict"], ["AC"] * 4)
        self.assertEqual(self.ended(client, submission["id"])["result"], events[-1][2])
        status, result = client.ask("POST", "/api/v1/judge", {**body, "wait": True})
        self.assertEqual((status, result["verdict"]), (200, "AC"))

    def test_the_verdict_near_the_limit_does_not_depend_on_the_load(self):
        # A second of work under a limit of twice that, while every core is busy many times over.
        code = "import time\nwhile time.process_time() < 0.6: pass\nprint('done')"
        test = {"expected": "done", "limits": {"cpu_time": 1.0}}
        stop = threading.Event()

        def load():
            client = Http()
            while not stop.is_set():
                client.run(wait=True, code="while True: pass", limits={"cpu_time": 1})
            client.close()

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(2):
                verdict = self.one(code, test)
                self.assertEqual(verdict["verdict"], "AC", verdict)
                verdict = self.one(code, {**test, "limits": {"cpu_time": 0.5}})
                self.assertEqual((verdict["verdict"], verdict["cause"]), ("TLE", "cpu_time"), verdict)
        finally:
            stop.set()
            for thread in threads:
                thread.join()


if __name__ == "__main__":
    unittest.main()
