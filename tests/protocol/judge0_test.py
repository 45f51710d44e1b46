"""Judge0's interface: every field, default, error text and status that its clients know."""
import base64
import io
import json
import tempfile
import threading
import time
import zipfile

import cases
import service
from piston_test import PistonCase, TOKEN

PYTHON = 71
C = 50
USUAL = {"token", "time", "memory", "stdout", "stderr", "compile_output", "message", "status"}


def ruby(data):
    """Base64 as Ruby's encode64 writes it."""
    data = data if isinstance(data, bytes) else data.encode()
    text = base64.b64encode(data).decode()
    return "".join(text[i:i + 60] + "\n" for i in range(0, len(text), 60))


def archive(files):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as zip:
        for name, content in files.items():
            zip.writestr(name, content)
    return base64.b64encode(data.getvalue()).decode()


class Judge0Case(PistonCase):
    def submit(self, source="print('hi')", language=PYTHON, query="", daemon=None, **fields):
        body = {"source_code": source, "language_id": language, **fields}
        return self.ask("POST", "/submissions" + query, {k: v for k, v in body.items() if v is not None}, daemon)

    def judged(self, source="print('hi')", language=PYTHON, query="", **fields):
        """Waits for it; the submission."""
        status, answer = self.submit(source, language, "?wait=true" + query, **fields)
        self.assertEqual(status, 201, answer)
        return answer

    def status_of(self, source, language=PYTHON, **fields):
        return self.judged(source, language, **fields)["status"]["id"]

    def wrong(self, **fields):
        status, answer = self.submit(**fields)
        self.assertEqual(status, 422, answer)
        return answer

    def ended(self, token, query="", seconds=30):
        end = time.monotonic() + seconds * service.SLOW
        while True:
            status, answer = self.ask("GET", f"/submissions/{token}?fields=*{query}")
            self.assertEqual(status, 200, answer)
            if answer["status_id"] > 2:
                return answer
            self.assertLess(time.monotonic(), end, "it does not end")
            time.sleep(0.02)


class Facts(Judge0Case):
    def test_languages(self):
        status, languages = self.ask("GET", "/languages")
        self.assertEqual(status, 200)
        by_id = {one["id"]: one for one in languages}
        self.assertEqual(by_id[PYTHON], {"id": PYTHON, "name": f"Python ({cases.versions()['python']})"})
        for id in (92, 100, 109, 113):
            self.assertEqual(by_id[id]["name"], by_id[PYTHON]["name"])
        self.assertEqual([one["id"] for one in languages], sorted(by_id))
        self.assertEqual(self.ask("GET", "/languages/")[1], languages)
        _, every = self.ask("GET", "/languages/all")
        self.assertEqual({one["id"]: one["is_archived"] for one in every}, {id: False for id in by_id})
        status, python = self.ask("GET", f"/languages/{PYTHON}")
        self.assertEqual((status, set(python)), (200, {"id", "name", "is_archived", "source_file", "compile_cmd", "run_cmd"}))
        self.assertEqual((python["source_file"], python["compile_cmd"]), ("script.py", None))
        self.assertEqual(self.ask("GET", "/languages/7")[0], 404)
        self.assertEqual(self.ask("GET", "/languages/x")[0], 404)

    def test_statuses(self):
        _, statuses = self.ask("GET", "/statuses")
        self.assertEqual([one["id"] for one in statuses], list(range(1, 15)))
        self.assertEqual([one["description"] for one in statuses], [
            "In Queue", "Processing", "Accepted", "Wrong Answer", "Time Limit Exceeded", "Compilation Error",
            "Runtime Error (SIGSEGV)", "Runtime Error (SIGXFSZ)", "Runtime Error (SIGFPE)", "Runtime Error (SIGABRT)",
            "Runtime Error (NZEC)", "Runtime Error (Other)", "Internal Error", "Exec Format Error"])

    def test_what_is_told_of_the_service(self):
        _, about = self.ask("GET", "/about")
        self.assertEqual(set(about), {"version", "homepage", "source_code", "maintainer"})
        self.assertEqual(self.ask("GET", "/version"), (200, "1.13.1"))
        self.assertTrue(self.fields["Content-Type"].startswith("text/plain"))
        for path in ("/license", "/isolate"):
            status, text = self.ask("GET", path)
            self.assertEqual(status, 200)
            self.assertIn("Cloister", text)
        _, system = self.ask("GET", "/system_info")
        self.assertEqual(set(system), {"Architecture", "CPU(s)", "Model name", "Mem", "Swap"})
        _, config = self.ask("GET", "/config_info")
        self.assertLessEqual({"maintenance_mode", "enable_wait_result", "max_queue_size", "cpu_time_limit", "max_cpu_time_limit",
                              "memory_limit", "max_memory_limit", "max_number_of_runs", "max_extract_size",
                              "max_submission_batch_size", "allow_enable_network"}, set(config))
        self.assertEqual((config["cpu_time_limit"], config["wall_time_limit"], config["memory_limit"], config["stack_limit"]),
                         (5, 10, 128000, 64000))
        _, workers = self.ask("GET", "/workers")
        self.assertEqual(set(workers[0]), {"queue", "size", "available", "idle", "working", "paused", "failed"})
        self.assertGreater(workers[0]["available"], 0)
        before = self.ask("GET", "/statistics")[1]
        self.judged()
        after = self.ask("GET", "/statistics")[1]
        self.assertEqual(after["submissions"]["total"], before["submissions"]["total"] + 1)
        self.assertIn(3, [one["status"]["id"] for one in after["statuses"]])


