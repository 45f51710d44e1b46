"""What the measured times come to: medians, tables in Markdown, ratios, and files with every single time.
Nothing in here measures, waits or prints."""
import csv
import math
from collections import Counter

import contenders
from levels import COMPILED, HELLO, LEVELS
from throughput import CONNECTIONS, DAEMONS, PROGRAMS


def percentile(values, part):
    """The smallest value that at least `part` (0 to 1) of all values do not exceed."""
    values = sorted(values)
    return values[max(math.ceil(part * len(values)) - 1, 0)]


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def milliseconds(seconds):
    """Three figures, so that columns compare at a glance: 0.72, 14.9, 383."""
    value = seconds * 1000
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def rate(value):
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def table(header, rows):
    """Markdown that is also readable as it stands: the first column left, numbers right. Empty without rows."""
    if not rows:
        return ""
    widths = [max(len(str(row[at])) for row in [header, *rows]) for at in range(len(header))]
    def line(row):
        cells = [f"{str(cell):<{width}}" if at == 0 else f"{str(cell):>{width}}"
                 for at, (cell, width) in enumerate(zip(row, widths))]
        return "| " + " | ".join(cells) + " |"
    rule = "|" + "|".join("-" * (width + 2) if at == 0 else "-" * (width + 1) + ":"
                          for at, width in enumerate(widths)) + "|"
    return "\n".join([line(header), rule, *map(line, rows)])


class Boxes:
    """What box_bench printed."""

    def __init__(self, text):
        self.latency, self.loops, self.slices = {}, {}, {}
        self.rows = []
        for line in text.splitlines():
            kind, name, *numbers = line.split(",")
            numbers = list(map(int, numbers))
            if kind == "run" and len(numbers) == 2:
                self.latency.setdefault(name, []).append(numbers[1] / 1e9)
                self.rows.append((name, "", numbers[0], numbers[1]))
            elif kind == "run":
                self.loops.setdefault((name, numbers[0]), []).append(numbers[2] / 1e9)
                self.rows.append((name, *numbers))
            elif kind == "slice":
                loops, _, runs, nanoseconds = numbers
                self.slices.setdefault((name, loops), []).append(runs * 1e9 / nanoseconds)

    def per_second(self, name, loops):
        """Median of the slices; None when it was not measured."""
        values = self.slices.get((name, loops))
        return median(values) if values else None

    def by_speed(self):
        return sorted(self.latency, key=lambda name: median(self.latency[name]))

    def best_peer(self):
        """Name of the peer with the lowest median, None without one."""
        return next((name for name in self.by_speed() if contenders.is_peer(name)), None)

    def most_at(self, loops):
        """(runs per second, name) of the peer with the most at that many loops, None without one."""
        rates = [(self.per_second(name, loops), name) for name in self.latency if contenders.is_peer(name)]
        return max(((value, name) for value, name in rates if value), default=None)

    def table(self):
        header = ["`/bin/true`, ms", "min", "median", "p95", "runs",
                  *(f"{loops} at once, /s" for loops in CONNECTIONS)]
        rows = []
        for name in self.by_speed():
            values = self.latency[name]
            rates = [self.per_second(name, loops) for loops in CONNECTIONS]
            bold = "**" if name.startswith(contenders.OURS) else ""
            rows.append([f"{bold}{name}{bold}", milliseconds(min(values)), milliseconds(median(values)),
                         milliseconds(percentile(values, 0.95)), len(values),
                         *(rate(value) if value else "–" for value in rates)])
        return table(header, rows)


def by_language(samples):
    """(language, level) to samples."""
    found = {}
    for sample in samples:
        found.setdefault((sample.language, sample.level), []).append(sample)
    return found


def hello_matrix(samples):
    """One row a language, one column a level: medians."""
    found = by_language(samples)
    rows = []
    for language in HELLO:
        cells = [milliseconds(median([one.seconds for one in found[language, level]]))
                 if (language, level) in found else "–" for level in LEVELS]
        if any(cell != "–" for cell in cells):
            rows.append([language, *cells])
    return table(["hello world, median ms", *LEVELS], rows)


def hello_table(samples):
    rows = []
    for (language, level), found in sorted(by_language(samples).items(),
                                           key=lambda item: (list(HELLO).index(item[0][0]), LEVELS.index(item[0][1]))):
        times = [one.seconds for one in found]
        starts = Counter(one.start for one in found)
        compiling = [one.compile_seconds for one in found if not one.cached]
        rows.append([f"{language}, {level}", milliseconds(min(times)), milliseconds(median(times)),
                     milliseconds(percentile(times, 0.95)),
                     milliseconds(median(compiling)) if language in COMPILED and compiling else "–",
                     milliseconds(median([one.run_seconds for one in found])),
                     ", ".join(f"{count} {start}" for start, count in starts.most_common())])
    return table(["hello world, ms", "min", "median", "p95", "compiling", "running", "boxes"], rows)


