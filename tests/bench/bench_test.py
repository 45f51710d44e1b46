"""The parts of the bench that compute and draw, without measuring anything."""
import io
import sys
import tarfile
import tempfile
import unittest
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent))
import bench
import clocks
import contenders
import engine
import judging
import levels
import plot
import report
import sockets
import throughput
from picture import picture


def boxes():
    """Each contender's runs take 1, 2 … 20 times its own milliseconds; in two loops it does what fits."""
    lines = []
    for name, one in {"posix_spawn": 1, "cloister cold": 4, "bwrap": 5, "runc": 40, "unshare": 3}.items():
        lines += [f"run,{name},{turn},{one * (turn + 1) * 1_000_000}" for turn in range(20)]
        lines += [f"slice,{name},2,{turn},{2000 // one},1000000000" for turn in range(3)]
        lines += [f"run,{name},2,0,{one * 1_000_000}"]
    return report.Boxes("\n".join(lines))


def sample(language="python", level="cold", start="cold", cached=False, seconds=0.015, turn=0):
    return levels.Sample(language, level, turn, seconds, start, cached, 0.01, 0.002, 0.3)


def slices():
    return [throughput.Slice(program, daemon, connections, 0, 100.0 * connections, [0.01, 0.02],
                             Counter(warm=3, cold=1), 4)
            for program in throughput.PROGRAMS for daemon in throughput.DAEMONS.values()
            for connections in throughput.CONNECTIONS]


class Numbers(unittest.TestCase):
    def test_a_percentile_is_one_of_the_values(self):
        self.assertEqual(report.percentile(range(1, 101), 0.95), 95)
        self.assertEqual(report.percentile(range(1, 21), 0.95), 19)
        self.assertEqual(report.percentile([7], 0.95), 7)
        self.assertEqual(report.percentile([3, 1, 2], 0), 1)
        self.assertEqual(report.percentile([3, 1, 2], 1), 3)

    def test_the_median_is_in_the_middle(self):
        self.assertEqual(report.median([3, 1, 2]), 2)
        self.assertEqual(report.median([4, 1, 2, 3]), 2.5)

    def test_times_have_three_figures(self):
        self.assertEqual([report.milliseconds(value) for value in (0.00072, 0.0149, 0.383, 1.2345)],
                         ["0.72", "14.9", "383", "1234"])


class Tables(unittest.TestCase):
    def test_cells_line_up(self):
        lines = report.table(["name", "ms"], [["a", "1.00"], ["long name", "10"]]).splitlines()
        self.assertEqual(len({len(line) for line in lines}), 1)
        self.assertEqual(lines[1], "|-----------|-----:|")

    def test_boxes_are_sorted_by_their_median(self):
        rows = [line.split("|")[1].strip() for line in boxes().table().splitlines()[2:]]
        self.assertEqual(rows, ["posix_spawn", "unshare", "**cloister cold**", "bwrap", "runc"])

    def test_the_best_peer_is_a_sandbox_of_others(self):
        self.assertEqual(boxes().best_peer(), "bwrap")
        self.assertEqual(boxes().most_at(2), (400.0, "bwrap"))
        self.assertIsNone(boxes().most_at(64))

    def test_ratios_are_of_medians_and_rates(self):
        text = report.ratios(boxes(), slices())
        self.assertIn("median, cloister cold / posix_spawn: 4.00", text)
        self.assertIn("median, best peer (bwrap) / cloister cold: 1.25", text)
        self.assertIn("runs per second in 2 loops, cloister cold / best peer (bwrap): 1.25", text)
        self.assertIn("(bwrap): 0.50", text.splitlines()[-1])

    def test_ratios_of_what_was_not_measured_are_absent(self):
        self.assertEqual(report.ratios(report.Boxes(""), []), "")

    def test_what_was_not_measured_is_a_dash(self):
        row = report.hello_matrix([sample()]).splitlines()[-1].split("|")
        self.assertEqual([cell.strip() for cell in row[1:-1]], ["python", "15.0", "–", "–", "–"])

    def test_the_throughput_table_says_which_boxes_they_were(self):
        self.assertIn("compiled before 100 %, warm 75 %, cold 25 %", report.throughput_table(slices()))

    def test_the_same_reason_is_given_once(self):
        text = report.left_out({"crun": "why", ("c", "warm"): "cold", ("go", "warm"): "cold"})
        self.assertEqual(text, "- crun: why\n- warm, in c, go: cold")
        self.assertEqual(report.left_out({}), "- nobody")

    def test_every_time_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write_times(Path(folder), boxes(), levels.Hello([sample()], engine={"java": [2.5]}), slices())
            self.assertIn("java,0,2500000000\n", (Path(folder) / "docker.csv").read_text())
            self.assertEqual(len((Path(folder) / "boxes.csv").read_text().splitlines()), 1 + 5 * 21)
            self.assertIn("python,cold,0,15000000,cold,0,", (Path(folder) / "hello.csv").read_text())
            self.assertIn(',1,0,10000000\n', (Path(folder) / "throughput.csv").read_text())


