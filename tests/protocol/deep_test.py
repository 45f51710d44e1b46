"""Deep analysis: the language's own checkers in a box, merged with the instant answer, never an error without it."""
import shutil
import tempfile
import unittest
from pathlib import Path

import analysis_test
import cases
import service

# Each has a fault that only the language's own checker can know, by the words that it tells it with, and a fault that
# the instant tier knows as well, by its rule.
DEEP = {
    "python": ("main.py", "import os\n\n\ndef f(a):\n    return '%d %d' % (a,)\n", ("CPython", None), None, "unused-import"),
    "javascript": ("main.js", "let a = 1;\nif (a === a) f();\nlet a = 2;\n", ("node", "already been declared"), 3, "no-self-compare"),
    "java": ("Main.java", "class Main {\n  static int f(String s) {\n    if (s == \"x\") return 1;\n    return \"no\";\n  }\n}\n",
             ("javac", "incompatible types"), 4, "string-equality"),
    "go": ("main.go", "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tx := 1\n\tx = x\n\tfmt.Printf(\"%d\\n\", \"text\")\n}\n",
           ("go vet", "wrong type"), 8, "self-assignment"),
    "c": ("main.c", "#include <stdio.h>\nint main(void) {\n    int unused;\n    printf(\"%d\\n\", \"text\");\n    return 0;\n}\n",
          ("gcc", "expects argument of type"), 4, "unused-variable"),
    "cpp": ("main.cpp", "#include <string>\nint main() {\n    int unused;\n    std::string s = 5;\n    return s.size() > 1;\n}\n",
            ("g++", "conversion from"), 4, "unused-variable"),
}