def engine_table(hello):
    """Hello world through `docker run`, and how often ours has run in that time."""
    found, rows = by_language(hello.samples), []
    for language, times in hello.engine.items():
        middle = median(times)
        ours = [found.get((language, level)) for level in ("cold", "warm", "cached")]
        rows.append([language, milliseconds(min(times)), milliseconds(middle), milliseconds(percentile(times, 0.95)),
                     len(times), *(f"{middle / median([one.seconds for one in samples]):.0f}" if samples else "–"
                                   for samples in ours)])
    return table(["`docker run` hello world, ms", "min", "median", "p95", "runs", "/ cold", "/ warm", "/ cached"], rows)


def by_cell(slices):
    """(program, daemon, connections) to slices."""
    found = {}
    for one in slices:
        found.setdefault((one.program, one.daemon, one.connections), []).append(one)
    return found


def throughput_table(slices):
    found = by_cell(slices)
    rows = []
    for program in PROGRAMS:
        for daemon in DAEMONS.values():
            cells, kinds = [], Counter()
            for connections in CONNECTIONS:
                mine = found.get((program, daemon, connections), [])
                times = [value for one in mine for value in one.times]
                if not times:
                    cells.append("–")
                    continue
                cells.append(f"{rate(median([one.per_second for one in mine]))} "
                             f"({milliseconds(median(times))} / {milliseconds(percentile(times, 0.95))})")
                for one in mine:
                    kinds.update(one.starts)
                    kinds["compiled before"] += one.cached
            if any(cell != "–" for cell in cells):
                total = sum(count for kind, count in kinds.items() if kind != "compiled before")
                said = ", ".join(f"{kind} {100 * count / total:.0f} %" for kind, count in kinds.most_common() if count)
                rows.append([f"{program}, {daemon}", *cells, said])
    return table(["runs/s (median / p95 ms)", *(f"{connections} conn." for connections in CONNECTIONS), "boxes"], rows)


def ratios(boxes, slices):
    """Lines of "what / what: factor", only of what was measured."""
    lines = []
    def add(what, value):
        lines.append(f"- {what}: {value:.2f}")
    times = {name: median(values) for name, values in boxes.latency.items()}
    ours = [name for name in boxes.by_speed() if name.startswith(contenders.OURS)]
    for name in ours:
        if "posix_spawn" in times:
            add(f"median, {name} / posix_spawn", times[name] / times["posix_spawn"])
        if peer := boxes.best_peer():
            add(f"median, best peer ({peer}) / {name}", times[peer] / times[name])
    best = boxes.most_at(2)
    for name in ours:
        mine, spawning = boxes.per_second(name, 2), boxes.per_second("posix_spawn", 2)
        if mine and best:
            add(f"runs per second in 2 loops, {name} / best peer ({best[1]})", mine / best[0])
        if mine and spawning:
            add(f"runs per second in 2 loops, posix_spawn / {name}", spawning / mine)
    program, daemon = next(iter(PROGRAMS)), DAEMONS["warm"]
    through = by_cell(slices).get((program, daemon, 2))
    if through and best:
        add(f"runs per second, {program} through the daemon with 2 connections / best peer's `/bin/true` in 2 loops "
            f"({best[1]})", median([one.per_second for one in through]) / best[0])
    return "\n".join(lines)


CLOCKS = {"wall": ("wall limit: overshoot, ms", 1000), "cpu": ("CPU limit: overshoot, ms", 1000),
          "account": ("cpu_time against the program's clock, %", 100),
          "quota": ("most of a processor in any half second, %", 100),
          "short": ("40 ms of computing: wall / CPU", 1)}


def judging_table(slices, processors):
    """Tests that are judged in a second, by core, beside as many runs; and what one of them costs more."""
    rows = []
    for program in dict.fromkeys(one.program for one in slices):
        def by_kind(kind):
            return [one.seconds / one.tests for one in slices if (one.program, one.kind) == (program, kind)]
        judged, bare = by_kind("judged"), by_kind("bare")
        if judged and bare:
            more = [ours / beside - 1 for ours, beside in zip(judged, bare)]
            rows.append((program, rate(1 / median(judged) / processors), rate(1 / median(bare) / processors),
                         f"{median(more) * 100:+.0f} %"))
    return table(("tests in a second, by core", "judged", "bare runs", "a judged one costs"), rows)


