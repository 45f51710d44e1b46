"""The Model Context Protocol at /mcp: sessions, revisions, tools, streams, cancellation, and what nobody should send."""
import json
import tempfile
import threading
import time

import cases
import service
import wire
from agents import LATEST, REVISIONS, STATELESS, Fits, McpCase, events_in

TOKEN = "a-token-of-some-length-0123456789"


class Sessions(McpCase):
    def test_hello(self):
        agent = self.agent()
        self.assertEqual(agent.hello["protocolVersion"], LATEST)
        self.assertEqual(agent.hello["capabilities"], {"tools": {"listChanged": False}})
        self.assertEqual(agent.hello["serverInfo"]["name"], "cloister")
        self.assertIn("run_code", agent.hello["instructions"])
        self.assertRegex(agent.session, r"^[0-9a-f-]{36}$")
        self.assertEqual(agent.request("ping"), (200, {"jsonrpc": "2.0", "id": 2, "result": {}}))

    def test_each_revision_is_served_as_asked_and_others_are_offered_the_latest(self):
        for version in REVISIONS:
            agent = self.agent(version=version)
            self.assertEqual(agent.hello["protocolVersion"], version)
            self.assertEqual(agent.request("ping", MCP_Protocol_Version=version)[0], 200)
            structured = version >= "2025-06-18"
            result = agent.call("run_code", language="python", code="print(6 * 7)")
            self.assertIn("42", result["content"][0]["text"])
            self.assertEqual("structuredContent" in result, structured)
            self.assertEqual("outputSchema" in self.schemas(agent)["run_code"], structured)
        for version in ("1999-01-01", "2026-07-28", ""):
            self.assertEqual(self.agent(version=version).hello["protocolVersion"], LATEST)

    def test_a_revision_that_is_none_is_refused(self):
        agent = self.agent()
        for version in ("1900-01-01", "nonsense", ""):
            status, answer = agent.request("ping", MCP_Protocol_Version=version)
            self.failed(answer, -32022, status, 400)
            self.assertEqual(answer["error"]["data"], {"supported": [STATELESS, *REVISIONS], "requested": version})
            self.assertEqual(answer["id"], agent.last)
        self.assertEqual(agent.send(None, "DELETE", MCP_Protocol_Version="nonsense")[0], 400)
        self.assertEqual(agent.request("ping")[0], 200)

    def test_what_names_no_session_is_refused(self):
        agent = self.agent(open=False)
        for method in ("ping", "tools/list", "tools/call", "server/discover"):
            status, answer = agent.request(method)
            self.failed(answer, -32000, status, 400)
        for session in ("00000000-0000-4000-8000-000000000000", "x", "x" * 1000, ""):
            status, answer = agent.request("ping", Mcp_Session_Id=session)
            self.failed(answer, -32001, status, 404)
        self.assertEqual(agent.send(None, "DELETE")[0], 400)
        self.assertEqual(agent.send({"jsonrpc": "2.0", "method": "notifications/cancelled",
                                     "params": {"requestId": 1}})[0], 400)

    def test_a_session_is_initialized_once(self):
        agent = self.agent()
        status, answer = agent.request("initialize", {"protocolVersion": LATEST})
        self.failed(answer, -32600, status, 400)
        other = self.agent(open=False)
        for params in (None, {}, {"protocolVersion": 3}):
            status, answer = other.request("initialize", params)
            self.failed(answer, -32602, status, 200)

    def test_ending_a_session_ends_what_it_runs(self):
        agent = self.agent()
        mark = service.fresh_mark()
        answers = []
        thread = threading.Thread(target=lambda: answers.append(agent.send(agent.message(
            "tools/call", {"name": "run_code", "arguments": {
                "language": "python", "code": service.show(mark) + "import time; time.sleep(60)"}}))))
        thread.start()
        self.wait_for(mark)
        self.assertEqual(self.end(agent), 204)
        thread.join(20 * service.SLOW)
        self.assertEqual(answers, [(200, [])])
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
        status, answer = agent.request("ping")
        self.failed(answer, -32001, status, 404)
        self.assertEqual(self.end(agent), 404)

    def end(self, agent):
        return agent.send(None, "DELETE")[0]

    def wait_for(self, mark):
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark):
            self.assertLess(time.monotonic(), end, "it does not start")
            time.sleep(0.02)

    def test_there_are_so_many_and_the_oldest_unused_one_goes(self):
        daemon = service.Daemon({"mcp_sessions": 3})
        self.addCleanup(daemon.stop)
        agents = [self.agent(daemon) for _ in range(3)]
        agents[0].request("ping")
        fourth = self.agent(daemon)
        self.assertEqual([one.request("ping")[0] for one in [*agents, fourth]], [200, 404, 200, 200])

    def test_busy_ones_stay_and_then_there_is_no_room(self):
        daemon = service.Daemon({"mcp_sessions": 1})
        self.addCleanup(daemon.stop)
        agent = self.agent(daemon)
        mark = service.fresh_mark()
        code = service.show(mark) + "import time; time.sleep(60)"
        held = agent.begin("POST", agent.message("tools/call", {
            "name": "run_code", "arguments": {"language": "python", "code": code}}))
        self.wait_for(mark)
        other = self.agent(daemon, open=False)
        status, answer = other.request("initialize", {"protocolVersion": LATEST})
        self.failed(answer, -32000, status, 503)
        self.assertEqual(self.end(agent), 204)
        held.connection.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
        self.agent(daemon)


