"""What a daemon holds at one moment, as the kernel tells it: descriptors, control groups, mounts, processes,
files and memory. Whatever grows with the number of runs is a leak."""
import ctypes
import os
import sys
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "bench"))

import machine  # noqa: E402 - the bench's
import service  # noqa: E402 - the protocol suite's

CLONE_NEWNS = 0x00020000
LIBC = ctypes.CDLL(None, use_errno=True)


def links(pid):
    """Where the descriptors of a process point."""
    found = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            found[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except OSError:
            continue  # closed meanwhile
    return found


def kind_of(link):
    """A link without what tells one descriptor from another of the same kind."""
    link = re.sub(r"\[\d+\]", "", link)
    if link.startswith("/sys/fs/cgroup/"):
        return "group of " + link.split("/")[4]
    return re.sub(r"\d+", "N", link)


def descriptors(pid):
    return Counter(map(kind_of, links(pid).values()))


def instance_of(keeper):
    """The name of the lock that a keeper holds, which is also the name of its groups."""
    return next(Path(link).name for link in links(keeper).values() if link.startswith("/run/cloister/instance-"))


def boxes_by_hierarchy(keeper):
    """The names of the groups of boxes below the keeper's own, for each mounted hierarchy."""
    found = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place, kind = line.split()[4], line.split(" - ")[1].split()[0]
        if kind not in ("cgroup", "cgroup2"):
            continue
        for base in Path(place).glob(f"cloister/{instance_of(keeper)}"):
            # walk() takes no offence at what ends meanwhile.
            names = (os.path.relpath(one, base) for one, _, _ in os.walk(base) if one != str(base))
            # The analyst's box is no run's, and stays.
            found[place] = sorted(name for name in names if not name.startswith("analyst-"))
    return found


def mounts_in(namespace):
    """Lines of mountinfo inside a mount namespace. Only a process of its own can go there and look."""
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            if LIBC.setns(os.open(namespace, os.O_RDONLY), CLONE_NEWNS) == 0:
                with open(os.open("self/mountinfo", os.O_RDONLY, dir_fd=proc)) as file:
                    os.write(write, str(sum(1 for _ in file)).encode())
                status = 0
        finally:
            os._exit(status)
    os.close(write)
    with open(read) as file:
        text = file.read()
    os.close(proc)
    _, status = os.waitpid(child, 0)
    if status != 0 or not text:
        raise RuntimeError(f"no look into {namespace}")
    return int(text)


def mounts(keeper):
    """In the namespace that the keeper is in, and in all that it holds open."""
    places = {os.readlink(f"/proc/{keeper}/ns/mnt"): f"/proc/{keeper}/ns/mnt"}
    for number, link in links(keeper).items():
        if link.startswith("mnt:["):
            places.setdefault(link, f"/proc/{keeper}/fd/{number}")
    return sum(map(mounts_in, places.values()))


def children(pid):
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def descendants(pid):
    found = children(pid)
    for one in found:
        found += children(one)
    return found


def is_analysts(pid):
    """Whether it is in the analyst's box."""
    try:
        return "/analyst-" in Path(f"/proc/{pid}/cgroup").read_text()
    except OSError:
        return False  # it ended meanwhile


def files_below(folder):
    return sum(len(names) for _, _, names in os.walk(folder))


def memory(pid):
    """Resident and proportional kilobytes."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return {name: int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M).group(1)) for name in ("Rss", "Pss")}


@dataclass
class Holdings:
    descriptors: dict   # "front", "keeper" to a Counter of kinds
    boxes: dict         # hierarchy to the names of the groups of boxes
    mounts: int
    processes: int
    files: int          # in the state and the run directory
    memory: dict        # "front", "keeper" to kilobytes

    def row(self):
        groups = sum(map(len, self.boxes.values()))
        memory = "  ".join(f"{name} {kib['Rss']} KiB ({kib['Pss']} Pss)" for name, kib in self.memory.items())
        counts = "  ".join(f"{name} {sum(kinds.values())} fds" for name, kinds in self.descriptors.items())
        return (f"{memory}  {counts}  {groups} groups  {self.mounts} mounts  {self.processes} processes  "
                f"{self.files} files")

    def counted(self):
        """Everything but memory, which no two looks find the same."""
        return (self.descriptors, {place: len(names) for place, names in self.boxes.items()}, self.mounts,
                self.processes, self.files)


def take(daemon):
    """`daemon`: a service.Daemon."""
    processes = {"front": daemon.front(), "keeper": daemon.process.pid}
    keeper = daemon.process.pid
    return Holdings(descriptors={name: descriptors(pid) for name, pid in processes.items()},
                    boxes=boxes_by_hierarchy(keeper), mounts=mounts(keeper),
                    processes=sum(not is_analysts(one) for one in descendants(keeper)),
                    files=files_below(daemon.state) + files_below("/run/cloister"),
                    memory={name: memory(pid) for name, pid in processes.items()})


def at_rest(daemon, seconds=60):
    """What it holds when it has nothing left to do: no box is being made ahead, no kit, nothing removed."""
    if not machine.settle(daemon.process.pid, seconds * service.SLOW):
        raise RuntimeError(f"no rest within {seconds} s")
    return take(daemon)
