"""Analysis and suggestions over the socket, from the confined analyst; and what becomes of it when it is attacked."""
import os
import re
import signal
import time
import unittest
from pathlib import Path

import cases
import service

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$")
HELLO = "def hello():\n    print('Hello!')"


def children(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def analyst(daemon):
    """An init of the keeper's and, by the name of its program, its child: the analyst's first process; or None."""
    for init in children(daemon.process.pid):
        try:
            for child in children(init):
                if Path(f"/proc/{child}/comm").read_text().strip() == "cloister-analys":
                    return init, child
        except OSError:
            continue
    return None


def first_process(daemon):
    return (analyst(daemon) or (None, None))[1]


def kill(daemon):
    """Kills the first process; the one that takes its place. The workers of the killed one are its init's until both are gone."""
    init, first = analyst(daemon)
    os.kill(first, signal.SIGKILL)
    end = time.monotonic() + 20 * service.SLOW
    while not (now := analyst(daemon)) or now[0] == init:
        if time.monotonic() > end:
            raise AssertionError("nothing took the place of the analyst")
        time.sleep(0.01)
    return now[1]


def settled(first):
    """The workers, once none is on its way in or out."""
    before = None
    while (now := children(first)) != before or len(now) != 3:
        before = now
        time.sleep(0.2)
    return now


class Analysis(cases.Case):
    def ask(self, client, content=HELLO, file_path="main.py", seconds=20, **fields):
        """The answer; a daemon that has just started may still say that it is busy."""
        end = time.monotonic() + seconds * service.SLOW
        while True:
            client.send({"type": "request_analysis", "file_path": file_path, "content": content} | fields)
            answer = client.wait("analysis_result", "error", seconds=seconds * service.SLOW)
            if answer["type"] == "analysis_result" or answer["code"] != "busy" or time.monotonic() > end:
                return answer
            time.sleep(0.1)

    def test_the_base_message_is_answered_in_the_base_shape(self):
        client = self.connect()
        answer = self.ask(client)
        self.assertEqual(answer["type"], "analysis_result")
        self.assertEqual(answer["file_path"], "main.py")
        self.assertRegex(answer["timestamp"], TIME)
        self.assertNotIn("id", answer)
        analysis = answer["analysis"]
        self.assertEqual(analysis["language"], "python")
        self.assertIs(analysis["success"], True)
        self.assertIs(analysis["syntax_valid"], True)
        self.assertEqual({key: analysis["metrics"][key] for key in ("lines_of_code", "functions", "classes", "complexity")},
                         {"lines_of_code": 2, "functions": 1, "classes": 0, "complexity": 1})
        self.assertEqual(analysis["issues"], [])
        self.assertEqual(analysis["quality_score"], 100)

    def test_issues_have_type_message_line_and_suggestion(self):
        answer = self.ask(self.connect(), "import os\n\nif x == None:\n    pass\n", id="a1")
        self.assertEqual(answer["id"], "a1")
        by_rule = {issue["rule"]: issue for issue in answer["analysis"]["issues"]}
        self.assertEqual(by_rule["unused-import"]["line"], 1)
        issue = by_rule["equals-none"]
        self.assertEqual(issue["type"], "warning")
        self.assertEqual((issue["line"], issue["column"], issue["end_line"], issue["end_column"]), (3, 3, 3, 12))
        self.assertEqual(issue["fix"], {"range": {"start": {"line": 2, "column": 3}, "end": {"line": 2, "column": 12}},
                                        "text": "x is None"})
        self.assertIn("x is None", issue["suggestion"])

    def test_messages_come_in_korean_when_asked(self):
        english = self.ask(self.connect(), "import os\n")["analysis"]["issues"][0]["message"]
        korean = self.ask(self.connect(), "import os\n", lang="ko")["analysis"]["issues"][0]["message"]
        self.assertTrue(english.isascii())
        self.assertRegex(korean, "[가-힣]")

    def test_messages_come_in_the_language_of_hello_unless_a_request_says_another(self):
        client = self.connect()
        english = self.ask(client, "import os\n")["analysis"]["issues"][0]["message"]
        client.send(type="hello", protocol=2, lang="ko-KR")
        client.wait("hello_ok")
        self.assertRegex(self.ask(client, "import os\n")["analysis"]["issues"][0]["message"], "[가-힣]")
        self.assertEqual(self.ask(client, "import os\n", lang="en")["analysis"]["issues"][0]["message"], english)

    def test_columns_are_utf16_units(self):
        answer = self.ask(self.connect(), "s = '😀한'; x == None\n")
        issue = next(one for one in answer["analysis"]["issues"] if one["rule"] == "equals-none")
        self.assertEqual((issue["column"], issue["end_column"]), (11, 20))

    def test_a_syntax_error_has_its_place(self):
        analysis = self.ask(self.connect(), "def f(:\n    pass\n")["analysis"]
        self.assertIs(analysis["syntax_valid"], False)
        self.assertLessEqual(analysis["quality_score"], 40)
        issue = analysis["issues"][0]
        self.assertEqual((issue["type"], issue["line"]), ("error", 1))

    def test_the_field_language_goes_before_the_name(self):
        answer = self.ask(self.connect(), file_path="untitled", language="py")
        self.assertEqual(answer["analysis"]["language"], "python")

    def test_an_unknown_language_is_a_clear_error(self):
        client = self.connect()
        for fields in ({"file_path": "main.zig"}, {"language": "klingon"}):
            answer = self.ask(client, **fields)
            self.assertEqual((answer["type"], answer["code"]), ("error", "unknown_language"))
            self.assertIn("python", answer["message"])
        self.assertEqual(self.ask(client)["type"], "analysis_result")

    def test_bad_fields_are_named(self):
        client = self.connect()
        for message, word in (({"type": "request_analysis", "file_path": "a.py"}, "content"),
                              ({"type": "request_analysis", "content": "x"}, "file_path"),
                              ({"type": "request_analysis", "file_path": "a.py", "content": 5}, "content"),
                              ({"type": "request_analysis", "file_path": "a.py", "content": "", "depth": "abyss"}, "depth"),
                              ({"type": "request_suggestion", "file_path": "a.py", "content": ""}, "position"),
                              ({"type": "request_suggestion", "file_path": "a.py", "content": "",
                                "position": {"line": -1, "column": 0}}, "position")):
            answer = client.ask(message)
            self.assertEqual((answer["type"], answer["code"]), ("error", "bad_message"), message)
            self.assertIn(word, answer["message"])

    def test_a_source_beyond_the_bound_is_refused(self):
        answer = self.ask(self.connect(), "#" * (256 * 1024 + 1))
        self.assertEqual(answer["code"], "too_large")
        self.assertEqual(self.ask(self.connect(), "#" * (256 * 1024))["analysis"]["success"], True)

    def test_many_requests_are_each_answered_once_and_in_order(self):
        client = self.connect()
        self.ask(client)
        for i in range(12):
            client.send(type="request_analysis", file_path="m.py", content="x = 1\n" * i, id=str(i))
        answers = [client.wait("analysis_result", "error", seconds=20 * service.SLOW) for _ in range(12)]
        self.assertEqual(sorted((one["id"] for one in answers), key=int), [str(i) for i in range(12)])
        self.assertEqual([one for one in answers if one["type"] == "error"], [])

    def test_a_queue_that_is_full_says_busy(self):
        client = self.connect()
        self.ask(client)
        for i in range(60):
            client.send(type="request_analysis", file_path="m.py", content="f(" * 60_000, id=str(i))
        answers = [client.wait("analysis_result", "error", seconds=60 * service.SLOW) for _ in range(60)]
        codes = {one.get("code") for one in answers}
        self.assertIn("busy", codes)
        self.assertEqual({one["id"] for one in answers}, {str(i) for i in range(60)})
        busy = next(one for one in answers if one.get("code") == "busy")
        self.assertGreater(busy["retry_after_ms"], 0)

    def test_hostile_sources_end_and_stall_nobody(self):
        """Of reference: repeats that make parsers and queries slow. Each is answered, and so is a neighbour."""
        hostile, neighbour = self.connect(), self.connect()
        self.ask(neighbour)
        for piece in ("a?b:", "a<", "<a>", "'", "x=>(", "(", "[", "{", "a + ", "if a:\n ", "\"\"\"", "f(", "not ", "lambda:",
                      "x = ", "@", "\\", "else:\n", "class A(", "async ", "a.b", "*", "\t", "`"):
            content = (piece * (200 * 1024 // len(piece)))[:200 * 1024]
            hostile.send(type="request_analysis", file_path="a.py", content=content)
            begin = time.monotonic()
            self.assertIs(self.ask(neighbour)["analysis"]["success"], True)
            self.assertLess(time.monotonic() - begin, 3 * service.SLOW, piece)
            answer = hostile.wait("analysis_result", "error", seconds=20 * service.SLOW)
            self.assertEqual(answer["type"], "analysis_result", piece)
            if not answer["analysis"]["success"]:
                self.assertIn(answer["analysis"]["error"], ("analysis_timeout", "analysis_failed"), piece)
                self.assertIn("lines_of_code", answer["analysis"]["metrics"])

    def test_odd_texts(self):
        client = self.connect()
        for content in ("", "\0", "\ufeff", "\n", "\r", "\r\n\r", "\u2028", "가" * 1000, "\ud83d\ude00", "\x7f\x01"):
            self.assertEqual(self.ask(client, content)["type"], "analysis_result", repr(content))

    def test_suggestions_know_what_is_in_scope(self):
        client = self.connect()
        self.ask(client)
        client.send(type="request_suggestion", file_path="main.py", content="def greet(name):\n    total = 1\n    return na",
                    position={"line": 2, "column": 13}, id="s")
        answer = client.receive()
        self.assertEqual((answer["type"], answer["file_path"], answer["id"]), ("suggestion_result", "main.py", "s"))
        self.assertEqual(answer["position"], {"line": 2, "column": 13})
        first = answer["suggestions"][0]
        self.assertEqual((first["label"], first["insert"], first["kind"]), ("name", "name", "parameter"))
        self.assertIn("detail", first)

    def test_the_base_suggestion_inside_a_string_is_empty(self):
        client = self.connect()
        self.ask(client)
        client.text('{"type": "request_suggestion", "file_path": "main.py", "content": "def hello():\\n    print(\'Hello!\')", '
                    '"position": {"line": 1, "column": 14}}')
        answer = client.receive()
        self.assertEqual(answer["suggestions"], [])


class Process(cases.Case):
    """What the analyst's processes are, and that they come back."""
    ask = Analysis.ask

    def test_it_is_locked_in(self):
        client = self.connect()
        self.ask(client)
        daemon = service.shared()
        first = first_process(daemon)
        workers = settled(first)
        for pid in [first, *workers]:
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
            self.assertEqual(status["NoNewPrivs"].strip(), "1")
            self.assertEqual(status["Seccomp"].strip(), "2")
            self.assertEqual(int(status["CapEff"], 16), 0)
            self.assertGreater(int(status["Uid"].split()[0]), 2_000_000_000)
            root = os.listdir(f"/proc/{pid}/root")
            self.assertNotIn("home", root)
            self.assertNotIn("var", root)
            for name in ("net", "mnt", "pid", "ipc", "uts"):
                self.assertNotEqual(os.readlink(f"/proc/{pid}/ns/{name}"), os.readlink(f"/proc/self/ns/{name}"))
        for pid in workers:
            self.assertEqual(len(os.listdir(f"/proc/{pid}/fd")), 1, "a worker has its socket and nothing else")

    def test_killed_it_comes_back(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        self.ask(client)
        for _ in range(3):
            now = kill(daemon)
            self.assertEqual(self.ask(client)["type"], "analysis_result")
        while not self.ask(client)["analysis"]["success"]:
            self.assertEqual(first_process(daemon), now)
        self.assertEqual(client.run("print(1)")["output"], "1\n")

    def test_a_killed_worker_is_replaced(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        self.ask(client)
        first = first_process(daemon)
        for pid in children(first):
            os.kill(pid, signal.SIGKILL)
        answers = [self.ask(client)["analysis"] for _ in range(6)]
        self.assertIs(answers[-1]["success"], True)
        self.assertEqual(first_process(daemon), first)

    def test_a_worker_that_hangs_is_killed_and_answered_for(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.connect(daemon)
        self.ask(client)
        first = first_process(daemon)
        for pid in children(first):
            os.kill(pid, signal.SIGSTOP)
        answer = self.ask(client, "x = 1\n\n# note\ny = 2\n")
        self.assertEqual(answer["type"], "analysis_result")
        self.assertEqual((answer["analysis"]["success"], answer["analysis"]["error"]), (False, "analysis_timeout"))
        self.assertEqual(answer["analysis"]["metrics"]["lines_of_code"], 3)
        while not (answer := self.ask(client))["analysis"]["success"]:
            self.assertEqual(answer["analysis"]["error"], "analysis_timeout")

    def test_it_leaves_with_the_daemon(self):
        daemon = service.Daemon()
        self.ask(self.connect(daemon))
        first = first_process(daemon)
        daemon.stop()
        self.assertFalse(os.path.exists(f"/proc/{first}"))


LINE = "value_{} = compute(value_{}, 1)\n"


class Held(cases.Case):
    """Documents of rooms: held by a worker each, followed edit by edit, told to those who subscribed."""
    ask = Analysis.ask

    def setUp(self):
        self.daemon = service.Daemon()  # its workers are counted
        self.addCleanup(self.daemon.stop)

    def member(self, room="held", lang="en"):
        client = self.connect(self.daemon)
        client.send(type="hello", protocol=2, lang=lang)
        client.wait("hello_ok")
        client.send(type="join_room", room_id=room)
        client.joined = client.wait("room_joined")
        client.seq = {}
        return client

    def open(self, client, path, content=None):
        """The document's state; it is made with that content when there is some."""
        if content is not None:
            client.send(type="code_change", file_path=path, content=content, version=0)
        client.send(type="doc_open", file_path=path)
        client.state = client.wait("doc_state", "error")
        self.assertEqual(client.state["type"], "doc_state", client.state)
        client.version, client.length = client.state["version"], len(client.state["content"])

    def push(self, client, path, at, text, removed=0):
        """`text` goes to that place, in UTF-16 units; one update."""
        client.seq[path] = client.seq.get(path, client.state["last_seq"]) + 1
        rest = client.length - at - removed
        changes = [*([at] if at else []), [removed, *text.split("\n")] if text else [removed], *([rest] if rest else [])]
        client.send(type="doc_push", file_path=path, epoch=client.state["epoch"], version=client.version,
                    updates=[{"seq": client.seq[path], "changes": changes}])
        ack = client.wait("doc_ack", "error")
        self.assertEqual(ack["type"], "doc_ack", ack)
        client.version = ack["version"]
        client.length += len(text.encode("utf-16-le")) // 2 - removed

    def result(self, client, version):
        """The result for that version; older ones may come before."""
        while True:
            answer = client.wait("analysis_result", seconds=20 * service.SLOW)
            self.assertLessEqual(answer["version"], version)
            if answer["version"] == version:
                return answer["analysis"]

    def workers(self, held):
        """All, once there are so many beside the three that wait."""
        first = first_process(self.daemon)
        end = time.monotonic() + 20 * service.SLOW
        while len(now := children(first)) != 3 + held and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(len(now), 3 + held)
        return set(now)

    def holder(self, neighbour):
        """The one that is still there when each that waits has had something to do."""
        now = self.workers(1)
        end = time.monotonic() + 20 * service.SLOW
        while len(now) > 1 and time.monotonic() < end:  # one that has answered may take its time to end
            for _ in range(6):
                self.ask(neighbour)
            now &= self.workers(1)
        self.assertEqual(len(now), 1)
        return now.pop()

    def test_a_subscriber_is_told_after_each_edit(self):
        writer, reader = self.member(), self.member(lang="ko")
        self.ask(writer)
        self.open(writer, "main.py", "import os\nprint(os.name)\n")
        self.open(reader, "main.py")
        for client in (writer, reader):
            client.send(type="analysis_subscribe", file_path="main.py")
            self.assertEqual(self.result(client, client.version)["issues"], [])
        self.push(writer, "main.py", 10, "import sys\n")
        told = self.result(writer, writer.version)["issues"]
        self.assertEqual([(one["rule"], one["line"]) for one in told], [("unused-import", 2)])
        korean = self.result(reader, writer.version)["issues"]
        self.assertRegex(korean[0]["message"], "[가-힣]")
        self.assertTrue(told[0]["message"].isascii())
        self.push(writer, "main.py", 10, "", removed=11)
        self.assertEqual(self.result(writer, writer.version)["issues"], [])
        self.workers(1)

    def test_what_is_told_is_what_a_whole_reading_says(self):
        writer, alone = self.member(), self.connect(self.daemon)
        self.ask(alone)
        text = "".join(LINE.format(i, i - 1) for i in range(1, 300))
        self.open(writer, "main.py", text)
        writer.send(type="analysis_subscribe", file_path="main.py")
        self.result(writer, writer.version)
        compared = 0
        for line, insert, removed in ((0, "import os\n", 0), (9, "def f(:\n", 0), (9, "", 8), (20, "# 한글 😀\n", 0),
                                      (40, "x == None\n", 0), (0, "", 10), (5, "'''", 0), (5, "", 3), (30, "import re\n", 0)):
            at = len("".join(text.splitlines(True)[:line]).encode("utf-16-le")) // 2
            self.push(writer, "main.py", at, insert, removed)
            units = text.encode("utf-16-le")
            text = (units[:2 * at] + insert.encode("utf-16-le") + units[2 * (at + removed):]).decode("utf-16-le")
            told, whole = self.result(writer, writer.version), self.ask(alone, text)["analysis"]
            for one in (told, whole):
                one.pop("analysis_ms")
            if whole["syntax_valid"]:  # else a guess may depend on what was there before
                self.assertEqual(told, whole)
                compared += 1
        self.assertEqual(compared, 7)
        self.workers(1)

    def test_requests_of_members_go_to_the_worker_that_holds_it(self):
        writer, neighbour = self.member(), self.connect(self.daemon)
        self.ask(neighbour)
        self.open(writer, "main.py", HELLO)
        self.ask(writer, HELLO)
        holder = self.holder(neighbour)
        # An editor's own text, which is a little ahead of the room's.
        self.assertIs(self.ask(writer, HELLO + "\nx = 1\n")["analysis"]["success"], True)
        writer.send(type="request_suggestion", file_path="main.py", content=HELLO + "\nhel", position={"line": 2, "column": 3})
        self.assertEqual(writer.wait("suggestion_result")["suggestions"][0]["label"], "hello")
        self.assertEqual(self.holder(neighbour), holder)

    def test_a_holder_that_ends_or_hangs_loses_its_document_and_nothing_else(self):
        writer, neighbour = self.member(), self.connect(self.daemon)
        self.ask(neighbour)
        first = first_process(self.daemon)
        self.open(writer, "main.py", HELLO)
        writer.send(type="analysis_subscribe", file_path="main.py")
        self.result(writer, writer.version)
        for number in (signal.SIGKILL, signal.SIGSTOP):
            os.kill(self.holder(neighbour), number)
            self.push(writer, "main.py", 0, "import os\n")
            self.assertIs(self.ask(neighbour)["analysis"]["success"], True)
            self.assertEqual(self.result(writer, writer.version)["issues"][0]["rule"], "unused-import")
            # One that was late is read alone, once; then another worker holds the document.
            self.push(writer, "main.py", 0, "import re\n")
            self.result(writer, writer.version)
        self.assertEqual(first_process(self.daemon), first)

    def test_a_room_holds_so_many_documents_and_not_one_more(self):
        writer = self.member()
        self.ask(writer)
        for i in range(12):
            self.open(writer, f"m{i}.py", f"x = {i}\n")
            self.assertIs(self.ask(writer, f"x = {i}\n", f"m{i}.py")["analysis"]["success"], True)
        self.workers(8)

    def test_all_rooms_hold_so_many_and_the_others_are_served(self):
        for room in range(5):
            writer = self.member(f"room{room}")
            self.ask(writer)
            for i in range(7):
                self.open(writer, f"m{i}.py", f"x = {i}\n")
                self.assertIs(self.ask(writer, f"x = {i}\n", f"m{i}.py")["analysis"]["success"], True)
        self.workers(24)

    def test_hostile_edits_end_and_stall_nobody(self):
        writer, neighbour = self.member(), self.connect(self.daemon)
        self.ask(neighbour)
        self.open(writer, "a.py", "x = 1\n")
        writer.send(type="analysis_subscribe", file_path="a.py")
        self.result(writer, writer.version)
        for piece in ("a?b:", "a<", "(", "if a:\n ", "f(", "lambda:", "x=>(", "'"):
            content = piece * (150 * 1024 // len(piece))
            self.push(writer, "a.py", 0, content)
            begin = time.monotonic()
            self.assertIs(self.ask(neighbour)["analysis"]["success"], True)
            self.assertLess(time.monotonic() - begin, 3 * service.SLOW, piece)
            self.result(writer, writer.version)
            self.push(writer, "a.py", 0, "", removed=len(content))
            self.assertIs(self.result(writer, writer.version)["success"], True)

    def test_a_subscription_ends_with_the_document(self):
        writer, reader = self.member(), self.member()
        self.ask(writer)
        self.open(writer, "main.py", "x = 1\n")
        self.open(reader, "main.py")
        for client in (writer, reader):
            client.send(type="analysis_subscribe", file_path="main.py")
            self.result(client, client.version)
        reader.send(type="doc_close", file_path="main.py")
        self.assertEqual(reader.ask(type="ping")["type"], "pong")
        self.push(writer, "main.py", 0, "y = 1\n")
        self.result(writer, writer.version)
        self.assertEqual(reader.ask(type="ping")["type"], "pong")

    def test_who_may_not_subscribe_is_told_why(self):
        client = self.connect(self.daemon)
        self.assertEqual(client.ask(type="analysis_subscribe", file_path="a.py")["code"], "not_in_room")
        member = self.member()
        self.ask(member)
        self.assertEqual(member.ask(type="analysis_subscribe")["code"], "bad_message")
        self.open(member, "a.zig", "x\n")
        self.assertEqual(member.ask(type="analysis_subscribe", file_path="b.py")["code"], "bad_message")
        answer = member.ask(type="analysis_subscribe", file_path="a.zig", id="z")
        self.assertEqual((answer["code"], answer["id"]), ("unknown_language", "z"))
        for i in range(9):
            self.open(member, f"m{i}.py", "x = 1\n")
            member.send(type="analysis_subscribe", file_path=f"m{i}.py")
        self.assertEqual(member.wait("error")["code"], "busy")


if __name__ == "__main__":
    unittest.main()