class Tools(McpCase):
    def test_the_list(self):
        tools = self.schemas(self.agent())
        self.assertEqual(list(tools), ["run_code", "run_tests", "list_runtimes"])
        for tool in tools.values():
            self.assertEqual(tool["inputSchema"]["type"], "object")
            self.assertEqual(tool["outputSchema"]["type"], "object")
            self.assertFalse(tool["annotations"]["destructiveHint"])
            self.assertNotIn("$part", json.dumps(tool))
        languages = tools["run_code"]["inputSchema"]["properties"]["language"]["enum"]
        self.assertEqual(languages, [one for one, version in cases.versions().items() if version])

    def test_every_described_argument_is_read_and_no_other(self):
        agent = self.agent()
        for name, tool in self.schemas(agent).items():
            properties = tool["inputSchema"]["properties"]
            good = {"language": "python", "code": "pass", "tests": [{"expected": ""}]}
            good = {key: value for key, value in good.items() if key in properties}
            for key in properties:
                wrong = 1 if key in ("limits", "checker") else {"no": "such"}
                result = agent.call(name, **{**good, key: wrong})
                self.assertTrue(result["isError"], (name, key))
                self.assertIn(key, result["content"][0]["text"])
            result = agent.call(name, **good, nonsense=1)
            self.assertTrue(result["isError"])
            self.assertIn("'nonsense' is unknown", result["content"][0]["text"])
            self.assertNotIn("structuredContent", result)
        for wrong in ({"limits": {"memry": 1}}, {"files": [{"path": "x", "contnt": ""}]}):
            result = agent.call("run_code", language="python", code="pass", **wrong)
            self.assertIn("is unknown in", result["content"][0]["text"])

    def run_code(self, agent=None, **arguments):
        agent = agent or self.agent()
        result = agent.call("run_code", **{"language": "python", **arguments})
        schema = self.schemas(agent)["run_code"]["outputSchema"]
        self.assertEqual(Fits().errors(result["structuredContent"], schema), [])
        return result["structuredContent"], result["content"][0]["text"], result["isError"]

    def test_running(self):
        got, text, failed = self.run_code(code="import sys\nprint(input(), sys.argv[1:])\nprint('e', file=sys.stderr)",
                                          stdin="in\n", args=["a", "b c"])
        self.assertEqual((got["output"], got["error"], got["verdict"]), ("in ['a', 'b c']\n", "e\n", "ok"))
        self.assertFalse(failed)
        self.assertIn("exit code 0", text)
        self.assertIn("stdout:\nin ['a', 'b c']\n", text)
        self.assertIn("stderr:\ne\n", text)

    def test_files(self):
        got, _, _ = self.run_code(entry="a/main.py", files=[
            {"path": "a/main.py", "content": "print(open('data/x', 'rb').read())"},
            {"path": "data/x", "content": "AAE=", "encoding": "base64"}])
        self.assertEqual(got["output"], "b'\\x00\\x01'\n")

    def test_files_that_a_program_writes_come_back(self):
        agent = self.agent()
        code = ("open('out.txt', 'w').write('é' * 5000)\nopen('plot.png', 'wb').write(b'\\x89PNG\\xff')\n"
                "open('data.bin', 'wb').write(b'\\xff\\x00')")
        result = agent.call("run_code", language="python", code=code, max_output=1000,
                            collect=["out.txt", "plot.png", "data.bin", "none"])
        self.assertEqual(Fits().errors(result["structuredContent"], self.schemas(agent)["run_code"]["outputSchema"]), [])
        text, plot, data, none = result["structuredContent"]["files"]
        self.assertTrue(text["content"].startswith("é" * 200))
        self.assertLess(len(text["content"].encode()), 1100)
        self.assertEqual((text["bytes"], text["left_out"]), (10000, 9000))
        self.assertEqual(plot, {"path": "plot.png", "encoding": "base64", "bytes": 5})
        self.assertEqual((data["content"], data["bytes"]), ("/wA=", 2))
        self.assertEqual(none, {"path": "none", "error": "missing"})
        self.assertEqual(result["content"][1], {"type": "image", "data": "iVBOR/8=", "mimeType": "image/png"})
        self.assertIn("file none: missing", result["content"][0]["text"])
        self.assertIn("file data.bin: 2 bytes", result["content"][0]["text"])

    def test_a_program_that_fails_is_no_error_of_the_tool(self):
        for code, verdict, part, cpu_time in (
                ("raise SystemExit(3)", "nonzero_exit", "exit code 3", 5),
                ("import os; os.kill(os.getpid(), 11)", "signalled", "SIGSEGV", 5),
                ("while True: pass", "time_limit", "time_limit", 0.3),
                ("x = bytearray(1 << 30)", "memory_limit", "memory_limit", 5)):
            got, text, failed = self.run_code(code=code, limits={"cpu_time": cpu_time})
            self.assertFalse(failed)
            self.assertEqual(got["verdict"], verdict)
            self.assertIn(part, text)

    def test_what_does_not_compile(self):
        self.need("c")
        got, text, failed = self.run_code(language="c", code="int main(void) { return nothing; }")
        self.assertEqual((got["verdict"], failed), ("compile_error", False))
        self.assertIn("It does not compile.", text)
        self.assertIn("nothing", text)

    def test_long_output_is_cut_in_the_middle(self):
        got, text, _ = self.run_code(code="print('é' * 50000); print('end')", max_output=1000)
        self.assertLess(len(got["output"].encode()), 1100)
        self.assertTrue(got["output"].startswith("é" * 200))
        self.assertTrue(got["output"].endswith("é\nend\n"))
        self.assertIn("bytes left out", text)
        left = len(got["output"].encode()) - len(f"\n[... {got['truncated']['stdout']} bytes left out ...]\n")
        self.assertEqual(left + got["truncated"]["stdout"], 100005)
        whole, _, _ = self.run_code(code="print('x' * 50000)", max_output=1048576)
        self.assertEqual((len(whole["output"]), whole["truncated"]["stdout"]), (50001, 0))
        short, _, _ = self.run_code(code="print('x' * 50000)")
        self.assertLess(len(short["output"]), 17000)

    def test_what_a_model_got_wrong_it_is_told_so_that_it_can_mend_it(self):
        agent = self.agent()
        for arguments, part in (
                ({"language": "pyton", "code": ""}, "pyton"),
                ({"language": "python"}, "'code' is missing"),
                ({"code": "x"}, "'language' is missing"),
                ({"language": "python", "code": "x", "limits": {"memory": "1t"}}, "memory"),
                ({"language": "python", "code": "x", "limits": {"cpu_time": 1e6}}, "cpu_time"),
                ({"language": "python", "files": [{"path": "../x", "content": ""}]}, "path"),
                ({"language": "python", "code": "x", "max_output": 1}, "max_output"),
                ({"language": "python", "code": "x" * 300_000}, "256 KiB")):
            result = agent.call("run_code", **arguments)
            self.assertTrue(result["isError"], arguments)
            self.assertIn(part, result["content"][0]["text"])

    def run_tests(self, **arguments):
        agent = self.agent()
        result = agent.call("run_tests", **{"language": "python", **arguments})
        schema = self.schemas(agent)["run_tests"]["outputSchema"]
        self.assertEqual(Fits().errors(result["structuredContent"], schema), [])
        self.assertFalse(result["isError"])
        return result["structuredContent"], result["content"][0]["text"]

    def test_tests(self):
        tests = [{"stdin": f"{i}", "expected": f"{i * i}", "name": f"t{i}"} for i in range(15)]
        got, text = self.run_tests(code="print(int(input()) ** 2)", tests=tests)
        self.assertEqual((got["verdict"], got["verdicts"], got["failures"]), ("AC", {"AC": 15}, []))
        self.assertIn("15 of 15 tests accepted", text)
        got, text = self.run_tests(code="print(int(input()) * 2)", tests=tests)
        self.assertEqual((got["verdict"], got["decided_by"], got["verdicts"]), ("WA", 1, {"AC": 2, "WA": 13}))
        self.assertEqual([one["test"] for one in got["failures"]], [1, *range(3, 12)])
        self.assertEqual(got["failures"][0]["difference"]["expected"], "1")
        self.assertIn("test 1 (t1): WA", text)
        self.assertIn("expected '1', printed '2'", text)

    def test_tests_that_crash_and_checkers(self):
        got, text = self.run_tests(code="print(1 / int(input()))", tests=[{"stdin": "0", "expected": "1"}])
        self.assertEqual(got["failures"][0]["verdict"], "RTE")
        self.assertIn("ZeroDivisionError", text)
        close = {"type": "token", "absolute": 0.01}
        got, _ = self.run_tests(code="print(0.333)", tests=[{"expected": "0.3333333"}], checker=close)
        self.assertEqual(got["verdict"], "AC")
        got, _ = self.run_tests(code="print(1); raise SystemExit(1)", stop_at_first_failure=True,
                                tests=[{"expected": "1"}] * 3)
        self.assertEqual((got["verdict"], got["judged"] + got["skipped"]), ("RTE", 3))
        self.assertGreater(got["skipped"], 0)
        got, _ = self.run_tests(code="while True: pass", tests=[{"expected": "1", "limits": {"cpu_time": 0.2}}])
        self.assertEqual(got["verdict"], "TLE")

    def test_runtimes(self):
        agent = self.agent()
        result = agent.call("list_runtimes")
        self.assertEqual(Fits().errors(result["structuredContent"], self.schemas(agent)["list_runtimes"]["outputSchema"]), [])
        self.assertEqual({one["id"]: one["version"] for one in result["structuredContent"]["runtimes"]}, cases.versions())
        self.assertIn("python: Python 3.", result["content"][0]["text"])
        limits = result["structuredContent"]["limits"]["run_code"]
        self.assertEqual((limits["memory"], limits["cpu_time"]), (128 << 20, 10))
        result = agent.call("run_code", language="python", code="pass", limits=limits)
        self.assertFalse(result["isError"])

    def test_without_a_stream_the_answer_is_one_text(self):
        for accept in ("application/json", "*/*", "application/*", None):
            agent = self.agent(accept=accept)
            result = agent.call("run_code", language="python", code="print(1)", progress="t")
            self.assertEqual(agent.headers["Content-Type"], "application/json")
            self.assertEqual((result["structuredContent"]["output"], agent.progress), ("1\n", []))


