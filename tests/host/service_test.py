"""Runs as root on a machine of its own, under systemd: the whole life of the package, in this order. One line
per promise; a promise that fails does not stop the next ones, unless nothing was installed."""
import json
import os
import pwd
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import wire

SLOW = float(os.environ.get("CLOISTER_SLOW", "30"))  # emulated: about twenty times slower
HOST, PORT = "127.0.0.1", 8000
UNIT = "cloisterd.service"
DROP_IN = Path("/run/systemd/system/cloisterd.service.d/test.conf")
KEPT = "print('kept over all of this')\n"
LANGUAGES = {  # programs that read their input and say something that only running them can tell
    "python": "import sys; print(sum(int(n) for n in sys.stdin.read().split()) * 7)",
    "javascript": "console.log(require('fs').readFileSync(0,'utf8').trim().split(/\\s+/).reduce((a,b)=>a+ +b,0)*7)",
    "java": "import java.util.*; public class Main { public static void main(String[] a) { var s = new Scanner(System.in);"
            " int n = 0; while (s.hasNextInt()) n += s.nextInt(); System.out.println(n * 7); } }",
    "go": "package main\nimport \"fmt\"\nfunc main() { n, s := 0, 0; for { if c, _ := fmt.Scan(&n); c != 1 { break }; s += n }"
          "; fmt.Println(s * 7) }",
    "c": "#include <stdio.h>\nint main(void) { int n, s = 0; while (scanf(\"%d\", &n) == 1) s += n; printf(\"%d\\n\", s * 7); }",
    "cpp": "#include <iostream>\nint main() { int n, s = 0; while (std::cin >> n) s += n; std::cout << s * 7 << '\\n'; }",
}
ATTACKS = {  # name: (language, program, what may come of it, what its output must not hold)
    "a fork bomb": ("python", "import os, signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nwhile True:\n"
                    "    try: os.fork()\n    except OSError: pass\n",
                    {"wall_limit", "time_limit", "process_limit", "memory_limit"}, None),
    "a memory bomb": ("python", "kept = []\nwhile True: kept.append(bytearray(8 << 20))\n", {"memory_limit"}, None),
    "reading the host's secrets": (
        "python", "for path in ('/etc/shadow', '/etc/machine-id', '/srv/secret', '/var/lib/cloister/room.key',\n"
        "    '/etc/cloister/cloister.jsonc', '/proc/1/cwd/etc/shadow', '/sys/kernel/uevent_helper'):\n"
        "    try: print('SECRET', path, open(path, 'rb').read(20))\n    except OSError: pass\nprint('done')\n",
        {"ok"}, "SECRET"),
    "reaching systemd, the daemon and its neighbours": (
        "python", "import socket, os\n"
        "for family, where in ((socket.AF_UNIX, '/run/systemd/notify'), (socket.AF_UNIX, '/run/dbus/system_bus_socket'),\n"
        "    (socket.AF_INET, ('127.0.0.1', 8000))):\n"
        "    try:\n        s = socket.socket(family); s.settimeout(1); s.connect(where); print('REACHED', where)\n"
        "    except OSError: pass\n"
        "print('REACHED others' if len([p for p in os.listdir('/proc') if p.isdigit()]) > 3 else 'alone')\n",
        {"ok"}, "REACHED"),
    "becoming root and mounting": (
        "python", "import ctypes, os\nlibc = ctypes.CDLL(None)\n"
        "for name, call in (('setuid', lambda: libc.setuid(0)), ('unshare', lambda: libc.unshare(0x10000000)),\n"
        "    ('mount', lambda: libc.mount(b'x', b'/tmp', b'tmpfs', 0, None)), ('chroot', lambda: libc.chroot(b'/tmp'))):\n"
        "    if call() == 0: print('GOT', name)\nprint(os.getuid() == 0 and 'GOT root' or 'nobody')\n",
        None, "GOT"),
}
passed, failed = 0, 0


