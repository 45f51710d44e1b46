"""Piston's interface, used by a client that nobody here wrote: npm's piston-client."""
import json
import subprocess

import cases
import service
from strangers import HERE, SECONDS


class PistonClient(cases.Case):
    def test_it_finds_all_that_it_knows(self):
        self.need("c")
        daemon = service.shared()
        done = subprocess.run(["node", HERE / "piston_client.mjs", f"http://{daemon.host}:{daemon.port}"], capture_output=True,
                              text=True, timeout=4 * SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        got = json.loads(done.stdout)
        self.assertEqual(got["direct"], {"message": "requests must be of type application/json"})
        self.assertLessEqual({"python", "c"}, {one["language"] for one in got["runtimes"]})
        self.assertEqual(got["short"]["run"]["output"], "Hello World!\n")
        self.assertEqual(got["short"]["version"], cases.versions()["python"])
        self.assertEqual(got["args"]["run"]["stdout"], "['1', '2', '3']\n")  # the client's own default
        self.assertEqual(got["files"]["run"]["stdout"], "part in\n")
        self.assertEqual((got["compiled"]["compile"]["code"], got["compiled"]["run"]["stdout"]), (0, "42\n"))
        self.assertEqual(got["wrong"]["run"], got["wrong"]["compile"])
        self.assertEqual(got["unknown"], {"message": "cobol-1.x runtime is unknown"})
        self.assertEqual((got["late"]["run"]["signal"], got["late"]["run"]["status"]), ("SIGKILL", "TO"))
