"""The base messages, sent to the letter by clients of other people: what comes back, and what the other members of
the room see. Each test is done by wscat and by websockets, the other one looking on."""
import json
import unittest
import uuid

import cases
from strangers import Websockets, Wscat
import service

PING = '{"type": "ping"}'
JOIN = '{"type": "join_room", "room_id": "room_123"}'
LEAVE = '{"type": "leave_room"}'
EXECUTE = ('{"type": "execute_code", "code": "print(\'Hello, World!\')", "language": "python", '
           '"file_path": "main.py"}')
ANALYSIS = '{"type": "request_analysis", "file_path": "main.py", "content": "def hello():\\n    print(\'Hello!\')"}'
SUGGESTION = ('{"type": "request_suggestion", "file_path": "main.py", "content": "def hello():\\n    print(\'Hello!\')", '
              '"position": {"line": 1, "column": 10}}')
CHANGE = ('{"type": "code_change", "file_path": "main.py", "content": "def hello():\\n    print(\'Hello, World!\')", '
          '"change_type": "edit", "position": {"line": 0, "column": 0}}')
CURSOR = '{"type": "cursor_change", "file_path": "main.py", "position": {"line": 1, "column": 15}}'
CHAT = '{"type": "chat_message", "message": "..."}'
CREATE = ('{"type": "file_operation", "operation": "create", "file_path": "new_file.py", '
          '"new_path": "renamed_file.py"}')
TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$"


def with_operation(operation):
    return CREATE.replace('"create"', f'"{operation}"')


