"""`cloister judge` as a user has it: packages against a daemon, a daemon of its own, what it prints, how it ends."""
import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import cases
import service

PACKAGES = service.SOURCE / "tests" / "judge" / "packages"
RUN_FOLDER = Path("/run/cloister")


def own_folders():
    return {path.name for path in RUN_FOLDER.glob("judge-*")} if RUN_FOLDER.exists() else set()


def children(pid):
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def ports_of(pid):
    """Where the process's TCP connections lead."""
    sockets = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        found = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(fd))
        if found:
            sockets.add(found.group(1))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(words[2].split(":")[1], 16) for words in lines if words[9] in sockets and words[3] == "01"}


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds * service.SLOW
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class PackageCase(cases.Case):
    def folder(self):
        folder = tempfile.TemporaryDirectory(prefix="cloister-package-")
        self.addCleanup(folder.cleanup)
        os.chmod(folder.name, 0o755)  # who reads a package is not root
        return Path(folder.name)

    def copy(self, name):
        place = self.folder() / name
        shutil.copytree(PACKAGES / name, place)
        return place

    def write(self, path, text):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def words(self, package, *options, daemon=None):
        daemon = daemon or service.shared()
        return [str(service.build_directory() / "cloister"), "judge", str(package), "--daemon",
                f"http://{daemon.host}:{daemon.port}/", *options]

    def judge(self, package, *options, daemon=None, words=None, **fields):
        """(exit status, table, errors)"""
        done = subprocess.run(words or self.words(package, *options, daemon=daemon), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=110 * service.SLOW, **fields)
        return done.returncode, done.stdout, done.stderr

    def report(self, package, *options, daemon=None):
        """(exit status, the report)"""
        status, out, errors = self.judge(package, "--json", "-", *options, daemon=daemon)
        self.assertTrue(out, errors)
        return status, json.loads(out)

    def refused(self, package, what, *options, **fields):
        status, _, errors = self.judge(package, *options, **fields)
        self.assertEqual(status, 2, errors)
        self.assertIn(what, errors)

    def verdicts(self, report):
        return {one["name"]: one.get("verdict") for one in report["submissions"]}


