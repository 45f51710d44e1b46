"""The TypeScript client of clients/typescript, by node (typescript.mjs)."""
import subprocess
import tempfile
import unittest
from pathlib import Path

import service

HERE = Path(__file__).resolve().parent
TOKEN = "a-token-of-some-length-0123456789"
HELD = 8  # lines that typescript.mjs prints


class TypeScript(unittest.TestCase):
    def check(self, daemon, *more):
        done = subprocess.run(["node", str(HERE / "typescript.mjs"), f"http://{daemon.host}:{daemon.port}", *more],
                              timeout=80, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True)
        self.assertEqual((done.returncode, done.stdout.count("held: ")), (0, HELD), done.stdout)

    def test_everything_that_it_promises(self):
        self.check(service.shared())

    def test_with_a_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            daemon = service.Daemon({"token_file": file.name})
        self.addCleanup(daemon.stop)
        self.check(daemon, TOKEN)