def messages():
    """Each server takes its own microseconds, ten times that at the worst."""
    results = sockets.Results()
    for place, name in enumerate((sockets.OURS, *sockets.PEERS)):
        for count in (1, 1000):
            for in_flight in (1, sockets.IN_FLIGHT):
                trips = results.trips.setdefault((name, count, in_flight), sockets.Trips())
                for slower in (1, 2, 3):
                    trips.add(100, 1_000_000_000, 1000 * slower * (place + 1), 10_000 * slower * (place + 1))
        results.memory[name] = 8192 * (place + 1)
    results.rooms[sockets.OURS, 100] = results.trips[sockets.OURS, 1, 1]
    results.authority = [("1,000 units", 3.5, 285_044)]
    return results


class Messages(unittest.TestCase):
    def test_a_row_is_a_server(self):
        rows = [[cell.strip() for cell in row.split("|")[1:-1]]
                for row in report.messages_table(messages()).splitlines()[2:]]
        self.assertEqual(rows[0], [sockets.OURS, "2.0 / 20.0", "2.0 / 20.0", "100", "8.0"])
        self.assertEqual([row[0] for row in rows], [sockets.OURS, *sockets.PEERS])

    def test_what_was_not_measured_is_a_dash_or_absent(self):
        results = messages()
        del results.trips[sockets.OURS, 1000, 1], results.memory[sockets.OURS]
        row = report.messages_table(results).splitlines()[2].split("|")
        self.assertEqual([row[3].strip(), row[5].strip()], ["–", "–"])
        nothing = sockets.Results()
        self.assertEqual([report.messages_table(nothing), report.rooms_table(nothing), report.authority_table(nothing)],
                         ["", "", ""])

    def test_rooms_have_a_column_for_each_size(self):
        self.assertIn("100 members", report.rooms_table(messages()).splitlines()[0])

    def test_every_slice_is_written(self):
        with tempfile.TemporaryDirectory() as folder:
            report.write_slices(Path(folder), messages())
            lines = (Path(folder) / "sockets.csv").read_text().splitlines()
        self.assertEqual(len(lines), 1 + 3 * (3 * 4 + 1))
        self.assertIn("round trip,cloister,1,1,0,1000,10000,100", lines)


class Judging(unittest.TestCase):
    def test_a_row_is_a_program_and_what_judging_adds(self):
        slices = [judging.Slice("C", kind, number, 100, seconds) for number, (ours, beside) in enumerate([(1.1, 1.0), (2.2, 2.0), (1.0, 1.0)])
                  for kind, seconds in (("judged", ours), ("bare", beside))]
        text = report.judging_table(slices, 2)
        self.assertIn("| C ", text)
        self.assertIn("+10 %", text)
        self.assertIn(" 45 ", text)
        self.assertEqual(report.judging_table([], 2), "")

    def test_tests_are_right_by_their_own_expectation(self):
        for test in judging.tests_of(5):
            self.assertEqual(sum(map(int, test["stdin"].split())), int(test["expected"]))