def log(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", flush=True)


def promise(text):
    """Runs the decorated function now; what it returns is said behind the promise."""
    def run(function):
        global passed, failed
        begin = time.monotonic()
        try:
            said = function()
            passed += 1
            log(f"ok   {text}{f': {said}' if said else ''} ({time.monotonic() - begin:.1f} s)")
            return True
        except Exception as error:  # whatever it is, the next promise has its turn
            failed += 1
            log(f"FAIL {text}: {type(error).__name__}: {error} ({time.monotonic() - begin:.1f} s)")
            return False
    return run


def finish():
    tail = subprocess.run(["journalctl", "-u", UNIT, "-o", "cat", "--no-pager"], stdout=subprocess.PIPE, text=True).stdout
    out = Path(os.environ.get("OUT", "/tmp"))
    (out / "journal.log").write_text(tail)
    if failed:
        log("the last lines of the journal:")
        print("\n".join(tail.splitlines()[-30:]))
    print(f"{passed} passed, {failed} failed", flush=True)
    sys.exit(1 if failed else 0)


def sh(*words, check=True, seconds=20):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds * SLOW)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(words)}: status {done.returncode}: {done.stdout.strip()[-600:]}")
    return done.stdout


def shown(name):
    return sh("systemctl", "show", "-P", name, UNIT).strip()


def must(true, what):
    if not true:
        raise AssertionError(what)


def keeper():
    return int(shown("MainPID"))


def front():
    for child in Path(f"/proc/{keeper()}/task/{keeper()}/children").read_text().split():
        if b"cloisterd-front" in Path(f"/proc/{child}/cmdline").read_bytes():
            return int(child)
    raise AssertionError("the keeper has no front")


