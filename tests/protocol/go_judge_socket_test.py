"""go-judge's two WebSockets."""
import json
import time

import service
import wire
from go_judge_cases import MIB, SECOND, GoJudgeCase, cmd, python


class Sockets(GoJudgeCase):
    """/ws: many requests at one time."""

    def open(self, path="/go-judge/ws", **fields):
        daemon = service.shared()
        client = wire.Client(daemon.host, daemon.port, path, greet=False, **fields)
        self.addCleanup(client.close)
        return client

    def test_many_requests_at_one_time(self):
        for path in ("/ws", "/go-judge/ws"):
            client = self.open(path)
            for i in range(6):
                client.send({"requestId": f"r{i}", "cmd": [python(f"print({i})")]})
            answers = {one["requestId"]: one for one in (client.receive(60 * service.SLOW) for _ in range(6))}
            self.assertEqual({id: one["results"][0]["files"]["stdout"] for id, one in answers.items()}, {f"r{i}": f"{i}\n" for i in range(6)})
            self.assertNotIn("error", answers["r0"])

    def test_a_request_is_cancelled(self):
        client = self.open()
        mark = service.fresh_mark()
        client.send({"requestId": "long", "cmd": [python(service.show(mark) + "import time; time.sleep(60)")]})
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        client.send({"cancelRequestId": "none"})
        client.send({"cancelRequestId": "long"})
        answer = client.receive(20 * service.SLOW)
        self.assertEqual((answer["requestId"], answer["results"][0]["status"]), ("long", "Internal Error"))
        self.assertIn("cancelled", answer["results"][0]["error"])
        self.assertEqual(service.processes_with(mark), [])
        client.send({"requestId": "long", "cmd": [cmd("/bin/true")]})
        self.assertEqual(client.receive(20 * service.SLOW)["results"][0]["status"], "Accepted")

    def test_what_is_wrong_is_said_and_nothing_is_lost(self):
        client = self.open()
        client.send({"requestId": "a", "cmd": [python("import time; time.sleep(1)")]})
        for message, id, words in (({"requestId": "a", "cmd": [cmd("/bin/true")]}, "a", "duplicated"), ({"cmd": [cmd("/bin/true")]}, "", "empty"),
                                   ({"requestId": "b"}, "b", "no cmd"), ({"requestId": "c", "cmd": [{"args": []}]}, "c", "args")):
            client.send(message)
            answer = client.receive(20)
            self.assertEqual((answer["requestId"], answer["results"]), (id, None))
            self.assertIn(words, answer["error"])
        client.text("{")
        self.assertEqual(client.receive(20)["requestId"], "")
        self.assertEqual(client.receive(20 * service.SLOW)["results"][0]["status"], "Accepted")

    def test_more_than_may_wait(self):
        roomy = service.Daemon({"queue_per_client": 200})
        self.addCleanup(roomy.stop)
        for daemon, most in ((service.shared(), None), (roomy, 64)):
            client = wire.Client(daemon.host, daemon.port, "/ws", greet=False)
            self.addCleanup(client.close)
            client.raw.socket.settimeout(60 * service.SLOW)
            for i in range(70):
                client.send({"requestId": str(i), "cmd": [cmd("/bin/sleep", "2" if i < 4 else ".01")]})
            answers = [json.loads(client.message()) for _ in range(70)]
            self.assertEqual({one["requestId"] for one in answers}, {str(i) for i in range(70)})
            refused = [one for one in answers if "error" in one]
            self.assertEqual({one["error"] for one in refused}, {"worker queue is full"})
            if most:
                self.assertEqual(len(answers) - len(refused), most)
            self.assertGreaterEqual(len(answers) - len(refused), 16)

    def test_requests_end_with_their_connection(self):
        client = self.open()
        mark = service.fresh_mark()
        for i in range(2):
            client.send({"requestId": str(i), "cmd": [python(service.show(mark) + "import time; time.sleep(60)")]})
        end = time.monotonic() + 20 * service.SLOW
        while len(service.processes_with(mark)) < 2 and time.monotonic() < end:
            time.sleep(0.02)
        client.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_who_may_not_connect(self):
        for path in ("/ws", "/stream", "/go-judge/ws", "/go-judge/stream"):
            with self.assertRaises(wire.Refused) as refused:
                self.open(path, Origin="http://evil.example")
            self.assertEqual(refused.exception.status, 403)
        without = service.Daemon({"go_judge_api": False})
        self.addCleanup(without.stop)
        for path in ("/ws", "/go-judge/stream"):
            with self.assertRaises(wire.Refused) as refused:
                wire.Client(without.host, without.port, path, greet=False)
            self.assertEqual(refused.exception.status, 404)


