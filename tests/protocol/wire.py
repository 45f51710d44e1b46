"""A WebSocket client that can also misbehave: standard library only, raw frames, no help with the rules."""
import base64
import json
import os
import socket
import struct
import time

PATH = "/api/v1/ws/demo"


class Closed(Exception):
    """The server closed; `code` is the close frame's, or None when there was none."""

    def __init__(self, code, reason=""):
        super().__init__(f"closed with {code} {reason}")
        self.code = code


class Refused(Exception):
    """The handshake was answered with something other than 101."""

    def __init__(self, head, body):
        super().__init__(head.split("\r\n")[0] + " " + body[:200])
        self.status = int(head.split(" ")[1])
        self.head = head
        self.body = body


def handshake(host, port, path=PATH, **fields):
    """The text of an opening request; a field given as None is left out, as a list repeated."""
    lines = {"Host": f"{host}:{port}", "Upgrade": "websocket", "Connection": "Upgrade",
             "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(), "Sec-WebSocket-Version": "13"}
    for name, value in fields.items():
        lines[name.replace("_", "-")] = value
    text = f"GET {path} HTTP/1.1\r\n"
    for name, value in lines.items():
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            text += f"{name}: {one}\r\n"
    return (text + "\r\n").encode()


class Raw:
    """A TCP connection that reads until it has what it wants."""

    def __init__(self, host, port, seconds=30, receive_buffer=None):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(seconds)
        self.socket.connect((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.held = b""

    def send(self, data):
        self.socket.sendall(data)

    def more(self):
        piece = self.socket.recv(1 << 16)
        if not piece:
            raise Closed(None, "without a close frame")
        self.held += piece

    def take(self, count):
        while len(self.held) < count:
            self.more()
        taken, self.held = self.held[:count], self.held[count:]
        return taken

    def until(self, mark):
        while mark not in self.held:
            self.more()
        taken, self.held = self.held.split(mark, 1)
        return taken

    def all(self):
        try:
            while True:
                self.more()
        except (Closed, ConnectionError):
            taken, self.held = self.held, b""
            return taken

    def close(self):
        self.socket.close()


def http(host, port, text, seconds=30):
    """Sends a request as it is; (status, head, body) of the answer."""
    raw = Raw(host, port, seconds)
    try:
        raw.send(text if isinstance(text, bytes) else text.encode())
        head = raw.until(b"\r\n\r\n").decode()
        size = next((int(line.split(":")[1]) for line in head.split("\r\n") if line.lower().startswith("content-length")), 0)
        body = raw.take(size).decode() if not (isinstance(text, str) and text.startswith("HEAD")) else ""
        return int(head.split(" ")[1]), head, body
    finally:
        raw.close()


def get(host, port, path, **fields):
    lines = {"Host": f"{host}:{port}", "Connection": "close"} | {name.replace("_", "-"): value for name, value in fields.items()}
    return http(host, port, f"GET {path} HTTP/1.1\r\n" + "".join(f"{n}: {v}\r\n" for n, v in lines.items()) + "\r\n")


class Client:
    def __init__(self, host, port, path=PATH, seconds=60, greet=True, receive_buffer=None, **fields):
        self.raw = Raw(host, port, seconds, receive_buffer)
        self.raw.send(handshake(host, port, path, **fields))
        head = self.raw.until(b"\r\n\r\n").decode()
        if head.split(" ")[1] != "101":
            size = next((int(l.split(":")[1]) for l in head.split("\r\n") if l.lower().startswith("content-length")), 0)
            body = self.raw.take(size).decode()
            self.raw.close()
            raise Refused(head, body)
        self.head = head
        self.deadline = None
        self.hello = self.receive() if greet else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.raw.close()

    def frame(self, opcode, payload=b"", fin=True, masked=True, reserved=0, declare=None):
        """One frame with every bit as told; `declare` lies about the length."""
        size = len(payload) if declare is None else declare
        head = bytes([(0x80 if fin else 0) | reserved << 4 | opcode])
        bit = 0x80 if masked else 0
        if size < 126:
            head += bytes([bit | size])
        elif size < 1 << 16:
            head += bytes([bit | 126]) + struct.pack(">H", size)
        else:
            head += bytes([bit | 127]) + struct.pack(">Q", size)
        if masked:
            mask = os.urandom(4)
            whole = (int.from_bytes(payload, "little")
                     ^ int.from_bytes((mask * (len(payload) // 4 + 1))[:len(payload)], "little"))
            payload = mask + whole.to_bytes(len(payload), "little")
        self.raw.send(head + payload)

    def text(self, text):
        self.frame(1, text if isinstance(text, bytes) else text.encode())

    def send(self, message=None, **fields):
        self.text(json.dumps(message if message is not None else fields))

    def message(self):
        """The next whole message as bytes; pings are answered, a close frame raises Closed."""
        whole = b""
        while True:
            first, second = self.raw.take(2)
            size = second & 0x7F
            if size == 126:
                size = struct.unpack(">H", self.raw.take(2))[0]
            elif size == 127:
                size = struct.unpack(">Q", self.raw.take(8))[0]
            payload = self.raw.take(size)
            opcode = first & 15
            if opcode == 8:
                code = struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None
                raise Closed(code, payload[2:].decode(errors="replace"))
            if opcode == 9:
                self.frame(10, payload)
            elif opcode != 10:
                whole += payload
                if first & 0x80:
                    return whole
            if self.deadline is not None and time.monotonic() > self.deadline:
                raise TimeoutError("nothing but pings")

    def receive(self, seconds=None):
        if seconds is not None:
            self.raw.socket.settimeout(seconds)
        self.deadline = None if seconds is None else time.monotonic() + seconds
        return json.loads(self.message())

    def wait(self, *types, seconds=60):
        """The next message of one of `types`; others on the way are kept in `passed`."""
        self.passed = []
        end = time.monotonic() + seconds
        while True:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError(f"no {types} within {seconds} s; passed {[m['type'] for m in self.passed]}")
            message = self.receive(left)
            if message["type"] in types:
                return message
            self.passed.append(message)

    def ask(self, message=None, **fields):
        self.send(message, **fields)
        return self.receive()

    def run(self, code, language="python", seconds=60, **fields):
        """Runs to the end; the `result` object, with `outputs` of the stream by name."""
        self.send({"type": "execute_code", "language": language, "code": code} | fields)
        answer = self.wait("execution_result", "error", seconds=seconds)
        if answer["type"] == "error":
            raise AssertionError(answer)
        result = answer["result"]
        result["events"] = self.passed
        return result