class Streams(McpCase):
    def test_progress_while_it_runs(self):
        agent = self.agent()
        code = "import time\nfor i in range(4):\n print('line', i, flush=True); time.sleep(0.3)"
        result = agent.call("run_code", progress="token-1", language="python", code=code)
        self.assertIn("line 3", result["structuredContent"]["output"])
        self.assertGreaterEqual(len(agent.progress), 3)
        last = -1
        for one in agent.progress:
            self.assertEqual((one["method"], one["params"]["progressToken"]), ("notifications/progress", "token-1"))
            self.assertNotIn("id", one)
            self.assertGreater(one["params"]["progress"], last)
            last = one["params"]["progress"]
        words = " ".join(one["params"]["message"] for one in agent.progress)
        self.assertIn("stdout: line", words)

    def test_progress_arrives_before_the_end(self):
        agent = self.agent()
        mark = service.fresh_mark()
        code = service.show(mark) + "import time\nprint('up', flush=True); time.sleep(60)"
        answer = agent.begin("POST", agent.message("tools/call", {
            "name": "run_code", "arguments": {"language": "python", "code": code}, "_meta": {"progressToken": 7}}))
        text = b""
        while b"stdout: up" not in text:
            text += answer.read1()
        self.assertTrue(service.processes_with(mark))
        agent.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": agent.last}})
        self.assertNotIn(b'"result"', answer.read())
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_progress_of_tests_counts_them(self):
        agent = self.agent()
        agent.call("run_tests", progress=5, language="python", code="print(1)", tests=[{"expected": "1"}] * 4)
        values = [one["params"]["progress"] for one in agent.progress]
        self.assertEqual(values, [0, 1, 2, 3, 4])
        self.assertEqual({one["params"]["total"] for one in agent.progress}, {4})

    def test_a_flood_of_output_is_no_flood_of_notifications(self):
        agent = self.agent()
        code = "import sys\nfor i in range(20000): sys.stdout.write('x\\n'); sys.stdout.flush()"
        started = time.monotonic()
        agent.call("run_code", progress="t", language="python", code=code)
        self.assertLess(len(agent.progress), 10 * (time.monotonic() - started) + 5)

    def test_nobody_is_told_who_did_not_ask(self):
        agent = self.agent()
        agent.call("run_code", language="python", code="print(1)")
        self.assertEqual(agent.progress, [])
        for token in ({"x": 1}, [1], None, True, "x" * 300):
            agent.call("run_code", progress=token, language="python", code="print(1)")
            self.assertEqual(agent.progress, [])

    def test_a_stream_can_be_followed_again_by_its_session_alone(self):
        agent, other = self.agent(), self.agent()
        code = "import time\nfor i in range(3):\n print(i, flush=True); time.sleep(0.2)"
        result = agent.call("run_code", progress="t", language="python", code=code)
        events = agent.events
        self.assertEqual(events[0][0].split(":")[1], "0")  # before anything has happened
        self.assertEqual(len({id for id, _ in events}), len(events))
        for at in (0, 1, len(events) - 2):
            status, messages = agent.send(None, "GET", Last_Event_ID=events[at][0])
            self.assertEqual(status, 200)
            self.assertEqual(messages[-1]["result"], result)
        self.assertEqual(agent.send(None, "GET", Last_Event_ID=events[-1][0])[0], 204)
        for id in (events[0][0], "nonsense", "nonsense:1", events[0][0] + "x", ":", ""):
            status, answer = other.send(None, "GET", Last_Event_ID=id)
            self.failed(answer, -32602, status, 400)
        self.assertEqual(agent.send(None, "GET", Last_Event_ID=events[0][0], Mcp_Session_Id=None)[0], 400)
        self.assertEqual(agent.send(None, "GET", Last_Event_ID=events[0][0], Accept="application/json")[0], 406)

    def test_who_loses_the_stream_loses_nothing(self):
        agent = self.agent()
        mark = service.fresh_mark()
        code = service.show(mark) + "import time\ntime.sleep(1); print('done')"
        answer = agent.begin("POST", agent.message("tools/call", {
            "name": "run_code", "arguments": {"language": "python", "code": code}}))
        text = b""
        while b"\n\n" not in text:
            text += answer.read1()
        id = events_in(text.decode())[0][0]
        answer.connection.sock and answer.connection.sock.close()
        answer.close()
        _, messages = agent.send(None, "GET", Last_Event_ID=id)
        self.assertEqual(messages[-1]["result"]["structuredContent"]["output"], "done\n")

    def test_there_is_no_stream_to_listen_to(self):
        agent = self.agent()
        self.assertEqual(agent.send(None, "GET")[0], 405)
        self.assertEqual(agent.headers["Allow"], "POST, DELETE")


