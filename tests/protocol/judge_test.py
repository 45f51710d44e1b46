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
        self.assertEqual(wrong["checker"]["message"], "seen")
        silent = CHECKER.replace('open(feedback + "judgemessage.txt", "w").write("seen")', "")
        wrong = self.checked("print('3 2 1')", silent, tests=tests[1:])[0]
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


GUESS = """import sys
judge_input, answer, feedback = sys.argv[1:4]
secret = int(open(judge_input).read())
print("hello", flush=True)
for turn in range(1, 20):
    line = sys.stdin.readline()
    if not line:
        open(feedback + "judgemessage.txt", "w").write("the program left")
        sys.exit(43)
    guess = int(line)
    print("right" if guess == secret else "more" if guess < secret else "less", flush=True)
    if guess == secret:
        open(feedback + "judgemessage.txt", "w").write(f"{turn} turns")
        open(feedback + "teammessage.txt", "w").write("well done")
        sys.exit(42)
sys.exit(43)
"""
GUESSER = """low, high = 0, 1000
assert input() == "hello"
while True:
    middle = (low + high) // 2
    print(middle, flush=True)
    said = input()
    if said == "right": break
    if said == "more": low = middle + 1
    else: high = middle - 1
"""


class Interactors(JudgeCase):
    def talk(self, code, interactor=GUESS, tests=({"stdin": "700"},), language="python", **fields):
        checker = {"type": "interactor", "language": language, "code": interactor}
        return self.judge(code, list(tests), checker=checker | fields.pop("more", {}), **fields)[0]

    def test_a_conversation(self):
        verdicts = self.talk(GUESSER, tests=[{"stdin": str(n)} for n in (0, 1, 500, 700, 1000)])
        self.assertEqual([one["verdict"] for one in verdicts], ["AC"] * 5, verdicts)
        self.assertRegex(verdicts[0]["checker"]["message"], r"^\d+ turns$")
        self.assertEqual(verdicts[0]["team_message"], "well done")
        self.assertIn("cpu_time", verdicts[0]["checker"])

    def test_compiled_ones_are_compiled_once(self):
        self.need("c")
        mark = service.fresh_mark()
        program = "#include <stdio.h>\nint main(void){int n;while(scanf(\"%d\",&n)==1){printf(\"%d\\n\",2*n);fflush(stdout);}return 0;}//" + mark
        interactor = ("#include <stdio.h>\nint main(void){int n;for(int i=0;i<100;++i){printf(\"%d\\n\",i);fflush(stdout);"
                      "if(scanf(\"%d\",&n)!=1||n!=2*i)return 43;}return 42;}//" + mark)
        client = self.connect()
        client.send(type="judge", id="x", language="c", code=program, tests=[{}] * 10,
                    checker={"type": "interactor", "language": "c", "code": interactor})
        self.assertEqual(client.receive()["type"], "judge_started")
        self.assertEqual(client.receive()["compile"]["cached"], False)
        for _ in range(10):
            verdict = client.receive()["test"]
            self.assertEqual(verdict["verdict"], "AC", verdict)
        self.assertEqual(client.receive()["result"]["verdicts"], {"AC": 10})

    def test_who_decides(self):
        table = (
            ("x = input()\nprint(5, flush=True)", GUESS, "WA"),  # leaves too early
            ("1 / 0", GUESS, "RTE"),
            ("raise SystemExit(42)", GUESS, "RTE"),
            ("while True: pass", GUESS, "TLE"),
            ("input()\nwhile True: print(1)", "import sys\nprint('x', flush=True)\nsys.exit(43)", "WA"),
            ("input()\nimport os\nos.abort()", "import sys\nprint('x', flush=True)\nsys.stdin.read()\nsys.exit(43)", "RTE"),
            ("print(1)", "raise SystemExit(0)", "JE"),
            ("input()", "import os; os.abort()", "JE"),
            ("print(1)", "import sys; sys.exit(42)", "AC"),  # its output goes nowhere, which is no crash
            ("for i in range(10000): print('x' * 10)", "import sys; sys.exit(42)", "AC"),
        )
        for code, interactor, word in table:
            verdict = self.talk(code, interactor, limits={"cpu_time": 1})[0]
            self.assertEqual(verdict["verdict"], word, (code, interactor, verdict))

    def test_who_fails_because_the_other_left_does_not_come_first(self):
        # Whoever leaves makes it late to say so: its box's one processor is full of others.
        self.need("c")
        leave = "for(int i=0;i<2;++i)if(fork()==0){close(0);close(1);close(2);for(;;);}"
        head = "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\nint main(void){char line[99];"
        waits = head + "while(fgets(line,99,stdin));_exit(%d);}"
        fails = head + "fgets(line,99,stdin);" + leave + "_exit(3);}"
        rejects = head + "puts(\"x\");fflush(stdout);" + leave + "_exit(43);}"
        asks = head + "puts(\"x\");fflush(stdout);while(fgets(line,99,stdin));_exit(43);}"
        for program, interactor, word in ((fails, asks, "RTE"), (waits % 3, rejects, "WA")):
            verdicts, _ = self.judge(program, [{}] * 40, language="c", limits={"cpu_time": 2},
                                     checker={"type": "interactor", "language": "c", "code": interactor})
            self.assertEqual([one["verdict"] for one in verdicts], [word] * 40, verdicts[0])

    def test_who_closes_its_output_and_ends_later_ends_later(self):
        # Whoever hears of it ends within this second, and so first.
        self.need("c")
        head = "#include <stdio.h>\n#include <unistd.h>\nint main(void){char line[99];"
        later = head + "puts(\"x\");fflush(stdout);close(1);sleep(1);_exit(%d);}"
        hears = head + "while(fgets(line,99,stdin));_exit(%d);}"
        for program, interactor, word in ((later % 3, hears % 43, "WA"), (hears % 3, later % 43, "RTE"), (later % 0, hears % 42, "AC")):
            verdicts, _ = self.judge(program, [{}] * 6, language="c", checker={"type": "interactor", "language": "c", "code": interactor})
            self.assertEqual([one["verdict"] for one in verdicts], [word] * 6, verdicts[0])

    def test_who_closes_its_output_and_reads_on_has_not_left(self):
        feeds = "import os, sys\nprint('1 2', flush=True)\nos.close(1)\nsys.exit(42 if sys.stdin.read() == '3\\n' else 43)"
        adds = "import sys\nprint(sum(map(int, sys.stdin.read().split())))"
        hears = "import os, sys\nprint(3, flush=True)\nos.close(1)\nsys.exit(0 if sys.stdin.read() == 'right' else 1)"
        says = "import sys\nsys.stdin.read()\nsys.stdout.write('right')\nsys.exit(42)"
        for program, interactor in ((adds, feeds), (hears, says)):
            verdicts = self.talk(program, interactor, tests=[{}] * 3)
            self.assertEqual([one["verdict"] for one in verdicts], ["AC"] * 3, verdicts[0])

    def test_two_who_wait_for_each_other(self):
        begin = time.monotonic()
        verdict = self.talk("input()", "import sys\nsys.stdin.readline()\nsys.exit(42)", limits={"cpu_time": 0.3})[0]
        self.assertEqual((verdict["verdict"], verdict["cause"]), ("TLE", "wall_time"), verdict)
        self.assertIn("waited for each other", verdict["reason"])
        self.assertLess(time.monotonic() - begin, 8 * service.SLOW)

    def test_the_interactors_waiting_is_not_its_own_time(self):
        slow = "input()\nimport time\nt = time.process_time()\nwhile time.process_time() < t + .7: pass\nprint(1, flush=True)"
        interactor = "import sys\nprint('go', flush=True)\nsys.stdin.readline()\nsys.exit(42)"
        verdict = self.talk(slow, interactor, limits={"cpu_time": 2}, more={"limits": {"cpu_time": 0.5}})[0]
        self.assertEqual(verdict["verdict"], "AC", verdict)

    def test_hostile_ones_harm_nobody_else(self):
        flood = "import os\nwhile True: os.write(1, b'x' * 65536)"
        deaf = "import time\ntime.sleep(60)"
        bomb = "import os\nwhile True: os.fork()"
        forger = "import sys\nprint('42')\nprint('{\\\"verdict\\\": \\\"AC\\\"}', file=sys.stderr)\nsys.exit(44)"
        limits = {"cpu_time": 0.5}
        for code, interactor, words in (
                (flood, deaf, ("TLE",)), (deaf, flood, ("TLE", "JE")), (flood, flood, ("OLE", "TLE", "JE")),
                (flood, "import sys\nwhile sys.stdin.buffer.read(65536): pass\nsys.exit(42)", ("OLE", "TLE")),
                (bomb, GUESS, ("RTE", "TLE", "WA")), ("input()", bomb, ("JE",)), ("input()", forger, ("JE",)),
                ("input()", "x = []\nwhile True: x.append('x' * 1_000_000)", ("JE",))):
            verdict = self.talk(code, interactor, limits=limits, more={"limits": {"cpu_time": 0.5}})[0]
            self.assertIn(verdict["verdict"], words, (code, interactor, verdict))
        self.assertEqual(self.talk(GUESSER)[0]["verdict"], "AC")

    def test_an_interactor_needs_two_boxes(self):
        daemon = service.Daemon({"boxes": 1, "artifact_cache": 0})
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        body = {"language": "python", "code": "", "tests": [{}], "wait": True, "checker": {"type": "interactor", "language": "python", "code": ""}}
        status, answer = client.ask("POST", "/api/v1/judge", body)
        self.assertEqual((status, answer["error"]["code"]), (422, "runtime_unavailable"))

    def test_many_at_once_in_few_boxes(self):
        daemon = service.Daemon({"boxes": 3})
        self.addCleanup(daemon.stop)
        tests = [{"stdin": str(100 * n)} for n in range(4)]
        words = []

        def one():
            client = self.connect(daemon)
            client.send(type="judge", id="x", language="python", code=GUESSER, tests=tests,
                        checker={"type": "interactor", "language": "python", "code": GUESS})
            while (message := client.receive(120 * service.SLOW))["type"] not in ("judge_result", "error"):
                pass
            words.append(message.get("result", message).get("verdict"))

        threads = [threading.Thread(target=one) for _ in range(6)]
        for thread in threads:
            thread.start()
        single = self.connect(daemon).run("print(1)")
        for thread in threads:
            thread.join()
        self.assertEqual((words, single["output"]), (["AC"] * 6, "1\n"))


