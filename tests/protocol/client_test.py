"""The Python client (clients/python) against a real daemon: what it promises, and what it makes of every kind of trouble."""
import http.server
import importlib.util
import json
import subprocess
import sys
import tempfile
import threading
import time

import cases
import service

FOLDER = service.SOURCE / "clients/python"
spec = importlib.util.spec_from_file_location("cloister", FOLDER / "cloister.py")
cloister = importlib.util.module_from_spec(spec)
sys.modules["cloister"] = cloister  # where its types look for their names
spec.loader.exec_module(cloister)
TOKEN = "a-token-of-some-length-0123456789"


def client(daemon=None, **more):
    daemon = daemon or service.shared()
    return cloister.Cloister(f"http://{daemon.host}:{daemon.port}", **more)


class Client(cases.Case):
    def test_execute(self):
        result = client().execute("python", "import sys; print(input(), sys.argv[1:])", stdin="in", args=["a"])
        self.assertEqual((result["output"], result["verdict"]), ("in ['a']\n", "ok"))
        result = client().execute("python", files=[{"path": "main.py", "content": "raise SystemExit(3)"}],
                                  limits={"memory": "64m"})
        self.assertEqual((result["exit_code"], result["verdict"]), (3, "nonzero_exit"))

    def test_files_come_back(self):
        result = client().execute("python", "open('out', 'w').write('x')", collect=["out"])
        self.assertEqual(result["files"], [{"path": "out", "content": "x", "encoding": "utf8", "bytes": 1}])

    def test_submit_and_come_back(self):
        made = client().submit("python", "print(1)", key="key-" + service.fresh_mark())
        end = time.monotonic() + 20 * service.SLOW
        while client().submission(made["id"])["state"] != "done":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)
        self.assertEqual(client().submission(made["id"])["result"]["output"], "1\n")
        self.assertEqual(client().cancel(made["id"])["state"], "done")

    def test_a_key_names_one_submission(self):
        key = "key-" + service.fresh_mark()
        one = client().execute("python", "import os; print(os.urandom(8).hex())", key=key)
        self.assertEqual(client().execute("python", "import os; print(os.urandom(8).hex())", key=key), one)
        with self.assertRaises(cloister.Refused) as caught:
            client().execute("python", "pass", key=key)
        self.assertEqual((caught.exception.code, caught.exception.status), ("key_reused", 422))

    def test_stream(self):
        code = "import time\nfor i in range(3): print(i, flush=True); time.sleep(0.1)"
        events = list(client().stream("python", code))
        self.assertEqual([one.name for one in events if one.name != "output"], ["started", "result"])
        self.assertEqual("".join(one.data["data"] for one in events if one.name == "output"), "0\n1\n2\n")
        self.assertEqual([one.number for one in events], list(range(1, len(events) + 1)))

    def test_events_go_on_behind_a_number(self):
        made = client().submit("python", "print(1); print(2)", stream=True)
        events = list(client().events(made["id"]))
        self.assertEqual(list(client().events(made["id"], after=1)), events[1:])
        self.assertEqual(list(client().events(made["id"], after=events[-1].number)), [])

    def test_who_leaves_a_stream_ends_the_run(self):
        mark = service.fresh_mark()
        code = service.show(mark) + "import time\nprint('up', flush=True); time.sleep(60)"
        for event in client().stream("python", code):
            if event.name == "output":
                self.assertTrue(service.processes_with(mark))
                break
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_judge(self):
        tests = [{"stdin": "1", "expected": "1"}, {"stdin": "2", "expected": "5"}]
        result = client().judge("python", "print(int(input()) ** 2)", tests)
        self.assertEqual((result["verdict"], result["decided_by"]), ("WA", 1))
        events = list(client().judge_stream("python", "print(int(input()) ** 2)", tests, stop_at_first_failure=True))
        self.assertEqual([(one.data["test"], one.data["verdict"]) for one in events if one.name == "verdict"],
                         [(0, "AC"), (1, "WA")])
        self.assertEqual(events[-1].data["verdict"], "WA")

    def test_runtimes(self):
        self.assertEqual({one["id"]: one["version"] for one in client().runtimes()}, cases.versions())

    def test_what_is_wrong_has_a_kind(self):
        for kind, code, status, call in (
                (cloister.Refused, "unknown_language", 422, lambda: client().execute("pyton", "")),
                (cloister.Refused, "bad_message", 400, lambda: client().execute("python")),
                (cloister.Refused, "limit_too_high", 422, lambda: client().execute("python", "", limits={"cpu_time": 1e6})),
                (cloister.Refused, "bad_message", 400, lambda: client().judge("python", "", [])),
                (cloister.NotFound, "no_such_submission", 404, lambda: client().submission("no/such one?")),
                (cloister.NotFound, "no_such_submission", 404, lambda: list(client().events("none"))),
                (cloister.Unreachable, "unreachable", 0, lambda: cloister.Cloister("http://127.0.0.1:1").runtimes())):
            with self.assertRaises(kind) as caught:
                call()
            self.assertEqual((caught.exception.code, caught.exception.status), (code, status))
            self.assertIn(code, str(caught.exception))
        for url in ("127.0.0.1:8000", "ftp://x", "http://"):
            with self.assertRaises(ValueError):
                cloister.Cloister(url)

    def test_busy_says_when(self):
        daemon = service.Daemon({"submissions": 1})
        self.addCleanup(daemon.stop)
        one = client(daemon).submit("python", "import time; time.sleep(60)")
        with self.assertRaises(cloister.Busy) as caught:
            client(daemon).execute("python", "pass")
        self.assertGreater(caught.exception.retry_after, 0)
        client(daemon).cancel(one["id"])

    def test_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            daemon = service.Daemon({"token_file": file.name})
        self.addCleanup(daemon.stop)
        for token in (None, "another"):
            with self.assertRaises(cloister.Unauthorized):
                client(daemon, token=token).execute("python", "")
        trusted = client(daemon, token=TOKEN)
        self.assertEqual(trusted.execute("python", "print(1)")["output"], "1\n")
        self.assertEqual(list(trusted.stream("python", "print(1)"))[-1].name, "result")

    def test_the_example(self):
        daemon = service.shared()
        done = subprocess.run([sys.executable, str(FOLDER / "example.py"), f"http://{daemon.host}:{daemon.port}"],
                              stdout=subprocess.PIPE, text=True, timeout=60, check=True)
        self.assertEqual(done.stdout, "it printed hello\n0\n1\n2\nit ended: ok\nWA: 1 of 2\n"
                                      "refused: unknown_language\n")