class Access(Judge0Case):
    def test_tokens(self):
        self.assertEqual(self.ask("POST", "/authenticate")[0], 200)
        self.assertEqual(self.ask("POST", "/authorize")[0], 200)
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            guarded = service.Daemon({"token_file": file.name})
        self.addCleanup(guarded.stop)
        for method, path in (("POST", "/authenticate"), ("GET", "/languages"), ("GET", "/submissions"), ("GET", "/about")):
            self.assertEqual(self.ask(method, path, daemon=guarded), (401, ""), path)
        self.assertEqual(self.ask("POST", "/authenticate", daemon=guarded, X_Auth_Token="no" + TOKEN)[0], 401)
        for fields, query in (({"X_Auth_Token": TOKEN}, ""), ({}, "?X-Auth-Token=" + TOKEN), ({"Authorization": "Bearer " + TOKEN}, "")):
            self.assertEqual(self.ask("POST", "/authenticate" + query, daemon=guarded, **fields)[0], 200)
            self.assertEqual(self.ask("GET", "/languages" + query, daemon=guarded, **fields)[0], 200)
        user = {"X_Auth_Token": TOKEN, "X_Auth_User": TOKEN}
        for method, path in (("POST", "/authorize"), ("GET", "/submissions"), ("DELETE", "/submissions/none")):
            self.assertEqual(self.ask(method, path, daemon=guarded, X_Auth_Token=TOKEN), (403, ""), path)
            self.assertIn(self.ask(method, path, daemon=guarded, **user)[0], (200, 404))

    def test_hosts_origins_kinds_and_methods(self):
        self.assertEqual(self.ask("GET", "/languages", Host="evil.example")[0], 403)
        body = {"source_code": "print()", "language_id": PYTHON}
        self.assertEqual(self.ask("POST", "/submissions", body, Origin="http://evil.example")[0], 403)
        status, answer = self.ask("POST", "/submissions", json.dumps(body), Content_Type="text/plain")
        self.assertEqual((status, list(answer)), (415, ["error"]))
        for body in ("{", "[]", "5", b"\xff"):
            self.assertEqual(self.ask("POST", "/submissions", body)[0], 400)
        self.assertEqual(self.ask("DELETE", "/languages")[0], 405)
        self.assertEqual(self.ask("PUT", "/submissions", {})[0], 405)

    def test_it_can_be_switched_off(self):
        without = service.Daemon({"judge0_api": False})
        self.addCleanup(without.stop)
        for path in ("/languages", "/submissions", "/about"):
            self.assertEqual(self.ask("GET", path, daemon=without)[0], 404)


