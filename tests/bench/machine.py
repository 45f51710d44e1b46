"""The machine that was measured, and the processes that the bench starts on it: none outlives the bench,
however that ends."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
# A daemon that used less of a processor than this part, in so many looks on end, has nothing left to do.
LOOK_SECONDS, QUIET_PART, QUIET_LOOKS = 0.4, 0.03, 3


def describe():
    """One line: processors and kernel."""
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return f"{os.cpu_count()} x {cpu.group(1).strip() if cpu else os.uname().machine}, Linux {os.uname().release}"


def load():
    return f"{os.getloadavg()[0]:.2f}"


def busy_with_others(seconds=1.0):
    """Part of all processors' time that is not idle, 0 to 1, while the bench does nothing."""
    def counters():
        values = list(map(int, Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
        return sum(values[:8]), values[3] + values[4]
    all_before, idle_before = counters()
    time.sleep(seconds)
    all_after, idle_after = counters()
    return 1 - (idle_after - idle_before) / max(all_after - all_before, 1)


def start(command, **more):
    """A process in a session of its own, so that an interrupt at the terminal is ours to pass on, and told to
    end when we die without a word."""
    more = {"stdin": subprocess.DEVNULL} | more
    return subprocess.Popen(["setpriv", "--pdeathsig", "TERM", *map(str, command)], start_new_session=True, **more)


def end(process, seconds=20):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def output_of(command, seconds):
    """What a command that was given `seconds` writes to stdout; its stderr is ours. None when it failed."""
    process = start(command, stdout=subprocess.PIPE, text=True)
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return None
    finally:
        end(process)
        process.stdout.close()
    return text if process.returncode == 0 else None


def processor_seconds(daemon):
    """Used so far by the daemon of this process id and by every box of it, those that are gone included."""
    total, todo = 0, [daemon]
    while todo:
        pid = todo.pop()
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            todo += map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        except (OSError, IndexError):
            continue  # it ended meanwhile, and is in its parent's account
        total += sum(map(int, fields[11:15]))
    return total / os.sysconf("SC_CLK_TCK")


def settle(daemon, most_seconds):
    """Waits until a daemon has nothing left to make ahead. False when it is still at it after that time."""
    give_up = time.monotonic() + most_seconds
    before, quiet = processor_seconds(daemon), 0
    while quiet < QUIET_LOOKS:
        if time.monotonic() > give_up:
            return False
        time.sleep(LOOK_SECONDS)
        after = processor_seconds(daemon)
        quiet = quiet + 1 if after - before <= QUIET_PART * LOOK_SECONDS else 0
        before = after
    return True


class Refused(Exception):
    """Why a daemon did not start."""


class Daemon:
    """cloisterd on a free port of this machine. `config` as in cloister.jsonc; `files` that it may have open."""

    def __init__(self, build, config, files=None):
        self.state = tempfile.mkdtemp(prefix="cloister-bench-")
        # The front is not root: the folder above its state must let it through.
        os.chmod(self.state, 0o755)
        folder = Path(self.state)
        (folder / "cloister.jsonc").write_text(json.dumps(config))
        self.log = folder / "log"
        with open(self.log, "w") as log:
            limit = ["prlimit", f"--nofile={files}"] if files else []
            self.process = start([*limit, build / "cloisterd", "--listen", "127.0.0.1:0",
                                  "--state-dir", folder / "state", "--policies", ROOT / "policies", "--runtimes", ROOT / "runtimes",
                                  "--config", folder / "cloister.jsonc"], stdout=log, stderr=subprocess.STDOUT)
        try:
            self.port = self._wait()
        except BaseException:
            self.stop()
            raise

    def _wait(self):
        give_up = time.monotonic() + START_SECONDS
        while True:
            text = self.log.read_text(errors="replace")
            if found := re.search(r"serving http://127\.0\.0\.1:(\d+)/", text):
                return int(found.group(1))
            if self.process.poll() is not None or time.monotonic() > give_up:
                lines = text.strip().splitlines() or ["it says nothing"]
                raise Refused(lines[-1])
            time.sleep(0.02)

    @property
    def pid(self):
        """Of the front, which holds the connections."""
        keeper = self.process.pid
        for child in Path(f"/proc/{keeper}/task/{keeper}/children").read_text().split():
            if Path(f"/proc/{child}/cmdline").read_bytes().startswith(b"cloisterd-front"):
                return int(child)
        raise Refused("it has no front")

    def settle(self, most_seconds):
        return settle(self.process.pid, most_seconds)

    def stop(self):
        end(self.process)
        shutil.rmtree(self.state, ignore_errors=True)
