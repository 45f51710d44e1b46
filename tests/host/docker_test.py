"""Runs as root on a machine of its own, under systemd: the package with Debian's docker.io beside it, programs in its
containers. In this order, one line per promise, as service_test.py has them."""
import json
import os
import signal
import subprocess
from pathlib import Path

import service_test
from service_test import UNIT, attack, back_after, connect, finish, front, keeper, must, prepare, promise, run, sh, shown, wait_for

LABEL = "label=cloister.state_dir=/var/lib/cloister"
INSIDE = """import os, socket
status = dict(line.split(':\\t', 1) for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)
print('capabilities', int(status['CapEff'], 16) | int(status['CapBnd'], 16), 'filter', status['Seccomp'], 'privileges', status['NoNewPrivs'])
print('root' if os.getuid() == 0 else 'nobody', [name for _, name in socket.if_nameindex()])
try: open('/usr/planted', 'w'); print('WROTE')
except OSError: print('read-only')
"""


def containers():
    return sh("docker", "ps", "--all", "--quiet", "--filter", LABEL).split()


def nothing_left(seconds=20):
    wait_for(lambda: not containers(), "the end of every container", seconds)
    must(not sh("docker", "volume", "ls", "--quiet", "--filter", LABEL).split(), "a volume is left")


def back_after_end_of(whom):
    """The service is up again after it lost that process, and has swept what the run left."""
    with connect() as client:
        client.send(type="execute_code", language="python", code="import time\nwhile True: time.sleep(1)", stream=True, id="doomed")
        client.wait("execution_started", seconds=15 * service_test.SLOW)
        must(containers(), "no container runs")
        said = back_after(lambda: os.kill(whom(), signal.SIGKILL), int(shown("NRestarts")))
    nothing_left()
    return said


def main():
    prepare()

    @promise("the package installs beside Debian's engine")
    def _():
        sh("dpkg", "-i", "first.deb", seconds=30)
        about = json.loads(sh("docker", "info", "--format", "{{json .}}"))
        return f"docker {about['ServerVersion']}, cgroup v{about['CgroupVersion']} by {about['CgroupDriver']}, {about['Driver']}"
    if service_test.failed:
        finish()

    @promise("images are made of what this machine has, without a registry")
    def _():
        sh("cloister", "docker-image", "python", "javascript", seconds=30)
        return " ".join(sh("docker", "images", "--format", "{{.Repository}}:{{.Tag}}").split())

    @promise("with the drop-in and one option the service starts, and programs run in containers")
    def _():
        Path("/etc/cloister/cloister.jsonc").write_text('{"executor": "docker"}')
        Path("/etc/cloister/.env").write_text("MAX_EXECUTION_TIME=60\n")
        sh("install", "-D", "-m", "644", "-t", "/etc/systemd/system/cloisterd.service.d", "/usr/share/cloister/docker.conf")
        sh("systemctl", "daemon-reload")
        sh("systemctl", "restart", UNIT, seconds=60)
        for language, code in (("python", service_test.LANGUAGES["python"]), ("javascript", service_test.LANGUAGES["javascript"])):
            result = run(code, language, stdin="1 2 3")
            must(result["output"] == "42\n" and result["method"] == "docker", result)
        nothing_left()
        return f"wall {result['wall_time']:.2f} s, {result['memory_peak'] >> 20} MiB"

    @promise("from within: no capability, no privilege to gain, a filter, no network, not root, nothing to write")
    def _():
        result = run(INSIDE)
        must(result["output"] == "capabilities 0 filter 2 privileges 1\nnobody ['lo']\nread-only\n", result)

    attack()

    @promise("memory is counted by the container's own group")
    def _():
        result = run("kept = b'x' * (60 << 20); print(len(kept) >> 20)")
        must(result["output"] == "60\n" and 60 << 20 <= result["memory_peak"] < 128 << 20, result)
        return f"{result['memory_peak'] >> 20} MiB"

    @promise("half a processor is half a processor")
    def _():
        result = run("import time\nend = time.monotonic() + 12\nwhile time.monotonic() < end: pass", limits={"wall_time": 40})
        share = result["cpu_time"] / result["wall_time"]
        must(0.2 < share < 0.65, result)
        return f"{share:.2f} of one"

    @promise("a program that waits for input gets it, and is stopped when asked")
    def _():
        with connect() as client:
            client.send(type="execute_code", language="python", stream=True, interactive=True, id="i",
                        code="print('got', input(), flush=True)\nimport time\ntime.sleep(1000)")
            run_id = client.wait("execution_started", seconds=15 * service_test.SLOW)["run_id"]
            client.send(type="execution_input", run_id=run_id, data="a word\n")
            seen = ""
            while "got a word\n" not in seen:
                seen += client.wait("execution_output", seconds=15 * service_test.SLOW)["data"]
            client.send(type="execution_cancel", run_id=run_id)
            result = client.wait("execution_result", seconds=15 * service_test.SLOW)["result"]
        must(result["verdict"] == "cancelled", result)
        nothing_left()

    for name, whom in (("keeper", keeper), ("front", front)):
        @promise(f"kill -9 of the {name}: systemd starts it again, and its containers are gone")
        def _():
            return back_after_end_of(whom)

    @promise("an engine that is gone is said, and served again when it is back")
    def _():
        sh("systemctl", "stop", "docker.socket", "docker.service", seconds=30)
        with connect() as client:
            client.send(type="execute_code", language="python", code="print(1)")
            answer = client.wait("execution_result", "error", seconds=15 * service_test.SLOW)
        said = answer.get("code") or answer["result"]["verdict"]
        must(said in ("runtime_unavailable", "internal_error"), answer)
        sh("systemctl", "start", "docker.socket", "docker.service", seconds=30)
        wait_for(lambda: run("print(1)")["output"] == "1\n", "an answer", 20)
        return said

    @promise("stopping and purging leaves no container, no volume, no process")
    def _():
        with connect() as client:
            client.send(type="execute_code", language="python", stream=True,
                        code="import time; print('begun', flush=True); time.sleep(3); print('finished')")
            client.wait("execution_output", seconds=15 * service_test.SLOW)
            stop = subprocess.Popen(["systemctl", "stop", UNIT])
            result = client.wait("execution_result", seconds=20 * service_test.SLOW)["result"]
            must(stop.wait(20 * service_test.SLOW) == 0, "systemctl stop failed")
        must("begun" in result["output"], result)
        sh("dpkg", "--purge", "cloister", seconds=30)
        nothing_left()
        must(not Path("/run/cloister").exists(), "/run/cloister is left")
        return result["verdict"]

    finish()


if __name__ == "__main__":
    main()
