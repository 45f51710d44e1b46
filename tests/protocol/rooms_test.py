"""Rooms: base clients, clients that say hello, both together; who may what; what outlives what."""
import json
import os
import signal
import subprocess
import time
import unittest
import uuid

import service
import wire
from cases import Case

# As in PROTOCOL.md, letter by letter.
JOIN = '{"type": "join_room", "room_id": "room_123"}'
LEAVE = '{"type": "leave_room"}'
CHANGE = ('{"type": "code_change", "file_path": "main.py", "content": "def hello():\\n    print(\'Hello, World!\')", '
          '"change_type": "edit", "position": {"line": 0, "column": 0}}')
CURSOR = '{"type": "cursor_change", "file_path": "main.py", "position": {"line": 1, "column": 15}}'
CHAT = '{"type": "chat_message", "message": "..."}'
FILE = '{"type": "file_operation", "operation": "create", "file_path": "new_file.py", "new_path": "renamed_file.py"}'
HELLO_CODE = "def hello():\n    print('Hello, World!')"


def fresh_room():
    return "room_" + uuid.uuid4().hex[:12]


class Rooms(Case):
    def base(self, room, daemon=None, **fields):
        """A base client in the room."""
        client = self.connect(daemon, **fields)
        client.send(type="join_room", room_id=room)
        client.joined = client.wait("room_joined", "error")
        return client

    def page(self, room, name="", daemon=None, token=None, **fields):
        """A client that has said hello, in the room."""
        client = self.connect(daemon, **fields)
        client.send(type="hello", protocol=2, name=name)
        client.known = client.wait("hello_ok")
        client.send({"type": "join_room", "room_id": room} | ({"token": token} if token else {}))
        client.joined = client.wait("room_joined", "error")
        return client

    def open(self, client, path="main.py", **fields):
        client.send({"type": "doc_open", "file_path": path} | fields)
        return client.wait("doc_state", "doc_updates", "error")

    def push(self, client, state, version, seq, *changes, path="main.py"):
        client.send(type="doc_push", file_path=path, epoch=state["epoch"], version=version,
                    updates=[{"seq": seq + i, "changes": each} for i, each in enumerate(changes)])
        return client.wait("doc_ack", "error")


class BaseClients(Rooms):
    def test_the_base_messages_verbatim_between_two_base_clients(self):
        daemon = service.Daemon()  # room_123 of nobody else
        self.addCleanup(daemon.stop)
        one, two = self.connect(daemon), self.connect(daemon)
        one.text(JOIN)
        joined = one.receive()
        self.assertEqual((joined["type"], joined["room_id"]), ("room_joined", "room_123"))
        two.text(JOIN)
        self.assertEqual(len(two.receive()["users"]), 2)
        self.assertEqual(one.receive()["user_id"], two.hello["user_id"])
        one.text(CHANGE)
        change = two.wait("code_change")
        self.assertEqual(change["content"], HELLO_CODE)
        self.assertEqual((change["change_type"], change["position"]), ("edit", {"line": 0, "column": 0}))
        self.assertEqual(change["user_id"], one.hello["user_id"])
        self.assertEqual(change["connection_id"], one.hello["connection_id"])
        self.assertIn("timestamp", change)
        for text, field, value in ((CURSOR, "position", {"line": 1, "column": 15}), (CHAT, "message", "..."),
                                   (FILE, "file_path", "new_file.py")):
            one.text(text)
            told = two.receive(20)
            self.assertEqual((told["type"], told[field]), (json.loads(text)["type"], value))
            self.assertEqual(told["user_id"], one.hello["user_id"])
        two.text(LEAVE)
        self.assertEqual(two.receive()["type"], "room_left")
        self.assertEqual(one.wait("user_left")["user_id"], two.hello["user_id"])
        self.assertEqual(one.ask(type="ping")["type"], "pong")

    def test_both_edit_at_the_same_time_and_lose_nothing(self):
        room = fresh_room()
        one, two = self.base(room), self.base(room)
        one.send(type="code_change", file_path="a.txt", content="middle\n")
        two.wait("code_change")
        one.send(type="code_change", file_path="a.txt", content="first\nmiddle\n")
        two.send(type="code_change", file_path="a.txt", content="middle\nlast\n")
        wanted = "first\nmiddle\nlast\n"
        for client in (one, two):
            while client.receive(20).get("content") != wanted:
                pass

    def test_a_room_address_has_joined_already_and_shows_the_page_to_browsers(self):
        daemon = service.shared()
        room = fresh_room()
        first = self.base(room)
        client = self.connect(path=f"/api/v1/ws/room/{room}")
        joined = client.receive(20)
        self.assertEqual((joined["type"], joined["room_id"], len(joined["users"])), ("room_joined", room, 2))
        self.assertEqual(first.wait("user_joined")["connection_id"], client.hello["connection_id"])
        status, head, body = wire.get(daemon.host, daemon.port, f"/api/v1/ws/room/{room}")
        self.assertEqual(status, 200)
        self.assertIn("text/html", head)

    def test_errors_answer_one_message_and_the_room_goes_on(self):
        client = self.base(fresh_room())
        for message, code in (({"type": "file_operation", "operation": "delete", "file_path": "none"}, "no_such_file"),
                              ({"type": "file_operation", "operation": "create", "file_path": "../x"}, "bad_path"),
                              ({"type": "file_operation", "operation": "fly", "file_path": "x"}, "bad_message"),
                              ({"type": "chat_message", "message": "x" * 4001}, "too_large"),
                              ({"type": "code_change", "file_path": "big", "content": "x" * 1040000}, None),
                              ({"type": "doc_open", "file_path": "big"}, "bad_message"),
                              ({"type": "join_room", "room_id": ""}, "bad_message")):
            client.send(message | {"id": "mine"})
            if code is not None:
                answer = client.receive(20)
                self.assertEqual((answer["type"], answer["code"], answer["id"]), ("error", code, "mine"), message)
        self.assertEqual(client.ask(type="ping")["type"], "pong")