class Clocks(unittest.TestCase):
    def test_the_most_in_a_window_is_of_the_busiest_half_second(self):
        # A tenth of a processor for a second, all of one for half a second, then nothing.
        lines = [(at / 100, at / 1000) for at in range(101)]
        lines += [(1 + at / 100, 0.1 + at / 100) for at in range(1, 51)]
        lines += [(1.5 + at / 100, 0.6) for at in range(1, 101)]
        self.assertAlmostEqual(clocks.most_in_a_window(lines), 1, delta=0.02)
        self.assertAlmostEqual(clocks.most_in_a_window(lines[:101]), 0.1, delta=0.01)

    def test_a_program_that_ended_too_soon_says_nothing_of_a_window(self):
        self.assertEqual(clocks.most_in_a_window([(0, 0), (0.1, 0.1)]), 0)

    def test_an_unexpected_end_is_named(self):
        with self.assertRaisesRegex(RuntimeError, "nonzero_exit in place of wall_limit: no"):
            clocks.expect({"verdict": "nonzero_exit", "error": "no", "output": ""}, "wall_limit")

    def test_both_machines_stand_below_each_other(self):
        text = report.clocks_table([clocks.Clock(what, busy, [0.001, 0.003, 0.002]) for busy in (False, True)
                                    for what in report.CLOCKS])
        rows = text.splitlines()[2:]
        self.assertEqual(len(rows), 2 * len(report.CLOCKS))
        for idle, busy in zip(rows[::2], rows[1::2]):
            self.assertEqual(idle.replace(", idle", ", busy"), busy)
        self.assertIn("2.00 |  3.00 |    3 |", next(row for row in rows if row.startswith("| wall limit")))


class Levels(unittest.TestCase):
    def test_a_level_is_what_the_daemon_says(self):
        good = [("cold", "cold", False, "c"), ("prepared", "prepared", False, "c"), ("warm", "warm", False, "python"),
                ("warm", "prepared", False, "go"), ("cached", "prepared", True, "c")]
        bad = [("cold", "prepared", False, "c"), ("prepared", "cold", False, "c"), ("prepared", "warm", False, "java"),
               ("warm", "prepared", False, "python"), ("warm", "warm", True, "java"), ("cached", "warm", False, "java")]
        for level, start, cached, language in good:
            self.assertTrue(levels.shows_level(level, sample(language, level, start, cached)), (level, start))
        for level, start, cached, language in bad:
            self.assertFalse(levels.shows_level(level, sample(language, level, start, cached)), (level, start))

    def test_only_the_cached_source_is_the_same_again(self):
        self.assertNotEqual(levels.message("c", "warm 1")["code"], levels.message("c", "warm 2")["code"])
        self.assertTrue(levels.message("python", "warm 1")["code"].endswith("# warm 1\n"))


class Frames(unittest.TestCase):
    def test_a_frame_comes_whole_or_not_at_all(self):
        for size in (5, 125, 126, 60_000, 70_000):
            payload = b"x" * size
            head = bytes([0x81]) + (bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
                                    if size < 65536 else b"\x7f" + size.to_bytes(8, "big"))
            whole = head + payload
            for part in (0, 1, len(head), len(whole) - 1):
                self.assertEqual(throughput.take_frame(whole[:part]), (None, whole[:part]))
            self.assertEqual(throughput.take_frame(whole + b"more"), (payload, b"more"))

    def test_what_is_sent_is_masked_text(self):
        frame = throughput.frame_of({"type": "ping"})
        self.assertEqual((frame[0], frame[1] & 0x80, frame[2:6]), (0x81, 0x80, bytes(4)))
        self.assertEqual(frame[6:], b'{"type": "ping"}')


class Contenders(unittest.TestCase):
    def test_floors_and_ours_are_no_peers(self):
        names = ["posix_spawn", "unshare", "cloister cold", "cloister prepared", "bwrap", "docker run"]
        self.assertEqual([name for name in names if contenders.is_peer(name)], ["bwrap", "docker run"])

    def test_one_that_fails_is_left_out_with_its_own_words(self):
        peers = {"sh": lambda _: "sh {loop}/nowhere", "true": lambda _: "true {loop} ; true",
                 "never-installed": lambda _: "x"}
        with mock.patch.object(contenders, "PEERS", peers), tempfile.TemporaryDirectory() as work:
            with contenders.Contenders(work) as found:
                self.assertEqual(found.commands, {"true": "true {loop} ; true"})
                self.assertEqual(found.left_out["never-installed"], "not installed")
                self.assertIn("0/nowhere", found.left_out["sh"])