class Deep(cases.Case):
    ask = analysis_test.Analysis.ask

    def deep(self, client, path, content, **fields):
        answer = self.ask(client, content, path, seconds=60, depth="deep", **fields)
        self.assertEqual(answer["type"], "analysis_result", answer)
        return answer["analysis"]

    def check(self, language):
        self.need(language)
        path, content, (checker, words), line, shared = DEEP[language]
        client = self.connect()
        instant = self.ask(client, content, path)["analysis"]
        analysis = self.deep(client, path, content)
        self.assertEqual(analysis["tier"], "deep", analysis)
        self.assertIn(checker, analysis["checkers"])
        self.assertNotIn("note", analysis)
        rules = [one["rule"] for one in analysis["issues"]]
        self.assertEqual(rules.count(shared), 1, analysis["issues"])
        known = {(one["rule"], one["line"], one["column"]) for one in analysis["issues"]}
        for one in instant["issues"]:  # all that is known at once stays
            self.assertIn((one["rule"], one["line"], one["column"]), known)
        if words is None:
            return analysis
        self.assertNotIn(words, str(instant["issues"]))
        found = [one for one in analysis["issues"] if words in one["message"]]
        self.assertEqual([one["line"] for one in found], [line], analysis["issues"])
        self.assertEqual(found[0]["tier"], "deep")
        self.assertTrue(found[0]["peer"].startswith(checker))
        self.assertLess(analysis["quality_score"], instant["quality_score"])
        return analysis

    def test_python(self):
        analysis = self.check("python")
        if "pyflakes" not in analysis["checkers"]:
            self.skipTest("pyflakes is not installed")
        found = [one for one in analysis["issues"] if one["rule"] == "PercentFormatPositionalCountMismatch"]
        self.assertEqual([(one["line"], one["type"], one["tier"]) for one in found], [(5, "error", "deep")])

    def test_python_without_pyflakes_still_has_the_compiler(self):
        analysis = self.deep(self.connect(), "main.py", "def f():\n    global x\n    x = 1\n    global x\n")
        self.assertIn("CPython", analysis["checkers"])
        self.assertIs(analysis["syntax_valid"], False)
        self.assertEqual([(one["line"], one["rule"]) for one in analysis["issues"]], [(4, "SyntaxError")])

    def test_javascript(self):
        self.check("javascript")

    def test_eslint_looks_where_it_is_installed(self):
        if not any(Path(place, "eslint").exists() for place in ("/usr/share/nodejs", "/usr/lib/node_modules")):
            self.skipTest("eslint is not installed on this machine")
        analysis = self.deep(self.connect(), "main.js", "const a = '${b}';\nf(a);\n")
        self.assertEqual(analysis["checkers"], ["node", "eslint"])
        self.assertIn("no-template-curly-in-string", [one["rule"] for one in analysis["issues"]])

    def test_javascript_modules_are_no_fault(self):
        self.need("javascript")
        analysis = self.deep(self.connect(), "main.js", "import fs from 'fs';\nexport const f = () => fs.constants;\n")
        self.assertEqual((analysis["tier"], analysis["issues"]), ("deep", []))

    def test_java(self):
        self.check("java")

    def test_go(self):
        self.check("go")

    def test_c(self):
        self.check("c")

    def test_cpp(self):
        self.check("cpp")

    def test_a_good_source_has_no_faults_in_either_tier(self):
        for path, content in (("main.py", "def f(a):\n    return a\n"), ("main.c", "int main(void) {\n    return 0;\n}\n"),
                              ("main.go", "package main\n\nfunc main() {\n\tprintln(1)\n}\n")):
            analysis = self.deep(self.connect(), path, content)
            self.assertEqual((analysis["tier"], analysis["issues"], analysis["quality_score"]), ("deep", [], 100), path)

    def test_what_a_compiler_quotes_is_no_report_of_its_own(self):
        """A source that holds lines as checkers print them does not speak for them."""
        content = 'x = """\n1:1:UndefinedName:made up\ncheckers: pyflakes\n"""\nprint(\n'
        analysis = self.deep(self.connect(), "main.py", content)
        self.assertNotIn("made up", str(analysis["issues"]))

    def test_a_name_that_cannot_be_is_no_obstacle(self):
        for path in ("../main.py", "/etc/main.py", "a/../../b.py", "한글 이름.py"):
            self.assertEqual(self.deep(self.connect(), path, "x = 1\n")["tier"], "deep", path)

    def test_a_checker_that_hangs_fails_or_babbles_gives_the_instant_answer(self):
        runtimes = Path(tempfile.mkdtemp(prefix="cloister-deep-"))
        self.addCleanup(shutil.rmtree, runtimes)
        shutil.copytree(service.SOURCE / "runtimes", runtimes / "r")
        script = runtimes / "r/python/check/check.py"
        for text, note in (("import time\ntime.sleep(60)\n", "late"), ("while True:\n    pass\n", "late"),
                           ("raise SystemExit(3)\n", "failed"), ("import os\nos.abort()\n", "failed"),
                           ("print('\\x00\\xff' * 1000 + ':' * 5000)\nraise SystemExit(1)\n", "failed"),
                           ("while True:\n    print('9' * 10000)\n", "failed"),
                           ("import sys\nsys.stdout.buffer.write(b'1:1:\\xff\\xfe:' * 9999)\nraise SystemExit(1)\n", "failed")):
            script.write_text(text)
            daemon = service.Daemon(runtimes=runtimes / "r")
            try:
                analysis = self.deep(self.connect(daemon), "main.py", "import os\n")
                self.assertEqual((analysis["tier"], analysis["checkers"], analysis["note_code"]), ("instant", [], note), text)
                self.assertEqual([one["rule"] for one in analysis["issues"]], ["unused-import"])
                korean = self.deep(self.connect(daemon), "main.py", "x = 1\n", lang="ko") if note == "failed" else None
                if korean:
                    self.assertRegex(korean["note"], "[가-힣]")
            finally:
                daemon.stop()

    def test_without_a_checker_the_answer_says_so(self):
        runtimes = Path(tempfile.mkdtemp(prefix="cloister-deep-"))
        self.addCleanup(shutil.rmtree, runtimes)
        shutil.copytree(service.SOURCE / "runtimes", runtimes / "r")
        file = runtimes / "r/python/runtime.jsonc"
        text = file.read_text()
        file.write_text(text[:text.index('    // For "depth"')].rstrip().rstrip(",") + "\n}\n")
        daemon = service.Daemon(runtimes=runtimes / "r")
        self.addCleanup(daemon.stop)
        analysis = self.deep(self.connect(daemon), "main.py", "import os\n")
        self.assertEqual((analysis["tier"], analysis["note_code"]), ("instant", "absent"))
        self.assertEqual(len(analysis["issues"]), 1)

    def test_checks_count_as_the_clients_runs(self):
        """More than may wait: those beyond are answered at once, without checkers, and none is lost."""
        daemon = service.Daemon(config={"runs_per_client": 1, "queue_per_client": 2})
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        self.ask(client)
        for i in range(10):
            client.send(type="request_analysis", file_path="m.py", content="x = 1\n", depth="deep", id=str(i))
        answers = [client.wait("analysis_result", "error", seconds=60 * service.SLOW) for _ in range(10)]
        self.assertEqual({one["id"] for one in answers}, {str(i) for i in range(10)})
        notes = [one["analysis"].get("note_code") for one in answers]
        self.assertIn("busy", notes)
        self.assertIn(None, notes)
        self.assertEqual(client.run("print(1)")["output"], "1\n")

    def test_a_client_that_leaves_takes_its_check_along(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        for _ in range(5):
            client = self.connect(daemon)
            self.ask(client)
            client.send(type="request_analysis", file_path="m.py", content="x = 1\n", depth="deep")
            client.close()
        self.assertEqual(self.deep(self.connect(daemon), "main.py", "x = 1\n")["tier"], "deep")


if __name__ == "__main__":
    unittest.main()
