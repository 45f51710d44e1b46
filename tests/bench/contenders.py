"""Who runs /bin/true beside us: the bare spawn, the namespaces alone, and other sandboxes at settings as
near to a box as their own options allow. Each is a command for box_bench, or a reason why it is left out."""
import json
import os
import shutil
import subprocess
from pathlib import Path

# Loops that box_bench may run at one time; some peers need something of their own for each.
MOST_LOOPS = 64
# isolate's boxes have numbers below 1000; ours are those that begin so.
ISOLATE_BOX = "9"

# Not sandboxes: what a run costs without one. Names of what box_bench measures by itself are here too.
FLOORS = ("posix_spawn", "unshare")
OURS = "cloister"


def is_peer(name):
    return name not in FLOORS and not name.startswith(OURS)


class LeftOut(Exception):
    """Why a contender takes no part."""


def run(command, **more):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=20, **more)


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it says nothing"


def unshare(_):
    return "unshare --mount --pid --net --ipc --uts --cgroup --fork /bin/true"


def bwrap(_):
    system = ("--ro-bind /usr /usr --symlink usr/lib /lib --symlink usr/lib64 /lib64 --symlink usr/bin /bin "
              "--proc /proc --dev /dev --tmpfs /tmp")
    return ("bwrap --unshare-all --die-with-parent --new-session --cap-drop ALL "
            f"{system} --uid 65534 --gid 65534 /bin/true")


def nsjail(_):
    shown = " ".join(f"-R {path}" for path in ("/usr", "/lib", "/lib64", "/bin") if os.path.exists(path))
    return f"nsjail -Mo -Q --user 65534 --group 65534 {shown} -T /tmp -- /bin/true"


def isolate(_):
    """A fresh box for each run, as ours are."""
    box = f"isolate --box-id={ISOLATE_BOX}{{loop}}"
    return f"{box} --init ; {box} --run --silent -- /bin/true ; {box} --cleanup"


def static_true(work):
    source, program = work / "true.c", work / "true"
    if not program.exists():
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-O2", "-static", "-o", program, source], check=True)
    return program


def bundles(runtime, work):
    """The bundle that `RUNTIME spec` makes, with the program, the memory and the processes limited as ours
    are; one for each loop, because a bundle names its control group."""
    root = work / "rootfs"
    (root / "bin").mkdir(parents=True, exist_ok=True)
    shutil.copy(static_true(work), root / "bin/true")
    for loop in range(MOST_LOOPS):
        bundle = work / f"{runtime}-{loop}"
        bundle.mkdir()
        if loop == 0:
            done = run([runtime, "spec"], cwd=bundle)
            if done.returncode:
                raise LeftOut(last_line(done.stderr))
            config = json.loads((bundle / "config.json").read_text())
            config["process"].update(terminal=False, args=["/bin/true"])
            config["root"]["path"] = str(root)
            config["linux"].setdefault("resources", {}).update(memory={"limit": 128 << 20}, pids={"limit": 64})
        config["linux"]["cgroupsPath"] = f"/cloister/bench-{runtime}-{loop}"
        (bundle / "config.json").write_text(json.dumps(config))
    return f"{runtime} run --bundle {work}/{runtime}-{{loop}} cloister-bench-{runtime}-{{loop}}"


def runc(work):
    return bundles("runc", work)


def crun(work):
    return bundles("crun", work)


def docker(work):
    """An image of one static program, made here."""
    answer = run(["docker", "version"])
    if answer.returncode:
        raise LeftOut("no engine answers")
    folder = work / "image"
    folder.mkdir()
    shutil.copy(static_true(work), folder / "true")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY true /bin/true\n")
    built = run(["docker", "build", "-q", "-t", "cloister-bench", str(folder)])
    if built.returncode:
        raise LeftOut(last_line(built.stderr))
    return ("docker run --rm --network none --memory 128m --pids-limit 64 --cap-drop ALL --read-only "
            "cloister-bench /bin/true")


PEERS = {"unshare": unshare, "bwrap": bwrap, "nsjail": nsjail, "isolate": isolate, "crun": crun, "runc": runc,
         "docker run": docker}


class Contenders:
    """The commands of those that work here, for the length of a with-block, after which nothing of theirs is
    left. `commands`: name to command; `left_out`: name to reason."""

    def __init__(self, work):
        self.work, self.commands, self.left_out = Path(work), {}, {}
        self.groups = []

    def __enter__(self):
        try:
            self.find()
        except BaseException:
            self.__exit__()
            raise
        return self

    def find(self):
        # Container runtimes make /cloister in hierarchies where we have no use for it.
        self.groups = [folder / "cloister" for folder in Path("/sys/fs/cgroup").glob("*/")
                       if (folder / "cgroup.procs").exists() and not (folder / "cloister").exists()]
        for name, make in PEERS.items():
            if not shutil.which(name.split()[0]):
                self.left_out[name] = "not installed"
                continue
            try:
                command = make(self.work)
                self.try_once(command)
                self.commands[name] = command
            except LeftOut as reason:
                self.left_out[name] = str(reason)
            except (OSError, subprocess.SubprocessError) as error:
                self.left_out[name] = last_line(str(error))

    @staticmethod
    def try_once(command):
        for part in command.replace("{loop}", "0").split(" ; "):
            done = run(part.split())
            if done.returncode:
                raise LeftOut(last_line(done.stderr))

    def __exit__(self, *_):
        for loop in range(MOST_LOOPS):
            for runtime in ("runc", "crun"):
                container = f"cloister-bench-{runtime}-{loop}"
                if os.path.exists(f"/run/{runtime}/{container}"):
                    run([runtime, "delete", "--force", container])
        if shutil.which("isolate"):
            for loop in range(MOST_LOOPS):
                run(["isolate", f"--box-id={ISOLATE_BOX}{loop}", "--cleanup"])
        if "docker run" in self.commands:
            run(["docker", "rmi", "-f", "cloister-bench"])
        for group in self.groups:
            try:
                group.rmdir()
            except OSError:
                pass  # never made, or somebody's by now
