#!/usr/bin/env python3
"""./dev bench: a cold box against a bare spawn and the other sandboxes that are installed, then hello
world over the WebSocket in every language, against a daemon of its own. One table each, in one run,
rounds interleaved. Asserts nothing. Every single time goes to BUILD/bench-box.csv and -hello.csv.

    bench.py --build BUILD [--rounds N] [--hello-rounds N]
"""
import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from client import Client

ROOT = Path(__file__).resolve().parents[2]

HELLO = {
    "python": ("main.py", "print('Hello, World!')\n"),
    "javascript": ("main.js", "console.log('Hello, World!');\n"),
    "c": ("main.c", '#include <stdio.h>\nint main(void) { puts("Hello, World!"); }\n'),
    "cpp": ("main.cpp", '#include <iostream>\nint main() { std::cout << "Hello, World!\\n"; }\n'),
    "go": ("main.go", 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println("Hello, World!") }\n'),
    "java": ("Main.java", "public class Main {\n  public static void main(String[] args) {\n"
                          '    System.out.println("Hello, World!");\n  }\n}\n'),
}


def peers(work):
    """Other sandboxes at settings as near to a box as their own options allow."""
    system = ["--ro-bind", "/usr", "/usr", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
              "--symlink", "usr/bin", "/bin"]
    if shutil.which("bwrap"):
        yield "bwrap", ["bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL",
                        *system, "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--uid", "65534",
                        "--gid", "65534", "/bin/true"]
    if shutil.which("unshare"):
        yield "unshare", ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup", "--fork", "/bin/true"]
    if shutil.which("nsjail"):
        yield "nsjail", ["nsjail", "-Mo", "-Q", "--user", "65534", "--group", "65534", "-R", "/usr", "-R", "/lib",
                         "-R", "/lib64", "-R", "/bin", "-T", "/tmp", "--", "/bin/true"]
    if shutil.which("isolate"):
        subprocess.run(["isolate", "--box-id=9", "--init"], stdout=subprocess.DEVNULL, check=False)
        yield "isolate --run", ["isolate", "--box-id=9", "--run", "--silent", "--", "/bin/true"]
    for runtime in ("crun", "runc"):
        if shutil.which(runtime) and (bundle := make_bundle(runtime, work)):
            yield runtime, [runtime, "run", "--bundle", bundle, f"cloister-bench-{runtime}"]
    if shutil.which("docker") and docker_image(work):
        yield "docker run", ["docker", "run", "--rm", "--network", "none", "--memory", "128m", "--pids-limit", "64",
                             "--cap-drop", "ALL", "cloister-bench", "/bin/true"]


def static_true(work):
    source, program = work / "true.c", work / "true"
    if not program.exists():
        source.write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-O2", "-static", "-o", program, source], check=True)
    return program


def make_bundle(runtime, work):
    bundle = work / runtime
    (bundle / "rootfs/bin").mkdir(parents=True)
    shutil.copy(static_true(work), bundle / "rootfs/bin/true")
    if subprocess.run([runtime, "spec"], cwd=bundle, stderr=subprocess.DEVNULL).returncode:
        return None
    config = json.loads((bundle / "config.json").read_text())
    config["process"].update(terminal=False, args=["/bin/true"])
    (bundle / "config.json").write_text(json.dumps(config))
    return str(bundle)


def docker_image(work):
    """An image of one static program, made here; None when no engine answers."""
    if subprocess.run(["docker", "version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
        return None
    folder = work / "image"
    folder.mkdir()
    shutil.copy(static_true(work), folder / "true")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY true /bin/true\n")
    return subprocess.run(["docker", "build", "-q", "-t", "cloister-bench", folder],
                          stdout=subprocess.DEVNULL).returncode == 0


def table(title, times, header="ms"):
    """`times`: name to list of seconds."""
    print(f"\n{title}")
    print(f"{header:<22}{'min':>9}{'median':>9}{'p95':>9}{'runs':>7}")
    for name, values in times.items():
        values = sorted(values)
        def at(part):
            return values[min(len(values) - 1, int(len(values) * part))] * 1000
        print(f"{name:<22}{at(0):>9.2f}{at(0.5):>9.2f}{at(0.95):>9.2f}{len(values):>7}")


def bench_boxes(build, rounds):
    with tempfile.TemporaryDirectory() as name:
        contenders = [f"{peer}={' '.join(command)}" for peer, command in peers(Path(name))]
        done = subprocess.run([build / "box_bench", ROOT / "policies", str(rounds), *contenders],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("bench: box_bench failed")
    (build / "bench-box.csv").write_text("contender,round,nanoseconds\n" + done.stdout)
    times = {}
    for line in done.stdout.splitlines():
        contender, _, nanoseconds = line.rsplit(",", 2)
        times.setdefault(contender, []).append(int(nanoseconds) / 1e9)
    table("/bin/true, asked for to proven gone (cloister: cold box, every layer and limit)", times)


class Daemon:
    """cloisterd on a free port of this machine, for the length of a with-block."""

    def __init__(self, build):
        self.state = tempfile.TemporaryDirectory()
        # The front is not root: the folder above its state must let it through.
        os.chmod(self.state.name, 0o755)
        self.process = subprocess.Popen(
            [build / "cloisterd", "--listen", "127.0.0.1:0", "--state-dir", self.state.name + "/state"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def __enter__(self):
        for line in self.process.stdout:
            if found := re.search(r"http://127\.0\.0\.1:(\d+)", line):
                return int(found.group(1))
            print(line, end="", file=sys.stderr)
        sys.exit("bench: cloisterd did not start")

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        self.process.stdout.close()
        self.state.cleanup()


def bench_hello(build, rounds):
    times, programs, inside = {}, dict(HELLO), {}
    with Daemon(build) as port:
        client = Client("127.0.0.1", port)
        client.receive()
        for turn in range(-1, rounds):
            for language, (path, code) in list(programs.items()):
                begin = time.perf_counter()
                try:
                    result = client.ask({"type": "execute_code", "code": code, "language": language,
                                         "file_path": path}, "execution_result")["result"]
                except RuntimeError as error:
                    print(f"{language}: {error}", file=sys.stderr)
                    del programs[language]
                    continue
                took = time.perf_counter() - begin
                if result["output"] != "Hello, World!\n":
                    sys.exit(f"bench: {language}: {result}")
                if turn >= 0:
                    times.setdefault(language, []).append(took)
                    inside.setdefault(language + " run", []).append(result["execution_time"])
        client.close()
    lines = [f"{name},{turn},{int(value * 1e9)}" for name, values in times.items() for turn, value in enumerate(values)]
    (build / "bench-hello.csv").write_text("\n".join(["language,round,nanoseconds", *lines, ""]))
    table("Hello world over the WebSocket, message sent to result received, compiling included", times)
    table("of which: the run step alone, by the daemon's clock", inside)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=Path, default=ROOT / "build")
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--hello-rounds", type=int, default=10)
    options = parser.parse_args()
    build = options.build.resolve()
    cpu = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{os.cpu_count()} x {cpu.group(1) if cpu else 'unknown processor'}, Linux {os.uname().release}, "
          f"load {' '.join(f'{load:.2f}' for load in os.getloadavg())}")
    bench_boxes(build, options.rounds)
    bench_hello(build, options.hello_rounds)
    print(f"\nload at the end {os.getloadavg()[0]:.2f}; every time: {build}/bench-*.csv")


main()
