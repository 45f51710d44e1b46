"""The same programs under every executor: what each result must say, and that the executors agree, field by field."""
import concurrent.futures
import unittest

import engine
import programs
import service
import wire

# Fields that must be the same wherever a program ran; times and peaks are the host's.
SAME = ("success", "verdict", "exit_code", "signal", "language", "reason", "output_encoding", "files")
# What a result has beside the native one's fields.
LACKS = ["memory_tree", "processor_share", "user_identity"]  # docs/executors.md
MORE = {"local": {"unprotected": LACKS}, "fence": {"unprotected": [*LACKS, "written_programs", "file_total", "host_view"]}}
# The executor's name, where it is not the column's.
NAMES = {"fence": "local"}
# Where a verdict may be another one than the native one's, and why; and what differs with it.
OTHERWISE = {
    # Nobody counts what the kernel refuses there: a run that fails at once at its limit of processes was not seen at it.
    ("local", "multiplies"): (("process_limit", "nonzero_exit", "signalled"), ("verdict", "reason", "error")),
    # The kernel counts a user's processes, not a run's: a run that has too many is ended, instead of being refused one;
    # and here, too, one that ends by itself between two looks was not seen.
    ("fence", "multiplies"): (("process_limit", "nonzero_exit", "signalled"), ("verdict", "exit_code", "signal", "reason", "error")),
}
AT_ONCE = 4


def done(method, language, deed):
    codes, fields, _ = programs.DEEDS[deed]
    daemon = engine.daemons[method]
    client = wire.Client(daemon.host, daemon.port)
    try:
        return client.run(codes[language], language, seconds=120 * service.SLOW, **fields)
    finally:
        client.close()


class Table(unittest.TestCase):
    def check_language(self, language):
        deeds = [name for name, (codes, _, _) in programs.DEEDS.items() if language in codes]
        for method in engine.METHODS:
            engine.shared(method)
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            results = {method: dict(zip(deeds, pool.map(lambda deed, m=method: done(m, language, deed), deeds)))
                       for method in engine.METHODS}
        for deed in deeds:
            _, _, expected = programs.DEEDS[deed]
            first = results["native"][deed]
            for method in engine.METHODS:
                with self.subTest(deed=deed, method=method):
                    self.check_result(results[method][deed], first, expected, method, *OTHERWISE.get((method, deed), ((), ())))

    def check_result(self, result, first, expected, method, verdicts, free):
        self.assertEqual(result["method"], NAMES.get(method, method))
        self.assertIn(result["verdict"], verdicts or (first["verdict"],))
        expected = {key: value for key, value in expected.items() if key not in free}
        same = [key for key in SAME if key not in free]
        self.assertEqual({key: result.get(key) for key in expected}, expected, result.get("error", "")[-500:])
        self.assertEqual({key: result.get(key) for key in same}, {key: first.get(key) for key in same})
        if "error" not in free:
            self.assertEqual(bool(result["error"]), bool(first["error"]), (result["error"], first["error"]))
        self.assertEqual({key: count > 0 for key, count in result["truncated"].items()},
                         {key: count > 0 for key, count in first["truncated"].items()})
        self.assertEqual("compile" in result, "compile" in first)
        if "compile" in result:
            self.assertEqual(result["compile"]["success"], first["compile"]["success"])
            self.assertEqual(result["compile"]["error"], first["compile"]["error"])
        if result["verdict"] != "compile_error":
            self.assertGreater(result["wall_time"], 0)
            self.assertGreater(result["memory_peak"], 0)
            self.assertEqual(set(result) - set(MORE.get(method, {})) - set(free), set(first) - set(free))
        for key, value in MORE.get(method, {}).items():
            self.assertEqual(result[key], value)


def add(language):
    setattr(Table, f"test_{language}", lambda self: self.check_language(language))


for one in programs.LANGUAGES:
    add(one)