class Cancelling(McpCase):
    def begin(self, agent, **more):
        mark = service.fresh_mark()
        code = service.show(mark) + "import time; time.sleep(60)"
        message = agent.message("tools/call", {"name": "run_code", "arguments": {"language": "python", "code": code}})
        answer = agent.begin("POST", message, **more)
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark):
            self.assertLess(time.monotonic(), end, "it does not start")
            time.sleep(0.02)
        return mark, answer

    def cancel(self, agent, id):
        return agent.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}})[0]

    def test_it_ends_the_run_and_no_answer_comes(self):
        agent = self.agent()
        mark, answer = self.begin(agent)
        self.assertEqual(self.cancel(agent, agent.last), 202)
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))
        events = events_in(answer.read().decode())
        self.assertEqual([data for _, data in events if data], [])
        self.assertEqual(agent.send(None, "GET", Last_Event_ID=events[0][0])[0], 204)
        self.assertEqual(self.cancel(agent, agent.last), 202)  # once more is harmless

    def test_judging_is_cancelled_too(self):
        agent = self.agent()
        mark = service.fresh_mark()
        code = service.show(mark) + "import time; time.sleep(60)"
        answer = agent.begin("POST", agent.message("tools/call", {"name": "run_tests", "arguments": {
            "language": "python", "code": code, "tests": [{"expected": ""}] * 4}}))
        end = time.monotonic() + 20 * service.SLOW
        while not service.processes_with(mark) and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(self.cancel(agent, agent.last), 202)
        self.assertNotIn(b"result", answer.read())
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_only_its_own(self):
        agent, other = self.agent(), self.agent()
        mark, answer = self.begin(agent)
        for id in (agent.last, str(agent.last), None, {"x": 1}):
            self.assertEqual(self.cancel(other, id), 202)
        for id in (str(agent.last), agent.last + 1, None):
            self.assertEqual(self.cancel(agent, id), 202)
        time.sleep(0.3)
        self.assertTrue(service.processes_with(mark))
        status, answer_to_twin = agent.send({"jsonrpc": "2.0", "id": agent.last, "method": "tools/call",
                                             "params": {"name": "run_code", "arguments": {}}})
        self.failed(answer_to_twin, -32600, status, 200)
        self.assertEqual(self.cancel(agent, agent.last), 202)
        answer.read()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_where_http_leaves_no_silence_the_answer_says_so(self):
        agent = self.agent()
        answers = []
        message = agent.message("tools/call", {"name": "run_code", "arguments": {
            "language": "python", "code": "import time; time.sleep(60)"}})
        thread = threading.Thread(target=lambda: answers.append(agent.send(message, Accept="application/json")))
        thread.start()
        end = time.monotonic() + 20 * service.SLOW
        while not answers and time.monotonic() < end:
            self.cancel(agent, message["id"])
            thread.join(0.1)
        thread.join(20)
        self.failed(answers[0][1], -32800, answers[0][0], 200)

    def test_who_leaves_cancels_nothing(self):
        agent = self.agent()
        mark, answer = self.begin(agent)
        answer.connection.sock and answer.connection.sock.close()
        answer.close()
        time.sleep(0.5)
        self.assertTrue(service.processes_with(mark))
        self.cancel(agent, agent.last)
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))


