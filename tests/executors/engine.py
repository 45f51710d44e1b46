"""A container engine of the tests' own, with images made by `cloister docker-image`, and a daemon for each executor."""
import atexit
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import local_test
import service


class Engine:
    """dockerd in a folder of its own: no network, no firewall rules, nobody else's containers."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cloister-engine-"))
        self.host = f"unix://{self.folder}/sock"
        self.log = open(self.folder / "log", "w")
        atexit.register(self.stop)
        self.begin()

    def begin(self):
        self.process = subprocess.Popen(
            ["dockerd", "--iptables=false", "--ip6tables=false", "--bridge=none", "--data-root", str(self.folder / "data"),
             "--exec-root", str(self.folder / "exec"), "--pidfile", str(self.folder / "pid"), "-H", self.host],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True)
        end = time.monotonic() + 60 * service.SLOW
        while self.docker("version", check=False).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("dockerd did not start: " + (self.folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def docker(self, *words, check=True):
        return subprocess.run(["docker", "--host", self.host, *words], check=check, capture_output=True, text=True,
                              timeout=60 * service.SLOW)

    def lines(self, *words):
        return self.docker(*words).stdout.split()

    def containers(self, daemon, *words):
        return self.lines("ps", "--all", "--quiet", "--filter", f"label=cloister.state_dir={daemon.state}", *words)

    def volumes(self, daemon):
        return self.lines("volume", "ls", "--quiet", "--filter", f"label=cloister.state_dir={daemon.state}")

    def make_images(self, *languages):
        file = self.folder / "image.jsonc"
        file.write_text(json.dumps({"docker_host": self.host}))
        done = subprocess.run([str(service.build_directory() / "cloister"), "docker-image", "--config", str(file), *languages],
                              capture_output=True, text=True, timeout=220 * service.SLOW)
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)

    def end(self):
        """Its daemon alone; what it made stays on disk."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def stop(self):
        self.end()
        self.log.close()
        for mount in reversed([line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()
                               if line.split()[4].startswith(str(self.folder))]):
            subprocess.run(["umount", mount], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


engine_of_all = None
daemons = {}


def engine():
    """The one that the tests share, with the images of every installed language."""
    global engine_of_all
    if engine_of_all is None:
        engine_of_all = Engine()
        engine_of_all.make_images()
    return engine_of_all


NOBODY = 65534
# What a daemon is configured with for each executor. One more column of the table is one more line here.
METHODS = {
    "native": lambda: {"executor": "native"},
    "docker": lambda: {"executor": "docker", "docker_host": engine().host},
    "local": lambda: {"executor": "local"},
    "fence": lambda: {"executor": "local"},  # the same where ordinary users get no namespaces
}
USERS = {"local": NOBODY, "fence": NOBODY}  # root has no other
BEFORE = {"fence": ("/usr/bin/python3", "-c", local_test.FILTERED)}


def start(method, before=(), **config):
    return service.Daemon(config=METHODS[method]() | config, user=USERS.get(method), before=before or BEFORE.get(method, ()))


def shared(method):
    """The daemon of that executor that every test may use which leaves it as it was. For the main thread, with which
    the daemon ends."""
    if method not in daemons or daemons[method].process.poll() is not None:
        daemons[method] = start(method)
        atexit.register(daemons[method].stop)  # before the engine's end: the last registered is the first called
    return daemons[method]