class Creating(Judge0Case):
    def test_a_submission_is_taken_and_comes_back(self):
        status, answer = self.submit("import time; time.sleep(0.5); print('hi')")
        self.assertEqual((status, list(answer)), (201, ["token"]))
        _, shown = self.ask("GET", "/submissions/" + answer["token"])
        self.assertEqual(set(shown), USUAL)
        self.assertIn(shown["status"]["id"], (1, 2))
        end = time.monotonic() + 10 * service.SLOW
        while shown["status"]["id"] == 1 and time.monotonic() < end:
            _, shown = self.ask("GET", "/submissions/" + answer["token"])
        self.assertEqual(shown["status"], {"id": 2, "description": "Processing"})
        done = self.ended(answer["token"])
        self.assertEqual((done["stdout"], done["status"]["description"]), ("hi\n", "Accepted"))
        self.assertRegex(done["time"], r"^\d+\.\d{3}$")
        self.assertGreater(done["memory"], 1000)
        self.assertRegex(done["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertLess(done["created_at"], done["finished_at"])
        self.assertEqual(len(done), 40)
        self.assertEqual((done["cpu_time_limit"], done["cpu_extra_time"], done["wall_time_limit"]), ("5.0", "1.0", "10.0"))
        self.assertEqual((done["memory_limit"], done["stack_limit"], done["max_processes_and_or_threads"], done["max_file_size"],
                          done["number_of_runs"]), (128000, 64000, 60, 1024, 1))
        self.assertEqual((done["stderr"], done["message"], done["exit_code"], done["exit_signal"]), (None, None, 0, None))
        self.assertEqual(self.ask("GET", "/submissions/none")[0], 404)
        self.assertEqual(self.ask("GET", f"/submissions/{done['token']}?fields=token,nothing,nor_this"),
                         (400, {"error": "invalid fields: [nothing, nor_this]"}))
        self.assertEqual(self.ask("GET", f"/submissions/{done['token']}?fields=stdout,language")[1],
                         {"stdout": "hi\n", "language": {"id": PYTHON, "name": f"Python ({cases.versions()['python']})"}})

    def test_waiting_takes_as_long_as_the_run(self):
        self.assertEqual(set(self.judged()), USUAL)
        self.assertEqual(set(self.judged(query="&fields=status_id,stdout")), {"status_id", "stdout"})
        self.assertEqual(self.submit(query="?wait=true&fields=none"), (400, {"error": "invalid fields: [none]"}))

    def test_what_is_wrong_with_it(self):
        self.assertEqual(self.ask("POST", "/submissions", {}),
                         (422, {"language_id": ["can't be blank"], "source_code": ["can't be blank"]}))
        self.assertEqual(self.wrong(language=7), {"language_id": ["language with id 7 doesn't exist"]})
        for field, value, message in (
                ("source", " ", None),
                ("cpu_time_limit", 11, "must be less than or equal to 10"), ("cpu_time_limit", 0, "must be greater than 0"),
                ("cpu_extra_time", 6, "must be less than or equal to 5"), ("cpu_extra_time", -1, "must be greater than or equal to 0"),
                ("wall_time_limit", 21, "must be less than or equal to 20"), ("wall_time_limit", 0.5, "must be greater than or equal to 1"),
                ("memory_limit", 262145, "must be less than or equal to 262144"), ("memory_limit", 2000, "must be greater than or equal to 2048"),
                ("stack_limit", 262145, "must be less than or equal to 262144"),
                ("max_processes_and_or_threads", 65, "must be less than or equal to 64"),
                ("max_file_size", 4097, "must be less than or equal to 4096"),
                ("number_of_runs", 21, "must be less than or equal to 20"), ("number_of_runs", "x", "is not a number"),
                ("enable_network", True, "this option cannot be enabled"),
                ("enable_per_process_and_thread_time_limit", True, "this option cannot be enabled"),
                ("enable_per_process_and_thread_memory_limit", True, "this option cannot be enabled"),
                ("compiler_options", "-O3", "setting compiler options is only allowed for compiled languages"),
                ("command_line_arguments", "x" * 513, "is too long (maximum is 512 characters)"),
                ("callback_url", "http://example.org/", "setting callbacks is not allowed"),
                ("additional_files", "bm8=", "is not a zip archive")):
            answer = self.wrong(**{field: value})
            self.assertEqual(answer, {field: [message]} if message else {"source_code": ["can't be blank"]})
        if cases.versions().get("c"):
            self.assertEqual(self.wrong(language=C, compiler_options="x" * 513),
                             {"compiler_options": ["is too long (maximum is 512 characters)"]})

    def test_texts_in_base64(self):
        answer = self.judged(ruby("import sys\nsys.stdout.buffer.write(b'\\xff' * 50); print(input())"), query="&base64_encoded=true",
                             stdin=ruby("\u00e4"), expected_output=ruby(b"\xff" * 50 + "\u00e4\n".encode()))
        self.assertEqual(answer["status"]["id"], 3)
        self.assertEqual(answer["stdout"], ruby(b"\xff" * 50 + "\u00e4\n".encode()))
        path = "/submissions/" + answer["token"]
        self.assertEqual(self.ask("GET", path), (400, {"error": "some attributes for this submission cannot be converted to UTF-8, "
                                                                "use base64_encoded=true query parameter"}))
        self.assertEqual(self.ask("GET", path + "?fields=status_id")[1], {"status_id": 3})
        _, shown = self.ask("GET", path + "?base64_encoded=true&fields=stdin,source_code")
        self.assertEqual(shown["stdin"], ruby("\u00e4"))
        status, answer = self.submit("import sys; sys.stdout.buffer.write(b'\\xff')", query="?wait=true")
        self.assertEqual((status, set(answer)), (201, {"token", "error"}))

    def test_after_a_restart(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        _, done = self.submit(query="?wait=true", daemon=daemon)
        _, cut = self.submit("import time; time.sleep(9)", daemon=daemon)
        daemon.restart()
        _, shown = self.ask("GET", f"/submissions/{done['token']}?fields=stdout,source_code,status_id", daemon=daemon)
        self.assertEqual(shown, {"stdout": "hi\n", "source_code": "print('hi')", "status_id": 3})
        _, shown = self.ask("GET", f"/submissions/{cut['token']}?fields=source_code,status,message", daemon=daemon)
        self.assertEqual((shown["status"]["id"], shown["source_code"]), (13, "import time; time.sleep(9)"))
        self.assertIn("restarted", shown["message"])


class Judging(Judge0Case):
    def test_every_status(self):
        self.assertEqual(self.status_of("print('a ')\nprint()", expected_output="a"), 3)
        self.assertEqual(self.status_of("print('b')", expected_output="a"), 4)
        self.assertEqual(self.status_of("while True: pass", cpu_time_limit=0.2, cpu_extra_time=0.1), 5)
        self.assertEqual(self.status_of("import time; time.sleep(9)", wall_time_limit=1), 5)
        kill = "import os, signal; os.kill(os.getpid(), signal.SIG{})"
        for name, id in (("SEGV", 7), ("XFSZ", 8), ("FPE", 9), ("ABRT", 10), ("TERM", 12)):
            self.assertEqual(self.status_of("import signal; signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n" + kill.format(name)), id, name)
        self.assertEqual(self.status_of("print('x' * 3000000)"), 8)
        self.assertEqual(self.status_of("import sys; sys.exit(3)"), 11)
        self.assertEqual(self.status_of("x = b'x' * (1 << 28)", memory_limit=30000), 12)

    def test_what_is_told_of_an_end(self):
        answer = self.judged("import sys; sys.exit(3)", query="&fields=*")
        self.assertEqual((answer["exit_code"], answer["exit_signal"], answer["message"]), (3, None, "Exited with error status 3"))
        answer = self.judged("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", query="&fields=*")
        self.assertEqual((answer["exit_signal"], answer["message"]), (11, "Caught fatal signal 11"))
        answer = self.judged("import time; time.sleep(9)", query="&fields=*", wall_time_limit=1)
        self.assertEqual(answer["message"], "Time limit exceeded (wall clock)")
        self.assertGreaterEqual(float(answer["wall_time"]), 1)
        # In the extra time it ends by itself, and is late all the same.
        busy = "import time\nwhile time.process_time() < {}: pass\nprint('done')"
        answer = self.judged(busy.format(0.5), cpu_time_limit=0.2, cpu_extra_time=5)
        self.assertEqual((answer["status"]["id"], answer["stdout"], answer["message"]), (5, "done\n", "Time limit exceeded"))

    def test_compiled_languages(self):
        self.need("c")
        mark = service.fresh_mark()
        answer = self.judged('#include <stdio.h>\nint main(void) { puts("' + mark + '"); return 0; }', C)
        self.assertEqual((answer["stdout"], answer["compile_output"], answer["status"]["id"]), (mark + "\n", None, 3))
        wrong = self.judged("int main(void) { return nothing; } // " + mark, C, query="&fields=*")
        self.assertIn("nothing", wrong["compile_output"])
        self.assertEqual(wrong["status_id"], 6)
        for field in ("time", "memory", "stdout", "stderr", "exit_code", "message", "wall_time"):
            self.assertIsNone(wrong[field], field)
        warned = self.judged(f'#warning "{mark}"\nint main(void) {{ return 0; }}', C)
        self.assertIn(mark, warned["compile_output"])

    def test_other_languages(self):
        for id, runtime, source in ((54, "cpp", '#include <iostream>\nint main() { std::cout << "hi\\n"; }'),
                                    (60, "go", 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }'),
                                    (62, "java", 'public class Main { public static void main(String[] a) { System.out.println("hi"); } }'),
                                    (63, "javascript", 'console.log("hi")')):
            with self.subTest(runtime):
                self.need(runtime)
                self.assertEqual(self.judged(source, id)["stdout"], "hi\n")

    def test_the_names_that_programs_see(self):
        self.assertEqual(self.judged("import os; print(os.listdir('.'), __file__.split('/')[-1])")["stdout"], "['script.py'] script.py\n")

    def test_arguments_stdin_and_streams(self):
        answer = self.judged("import sys; print(sys.argv[1:], sys.stdin.read())", stdin="in", command_line_arguments="a 'b c' ; $d")
        self.assertEqual(answer["stdout"], "['a', 'b c', 'd'] in\n")
        code = "import sys, time\nfor i in range(4):\n print(i, file=(sys.stderr if i % 2 else sys.stdout), flush=True); time.sleep(0.05)"
        apart = self.judged(code)
        self.assertEqual((apart["stdout"], apart["stderr"]), ("0\n2\n", "1\n3\n"))
        # Without a pause: one pipe, so that it is the order in which they were written.
        code = "import os\nfor i in range(2000): os.write(1 + i % 2, b'%d\\n' % i)"
        both = self.judged(code, redirect_stderr_to_stdout=True)
        self.assertEqual((both["stdout"], both["stderr"]), ("".join(f"{i}\n" for i in range(2000)), None))

    def test_options_of_the_compiler(self):
        self.need("c")
        code = "#include <stdio.h>\nint main(void){puts(WORD);return 0;}//" + service.fresh_mark()
        def c(options, **more):
            return self.judged(code, C, compiler_options=options, **more)
        for word in ("one", "two", "a b"):  # the same sources: what was compiled for others is not theirs
            self.assertEqual(c(f"-O0 '-DWORD=\"{word}\"'")["stdout"], word + "\n")
        for options in ("", "--no-such-option -DWORD=0", "-Werror -Wall -DWORD=0", "@/etc/passwd -DWORD=0"):
            answer = c(options)
            self.assertEqual(answer["status"]["id"], 6, (options, answer))
        shell = c("-DWORD='\"$(touch x)`id`;\"' > y")  # the characters that Judge0 takes out; the rest are words
        self.assertEqual(shell["status"]["id"], 6, shell)
        # Whatever they say, it is in a box: a plug-in of the client's own, another place for the program.
        for options in ("-DWORD=0 -fplugin=/box/x.so", "-DWORD=\\\"x\\\" -wrapper /bin/sh,-c", "-DWORD=\\\"x\\\" -B/box/"):
            self.assertIn(c(options)["status"]["id"], (3, 6), options)
        self.assertEqual(c("-DWORD=\\\"x\\\" -o /box/other")["stdout"], "x\n")
        self.assertNotEqual(c("-DWORD=\\\"x\\\" -c")["status"]["id"], 3)
        self.assertTrue(self.ask("GET", "/config_info")[1]["enable_compiler_options"])
        self.assertIn("%s", self.ask("GET", f"/languages/{C}")[1]["compile_cmd"])

    def test_options_of_other_compilers(self):
        self.need("go")
        self.need("java")
        go = self.judged("package main\nvar word = \"no\"\nfunc main() { println(word) }", 60, compiler_options="-ldflags '-X main.word=yes'")
        self.assertEqual(go["stderr"], "yes\n", go)
        java = "record Main(int x) { public static void main(String[] a) { System.out.println(1); } }"
        self.assertEqual(self.judged(java, 62)["stdout"], "1\n")
        old = self.judged(java, 62, compiler_options="--release 11")
        self.assertEqual(old["status"]["id"], 6, old)

    def test_several_runs(self):
        answer = self.judged("print(1)", number_of_runs=3, expected_output="1", query="&fields=status_id,number_of_runs,time")
        self.assertEqual((answer["status_id"], answer["number_of_runs"]), (3, 3))
        started = time.monotonic()
        self.assertEqual(self.judged("import time; time.sleep(0.5)", number_of_runs=4, wall_time_limit=5)["status"]["id"], 3)
        self.assertGreater(time.monotonic() - started, 2)
        started = time.monotonic()
        self.assertEqual(self.judged("import time; time.sleep(0.5)", number_of_runs=20, expected_output="x")["status"]["id"], 4)
        self.assertLess(time.monotonic() - started, 8 * service.SLOW)  # the first one was wrong

    def test_additional_files(self):
        answer = self.judged("import lib.part; print(lib.part.NAME, open('data.txt').read())",
                             additional_files=archive({"lib/part.py": "NAME = 'part'", "data.txt": "data", "script.py": "print('not this')"}))
        self.assertEqual(answer["stdout"], "part data\n")
        if cases.versions().get("c"):
            answer = self.judged('#include "part.h"\nint main(void) { return PART; }', C, query="&fields=exit_code",
                                 additional_files=archive({"part.h": "#define PART 7", "other.c": "int main(void) { return 1; }"}))
            self.assertEqual(answer["exit_code"], 7)
        bomb = archive({"zeros": b"\0" * (11 << 20)})
        self.assertEqual(list(self.wrong(additional_files=bomb)), ["additional_files"])
        self.assertEqual(self.wrong(additional_files=archive({"../out": "x"})),
                         {"additional_files": ["holds a file whose name is not allowed"]})
        link = io.BytesIO()
        with zipfile.ZipFile(link, "w") as zip:
            entry = zipfile.ZipInfo("link")
            entry.create_system = 3
            entry.external_attr = 0o120777 << 16
            zip.writestr(entry, "/etc/passwd")
        self.assertEqual(self.wrong(additional_files=base64.b64encode(link.getvalue()).decode()),
                         {"additional_files": ["holds a link or a special file"]})

    def test_programs_of_several_files(self):
        files = archive({"run": "#!/bin/bash\n/usr/local/python-3.8.1/bin/python3 app/main.py one 'two three'\n",
                         "app/main.py": "import sys, part; print(part.NAME, sys.argv[1:])", "app/part.py": "NAME = 'part'"})
        self.assertEqual(self.judged(None, 89, additional_files=files)["stdout"], "part ['one', 'two three']\n")
        self.assertEqual(self.wrong(source=None, language=89), {"additional_files": ["can't be blank"]})
        self.assertEqual(list(self.wrong(source=None, language=89, additional_files=archive({"main.py": ""}))), ["additional_files"])
        if cases.versions().get("c"):
            files = archive({"compile": "gcc a.c b.c -o prog", "run.sh": "./prog", "a.c": "int b(void); int main(void) { return b(); }",
                             "b.c": "int b(void) { return 5; }"})
            self.assertEqual(self.judged(None, 89, query="&fields=exit_code", additional_files=files)["exit_code"], 5)


class Batches(Judge0Case):
    def batch(self, *submissions, query=""):
        return self.ask("POST", "/submissions/batch" + query, {"submissions": list(submissions)})

    def test_a_batch_is_taken_and_comes_back(self):
        good = {"source_code": "print(1)", "language_id": PYTHON}
        status, answer = self.batch(good, {"language_id": PYTHON}, good)
        self.assertEqual(status, 201)
        self.assertEqual([list(one) for one in answer], [["token"], ["source_code"], ["token"]])
        tokens = [answer[0]["token"], "none", answer[2]["token"]]
        for token in (tokens[0], tokens[2]):
            self.ended(token)
        status, answer = self.ask("GET", f"/submissions/batch?tokens={','.join(tokens)}&fields=stdout")
        self.assertEqual((status, answer), (200, {"submissions": [{"stdout": "1\n"}, None, {"stdout": "1\n"}]}))
        self.assertEqual(self.batch({}, {"language_id": 7, "source_code": "x"})[0], 422)

    def test_their_sizes(self):
        good = {"source_code": "print(1)", "language_id": PYTHON}
        none = (400, {"error": "there should be at least one submission in a batch"})
        many = (400, {"error": "number of submissions in a batch should be less than or equal to 20"})
        self.assertEqual(self.batch(), none)
        self.assertEqual(self.ask("POST", "/submissions/batch", {}), none)
        self.assertEqual(self.batch(*[good] * 21), many)
        self.assertEqual(self.ask("GET", "/submissions/batch?tokens="), none)
        self.assertEqual(self.ask("GET", "/submissions/batch?tokens=" + ",".join(["x"] * 21)), many)
        # More than one client may have waiting elsewhere: what does not fit into the queue waits.
        for _ in range(2):
            status, answer = self.batch(*[good] * 20)
            self.assertEqual((status, {tuple(one) for one in answer}), (201, {("token",)}))
        self.ended(answer[-1]["token"], seconds=60)

    def test_listing_and_deleting(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        tokens = [self.submit(f"print({i})", query="?wait=true", daemon=daemon)[1]["token"] for i in range(5)]
        status, page = self.ask("GET", "/submissions?per_page=2&page=2&fields=token,stdout", daemon=daemon)
        self.assertEqual(status, 200)
        self.assertEqual(page["submissions"], [{"token": tokens[2], "stdout": "2\n"}, {"token": tokens[1], "stdout": "1\n"}])
        self.assertEqual(page["meta"], {"current_page": 2, "next_page": 3, "prev_page": 1, "total_pages": 3, "total_count": 5})
        _, last = self.ask("GET", "/submissions?per_page=2&page=3", daemon=daemon)
        self.assertEqual((len(last["submissions"]), last["meta"]["next_page"]), (1, None))
        self.assertEqual(len(self.ask("GET", "/submissions", daemon=daemon)[1]["submissions"]), 5)
        for name in ("page", "per_page"):
            for value in ("0", "-1", "x"):
                self.assertEqual(self.ask("GET", f"/submissions?{name}={value}", daemon=daemon), (400, {"error": f"invalid {name}: {value}"}))
        status, gone = self.ask("DELETE", "/submissions/" + tokens[2], daemon=daemon)
        self.assertEqual((status, gone["token"], gone["stdout"]), (200, tokens[2], ruby("2\n")))
        self.assertEqual(self.ask("GET", "/submissions/" + tokens[2], daemon=daemon)[0], 404)
        self.assertEqual(self.ask("GET", "/submissions", daemon=daemon)[1]["meta"]["total_count"], 4)
        _, running = self.submit("import time; time.sleep(5)", daemon=daemon)
        end = time.monotonic() + 10 * service.SLOW
        while self.ask("GET", f"/submissions/{running['token']}?fields=status_id", daemon=daemon)[1]["status_id"] != 2:
            self.assertLess(time.monotonic(), end)
        self.assertEqual(self.ask("DELETE", "/submissions/" + running["token"], daemon=daemon),
                         (400, {"error": "submission cannot be deleted because its status is 2 (Processing)"}))
        self.assertEqual(self.ask("DELETE", "/submissions/none", daemon=daemon)[0], 404)

    def test_an_answer_is_bounded(self):
        big = "print('x' * 3000000)"
        tokens = [self.submit(big, query="?wait=true&fields=token", max_file_size=4096)[1]["token"] for _ in range(3)]
        path = "/submissions/batch?tokens=" + ",".join(tokens)
        self.assertEqual(self.ask("GET", path), (400, {"error": "the answer would be too large, ask for fewer submissions or fields"}))
        self.assertEqual(len(self.ask("GET", path + "&fields=status")[1]["submissions"]), 3)
        self.assertEqual(self.ask("GET", "/submissions?per_page=3")[0], 400)

    def test_a_full_queue(self):
        small = service.Daemon({"boxes": 1, "queue": 1, "queue_per_client": 1})
        self.addCleanup(small.stop)
        busy = [threading.Thread(target=self.submit, args=("import time; time.sleep(2)",), kwargs={"query": "?wait=true", "daemon": small})
                for _ in range(2)]
        for thread in busy:
            thread.start()
            time.sleep(0.4)
        status, answer = self.submit(daemon=small)
        for thread in busy:
            thread.join()
        self.assertEqual((status, answer), (503, {"error": "queue is full"}))


def memory_of(process):
    """What a process may write to, and so what it holds."""
    found = b""
    with open(f"/proc/{process}/mem", "rb", 0) as memory:
        for line in open(f"/proc/{process}/maps"):
            span, mode = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if mode.startswith("rw") and end - start < 1 << 28:
                memory.seek(start)
                try:
                    found += memory.read(end - start)
                except OSError:
                    continue
    return found


class Receiver:
    """A server that notes what it is told; `statuses`: of its answers, one after the other, then 200."""

    def __init__(self, *statuses):
        import http.server
        received, left = [], list(statuses)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_PUT(self):
                received.append((self.path, self.headers["Content-Type"], self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(left.pop(0) if left else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.received = received
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Callbacks(Judge0Case):
    def daemon(self, where):
        daemon = service.Daemon({"judge0_callbacks": where})
        self.addCleanup(daemon.stop)
        return daemon

    def receiver(self, *statuses):
        receiver = Receiver(*statuses)
        self.addCleanup(receiver.close)
        return receiver

    def counted(self, daemon, fate, count, seconds=30):
        end = time.monotonic() + seconds * service.SLOW
        line = f'cloister_callbacks_total{{fate="{fate}"}} {count}\n'
        while line not in self.ask("GET", "/metrics", daemon=daemon)[1]:
            self.assertLess(time.monotonic(), end, self.ask("GET", "/metrics", daemon=daemon)[1])
            time.sleep(0.1)

    def test_the_end_is_told(self):
        daemon, receiver = self.daemon("anywhere"), self.receiver()
        _, answer = self.submit("print('\u00e4')", query="?wait=true", daemon=daemon, callback_url=receiver.address + "/done?x=1")
        self.counted(daemon, "sent", 1)
        (path, kind, body), = receiver.received
        told = json.loads(body)
        self.assertEqual((path, kind), ("/done?x=1", "application/json"))
        self.assertEqual(set(told), USUAL)
        self.assertEqual((told["token"], told["stdout"], told["status"]["id"]), (answer["token"], ruby("\u00e4\n"), 3))
        self.assertTrue(self.ask("GET", "/config_info", daemon=daemon)[1]["enable_callbacks"])

    def test_it_is_tried_again_and_never_lost_silently(self):
        daemon, receiver = self.daemon("anywhere"), self.receiver(500, 302)
        self.submit(query="?wait=true", daemon=daemon, callback_url=receiver.address)
        self.counted(daemon, "sent", 1)
        self.assertEqual(len(receiver.received), 3)  # the redirection was not followed
        deaf = self.receiver(*[500] * 9)
        _, answer = self.submit(query="?wait=true", daemon=daemon, callback_url=deaf.address + "/secret")
        self.counted(daemon, "failed", 1)
        self.assertEqual(len(deaf.received), 3)
        line = next(json.loads(line) for line in daemon.text().splitlines() if '"callback"' in line)
        self.assertEqual((line["about"], line["fate"], line["status"]), (answer["token"], "failed", 500))
        self.assertNotIn("secret", daemon.text())
        for nobody in ("http://127.0.0.1:1/", "http://no-such-host.invalid/"):
            self.submit(query="?wait=true", daemon=daemon, callback_url=nobody)
        self.counted(daemon, "failed", 3)

    def test_private_networks_are_not_entered(self):
        daemon, receiver = self.daemon("public"), self.receiver()
        port = receiver.server.server_address[1]
        hosts = ("127.0.0.1", "localhost", "0.0.0.0", "2130706433", "0x7f.1", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254",
                 "192.168.0.1", "[fe80::1]", "[fd00::1]")
        for host in hosts:
            status, _ = self.submit(query="?wait=true", daemon=daemon, callback_url=f"http://{host}:{port}/")
            self.assertEqual(status, 201, host)
        self.counted(daemon, "refused", len(hosts))
        self.assertEqual(receiver.received, [])

    def test_their_addresses(self):
        daemon = self.daemon("anywhere")
        for url in ("https://example.org/", "file:///etc/passwd", "http://", "http://user@host/", "http://a/\r\nX: y"):
            status, answer = self.submit(daemon=daemon, callback_url=url)
            self.assertEqual((status, list(answer)), (422, ["callback_url"]), url)

    def test_their_sender_knows_no_secret(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            daemon = service.Daemon({"judge0_callbacks": "public", "token_file": file.name})
        self.addCleanup(daemon.stop)
        front = daemon.front()
        sender, = open(f"/proc/{front}/task/{front}/children").read().split()
        self.assertIn(TOKEN.encode(), memory_of(front))
        self.assertNotIn(TOKEN.encode(), memory_of(sender))

    def test_their_sender_can_do_little_else(self):
        daemon = self.daemon("public")
        children = open(f"/proc/{daemon.front()}/task/{daemon.front()}/children").read().split()
        self.assertEqual(len(children), 1)
        status = dict(line.split(":\t", 1) for line in open(f"/proc/{children[0]}/status").read().splitlines() if ":\t" in line)
        self.assertEqual(status["Name"], "cloister-caller")
        self.assertEqual((int(status["CapPrm"], 16), int(status["CapBnd"], 16), status["NoNewPrivs"]), (0, 0, "1"))
        self.assertEqual(status["Seccomp"], "0" if service.is_sanitized() else "2")
        self.assertNotIn("0", status["Uid"].split())
        import os
        links = [os.readlink(f"/proc/{children[0]}/fd/{fd}") for fd in os.listdir(f"/proc/{children[0]}/fd")]
        self.assertEqual(len([link for link in links if link.startswith("socket:")]), 1, links)
        self.assertEqual([link for link in links if "store" in link or "memfd" in link], [])
        # Without callbacks there is none.
        shared = service.shared()
        self.assertEqual(open(f"/proc/{shared.front()}/task/{shared.front()}/children").read().split(), [])
