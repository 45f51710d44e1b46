"""What the tests of go-judge's interface share: commands, forms, and asking."""
import http.client
import json

import cases
import service

TOKEN = "a-token-of-some-length-0123456789"
ENV = ["PATH=/usr/bin:/bin"]
SECOND = 1_000_000_000
MIB = 1 << 20
ALWAYS = {"status", "exitStatus", "time", "memory", "runTime"}


def cmd(*args, stdin="", out=65536, **fields):
    """One command with both outputs collected."""
    files = [{"content": stdin}, {"name": "stdout", "max": out}, {"name": "stderr", "max": 65536}]
    return {"args": list(args), "env": ENV, "files": files, "cpuLimit": 5 * SECOND, "clockLimit": 10 * SECOND,
            "memoryLimit": 256 * MIB, "procLimit": 50} | fields


def python(code, **fields):
    return cmd("/usr/bin/python3", "-c", code, **fields)


def pipe(index, to, fd=1, **fields):
    """What one command writes to `fd` is the other's input."""
    return {"in": {"index": index, "fd": fd}, "out": {"index": to, "fd": 0}} | fields


class GoJudgeCase(cases.Case):
    base = ""

    def ask(self, method, path, body=None, daemon=None, **fields):
        daemon = daemon or service.shared()
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60 * service.SLOW)
        self.addCleanup(connection.close)
        fields = {name.replace("_", "-"): value for name, value in fields.items()}
        if body is not None and "Content-Type" not in fields:
            fields["Content-Type"] = "application/json"
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
        connection.request(method, path, body, fields)
        answer = connection.getresponse()
        self.fields = answer.headers
        data = answer.read()
        if self.fields["Content-Type"] == "application/json":
            return answer.status, json.loads(data)
        return answer.status, data

    def run_all(self, *commands, daemon=None, **fields):
        status, answer = self.ask("POST", self.base + "/run", {"cmd": list(commands), **fields}, daemon)
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer), len(commands))
        for one in answer:
            self.assertLessEqual(ALWAYS, set(one), one)
        return answer

    def run_one(self, command, daemon=None):
        return self.run_all(command, daemon=daemon)[0]

    def refused(self, request):
        status, answer = self.ask("POST", "/run", request)
        self.assertEqual(status, 400, answer)
        self.assertIsInstance(answer, str)
        return answer

    def leave(self, content, name="a.txt", daemon=None, **fields):
        body, kind = form(content, name)
        return self.ask("POST", "/file", body, daemon, Content_Type=kind, **fields)


def form(content, name="a.txt", field="file", boundary="xxBOUNDARYxx"):
    content = content if isinstance(content, bytes) else content.encode()
    head = (f"--{boundary}\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nsomething\r\n"
            f"--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n"
            "Content-Type: application/octet-stream\r\n\r\n").encode()
    return head + content + f"\r\n--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
