"""The Model Context Protocol at /mcp without sessions, revision 2026-07-28: what a request has to say, and what it is told."""
import json
import threading
import time

import service
import wire
from agents import BOTH, LATEST, REVISIONS, STATELESS, Fits, McpCase


class Stateless(McpCase):
    """2026-07-28: every request for itself."""

    def ask(self, method, params=None, capabilities=True, version=STATELESS, daemon=None, accept=BOTH, **fields):
        """(status, answer) of a request with all that it needs, but for what `fields` say."""
        agent = self.agent(daemon, accept=accept, open=False)
        meta = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"}}
        if capabilities:
            meta["io.modelcontextprotocol/clientCapabilities"] = {}
        params = dict(params or {})
        params["_meta"] = meta | params.get("_meta", {})
        fields = {"MCP_Protocol_Version": version, "Mcp_Method": method, "Mcp_Name": params.get("name")} | fields
        self.told = agent
        agent.last += 4
        return agent.send(agent.message(method, params), **fields)

    def test_discovery(self):
        status, answer = self.ask("server/discover")
        self.assertEqual(status, 200)
        result = answer["result"]
        self.assertEqual(result["supportedVersions"], [STATELESS, *REVISIONS])
        self.assertEqual((result["resultType"], result["capabilities"], result["cacheScope"]), ("complete", {"tools": {}}, "private"))
        self.assertGreaterEqual(result["ttlMs"], 0)
        self.assertEqual(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "cloister")
        self.assertIn("run_code", result["instructions"])
        self.assertNotIn("Mcp-Session-Id", self.told.headers)

    def test_tools_without_a_session(self):
        status, answer = self.ask("tools/list")
        self.assertEqual((status, answer["result"]["resultType"], answer["result"]["cacheScope"]), (200, "complete", "private"))
        schemas = {one["name"]: one for one in answer["result"]["tools"]}
        self.assertEqual(set(schemas), {"run_code", "run_tests", "list_runtimes"})
        status, messages = self.ask("tools/call", {"name": "run_code", "arguments": {"language": "python", "code": "print(6 * 7)"}})
        result = messages[-1]["result"]
        self.assertEqual((result["resultType"], result["structuredContent"]["output"], result["isError"]), ("complete", "42\n", False))
        self.assertEqual(Fits().errors(result["structuredContent"], schemas["run_code"]["outputSchema"]), [])
        self.assertEqual(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "cloister")
        self.assertEqual([id for id, _ in self.told.events], [None] * len(self.told.events))  # nothing can be followed again
        self.assertEqual(self.told.headers["X-Accel-Buffering"], "no")
        status, answer = self.ask("tools/call", {"name": "list_runtimes"}, accept="application/json")
        self.assertEqual((status, answer["result"]["resultType"]), (200, "complete"))
        status, answer = self.ask("tools/call", {"name": "run_code", "arguments": {"language": "pyton", "code": ""}}, accept="application/json")
        self.assertEqual((status, answer["result"]["isError"], answer["result"]["resultType"]), (200, True, "complete"))
        # A session is neither needed nor looked at, and none begins.
        session = self.agent().session
        for more in ({"Mcp_Session_Id": session}, {"Mcp_Session_Id": "nonsense"}):
            self.assertEqual(self.ask("tools/list", **more)[0], 200)
            self.assertNotIn("Mcp-Session-Id", self.told.headers)

    def test_progress(self):
        code = "import time\nfor i in range(3):\n print('line', i, flush=True); time.sleep(0.3)"
        status, messages = self.ask("tools/call", {"name": "run_code", "arguments": {"language": "python", "code": code},
                                                   "_meta": {"progressToken": "p"}})
        self.assertGreaterEqual(len(messages), 3)
        self.assertEqual({one["params"]["progressToken"] for one in messages[:-1]}, {"p"})
        self.assertEqual(messages[-1]["result"]["structuredContent"]["output"], "line 0\nline 1\nline 2\n")

    def test_the_same_id_at_one_time(self):
        # Ids are the client's own: two clients may have the same one.
        answers = []
        ask = lambda: answers.append(Stateless("ask").ask("tools/call", {
            "name": "run_code", "arguments": {"language": "python", "code": "import time; time.sleep(0.5); print(1)"}}))
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30 * service.SLOW)
        self.assertEqual([(status, messages[-1]["result"]["structuredContent"]["output"]) for status, messages in answers], [(200, "1\n")] * 3)

    def test_header_and_body_say_the_same(self):
        call = {"name": "list_runtimes"}
        self.assertEqual(self.ask("tools/call", call, Mcp_Name="=?base64?bGlzdF9ydW50aW1lcw==?=")[0], 200)
        for fields in ({"Mcp_Method": None}, {"Mcp_Method": "tools/list"}, {"Mcp_Method": "TOOLS/CALL"}, {"Mcp_Name": None},
                       {"Mcp_Name": "run_code"}, {"Mcp_Name": "=?base64?cnVuX2NvZGU=?="}, {"Mcp_Name": "=?base64?%%%?="},
                       {"MCP_Protocol_Version": None}, {"MCP_Protocol_Version": LATEST}):
            status, answer = self.ask("tools/call", call, **fields)
            self.failed(answer, -32020, status, 400)
            self.assertEqual(answer["id"], self.told.last)

    def test_what_a_request_lacks(self):
        status, answer = self.ask("tools/list", capabilities=False)
        self.failed(answer, -32602, status, 400)
        for meta in ({"io.modelcontextprotocol/protocolVersion": 3}, {"io.modelcontextprotocol/clientCapabilities": []}):
            status, answer = self.ask("tools/list", {"_meta": meta})
            self.failed(answer, -32602, status, 400)
        agent = self.agent(open=False)
        for params in (None, {}, {"_meta": 3}):
            status, answer = agent.request("tools/list", params, MCP_Protocol_Version=STATELESS, Mcp_Method="tools/list")
            self.failed(answer, -32602, status, 400)
        status, answer = self.ask("tools/call", {"arguments": {}}, Mcp_Name="x")
        self.failed(answer, -32602, status, 400)
        for version in ("1900-01-01", LATEST):  # that one has sessions
            status, answer = self.ask("tools/list", version=version)
            self.failed(answer, -32022, status, 400)
            self.assertEqual(answer["error"]["data"], {"supported": [STATELESS, *REVISIONS], "requested": version})

    def test_what_there_is_not(self):
        for method in ("ping", "initialize", "resources/list", "logging/setLevel", "no/such"):
            status, answer = self.ask(method)
            self.failed(answer, -32601, status, 404)
        agent = self.agent(open=False)
        for method in ("GET", "DELETE"):
            self.assertEqual(agent.send(None, method, MCP_Protocol_Version=STATELESS, Last_Event_ID="x")[0], 405)
            self.assertEqual(agent.headers["Allow"], "POST")
        one = self.agent(open=False).message("tools/list")
        for body in ([one], {"jsonrpc": "2.0", "id": 1, "result": {}}):
            status, answer = agent.send(body, MCP_Protocol_Version=STATELESS)
            self.failed(answer, -32600, status, 400)
        self.assertEqual(agent.send({"jsonrpc": "2.0", "method": "notifications/cancelled"}, MCP_Protocol_Version=STATELESS), (202, None))

    def test_nothing_changes_so_nobody_waits_for_it(self):
        status, messages = self.ask("subscriptions/listen", {"notifications": {"toolsListChanged": True}})
        self.assertEqual(status, 200)
        self.assertEqual(messages, [
            {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged",
             "params": {"_meta": {"io.modelcontextprotocol/subscriptionId": self.told.last}, "notifications": {}}},
            {"jsonrpc": "2.0", "id": self.told.last,
             "result": {"resultType": "complete", "_meta": {"io.modelcontextprotocol/subscriptionId": self.told.last}}}])

    def test_who_leaves_ends_its_run(self):
        for accept in (BOTH, "application/json"):
            mark = service.fresh_mark()
            agent = self.agent(accept=accept, open=False)
            meta = {"io.modelcontextprotocol/protocolVersion": STATELESS, "io.modelcontextprotocol/clientCapabilities": {}}
            code = service.show(mark) + "import time; time.sleep(60)"
            host = service.shared()
            body = json.dumps(agent.message("tools/call", {"name": "run_code", "arguments": {"language": "python", "code": code}, "_meta": meta}))
            raw = wire.Raw(host.host, host.port)
            raw.send((f"POST /mcp HTTP/1.1\r\nHost: {host.host}:{host.port}\r\nContent-Type: application/json\r\nAccept: {accept}\r\n"
                      f"MCP-Protocol-Version: {STATELESS}\r\nMcp-Method: tools/call\r\nMcp-Name: run_code\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
            end = time.monotonic() + 20 * service.SLOW
            while not service.processes_with(mark):
                self.assertLess(time.monotonic(), end, "it does not start")
                time.sleep(0.02)
            raw.close()
            self.assertTrue(service.gone_within(mark, 5 * service.SLOW), accept)