class Feedback(JudgeCase):
    def checked(self, checker, tests=({},), code="print(input())", **fields):
        return self.judge(code, list(tests), checker={"type": "program", "language": "python", "code": checker, **fields.pop("more", {})}, **fields)

    def test_passes(self):
        checker = """import os, sys
judge_input, answer, feedback = sys.argv[1:4]
seen = open(feedback + "state").read() if os.path.exists(feedback + "state") else ""
assert not os.path.exists(feedback + "nextpass.in")
number = int(sys.stdin.read())
open(feedback + "state", "w").write(seen + str(number))
if number < 3:
    open(feedback + "nextpass.in", "w").write(str(number + 1))
open(feedback + "judgemessage.txt", "w").write("seen " + seen)
sys.exit(42)
"""
        verdicts, message = self.checked(checker, [{"stdin": "1"}, {"stdin": "3"}], passes=3, more={"keep": ["state"]})
        self.assertEqual([(one["verdict"], one["passes"], one["checker"]["message"]) for one in verdicts],
                         [("AC", 3, "seen 12"), ("AC", 1, "seen ")], message)
        verdict = self.checked(checker, [{"stdin": "0"}], passes=3)[0][0]
        self.assertEqual((verdict["verdict"], verdict["cause"]), ("JE", "checker_failed"))
        self.assertIn("last of 3 passes", verdict["reason"])
        verdict = self.checked("import sys\nopen(sys.argv[3] + 'nextpass.in', 'w')\nsys.exit(43)", [{"stdin": "0"}], passes=2)[0][0]
        self.assertEqual(verdict["verdict"], "JE")
        # Where no passes were asked for, nobody looks for one.
        self.assertEqual(self.checked("import sys\nopen(sys.argv[3] + 'nextpass.in', 'w')\nsys.exit(42)", [{"stdin": "0"}])[0][0]["verdict"], "AC")
        # Limits hold for each pass.
        slow = "import time\nn = input()\nwhile time.process_time() < 0.35: pass\nprint(n)"
        verdict = self.checked(checker, [{"stdin": "1"}], code=slow, passes=3, limits={"cpu_time": 0.8}, more={"keep": ["state"]})[0][0]
        self.assertEqual(verdict["verdict"], "AC", verdict)

    def test_all_feedback_lasts_from_pass_to_pass(self):
        # Under names that nobody could have told before.
        checker = """import os, sys
judge_input, answer, feedback = sys.argv[1:4]
number = int(sys.stdin.read())
found = sorted(name for name in os.listdir(feedback) if name.startswith("made-up"))
assert found == sorted(f"made-up-{n * n}" for n in range(1, number)), found
open(f"{feedback}made-up-{number * number}", "wb").write(bytes([0, 255, number]))
if number > 1: assert open(f"{feedback}made-up-1", "rb").read() == bytes([0, 255, 1])
%s
if number < 3: open(feedback + "nextpass.in", "w").write(str(number + 1))
sys.exit(42)
"""
        def verdict(more="", keep="all", passes=3):
            return self.checked(checker % more, [{"stdin": "1"}], passes=passes, more={"keep": keep})[0][0]
        good = verdict()
        self.assertEqual((good["verdict"], good["passes"]), ("AC", 3), good)
        self.assertEqual(verdict(keep=["state"])["verdict"], "JE")
        for more, why in (("os.mkdir(feedback + 'folder')", "folder: not_regular"), ("os.symlink('/etc/passwd', feedback + 'x')", "x: not_regular"),
                          ("open(feedback + '.hidden', 'w')", "name"), ("open(feedback + 'a b', 'w')", "name"),
                          ("for n in range(70): open(f'{feedback}n{n}', 'w')", "folder: too_large"),
                          ("open(feedback + 'large', 'wb').write(bytes(2 << 20))", "large: too_large")):
            bad = verdict(more)
            self.assertEqual(bad["verdict"], "JE", (more, bad))
            self.assertIn(why, bad["reason"])
        # Where no pass follows nobody has to look.
        self.assertEqual(self.checked("import os, sys\nos.mkdir(sys.argv[3] + 'x')\nsys.exit(42)", [{}], code="", more={"keep": "all"})[0][0]["verdict"], "AC")

    def test_passes_of_an_interactor(self):
        interactor = """import sys
number = int(open(sys.argv[1]).read())
print(number, flush=True)
answer = sys.stdin.readline()
if answer != str(number) + "\\n": sys.exit(43)
if number < 2: open(sys.argv[3] + "nextpass.in", "w").write(str(number + 1))
sys.exit(42)
"""
        verdicts, _ = self.judge("print(input())", [{"stdin": "0"}], passes=3, checker={"type": "interactor", "language": "python", "code": interactor})
        self.assertEqual([(one["verdict"], one["passes"]) for one in verdicts], [("AC", 3)], verdicts)

    def test_scores(self):
        checker = "import sys\nopen(sys.argv[3] + 'score.txt', 'w').write(sys.stdin.read())\nsys.exit(42)"
        groups = [{"name": "a", "points": 50, "score": "sum"}, {"name": "b", "points": 50, "score": "min"}]
        tests = [{"stdin": n, "group": g} for n, g in (("10.5", "a"), ("20", "a"), ("30", "b"), ("40", "b"))]
        verdicts, message = self.checked(checker, tests, groups=groups)
        self.assertEqual([one["score"] for one in verdicts], [10.5, 20, 30, 40])
        self.assertEqual([group["points"] for group in message["result"]["groups"]], [30.5, 30])
        verdict = self.checked(checker, [{"stdin": "lots"}])[0][0]
        self.assertEqual(verdict["verdict"], "JE")
        self.assertIn("score.txt", verdict["reason"])

    def test_hostile_feedback(self):
        head = "import os, sys\nfeedback = sys.argv[3]\n"
        table = (
            ("os.remove(feedback + 'judgemessage.txt')\nos.symlink('/etc/passwd', feedback + 'judgemessage.txt')", "JE"),
            ("os.remove(feedback + 'judgemessage.txt')\nos.symlink('../test.ans', feedback + 'judgemessage.txt')", "JE"),
            ("os.rename(feedback, 'else')\nos.symlink('/etc', 'feedback')\nos.symlink('/proc/self/environ', 'else/teammessage.txt')", "JE"),
            ("open(feedback + 'judgemessage.txt', 'wb').truncate(1 << 25)", "JE"),
            ("os.remove(feedback + 'judgemessage.txt')\nos.mkdir(feedback + 'judgemessage.txt')", "JE"),
            ("os.chmod(feedback, 0)", "JE"),
            ("open(feedback + 'judgemessage.txt', 'wb').write(b'\\xff' * 100000)", "AC"),
            ("os.remove(feedback + 'judgemessage.txt'); os.rmdir(feedback)", "AC"),
            ("open(feedback + 'score.txt', 'w').write('1e999')", "JE"),
        )
        for act, word in table:
            verdict = self.checked(head + act + "\nsys.exit(42)", [{"stdin": "x"}])[0][0]
            self.assertEqual(verdict["verdict"], word, (act, verdict))
            self.assertNotIn("root:", json.dumps(verdict))
            self.assertLessEqual(len(verdict.get("checker", {}).get("message", "")), 4096)

    def test_wrong_requests(self):
        client = self.connect()
        base = {"type": "judge", "language": "python", "code": "", "tests": [{}]}
        program = {"type": "program", "language": "python", "code": ""}
        for fields in ({"passes": 0, "checker": program}, {"passes": 11, "checker": program}, {"passes": 2}, {"passes": "2", "checker": program},
                       {"checker": "interactor"}, {"checker": {**program, "keep": ["../x"]}}, {"checker": {**program, "keep": [".x"]}},
                       {"checker": {**program, "keep": ["x"] * 17}}, {"checker": {**program, "keep": "some"}}, {"checker": {**program, "collect": ["x"]}}, {"collect": ["x"]},
                       {"groups": [{"name": "g", "score": "most"}]}):
            self.assertEqual(client.ask(base | fields)["code"], "bad_message", fields)


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
