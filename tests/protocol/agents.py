"""An agent of the Model Context Protocol that can also misbehave: standard library only, no help with the rules."""
import http.client
import json

import cases
import service

LATEST = "2025-11-25"
STATELESS = "2026-07-28"
REVISIONS = [LATEST, "2025-06-18", "2025-03-26", "2024-11-05"]
BOTH = "application/json, text/event-stream"


class Agent:
    """A session; every request on a connection of its own, as agents' clients do."""

    def __init__(self, daemon=None, version=LATEST, accept=BOTH, open=True, **fields):
        self.daemon = daemon or service.shared()
        self.accept, self.fields, self.session, self.last = accept, fields, None, 0
        if open:
            status, answer = self.request("initialize", {"protocolVersion": version, "capabilities": {},
                                                         "clientInfo": {"name": "test", "version": "1"}})
            assert status == 200, (status, answer)
            self.hello = answer["result"]
            self.session = self.headers["Mcp-Session-Id"]
            assert self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})[0] == 202

    def begin(self, method, body=None, **more):
        """The answer, of which only the head is read; `body` is bytes, a text or JSON."""
        connection = http.client.HTTPConnection(self.daemon.host, self.daemon.port, timeout=60)
        fields = {"Accept": self.accept, **self.fields}
        if self.session:
            fields["Mcp-Session-Id"] = self.session
        if body is not None:
            fields["Content-Type"] = "application/json"
            body = body if isinstance(body, (bytes, str)) else json.dumps(body)
        fields |= {name.replace("_", "-"): value for name, value in more.items()}
        connection.request(method, "/mcp", body, {name: value for name, value in fields.items() if value is not None})
        answer = connection.getresponse()
        answer.connection = connection  # for as long as the answer is read
        return answer

    def send(self, body, method="POST", **more):
        """(status, JSON) or, of a stream, (status, [messages])."""
        answer = self.begin(method, body, **more)
        self.headers = answer.headers
        text = answer.read().decode()
        answer.connection.close()
        if answer.headers.get("Content-Type") == "text/event-stream":
            self.events = events_in(text)
            return answer.status, [json.loads(data) for _, data in self.events if data]
        return answer.status, json.loads(text) if text else None

    def message(self, method, params=None):
        self.last += 1
        message = {"jsonrpc": "2.0", "id": self.last, "method": method}
        return message if params is None else message | {"params": params}

    def request(self, method, params=None, **more):
        return self.send(self.message(method, params), **more)

    def call(self, tool, progress=None, **arguments):
        """The result of a tool, and the notifications before it in `progress`."""
        params = {"name": tool, "arguments": arguments}
        if progress is not None:
            params["_meta"] = {"progressToken": progress}
        status, answer = self.request("tools/call", params)
        assert status == 200, (status, answer)
        self.progress, answer = (answer[:-1], answer[-1]) if isinstance(answer, list) else ([], answer)
        assert answer["id"] == self.last and answer["jsonrpc"] == "2.0", answer
        return answer["result"]


def events_in(text):
    """(id, data) of each event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
        if lines:
            found.append((lines.get("id"), lines.get("data", "")))
    return found


class Fits:
    """As much of JSON Schema as the tools use."""

    def errors(self, value, schema, where="$"):
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None),
                 "integer": int, "number": (int, float)}
        types = schema.get("type")
        types = [types] if isinstance(types, str) else types or list(kinds)
        if not any(isinstance(value, kinds[kind]) and not (isinstance(value, bool) and kind in ("integer", "number"))
                   for kind in types):
            return [f"{where}: {value!r} is no {types}"]
        found = [] if value in schema.get("enum", [value]) else [f"{where}: {value!r} is not listed"]
        if isinstance(value, list):
            found += [one for item in value for one in self.errors(item, schema.get("items", {}), where + "[]")]
        if isinstance(value, dict) and "properties" in schema:
            found += [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
            for key, inner in value.items():
                if key not in schema["properties"]:
                    found.append(f"{where}: {key} is not described")
                else:
                    found += self.errors(inner, schema["properties"][key], where + "." + key)
        return found


class McpCase(cases.Case):
    def agent(self, *arguments, **fields):
        return Agent(*arguments, **fields)

    def schemas(self, agent):
        _, answer = agent.request("tools/list")
        return {one["name"]: one for one in answer["result"]["tools"]}

    def failed(self, answer, code, status, wanted):
        self.assertEqual((status, answer.get("error", {}).get("code")), (wanted, code), answer)
        self.assertEqual(answer["jsonrpc"], "2.0")
        self.assertNotIn("result", answer)