def box_processes():
    """Processes with a user id of boxes, anywhere on the machine."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and entry.stat().st_uid >= 2_000_000_000:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def connect(path=wire.PATH):
    return wire.Client(HOST, PORT, path=path, seconds=20 * SLOW)


def run(code, language="python", **fields):
    with connect() as client:
        return client.run(code, language, seconds=15 * SLOW, **fields)


def answers():
    result = run("print(6 * 7)")
    must(result["output"] == "42\n", f"an ordinary program afterwards gave {result}")


def wait_for(true, what, seconds=10):
    end = time.monotonic() + seconds * SLOW
    while not true():
        must(time.monotonic() < end, f"{what}: not after {seconds * SLOW:.0f} s")
        time.sleep(0.2)


def back_after(act, restarts):
    """The service is up again, by itself and with other processes, after `act`."""
    old = {keeper(), front()}
    act()
    wait_for(lambda: int(shown("NRestarts")) > restarts and shown("ActiveState") == "active", "a restart")
    wait_for(lambda: all(not Path(f"/proc/{pid}").exists() for pid in old), "the end of the old processes")
    answers()
    return f"NRestarts {restarts} -> {shown('NRestarts')}"


def page(name):
    """A client that knows the documents of the room."""
    client = connect()
    client.send(type="hello", protocol=2, name=name)
    client.wait("hello_ok", seconds=10 * SLOW)
    client.send(type="join_room", room_id="kept")
    joined = client.wait("room_joined", seconds=10 * SLOW)
    return client, joined


def room_is_kept():
    client, _ = page("reader")
    client.send(type="doc_open", file_path="main.py")
    state = client.wait("doc_state", "error", seconds=10 * SLOW)
    client.close()
    must(state.get("content") == KEPT, f"the document is {state}")


def prepare():
    print(f"th-env {os.environ.get('TH_CELL')}; {' '.join(os.uname())[:80]}; times are of an emulated machine", flush=True)
    Path("/srv/secret").write_text("root's own")


def attack():
    for name, (language, code, verdicts, never) in ATTACKS.items():
        @promise(f"{name}: contained, and the service goes on")
        def _():
            limits = {"limits": {"wall_time": 20}} if verdicts and "wall_limit" in verdicts else {}
            result = run(code, language, **limits)
            must(verdicts is None or result["verdict"] in verdicts, result)
            must(never is None or never not in result["output"], result["output"])
            must(verdicts is None or "ok" not in verdicts or result["success"], result)
            answers()
            return result["verdict"]


def main():
    prepare()

    # --- Install ------------------------------------------------------------------------------------------
    @promise("the package installs with what this machine has, and the service is up when dpkg returns")
    def _():
        sh("dpkg", "-i", "first.deb", seconds=30)
        must(shown("ActiveState") == "active", f"it is {shown('ActiveState')}")
        must(sh("systemctl", "is-enabled", UNIT).strip() == "enabled", "it is not enabled")
        status, _, body = wire.get(HOST, PORT, "/healthz")
        must(status == 200, f"/healthz: {status} {body}")
        return sh("dpkg-query", "-W", "-f", "${Version}, ${Installed-Size} kB", "cloister")
    if failed:
        finish()

    @promise("the units are without fault to systemd-analyze, and exposure is at most 4.6")
    def _():
        complaints = sh("systemd-analyze", "verify", "--man=no", UNIT, "cloisterd.socket", "cloister.slice")
        must("cloister" not in complaints, complaints)
        words = sh("systemd-analyze", "security", "--no-pager", UNIT)
        exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", words).group(1))
        must(exposure <= 4.6, f"exposure is {exposure}")
        return f"exposure {exposure}"

    @promise("the self-test of the installed programs finds every layer, below the unit's hardening as well")
    def _():
        must("Every layer" in sh("cloisterd", "--selftest"), "a layer is missing")
        return next(line for line in sh("cloister", "check", check=False).splitlines() if "control groups" in line)

    @promise("the front is `cloister`, without capabilities; the keeper sits in the slice, in a group of its own")
    def _():
        status = Path(f"/proc/{front()}/status").read_text()
        must(int(re.search(r"Uid:\s+(\d+)", status).group(1)) == pwd.getpwnam("cloister").pw_uid, "another user")
        for line in re.findall(r"Cap(?:Inh|Prm|Eff|Bnd|Amb):\s+(\w+)", status):
            must(int(line, 16) == 0, f"capabilities {line}")
        must("Seccomp:\t2" in status and "NoNewPrivs:\t1" in status, "no filter")
        group = Path(f"/proc/{keeper()}/cgroup").read_text().strip().splitlines()[-1]
        must("cloister.slice/cloisterd.service" in group, group)
        return group

    # Emulated programs need more than ten seconds for some things.
    Path("/etc/cloister/.env").write_text("MAX_EXECUTION_TIME=40\n")

    @promise("a restart takes the environment file")
    def _():
        sh("systemctl", "restart", UNIT, seconds=30)
        answers()

    # --- Run ----------------------------------------------------------------------------------------------
    for language, code in LANGUAGES.items():
        @promise(f"{language}: a program that reads its input, or the packages to install")
        def _():
            with connect() as client:
                client.send(type="execute_code", language=language, code=code, stdin="1 2 3")
                answer = client.wait("execution_result", "error", seconds=15 * SLOW)
            if answer["type"] == "error":
                must(answer["code"] == "runtime_unavailable", answer)
                must(language not in ("python", "javascript"), f"installed here, and yet: {answer['message']}")
                return f"not installed on this machine, and said so: {answer['message']}"
            result = answer["result"]
            must(result["output"] == "42\n" and result["method"] == "native", result)
            return f"42, {result['start']}, wall {result['wall_time']:.2f} s, {result['memory_peak'] >> 20} MiB"

    # --- Attack -------------------------------------------------------------------------------------------
    attack()

    @promise("what a program leaves running is gone with its result")
    def _():
        result = run("import os, signal, time\nopen('/proc/self/comm', 'w').write('left-behind')\n"
                     "if os.fork() == 0:\n    os.setsid(); signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
                     "    for fd in (0, 1, 2): os.close(fd)\n    time.sleep(1000)\nprint('parent ends')\n")
        must(result["output"] == "parent ends\n", result)
        names = [p.joinpath("comm").read_text().strip() for p in Path("/proc").iterdir() if p.name.isdigit() and p.exists()]
        must("left-behind" not in names, "it still runs")
        boxes = json.loads(wire.get(HOST, PORT, "/api/v1/runtimes")[2])["boxes"]
        must(boxes["running"] == 0, boxes)
        return f"{boxes}"

    # --- A room, which everything from here on must leave alone ---------------------------------------------
    @promise("a room with a document is made")
    def _():
        client = connect()
        client.send(type="join_room", room_id="kept")
        client.wait("room_joined", seconds=10 * SLOW)
        client.send(type="code_change", file_path="main.py", content=KEPT, change_type="edit",
                    position={"line": 0, "column": 0})
        client.send(type="ping")
        client.wait("pong", seconds=10 * SLOW)
        client.close()
        room_is_kept()

    # --- Kill ---------------------------------------------------------------------------------------------
    for name, whom in (("keeper", keeper), ("front", front)):
        @promise(f"kill -9 of the {name}: every box is gone, systemd starts it again, the room is there")
        def _():
            restarts = int(shown("NRestarts"))
            with connect() as client:
                client.send(type="execute_code", language="python", code="import time\nwhile True: time.sleep(1)", stream=True,
                            id="doomed")
                client.wait("execution_started", seconds=10 * SLOW)
                before = set(box_processes())
                must(before, "no box runs")
                said = back_after(lambda: os.kill(whom(), signal.SIGKILL), restarts)
            left = before & set(box_processes())
            must(not left, f"processes {left} of boxes outlived it")
            room_is_kept()
            return said

    @promise("a front that hangs: the watchdog ends it and starts it again")
    def _():
        DROP_IN.parent.mkdir(parents=True, exist_ok=True)
        DROP_IN.write_text("[Service]\nWatchdogSec=15\n")
        sh("systemctl", "daemon-reload")
        sh("systemctl", "restart", UNIT, seconds=30)
        restarts = int(shown("NRestarts"))
        time.sleep(20)
        must(int(shown("NRestarts")) == restarts, "the watchdog bites while both halves live")
        said = back_after(lambda: os.kill(front(), signal.SIGSTOP), restarts)
        DROP_IN.unlink()
        DROP_IN.parent.rmdir()
        sh("systemctl", "daemon-reload")
        room_is_kept()
        return said

    # --- Reload and journal ---------------------------------------------------------------------------------
    policy = Path("/usr/share/cloister/policies/default.jsonc")

    def too_many():
        with connect() as client:
            client.send(type="execute_code", language="python", code="print(1)", limits={"processes": 64})
            return client.wait("execution_result", "error", seconds=10 * SLOW).get("code") == "limit_too_high"

    @promise("a reload changes a policy while a run goes on under the old one; a bad policy changes nothing")
    def _():
        good = policy.read_text()
        must('"processes": 64,' in good and not too_many(), "not as expected before")
        old = keeper()
        with connect() as client:
            client.send(type="execute_code", language="python", stream=True,
                        code="import time; print('begun', flush=True); time.sleep(5); print('ended')")
            client.wait("execution_output", seconds=10 * SLOW)
            policy.write_text(good.replace('"processes": 64,', '"processes": 32,'))
            sh("systemctl", "reload", UNIT)
            wait_for(too_many, "the new limit")
            result = client.wait("execution_result", seconds=10 * SLOW)["result"]
        must(result["output"] == "begun\nended\n", result)
        policy.write_text(good.replace('"processes": 64,', '"processes": "many",'))
        said = sh("systemctl", "reload", UNIT, check=False)
        must("failed" in said.lower(), f"systemctl took a bad policy: {said}")
        must(too_many() and keeper() == old and shown("ActiveState") == "active", "a bad policy had an effect")
        policy.write_text(good)
        sh("systemctl", "reload", UNIT)
        wait_for(lambda: not too_many(), "the old limit")

    @promise("the journal has one line of JSON for each event, and nothing of any program in it")
    def _():
        text = sh("journalctl", "-u", UNIT, "-o", "cat", "--no-pager")
        events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
        kinds = {event["event"] for event in events}
        must({"serving", "run_ended", "drain_begins", "drain_ends", "reloaded"} <= kinds, f"only {kinds}")
        must(any(event.get("suspicious") for event in events), "the fork bomb is not marked")
        for word in ("left-behind", "SECRET", "os.fork", "kept over all", "finished"):
            must(word not in text, f"it holds {word!r}")
        status, _, metrics = wire.get(HOST, PORT, "/metrics")
        must(status == 200 and "cloister_runs_total{" in metrics, "no metrics")
        must("runs wait" in sh("cloister", "top", "--once"), "no top")
        return f"{len(events)} events: {', '.join(sorted(kinds))}"

    # --- Upgrade ------------------------------------------------------------------------------------------
    @promise("an upgrade drains: a run under way gets its answer, the new version serves, the room is there")
    def _():
        old = keeper()
        config = Path("/etc/cloister/cloister.jsonc")
        config.write_text(config.read_text().replace('// "queue": 1024,', '"queue": 1000,'))
        with connect() as client:
            client.send(type="execute_code", language="python", stream=True,
                        code="import time; print('begun', flush=True); time.sleep(4); print('finished')")
            client.wait("execution_output", seconds=10 * SLOW)
            upgrade = subprocess.Popen(["dpkg", "--force-confold", "-i", "next.deb"], stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            result = client.wait("execution_result", seconds=20 * SLOW)["result"]
        said = upgrade.communicate(timeout=30 * SLOW)[0]
        must(upgrade.returncode == 0, said)
        must(result["verdict"] in ("ok", "cancelled") and "begun" in result["output"], result)
        must(keeper() != old and shown("ActiveState") == "active", "the old one still runs")
        must('"queue": 1000,' in config.read_text(), "changed configuration was overwritten")
        answers()
        room_is_kept()
        return f"{sh('dpkg-query', '-W', '-f', '${Version}', 'cloister')}; the run: {result['verdict']}"

    # --- Socket activation ----------------------------------------------------------------------------------
    @promise("with the socket: a client that comes while the service is away waits, and is served")
    def _():
        sh("systemctl", "stop", UNIT, seconds=30)
        sh("systemctl", "start", "cloisterd.socket")
        answers()
        must(shown("TriggeredBy") == "cloisterd.socket", shown("TriggeredBy"))
        sh("systemctl", "stop", "cloisterd.socket", UNIT, seconds=30)
        sh("systemctl", "start", UNIT, seconds=30)
        answers()

    # --- Stop, remove, purge --------------------------------------------------------------------------------
    @promise("stop drains: the run under way is answered, status 0, no box is left")
    def _():
        with connect() as client:
            client.send(type="execute_code", language="python", stream=True,
                        code="import time; print('begun', flush=True); time.sleep(3); print('finished')")
            client.wait("execution_output", seconds=10 * SLOW)
            stop = subprocess.Popen(["systemctl", "stop", UNIT])
            result = client.wait("execution_result", seconds=20 * SLOW)["result"]
            must(stop.wait(20 * SLOW) == 0, "systemctl stop failed")
        must(shown("Result") == "success" and shown("ActiveState") == "inactive", shown("Result"))
        must(not box_processes(), f"boxes are left: {box_processes()}")
        must("begun" in result["output"], result)
        return f"{result['verdict']}, Result={shown('Result')}"

    @promise("removing keeps rooms and configuration; installing it again finds them")
    def _():
        sh("systemctl", "start", UNIT, seconds=30)
        sh("dpkg", "-r", "cloister", seconds=30)
        must(Path("/var/lib/cloister/store.db").exists() and Path("/etc/cloister/cloister.jsonc").exists(), "lost")
        must(not Path("/usr/sbin/cloisterd").exists(), "the program is left")
        sh("dpkg", "-i", "next.deb", seconds=30)
        answers()
        room_is_kept()

    files = [line for line in sh("dpkg", "-L", "cloister").split() if "cloister" in line]

    @promise("purging leaves nothing: no file, folder, account, unit, process or control group")
    def _():
        sh("dpkg", "--purge", "cloister", seconds=30)
        left = [name for name in [*files, "/var/lib/cloister", "/run/cloister", "/etc/cloister"] if Path(name).exists()]
        must(not left, f"files: {left}")
        for place in ("/etc", "/usr", "/var/lib", "/run", "/lib"):
            found = sh("find", place, "-xdev", "-name", "*cloister*", "-not", "-path", "/var/lib/dpkg/*",
                       "-not", "-path", "*/journal/*").split()
            must(not found, f"files: {found}")
        for name in ("passwd", "group", "shadow"):
            must("cloister" not in Path(f"/etc/{name}").read_text(), f"an account in /etc/{name}")
        must("cloister" not in sh("systemctl", "list-units", "--all", "--no-legend", "cloister*"), "a unit")
        processes = [p.name for p in Path("/proc").iterdir() if p.name.isdigit() and p.joinpath("comm").exists()
                     and "cloister" in p.joinpath("comm").read_text()]
        must(not processes and not box_processes(), f"processes: {processes}")
        groups = sh("find", "/sys/fs/cgroup", "-type", "d", "-name", "*cloister*").split()
        must(not groups, f"groups: {groups}")
        return f"{len(files)} files and folders of the package"

    finish()


if __name__ == "__main__":
    main()
