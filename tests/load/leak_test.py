"""Many runs of every kind, and then a look at what is left: descriptors, groups, mounts, processes and files
are as many as after the first few, and memory grows by no more than OFFSET and SLOPE say: by next to nothing a
run where the runs are many (load:long)."""
import os
import random
import threading
import time
import unittest

import cases
import holdings
import mixture
import service
import wire

RUNS = int(os.environ.get("CLOISTER_LOAD_RUNS", "1000")) // 2  # of each test
FIRST = 200          # runs after which everything that is kept for good is there
LOOPS = 4
# Of every so many runs one is of the rarer kinds, which end otherwise or take longer.
RARE = 4
# KiB of growth a run, of one process; beside it a little that does not depend on their number.
SLOPE = {"front": 2.0, "keeper": 2.0}
OFFSET = {"front": 2048, "keeper": 1024}
# Kept programs differ in size, so their number may differ a little; each is a mount.
KEPT_DIFFER = 4
# Descriptors and mounts by which boxes that stand ready differ: a warm one holds its pipes, a compiler's one its
# files; one that is not ready yet has neither its counters open nor its mounts held, of which each root has its own
# (the smallest a dozen, Java's some forty more).
READY_DIFFER = {"descriptors": 60, "mounts": 110}
MOST_SECONDS = 650


class Loop(threading.Thread):
    """One client after the other, each with some runs; every answer is looked at."""

    def __init__(self, daemon, seed, languages, numbers):
        super().__init__(daemon=True)
        self.daemon_under_test = daemon
        self.numbers = numbers
        self.random = random.Random(seed)
        self.often = [program for program in mixture.hellos("often").values() if program.language in languages]
        self.weights = [{"python": 8, "c": 8, "java": 1}.get(program.language, 2) for program in self.often]
        self.rare = [program for program in mixture.endings() if program.language in languages]
        self.client = None
        self.mistakes = []
        self.error = None

    def run(self):
        try:
            for count, number in enumerate(self.numbers):
                if count % 10 == 0:
                    self.connect()
                self.one(self.choose(number), f"n{number}")
                if self.mistakes:
                    break
        except Exception as error:  # noqa: BLE001 - shown by the test
            self.error = error
        finally:
            if self.client is not None:
                self.client.close()

    def connect(self):
        if self.client is not None:
            self.client.close()
        self.client = wire.Client(self.daemon_under_test.host, self.daemon_under_test.port)

    def choose(self, number):
        if self.random.randrange(RARE) == 0:
            program = self.rare[self.random.randrange(len(self.rare))]
        else:
            program = self.random.choices(self.often, self.weights)[0]
        if program.name == "c" and self.random.randrange(4) == 0:  # not compiled before
            return mixture.large_c(f"number {number:08}")
        return program

    def one(self, program, name):
        self.client.send(program.request(name))
        if program.cancel or program.leave:
            begun = "execution_stage" if program.language == "c" else "execution_output"
            answer = self.client.wait(begun, "execution_result", "error")
            if program.leave and answer["type"] == begun:
                return self.connect()
            if answer["type"] == begun:
                self.client.send(type="execution_cancel", id=name)
                answer = self.client.wait("execution_result", "error")
                if program.language == "c" and answer["type"] == "error":  # it was faster
                    answer = self.client.wait("execution_result")
            if program.language == "c" and answer.get("result", {}).get("verdict") == "ok":
                return self.settle()
        else:
            answer = self.client.wait("execution_result", "error")
        mistake = program.mistake(answer, name)
        if mistake:
            self.mistakes.append(mistake)

    def settle(self):
        """A cancel that came too late is answered; nothing of that is left for the next run."""
        self.client.send(type="ping")
        self.client.wait("pong")


class Leak(cases.Case):
    def drive(self, daemon, numbers):
        languages = {name for name, version in cases.versions().items() if version}
        loops = [Loop(daemon, seed, languages, numbers[seed::LOOPS]) for seed in range(LOOPS)]
        begin = time.monotonic()
        for loop in loops:
            loop.start()
        for loop in loops:
            loop.join(max(1, MOST_SECONDS * service.SLOW - (time.monotonic() - begin)))
            self.assertFalse(loop.is_alive(), "the runs take too long")
        self.assertEqual([loop.error for loop in loops if loop.error], [])
        self.assertEqual([mistake for loop in loops for mistake in loop.mistakes], [])
        return time.monotonic() - begin

    def measure(self, config):
        """What the daemon holds after FIRST runs, and after as many again as RUNS."""
        runs = FIRST + RUNS
        # So few programs are kept that keeping and dropping them are both common.
        daemon = service.Daemon({"boxes": LOOPS, "artifact_cache": 8 << 20} | config)
        self.addCleanup(daemon.stop)
        self.drive(daemon, range(FIRST))
        first = holdings.at_rest(daemon)
        seconds = self.drive(daemon, range(FIRST, runs))
        last = holdings.at_rest(daemon)
        print(f"\n{runs - FIRST} runs in {seconds:.1f} s, {(runs - FIRST) / seconds:.0f} a second"
              f"\nafter {FIRST}: {first.row()}\nafter {runs}: {last.row()}")
        for name, slope in SLOPE.items():
            bound = slope * (runs - FIRST) + OFFSET[name]
            for kind in ("Rss", "Pss"):
                growth = last.memory[name][kind] - first.memory[name][kind]
                self.assertLess(growth, bound, f"{name} {kind}")
        self.assertTrue(daemon.process.poll() is None)
        return first, last

    def test_nothing_is_left_when_nothing_is_made_ahead(self):
        first, last = self.measure({"prepared_boxes": 0})
        for name in ("front", "keeper"):
            self.assertEqual(last.descriptors[name], first.descriptors[name], name)
        self.assertEqual({name for names in last.boxes.values() for name in names}, {"keeper"})
        self.assertEqual((last.processes, last.files), (first.processes, first.files))
        self.assertEqual(last.processes, 1)  # the front
        self.assertLessEqual(abs(last.mounts - first.mounts), KEPT_DIFFER)

    def test_nothing_is_left_but_what_stands_ready(self):
        ready = 3
        first, last = self.measure({"prepared_boxes": ready, "warm_boxes": 1})
        self.assertEqual(last.descriptors["front"], first.descriptors["front"])
        of_boxes = [{name for name in names if name != "keeper"} for names in last.boxes.values()]
        for boxes in of_boxes:
            self.assertEqual(boxes, of_boxes[0])
            self.assertLessEqual(len(boxes), ready)
        self.assertLessEqual(last.processes, 1 + 3 * ready)  # init, interpreter and stager of each
        self.assertEqual(last.files, first.files)
        for what, now, then in (("descriptors", sum(last.descriptors["keeper"].values()), sum(first.descriptors["keeper"].values())),
                                ("mounts", last.mounts, first.mounts)):
            self.assertLessEqual(abs(now - then), READY_DIFFER[what], f"{what}: {first.descriptors} {last.descriptors}")


if __name__ == "__main__":
    unittest.main()
