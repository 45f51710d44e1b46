"""Runs over HTTP: waiting, coming back, events, keys, limits; with the standard library's client and with curl."""
import http.client
import json
import shutil
import subprocess
import threading
import time
import unittest

import cases
import service
import wire

TOKEN = "a-token-of-some-length-0123456789"
HELLO = {"code": "print('hello')", "language": "python"}


class Http:
    """One connection that is kept."""

    def __init__(self, daemon=None, seconds=60):
        daemon = daemon or service.shared()
        self.connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=seconds)

    def ask(self, method, path, body=None, **fields):
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        self.connection.request(method, path, body, fields)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.fields = answer.headers
        return answer.status, json.loads(text) if text.startswith("{") else text

    def run(self, **fields):
        return self.ask("POST", "/api/v1/execute", {**HELLO, **fields})

    def close(self):
        self.connection.close()


class RestCase(cases.Case):
    def http(self, daemon=None):
        client = Http(daemon)
        self.addCleanup(client.close)
        return client

    def ended(self, client, id, seconds=30):
        end = time.monotonic() + seconds * service.SLOW
        while True:
            status, submission = client.ask("GET", f"/api/v1/submissions/{id}")
            self.assertEqual(status, 200)
            if submission["state"] in ("done", "failed"):
                return submission
            self.assertLess(time.monotonic(), end, "it does not end")
            time.sleep(0.02)

    def events(self, id, after=None, daemon=None):
        """All events until the stream ends: (id, name, data)."""
        client = Http(daemon)
        self.addCleanup(client.close)
        client.connection.request("GET", f"/api/v1/submissions/{id}/events",
                                  headers={} if after is None else {"Last-Event-ID": str(after)})
        answer = client.connection.getresponse()
        if answer.status != 200:
            return answer.status
        self.assertEqual(answer.headers["Content-Type"], "text/event-stream")
        found = []
        for block in answer.read().decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
            if lines:
                found.append((int(lines.get("id", 0)), lines["event"], json.loads(lines["data"])))
        return found