class Together(Rooms):
    def test_updates_and_whole_texts_of_one_document(self):
        room = fresh_room()
        base = self.base(room)
        base.send(type="code_change", file_path="main.py", content="a = 1\n")
        page = self.page(room, name="민준")
        self.assertEqual(page.joined["files"], [{"file_path": "main.py", "version": 1, "bytes": 6, "language": "python"}])
        state = self.open(page)
        self.assertEqual((state["content"], state["version"], state["last_seq"]), ("a = 1\n", 1, 0))
        ack = self.push(page, state, 1, 1, [6, [0, "b = 2 # 둘 🙂", ""]])
        self.assertEqual((ack["type"], ack["version"]), ("doc_ack", 2))
        change = base.wait("code_change")
        self.assertEqual((change["content"], change["name"]), ("a = 1\nb = 2 # 둘 🙂\n", "민준"))
        base.send(type="code_change", file_path="main.py", content="a = 10\nb = 2 # 둘 🙂\n")
        update = page.wait("doc_updates")
        self.assertEqual(update["version"], 2)
        self.assertEqual(update["updates"][0]["changes"][1], [0, "0"])
        self.assertEqual(self.open(page)["content"], "a = 10\nb = 2 # 둘 🙂\n")

    def test_presence_and_chat_and_history(self):
        room = fresh_room()
        one, two = self.page(room, "one"), self.page(room, "two")
        one.send(type="file_operation", operation="create", file_path="main.py")
        two.wait("file_operation")
        state = self.open(one)
        self.open(two)
        for seq in range(1, 6):
            self.push(one, state, seq - 1, seq, [[0, "x"]] if seq == 1 else [seq - 1, [0, "x"]])
        one.send(type="presence", file_path="main.py", epoch=state["epoch"], version=5, ranges=[{"anchor": 5, "head": 2}],
                 typing=True)
        seen = two.wait("presence")
        self.assertEqual((seen["name"], seen["ranges"], seen["client_id"]),
                         ("one", [{"anchor": 5, "head": 2}], one.known["client_id"]))
        one.send({"type": "chat_message", "message": "안녕", "id": "c"})
        self.assertEqual(one.wait("chat_message")["id"], "c")
        self.assertEqual(two.wait("chat_message")["message"], "안녕")
        self.assertEqual(self.page(room).joined["chat"][0]["message"], "안녕")
        two.send(type="doc_history", file_path="main.py")
        chunk = two.wait("doc_history_chunk")
        self.assertEqual((chunk["version"], len(chunk["updates"]), chunk["more"]), (0, 5, False))
        one.send(type="rtc_signal", to=two.hello["connection_id"], kind="candidate", payload={"candidate": ""})
        self.assertEqual(two.wait("rtc_signal")["from"], one.hello["connection_id"])

    def test_a_dropped_connection_comes_back_as_itself(self):
        room = fresh_room()
        watcher = self.page(room, "watcher")
        first = self.page(room, "Ann")
        first.send(type="file_operation", operation="create", file_path="main.py")
        watcher.wait("file_operation")
        state = self.open(first)
        self.push(first, state, 0, 1, [[0, "one"]])
        token, known = first.hello["resume_token"], first.known
        # Sent, and the connection is gone before the answer.
        first.send(type="doc_push", file_path="main.py", epoch=state["epoch"], version=1,
                   updates=[{"seq": 2, "changes": [3, [0, " two"]]}])
        first.close()
        again = self.connect()
        again.send(type="hello", protocol=2, name="Ann",
                   resume={"resume_token": token, "rooms": [{"room_id": room}]})
        ok = again.wait("hello_ok")
        self.assertEqual((ok["resumed"], ok["client_id"], ok["user_id"]), (True, known["client_id"], known["user_id"]))
        self.assertNotEqual(again.hello["client_id"], known["client_id"])
        again.wait("room_joined")
        missed = self.open(again, epoch=state["epoch"], version=1)
        self.assertEqual((missed["type"], missed["resumed"]), ("doc_updates", True))
        version = 1 + len(missed["updates"])
        ack = self.push(again, state, 1, 2, [3, [0, " two"]])  # idempotent
        self.assertEqual((ack["version"], ack["last_seq"]), (max(version, 2), 2))
        self.assertEqual(self.open(watcher)["content"], "one two")

    def test_nobody_acts_as_another(self):
        room = fresh_room()
        alice, mallory = self.page(room, "alice"), self.page(room, "mallory")
        mallory.send(type="hello", protocol=2, resume={"resume_token": alice.hello["resume_token"][:-2] + "AA"})
        self.assertEqual(mallory.wait("hello_ok", "error")["type"], "error")  # once is enough
        other = self.connect()
        other.send(type="hello", protocol=2, client_id=alice.known["client_id"], user_id=alice.known["user_id"],
                   resume={"resume_token": alice.hello["resume_token"][:-2] + "AA", "rooms": [{"room_id": room}]})
        self.assertEqual(other.wait("hello_ok")["resumed"], False)
        joined = other.wait("room_joined")
        self.assertNotEqual(joined["client_id"], alice.known["client_id"])
        other.send({"type": "chat_message", "message": "x", "connection_id": alice.hello["connection_id"],
                    "client_id": alice.known["client_id"], "user_id": alice.known["user_id"], "name": "alice"})
        told = alice.wait("chat_message")
        self.assertEqual((told["client_id"], told["user_id"]), (joined["client_id"], joined["user_id"]))

    def test_a_slow_member_stalls_nobody(self):
        room = fresh_room()
        fast, writer = self.page(room), self.page(room)
        slow = self.connect(receive_buffer=4096)
        slow.send(type="join_room", room_id=room)
        slow.wait("room_joined")
        content = "x" * 200_000
        for i in range(40):
            writer.send(type="file_operation", operation="create", file_path=f"f{i}")
        left = []
        start = time.monotonic()
        for i in range(40):  # 8 MB that the slow one, a base client, gets and does not read
            writer.send(type="code_change", file_path="f0", content=content[i:] + str(i), version=i)
            if i % 10 == 9:
                fast.send(type="ping")
                fast.wait("pong", seconds=10)
                left += [message for message in fast.passed if message["type"] == "user_left"]
        self.assertLess(time.monotonic() - start, 20 * service.SLOW)
        if not left:
            left.append(fast.wait("user_left", seconds=30))
        self.assertEqual(left[0]["connection_id"], slow.hello["connection_id"])
        writer.send(type="ping")
        writer.wait("pong")
        state = self.open(fast, "f0")
        self.assertEqual(state["version"], 40)

    def test_one_who_joins_a_large_room_is_not_too_slow_for_it(self):
        room = fresh_room()
        writer = self.base(room)
        for i in range(6):  # 3.6 MB, beyond what may queue for a slow reader
            writer.send(type="code_change", file_path=f"f{i}", content="x" * 600_000)
        writer.send(type="ping")
        writer.wait("pong")
        late = self.connect(receive_buffer=4096)
        late.send(type="join_room", room_id=room)
        late.wait("room_joined")
        time.sleep(0.5)
        for _ in range(6):
            self.assertEqual(len(late.wait("code_change")["content"]), 600_000)
        self.assertEqual(late.ask(type="ping")["type"], "pong")


