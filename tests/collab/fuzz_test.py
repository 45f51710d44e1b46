"""The fuzzer of fuzz.mjs in the form for continuous integration. CLOISTER_COLLAB_SEED repeats a plan."""
import os
import random
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

import service

HERE = Path(__file__).resolve().parent


def fuzz(seconds, *more):
    """(exit status, what it printed)."""
    command = ["node", HERE / "fuzz.mjs", "--build", service.build_directory(), "--seconds", seconds, *more]
    process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True)
    try:
        text, _ = process.communicate(timeout=60 + seconds + 60 * service.SLOW)
    except BaseException:
        process.send_signal(signal.SIGTERM)  # it takes its daemon along
        process.communicate()
        raise
    return process.returncode, text


class Fuzz(unittest.TestCase):
    def check(self, seconds, *more):
        status, text = fuzz(seconds, "--save", service.build_directory() / "logs", *more)
        print(text, flush=True)
        self.assertEqual(status, 0, text)

    def test_everybody_ends_with_one_text(self):
        self.check(15, "--seed", os.environ.get("CLOISTER_COLLAB_SEED") or random.randrange(1 << 31), "--kills", 2)

    def test_twenty_clients_with_a_plan_that_is_always_the_same(self):
        self.check(8, "--seed", 4, "--clients", 17, "--bases", 3, "--kills", 1)

    def test_an_update_that_was_garbled_on_its_way_is_found(self):
        with tempfile.TemporaryDirectory(prefix="cloister-collab-") as folder:
            status, text = fuzz(5, "--seed", 1, "--kills", 0, "--save", folder, "--sabotage")
            self.assertEqual(status, 1, text)
            self.assertIn("differs at version", text)
            self.assertTrue((Path(folder) / "collab-failed-1.json").exists())