def clocks_table(clocks):
    rows = []
    for one in clocks:
        name, factor = CLOCKS[one.what]
        values = [value * factor for value in one.values]
        rows.append([f"{name}, {'busy' if one.busy else 'idle'}", f"{median(values):.2f}", f"{max(values):.2f}",
                     len(values)])
    return table(["clocks", "median", "worst", "runs"], sorted(rows, key=lambda row: row[0].rpartition(",")[0]))


def microseconds(seconds):
    value = seconds * 1e6
    return f"{value:.1f}" if value < 100 else f"{value:.0f}"


def pair(trips, unit):
    """Median of the slices' medians, and of their 99th percentiles."""
    return f"{unit(median(trips.medians))} / {unit(median(trips.p99s))}" if trips else "–"


def messages_table(results):
    """One row a server: round trips with so many connections open, what it answers at most, what waiting costs."""
    counts = sorted({count for _, count, _ in results.trips})
    most = max((in_flight for _, _, in_flight in results.trips), default=0)
    rows = []
    for name in dict.fromkeys(server for server, _, _ in results.trips):
        busy = results.trips.get((name, counts[-1], most))
        idle = results.memory.get(name)
        rows.append([name, *(pair(results.trips.get((name, count, 1)), microseconds) for count in counts),
                     f"{median(busy.rates):.0f}" if busy else "–", f"{idle / 1024:.1f}" if idle else "–"])
    return table(["round trip, µs (median / p99)", *(f"{count:,} conn." for count in counts),
                  f"messages/s, {most} in flight", "KB an idle conn."], rows)


def rooms_table(results):
    """One row a server: from the message until all others have it."""
    members = sorted({count for _, count in results.rooms})
    rows = [[name, *(pair(results.rooms.get((name, count)), milliseconds) for count in members)]
            for name in dict.fromkeys(server for server, _ in results.rooms)]
    return table(["until all others have it, ms (median / p99)", *(f"{count:,} members" for count in members)], rows)


def authority_table(results):
    return table(["an edit by the authority", "µs", "edits/s"],
                 [[what, f"{micro:.2f}", f"{rate:,}"] for what, micro, rate in results.authority])


def left_out(everything):
    """Lines of who or what takes no part, and why; (language, level) with the same reason share a line."""
    lines, grouped = [], {}
    for name, reason in everything.items():
        if isinstance(name, str):
            lines.append(f"- {name}: {reason}")
        else:
            grouped.setdefault((name[1], reason), []).append(name[0])
    lines += [f"- {level}, in {', '.join(languages)}: {reason}" for (level, reason), languages in grouped.items()]
    return "\n".join(lines) or "- nobody"


def write_csv(path, header, rows):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_times(folder, boxes, hello, slices):
    """Every single time, in nanoseconds."""
    def nano(seconds):
        return int(seconds * 1e9)
    write_csv(folder / "boxes.csv", ["contender", "loops", "round", "nanoseconds"], boxes.rows)
    write_csv(folder / "hello.csv",
              ["language", "level", "round", "nanoseconds", "start", "cached", "compile_nanoseconds",
               "setup_nanoseconds", "run_nanoseconds"],
              [(one.language, one.level, one.round, nano(one.seconds), one.start, int(one.cached),
                nano(one.compile_seconds), nano(one.setup_seconds), nano(one.run_seconds)) for one in hello.samples])
    write_csv(folder / "docker.csv", ["language", "round", "nanoseconds"],
              [(language, turn, nano(value)) for language, times in hello.engine.items()
               for turn, value in enumerate(times)])
    write_csv(folder / "throughput.csv", ["program", "daemon", "connections", "slice", "nanoseconds"],
              [(one.program, one.daemon, one.connections, one.number, nano(value))
               for one in slices for value in one.times])


def write_slices(folder, results):
    """Of messages every slice: there are too many single times."""
    cells = [("round trip", *key, trips) for key, trips in results.trips.items()]
    cells += [("room", server, members, 1, trips) for (server, members), trips in results.rooms.items()]
    write_csv(folder / "sockets.csv",
              ["what", "server", "connections", "in_flight", "slice", "median_ns", "p99_ns", "per_second"],
              [(*cell[:4], number, int(middle * 1e9), int(late * 1e9), int(rate)) for cell in cells
               for number, (middle, late, rate) in enumerate(zip(cell[4].medians, cell[4].p99s, cell[4].rates))])