class Streams(GoJudgeCase):
    """/stream: one request, whose input and output pass as they come."""

    def open(self, request=None, path="/go-judge/stream"):
        daemon = service.shared()
        client = wire.Client(daemon.host, daemon.port, path, greet=False)
        self.addCleanup(client.close)
        client.raw.socket.settimeout(60 * service.SLOW)
        if request is not None:
            client.frame(2, b"\x01" + json.dumps(request).encode())
        return client

    def feed(self, client, data, index=0, fd=0):
        client.frame(2, bytes([3, index << 4 | fd]) + data)

    def until(self, client, mark, place=1):
        """What comes for `place` until it holds `mark`."""
        found = b""
        while mark not in found:
            frame = client.message()
            self.assertEqual(frame[0], 2, frame)
            if frame[1] == place:
                found += frame[2:]
        return found

    def rest(self, client):
        """Output by place, the final answer, and the close code."""
        output, final = {}, None
        try:
            while True:
                frame = client.message()
                if frame[0] == 2:
                    output[frame[1]] = output.get(frame[1], b"") + frame[2:]
                else:
                    self.assertEqual(frame[0], 1)
                    final = json.loads(frame[1:])
        except wire.Closed as closed:
            return output, final, closed.code

    LIVE = [{"streamIn": True}, {"streamOut": True}, {"streamOut": True}]

    def test_a_command_is_fed_and_watched(self):
        for path in ("/stream", "/go-judge/stream"):
            client = self.open({"cmd": [python("print(input(), flush=True)\nimport sys\nprint(repr(sys.stdin.read()), flush=True)\n"
                                               "sys.stderr.write('e'); sys.exit(2)", files=self.LIVE)]}, path)
            self.feed(client, "한\n".encode())
            self.assertEqual(self.until(client, b"\n"), "한\n".encode())
            self.feed(client, b"rest")
            self.feed(client, b"")
            output, final, code = self.rest(client)
            self.assertEqual((output, code), ({1: b"'rest'\n", 2: b"e"}, 1000))
            self.assertEqual((final["results"][0]["status"], final["results"][0]["exitStatus"]), ("Nonzero Exit Status", 2))
            self.assertNotIn("files", final["results"][0])

    def test_several_with_collectors_beside_streams(self):
        first = python("print('first')", files=[None, {"name": "o", "max": 100}, None])
        second = python("import os; os.write(1, bytes(range(256)))", files=[None, {"streamOut": True}, {"name": "e", "max": 10}], copyOut=["none?"])
        output, final, code = self.rest(self.open({"cmd": [first, second]}))
        self.assertEqual(output, {0x11: bytes(range(256))})
        self.assertEqual([one["files"] for one in final["results"]], [{"o": "first\n"}, {"e": ""}])

    def test_a_terminal(self):
        code = "import os, sys\nprint(os.isatty(0), os.get_terminal_size(), flush=True)\nsys.stdin.readline()\nprint(os.get_terminal_size(), flush=True)"
        client = self.open({"cmd": [python(code, files=self.LIVE, tty=True)]})
        self.assertIn(b"True os.terminal_size(columns=80, lines=24)", self.until(client, b"24)"))
        client.frame(2, b"\x02" + json.dumps({"index": 0, "fd": 0, "rows": 10, "cols": 40, "x": 0, "y": 0}).encode())
        self.feed(client, b"\n")
        output, final, _ = self.rest(client)
        self.assertIn(b"columns=40, lines=10", output[1])
        self.assertEqual(final["results"][0]["status"], "Accepted")

    def test_it_is_cancelled(self):
        client = self.open({"cmd": [python("print('up', flush=True)\nimport time; time.sleep(60)", files=self.LIVE)]})
        self.until(client, b"up\n")
        client.frame(2, b"\x04")
        _, final, _ = self.rest(client)
        self.assertEqual(final["results"][0]["status"], "Internal Error")

    def test_what_is_wrong_is_the_last_word(self):
        good = json.dumps({"cmd": [python("import time; time.sleep(60)", files=self.LIVE)]}).encode()
        for frames, words in (([b""], "first"), ([b"\x03\x00x"], "first"), ([b"\x01{"], "JSON"), ([b"\x01{}"], "no cmd"),
                              ([b"\x01" + good] * 2, "already"), ([b"\x01" + good, b"\x03\x01x"], "input"), ([b"\x01" + good, b"\x03\x10x"], "input"),
                              ([b"\x01" + good, b"\x03"], "descriptor"), ([b"\x01" + good, b"\x02{}"], "tty"), ([b"\x01" + good, b"\x02x"], "JSON"),
                              ([b"\x01" + good, b"\x09"], "invalid type")):
            client = self.open()
            for frame in frames:
                client.frame(2, frame)
            output, final, code = self.rest(client)
            self.assertEqual((final["results"], code), (None, 1000), frames)
            self.assertIn(words, final["error"])

    def test_a_stream_without_end(self):
        counting = cmd("/usr/bin/seq", "100000000", files=self.LIVE, cpuLimit=10 * SECOND, clockLimit=20 * SECOND)
        output, final, _ = self.rest(self.open({"cmd": [counting]}))
        self.assertEqual(final["results"][0]["status"], "Output Limit Exceeded")
        self.assertLessEqual(len(output[1]), 16 * MIB)

    def test_it_ends_with_its_connection(self):
        mark = service.fresh_mark()
        client = self.open({"cmd": [python(service.show(mark) + "print('up', flush=True)\nimport time; time.sleep(60)", files=self.LIVE)]})
        self.until(client, b"up\n")
        self.assertTrue(service.processes_with(mark))
        client.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
