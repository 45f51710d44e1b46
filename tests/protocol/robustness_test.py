"""Hostile clients: broken handshakes, frames and JSON, floods, slow readers, full queues."""
import json
import os
import signal
import time
import uuid
from pathlib import Path

import cases
import service
import wire

TOKEN = "a-token-of-some-length-0123456789"


class Handshake(cases.Case):
    def status(self, path=wire.PATH, daemon=None, **fields):
        daemon = daemon or service.shared()
        try:
            wire.Client(daemon.host, daemon.port, path, **fields).close()
            return 101
        except wire.Refused as refused:
            self.assertIn("error", json.loads(refused.body))
            return refused.status

    def test_other_pages_get_no_socket(self):
        port = service.shared().port
        for origin in ("http://evil.example", "null", f"https://127.0.0.1:{port}", f"http://127.0.0.1:{port + 1}",
                       "http://127.0.0.1", f"http://127.0.0.1:{port}.evil.example", f"http://evil.example:{port}"):
            self.assertEqual(self.status(Origin=origin), 403, origin)
        self.assertEqual(self.status(Origin=["http://a", "http://b"]), 403)
        for origin in (f"http://127.0.0.1:{port}", f"http://localhost:{port}", f"http://LOCALHOST:{port}"):
            self.assertEqual(self.status(Origin=origin), 101, origin)

    def test_a_rebound_name_gets_nothing(self):
        daemon = service.shared()
        for host in (f"evil.example:{daemon.port}", "127.0.0.1", f"127.0.0.1:{daemon.port + 1}", f"127.0.0.2:{daemon.port}"):
            self.assertEqual(self.status(Host=host), 403, host)
            self.assertEqual(wire.get(daemon.host, daemon.port, "/api/v1/runtimes", Host=host)[0], 403)
        self.assertEqual(self.status(Host=None), 400)
        self.assertEqual(self.status(Host=[f"127.0.0.1:{daemon.port}"] * 2), 400)
        self.assertEqual(self.status(Host=f"localhost:{daemon.port}"), 101)

    def test_the_key_is_sixteen_bytes_once(self):
        good = "AAAAAAAAAAAAAAAAAAAAAA=="
        self.assertEqual(self.status(Sec_WebSocket_Key=good), 101)
        for key in (None, "", "short", good[:-1], good + "A", "A" * 24, "!" * 22 + "==", [good, good]):
            self.assertEqual(self.status(Sec_WebSocket_Key=key), 400, key)

    def test_version_and_connection(self):
        for version in ("12", "8", "", None, ["13", "13"]):
            self.assertEqual(self.status(Sec_WebSocket_Version=version), 426, version)
        self.assertEqual(self.status(Connection="close"), 400)
        self.assertEqual(self.status(Connection="keep-alive, Upgrade"), 101)
        self.assertEqual(self.status(Content_Length="5"), 400)

    def test_addresses(self):
        for path in ("/api/v1/ws/", "/api/v1/ws/a/b", "/api/v1/ws/%41", "/api/v1/ws/" + "a" * 65, "/", "/api/v1/ws/room/"):
            self.assertEqual(self.status(path), 404, path)
        self.assertEqual(self.status("/api/v1/ws/" + "a" * 64), 101)

    def test_large_heads(self):
        self.assertEqual(self.status(X_Large="x" * 9000), 431)
        self.assertEqual(self.status(X_Very_Large="x" * 200_000), 431)
        self.assertEqual(self.status(X_Many=["x"] * 120), 431)
        self.assertEqual(self.status("/api/v1/ws/" + "a" * 3000), 414)

    def test_what_is_not_http(self):
        daemon = service.shared()
        status, _, _ = wire.http(daemon.host, daemon.port, "\x16\x03\x01 hello\r\n\r\n")
        self.assertEqual(status, 400)
        status, _, _ = wire.http(daemon.host, daemon.port, "GET /healthz HTTP/1.0\r\nHost: x\r\n\r\n")
        self.assertEqual(status, 400)

    def test_frames_before_the_answer_are_refused(self):
        daemon = service.shared()
        raw = wire.Raw(daemon.host, daemon.port)
        self.addCleanup(raw.close)
        raw.send(wire.handshake(daemon.host, daemon.port) + b"\x89\x80\x00\x00\x00\x00")
        self.assertIn(b" 400 ", raw.until(b"\r\n"))

    def test_http(self):
        daemon = service.shared()
        for path, status, kind in (("/healthz", 200, "application/json"), ("/readyz", 200, "application/json"),
                                   ("/api/v1/ws/demo", 200, "text/html"), ("/assets/page.js", 404, "application/json"),
                                   ("/nothing", 404, "application/json"),
                                   ("/api/v1/ws/other", 404, "application/json"), ("/../etc/passwd", 404, "application/json")):
            got, head, body = wire.get(daemon.host, daemon.port, path)
            self.assertEqual(got, status, path)
            self.assertIn(f"Content-Type: {kind}", head)
            for name in ("Content-Security-Policy: default-src 'none'", "X-Content-Type-Options: nosniff",
                         "Referrer-Policy: no-referrer", "X-Frame-Options: DENY"):
                self.assertIn(name, head, path)
            self.assertEqual(head.count("Content-Security-Policy"), 1)
            self.assertTrue(body)
        self.assertEqual(wire.http(daemon.host, daemon.port, f"POST /healthz HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nContent-Length: 0\r\n\r\n")[0], 405)

    def test_runtimes_are_told_without_a_keeper_that_answers(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        path = "/api/v1/runtimes"
        self.assertIn("boxes", json.loads(wire.get(daemon.host, daemon.port, path)[2]))
        os.kill(daemon.process.pid, signal.SIGSTOP)
        try:
            begin = time.monotonic()
            # What is refused anyway does not wait for it.
            self.assertEqual(wire.get(daemon.host, daemon.port, path, Host="elsewhere")[0], 403)
            self.assertLess(time.monotonic() - begin, 1 * service.SLOW)
            status, _, body = wire.get(daemon.host, daemon.port, path)
        finally:
            os.kill(daemon.process.pid, signal.SIGCONT)
        self.assertEqual(status, 200)
        self.assertNotIn("boxes", json.loads(body))
        self.assertIn("python", body)

    def test_a_small_queue_loses_no_runtime(self):
        daemon = service.Daemon({"queue": 1, "queue_per_client": 1, "runs_per_client": 1})
        self.addCleanup(daemon.stop)
        told = json.loads(wire.get(daemon.host, daemon.port, "/api/v1/runtimes")[2])
        all_of_them = json.loads(wire.get(service.shared().host, service.shared().port, "/api/v1/runtimes")[2])
        self.assertEqual(told["runtimes"], all_of_them["runtimes"])

    def test_beyond_loopback_a_token_is_needed(self):
        file = Path(f"/tmp/cloister-token-{uuid.uuid4().hex}")
        file.write_text(TOKEN + "\n")
        file.chmod(0o600)
        self.addCleanup(file.unlink)
        daemon = service.Daemon({"token_file": str(file)}, listen="0.0.0.0:0")
        self.addCleanup(daemon.stop)
        self.assertEqual(self.status(daemon=daemon), 401)
        self.assertEqual(self.status(daemon=daemon, Authorization="Bearer " + TOKEN[:-1] + "x"), 401)
        self.assertEqual(self.status(daemon=daemon, Authorization="Basic " + TOKEN), 401)
        self.assertEqual(self.status(daemon=daemon, Authorization="Bearer " + TOKEN), 101)
        self.assertEqual(self.status(daemon=daemon, Sec_WebSocket_Protocol="cloister.v2, bearer.wrong"), 401)
        with wire.Client(daemon.host, daemon.port, Sec_WebSocket_Protocol="cloister.v2, bearer." + TOKEN) as client:
            self.assertIn("Sec-WebSocket-Protocol: cloister.v2\r\n", client.head + "\r\n")
            self.assertNotIn(TOKEN, client.head)
        self.assertNotIn(TOKEN, daemon.text())


class Messages(cases.Case):
    def test_what_is_wrong_is_named_and_the_connection_goes_on(self):
        client = self.connect()
        for text, code, word in (
            ("", "bad_json", ""), ("{", "bad_json", ""), ("nonsense", "bad_json", ""), ("[1]", "bad_message", "object"),
            ('"ping"', "bad_message", "object"), ("{}", "bad_message", "type"), ('{"type": 7}', "bad_message", "type"),
            ('{"type": "fly"}', "unknown_type", "fly"), ('{"type": "ping", "id": 7}', "bad_message", "id"),
            (json.dumps({"type": "ping", "id": "x" * 65}), "bad_message", "id"),
            ('{"type": "execute_code"}', "bad_message", "language"),
            ('{"type": "execute_code", "language": "python"}', "bad_message", "code"),
            ('{"type": "execute_code", "language": "python", "code": 1}', "bad_message", "code"),
            ('{"type": "execute_code", "language": "python", "code": "", "stream": 1}', "bad_message", "stream"),
            ('{"type": "execute_code", "language": "python", "code": "", "args": [1]}', "bad_message", "args"),
            ('{"type": "execute_code", "language": "python", "code": "", "args": ["a\\u0000b"]}', "bad_message", "args"),
            ('{"type": "execute_code", "language": "python", "code": "", "files": {}}', "bad_message", "files"),
            ('{"type": "execute_code", "language": "python", "code": "", "files": [{"path": "a", "content": "!", "encoding": "base64"}]}', "bad_message", "base64"),
            ('{"type": "execute_code", "language": "python", "code": "", "output_encoding": "rot13"}', "bad_message", "output_encoding"),
            ('{"type": "execute_code", "language": "python", "code": "", "entry": "none.py"}', "bad_message", "entry"),
            ('{"type": "execute_code", "language": "python", "code": "", "tty": true, "cols": 0}', "bad_message", "cols"),
            ('{"type": "execution_cancel"}', "bad_message", "run_id"),
            ('{"type": "execution_cancel", "run_id": "r999999"}', "no_such_run", ""),
            ('{"type": "execution_input", "run_id": "r1"}', "bad_message", "data"),
            ('{"type": "ping", "id": "\\ud800"}', "bad_json", ""),
        ):
            client.text(text)
            answer = client.receive()
            self.assertEqual((answer["type"], answer["code"]), ("error", code), text)
            self.assertIn(word, answer["message"], text)
        self.assertEqual(client.ask(type="ping")["type"], "pong")

    def test_paths_stay_inside(self):
        client = self.connect()
        for path in ("../x.py", "/etc/passwd", "a/../b.py", "a//b.py", "./a.py", "a\\b.py", "a\nb.py", "x" * 256 + ".py", "a/", ""):
            for fields in ({"file_path": path} if path else {}, {"files": [{"path": path, "content": ""}]}):
                if fields:
                    answer = client.ask({"type": "execute_code", "language": "python", "code": ""} | fields)
                    self.assertEqual(answer.get("code"), "bad_path", (path, answer))
        answer = client.ask(type="execute_code", language="python", code="", files=[{"path": "main.py/x", "content": ""}])
        self.assertEqual(answer["code"], "bad_path")

    def test_what_the_box_cannot_unpack_is_the_clients_error(self):
        client = self.connect()
        # Each is a path that may be asked for; all the folders together are more than a box may have.
        deep = [{"path": f"{i}/" + "d/" * 500 + "x", "content": ""} for i in range(60)]
        answer = client.ask(type="execute_code", language="python", code="", files=deep, id="deep")
        self.assertEqual((answer["type"], answer.get("code"), answer.get("id")), ("error", "too_large", "deep"))
        answer = client.ask(type="execute_code", language="python", code="", files=deep[:1], limits={"file_count": 100}, id="few")
        self.assertEqual((answer["type"], answer.get("code"), answer.get("id")), ("error", "too_large", "few"))
        if cases.versions().get("java"):
            folder = "/".join(["f" * 250] * 4)
            answer = client.ask(type="execute_code", language="java", code="public class " + "C" * 190 + " {}", file_path=folder + "/a.java", id="java")
            self.assertEqual((answer.get("code"), answer.get("id")), ("bad_path", "java"))
        self.assertTrue(client.run("print(1)")["success"])

    def test_a_path_of_many_letters_is_fine(self):
        result = self.connect().run("print(__file__)", file_path="한 글/" + "x" * 250 + ".py")
        self.assertTrue(result["output"].endswith("한 글/" + "x" * 250 + ".py\n"), result)

    def test_unknown_and_repeated_fields_are_ignored(self):
        client = self.connect()
        client.text('{"type": "execute_code", "language": "python", "code": "print(1)", "code": "print(2)", "new": {"a": [1]}}')
        self.assertEqual(client.receive()["result"]["output"], "2\n")

    def test_deep_json_is_refused_unbuilt(self):
        client = self.connect()
        for text in ("[" * 100_000, '{"a":' * 200_000, '{"type": "ping", "x": ' + "[" * 32 + "]" * 32 + "}"):
            client.text(text)
            self.assertEqual(client.receive()["code"], "bad_json")
        client.text('{"type": "ping", "x": ' + "[" * 31 + "]" * 31 + "}")
        self.assertEqual(client.receive()["type"], "pong")
        client.text(json.dumps({"type": "ping", "x": "[" * 100}))
        self.assertEqual(client.receive()["type"], "pong")

    def test_sizes(self):
        client = self.connect()
        answer = client.ask(type="execute_code", language="python", code="#" * (256 * 1024 + 1))
        self.assertEqual(answer["code"], "too_large")
        self.assertTrue(client.run("#" * 256 * 1024)["success"])
        answer = client.ask(type="execute_code", language="python", code="", files=[{"path": f"f{i}", "content": ""} for i in range(65)])
        self.assertEqual(answer["code"], "too_large")
        answer = client.ask(type="execute_code", language="python", code="", args=["x"] * 65)
        self.assertEqual(answer["code"], "too_large")

    def test_a_message_over_the_limit_closes_1009(self):
        client = self.connect()
        client.frame(1, b" " * (1024 * 1024 + 1))
        self.assertEqual(self.close_code(client), 1009)
        # Who is still sending hears why, too: no reset overtakes the close frame.
        for _ in range(10):
            client = self.connect()
            client.frame(1, b" " * (4 << 20))
            self.assertEqual(self.close_code(client), 1009)
        client = self.connect()
        client.frame(1, b"", declare=1 << 40)
        self.assertEqual(self.close_code(client), 1009)
        client = self.connect()
        client.frame(1, b" " * 900_000, fin=False)
        client.frame(0, b" " * 900_000)
        self.assertEqual(self.close_code(client), 1009)

    def test_text_that_is_no_utf8_closes_1007(self):
        for parts in ((b'"\xff"',), (b'"\xc0\xaf"',), (b'"\xed\xa0\x80"',), (b'"\xc3',), (b'"\xc3', b"", b"")):
            client = self.connect()
            for i, part in enumerate(parts):
                client.frame(1 if i == 0 else 0, part, fin=i + 1 == len(parts))
            self.assertEqual(self.close_code(client), 1007, parts)

    def test_broken_frames_close_1002(self):
        for break_it in (lambda c: c.frame(1, b"{}", masked=False), lambda c: c.frame(1, b"{}", reserved=4), lambda c: c.frame(3, b""),
                         lambda c: c.frame(0, b"x"), lambda c: c.frame(9, b"x" * 126), lambda c: c.frame(9, b"x", fin=False),
                         lambda c: c.frame(8, b"\x03")):
            client = self.connect()
            break_it(client)
            self.assertEqual(self.close_code(client), 1002)

    def test_binary_frames_are_answered(self):
        client = self.connect()
        client.frame(2, b'{"type": "ping"}')
        self.assertEqual(client.receive()["code"], "bad_message")

    def test_fragments_and_pings_between_them(self):
        client = self.connect()
        client.frame(1, b'{"type": "pi', fin=False)
        client.frame(9, b"between")
        client.frame(0, b'ng"}')
        self.assertEqual(client.receive()["type"], "pong")

    def test_a_close_is_returned(self):
        client = self.connect()
        client.frame(8, b"\x03\xe8bye")
        self.assertEqual(self.close_code(client), 1000)

    def test_no_compression_is_offered(self):
        client = self.connect(Sec_WebSocket_Extensions="permessage-deflate")
        self.assertNotIn("permessage-deflate", client.head)

    def test_a_flood_is_told_and_then_closed(self):
        daemon = service.Daemon({"messages_per_second": 2})  # so few that a busy host's client floods it, too
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        batch = 300
        for i in range(batch):
            client.send(type="ping", id=str(i))
        answers = [client.receive() for _ in range(batch)]
        self.assertGreaterEqual(sum(a["type"] == "pong" for a in answers), 240)
        self.assertTrue(any(a.get("code") == "rate_limited" for a in answers))
        self.assertEqual([a["id"] for a in answers], [str(i) for i in range(batch)])
        # A long one is not looked into, not even for its id.
        client.send(type="ping", id="long", padding="x" * 17_000)
        answer = client.receive()
        self.assertEqual((answer.get("code"), answer.get("id")), ("rate_limited", None))
        time.sleep(1.5)
        self.assertEqual(client.ask(type="ping")["type"], "pong")
        try:
            frame = b"\x81\x8f\x00\x00\x00\x00" + b'{"type":"ping"}'
            for _ in range(40):
                client.raw.send(frame * 250)
        except ConnectionError:
            pass
        self.assertEqual(self.close_code(client), 4429)


class Load(cases.Case):
    def test_a_full_queue_answers_busy_and_every_request_is_answered_once(self):
        client = self.connect()
        asked = 40
        for i in range(asked):
            client.send(type="execute_code", language="python", id=str(i), code="import time; time.sleep(.05)")
        answers = [client.wait("execution_result", "error") for _ in range(asked)]
        self.assertEqual(sorted(int(a["id"]) for a in answers), list(range(asked)))
        busy = [a for a in answers if a["type"] == "error"]
        self.assertEqual(len(busy), asked - 20)
        self.assertTrue(all(a["code"] == "busy" and a["retry_after_ms"] > 0 for a in busy))
        self.assertTrue(all(a["result"]["success"] for a in answers if a["type"] == "execution_result"))

    def test_a_small_client_does_not_wait_behind_a_greedy_one(self):
        daemon = service.Daemon({"boxes": 1})
        self.addCleanup(daemon.stop)
        greedy, small = self.connect(daemon), self.connect(daemon)
        for i in range(12):
            greedy.send(type="execute_code", language="python", id=str(i), code="import time; time.sleep(.1)")
        greedy.wait("execution_result")
        small.send(type="execute_code", language="python", code="print(1)")
        small.wait("execution_result", seconds=20 * service.SLOW)
        greedy.raw.socket.settimeout(0.03)
        done = 1
        try:
            while True:
                greedy.message()
                done += 1
        except TimeoutError:
            pass
        self.assertLess(done, 8)
        for _ in range(12 - done):
            greedy.wait("execution_result", seconds=20 * service.SLOW)

    def test_many_clients_at_once(self):
        clients = [self.connect() for _ in range(30)]
        for i, client in enumerate(clients):
            client.send(type="execute_code", language="python", code=f"print({i})")
        for i, client in enumerate(clients):
            self.assertEqual(client.wait("execution_result", seconds=60 * service.SLOW)["result"]["output"], f"{i}\n")

    def test_a_waiting_run_can_be_cancelled(self):
        client = self.connect()
        for i in range(5):
            client.send(type="execute_code", language="python", id=str(i), code="import time; time.sleep(.5)")
        client.send(type="execution_cancel", id="4")
        first = client.wait("execution_result", seconds=10)
        self.assertEqual((first["id"], first["result"]["verdict"]), ("4", "cancelled"))
        for _ in range(4):
            self.assertTrue(client.wait("execution_result")["result"]["success"])

    def test_a_slow_reader_makes_its_program_wait_then_is_cut(self):
        client = self.connect(receive_buffer=4096)
        marks = [service.fresh_mark() for _ in range(4)]
        for mark in marks:
            client.send(type="execute_code", language="python", stream=True, code=service.show(mark) + (
                "import sys\nfor i in range(900): sys.stdout.write('\\x01' * 1000); sys.stderr.write('\\x02' * 1000)"))
        front = service.shared().front()
        before = resident(front)
        time.sleep(3)
        self.assertLess(resident(front) - before, 48 << 20)
        self.assertTrue(any(service.processes_with(mark) for mark in marks))
        other = self.connect()
        self.assertTrue(other.run("print(1)")["success"])
        time.sleep(24)
        client.raw.socket.settimeout(10)
        try:
            while True:
                client.message()
        except (wire.Closed, ConnectionError) as error:
            self.assertIn(getattr(error, "code", None), (None, 1013))
        for mark in marks:
            self.assertTrue(service.gone_within(mark, 2 * service.SLOW))

    def test_half_open_connections_end_and_bother_nobody(self):
        daemon = service.Daemon({"handshake_timeout": 2})
        self.addCleanup(daemon.stop)
        raws = []
        for i in range(700):
            raw = wire.Raw(daemon.host, daemon.port, 20)
            self.addCleanup(raw.close)
            if i % 2:
                raw.send(b"GET /api/v1/ws/demo HTTP/1.1\r\nHost: ")
            raws.append(raw)
        self.assertTrue(self.connect(daemon).run("print(1)")["success"])
        begin = time.monotonic()
        for raw in raws:
            self.assertEqual(raw.all(), b"")
        self.assertLess(time.monotonic() - begin, 6 * service.SLOW)

    def test_a_silent_peer_is_asked_and_then_cut(self):
        daemon = service.Daemon({"idle_ping": 1})
        self.addCleanup(daemon.stop)
        dead, alive_one = self.connect(daemon), self.connect(daemon)
        with self.assertRaises(TimeoutError):  # it answers pings while it waits in vain for a message
            alive_one.wait("nothing", seconds=4.5)
        self.assertEqual(alive_one.ask(type="ping")["type"], "pong")
        self.assertIn(b"\x89", dead.raw.all())

    def test_connections_are_bounded(self):
        daemon = service.Daemon({"connections": 20})
        self.addCleanup(daemon.stop)
        clients = [self.connect(daemon) for _ in range(20)]
        with self.assertRaises(wire.Refused) as refused:
            wire.Client(daemon.host, daemon.port)
        self.assertEqual(refused.exception.status, 503)
        flood = [wire.Raw(daemon.host, daemon.port) for _ in range(300)]
        self.assertEqual(clients[1].ask(type="ping")["type"], "pong")
        self.assertTrue(clients[1].run("print(1)")["success"])
        for raw in flood:
            raw.close()
        clients[0].close()
        time.sleep(0.3)
        self.connect(daemon)

    def test_a_bare_descriptor_limit_does_not_spin(self):
        front_limit = 200
        daemon = service.Daemon(files=front_limit)
        self.addCleanup(daemon.stop)
        front = daemon.front()
        raws = [wire.Raw(daemon.host, daemon.port, 20) for _ in range(front_limit + 40)]
        time.sleep(0.3)
        before = ticks(front)
        time.sleep(1)
        self.assertLess(ticks(front) - before, 30)
        for raw in raws:
            raw.close()
        time.sleep(0.5)
        self.assertTrue(self.connect(daemon).run("print(1)")["success"])

    def test_idle_connections_are_light(self):
        daemon = service.shared()
        front = daemon.front()
        before = resident(front)
        clients = [self.connect() for _ in range(300)]
        self.assertLess((resident(front) - before) / len(clients), 40_000 * service.SLOW)
        for client in clients:
            client.close()


class Life(cases.Case):
    def test_the_front_has_no_privilege(self):
        daemon = service.shared()
        status = dict(line.split(":\t", 1) for line in Path(f"/proc/{daemon.front()}/status").read_text().splitlines() if ":\t" in line)
        self.assertNotIn("0", status["Uid"].split())
        self.assertNotIn("0", status["Gid"].split())
        self.assertEqual(status["Groups"].strip(), "")
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status[name], 16), 0, name)
        self.assertEqual(status["NoNewPrivs"], "1")
        if "asan" not in str(service.build_directory()):
            self.assertEqual(status["Seccomp"], "2")

    def test_the_keeper_goes_first_and_nobody_else(self):
        daemon = service.shared()
        policies = {name: os.sched_getscheduler(pid) & ~os.SCHED_RESET_ON_FORK
                    for name, pid in (("keeper", daemon.process.pid), ("front", daemon.front()))}
        self.assertEqual(policies, {"keeper": os.SCHED_RR, "front": os.SCHED_OTHER})
        # priority, nice and policy of a program and of its init, as in proc(5)
        code = ("for name in ('self', '1'):\n"
                "  try: fields = open(f'/proc/{name}/stat').read().rsplit(')', 1)[1].split()\n"
                "  except OSError: continue\n"
                "  print(fields[15], fields[16], fields[38])")
        for _ in range(3):  # cold, prepared, warm: whatever there is
            output = self.connect(daemon).run(code)["output"]
            self.assertEqual(set(output.splitlines()), {"20 0 0"})

    def test_sigterm_finishes_what_runs_and_refuses_what_comes(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", stream=True, code="import time; time.sleep(1); print('done')")
        client.wait("execution_started")
        daemon.process.terminate()
        time.sleep(0.2)
        answer = client.ask(type="execute_code", language="python", code="print(1)", id="late")
        self.assertEqual((answer["code"], answer["id"]), ("busy", "late"))
        with self.assertRaises(OSError):
            wire.Raw(daemon.host, daemon.port, 2)
        self.assertEqual(client.wait("execution_result")["result"]["output"], "done\n")
        self.assertEqual(self.close_code(client), 1001)
        self.assertEqual(daemon.process.wait(5), 0)

    def test_sigterm_cuts_what_takes_too_long(self):
        daemon = service.Daemon({"drain_time": 1})
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", stream=True, code="import time; time.sleep(9)")
        client.wait("execution_started")
        daemon.process.terminate()
        result = client.wait("execution_result", seconds=5 * service.SLOW)["result"]
        self.assertEqual(result["verdict"], "cancelled")
        self.assertIn("stopping", result["error"])
        self.assertEqual(self.close_code(client), 1001)
        self.assertEqual(daemon.process.wait(5), 0)

    def test_if_either_process_dies_the_other_and_all_runs_end(self):
        for victim in ("keeper", "front"):
            with self.subTest(victim):
                daemon = service.Daemon()
                self.addCleanup(daemon.stop)
                mark = service.fresh_mark()
                client = self.connect(daemon)
                client.send(type="execute_code", language="python", stream=True, code=service.show(mark) + "import time\nprint(1, flush=True)\ntime.sleep(9)")
                client.wait("execution_output")
                self.assertTrue(service.processes_with(mark))
                front = daemon.front()
                os.kill(daemon.process.pid if victim == "keeper" else front, 9)
                self.assertTrue(service.gone_within(mark, 1 * service.SLOW))
                daemon.process.wait(3)
                end = time.monotonic() + 1 * service.SLOW
                while alive(front) and time.monotonic() < end:
                    time.sleep(0.02)
                self.assertFalse(alive(front))


def alive(pid):
    """False for a zombie too: in a container nobody may collect orphans."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def resident(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def ticks(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])