class Packages(PackageCase):
    def test_a_legacy_package(self):
        self.need("c")
        folder = self.folder()
        status, out, errors = self.judge(PACKAGES / "halves", "--junit", str(folder / "j.xml"), "--json", str(folder / "j.json"))
        self.assertEqual(status, 0, out + errors)
        self.assertIn("Halves (legacy, pass-fail), 3 tests\n", out)
        self.assertRegex(out, r"input validators +ok +2 on 3 inputs and 1 invalid ones\n")
        self.assertRegex(out, r"time limit +1 s \(the package's\)\n")
        self.assertRegex(out, r"accepted/halves\.c +AC +AC +0\.\d{3} s +\d+ MiB +ok\n")
        self.assertRegex(out, r"time_limit_exceeded/counts\.py +TLE +TLE +[2-9]\.\d{3} s +\d+ MiB +ok\n")
        self.assertIn("5 of 5 submissions as expected\n", out)
        suite = ElementTree.parse(folder / "j.xml").getroot().find("testsuite")
        self.assertEqual((suite.get("name"), suite.get("tests"), suite.get("failures"), suite.get("errors")), ("Halves", "6", "0", "0"))
        self.assertEqual([case.get("name") for case in suite.iter("testcase")],
                         ["input validators", "accepted/halves.c", "accepted/halves.py", "run_time_error/crash.py",
                          "time_limit_exceeded/counts.py", "wrong_answer/whole.py"])
        report = json.loads((folder / "j.json").read_text())
        self.assertEqual((report["ok"], report["time_limit"], report["format"]), (True, 1, "legacy"))
        self.assertEqual(self.verdicts(report), {
            "accepted/halves.c": "AC", "accepted/halves.py": "AC", "run_time_error/crash.py": "RTE",
            "time_limit_exceeded/counts.py": "TLE", "wrong_answer/whole.py": "WA"})
        whole = report["submissions"][4]
        self.assertEqual(whole["decided_by"], "sample/1")
        self.assertEqual([test["judged"] for test in whole["tests"]], [True, False, False])  # on_reject: break

    def test_a_package_of_2025_09_with_a_validator_of_its_own(self):
        self.need("cpp")
        status, report = self.report(PACKAGES / "pairs")
        self.assertEqual(status, 0, report)
        self.assertEqual([check["name"] for check in report["checks"]], ["input validators", "output validator"])
        self.assertEqual(self.verdicts(report), {"accepted/folder": "AC", "accepted/split.py": "AC", "rejected/careful.py": "WA",
                                                 "wrong_answer/never.py": "WA"})
        careful = next(one for one in report["submissions"] if one["name"] == "rejected/careful.py")
        self.assertEqual([test["verdict"] for test in careful["tests"]], ["AC", "WA", "AC"])
        self.assertIn("the manner is wrong", careful["tests"][1]["message"])

    def test_validators_in_each_language(self):
        # The same question of the same submissions, asked by programs in three languages; Java's in several files and classes.
        output = {
            "java": {"output_validator/Validate.java": """import java.io.*;
import java.nio.file.*;
import java.util.*;

public class Validate {
    public static void main(String[] words) throws IOException {
        long sum = new Scanner(Path.of(words[0])).nextLong();
        Scanner team = new Scanner(System.in);
        Verdict verdict = new Verdict(words[2]);
        if (!team.hasNextLong()) verdict.reject("two numbers are missing");
        long one = team.nextLong();
        if (!team.hasNextLong()) verdict.reject("two numbers are missing");
        long other = team.nextLong();
        boolean loud = words.length > 3 && words[3].equals("loud");
        if (!(team.hasNext() ? team.next() : "").equals(loud ? "!" : "")) verdict.reject("the manner is wrong");
        if (one + other != sum) verdict.reject("the sum is wrong");
        System.exit(42);
    }
}
""", "output_validator/Verdict.java": """import java.io.*;
import java.nio.file.*;

class Verdict {
    private final Path folder;
    Verdict(String folder) { this.folder = Path.of(folder); }
    void reject(String why) throws IOException {
        Files.writeString(folder.resolve("judgemessage.txt"), why + "\\n");
        System.exit(43);
    }
}
"""},
            "python": {"output_validator/validate.py": """import sys
total = int(open(sys.argv[1]).read())
words = sys.stdin.read().split()
def reject(why):
    open(sys.argv[3] + "judgemessage.txt", "w").write(why)
    sys.exit(43)
if len(words) < 2: reject("two numbers are missing")
if words[2:] != (["!"] if sys.argv[4:] == ["loud"] else []): reject("the manner is wrong")
if int(words[0]) + int(words[1]) != total: reject("the sum is wrong")
sys.exit(42)
"""}}
        number = {
            "java": {"input_validators/Format.java": """import java.nio.charset.StandardCharsets;

public class Format {
    public static void main(String[] words) throws java.io.IOException {
        String text = new String(System.in.readAllBytes(), StandardCharsets.UTF_8);
        System.exit(text.matches("[0-9]{1,9}\\n") && Long.parseLong(text.strip()) <= 1000 ? 42 : 43);
    }
}
"""},
            "cpp": {"input_validators/format.cpp": """#include <iostream>
#include <iterator>
#include <regex>
int main() {
    const std::string text((std::istreambuf_iterator<char>(std::cin)), {});
    return std::regex_match(text, std::regex("[0-9]{1,9}\\n")) && std::stol(text) <= 1000 ? 42 : 43;
}
"""}}
        for outputs, inputs in (("java", "java"), ("python", "cpp")):
            with self.subTest(outputs, inputs=inputs):
                self.need(outputs)
                self.need(inputs)
                package = self.copy("pairs")
                shutil.rmtree(package / "output_validator")
                shutil.rmtree(package / "input_validators")
                for path, text in (output[outputs] | number[inputs]).items():
                    self.write(package / path, text)
                status, report = self.report(package, "--submission", "*/*.py")
                self.assertEqual(status, 0, report)
                self.assertEqual([check["ok"] for check in report["checks"]], [True, True], report["checks"])
                self.assertEqual(self.verdicts(report), {"accepted/split.py": "AC", "rejected/careful.py": "WA", "wrong_answer/never.py": "WA"})
                careful = next(one for one in report["submissions"] if one["name"] == "rejected/careful.py")
                self.assertIn("the manner is wrong", careful["tests"][1]["message"])
                # One that cannot be compiled, or ends as no validator does, is a fault of the package, not of a submission.
                path = next(iter(output[outputs]))
                self.write(package / path, "no program" if outputs == "java" else "import sys; sys.exit(0)")
                status, report = self.report(package, "--submission", "accepted/*.py")
                self.assertEqual((status, self.verdicts(report)), (1, {"accepted/split.py": "JE"}), report)

    def test_scores_and_a_limit_that_is_derived(self):
        status, report = self.report(PACKAGES / "stairs")
        self.assertEqual(status, 0, report)
        self.assertEqual({one["name"]: one["score"] for one in report["submissions"]},
                         {"accepted/sum.py": 100, "partially_accepted/table.py": 40, "wrong_answer/square.py": 0})
        self.assertRegex(report["time_limit_source"], r"accepted/sum\.py, 3 times")
        self.assertEqual(report["time_limit"], 1)

    def test_scores_of_2025_09(self):
        status, report = self.report(PACKAGES / "steps")
        self.assertEqual(status, 0, report)
        self.assertEqual({one["name"]: one["score"] for one in report["submissions"]},
                         {"accepted/square.py": 100, "rejected/most.py": 75, "rejected/none.py": 0, "rejected/small.py": 30})

    def test_an_interactive_package(self):
        status, report = self.report(PACKAGES / "guess")
        self.assertEqual(status, 0, report)
        self.assertEqual(self.verdicts(report), {"accepted/halves.py": "AC", "run_time_error/leaves.py": "RTE",
                                                 "time_limit_exceeded/thinks.py": "TLE", "wrong_answer/counts.py": "WA"})
        self.assertRegex(report["submissions"][0]["tests"][1]["message"], r"found in \d+ turns")

    def test_a_package_of_several_passes(self):
        status, report = self.report(PACKAGES / "relay")
        self.assertEqual(status, 0, report)
        self.assertEqual(self.verdicts(report), {"accepted/letters.py": "AC", "wrong_answer/forgets.py": "WA"})
        self.assertIn("second pass: ['5']", report["submissions"][0]["tests"][0]["message"])

    def test_a_submission_that_is_not_what_is_expected(self):
        package = self.copy("stairs")
        shutil.copy(package / "submissions/accepted/sum.py", package / "submissions/wrong_answer/right.py")
        self.write(package / "submissions/accepted/broken.c", "int main(void) { return x; }\n")
        self.need("c")
        junit = self.folder() / "j.xml"
        status, out, _ = self.judge(package, "--junit", str(junit))
        self.assertEqual(status, 1)
        self.assertRegex(out, r"wrong_answer/right\.py +WA +AC +100 .*NOT OK\n +no test is WA\n")
        self.assertRegex(out, r"accepted/broken\.c +AC +CE .*NOT OK\n")
        self.assertIn("undeclared", out)
        self.assertIn("3 of 5 submissions as expected", out)
        suite = ElementTree.parse(junit).getroot().find("testsuite")
        self.assertEqual((suite.get("tests"), suite.get("failures")), ("6", "2"))
        self.assertEqual([case.find("failure").get("message") for case in suite.iter("testcase") if case.find("failure") is not None],
                         ["expected AC, got CE", "expected WA, got AC"])

    def test_inputs_that_validators_do_not_like(self):
        package = self.copy("halves")
        self.need("c")
        self.write(package / "data/sample/1.in", "3 \n")
        self.write(package / "data/invalid_input/fine.in", "3\n")
        status, report = self.report(package, "--submission", "accepted/*.py")
        self.assertEqual(status, 1)
        check = report["checks"][0]
        self.assertFalse(check["ok"])
        self.assertEqual(check["complaints"], ["sample/1: input_validators/number.py ends with 43",
                                               "invalid_input/fine: every validator accepts it"])
        self.assertTrue(report["submissions"][0]["ok"])

    def test_outputs_that_the_validator_is_to_know(self):
        package = self.copy("pairs")
        self.need("cpp")
        shutil.copy(package / "data/valid_output/other.out", package / "data/invalid_output/sum.out")
        self.write(package / "data/valid_output/other.out", "nothing\n")
        status, report = self.report(package, "--submission", "accepted/split.py")
        self.assertEqual(status, 1)
        complaints = report["checks"][1]["complaints"]
        self.assertEqual(len(complaints), 2)
        self.assertIn("valid_output/other: WA", complaints[0])
        self.assertIn("invalid_output/sum: AC", complaints[1])

    def test_a_validator_that_fails_is_nobodys_verdict(self):
        package = self.copy("pairs")
        shutil.rmtree(package / "output_validator")
        for folder in ("valid_output", "invalid_output"):
            shutil.rmtree(package / "data" / folder)
        self.write(package / "output_validator/v.py", "import sys; sys.exit(0)\n")
        status, report = self.report(package, "--submission", "accepted/split.py")
        self.assertEqual((status, report["submissions"][0]["verdict"]), (1, "JE"))
        self.assertIn("the judge failed on sample/1", report["submissions"][0]["complaints"][0])

    def test_an_interactor_that_fails_and_one_that_waits(self):
        package = self.copy("guess")
        for code, word in (("import sys\nsys.exit(0)\n", "JE"), ("1 / 0\n", "JE"), ("import sys\nsys.stdin.read()\nsys.exit(42)\n", "TLE")):
            self.write(package / "output_validator/interact.py", code)
            status, report = self.report(package, "--submission", "accepted/*")
            self.assertEqual((status, report["submissions"][0]["verdict"]), (1, word), report)

    def test_a_validator_that_never_comes_to_an_end(self):
        package = self.copy("relay")
        self.write(package / "output_validator/validate.py",
                   "import sys\nopen(sys.argv[3] + 'nextpass.in', 'w').write('encode 1\\n')\nsys.exit(42)\n")
        status, report = self.report(package, "--submission", "accepted/*")
        self.assertEqual((status, report["submissions"][0]["verdict"]), (1, "JE"), report)

    def test_scores_by_a_validator(self):
        package = self.copy("steps")
        for group, text in (("group1", ""), ("group2", "output_validator_args: [half]\n"), ("group3", "")):
            with open(package / f"data/secret/{group}/test_group.yaml", "a") as file:
                file.write(text)
        self.write(package / "output_validator/v.py",
                   "import sys\nif open(sys.argv[2]).read().split() != sys.stdin.read().split(): sys.exit(43)\n"
                   "if sys.argv[4:] == ['half']: open(sys.argv[3] + 'score_multiplier.txt', 'w').write('0.5\\n')\nsys.exit(42)\n")
        status, report = self.report(package, "--submission", "accepted/*")
        self.assertEqual((status, report["submissions"][0]["score"]), (1, 75), report)  # 100 is expected
        self.assertEqual(report["submissions"][0]["complaints"], ["its score is 75, not 100"])

    def test_a_time_limit_of_the_callers_own(self):
        package = self.copy("halves")
        status, report = self.report(package, "--submission", "{accepted/*.py,time*}", "--time-limit", "0.5")
        self.assertEqual((status, report["time_limit"], report["time_limit_source"]), (0, 0.5, "given"), report)
        slow = next(one for one in report["submissions"] if one["verdict"] == "TLE")
        self.assertEqual(slow["tests"][2]["cause"], "cpu_time")
        self.assertGreaterEqual(slow["cpu_time"], 1.0)  # its margin of 2 included
        self.assertLess(slow["cpu_time"], 2.0)

    def test_a_limit_whose_margin_the_daemon_does_not_allow(self):
        status, out, errors = self.judge(PACKAGES / "halves", "--submission", "accepted/*.py", "--time-limit", "6")
        self.assertEqual(status, 0, out + errors)
        self.assertIn("the daemon allows no 12 s: margins are not looked at", out)

    def test_a_languages_absence_is_said_before_anything_runs(self):
        package = self.copy("stairs")
        self.write(package / "submissions/accepted/sum.zig", "x")
        self.refused(package, "accepted/sum.zig (zig)")
        status, report = self.report(package, "--skip-unavailable")
        self.assertEqual(status, 0)
        self.assertEqual(report["submissions"][1]["skipped"], "the daemon cannot run zig")
        status, out, _ = self.judge(package, "--submission", "accepted/*.py")
        self.assertEqual(status, 0)
        self.assertIn("1 of 1 submissions", out)
        self.write(package / "input_validators/v.zig", "x")
        self.refused(package, "input_validators/v.zig is in zig", "--skip-unavailable")


