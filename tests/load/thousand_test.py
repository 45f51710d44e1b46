"""A thousand runs asked for at once, by fifty clients: each is answered once and rightly, nobody is served
before others without reason, and the daemon holds no more afterwards than before."""
import random
import selectors
import statistics
import threading
import time
import unittest

import cases
import holdings
import mixture
import service

CLIENTS, EACH, BOXES = 50, 20, 8
# What each client asks for; the two slow ones once, in its own order.
SHARES = {"python": 8, "c": 5, "javascript": 2, "cpp": 2, "go": 2, "java": 1}
# Fairness is told by the order of all answers, which does not depend on how busy the machine is: the median place
# of the last client's answers over that of the first one's.
SPREAD = 1.3
# By how many a client may be behind the others when half of all is done.
BEHIND = 2
# A client that asks for one run in the midst waits for each other's next turn, and for the boxes under way.
ROUNDS = 1.5
# Growth in KiB while a thousand runs wait: sources, queues, fifty connections and what the allocator keeps.
GROWTH_DURING = {"front": 24 * 1024, "keeper": 6 * 1024}
GROWTH_AFTER = {"front": 12 * 1024, "keeper": 3 * 1024}
SECONDS = 240


class Asker:
    """One of the fifty: its connection, what it asked and what came."""

    def __init__(self, case, daemon, number, languages):
        self.client = case.connect(daemon)
        programs = mixture.hellos(f"client {number}")
        asked = [programs[name] for name, share in SHARES.items() if name in languages for _ in range(share)]
        asked += [programs["python"]] * (EACH - len(asked))
        random.Random(number).shuffle(asked)
        self.asked = {f"{number}-{i}": program for i, program in enumerate(asked)}
        self.places = {}    # name to its place in the order of all answers
        self.seconds = []   # of each answer, since all was asked
        self.mistakes = []

    def ask(self):
        for name, program in self.asked.items():
            self.client.send(program.request(name))

    def take(self, answer, place, now):
        name = answer.get("id")
        if name not in self.asked or name in self.places:
            self.mistakes.append(f"unasked or answered twice: {answer}")
            return
        self.places[name] = place
        self.seconds.append(now)
        mistake = self.asked[name].mistake(answer, name)
        if mistake:
            self.mistakes.append(mistake)