class Messages(McpCase):
    def test_what_is_no_json(self):
        agent = self.agent()
        deep = b'{"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"x": ' + b"[" * 5000 + b"]" * 5000 + b"}}"
        for body in (b"", b"{", b"\xff\xfe", b'"\xff"', deep, b"nul"):
            status, answer = agent.send(body)
            self.failed(answer, -32700, status, 400)
            self.assertIsNone(answer["id"])

    def test_what_is_no_message(self):
        agent = self.agent()
        good = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for change in ({"jsonrpc": "1.0"}, {"jsonrpc": None}, {"id": None}, {"id": 1.5}, {"id": {}}, {"id": "x" * 300},
                       {"method": 1}, {"params": [1]}, {"params": 1}):
            status, answer = agent.send({**good, **change})
            self.failed(answer, -32600, status, 400)
        for body in ("1", "null", '"x"', "{}", '{"jsonrpc": "2.0"}', '{"jsonrpc": "2.0", "id": 1}',
                     '{"jsonrpc": "2.0", "id": 1, "result": 1, "error": 1}'):
            status, answer = agent.send(body)
            self.failed(answer, -32600, status, 400)

    def test_ids_come_back_as_they_were(self):
        agent = self.agent()
        for id in (0, -1, 2**53, "", "ü\n\"", "x" * 256):
            _, answer = agent.send({"jsonrpc": "2.0", "id": id, "method": "ping"})
            self.assertEqual(answer["id"], id)

    def test_methods_and_parameters_that_are_none(self):
        agent = self.agent()
        for method in ("", "tools", "resources/list", "prompts/list", "logging/setLevel", "x" * 5000, "Ping"):
            status, answer = agent.request(method)
            self.failed(answer, -32601, status, 200)
        for params in ({}, {"name": 1}, {"name": "no_tool"}, {"name": "x" * 5000}, {"name": "run_code", "arguments": [1]}):
            status, answer = agent.request("tools/call", params)
            self.failed(answer, -32602, status, 200)
        status, answer = agent.request("tools/list", {"cursor": "next"})
        self.failed(answer, -32602, status, 200)

    def test_notifications_and_answers_are_taken_without_a_word(self):
        agent = self.agent()
        for message in ({"method": "notifications/roots/list_changed"}, {"method": "nobody/knows"},
                        {"method": "notifications/cancelled"}, {"method": "notifications/cancelled", "params": {}},
                        {"id": 5, "result": {}}, {"id": "x", "error": {"code": 1, "message": "m"}}):
            status, answer = agent.send({"jsonrpc": "2.0", **message})
            self.assertEqual((status, answer), (202, None), message)
            self.assertEqual(agent.headers["Content-Length"], "0")

    def test_batches_belong_to_one_revision(self):
        batch = [{"jsonrpc": "2.0", "id": 1, "method": "ping"}]
        for version in REVISIONS:
            agent = self.agent(version=version)
            status, answer = agent.send(batch)
            if version == "2025-03-26":
                self.assertEqual((status, answer), (200, [{"jsonrpc": "2.0", "id": 1, "result": {}}]))
            else:
                self.failed(answer, -32600, status, 400)
        status, answer = self.agent(open=False).send(batch)
        self.failed(answer, -32000, status, 400)

    def test_a_batch_is_answered_by_one_list(self):
        agent = self.agent(version="2025-03-26")

        def call(id, code):
            return {"jsonrpc": "2.0", "id": id, "method": "tools/call",
                    "params": {"name": "run_code", "arguments": {"language": "python", "code": code}}}

        status, answers = agent.send([
            call("a", "import time; time.sleep(0.5); print(1)"), {"jsonrpc": "2.0", "method": "notifications/x"},
            call("b", "print(2)"), {"jsonrpc": "2.0", "id": "c", "method": "none"}, 7,
            {"jsonrpc": "2.0", "id": "d", "method": "initialize", "params": {"protocolVersion": LATEST}}])
        self.assertEqual(status, 200)
        self.assertEqual([one["id"] for one in answers], ["a", "b", "c", None, "d"])
        self.assertIn("1", answers[0]["result"]["content"][0]["text"])
        self.assertEqual([one["error"]["code"] for one in answers[2:]], [-32601, -32600, -32600])
        self.assertEqual(agent.send([{"jsonrpc": "2.0", "method": "notifications/x"}])[0], 202)
        ping = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        for batch in ([], [ping] * 33):
            status, answer = agent.send(batch)
            self.failed(answer, -32600, status, 400)
        self.assertEqual(len(agent.send([ping] * 32)[1]), 32)


