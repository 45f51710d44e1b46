"""What is the Docker executor's own: streams, terminals, signals, artifacts, and that nothing is ever left."""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import engine
import programs
import service
import wire

RUN = Path("/run/cloister")


class Case(unittest.TestCase):
    def connect(self, daemon=None):
        daemon = daemon or engine.shared("docker")
        client = wire.Client(daemon.host, daemon.port)
        self.addCleanup(client.close)
        return client

    def nothing_left(self, daemon, seconds=20):
        """Containers and volumes go a moment after the answer."""
        end = time.monotonic() + seconds * service.SLOW
        while True:
            left = engine.engine().containers(daemon) + engine.engine().volumes(daemon)
            if not left or time.monotonic() > end:
                return self.assertEqual(left, [])
            time.sleep(0.1)

    def own_daemon(self, **config):
        daemon = engine.start("docker", **config)
        self.addCleanup(daemon.stop)
        return daemon

    def folder_of(self, containers):
        """Where the daemon of these containers has their sockets."""
        mounts = json.loads(engine.engine().docker("inspect", *containers).stdout)[0]["Mounts"]
        source = next(Path(mount["Source"]) for mount in mounts if mount["Destination"] == str(RUN))
        self.assertEqual(source.parent.parent, RUN)
        return source.parent