class Roles(Rooms):
    def make_token(self, daemon, room, role, *options):
        done = subprocess.run([service.build_directory() / "cloister", "room-token", room, role, "--state-dir", daemon.state,
                               *options], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_tokens_give_roles_and_the_server_keeps_to_them(self):
        daemon = service.Daemon({"room_tokens": "required"})
        self.addCleanup(daemon.stop)
        room = fresh_room()
        self.assertEqual(self.base(room, daemon).joined["code"], "unauthorized")
        stranger = self.connect(daemon, path=f"/api/v1/ws/room/{room}")
        self.assertEqual(stranger.receive(20)["code"], "unauthorized")
        owner = self.page(room, daemon=daemon, token=self.make_token(daemon, room, "owner"))
        viewer = self.page(room, daemon=daemon, token=self.make_token(daemon, room, "viewer", "--hours", "1"))
        runner = self.page(room, daemon=daemon, token=self.make_token(daemon, room, "runner"))
        self.assertEqual([each.joined["role"] for each in (owner, viewer, runner)], ["owner", "viewer", "runner"])
        self.assertEqual(self.page(room, daemon=daemon, token=self.make_token(daemon, "other", "owner")).joined["code"],
                         "unauthorized")
        owner.send(type="file_operation", operation="create", file_path="main.py")
        viewer.wait("file_operation")
        state = self.open(viewer)
        self.assertTrue(state["read_only"])
        self.assertEqual(self.push(viewer, state, 0, 1, [[0, "x"]])["code"], "forbidden")
        for message in ({"type": "file_operation", "operation": "delete", "file_path": "main.py"},
                        {"type": "code_change", "file_path": "main.py", "content": "x", "version": 0},
                        {"type": "execute_code", "language": "python", "code": "print(1)"}):
            viewer.send(message | {"id": "v"})
            answer = viewer.wait("error")
            self.assertEqual((answer["code"], answer["id"]), ("forbidden", "v"), message)
        runner.send(type="execute_code", language="python", code="import time\ntime.sleep(30)", stream=True)
        run_id = viewer.wait("execution_started")["run_id"]
        viewer.send(type="execution_cancel", run_id=run_id)
        self.assertEqual(viewer.wait("error")["code"], "forbidden")
        owner.send(type="execution_cancel", run_id=run_id)
        self.assertEqual(viewer.wait("execution_result")["result"]["verdict"], "cancelled")

    def test_what_the_command_refuses(self):
        for words in (["room"], ["room", "king"], ["", "owner"], ["room", "owner", "--hours", "0"]):
            done = subprocess.run([service.build_directory() / "cloister", "room-token", *words], capture_output=True, timeout=30)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertEqual(done.stdout, b"")


class Runs(Rooms):
    def test_a_run_is_seen_and_fed_by_the_room(self):
        room = fresh_room()
        starter, page, base = self.base(room), self.page(room, "page"), self.base(room)
        starter.send(type="execute_code", language="python", code="print('hi ' + input('name? '))", file_path="main.py",
                     interactive=True, id="mine")
        started = page.wait("execution_started")
        self.assertEqual(started["user_id"], starter.hello["user_id"])
        self.assertNotIn("id", started)
        while "name? " not in page.wait("execution_output")["data"]:
            pass
        page.send(type="execution_input", run_id=started["run_id"], data="Bob\n")
        for client in (starter, page, base):
            result = client.wait("execution_result")
            self.assertEqual(result["result"]["output"], "name? hi Bob\n")
        self.assertEqual(self.page(room).joined["runs"][0]["result"]["output"], "name? hi Bob\n")

    def test_private_runs_are_nobody_elses(self):
        room = fresh_room()
        one, two = self.page(room), self.page(room)
        self.assertTrue(one.run("print('secret')", private=True)["success"])
        two.send(type="ping")
        two.wait("pong")
        self.assertFalse([message for message in two.passed if message["type"].startswith("execution")])
        self.assertEqual(self.page(room).joined["runs"], [])

    def test_a_file_of_the_room_runs_with_its_neighbours(self):
        room = fresh_room()
        client = self.base(room)
        client.send(type="code_change", file_path="main.py", content="import words\nprint(words.hello)\n")
        client.send(type="code_change", file_path="words.py", content="hello = '안녕'\n")
        client.send(type="execute_code", language="python", file_path="main.py")
        self.assertEqual(client.wait("execution_result", "error")["result"]["output"], "안녕\n")


class Keeping(Rooms):
    def test_what_was_acknowledged_is_there_after_kill_9(self):
        daemon = service.Daemon()
        self.addCleanup(lambda: daemon.stop())
        room = fresh_room()
        page = self.page(room, "Ann", daemon)
        page.send(type="file_operation", operation="create", file_path="main.py")
        page.wait("file_operation")
        state = self.open(page)
        for seq in range(1, 51):
            self.assertEqual(self.push(page, state, seq - 1, seq, [seq - 1, [0, "é"]] if seq > 1 else [[0, "é"]])["type"],
                             "doc_ack")
        page.send({"type": "chat_message", "message": "still here?"})
        page.wait("chat_message")
        page.send(type="file_operation", operation="create", file_path="b.py")
        page.wait("file_operation")
        page.send(type="file_operation", operation="rename", file_path="b.py", new_path="src/c.py")
        page.wait("file_operation")
        known = page.known
        page.close()
        daemon.restart()
        again = self.connect(daemon)
        again.send(type="hello", protocol=2, resume={"resume_token": known["resume_token"], "rooms": [{"room_id": room}]})
        self.assertTrue(again.wait("hello_ok")["resumed"])
        joined = again.wait("room_joined")
        self.assertEqual([file["file_path"] for file in joined["files"]], ["main.py", "src/c.py"])
        self.assertEqual(joined["chat"][0]["message"], "still here?")
        missed = self.open(again, epoch=state["epoch"], version=48)  # the same epoch: it goes on
        self.assertEqual((missed["type"], len(missed["updates"]), missed["last_seq"]), ("doc_updates", 2, 50))
        ack = self.push(again, state, 49, 50, [49, [0, "é"]])  # sent again: done already
        self.assertEqual((ack["version"], ack["last_seq"]), (50, 50))
        self.assertEqual(self.push(again, state, 50, 51, [50, [0, "!"]])["version"], 51)
        again.send(type="doc_open", file_path="main.py")
        self.assertEqual(again.wait("doc_state")["content"], "é" * 50 + "!")
        again.send(type="doc_history", file_path="main.py", **{"from": 0, "to": 51})
        chunk = again.wait("doc_history_chunk")
        self.assertEqual((chunk["version"], len(chunk["updates"])), (0, 51))

    def test_a_room_has_the_same_owner_after_a_restart(self):
        daemon = service.Daemon()
        self.addCleanup(lambda: daemon.stop())
        room = fresh_room()
        owner = self.page(room, "Ann", daemon)
        self.assertEqual(owner.joined["role"], "owner")
        owner.send(type="file_operation", operation="create", file_path="main.py")
        owner.wait("file_operation")
        known = owner.known
        owner.close()
        daemon.restart()
        self.assertEqual(self.page(room, "First", daemon).joined["role"], "runner")
        again = self.connect(daemon)
        again.send(type="hello", protocol=2, resume={"resume_token": known["resume_token"], "rooms": [{"room_id": room}]})
        self.assertEqual(again.wait("hello_ok")["role"], "owner")
        self.assertEqual(again.wait("room_joined")["role"], "owner")

    def test_a_base_clients_text_is_there_after_a_restart_in_good_order(self):
        daemon = service.Daemon()
        self.addCleanup(lambda: daemon.stop())
        client = self.base("room_123", daemon)
        client.text(CHANGE)
        client.send(type="ping")
        client.wait("pong")
        daemon.restart(signal.SIGTERM)
        again = self.connect(daemon)
        again.text(JOIN)
        again.wait("room_joined")
        self.assertEqual(again.wait("code_change")["content"], HELLO_CODE)

    def test_a_damaged_store_is_refused_with_a_sentence(self):
        daemon = service.Daemon()
        self.addCleanup(lambda: daemon.stop())
        self.base("room_123", daemon).text(CHANGE)
        self.connect(daemon).ask(type="ping")
        daemon.end(signal.SIGTERM)
        with open(os.path.join(daemon.state, "store.db"), "r+b") as file:
            file.seek(20_000)
            file.write(os.urandom(4096))
        with self.assertRaises(RuntimeError) as refused:
            daemon.start(remove=False)
        self.assertIn("store.db is damaged", str(refused.exception))

    def test_a_token_is_good_after_a_restart(self):
        daemon = service.Daemon()
        self.addCleanup(lambda: daemon.stop())
        client = self.connect(daemon)
        client.send(type="hello", protocol=2)
        known = client.wait("hello_ok")
        daemon.restart()
        again = self.connect(daemon)
        again.send(type="hello", protocol=2, resume={"resume_token": known["resume_token"]})
        ok = again.wait("hello_ok")
        self.assertEqual((ok["resumed"], ok["client_id"]), (True, known["client_id"]))


if __name__ == "__main__":
    unittest.main()
