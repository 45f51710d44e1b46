"""What operators see: metrics that change by what was done, a journal without secrets, health, reload."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import cases
import service
import wire


def metrics(daemon, **fields):
    """Every series of /metrics by its whole name."""
    status, head, body = wire.get(daemon.host, daemon.port, "/metrics", **fields)
    assert status == 200 and "text/plain; version=0.0.4" in head, (status, head)
    samples = (line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in samples}


def journal(daemon):
    """The lines of JSON among what the daemon wrote."""
    return [json.loads(line) for line in daemon.text().splitlines() if line.startswith("{")]


class Operations(cases.Case):
    def daemon(self, **options):
        daemon = service.Daemon(**options)
        self.addCleanup(daemon.stop)
        return daemon

    def wait_for(self, true, what, seconds=20):
        end = time.monotonic() + seconds * service.SLOW
        while not true():
            self.assertLess(time.monotonic(), end, what)
            time.sleep(0.05)


class Metrics(Operations):
    def test_each_number_changes_by_what_was_done(self):
        daemon = self.daemon()
        before = metrics(daemon)
        self.assertEqual([name for name in before if name.startswith("cloister_runs_total")], [])
        client = self.connect(daemon)
        client.run("print(1)")
        client.run("import sys; sys.exit(3)")
        client.run("while True: pass", limits={"wall_time": 0.3})
        client.run("kept = []\nwhile True: kept.append(bytearray(1 << 20))")
        client.run("print('x' * 3000000)")
        client.ask(type="nothing like it")
        client.ask(type="execute_code", language="pyton", code="")
        client.send(type="join_room", room_id="counted")
        client.wait("room_joined")
        after = metrics(daemon)
        for verdict, count in (("ok", 1), ("nonzero_exit", 1), ("wall_limit", 1), ("memory_limit", 1), ("output_limit", 1)):
            self.assertEqual(after[f'cloister_runs_total{{language="python",verdict="{verdict}"}}'], count, verdict)
        self.assertEqual(after['cloister_kills_total{reason="wall_limit"}'], 1)
        self.assertEqual(after['cloister_kills_total{reason="time_limit"}'], 0)
        self.assertEqual(after['cloister_refusals_total{code="unknown_type"}'], 1)
        self.assertEqual(after['cloister_refusals_total{code="unknown_language"}'], 1)
        self.assertGreater(after["cloister_output_dropped_bytes_total"], 0)
        self.assertEqual(after["cloister_run_seconds_count"], 5)
        self.assertGreater(after["cloister_run_seconds_sum"], 0.3)
        self.assertEqual(after["cloister_queue_seconds_count"], 5)
        self.assertEqual(sum(after[f'cloister_setup_seconds_count{{start="{start}"}}'] for start in ("cold", "prepared", "warm")), 5)
        self.assertEqual(after["cloister_boxes_begun_total"] - before["cloister_boxes_begun_total"], 5)
        self.assertEqual((before["cloister_rooms"], after["cloister_rooms"]), (0, 1))
        self.assertGreater(after["cloister_room_bytes"], 0)
        self.assertEqual((before["cloister_sessions"], after["cloister_sessions"]), (0, 1))
        self.assertEqual(after["cloister_connections"], 2)  # it, and this question
        self.assertEqual((after["collab_divergence_total"], after["cloister_analyst_restarts_total"]), (0, 0))
        client.close()
        self.wait_for(lambda: metrics(daemon)["cloister_sessions"] == 0, "the session is still counted")

    def test_what_waits_and_what_runs(self):
        daemon = self.daemon(config={"boxes": 1, "prepared_boxes": 0, "warm_boxes": 0})
        client = self.connect(daemon)
        for _ in range(3):
            client.send(type="execute_code", language="python", code="import time; time.sleep(30)")
        self.wait_for(lambda: metrics(daemon)["cloister_queue_length"] == 2, "two should wait")
        now = metrics(daemon)
        self.assertEqual((now['cloister_boxes{state="total"}'], now['cloister_boxes{state="running"}']), (1, 1))
        client.close()
        self.wait_for(lambda: metrics(daemon)['cloister_boxes{state="running"}'] == 0, "its run goes with the client")
        self.assertEqual(metrics(daemon)["cloister_queue_length"], 0)

    def test_boxes_that_stand_ready_are_counted(self):
        daemon = self.daemon(config={"warm_boxes": 1})
        self.wait_for(lambda: metrics(daemon)['cloister_boxes{state="warm"}'] == 1, "no warm box", 40)

    def test_a_divergence_and_a_restarted_analyst_are_counted(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        client.send(type="hello", protocol=2, name="a")
        client.wait("hello_ok")
        client.send(type="join_room", room_id="torn")
        client.wait("room_joined")
        client.send(type="file_operation", operation="create", file_path="a.py")
        client.send(type="doc_open", file_path="a.py")
        client.wait("doc_state")
        client.send(type="doc_open", file_path="a.py", reason="hash")
        client.wait("doc_state")
        self.assertEqual(metrics(daemon)["collab_divergence_total"], 1)

    def test_metrics_need_the_token_where_there_is_one(self):
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("a token of twenty-six chars\n")
            token.flush()
            daemon = self.daemon(config={"token_file": token.name})
            self.assertEqual(wire.get(daemon.host, daemon.port, "/metrics")[0], 401)
            self.assertEqual(wire.get(daemon.host, daemon.port, "/metrics", Authorization="Bearer wrong")[0], 401)
            self.assertEqual(metrics(daemon, Authorization="Bearer a token of twenty-six chars")["cloister_ready"], 1)
            self.assertEqual(wire.get(daemon.host, daemon.port, "/healthz")[0], 200)


class Top(Operations):
    def top(self, daemon, *words):
        return subprocess.run([str(service.build_directory() / "cloister"), "top", "--address",
                               f"{daemon.host}:{daemon.port}", *words], capture_output=True, text=True, timeout=30 * service.SLOW)

    def test_what_runs_now_is_shown_and_gone_with_its_end(self):
        daemon = self.daemon(config={"boxes": 3})
        client = self.connect(daemon)
        for _ in range(2):
            client.send(type="execute_code", language="python", code="import time; time.sleep(30)", stream=True)
            client.wait("execution_started")
        shown = self.top(daemon).stdout
        self.assertIn("ready", shown)
        self.assertIn("2 of 3 running", shown)
        self.assertIn("1 sessions", shown)
        self.assertEqual(len([line for line in shown.splitlines() if line.startswith("r") and " python " in line]), 2, shown)
        client.close()
        self.wait_for(lambda: "0 of 3 running" in self.top(daemon).stdout, "they are still shown")

    def test_without_a_daemon_or_the_token_it_says_so(self):
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("a token of twenty-six chars\n")
            token.flush()
            daemon = self.daemon(config={"token_file": token.name})
            refused = self.top(daemon)
            self.assertEqual(refused.returncode, 125)
            self.assertIn("401", refused.stderr)
            self.assertIn("ready", self.top(daemon, "--token-file", token.name).stdout)
        daemon.end(signal.SIGTERM)
        gone = self.top(daemon)
        self.assertEqual((gone.returncode, gone.stdout), (1, ""))
        self.assertIn("no daemon answers", gone.stderr)


class Journal(Operations):
    def test_one_line_for_each_event_and_no_code_output_name_or_token_in_any(self):
        with tempfile.NamedTemporaryFile("w") as token:
            token.write("TOKEN-of-the-operator\n")
            token.flush()
            daemon = self.daemon(config={"token_file": token.name})
            client = self.connect(daemon, Authorization="Bearer TOKEN-of-the-operator")
            client.send(type="hello", protocol=2, name="SECRET-name")
            client.wait("hello_ok")
            client.send(type="join_room", room_id="SECRET-room", token="SECRET-token")
            client.wait("error")
            client.send(type="join_room", room_id="SECRET-room")
            client.wait("room_joined")
            client.send({"type": "chat_message", "message": "SECRET-chat"})
            client.run("import sys\nx = 'SECRET-code'\nprint('SECRET-output'); print(sys.argv, sys.stdin.read())\n"
                       "print('SECRET-error', file=sys.stderr)", id="SECRET-id", args=["SECRET-argument"], stdin="SECRET-input",
                       files=[{"path": "SECRET_file.txt", "content": "SECRET"}])
            client.run("import os\nwhile True: os.fork()", limits={"wall_time": 1}, id="SECRET-bomb")
            client.send(type="request_analysis", file_path="SECRET.py", content="SECRET = 1")
            client.wait("analysis_result", "error")
            client.text("SECRET {")
            client.wait("error")
            client.ask(type="execute_code", language="SECRET-language", code="SECRET")
        events = journal(daemon)
        runs = [event for event in events if event["event"] == "run_ended"]
        self.assertEqual([event["event"] for event in events if event["event"] == "serving"], ["serving"])
        self.assertEqual(len(runs), 2, "versions are not runs of anybody")
        self.assertEqual((runs[0]["language"], runs[0]["verdict"], runs[0]["exit_code"]), ("python", "ok", 0))
        self.assertNotIn("suspicious", runs[0])
        self.assertTrue(runs[1]["suspicious"])
        self.assertGreater(runs[1]["forks_refused"], 0)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.wait(20 * service.SLOW)
        kinds = [event["event"] for event in journal(daemon)]
        self.assertIn("drain_begins", kinds)
        self.assertTrue(next(e for e in journal(daemon) if e["event"] == "drain_ends")["all_answered"])
        said = daemon.text()
        for word in ("SECRET", "TOKEN-of-the-operator"):
            self.assertNotIn(word, said)

    def test_the_operator_may_want_faults_alone_or_nothing(self):
        for which, expected in (("faults", ["wall_limit"]), ("none", [])):
            daemon = self.daemon(config={"log_runs": which})
            client = self.connect(daemon)
            client.run("print(1)")
            client.run("while True: pass", limits={"wall_time": 0.2})
            self.assertEqual([e["verdict"] for e in journal(daemon) if e["event"] == "run_ended"], expected)


class Health(Operations):
    def test_a_keeper_that_hangs_is_unhealthy_until_it_goes_on(self):
        daemon = self.daemon()
        get = lambda path: wire.get(daemon.host, daemon.port, path)[0]  # noqa: E731
        self.assertEqual((get("/healthz"), get("/readyz")), (200, 200))
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            self.wait_for(lambda: get("/healthz") == 503, "still healthy", 20)
            self.assertEqual(get("/readyz"), 503)
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        self.wait_for(lambda: get("/healthz") == 200, "still unhealthy")
        self.assertEqual(self.connect(daemon).run("print(2)")["output"], "2\n")

    def test_a_drain_answers_what_was_accepted_and_loses_no_run(self):
        daemon = self.daemon(config={"boxes": 2})
        client = self.connect(daemon)
        for number in range(6):
            client.send(type="execute_code", language="python", id=f"n{number}", stream=number < 2,
                        code="import time; print('begun', flush=True); time.sleep(1); print('ended')")
        client.wait("execution_output")
        daemon.process.send_signal(signal.SIGTERM)
        answers = {}
        try:
            while True:
                message = client.receive(20 * service.SLOW)
                if message["type"] in ("execution_result", "error"):
                    self.assertNotIn(message["id"], answers, "answered twice")
                    answers[message["id"]] = message
        except wire.Closed as closed:
            self.assertEqual(closed.code, 1001)
        self.assertEqual(sorted(answers), [f"n{number}" for number in range(6)])
        whole = [a for a in answers.values() if a["type"] == "execution_result"]
        self.assertTrue(whole)
        self.assertTrue(all(a["result"]["output"] == "begun\nended\n" for a in whole), whole)
        self.assertTrue(all(a["code"] == "busy" for a in answers.values() if a["type"] == "error"))
        self.assertEqual(daemon.process.wait(20 * service.SLOW), 0)

    def test_a_drain_is_bounded(self):
        daemon = self.daemon(config={"drain_time": 1})
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", code="import time; time.sleep(9)", stream=True)
        client.wait("execution_started")
        begin = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        result = client.wait("execution_result", seconds=10 * service.SLOW)["result"]
        self.assertEqual(result["verdict"], "cancelled")
        self.assertIn("stopping", result["error"])
        self.assertEqual(daemon.process.wait(20 * service.SLOW), 0)
        self.assertLess(time.monotonic() - begin, 6 * service.SLOW)


class Reload(Operations):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="cloister-reload-")
        self.addCleanup(self.folder.cleanup)
        self.policies, self.runtimes = Path(self.folder.name, "policies"), Path(self.folder.name, "runtimes")
        for path in (self.policies, self.runtimes):
            shutil.copytree(service.SOURCE / path.name, path, ignore=shutil.ignore_patterns("node_modules"))
        os.chmod(self.folder.name, 0o755)

    def daemon(self, **options):
        return super().daemon(policies=self.policies, runtimes=self.runtimes, **options)

    def change(self, path, before, after):
        text = path.read_text()
        self.assertIn(before, text)
        path.write_text(text.replace(before, after))

    def reload(self, daemon, outcome="reloaded"):
        """SIGHUP; the event that tells what came of it."""
        count = sum(event["event"] == outcome for event in journal(daemon))
        daemon.process.send_signal(signal.SIGHUP)
        found = []

        def told():
            found[:] = [event for event in journal(daemon) if event["event"] == outcome]
            return len(found) > count
        self.wait_for(told, f"not {outcome}: {daemon.text()[-600:]}")
        return found[-1]

    def runtimes_of(self, daemon):
        return {one["id"]: one["version"] for one in json.loads(wire.get(daemon.host, daemon.port, "/api/v1/runtimes")[2])["runtimes"]}

    def test_a_changed_policy_holds_for_what_comes_and_not_for_what_is_under_way(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", stream=True, id="old",
                    code="import time; print('begun', flush=True); time.sleep(3); print('ended')")
        client.wait("execution_output")
        self.change(self.policies / "default.jsonc", '"wall_time": 10,', '"wall_time": 2,')
        self.reload(daemon)
        other = self.connect(daemon)
        refused = other.ask(type="execute_code", language="python", code="", limits={"wall_time": 5})
        self.assertEqual(refused["code"], "limit_too_high")
        self.assertEqual(other.run("import time; time.sleep(5)")["verdict"], "wall_limit")
        old = client.wait("execution_result")["result"]
        self.assertEqual((old["verdict"], old["output"]), ("ok", "begun\nended\n"))
        self.assertEqual(metrics(daemon)["cloister_reloads_total"], 1)

    def test_a_language_comes_and_another_one_goes(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        shutil.copytree(self.runtimes / "python", self.runtimes / "snake", ignore=shutil.ignore_patterns("analysis"))
        file = self.runtimes / "snake/runtime.jsonc"
        self.change(file, '"aliases": ["py", "python3"],', '"aliases": [],')
        self.change(file, '"default_file": "main.py",', '"default_file": "main.snake",')
        self.change(file, '"extensions": [".py"],', '"extensions": [".snake"],')
        shutil.rmtree(self.runtimes / "cpp")
        self.assertEqual(client.ask(type="execute_code", language="snake", code="print(7)")["code"], "unknown_language")
        self.assertEqual(self.reload(daemon)["runtimes"], 7)  # one of them hidden
        self.assertIn("snake", self.runtimes_of(daemon))
        self.assertNotIn("cpp", self.runtimes_of(daemon))
        self.assertEqual(client.run("print(7)", "snake")["output"], "7\n")
        self.assertEqual(client.run("print(8)")["output"], "8\n")
        self.assertEqual(client.ask(type="execute_code", language="cpp", code="")["code"], "unknown_language")
        command = json.dumps({"cmd": [{"args": ["/bin/echo", "9"], "files": [None, {"name": "o", "max": 9}]}]})
        head = f"POST /run HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\nContent-Type: application/json\r\n"
        answer = wire.http(daemon.host, daemon.port, head + f"Content-Length: {len(command)}\r\n\r\n" + command)
        self.assertEqual((answer[0], json.loads(answer[2])[0]["files"]), (200, {"o": "9\n"}))

    def test_a_fault_anywhere_changes_nothing_at_all_and_is_told(self):
        daemon = self.daemon()
        before = self.runtimes_of(daemon)
        self.change(self.policies / "default.jsonc", '"wall_time": 10,', '"wall_time": 2,')
        shutil.rmtree(self.runtimes / "cpp")
        self.change(self.runtimes / "java/runtime.jsonc", '"default_file"', '"defualt_file"')
        failed = self.reload(daemon, "reload_failed")
        self.assertIn("java/runtime.jsonc", failed["reason"])
        self.assertEqual(self.runtimes_of(daemon), before)
        client = self.connect(daemon)
        self.assertEqual(client.run("import time; time.sleep(2.5)")["verdict"], "ok")
        self.change(self.runtimes / "java/runtime.jsonc", '"defualt_file"', '"default_file"')
        self.reload(daemon)
        self.assertEqual(client.run("import time; time.sleep(3)")["verdict"], "wall_limit")

    def test_what_stands_ready_is_made_anew(self):
        daemon = self.daemon(config={"warm_boxes": 1})
        ready = lambda: metrics(daemon)['cloister_boxes{state="warm"}'] == 1  # noqa: E731
        self.wait_for(ready, "no warm box", 40)
        client = self.connect(daemon)
        for _ in range(3):
            self.reload(daemon)
        self.wait_for(ready, "no warm box after the reload", 40)
        self.wait_for(lambda: client.run("print(1)")["start"] == "warm", "no run is warm")

    def test_a_judging_outlasts_reloads(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        code = "import time\ntime.sleep(.4)\nprint(input())"
        checker = "import sys\nsys.exit(42 if sys.stdin.read() == open(sys.argv[1]).read() + '\\n' else 43)"
        client.send(type="judge", language="python", code=code, tests=[{"stdin": str(n)} for n in range(16)],
                    checker={"type": "program", "language": "python", "code": checker})
        client.wait("judge_verdict")
        for _ in range(3):
            self.reload(daemon)
        self.assertEqual(client.wait("judge_result")["result"]["verdicts"], {"AC": 16})

    def test_reloads_under_load_lose_no_run(self):
        daemon = self.daemon()
        client = self.connect(daemon)
        sent, answered = 0, {}
        end = time.monotonic() + 6
        reloads = 0
        while time.monotonic() < end:
            if sent - len(answered) < 4:
                client.send(type="execute_code", language="python", code=f"print({sent})", id=str(sent))
                sent += 1
                if sent % 12 == 0:
                    daemon.process.send_signal(signal.SIGHUP)
                    reloads += 1
                continue
            message = client.wait("execution_result", "error")
            answered[message["id"]] = message
        while len(answered) < sent:
            message = client.wait("execution_result", "error")
            answered[message["id"]] = message
        wrong = [m for m in answered.values() if m["type"] == "error" or m["result"]["output"] != m["id"] + "\n"]
        self.assertEqual(wrong, [])
        self.assertGreater(reloads, 2)
        self.assertGreater(metrics(daemon)["cloister_reloads_total"], 0)


class Check(Operations):
    def check(self, **fields):
        done = subprocess.run([str(service.build_directory() / "cloister"), "check"], capture_output=True, text=True,
                              timeout=60 * service.SLOW, **fields)
        found, last = {}, None
        for line in done.stdout.splitlines():
            if line.startswith("        -> "):
                found[last][1].append(line)
                continue
            grade, text = line[:8].strip(), line[8:]
            last = text.split(":")[0]
            self.assertIn(grade, ("ok", "note", "missing"), line)
            self.assertNotIn(last, found, "told twice")
            found[last] = (grade, [])
        return done, found

    def test_every_subject_is_looked_at_and_every_finding_says_what_to_do(self):
        done, found = self.check()
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for subject in ("kernel", "namespaces", "control groups", "swap accounting", "system call filters", "Landlock", "boxes",
                        "account", "executor local", "state directory", "open files", "memory", "swap", "SMT", "CPU governor",
                        "address randomisation", *(f"runtime {name}" for name in cases.versions())):
            self.assertIn(subject, found)
        self.assertEqual(found["boxes"][0], "ok")
        for subject, (grade, advice) in found.items():
            self.assertEqual(bool(advice), grade != "ok", subject)
        for language, version in cases.versions().items():
            self.assertEqual(found[f"runtime {language}"][0], "ok" if version else "note")

    def test_what_is_too_little_here_is_seen(self):
        import resource
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1024, 1024))  # noqa: E731
        _, found = self.check(preexec_fn=few)
        self.assertEqual(found["open files"][0], "note")
        _, found = self.check(env=os.environ | {"MAX_MEMORY_LIMIT": "900g"})
        self.assertEqual(found["memory"][0], "note")