class Engines(unittest.TestCase):
    def test_the_image_is_links_and_empty_folders(self):
        with tarfile.open(fileobj=io.BytesIO(engine.root())) as tar:
            kinds = {entry.name: entry.type for entry in tar}
        self.assertEqual({name for name, kind in kinds.items() if kind == tarfile.SYMTYPE}, set(engine.LINKS))
        self.assertEqual(set(kinds.values()), {tarfile.SYMTYPE, tarfile.DIRTYPE})

    def test_a_container_has_our_limits_and_writes_nothing_of_the_host(self):
        words = engine.command(["/usr/bin/python3", "/src/main.py"], ["/etc/java"], "/somewhere")
        self.assertLess(words.index("--network"), words.index(engine.IMAGE, words.index("/somewhere:/src:ro")))
        for option, value in (("--network", "none"), ("--memory", "128m"), ("--cpus", "0.5"), ("--pids-limit", "64"),
                              ("--cap-drop", "ALL")):
            self.assertEqual(words[words.index(option) + 1], value)
        self.assertTrue(all(words[at + 1].endswith(":ro") for at, word in enumerate(words) if word == "-v"))

    def test_ratios_are_to_the_levels_that_were_measured(self):
        samples = [sample("java", "warm", "warm", seconds=0.04), sample("java", "cached", "warm", True, 0.01)]
        rows = report.engine_table(levels.Hello(samples, engine={"java": [2.0, 2.0, 3.0]})).splitlines()
        self.assertEqual([cell.strip() for cell in rows[2].split("|")[1:-1]],
                         ["java", "2000", "2000", "3000", "3", "–", "50", "200"])
        self.assertEqual(report.engine_table(levels.Hello()), "")

    def test_without_an_engine_it_is_left_out(self):
        def refuse(*_, **__):
            raise engine.LeftOut("no")
        with mock.patch.object(engine, "docker", refuse), tempfile.TemporaryDirectory() as work:
            with engine.Engine(work, {"python": ("main.py", "")}) as found:
                self.assertEqual(found.commands, {})
                self.assertEqual(len(found.left_out), 1)


class Picture(unittest.TestCase):
    def test_an_axis_holds_its_values_between_round_ends(self):
        self.assertEqual(plot.scale(0.7, 380), (0.5, 500))
        self.assertEqual(plot.scale(1, 1), (0.5, 1))
        for low, high in ((0.001, 0.002), (3, 40_000), (1.24, 1.25)):
            first, last = plot.scale(low, high)
            self.assertTrue(first < low and last >= high, (low, high))

    def test_a_long_axis_has_powers_of_ten_only(self):
        self.assertEqual(plot.ticks(1, 10), [1, 2, 5, 10])
        self.assertEqual(plot.ticks(0.5, 5000), [1, 10, 100, 1000])

    def test_equal_ratios_are_equal_lengths(self):
        self.assertAlmostEqual(plot.position(10, 1, 100, 300), 150)
        self.assertEqual(plot.position(0.1, 1, 100, 300), 0)
        self.assertEqual(plot.position(1000, 1, 100, 300), 300)

    def test_the_picture_is_xml_with_a_bar_for_each_number(self):
        samples = [sample(), sample("c", "cached", "prepared", True)]
        root = xml.fromstring(picture(boxes(), samples, slices(), "a <machine> & more"))
        kinds = Counter(one.get("class") for one in root.iter("{http://www.w3.org/2000/svg}rect"))
        self.assertEqual(kinds, Counter(ours=2 + 8, floor=4, peer=4, cold=1, cached=1, ground=1))

    def test_nothing_measured_is_an_empty_picture(self):
        xml.fromstring(picture(report.Boxes(""), [], [], "nothing"))


class Publishing(unittest.TestCase):
    def test_only_what_stands_between_the_marks_is_replaced(self):
        begin, end = "<!-- n: written by ./dev bench --publish -->", "<!-- n: end -->"
        self.assertEqual(bench.part_between(f"a\n{begin}\nold\n{end}\nb\n", "n", r"new \1"),
                         f"a\n{begin}\nnew \\1\n{end}\nb\n")
        with self.assertRaises(SystemExit):
            bench.part_between("no marks", "n", "new")

    def test_both_readmes_have_a_place_for_numbers(self):
        for name in ("README.md", "tests/bench/README.md"):
            bench.part_between((Path(__file__).parents[2] / name).read_text(), "numbers", "x")


if __name__ == "__main__":
    unittest.main()
