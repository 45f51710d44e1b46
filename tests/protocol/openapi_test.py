"""The document of the HTTP interface against the server: every address, method, status and field of the one is there in
the other, both ways."""
import json
import re
import tempfile
import time
import unittest
from pathlib import Path

import service
from rest_test import HELLO, TOKEN, Http, RestCase

SOURCE = Path(__file__).resolve().parents[2]
FRONT = SOURCE / "daemon/front"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WRONG = {"language": "pyton"}
PASS = {"tests": [{"expected": "hello"}]}


class Schema:
    """As much of JSON Schema as the document uses. Objects may hold nothing that is not listed."""

    def __init__(self, document):
        self.document = document
        self.seen = set()  # (where, property)

    def whole(self, schema):
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def errors(self, value, schema, where):
        name = schema.get("$ref", where).rsplit("/", 1)[-1]
        schema = self.whole(schema)
        if "anyOf" in schema:
            tries = [self.errors(value, one, where) for one in schema["anyOf"]]
            return [] if any(not one for one in tries) else tries[0] + tries[-1]
        types = schema.get("type", [])
        kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}
        fits = False
        for kind in [types] if isinstance(types, str) else types:
            if kind == "integer":
                fits |= isinstance(value, int) and not isinstance(value, bool)
            elif kind == "number":
                fits |= isinstance(value, (int, float)) and not isinstance(value, bool)
            else:
                fits |= isinstance(value, kinds[kind])
        if not fits:
            return [f"{where}: {value!r} is no {types}"]
        if "enum" in schema and value not in schema["enum"]:
            return [f"{where}: {value!r} is not listed"]
        found = []
        if isinstance(value, list) and "items" in schema:
            for item in value:
                found += self.errors(item, schema["items"], where + "[]")
        if isinstance(value, dict) and "properties" in schema:
            found += [f"{where}: {key} is missing" for key in schema.get("required", []) if key not in value]
            for key, inner in value.items():
                if key not in schema["properties"]:
                    found.append(f"{where}: {key} is not documented")
                    continue
                self.seen.add((name, key))
                found += self.errors(inner, schema["properties"][key], where + "." + key)
        return found