class Access(McpCase):
    def test_other_pages_and_hosts_may_not(self):
        agent = self.agent()
        self.assertEqual(agent.request("ping", Origin="https://evil.example")[0], 403)
        self.assertEqual(agent.request("ping", Origin="null")[0], 403)
        self.assertEqual(agent.request("ping", Host="evil.example")[0], 403)
        self.assertEqual(agent.send(None, "DELETE", Origin="https://evil.example")[0], 403)
        own = f"http://{agent.daemon.host}:{agent.daemon.port}"
        self.assertEqual(agent.request("ping", Origin=own)[0], 200)

    def test_methods_kinds_and_sizes(self):
        agent = self.agent()
        for method in ("PUT", "PATCH", "OPTIONS", "HEAD"):
            self.assertEqual(agent.send(None, method)[0], 405, method)
        self.assertEqual(agent.headers["Allow"], "GET, POST, DELETE")
        self.assertEqual(agent.request("ping", Content_Type="text/plain")[0], 415)
        for accept in ("text/event-stream", "text/html", "image/*"):
            self.assertEqual(agent.request("ping", Accept=accept)[0], 406)
        self.assertEqual(agent.send("{}", Content_Length=str(1024 * 1024 + 1))[0], 413)
        self.assertEqual(agent.send("{}", "DELETE")[0], 400)
        self.assertEqual(agent.request("ping")[0], 200)

    def test_the_token_is_needed_for_everything(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            daemon = service.Daemon({"token_file": file.name})
        self.addCleanup(daemon.stop)
        stranger = self.agent(daemon, open=False)
        for fields in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic " + TOKEN}):
            status, _ = stranger.request("initialize", {"protocolVersion": LATEST}, **fields)
            self.assertEqual(status, 401)
            self.assertEqual(stranger.headers["WWW-Authenticate"], "Bearer")
        agent = self.agent(daemon, Authorization="Bearer " + TOKEN)
        self.assertIn("1", agent.call("run_code", language="python", code="print(1)")["content"][0]["text"])
        thief = self.agent(daemon, open=False)
        for method in ("POST", "DELETE"):
            body = thief.message("ping") if method == "POST" else None
            self.assertEqual(thief.send(body, method, Mcp_Session_Id=agent.session)[0], 401)

    def test_it_can_be_switched_off(self):
        daemon = service.Daemon({"mcp": False})
        self.addCleanup(daemon.stop)
        agent = self.agent(daemon, open=False)
        self.assertEqual(agent.request("initialize", {"protocolVersion": LATEST})[0], 400)
        self.assertEqual(wire.get(daemon.host, daemon.port, "/mcp")[0], 404)

    def test_a_session_has_its_share_like_any_client(self):
        daemon = service.Daemon({"runs_per_client": 1, "queue_per_client": 1})
        self.addCleanup(daemon.stop)
        agent = self.agent(daemon)
        answers = []

        def run_as_text(id):
            status, answer = agent.send({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
                "name": "run_code", "arguments": {"language": "python", "code": "import time; time.sleep(1.5)"}}},
                Accept="application/json")
            answers.append(answer)

        threads = [threading.Thread(target=run_as_text, args=(id,)) for id in range(100, 104)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        failed = [one["result"] for one in answers if one["result"]["isError"]]
        self.assertEqual(len(failed), 2, answers)
        self.assertIn("busy", failed[0]["content"][0]["text"])
        other = self.agent(daemon)
        self.assertFalse(other.call("run_code", language="python", code="print(1)")["isError"])