class Running(RestCase):
    def test_waiting_answers_the_result(self):
        client = self.http()
        status, result = client.run(wait=True, code="import sys; print(input()); sys.exit(3)", stdin="in\n")
        self.assertEqual(status, 200)
        self.assertEqual((result["output"], result["exit_code"], result["verdict"]), ("in\n", 3, "nonzero_exit"))
        self.assertRegex(client.fields["Location"], r"^/api/v1/submissions/[0-9a-f-]{36}$")
        for _ in range(3):  # the same connection
            self.assertEqual(client.run(wait=True)[1]["output"], "hello\n")
        status, kept = client.ask("GET", client.fields["Location"])
        self.assertEqual(kept["result"]["output"], "hello\n")

    def test_coming_back(self):
        client = self.http()
        status, submission = client.run()
        self.assertEqual(status, 202)
        self.assertEqual(submission["state"], "queued")
        done = self.ended(client, submission["id"])
        self.assertEqual(done["result"]["output"], "hello\n")
        self.assertLess(done["created"], done["ended"])
        self.assertLess(done["ended"], done["expires"])

    def test_events_and_where_they_go_on(self):
        client = self.http()
        code = "import time\nfor i in range(3):\n print(i, flush=True); time.sleep(0.1)"
        _, submission = client.run(code=code)
        events = self.events(submission["id"])
        names = [name for _, name, _ in events]
        self.assertEqual((names[0], names[-1]), ("started", "result"))
        self.assertEqual(set(names[1:-1]), {"output"})
        self.assertEqual("".join(data["data"] for _, name, data in events if name == "output"), "0\n1\n2\n")
        numbers = [number for number, _, _ in events]
        self.assertEqual(numbers, list(range(1, len(events) + 1)))
        self.assertEqual(self.events(submission["id"], numbers[1]), events[2:])
        self.assertEqual(self.events(submission["id"], numbers[-1]), 204)

    def test_what_a_run_uses_is_told_on_the_way(self):
        code = "import time\nx = bytearray(20 << 20)\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\nprint('done')"
        status, submission = self.http().run(code=code, usage=True)
        self.assertEqual(status, 202)
        events = self.events(submission["id"])
        used = [data for _, name, data in events if name == "usage"]
        self.assertGreater(len(used), 1, events)
        for before, after in zip(used, used[1:]):
            self.assertGreater(after["wall_time"], before["wall_time"])
            self.assertGreaterEqual(after["cpu_time"], before["cpu_time"])
        self.assertEqual(set(used[0]), {"wall_time", "cpu_time", "memory"})
        self.assertGreater(used[-1]["memory"], 20 << 20)
        self.assertEqual(events[-1][1], "result")
        again = self.events(submission["id"], events[-2][0])  # who comes back finds the rest
        self.assertEqual([name for _, name, _ in again], ["result"])
        plain = self.http().run(code=code)[1]["id"]
        self.assertNotIn("usage", [name for _, name, _ in self.events(plain)])

    def test_stages_of_a_compiled_program(self):
        self.need("c")
        _, submission = self.http().run(language="c", code="int main(void){return 0;}  // " + service.fresh_mark())
        events = self.events(submission["id"])
        self.assertEqual([data["stage"] for _, name, data in events if name == "stage"], ["compile", "run"])
        self.assertTrue(events[-1][2]["compile"]["success"])

    def test_cancelling(self):
        client = self.http()
        mark = service.fresh_mark()
        _, submission = client.run(code=service.show(mark) + "import time\nprint('up', flush=True)\ntime.sleep(60)")
        path = f"/api/v1/submissions/{submission['id']}"
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertTrue(service.processes_with(mark))
        status, _ = client.ask("DELETE", path)
        self.assertEqual(status, 202)
        self.assertEqual(self.ended(client, submission["id"])["result"]["verdict"], "cancelled")
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
        self.assertEqual(client.ask("DELETE", path)[0], 200)
        self.assertEqual(client.ask("DELETE", "/api/v1/submissions/none")[0], 404)

    def leave(self, **fields):
        """Posts, waits until the program runs, goes away; the program's mark."""
        mark = service.fresh_mark()
        client = Http()
        code = service.show(mark) + "import time\ntime.sleep(3)"
        client.connection.request("POST", "/api/v1/execute", json.dumps({**HELLO, "code": code, "wait": True, **fields}),
                                  {"Content-Type": "application/json"})
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertTrue(service.processes_with(mark))
        client.close()
        return mark

    def test_who_leaves_takes_the_run_along_only_when_asked_to(self):
        mark = self.leave(cancel_on_disconnect=True)
        self.assertTrue(service.gone_within(mark, 1.5))
        mark = self.leave()
        time.sleep(0.5)
        self.assertTrue(service.processes_with(mark))
        self.assertTrue(service.gone_within(mark, 10 * service.SLOW))

    def test_many_at_once(self):
        answers = []

        def one(number):
            client = Http()
            answers.append(client.run(wait=True, code=f"print({number})")[1]["output"] == f"{number}\n")
            client.close()

        threads = [threading.Thread(target=one, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [True] * 24)

    def test_curl(self):
        if not shutil.which("curl"):
            self.skipTest("curl is not installed")
        daemon = service.shared()
        url = f"http://{daemon.host}:{daemon.port}/api/v1/execute"
        # curl waits for 100 Continue before a body of this size.
        files = [{"path": f"f{i}.txt", "content": "x" * 100_000} for i in range(10)]
        body = json.dumps({**HELLO, "wait": True, "files": files})
        for extra in ([], ["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]):
            done = subprocess.run(["curl", "-sS", "-m", "30", "--json", "@-", url, *extra], input=body.encode(),
                                  capture_output=True)
            self.assertEqual(json.loads(done.stdout)["output"], "hello\n", done.stderr)


class Keys(RestCase):
    def test_the_same_request_runs_once(self):
        client = self.http()
        key = service.fresh_mark()
        body = json.dumps({**HELLO, "code": "import os; print(os.urandom(8).hex())", "wait": True})
        first = client.ask("POST", "/api/v1/execute", body, Idempotency_Key=key)
        place = client.fields["Location"]
        again = client.ask("POST", "/api/v1/execute", body, Idempotency_Key=key)
        self.assertEqual(first, again)
        self.assertEqual(client.fields["Location"], place)
        status, error = client.ask("POST", "/api/v1/execute", HELLO, Idempotency_Key=key)
        self.assertEqual((status, error["error"]["code"]), (422, "key_reused"))
        for bad in ("", "a b", "x" * 256):
            self.assertEqual(client.ask("POST", "/api/v1/execute", body, Idempotency_Key=bad)[0], 400, bad)

    def test_a_restart_loses_no_result(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        _, done = client.run()
        key = service.fresh_mark()
        self.ended(client, done["id"])
        body = json.dumps({**HELLO, "code": "import time; time.sleep(60)"})
        _, cut = client.ask("POST", "/api/v1/execute", body, Idempotency_Key=key)
        client.close()
        daemon.restart()  # by SIGKILL
        client = self.http(daemon)
        self.assertEqual(client.ask("GET", f"/api/v1/submissions/{done['id']}")[1]["result"]["output"], "hello\n")
        self.assertEqual([name for _, name, _ in self.events(done["id"], daemon=daemon)], ["gap", "result"])
        kept = client.ask("GET", f"/api/v1/submissions/{cut['id']}")[1]
        self.assertEqual((kept["state"], kept["error"]["code"]), ("failed", "interrupted"))
        again = client.ask("POST", "/api/v1/execute", body, Idempotency_Key=key)[1]
        self.assertEqual(again["id"], cut["id"])

    def test_results_expire_and_are_bounded(self):
        daemon = service.Daemon({"submissions": 3})
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        ids = []
        for _ in range(6):
            client.run(wait=True)
            ids.append(client.fields["Location"])
        client.close()
        daemon.restart()
        client = self.http(daemon)
        self.assertEqual([client.ask("GET", id)[0] for id in ids], [404] * 3 + [200] * 3)


class Strangers(RestCase):
    def test_other_pages_and_names_get_nothing(self):
        client = self.http()
        daemon = service.shared()
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{daemon.port + 1}"):
            self.assertEqual(client.ask("POST", "/api/v1/execute", HELLO, Origin=origin)[0], 403)
            client = self.http()
        self.assertEqual(client.ask("POST", "/api/v1/execute", {**HELLO, "wait": True},
                                    Origin=f"http://127.0.0.1:{daemon.port}")[0], 200)
        self.assertEqual(client.ask("GET", "/api/v1/submissions/x", Host="evil.example")[0], 403)
        # What a page can send without asking first is not JSON.
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            client = self.http()
            self.assertEqual(client.ask("POST", "/api/v1/execute", HELLO, Content_Type=kind)[0], 415)
        self.assertEqual(self.http().ask("OPTIONS", "/api/v1/execute")[0], 405)

    def test_a_token_is_needed_where_there_is_one(self):
        import os
        import tempfile
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            os.chmod(file.name, 0o600)
            daemon = service.Daemon({"token_file": file.name})
            self.addCleanup(daemon.stop)
            for fields in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
                client = self.http(daemon)
                status, error = client.ask("POST", "/api/v1/execute", HELLO, **fields)
                self.assertEqual((status, error["error"]["code"]), (401, "unauthorized"))
                self.assertEqual(self.http(daemon).ask("GET", "/api/v1/submissions/x", **fields)[0], 401)
            client = self.http(daemon)
            self.assertEqual(client.ask("POST", "/api/v1/execute", {**HELLO, "wait": True},
                                        Authorization="Bearer " + TOKEN)[1]["output"], "hello\n")

    def raw(self, text, daemon=None):
        daemon = daemon or service.shared()
        return wire.http(daemon.host, daemon.port, text.replace("HOST", f"{daemon.host}:{daemon.port}"))[0]

    def test_bodies_that_lie(self):
        head = "POST /api/v1/execute HTTP/1.1\r\nHost: HOST\r\nContent-Type: application/json\r\n"
        self.assertEqual(self.raw(head + "Content-Length: 2000000\r\n\r\n"), 413)
        self.assertEqual(self.raw(head + "Content-Length: 99999999999999999999\r\n\r\n"), 400)
        self.assertEqual(self.raw(head + "Content-Length: -1\r\n\r\n"), 400)
        self.assertEqual(self.raw(head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"), 400)
        self.assertEqual(self.raw(head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 400)
        self.assertEqual(self.raw(head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n"), 400)
        piece = "10000\r\n" + "x" * 65536 + "\r\n"
        self.assertEqual(self.raw(head + "Transfer-Encoding: chunked\r\n\r\n" + piece * 17), 413)
        self.assertEqual(self.raw(head + "Content-Length: 2\r\n\r\n{}"), 400)
        self.assertEqual(self.raw(head.replace("POST", "GET") + "Content-Length: 2\r\n\r\n{}"), 405)
        get = "GET /api/v1/submissions/x HTTP/1.1\r\nHost: HOST\r\n"
        self.assertEqual(self.raw(get + "Content-Length: 2\r\n\r\n{}"), 400)
        self.assertEqual(self.raw(get + "\r\n"), 404)

    def test_a_body_that_comes_slowly_is_cut(self):
        daemon = service.Daemon({"body_timeout": 1})
        self.addCleanup(daemon.stop)
        raw = wire.Raw(daemon.host, daemon.port, 20)
        self.addCleanup(raw.close)
        raw.send(f"POST /api/v1/execute HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\n"
                 "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n".encode())
        begin = time.monotonic()
        with self.assertRaises((wire.Closed, ConnectionError)):
            while time.monotonic() - begin < 15:
                raw.send(b" ")
                raw.socket.settimeout(0.1)
                try:
                    raw.more()
                except TimeoutError:
                    pass
        self.assertLess(time.monotonic() - begin, 5 * service.SLOW)
        self.assertEqual(self.http(daemon).run(wait=True)[0], 200)

    def test_bodies_together_are_bounded(self):
        daemon = service.shared()
        head = (f"POST /api/v1/execute HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\n"
                "Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n").encode()
        open_ones = []
        refused = None
        try:
            for _ in range(80):
                raw = wire.Raw(daemon.host, daemon.port, 1)
                open_ones.append(raw)
                raw.send(head)
            time.sleep(0.3)
            for raw in open_ones[70:]:
                refused = raw.until(b"\r\n\r\n")
                self.assertIn(b" 503 ", refused)
        finally:
            for raw in open_ones:
                raw.close()
        self.assertTrue(refused)
        time.sleep(0.2)
        self.assertEqual(self.http().run(wait=True)[0], 200)

    def test_pipelined_requests_are_answered_in_their_order(self):
        daemon = service.shared()
        text = ""
        for number in range(3):
            body = json.dumps({**HELLO, "code": f"print({number})", "wait": True})
            close = "Connection: close\r\n" if number == 2 else ""
            text += (f"POST /api/v1/execute HTTP/1.1\r\nHost: {daemon.host}:{daemon.port}\r\n{close}"
                     f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        raw = wire.Raw(daemon.host, daemon.port, 60)
        self.addCleanup(raw.close)
        raw.send(text.encode())
        answers = raw.all().decode()
        places = [answers.index(f'"output":"{number}\\n"') for number in range(3)]
        self.assertEqual(places, sorted(places))

    def test_a_flood_on_one_connection_is_slowed(self):
        daemon = service.Daemon({"messages_per_second": 5, "message_burst": 5})
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        statuses = [client.ask("GET", "/api/v1/submissions/x")[0] for _ in range(5)]
        self.assertEqual(set(statuses), {404})
        self.assertEqual(client.ask("GET", "/api/v1/submissions/x")[0], 429)
        self.assertEqual(client.fields["Retry-After"], "1")

    def test_an_event_stream_that_nobody_reads_holds_nobody_up(self):
        client = self.http()
        _, submission = client.run(code="import sys\nfor _ in range(9): sys.stdout.write('x' * 100_000)")
        raw = wire.Raw(service.shared().host, service.shared().port, 20, receive_buffer=4096)
        self.addCleanup(raw.close)
        raw.send(f"GET /api/v1/submissions/{submission['id']}/events HTTP/1.1\r\n"
                 f"Host: {service.shared().host}:{service.shared().port}\r\n\r\n".encode())
        self.assertEqual(len(self.ended(client, submission["id"])["result"]["output"]), 900_000)


class Stopping(RestCase):
    def test_who_waits_is_answered_when_the_service_stops(self):
        daemon = service.Daemon({"drain_time": 1})
        self.addCleanup(daemon.stop)
        answers = []

        def wait():
            answers.append(Http(daemon).run(wait=True, code="import time\nprint('up', flush=True)\ntime.sleep(60)"))

        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(1)
        daemon.process.terminate()
        thread.join(20)
        self.assertEqual(answers[0][0], 200)
        self.assertEqual(answers[0][1]["verdict"], "cancelled")


if __name__ == "__main__":
    unittest.main()