class OverDocker(Case):
    def test_events_come_in_order_and_name_the_executor(self):
        result = self.connect().run("import time\nfor i in range(3):\n  print(i); time.sleep(.1)", stream=True, usage=True)
        events = result["events"]
        self.assertEqual((events[0]["type"], events[0]["method"], events[0]["start"]), ("execution_started", "docker", "cold"))
        self.assertEqual("".join(e["data"] for e in events if e["type"] == "execution_output"), "0\n1\n2\n")
        self.assertEqual(result["start"], "cold")

    def test_stdin_line_by_line(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, interactive=True, code=(
            "while True:\n  try: line = input('> ')\n  except EOFError: break\n  print('got', line, flush=True)"))
        run_id = client.wait("execution_started", seconds=30 * service.SLOW)["run_id"]
        for word in ("one", "two"):
            client.send(type="execution_input", run_id=run_id, data=word + "\n")
            seen = ""
            while f"got {word}\n" not in seen:
                seen += client.wait("execution_output", seconds=10 * service.SLOW)["data"]
        client.send(type="execution_input", run_id=run_id, eof=True)
        self.assertEqual(client.wait("execution_result")["result"]["output"], "> got one\n> got two\n> ")

    def test_a_terminal_is_the_programs_own(self):
        client = self.connect()
        client.send(type="execute_code", language="python", tty=True, stream=True, cols=77, rows=20, code=(
            "import os, sys, time\nprint(sys.stdin.isatty(), os.get_terminal_size().columns, flush=True)\n"
            "try: time.sleep(20)\nexcept KeyboardInterrupt: print('interrupted', flush=True)"))
        run_id = client.wait("execution_started", seconds=30 * service.SLOW)["run_id"]
        seen = ""
        while "True 77" not in seen:
            seen += client.wait("execution_output", seconds=10 * service.SLOW)["data"]
        client.send(type="execution_input", run_id=run_id, data="\x03")
        self.assertIn("interrupted", client.wait("execution_result", seconds=10 * service.SLOW)["result"]["output"])

    def test_signals_reach_the_program_and_cancelling_ends_it(self):
        daemon = self.own_daemon()
        client = self.connect(daemon)
        client.send(type="execute_code", language="python", stream=True, id="s", code=(
            "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: (print('usr1', flush=True), exit(5)))\n"
            "print('ready', flush=True)\ntime.sleep(30)"))
        client.wait("execution_output", seconds=30 * service.SLOW)
        client.send(type="execution_signal", id="s", signal="SIGUSR1")
        self.assertEqual(client.wait("execution_result", seconds=10 * service.SLOW)["result"]["exit_code"], 5)
        client.send(type="execute_code", language="python", stream=True, id="c", code="print(1, flush=True)\nimport time; time.sleep(30)")
        client.wait("execution_output", seconds=30 * service.SLOW)
        client.send(type="execution_cancel", id="c")
        self.assertEqual(client.wait("execution_result", seconds=10 * service.SLOW)["result"]["verdict"], "cancelled")
        client.send(type="execute_code", language="python", id="early", code="import time; time.sleep(30)")
        client.send(type="execution_cancel", id="early")  # its container is not there yet
        self.assertEqual(client.wait("execution_result", seconds=30 * service.SLOW)["result"]["verdict"], "cancelled")
        self.nothing_left(daemon)

    def test_a_large_input_and_output_arrive_whole(self):
        result = self.connect().run("import sys; sys.stdout.write(sys.stdin.read())", stdin="é" * 100_000)
        self.assertEqual(result["output"], "é" * 100_000)

    def test_several_files_and_arguments(self):
        result = self.connect().run("import sys, part\nprint(part.VALUE, sys.argv[1:], open('data/x.txt').read())",
                                    args=["one", "two words"],
                                    files=[{"path": "part.py", "content": "VALUE = 7"}, {"path": "data/x.txt", "content": "text"}])
        self.assertEqual(result["output"], "7 ['one', 'two words'] text\n")

    def test_files_come_back_and_nothing_but_the_programs_own(self):
        result = self.connect().run(
            "import os\nopen('out', 'w').write('mine')\nos.symlink('/proc/self/status', 'link')\nos.mkfifo('pipe')\n"
            "if os.fork() == 0:\n  while True: open('out', 'a').write('')", collect=["out", "link", "pipe", "none"])
        self.assertEqual(result["verdict"], "ok", result)
        files = {file["path"]: file for file in result["files"]}
        self.assertEqual(files["out"]["content"], "mine")
        self.assertEqual(set(files), {"out", "link", "pipe", "none"})
        for name in ("link", "pipe", "none"):
            self.assertNotIn("content", files[name])
            self.assertTrue(files[name]["error"], name)

    def test_what_is_compiled_is_kept_read_only_and_goes_with_the_daemon(self):
        daemon = self.own_daemon()
        code = ("#include <stdio.h>\n#include <errno.h>\n#include <fcntl.h>\nint main(int c, char** v) { errno = 0;"
                " int f = open(\"/app/main\", O_WRONLY); printf(\"%d %d %d %s\\n\", f, errno, creat(\"/app/x\", 0600), v[1]); }")
        first = self.connect(daemon).run(code, "c", args=["a"])
        again = self.connect(daemon).run(code, "c", args=["b"])
        self.assertEqual((first["output"], first["compile"]["cached"]), ("-1 30 -1 a\n", False))  # EROFS
        self.assertEqual((again["output"], again["compile"]["cached"]), ("-1 30 -1 b\n", True))
        self.assertEqual(len(engine.engine().volumes(daemon)), 1)
        daemon.stop()
        self.nothing_left(daemon)

    def test_without_a_cache_an_artifact_is_gone_after_its_run(self):
        daemon = self.own_daemon(artifact_cache=0)
        self.assertEqual(self.connect(daemon).run(programs.HELLO["c"], "c")["output"], "hello\n")
        self.nothing_left(daemon)

    def test_a_killed_daemon_leaves_no_program_and_its_successor_no_container(self):
        engine.shared("docker")  # lives throughout
        daemon = self.own_daemon()
        mark = service.fresh_mark()
        client = self.connect(daemon)
        self.assertEqual(client.run(programs.HELLO["c"], "c")["output"], "hello\n")  # a holder of an artifact, too
        client.send(type="execute_code", language="python", stream=True,
                    code=service.show(mark) + "print('begun', flush=True)\nimport time\ntime.sleep(60)")
        client.wait("execution_output", seconds=30 * service.SLOW)
        # One that belongs to somebody else, and one to a daemon with another state directory.
        for label in ("somebody=else", "cloister.state_dir=/nowhere"):
            engine.engine().docker("create", "--name", "other-" + label[-5:].strip("/="), "--label", label, "--network", "none",
                                   "cloister/python:run", "/usr/bin/python3")
        try:
            before = set(engine.engine().containers(daemon))
            folder = self.folder_of(before)
            others = set(RUN.glob("containers-*")) - {folder}
            daemon.end(signal.SIGKILL)
            self.assertTrue(service.gone_within(mark, 2 * service.SLOW), "its program lives")
            self.assertTrue(before)
            self.assertTrue(folder.is_dir())
            daemon.start()  # which asks for versions, in containers of its own that may be on their way out
            self.assertFalse(folder.exists(), "its folder is left")
            self.assertTrue(any(other.is_dir() for other in others), "folders of living daemons are gone")
            self.assertEqual(before & set(engine.engine().containers(daemon)), set())
            self.assertEqual(engine.engine().volumes(daemon), [])
            left = engine.engine().lines("ps", "--all", "--format", "{{.Names}}")
            self.assertEqual(len([name for name in left if name.startswith("other-")]), 2, "containers of others are gone")
            self.assertEqual(self.connect(daemon).run("print(1)")["output"], "1\n")
        finally:
            for name in engine.engine().lines("ps", "--all", "--format", "{{.Names}}"):
                if name.startswith("other-"):
                    engine.engine().docker("rm", "--force", name)

    def test_nothing_survives_its_result(self):
        mark = service.fresh_mark()
        code = ("import os, time\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    " +
                service.show(mark).strip() + "\n    time.sleep(60)\n  os._exit(0)\ntime.sleep(.3)\nprint('done')")
        self.assertEqual(self.connect().run(code)["output"], "done\n")
        self.assertEqual(service.processes_with(mark), [])

    def test_many_at_once_each_get_their_own_answer(self):
        daemon = engine.shared("docker")

        def one(number):
            client = self.connect(daemon)
            return client.run(f"import os; print({number}, os.getuid())", seconds=120 * service.SLOW)["output"].split()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(one, range(12)))
        self.assertEqual([int(answer[0]) for answer in answers], list(range(12)))
        self.assertTrue(all(int(answer[1]) >= 2_000_000_000 for answer in answers))

    def test_the_client_s_bytes_are_in_no_argument_list(self):
        """Everything that the engine and its command are told is fixed: what a client sends is seen nowhere."""
        client = self.connect()
        secret = service.fresh_mark()
        client.send(type="execute_code", language="python", stream=True, args=[secret], files=[{"path": secret, "content": secret}],
                    code=f"# {secret}\nprint(1, flush=True)\nimport time; time.sleep(2)")
        client.wait("execution_output", seconds=30 * service.SLOW)
        seen = json.dumps([json.loads(engine.engine().docker("inspect", name).stdout) for name in engine.engine().containers(engine.shared("docker"))])
        self.assertIn("cloister/python:run", seen)
        self.assertNotIn(secret, seen)
        self.assertEqual(client.wait("execution_result")["result"]["verdict"], "ok")

    def test_every_container_is_hardened(self):
        client = self.connect()
        client.send(type="execute_code", language="python", stream=True, code="print(1, flush=True)\nimport time; time.sleep(2)")
        client.wait("execution_output", seconds=30 * service.SLOW)
        names = engine.engine().containers(engine.shared("docker"), "--filter", "ancestor=cloister/python:run")
        described = json.loads(engine.engine().docker("inspect", names[0]).stdout)[0]
        host = described["HostConfig"]
        self.assertEqual((host["NetworkMode"], host["CapDrop"], host["CapAdd"], host["ReadonlyRootfs"], host["Privileged"]),
                         ("none", ["ALL"], None, True, False))
        self.assertIn("no-new-privileges", host["SecurityOpt"])
        self.assertTrue(any(option.startswith("seccomp={") for option in host["SecurityOpt"]))
        self.assertEqual((host["Memory"], host["MemorySwap"], host["CpuQuota"], host["PidsLimit"]), (128 << 20, 128 << 20, 50000, 65))
        self.assertEqual((host["IpcMode"], host["CgroupnsMode"], host["PidMode"], host["UTSMode"], host["ShmSize"]),
                         ("private", "private", "", "", 16 << 20))
        self.assertEqual((host["OomScoreAdj"], host["LogConfig"]["Type"], host["AutoRemove"], host["Devices"] or [], host["GroupAdd"] or []),
                         (500, "none", True, [], []))
        self.assertEqual({one["Name"]: (one["Soft"], one["Hard"]) for one in host["Ulimits"]},
                         {"core": (1, 1), "fsize": (64 << 20,) * 2, "memlock": (64 << 10,) * 2, "msgqueue": (0, 0), "nofile": (1024, 1024),
                          "rtprio": (0, 0)})
        self.assertEqual(set(host["Tmpfs"]), {"/box", "/tmp", "/sys", "/dev/mqueue"})
        for place, options in host["Tmpfs"].items():
            wanted = {"rw", f"size={64 << 20}", "nr_inodes=16385", "mode=700"} if place in ("/box", "/tmp") else {"ro", "size=4k", "nr_inodes=2"}
            self.assertLessEqual(wanted | {"noexec", "nosuid", "nodev"}, set(options.split(",")), place)
        self.assertTrue(all(not mount["RW"] for mount in described["Mounts"]), described["Mounts"])
        user, group = map(int, described["Config"]["User"].split(":"))
        self.assertTrue(user == group >= 2_000_000_000)
        client.wait("execution_result")

    def test_limits_may_be_lower_than_what_an_engine_takes(self):
        result = self.connect().run("import threading, time\nn = 0\ntry:\n  while True: threading.Thread(target=time.sleep, args=(5,),"
                                    " daemon=True).start(); n += 1\nexcept RuntimeError: print(n, flush=True)\nimport os; os._exit(0)",
                                    limits={"processes": 5})
        self.assertEqual(result["output"], "4\n")
        self.assertEqual(self.connect().run("print(1)", limits={"memory": "2m"})["verdict"], "memory_limit")

    def test_a_language_without_an_image_is_said_to_be_missing_and_one_appears_by_a_reload(self):
        engine.engine().docker("tag", "cloister/python:run", "kept:run")
        engine.engine().docker("rmi", "cloister/python:run")
        try:
            daemon = self.own_daemon()
            answer = self.connect(daemon).ask(type="execute_code", language="python", code="print(1)")
            self.assertEqual((answer["type"], answer["code"]), ("error", "runtime_unavailable"))
        finally:
            engine.engine().docker("tag", "kept:run", "cloister/python:run")
            engine.engine().docker("rmi", "kept:run")
        daemon.process.send_signal(signal.SIGHUP)
        end = time.monotonic() + 30 * service.SLOW
        while self.connect(daemon).ask(type="execute_code", language="python", code="print(1)")["type"] == "error":
            self.assertLess(time.monotonic(), end)
            time.sleep(0.3)

    def test_an_engine_that_does_not_answer_is_refused_in_words(self):
        with self.assertRaises(RuntimeError) as refused:
            service.Daemon(config={"executor": "docker", "docker_host": "unix:///nowhere/sock"})
        self.assertIn("refusing to serve: with docker: docker does not answer", str(refused.exception))

    def test_an_engine_that_is_restarted_fails_runs_and_not_the_daemon(self):
        daemon = self.own_daemon()
        client = self.connect(daemon)
        self.assertEqual(client.run(programs.HELLO["c"], "c")["output"], "hello\n")
        engine.engine().end()
        try:
            self.assertEqual(client.run("print(2)")["verdict"], "internal_error")
            self.assertIn("container_failed", daemon.text())
        finally:
            engine.engine().begin()
        self.assertEqual(client.run("print(3)")["output"], "3\n")
        # What was compiled went with its container: said once, and then compiled again.
        client.run(programs.HELLO["c"], "c")
        self.assertEqual(client.run(programs.HELLO["c"], "c")["output"], "hello\n")

    def test_check_says_whether_docker_answers_and_what_is_missing(self):
        environment = os.environ | {"DOCKER_HOST": engine.engine().host}
        said = subprocess.run([str(service.build_directory() / "cloister"), "check"], capture_output=True, text=True,
                              env=environment, timeout=60 * service.SLOW).stdout
        line = next(line for line in said.splitlines() if "docker" in line)
        self.assertTrue(line.startswith("ok "), said)
        silent = subprocess.run([str(service.build_directory() / "cloister"), "check"], capture_output=True, text=True,
                                env=os.environ | {"DOCKER_HOST": "unix:///nowhere/sock"}, timeout=60 * service.SLOW).stdout
        self.assertIn("note    docker: docker does not answer", silent)


class AsAService(Case):
    """Under what the service's unit puts on, as far as it can be had without a service manager."""

    def test_containers_run_under_the_unit(self):
        unit = str(service.SOURCE / "systemd" / "cloisterd.service")
        daemon = engine.start("docker", before=[sys.executable, str(Path(__file__).with_name("as_unit.py")), tempfile.gettempdir(), unit])
        self.addCleanup(daemon.stop)
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        bounding = int(next(line for line in status.splitlines() if line.startswith("CapBnd")).split()[1], 16)
        self.assertFalse(bounding >> 3 & 1, "CAP_FOWNER, which the unit does not have")
        mounts = Path(f"/proc/{daemon.process.pid}/mounts").read_text()
        self.assertRegex(mounts, r" /proc proc \S*hidepid=invisible")
        for language in ("python", "c"):
            result = self.connect(daemon).run(programs.HELLO[language], language)
            self.assertEqual((result["output"], result["method"]), ("hello\n", "docker"), daemon.text()[-2000:])
        daemon.stop()
        self.nothing_left(daemon)