class Refusals(PackageCase):
    def test_what_cannot_be_honoured(self):
        package = self.copy("halves")
        junit = package.parent / "j.xml"
        for limit, what in (("memory: 4096", "'memory' may be at most 256 MiB"), ("output: 500", "'output_bytes' may be at most"),
                            ("time_limit: 100", "'cpu_time' may be at most"), ("compilation_time: 90", "compilation_time"),
                            ("mem: 3", "there is no key 'mem'")):
            if limit.startswith("time_limit"):
                (package / ".timelimit").unlink()
            self.write(package / "problem.yaml", f"validator_flags: float_tolerance 1e-6\nlimits: {{{limit}}}\n")
            self.refused(package, what, "--junit", str(junit), "--submission", "accepted/*.py")
            error = ElementTree.parse(junit).getroot().find("testsuite/testcase/error")
            self.assertIn(what, error.get("message"))
        self.write(package / "problem.yaml", "validation: custom\n")
        self.refused(package, "there is no validator")
        self.assertEqual(json.loads(self.judge(package, "--json", "-")[1])["ok"], False)

    def test_hostile_packages(self):
        package = self.copy("stairs")
        outside = self.folder() / "secret"
        outside.write_text("17\n")
        os.symlink(outside, package / "data/secret/1-small/9.in")
        self.refused(package, "data/secret/1-small/9.in: is a symbolic link")
        os.unlink(package / "data/secret/1-small/9.in")
        os.mkfifo(package / "submissions/accepted/pipe.py")
        self.refused(package, "submissions/accepted/pipe.py: is neither a file nor a folder")
        os.unlink(package / "submissions/accepted/pipe.py")
        self.write(package / "submissions/accepted/a b.py", "")
        self.refused(package, "submissions/accepted: holds a name")
        os.unlink(package / "submissions/accepted/a b.py")
        bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(8))
        self.write(package / "data/testdata.yaml", bomb)
        self.refused(package, "data/testdata.yaml: more than 10000 values")

    def test_nothing_of_a_program_reaches_the_terminal_as_it_is(self):
        package = self.copy("pairs")
        shutil.rmtree(package / "output_validator")
        for folder in ("valid_output", "invalid_output"):
            shutil.rmtree(package / "data" / folder)
        self.write(package / "output_validator/v.py",
                   "import sys\nfor place in (sys.stderr, open(sys.argv[3] + 'judgemessage.txt', 'w')): print('\\x1b[2Jred\\x07', file=place)\nsys.exit(43)\n")
        status, out, errors = self.judge(package, "--submission", "accepted/split.py")
        self.assertEqual(status, 1)
        self.assertIn("red", out)
        self.assertNotRegex(out + errors, "[\x00-\x08\x0b-\x1f]")

    def test_no_daemon_and_wrong_words(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        words = [str(service.build_directory() / "cloister"), "judge", str(PACKAGES / "stairs")]
        self.refused(None, "no daemon answers at 127.0.0.1:", words=[*words, "--daemon", f"http://127.0.0.1:{port}"])
        for options, what in ((["--daemon", "https://localhost:1"], "no TLS"), (["--daemon", "x"], "takes http://HOST:PORT"),
                              (["--colour"], "unknown option '--colour'"), (["--time-limit", "0"], "--time-limit takes"),
                              (["--time-limit"], "needs a value"), (["--jobs", "3", "--daemon", "h:1"], "judge_parallel"),
                              (["--token-file", "x"], "belongs to --daemon"), (["--junit", "/nowhere/j.xml"], "write /nowhere/j.xml")):
            self.refused(None, what, words=[*words, *options])
        self.refused(None, "/nowhere: No such file", words=[*words[:2], "/nowhere", "--daemon", "h:1"])
        self.refused(None, "one package is judged", words=words[:2])

    def test_a_token(self):
        folder = self.folder()
        token = folder / "token"
        token.write_text("opensesame-opensesame\n")
        token.chmod(0o600)
        daemon = service.Daemon({"token_file": str(token)})
        self.addCleanup(daemon.stop)
        self.refused(PACKAGES / "stairs", "401", daemon=daemon)
        status, out, errors = self.judge(PACKAGES / "stairs", "--token-file", str(token), daemon=daemon)
        self.assertEqual(status, 0, out + errors)

    def test_a_test_that_no_message_holds(self):
        package = self.copy("stairs")
        self.write(package / "data/secret/1-small/big.in", "1" * 1_200_000 + "\n")
        self.write(package / "data/secret/1-small/big.ans", "1\n")
        self.refused(package, "message_bytes")


class Large(PackageCase):
    def test_tests_are_split_over_requests(self):
        package = self.folder() / "many"
        self.write(package / "problem.yaml", "name: Many\n")
        self.write(package / ".timelimit", "5\n")
        self.write(package / "submissions/accepted/a.py", "import sys\ndata = sys.stdin.buffer.read()\nprint(len(data), data[0])\n")
        (package / "data/secret").mkdir(parents=True)
        for number in range(40):  # 12 MB, of which no message may hold more than one
            size = 300_000 if number % 2 else 100_000
            (package / f"data/secret/{number:03}.in").write_bytes(bytes([65 + number % 26]) * (size - 1) + (b"\xff" if number % 3 == 0 else b"\n"))
            self.write(package / f"data/secret/{number:03}.ans", f"{size} {65 + number % 26}\n")
        status, report = self.report(package)
        self.assertEqual(status, 0, report)
        self.assertEqual([test["verdict"] for test in report["submissions"][0]["tests"]], ["AC"] * 40)


class OwnDaemon(PackageCase):
    """Without --daemon, as root."""

    def own(self, package, *options):
        return [str(service.build_directory() / "cloister"), "judge", str(package), *options]

    def slow_package(self, mark):
        package = self.copy("stairs")
        self.write(package / "submissions/accepted/slow.py", service.show(mark) + "import time\ntime.sleep(60)\n")
        return package

    def test_it_judges_and_leaves_nothing(self):
        self.need("c")
        before = own_folders()
        status, out, errors = self.judge(None, words=self.own(PACKAGES / "halves", "--jobs", "2"))
        self.assertEqual(status, 0, out + errors)
        self.assertIn("5 of 5 submissions as expected", out)
        self.assertEqual(own_folders(), before)

    def test_tests_of_many_megabytes(self):
        package = self.folder() / "large"
        self.write(package / "problem.yaml", "name: Large\nlimits: {memory: 512}\n")
        self.write(package / ".timelimit", "5\n")
        self.write(package / "submissions/accepted/a.py", "import shutil, sys\nshutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)\n")
        (package / "data/secret").mkdir(parents=True)
        for number in range(3):
            text = (f"{number} " * 10 + "\n") * (250_000 if number else 10)
            self.write(package / f"data/secret/{number}.in", text)
            self.write(package / f"data/secret/{number}.ans", text)
        status, out, errors = self.judge(None, words=self.own(package))
        self.assertEqual(status, 0, out + errors)

    def test_limits_above_what_it_allows(self):
        package = self.copy("halves")
        for limit, what in (("memory: 1000000", "limits.memory"), ("output: 65", "limits.output"), ("compilation_time: 61", "limits.compilation_time"),
                            ("validation_time: 100000", "limits.validation_time"), ("time_limit: 100", "time limit of 100")):
            (package / ".timelimit").unlink(missing_ok=True)
            self.write(package / "problem.yaml", f"validator_flags: float_tolerance 1e-6\nlimits: {{{limit}}}\n")
            self.refused(None, what, words=self.own(package))

    def test_who_reads_the_package_is_not_root(self):
        package = self.copy("stairs")
        (package / "problem.yaml").chmod(0o600)
        self.refused(None, "problem.yaml: may not be read. A package is read as its owner, or as nobody", words=self.own(package))
        (package / "problem.yaml").chmod(0o644)
        mark = service.fresh_mark()
        package = self.slow_package(mark)
        process = subprocess.Popen(self.own(package, "--submission", "accepted/*"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: service.processes_with(mark)))
        status = Path(f"/proc/{process.pid}/status").read_text()
        self.assertRegex(status, r"(?m)^Uid:\s+65534\s+65534\s+65534\s+65534$")
        self.assertRegex(status, r"(?m)^Gid:\s+65534\s+65534\s+65534\s+65534$")
        self.assertRegex(status, r"(?m)^Groups:\s*$")
        for kind in ("Inh", "Prm", "Eff", "Amb"):
            self.assertRegex(status, rf"(?m)^Cap{kind}:\s+0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\s+1$")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(40), 128 + signal.SIGTERM)
        # An owner that is not root is who reads it.
        for path in [package, *package.rglob("*")]:
            os.chown(path, 12345, 12345)
        for path in package.rglob("*"):
            path.chmod(0o700)
        process = subprocess.Popen(self.own(package, "--submission", "accepted/*"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: service.processes_with(mark)))
        self.assertRegex(Path(f"/proc/{process.pid}/status").read_text(), r"(?m)^Uid:\s+12345\s+12345")
        process.send_signal(signal.SIGTERM)
        process.wait(40)

    def test_others_on_the_machine_do_not_get_to_its_daemon(self):
        mark = service.fresh_mark()
        before = own_folders()
        process = subprocess.Popen(self.own(self.slow_package(mark), "--submission", "accepted/*"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: service.processes_with(mark)))
        base = RUN_FOLDER / (own_folders() - before).pop()
        self.assertEqual(stat.S_IMODE((base / "token").stat().st_mode), 0o600)
        port, = ports_of(process.pid)
        self.refused(None, "401", words=[*self.own(PACKAGES / "stairs"), "--daemon", f"127.0.0.1:{port}"])
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(40), 128 + signal.SIGINT)
        self.assertEqual(own_folders(), before)

    def test_however_it_ends_its_daemon_does_too(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
            mark = service.fresh_mark()
            before = own_folders()
            process = subprocess.Popen(self.own(self.slow_package(mark), "--submission", "accepted/*"), stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL)
            try:
                self.assertTrue(wait_until(lambda: service.processes_with(mark)))
                keeper = children(process.pid)[0]
                daemon = children(keeper)[0]
                self.assertEqual(len(own_folders() - before), 1)
                process.send_signal(number)
                status = process.wait(40 * service.SLOW)
            finally:
                process.kill()
                process.stdout.close()
            if number == signal.SIGKILL:
                self.assertEqual(status, -number)
                self.assertTrue(wait_until(lambda: own_folders() == before))
            self.assertEqual(status, -number if number == signal.SIGKILL else 128 + number)
            self.assertEqual(own_folders(), before)
            self.assertFalse(service.processes_with(mark))
            self.assertTrue(wait_until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in (keeper, daemon)), 5))

    def test_ctrl_c_with_a_daemon_ends_what_it_runs(self):
        mark = service.fresh_mark()
        process = subprocess.Popen(self.words(self.slow_package(mark), "--submission", "accepted/*"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.assertTrue(wait_until(lambda: service.processes_with(mark)))
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(20), 130)
        self.assertIn("interrupted", process.stderr.read())
        process.stderr.close()
        self.assertTrue(service.gone_within(mark, 10))

    def test_not_root_and_no_daemon(self):
        words = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *self.own(PACKAGES / "stairs")]
        status, _, errors = self.judge(None, words=words)
        if "No such file" in errors or status == 126:
            self.skipTest("the build is not readable by others")
        self.assertEqual(status, 2)
        self.assertIn("making boxes needs root; or name a daemon with --daemon URL", errors)

    def test_a_daemon_that_does_not_start_says_why(self):
        status, _, errors = self.judge(None, words=self.own(PACKAGES / "stairs"),
                                       env={**os.environ, "MAX_MEMORY_LIMIT": "many"})
        self.assertEqual(status, 2)
        self.assertIn("MAX_MEMORY_LIMIT", errors)


if __name__ == "__main__":
    unittest.main()