class Document(RestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        client = Http()
        cls.document = client.ask("GET", "/api/v1/openapi.json")[1]
        client.close()

    def operations(self):
        for path, methods in self.document["paths"].items():
            for method, operation in methods.items():
                yield path, method.upper(), operation

    def test_it_is_the_file_of_the_tree(self):
        self.assertEqual(self.document, json.loads((FRONT / "api/openapi.json").read_text()))
        self.assertEqual(self.document["openapi"][:4], "3.1.")

    def test_every_address_of_the_server_is_documented(self):
        code = (FRONT / "rest.cpp").read_text() + (FRONT / "routes.cpp").read_text()
        served = {path for path in re.findall(r'"(/(?:api/v1/[a-z./]+|healthz|readyz))"', code)
                  if not path.startswith("/api/v1/ws/")}
        documented = {re.sub(r"\{id\}.*", "", path) for path in self.document["paths"]}
        self.assertEqual(served, documented)

    def test_other_methods_are_refused(self):
        documented = {(path, method) for path, method, _ in self.operations()}
        for path in self.document["paths"]:
            for method in METHODS:
                status, _ = self.http().ask(method, path.replace("{id}", "none"))
                self.assertEqual((path, method) not in documented, status == 405, (path, method, status))

    def test_every_field_of_a_request_is_read(self):
        client = self.http()
        for path, schema, base in (("/api/v1/execute", "Execute", HELLO), ("/api/v1/judge", "Judge", {**HELLO, **PASS})):
            for field in self.document["components"]["schemas"][schema]["properties"]:
                wrong = 1 if field in ("limits", "checker") else {"no": "such"}
                status, error = client.ask("POST", path, {**base, field: wrong})
                self.assertEqual(status, 400, (field, error))
                self.assertIn(f"'{field}'", error["error"]["message"])
        for field in self.document["components"]["schemas"]["Limits"]["properties"]:
            status, error = client.ask("POST", "/api/v1/execute", {**HELLO, "limits": {field: []}})
            self.assertEqual(status, 400, field)
            self.assertIn(f"limits.{field}", error["error"]["message"])

    def test_every_field_that_is_read_is_documented(self):
        code = (FRONT / "protocol.cpp").read_text()
        schemas = self.document["components"]["schemas"]

        def read_in(text, function):
            start = text.index(" " + function + "(const json")
            return set(re.findall(r'\((?:\w+|\*\w+), "(\w+)"', text[start:text.index("\n}\n", start)]))

        common = {"wait", "cancel_on_disconnect"}
        run = read_in(code, "read_execute_code")
        self.assertEqual(set(schemas["Execute"]["properties"]) - common - {"args", "files", "limits", "collect"}, run)
        self.assertEqual(set(schemas["Limits"]["properties"]), read_in(code, "read_limits") - {"limits"})
        judging = (FRONT / "judge_requests.cpp").read_text()
        self.assertEqual(read_in(judging, "read_test") | {"name", "encoding", "limits"}, set(schemas["JudgeTest"]["properties"]))
        self.assertEqual(read_in(judging, "read_judge") | {"groups", "checker"},
                         set(schemas["Judge"]["properties"]) - common - run - {"args", "files", "limits"})
        checker = schemas["Checker"]["anyOf"][1]["properties"]
        self.assertLessEqual(read_in(judging, "read_checker") - {"checker"}, set(checker))


class Answers(RestCase):
    """Provokes every status of every operation and holds each answer against its schema."""

    def ask(self, method, path, body=None, daemon=None, **fields):
        client = self.http(daemon)
        status, answer = client.ask(method, path, body, **fields)
        return status, answer, client.fields

    def provoke(self):
        """(path, method) -> answers"""
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            guarded = service.Daemon({"token_file": file.name})
        self.addCleanup(guarded.stop)
        slow = service.Daemon({"messages_per_second": 1, "message_burst": 2, "boxes": 1, "queue": 1,
                               "queue_per_client": 1, "runs_per_client": 1})
        self.addCleanup(slow.stop)
        answers = {}

        def note(path, method, got):
            answers.setdefault((path, method), []).append(got)

        def flooded(method, path, body=None):
            client = self.http(slow)
            for _ in range(3):
                status, answer = client.ask(method, path, body and "{")
            return status, answer, client.fields

        key = service.fresh_mark()
        evil = {"Origin": "http://evil.example"}
        for path, good in (("/api/v1/execute", HELLO), ("/api/v1/judge", {**HELLO, **PASS})):
            for got in (
                    self.ask("POST", path, {**good, "wait": True}),
                    self.ask("POST", path, {**good, "wait": True, "code": "import os\nos.abort()", "output_encoding": "base64"}),
                    self.ask("POST", path, {**good, "wait": True, "code": "while True: pass", "limits": {"cpu_time": 0.1}}),
                    self.ask("POST", path, good, Idempotency_Key=path[-5:] + key),
                    self.ask("POST", path, {**good, "stdin": "x", "args": []}, Idempotency_Key=path[-5:] + key),
                    self.ask("POST", path, {**good, **WRONG}),
                    self.ask("POST", path, "{"),
                    self.ask("POST", path, good, guarded),
                    self.ask("POST", path, good, **evil),
                    self.ask("POST", path, {**good, "code": "x" * 300_000}),
                    self.ask("POST", path, good, Content_Type="text/plain"),
                    self.ask("POST", path, good, Expect="a miracle"),
                    flooded("POST", path, good)):
                note(path, "POST", got)
            long = {**good, "code": "import time; time.sleep(1)"}
            if path == "/api/v1/execute":
                for got in [self.ask("POST", path, long, slow) for _ in range(4)]:
                    note(path, "POST", got)
            else:
                client = self.http(slow)
                for _ in range(2):
                    status, answer = client.ask("POST", path, long)
                    note(path, "POST", (status, answer, client.fields))
        for language in ("c",):
            code = "int main(void){return 0;} // " + service.fresh_mark()
            note("/api/v1/execute", "POST", self.ask("POST", "/api/v1/execute", {"language": language, "code": code, "wait": True}))
            groups = {"groups": [{"name": "g", "points": 1}], "tests": [{"group": "g", "expected": "x"}]}
            note("/api/v1/judge", "POST", self.ask("POST", "/api/v1/judge", {"language": language, "code": code, "wait": True, **groups}))
        keeps = {**HELLO, "code": "open('f', 'w').write('x')", "collect": ["f", "none"], "wait": True}
        note("/api/v1/execute", "POST", self.ask("POST", "/api/v1/execute", keeps))
        made = [got[1]["id"] for got in answers["/api/v1/execute", "POST"] + answers["/api/v1/judge", "POST"]
                if got[0] == 202 and "id" in got[1]]
        one = "/api/v1/submissions/{id}"
        running = self.ask("POST", "/api/v1/execute", {**HELLO, "code": "import time; time.sleep(5)"})[1]["id"]
        client = self.http()
        for id in (made[0], made[-1]):
            place = "/api/v1/submissions/" + id
            status, answer = client.ask("GET", place)
            end = time.monotonic() + 20 * service.SLOW
            while status == 200 and answer["state"] != "done" and time.monotonic() < end:
                time.sleep(0.05)
                status, answer = client.ask("GET", place)
            if status == 200:
                note(one, "GET", (status, answer, client.fields))
        done = self.ask("POST", "/api/v1/execute", HELLO)[1]["id"]
        self.ended(client, done)
        judged = self.ask("POST", "/api/v1/judge", {**HELLO, **PASS})[1]["id"]
        self.ended(client, judged)
        note(one, "GET", self.ask("GET", "/api/v1/submissions/" + judged))
        note(one, "DELETE", self.ask("DELETE", "/api/v1/submissions/" + running))
        note(one, "DELETE", self.ask("DELETE", "/api/v1/submissions/" + done))
        for method in ("GET", "DELETE"):
            for got in (self.ask(method, "/api/v1/submissions/" + done), self.ask(method, "/api/v1/submissions/none"),
                        self.ask(method, "/api/v1/submissions/" + done, "{}"),
                        self.ask(method, "/api/v1/submissions/" + done, None, guarded),
                        self.ask(method, "/api/v1/submissions/" + done, **evil),
                        flooded(method, "/api/v1/submissions/none")):
                note(one, method, got)
        path = one + "/events"
        place = "/api/v1/submissions/" + done + "/events"
        for got in (self.ask("GET", place), self.ask("GET", place, Last_Event_ID="99"), self.ask("GET", place, Last_Event_ID="x"),
                    self.ask("GET", place, None, guarded), self.ask("GET", place, **evil),
                    self.ask("GET", "/api/v1/submissions/none/events"), flooded("GET", "/api/v1/submissions/none/events")):
            note(path, "GET", got)
        for path in ("/api/v1/runtimes", "/api/v1/openapi.json"):
            note(path, "GET", self.ask("GET", path))
            note(path, "GET", self.ask("GET", path, Host="evil.example"))
        slow_one = self.ask("POST", "/api/v1/execute", {**HELLO, "code": "import time; time.sleep(2)"})[1]["id"]
        for got in (self.ask("GET", "/api/v1/status"), self.ask("GET", "/api/v1/status", None, guarded),
                    self.ask("GET", "/api/v1/status", Host="evil.example")):
            note("/api/v1/status", "GET", got)
        self.ask("DELETE", "/api/v1/submissions/" + slow_one)
        for path in ("/healthz", "/readyz"):
            note(path, "GET", self.ask("GET", path))
        note("/api/v1/submissions/{id}", "GET", self.interrupted())
        return answers

    def interrupted(self):
        daemon = service.Daemon()
        self.addCleanup(daemon.stop)
        client = self.http(daemon)
        id = client.ask("POST", "/api/v1/execute", {**HELLO, "code": "import time; time.sleep(60)"})[1]["id"]
        client.close()
        daemon.restart()
        return self.ask("GET", "/api/v1/submissions/" + id, None, daemon)

    def test_every_status_and_field(self):
        document = self.http().ask("GET", "/api/v1/openapi.json")[1]
        schema = Schema(document)
        answers = self.provoke()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                got = answers[path, method.upper()]
                # The service says 503 there only while it stops, or is broken.
                wanted = {int(status) for status in operation["responses"]} - ({503} if path in ("/healthz", "/readyz") else set())
                self.assertEqual({status for status, _, _ in got}, wanted, (path, method))
                for status, body, fields in got:
                    described = operation["responses"][str(status)]
                    for name in described.get("headers", {}):
                        self.assertIn(name, fields, (path, method, status))
                    for kind, content in described.get("content", {}).items():
                        self.assertTrue(fields["Content-Type"].startswith(kind), (path, status))
                        wrong = schema.errors(body, content["schema"], f"{method} {path} {status}")
                        self.assertEqual(wrong, [])
        for name in ("Result", "JudgeResult", "Submission", "ErrorObject", "Error", "Runtime", "Runtimes"):
            for field in document["components"]["schemas"][name]["properties"]:
                if (name, field) in (("JudgeResult", "cause"), ("Runtime", "packages"), ("Result", "unprotected")):
                    continue  # of a cancelled judging: judge_test; of what is not installed; of local: local_test
                self.assertIn((name, field), schema.seen, "no answer has shown it")


if __name__ == "__main__":
    unittest.main()