class Plug:
    """Runs that hold every box until all has been asked, so that nobody is first by being heard first."""

    def __init__(self, case, daemon):
        self.clients = [case.connect(daemon) for _ in range(BOXES // 4)]  # each may have four runs under way
        for client in self.clients:
            for number in range(4):
                client.send(type="execute_code", id=str(number), language="python", code=mixture.SLEEP, stream=True)
        for client in self.clients:
            for number in range(4):
                client.wait("execution_started", seconds=20 * service.SLOW)

    def pull(self):
        for client in self.clients:
            client.close()


class Watch(threading.Thread):
    """Looks at the daemon's memory and descriptors all the time; keeps the most of each."""

    def __init__(self, daemon):
        super().__init__(daemon=True)
        self.pids = {"front": daemon.front(), "keeper": daemon.process.pid}
        self.most = {name: {"Rss": 0, "Pss": 0, "descriptors": 0} for name in self.pids}
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            for name, pid in self.pids.items():
                now = holdings.memory(pid) | {"descriptors": len(holdings.links(pid))}
                self.most[name] = {what: max(now[what], most) for what, most in self.most[name].items()}

    def stop(self):
        self.over.set()
        self.join()


class Thousand(cases.Case):
    def gather(self, askers, small, begin):
        """Reads until everybody has everything. Half-way the small client asks; its (answers of others that
        came first, seconds)."""
        selector = selectors.DefaultSelector()
        self.addCleanup(selector.close)
        for asker in askers:
            selector.register(asker.client.raw.socket, selectors.EVENT_READ, asker)
        selector.register(small.raw.socket, selectors.EVENT_READ, None)
        total, done, asked_at, waited = CLIENTS * EACH, 0, None, None
        while done < total or waited is None:
            self.assertLess(time.monotonic() - begin, SECONDS * service.SLOW, f"{done} answers so far")
            if asked_at is None and done >= total // 2:
                asked_at = done, time.monotonic()
                small.send(mixture.python_hello("small").request("small"))
            for key, _ in selector.select(5):
                if key.data is None:
                    answer = small.receive(10)
                    self.assertIsNone(mixture.python_hello("small").mistake(answer, "small"))
                    waited = done - asked_at[0], time.monotonic() - asked_at[1]
                    continue
                more = True
                while more:
                    done += 1
                    key.data.take(key.data.client.receive(10), done, time.monotonic() - begin)
                    more = key.data.client.raw.held  # came with it: select() does not tell of it
        return waited

    def test_a_thousand_at_once_are_answered_once_rightly_and_in_turn(self):
        daemon = service.Daemon({"queue": CLIENTS * EACH, "queue_per_client": EACH, "boxes": BOXES,
                                 "idle_ping": 600})
        self.addCleanup(daemon.stop)
        languages = {name for name, version in cases.versions().items() if version}
        askers = [Asker(self, daemon, number, languages) for number in range(CLIENTS)]
        small = self.connect(daemon)
        # Each language once: what a first run costs the daemon for good is no growth.
        for program in mixture.hellos("first").values():
            if program.language in languages:
                small.send(program.request("first"))
                self.assertIsNone(program.mistake(small.wait("execution_result", "error"), "first"))
        before = holdings.at_rest(daemon)

        watch = Watch(daemon)
        watch.start()
        self.addCleanup(watch.stop)
        plug = Plug(self, daemon)
        senders = [threading.Thread(target=asker.ask) for asker in askers]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        for asker in askers:
            self.assertEqual(asker.client.ask(type="ping")["type"], "pong")
        begin = time.monotonic()
        plug.pull()
        waited, small_seconds = self.gather(askers, small, begin)
        seconds = time.monotonic() - begin
        watch.stop()
        for asker in askers:  # nothing comes after the last answer
            self.assertEqual(asker.client.ask(type="ping")["type"], "pong")
        after = holdings.at_rest(daemon)

        medians = sorted(statistics.median(asker.places.values()) for asker in askers)
        halves = sorted(sum(place <= CLIENTS * EACH / 2 for place in asker.places.values()) for asker in askers)
        ends = sorted(asker.seconds[-1] for asker in askers)
        print(f"\n{CLIENTS * EACH} runs in {seconds:.1f} s; a client's median answer is number {medians[0]:.0f} to "
              f"{medians[-1]:.0f}; half-way each has {halves[0]} to {halves[-1]}; its last comes after {ends[0]:.1f} to "
              f"{ends[-1]:.1f} s; the small client waited {small_seconds:.2f} s, behind {waited} runs")
        print(f"before: {before.row()}\nmost:   {watch.most}\nafter:  {after.row()}")
        mistakes = [mistake for asker in askers for mistake in asker.mistakes]
        self.assertEqual(mistakes, [])
        self.assertEqual([sorted(asker.places) for asker in askers], [sorted(asker.asked) for asker in askers])
        self.assertLess(medians[-1] / medians[0], SPREAD)
        self.assertGreaterEqual(halves[0], EACH / 2 - BEHIND)
        self.assertLess(waited, CLIENTS * ROUNDS)
        for name in ("front", "keeper"):
            begun, most, left = before.memory[name], watch.most[name], after.memory[name]
            for kind in ("Rss", "Pss"):
                self.assertLess(most[kind] - begun[kind], GROWTH_DURING[name] * service.SLOW, f"{name} {kind}")
                self.assertLess(left[kind] - begun[kind], GROWTH_AFTER[name] * service.SLOW, f"{name} {kind}")
        self.assertEqual(after.descriptors["front"], before.descriptors["front"])
        for place, boxes in after.boxes.items():
            self.assertLessEqual(len(boxes), 17, f"{place}: more than what stands ready: {boxes}")


if __name__ == "__main__":
    unittest.main()
