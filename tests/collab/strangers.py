"""Two WebSocket clients that nobody here wrote, behind one face: wscat (npm) and websockets (Debian's
python3-websockets). say() sends a text as it is, wait() gives the next message of a type."""
import asyncio
import json
import os
import queue
import re
import subprocess
import threading
import time
from pathlib import Path

import websockets

HERE = Path(__file__).resolve().parent
SECONDS = 20 * float(os.environ.get("CLOISTER_SLOW", "1"))


class Stranger:
    """What comes in lies in a queue, oldest first; `passed` is what the last wait() went over."""

    def __init__(self):
        self.messages = queue.Queue()
        self.passed = []

    def wait(self, *types, seconds=SECONDS):
        self.passed = []
        end = time.monotonic() + seconds
        while True:
            try:
                message = json.loads(self.messages.get(timeout=max(end - time.monotonic(), 0)))
            except queue.Empty:
                raise AssertionError(f"no {types} within {seconds} s; came: {self.passed}") from None
            if message["type"] in types:
                return message
            self.passed.append(message)
            if message["type"] == "error":
                raise AssertionError(f"in place of {types}: {self.passed}")

    def ask(self, text, *types):
        self.say(text)
        return self.wait(*types)

    def rest(self):
        """What has come and was not waited for: all that the server said before it answers a ping."""
        self.ask('{"type": "ping"}', "pong")
        return self.passed


class Wscat(Stranger):
    """The program at the end of two pipes: a line is a message. It says nothing of being connected there, and
    does not send what comes before, hence the greeting is waited for."""

    def __init__(self, url):
        super().__init__()
        self.process = subprocess.Popen(["node", HERE / "node_modules/wscat/bin/wscat", "--no-color", "--connect", url],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, encoding="utf-8")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        self.hello = self.wait("connection_established")

    def _read(self):
        for line in self.process.stdout:
            # Its prompt and what it echoes stand before and between the messages.
            line = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", line).lstrip("> ").rstrip("\n")
            if line.startswith('{"type":"'):
                self.messages.put(line)

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def close(self):
        if self.process.stdin.closed:
            return
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join(5)
        self.process.stdout.close()


class Websockets(Stranger):
    """The library with its own loop in a thread."""

    def __init__(self, url):
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.socket = self._do(lambda: websockets.connect(url))
        self.reading = asyncio.run_coroutine_threadsafe(self._read(), self.loop)
        self.hello = self.wait("connection_established")

    def _do(self, make):
        """What `make` gives is made and awaited in the loop that it belongs to."""
        async def run():
            return await make()
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(SECONDS)

    async def _read(self):
        async for message in self.socket:
            self.messages.put(message)

    def say(self, text):
        self._do(lambda: self.socket.send(text))

    def close(self):
        if self.loop.is_closed():
            return
        self._do(self.socket.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()
