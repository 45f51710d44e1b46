"""The base protocol to the letter, and the six languages."""
import json
import re
import uuid

import cases
import service
import wire

TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$")

HELLO = {
    "python": "print('Hello, World!')",
    "javascript": "console.log('Hello, World!')",
    "java": 'public class Hello { public static void main(String[] a) { System.out.println("Hello, World!"); } }',
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("Hello, World!") }\n',
    "c": '#include <stdio.h>\nint main(void) { puts("Hello, World!"); }\n',
    "cpp": '#include <bits/stdc++.h>\nint main() { std::cout << "Hello, World!\\n"; }\n',
}


class Base(cases.Case):
    def test_the_first_message_says_who_we_are(self):
        client = self.connect()
        self.assertEqual(client.hello["type"], "connection_established")
        uuid.UUID(client.hello["connection_id"])
        self.assertRegex(client.hello["user_id"], r"^user_\w+$")
        self.assertRegex(client.hello["timestamp"], TIME)

    def test_a_chosen_connection_id_is_kept(self):
        client = self.connect(path="/api/v1/ws/My_id-7")
        self.assertEqual(client.hello["connection_id"], "My_id-7")

    def test_ping_is_answered_with_pong(self):
        client = self.connect()
        client.text('{"type": "ping"}')
        self.assertEqual(client.receive()["type"], "pong")
        client.text('{"type": "ping", "id": "p1"}')
        self.assertEqual(client.receive()["id"], "p1")

    def test_execute_code_verbatim(self):
        client = self.connect()
        client.text('{"type": "execute_code", "code": "print(\'Hello, World!\')", "language": "python", "file_path": "main.py"}')
        answer = client.receive()
        self.assertEqual(answer["type"], "execution_result")
        self.assertNotIn("id", answer)
        self.assertRegex(answer["timestamp"], TIME)
        result = answer["result"]
        self.assertIs(result["success"], True)
        self.assertEqual(result["output"], "Hello, World!\n")
        self.assertEqual(result["error"], "")
        self.assertEqual(result["language"], "python")
        self.assertEqual(result["method"], "native")
        self.assertGreater(result["execution_time"], 0)

    def test_every_field_of_a_result(self):
        result = self.connect().run("print(1)")
        self.assertEqual(result["verdict"], "ok")
        self.assertEqual(result["exit_code"], 0)
        self.assertIsNone(result["signal"])
        self.assertEqual(result["truncated"], {"stdout": 0, "stderr": 0})
        self.assertIn(result["start"], ("cold", "prepared", "warm"))
        self.assertGreater(result["memory_peak"], 1 << 20)
        for name in ("cpu_time", "wall_time", "queued_time", "setup_time"):
            self.assertIsInstance(result[name], float)
            self.assertLess(result[name], 10)
        self.assertNotIn("compile", result)

    def test_hello_world_in_every_language(self):
        client = self.connect()
        for language, code in HELLO.items():
            with self.subTest(language):
                if not cases.versions().get(language):
                    print(f"skipped: {language} is not installed on this machine")
                    continue
                result = client.run(code, language, file_path="main")
                self.assertEqual((result["output"], result["verdict"]), ("Hello, World!\n", "ok"), result)
                self.assertEqual("compile" in result, language in ("java", "go", "c", "cpp"))

    def test_a_missing_language_is_named_with_the_known_ones(self):
        answer = self.connect().ask(type="execute_code", language="pyton", code="", id="mine")
        self.assertEqual((answer["code"], answer["id"]), ("unknown_language", "mine"))
        self.assertIn("python", answer["message"])

    def test_version_is_matched_by_its_parts(self):
        client = self.connect()
        version = cases.versions()["python"]
        self.assertTrue(client.run("", version=version)["success"])
        self.assertTrue(client.run("", version=version.split(".")[0])["success"])
        answer = client.ask(type="execute_code", language="python", code="", version="2.7")
        self.assertEqual(answer["code"], "runtime_unavailable")

    def test_a_runtime_that_is_not_there_names_its_packages(self):
        from pathlib import Path
        import shutil
        import tempfile
        copy = tempfile.mkdtemp(prefix="cloister-runtimes-")
        self.addCleanup(shutil.rmtree, copy)
        for entry in (service.SOURCE / "runtimes").iterdir():
            if entry.is_dir():
                shutil.copytree(entry, Path(copy) / entry.name)
        file = Path(copy) / "go" / "runtime.jsonc"
        text = re.sub(r"/usr/lib/go\S*?/bin/go\b", "/usr/lib/go-0/bin/go", file.read_text())
        if "/usr/lib/go-0" not in text:
            text = re.sub(r'"/usr/bin/go"', '"/usr/lib/go-0/bin/go"', text)
        file.write_text(text)
        daemon = service.Daemon(runtimes=copy)
        self.addCleanup(daemon.stop)
        self.assertIn("not installed: go", daemon.text())
        with wire.Client(daemon.host, daemon.port) as client:
            answer = client.ask(type="execute_code", language="go", code="package main")
            self.assertEqual(answer["code"], "runtime_unavailable")
            self.assertIn("golang", answer["message"])
        status, _, body = wire.get(daemon.host, daemon.port, "/api/v1/runtimes")
        entry = next(one for one in json.loads(body)["runtimes"] if one["id"] == "go")
        self.assertEqual((status, entry["available"], entry["version"]), (200, False, None))
        self.assertTrue(entry["packages"])