class Base:
    """`actor` and `onlooker` are the two clients."""

    def connect(self, kind, path="/api/v1/ws/demo"):
        daemon = service.shared()
        client = kind(f"ws://{daemon.host}:{daemon.port}{path}")
        self.addCleanup(client.close)
        return client

    def setUp(self):
        self.room = "room_" + uuid.uuid4().hex[:8]  # a fresh one for each test, the word aside as it is written
        self.join = JOIN.replace("room_123", self.room)
        self.one = self.connect(self.actor)

    def both(self):
        """Two members of one room: who acts, who looks on."""
        self.other = self.connect(self.onlooker)
        self.other.ask(self.join, "room_joined")
        self.one.ask(self.join, "room_joined")
        self.other.wait("user_joined")
        return self.one, self.other

    def check_sender(self, message):
        for name in ("connection_id", "user_id"):
            self.assertEqual(message[name], self.one.hello[name], message)
        self.assertIn("name", message)
        self.assertRegex(message["timestamp"], TIME)
        self.assertNotIn("id", message)

    def check_silence(self):
        """The base messages know no answer for the one who sends this."""
        self.assertEqual(self.one.rest(), [])

    def test_greeting(self):
        self.assertEqual(self.one.hello["type"], "connection_established")
        uuid.UUID(self.one.hello["connection_id"])
        self.assertRegex(self.one.hello["user_id"], r"^user_\w+$")
        self.assertRegex(self.one.hello["timestamp"], TIME)

    def test_ping(self):
        self.assertNotIn("id", self.one.ask(PING, "pong"))

    def test_join_room(self):
        first = self.connect(self.onlooker)
        answer = first.ask(JOIN, "room_joined")
        self.assertEqual(answer["room_id"], "room_123")
        self.assertIsInstance(answer["files"], list)
        self.assertIsInstance(answer["chat"], list)
        self.assertRegex(answer["timestamp"], TIME)
        self.assertNotIn("id", answer)
        answer = self.one.ask(JOIN, "room_joined")
        self.assertIn(first.hello["connection_id"], [user["connection_id"] for user in answer["users"]])
        self.check_sender(first.wait("user_joined"))

    def test_leave_room(self):
        one, other = self.both()
        self.assertNotIn("id", one.ask(LEAVE, "room_left"))
        self.check_sender(other.wait("user_left"))
        self.assertEqual(one.ask(LEAVE, "error")["code"], "not_in_room")
        one.ask(self.join, "room_joined")
        other.wait("user_joined")

    def test_a_closed_connection_leaves(self):
        self.both()
        third = self.connect(self.actor)
        third.ask(self.join, "room_joined")
        self.other.wait("user_joined")
        third.close()
        self.assertEqual(self.other.wait("user_left")["connection_id"], third.hello["connection_id"])

    def test_code_change(self):
        one, other = self.both()
        one.say(CHANGE)
        seen = other.wait("code_change")
        sent = json.loads(CHANGE)
        for name in ("file_path", "content", "change_type"):
            self.assertEqual(seen[name], sent[name])
        self.check_sender(seen)
        self.check_silence()
        late = self.connect(self.onlooker)
        self.assertEqual([file["file_path"] for file in late.ask(self.join, "room_joined")["files"]], ["main.py"])
        self.assertEqual(late.wait("code_change")["content"], sent["content"])

    def test_two_who_change_at_one_time_end_with_one_text(self):
        one, other = self.both()
        one.say(CHANGE)
        other.wait("code_change")
        other.say(CHANGE.replace("World", "you"))
        self.assertEqual(one.wait("code_change")["content"], json.loads(CHANGE)["content"].replace("World", "you"))
        # Both write without having seen the other's words.
        one.say(CHANGE.replace("World", "you").replace("def", "# one\\ndef"))
        other.say(CHANGE.replace("World", "you").replace("!')", "!')\\n# other"))
        want = "# one\ndef hello():\n    print('Hello, you!')\n# other"
        for client in (one, other):
            while client.wait("code_change")["content"] != want:
                pass

    def test_cursor_change(self):
        one, other = self.both()
        one.say(CHANGE)
        one.say(CURSOR)
        seen = other.wait("cursor_change")
        sent = json.loads(CURSOR)
        self.assertEqual((seen["file_path"], seen["position"]), (sent["file_path"], sent["position"]))
        self.check_sender(seen)
        self.check_silence()

    def test_chat_message(self):
        one, other = self.both()
        one.say(CHAT)
        seen = other.wait("chat_message")
        self.assertEqual(seen["message"], "...")
        self.assertIn("message_id", seen)
        self.check_sender(seen)
        self.check_silence()
        late = self.connect(self.onlooker)
        self.assertEqual([line["message"] for line in late.ask(self.join, "room_joined")["chat"]], ["..."])

    def test_file_operation(self):
        one, other = self.both()
        for operation in ("create", "rename"):
            one.say(with_operation(operation))
            seen = other.wait("file_operation")
            self.assertEqual((seen["operation"], seen["file_path"]), (operation, "new_file.py"))
            self.check_sender(seen)
        self.assertEqual(seen["new_path"], "renamed_file.py")
        self.assertEqual(one.ask(with_operation("delete"), "error")["code"], "no_such_file")
        one.say(with_operation("delete").replace('"new_file.py"', '"renamed_file.py"'))
        seen = other.wait("file_operation")
        self.assertEqual((seen["operation"], seen["file_path"]), ("delete", "renamed_file.py"))
        self.check_silence()
        late = self.connect(self.onlooker)
        self.assertEqual(late.ask(self.join, "room_joined")["files"], [])

    def test_execute_code(self):
        if not cases.versions().get("python"):
            self.skipTest("python is not installed on this machine")
        self.check_result(self.one.ask(EXECUTE, "execution_result"))

    def check_result(self, answer):
        result = answer["result"]
        self.assertIs(result["success"], True, result)
        self.assertEqual((result["output"], result["error"]), ("Hello, World!\n", ""))
        self.assertEqual((result["language"], result["method"]), ("python", "native"))
        self.assertGreater(result["execution_time"], 0)
        self.assertRegex(answer["timestamp"], TIME)
        self.assertNotIn("id", answer)

    def test_a_run_in_a_room_is_seen_by_all(self):
        if not cases.versions().get("python"):
            self.skipTest("python is not installed on this machine")
        one, other = self.both()
        one.say(EXECUTE)
        seen = other.wait("execution_result")
        self.check_result(seen)
        self.assertEqual(seen["user_id"], one.hello["user_id"])
        self.check_result(one.wait("execution_result"))

    def test_request_analysis(self):
        answer = self.one.ask(ANALYSIS, "analysis_result", "error")
        if answer.get("code") == "unknown_type":
            self.skipTest("this daemon analyses nothing yet")
        analysis = answer["analysis"]
        self.assertEqual((answer["file_path"], analysis["language"]), ("main.py", "python"))
        self.assertIs(analysis["syntax_valid"], True)
        self.assertEqual(analysis["metrics"]["functions"], 1)

    def test_request_suggestion(self):
        answer = self.one.ask(SUGGESTION, "suggestion_result", "error")
        if answer.get("code") == "unknown_type":
            self.skipTest("this daemon suggests nothing yet")
        self.assertEqual((answer["file_path"], answer["position"]), ("main.py", {"line": 1, "column": 10}))
        self.assertIsInstance(answer["suggestions"], list)

    def test_who_is_in_no_room_is_told_so(self):
        for text in (CHANGE, CURSOR, CHAT, CREATE, LEAVE):
            answer = self.one.ask(text, "error")
            self.assertEqual(answer["code"], "not_in_room", text)
            self.assertTrue(answer["message"])
        self.one.ask(PING, "pong")

    def test_an_unknown_type_is_named(self):
        answer = self.one.ask('{"type": "never_heard_of"}', "error")
        self.assertEqual(answer["code"], "unknown_type")
        self.assertIn("never_heard_of", answer["message"])
        self.one.ask(PING, "pong")

    def test_the_address_of_a_room_joins_it(self):
        self.one.ask(self.join, "room_joined")
        other = self.connect(self.onlooker, f"/api/v1/ws/room/{self.room}")
        self.assertEqual(other.wait("room_joined")["room_id"], self.room)
        self.one.wait("user_joined")
        self.one.say(CHAT)
        self.check_sender(other.wait("chat_message"))


class ByWscat(Base, unittest.TestCase):
    actor, onlooker = Wscat, Websockets


class ByWebsockets(Base, unittest.TestCase):
    actor, onlooker = Websockets, Wscat
