"""Which of the measured numbers the picture shows: a run of /bin/true by everyone, hello world by language and
level, and the runs of a second."""
import contenders
from levels import HELLO, LEVELS
from plot import Bar, Panel, draw
from report import by_cell, by_language, median, milliseconds, percentile, rate
from throughput import CONNECTIONS, DAEMONS, PROGRAMS


def kind_of(name):
    return "ours" if name.startswith(contenders.OURS) else "floor" if name in contenders.FLOORS else "peer"


def latency_panel(boxes):
    bars = []
    for name in boxes.by_speed():
        values = boxes.latency[name]
        middle = median(values)
        bars.append(Bar(name, middle * 1e3, milliseconds(middle), kind_of(name), min(values) * 1e3,
                        percentile(values, 0.95) * 1e3, strong=kind_of(name) == "ours"))
    return Panel("/bin/true, from the request until it is gone",
                 "milliseconds on a logarithmic axis, median with min and p95; less is better", bars)


def loops_panel(boxes, loops=2):
    rates = [(boxes.per_second(name, loops), name) for name in boxes.by_speed()]
    bars = [Bar(name, value, rate(value), kind_of(name), strong=kind_of(name) == "ours")
            for value, name in sorted(((value, name) for value, name in rates if value), reverse=True)]
    return Panel(f"/bin/true in {loops} loops", "runs per second on a logarithmic axis; more is better", bars)


def hello_panel(samples):
    found, bars = by_language(samples), []
    for language in HELLO:
        for level in LEVELS:
            if (language, level) not in found:
                continue
            values = [one.seconds for one in found[language, level]]
            first = not bars or not bars[-1].name.startswith(language + ", ")
            bars.append(Bar(f"{language}, {level}", median(values) * 1e3, milliseconds(median(values)), level,
                            min(values) * 1e3, percentile(values, 0.95) * 1e3, gap=first and bool(bars)))
    return Panel("Hello world through the daemon, from the message sent to the result received",
                 "milliseconds on a logarithmic axis, median with min and p95; less is better", bars)


def throughput_panel(slices):
    found, bars = by_cell(slices), []
    for program in PROGRAMS:
        for connections in CONNECTIONS:
            if mine := found.get((program, DAEMONS["warm"], connections)):
                value = median([one.per_second for one in mine])
                if value:
                    bars.append(Bar(f"{program}, {connections}", value, rate(value), "ours",
                                    gap=connections == CONNECTIONS[0] and bool(bars)))
    return Panel("Through the daemon as shipped, by the number of connections, back to back",
                 "runs per second on a logarithmic axis; more is better", bars)


def picture(boxes, samples, slices, caption):
    return draw([latency_panel(boxes), loops_panel(boxes), hello_panel(samples), throughput_panel(slices)], caption)
