"""The Model Context Protocol by the client that agents have: its public TypeScript SDK, from npm (mcp.mjs)."""
import subprocess
import tempfile
import unittest
from pathlib import Path

import service

HERE = Path(__file__).resolve().parent
TOKEN = "a-token-of-some-length-0123456789"
HELD = 7  # lines that mcp.mjs prints


def drive(daemon, *more):
    """What it printed, or why it failed."""
    done = subprocess.run(["node", str(HERE / "mcp.mjs"), f"http://{daemon.host}:{daemon.port}", *more], timeout=80,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


class Sdk(unittest.TestCase):
    def check(self, daemon, *more):
        status, text = drive(daemon, *more)
        self.assertEqual((status, text.count("held: ")), (0, HELD), text)

    def test_everything_that_an_agent_does(self):
        self.check(service.shared())

    def test_with_a_token(self):
        with tempfile.NamedTemporaryFile("w", suffix=".token") as file:
            file.write(TOKEN + "\n")
            file.flush()
            daemon = service.Daemon({"token_file": file.name})
        self.addCleanup(daemon.stop)
        status, text = drive(daemon)
        self.assertEqual(status, 1)
        self.assertIn("401", text)
        self.check(daemon, TOKEN)
