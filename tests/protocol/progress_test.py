"""What is told of a run under way: where it stands in the queue, and what it uses."""
import time
import uuid

import cases
import service
import wire

GROWS = """
import sys, time
kept = []
print("begun", flush=True)
end = time.monotonic() + {seconds}
while time.monotonic() < end:
    kept.append(bytearray(b"x" * (2 << 20)) if len(kept) < 20 else None)
    until = time.monotonic() + 0.05
    while time.monotonic() < until:
        sum(range(1000))
print("done")
"""


class Usage(cases.Case):
    def test_memory_and_processor_are_seen_to_grow(self):
        client = self.connect()
        client.send(type="execute_code", language="python", code=GROWS.format(seconds=2.5), id="mine", usage=True, stream=True)
        answer = client.wait("execution_result")
        samples = [one for one in client.passed if one["type"] == "execution_usage"]
        kinds = [one["type"] for one in client.passed]
        self.assertLess(kinds.index("execution_started"), kinds.index("execution_usage"))
        self.assertTrue(3 <= len(samples) <= 12, samples)
        for name in ("wall_time", "cpu_time"):
            values = [one[name] for one in samples]
            self.assertEqual(values, sorted(values))
            self.assertGreater(values[-1], values[0])
        for one in samples:
            self.assertEqual((set(one), one["id"]), ({"type", "run_id", "id", "wall_time", "cpu_time", "memory"}, "mine"))
            self.assertEqual(one["run_id"], answer["run_id"])
        walls = [one["wall_time"] for one in samples]
        self.assertTrue(all(later - earlier > 0.2 for earlier, later in zip(walls, walls[1:])), walls)
        result = answer["result"]
        self.assertEqual(result["verdict"], "ok", result)
        self.assertGreater(max(one["memory"] for one in samples) - samples[0]["memory"], 16 << 20)
        self.assertLessEqual(max(one["memory"] for one in samples), result["memory_peak"] + (1 << 20))
        self.assertLessEqual(samples[-1]["cpu_time"], result["cpu_time"] + 0.1)
        self.assertGreater(samples[-1]["cpu_time"], 0.2)

    def test_who_does_not_ask_is_told_nothing(self):
        for fields in ({"stream": True}, {"usage": False, "stream": True}, {}):
            result = self.connect().run("import time; time.sleep(0.8)", **fields)
            self.assertNotIn("execution_usage", [one["type"] for one in result["events"]])

    def test_usage_alone_needs_no_stream(self):
        result = self.connect().run("import time; time.sleep(0.9)", usage=True)
        self.assertEqual({one["type"] for one in result["events"]}, {"execution_usage"})

    def test_usage_is_a_flag(self):
        answer = self.connect().ask(type="execute_code", language="python", code="", usage="yes", id="u")
        self.assertEqual((answer["code"], answer["id"]), ("bad_message", "u"))
        self.assertIn("usage", answer["message"])

    def test_the_room_sees_it(self):
        room = "usage_" + uuid.uuid4().hex[:8]
        starter, other, base = (self.connect(path=f"/api/v1/ws/room/{room}") for _ in range(3))
        for client in (starter, other):
            client.send(type="hello", protocol=2, name="x")
            client.wait("hello_ok")
        starter.send(type="execute_code", language="python", code="import time; time.sleep(0.9)", id="own", usage=True)
        answer = starter.wait("execution_result")
        self.assertEqual(answer["result"]["verdict"], "ok")
        self.assertIn("execution_usage", [one["type"] for one in starter.passed])
        seen = other.wait("execution_usage")
        self.assertEqual((seen["run_id"], seen["user_id"]), (answer["run_id"], starter.hello["user_id"]))
        self.assertNotIn("id", seen)
        base.wait("execution_result")
        self.assertNotIn("execution_usage", [one["type"] for one in base.passed])


class Queue(cases.Case):
    @classmethod
    def setUpClass(cls):
        cls.daemon = service.Daemon({"boxes": 1})

    @classmethod
    def tearDownClass(cls):
        cls.daemon.stop()

    def test_who_waits_is_told_where_it_stands(self):
        client = self.connect(self.daemon)
        for name in ("a", "b", "c"):
            client.send(type="execute_code", language="python", code="import time; time.sleep(0.7)", id=name, stream=True)
        told, order, times = {"a": [], "b": [], "c": []}, [], {"a": [], "b": [], "c": []}
        while len(order) < 3:
            message = client.receive(30)
            if message["type"] == "execution_queued":
                self.assertEqual(set(message), {"type", "run_id", "id", "position"})
                told[message["id"]].append(message["position"])
                times[message["id"]].append(time.monotonic())
            elif message["type"] == "execution_result":
                self.assertEqual(message["result"]["verdict"], "ok", message)
                order.append(message["id"])
        self.assertEqual((told["a"], told["b"], order), ([], [1], ["a", "b", "c"]))
        self.assertEqual(told["c"], [2, 1])

    def test_positions_are_told_twice_a_second_at_most(self):
        """Ten runs that leave the queue at once are one piece of news."""
        holder, client = self.connect(self.daemon), self.connect(self.daemon)
        holder.send(type="execute_code", language="python", code="import time; time.sleep(2)", id="holds", stream=True)
        holder.wait("execution_started")
        for number in range(12):
            client.send(type="execute_code", language="python", code="1", id=str(number), stream=True)
        first = [client.wait("execution_queued") for _ in range(12)]
        self.assertEqual([one["position"] for one in first], list(range(1, 13)))
        for number in range(10):
            client.send(type="execution_cancel", id=str(number))
        client.send(type="ping")
        client.wait("pong")
        at_once = [one for one in client.passed if one["type"] == "execution_queued" and one["id"] == "11"]
        self.assertLessEqual(len(at_once), 1)
        told = list(at_once)
        while not told or told[-1]["position"] != 2:
            message = client.wait("execution_queued", seconds=10)
            if message["id"] == "11":
                told.append(message)
        self.assertLessEqual(len(told), 2)
        holder.wait("execution_result")

    def test_who_does_not_watch_is_told_nothing(self):
        client = self.connect(self.daemon)
        for name in ("a", "b"):
            client.send(type="execute_code", language="python", code="import time; time.sleep(0.6)", id=name)
        for name in ("a", "b"):
            self.assertEqual(client.receive(30)["type"], "execution_result")