class Broken(http.server.BaseHTTPRequestHandler):
    """Breaks a stream off after every event, and answers nonsense elsewhere."""
    protocol_version = "HTTP/1.0"

    def do_GET(self):
        if "events" not in self.path:
            self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\nno JSON")
            return
        after = int(self.headers.get("Last-Event-ID", 0))
        self.server.asked.append(after)
        if self.server.failures > 0:
            self.server.failures -= 1
            return
        name = "result" if after == 3 else "output"
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n: a comment\n\n")
        self.wfile.write(f"id: {after + 1}\nevent: {name}\ndata: {json.dumps({'n': after})}\n\nid: 9\nda".encode())

    def log_message(self, *_):
        pass


class Trouble(cases.Case):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Broken)
        self.server.asked, self.server.failures = [], 0
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.client = cloister.Cloister(f"http://127.0.0.1:{self.server.server_port}")

    def test_a_stream_that_breaks_off_is_taken_up_where_it_was(self):
        self.server.failures = 2
        events = list(self.client.events("x"))
        self.assertEqual([(one.number, one.data["n"]) for one in events], [(1, 0), (2, 1), (3, 2), (4, 3)])
        self.assertEqual(self.server.asked, [0, 0, 0, 1, 2, 3])

    def test_not_for_ever(self):
        self.server.failures = 100
        with self.assertRaises(cloister.Unreachable):
            list(self.client.events("x", retries=2))
        self.assertEqual(self.server.asked, [0, 0, 0])

    def test_an_answer_that_is_none(self):
        with self.assertRaises(cloister.Unreachable):
            self.client.runtimes()
