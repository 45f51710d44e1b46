"""Starts real daemons for the tests, one shared by most, and ends exactly the processes it started."""
import atexit
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
SLOW = float(os.environ.get("CLOISTER_SLOW", "1"))  # sanitizers and busy machines: patience only, never a promise


def build_directory():
    return Path(os.environ.get("CLOISTER_BUILD", SOURCE / "build")).resolve()


def is_sanitized():
    """Whether the build's daemon has a sanitizer, whose own calls the filters of front and sender would refuse."""
    return b"__asan_init" in (build_directory() / "cloisterd").read_bytes()


class Daemon:
    def __init__(self, config=None, environment=None, listen="127.0.0.1:0", files=None, runtimes=SOURCE / "runtimes",
                 policies=SOURCE / "policies", program="cloisterd", user=None, before=()):
        self.state = tempfile.mkdtemp(prefix="cloister-protocol-")
        command = [str(build_directory() / program), "--listen", listen, "--state-dir", self.state,
                   "--policies", str(policies), "--runtimes", str(runtimes)]
        file = Path(self.state) / "cloister.jsonc"
        file.write_text(json.dumps(config or {}))
        command += ["--config", str(file)]
        # Killed or timed out, the suite takes its daemons along.
        command = ["setpriv", "--pdeathsig", "TERM", *command]
        if user is not None:  # an ordinary one, by number
            command[1:1] = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
            os.chown(self.state, user, user)
        if files:
            command = ["prlimit", f"--nofile={files}", *command]
        command = [*before, *command]  # before: what to be started by, with the daemon's own words behind it
        self.command = command
        self.environment = dict(os.environ) | (environment or {})
        self.start()

    def start(self, remove=True):
        self.log = open(Path(self.state) / "log", "w+")
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env=self.environment)
        end = time.monotonic() + 30 * SLOW
        while True:
            found = re.search(r"serving http://(\S+):(\d+)/", self.text())
            if found:
                break
            if self.process.poll() is not None or time.monotonic() > end:
                said = self.text()
                if remove:
                    self.stop()
                raise RuntimeError("the daemon did not start: " + said)
            time.sleep(0.05)
        self.host = found.group(1) if found.group(1) != "0.0.0.0" else "127.0.0.1"
        self.port = int(found.group(2))

    def end(self, number=signal.SIGKILL):
        """Ends it and leaves its state."""
        front = self.front()
        self.process.send_signal(number)
        self.process.wait(20 * SLOW)
        end = time.monotonic() + 10 * SLOW
        while os.path.exists(f"/proc/{front}"):  # it dies with its keeper, and holds the state until then
            if time.monotonic() > end:
                raise RuntimeError("the front outlives its keeper")
            time.sleep(0.02)
        self.log.close()

    def restart(self, number=signal.SIGKILL):
        """Starts it again over the same state, on another port."""
        self.end(number)
        self.start()

    def text(self):
        return (Path(self.state) / "log").read_text(errors="replace")

    def front(self):
        """The front's process id: the keeper's child that runs the same program."""
        own = os.readlink(f"/proc/{self.process.pid}/exe")
        for entry in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            try:
                if os.readlink(f"/proc/{entry}/exe") == own and b"cloisterd" in Path(f"/proc/{entry}/cmdline").read_bytes():
                    return int(entry)
            except OSError:
                continue
        raise RuntimeError("no front")

    def stop(self, seconds=20):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.last = self.text() if os.path.exists(self.state) else ""
        self.log.close()
        shutil.rmtree(self.state, ignore_errors=True)
        return self.process.returncode


shared_daemon = None


def shared():
    """The daemon that every test may use which leaves it as it was."""
    global shared_daemon
    if shared_daemon is None or shared_daemon.process.poll() is not None:
        shared_daemon = Daemon()
        atexit.register(shared_daemon.stop)
    return shared_daemon


def fresh_mark():
    """A word by which to find processes; as long as a process's name may be."""
    return "mark-" + uuid.uuid4().hex[:10]


def show(mark):
    """Python that names its process so: arguments are not seen outside where the interpreter waited for them."""
    return f"open('/proc/self/comm', 'w').write('{mark}')\n"


def processes_with(mark):
    """Processes anywhere on the machine whose name is `mark`."""
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            if Path(f"/proc/{entry}/comm").read_text().strip() == mark:
                found.append(int(entry))
        except OSError:
            continue
    return found


def gone_within(mark, seconds):
    end = time.monotonic() + seconds
    while processes_with(mark):
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
