"""What a command of go-judge's clients must not reach, and what they cannot send."""
import http.client
import json
import threading
import time

import service
import wire
from go_judge_cases import MIB, SECOND, GoJudgeCase, cmd, pipe, python


class Attacks(GoJudgeCase):
    """Each is also what a client could send; what holds it is told in SECURITY.md."""

    def test_a_left_link_is_not_followed(self):
        code = ("import os\nos.symlink('/etc/passwd', 'a')\nos.symlink('/etc', 'b')\nos.symlink('/proc/self/cwd/../etc/passwd', 'c')\n"
                "os.mkdir('d')\nos.symlink('..', 'd/up')\nopen('secret', 'w').write('own')\nos.symlink('secret', 'e')")
        names = ["a", "b/passwd", "c", "d/up/secret", "e"]
        one = self.run_one(python(code, copyOut=names, copyOutCached=names))
        self.assertEqual(one["status"], "File Error")
        self.assertEqual({e["type"] for e in one["fileError"]}, {"CopyOutNotRegularFile"})
        self.assertEqual((set(one["files"]), one.get("fileIds")), ({"stdout", "stderr"}, None))

    def test_a_brought_link_leads_nowhere_but_in_the_box(self):
        links = {"a": {"symlink": "/etc/shadow"}, "b": {"symlink": "/proc/1/root"}, "c": {"symlink": "../../../../etc"}, "d": {"symlink": "/etc/passwd"}}
        one = self.run_one(python("import os\nprint(os.path.exists('a'), os.path.isdir('c'))\n"
                                  "try: print(os.listdir('b'))\nexcept OSError as e: print(e.strerror)\nprint(open('d').read())",
                                  copyIn=links, copyOut=["a", "d", "c/passwd"]))
        out = one["files"]["stdout"]
        self.assertTrue(out.startswith("False True\n"), out)
        self.assertNotIn(open("/etc/passwd").read().splitlines()[-1], out)  # the box's own
        self.assertEqual({e["type"] for e in one["fileError"]}, {"CopyOutNotRegularFile"})
        one = self.run_one(python("", copyIn={"z": {"symlink": "/tmp"}, "z/x": {"content": "through"}}))
        self.assertEqual(one["status"], "File Error", one)

    def test_files_without_end(self):
        one = self.run_one(python("f = open('f', 'wb')\nwhile True: f.write(b'x' * 65536)", copyOut=["f"], clockLimit=20 * SECOND, cpuLimit=10 * SECOND))
        self.assertIn(one["status"], ("Signalled", "Nonzero Exit Status", "Memory Limit Exceeded"))
        one = self.run_one(python("open('f', 'wb').truncate(1 << 27)", copyOut=["f"], copyOutCached=["f"], copyOutTruncate=True))
        self.assertEqual((one["status"], {e["type"] for e in one["fileError"]}), ("File Error", {"CopyOutSizeExceeded"}))
        one = self.run_one(python("import os\nfor i in range(100000): open(str(i), 'w')"))
        self.assertIn("No space left", one["files"]["stderr"])

    def test_answers_without_end(self):
        half = python("import sys; sys.stdout.write('x' * (6 << 20))", out=16 * MIB)
        answer = self.run_all(half, half)
        self.assertEqual(sorted(one["status"] for one in answer), ["Accepted", "Output Limit Exceeded"])
        dropped = next(one for one in answer if "files" not in one)
        self.assertEqual({e["type"] for e in dropped["fileError"]}, {"CollectSizeExceeded"})
        kept = self.run_one(half | {"copyOutCached": ["stdout"]})
        self.assertEqual((kept["status"], kept["files"]), ("Accepted", {"stderr": ""}))
        status, body = self.ask("GET", "/file/" + kept["fileIds"]["stdout"])
        self.assertEqual((status, body), (200, b"x" * (6 << 20)))
        three = {str(i): {"fileId": kept["fileIds"]["stdout"]} for i in range(3)}
        one = self.run_one(cmd("/bin/true", copyIn=three))
        self.assertEqual((one["status"], one["fileError"][0]["type"]), ("File Error", "CopyInCopyContent"))
        self.ask("DELETE", "/file/" + kept["fileIds"]["stdout"])

    def test_bombs(self):
        mark = service.fresh_mark()
        one = self.run_one(python(service.show(mark) + "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass", cpuLimit=SECOND, clockLimit=2 * SECOND))
        self.assertEqual(one["status"], "Time Limit Exceeded", one)
        self.assertEqual(service.processes_with(mark), [])
        one = self.run_one(python("x = []\nwhile True: x.append(bytearray(1 << 20))", memoryLimit=64 * MIB))
        self.assertEqual(one["status"], "Memory Limit Exceeded")
        self.assertLessEqual(one["memory"], 64 * MIB)
        one = self.run_one(cmd("/bin/sh", "-c", "sleep 60 & sleep 60 & echo up", clockLimit=5 * SECOND))
        self.assertEqual((one["status"], one["files"]["stdout"]), ("Accepted", "up\n"))

    def test_a_ring_in_which_nobody_speaks(self):
        silent = cmd("/bin/cat", files=[None, None], cpuLimit=SECOND, clockLimit=SECOND)
        answer = self.run_all(*[silent] * 4, pipeMapping=[pipe(i, (i + 1) % 4) for i in range(4)])
        self.assertIn("Time Limit Exceeded", [one["status"] for one in answer], answer)

    def test_a_ring_that_never_stops_speaking(self):
        mark = service.fresh_mark()
        begins = python(service.show(mark) + "import sys\nsys.stdout.write('x' * 1000)\nsys.stdout.flush()\nwhile True:\n"
                        "  piece = sys.stdin.buffer.raw.read(65536)\n  if not piece: break\n  sys.stdout.buffer.write(piece * 2)\n  sys.stdout.flush()",
                        files=[None, None, {"name": "e", "max": 1000}])
        answer = self.run_all(*[begins] * 3, pipeMapping=[pipe(i, (i + 1) % 3, proxy=True, name="log", max=1 << 62) for i in range(3)])
        self.assertTrue({"Output Limit Exceeded", "Time Limit Exceeded"} & {one["status"] for one in answer}, [one["status"] for one in answer])
        self.assertLessEqual(sum(len(one.get("files", {}).get("log", "")) for one in answer), 8 * MIB)
        self.assertEqual(service.processes_with(mark), [])

    def test_records_without_end(self):
        speaker = python("import sys; sys.stdout.write('x' * (6 << 20))", files=[{"content": ""}, None, {"name": "e", "max": 10}])
        hears = cmd("/usr/bin/wc", "-c", files=[None, {"name": "o", "max": 100}])
        pipes = [pipe(0, 2, proxy=True, name="log", max=1 << 62), pipe(1, 3, proxy=True, name="log", max=1 << 62)]
        answer = self.run_all(speaker, speaker, hears, hears, pipeMapping=pipes)
        self.assertEqual(sorted(one["status"] for one in answer[:2]), ["Accepted", "Output Limit Exceeded"], answer)
        dropped = next(one for one in answer[:2] if "files" not in one)
        self.assertEqual({(e["name"], e["type"]) for e in dropped["fileError"]}, {("log", "CollectSizeExceeded"), ("e", "CollectSizeExceeded")})
        self.assertEqual([one["files"]["o"].strip() for one in answer[2:]], [str(6 << 20)] * 2)

    def test_a_group_is_larger_than_the_server(self):
        small = service.Daemon({"boxes": 3})
        self.addCleanup(small.stop)
        four = {"cmd": [cmd("/bin/cat", files=[None, None])] * 4, "pipeMapping": [pipe(i, i + 1) for i in range(3)]}
        for _ in range(3):
            status, answer = self.ask("POST", "/run", four, small)
            self.assertEqual((status, answer), (500, "4 boxes at one time are needed, and this server has 3."))
        self.assertEqual(self.run_one(cmd("/bin/true"), small)["status"], "Accepted")

    def test_groups_that_want_each_others_places(self):
        # Each needs more than half of the boxes, so that half of one and half of the other would wait for ever.
        daemon = service.Daemon({"boxes": 5, "queue": 100})
        self.addCleanup(daemon.stop)
        first = cmd("/bin/echo", "x", files=[{"content": ""}, None])
        link = cmd("/bin/cat", files=[None, None])
        last = cmd("/bin/cat", files=[None, {"name": "o", "max": 10}])
        found = []

        def ask(size):
            commands = [first] + [link] * (size - 2) + [last]
            found.append(self.ask("POST", "/run", {"cmd": commands, "pipeMapping": [pipe(i, i + 1) for i in range(size - 1)]}, daemon))
        threads = [threading.Thread(target=ask, args=(size,)) for size in (3, 4, 5) * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(found), 12)
        for status, answer in found:
            self.assertEqual((status, {one["status"] for one in answer}, answer[-1]["files"]), (200, {"Accepted"}, {"o": "x\n"}), answer)

    def test_whoever_leaves_ends_the_whole_group(self):
        daemon = service.shared()
        mark = service.fresh_mark()
        waits = python(service.show(mark) + "import sys; sys.stdin.read()", files=[None, None], clockLimit=20 * SECOND)
        body = json.dumps({"cmd": [waits] * 4, "pipeMapping": [pipe(i, (i + 1) % 4) for i in range(4)]})
        connection = http.client.HTTPConnection(daemon.host, daemon.port, timeout=60 * service.SLOW)
        connection.request("POST", "/run", body, {"Content-Type": "application/json"})
        end = time.monotonic() + 20 * service.SLOW
        while len(service.processes_with(mark)) < 4 and time.monotonic() < end:
            time.sleep(0.02)
        self.assertEqual(len(service.processes_with(mark)), 4)
        connection.close()
        self.assertTrue(service.gone_within(mark, 5 * service.SLOW))

    def test_there_is_no_network(self):
        code = ("import socket\nfor a in (('127.0.0.1', %d), ('1.1.1.1', 53)):\n  s = socket.socket(); s.settimeout(2)\n"
                "  try: s.connect(a); print('connected')\n  except OSError as e: print('no')" % service.shared().port)
        self.assertEqual(self.run_one(python(code))["files"]["stdout"], "no\nno\n")

    def test_it_is_a_program_like_any_other(self):
        code = """import ctypes, os
status = dict(l.split(':\\t', 1) for l in open('/proc/self/status').read().splitlines() if ':\\t' in l)
print(os.getuid() > 1000000, int(status['CapEff'], 16), int(status['CapBnd'], 16), status['NoNewPrivs'], status['Seccomp'])
libc = ctypes.CDLL(None, use_errno=True)
print(libc.unshare(0x10000000), libc.ptrace(0, 0, 0, 0), libc.mount(b'x', b'/tmp', b'tmpfs', 0, None))
def can(path):
  try: open(path, 'w').close(); return True
  except OSError: return False
print([can(p) for p in ('/usr/bin/x', '/etc/passwd', '/x', '/dev/x', '/proc/sys/x', '/usr/bin/python3')])
print(os.path.exists('/root'), os.path.exists('/home'), os.path.exists('/var'), os.path.exists('/sys'), os.path.exists('/run'))"""
        one = self.run_one(python(code))
        self.assertEqual(one["files"]["stdout"], "True 0 0 1 2\n-1 -1 -1\n[False, False, False, False, False, False]\nFalse False False False False\n", one)

    def test_nobody_else_is_seen(self):
        mark = service.fresh_mark()
        secret = python(service.show(mark) + "import time\nopen('mine', 'w').write('x'); open('/tmp/mine', 'w').write('x'); time.sleep(3)")
        spy = python("import os, time\ntime.sleep(1)\nfor d in ('/box', '/tmp', '/dev/shm', '/app'): print(sorted(os.listdir(d)))\n"
                     "print([p for p in os.listdir('/proc') if p.isdigit()])")
        answer = self.run_all(secret, spy)
        self.assertEqual(answer[1]["files"]["stdout"], "[]\n[]\n[]\n[]\n['2']\n", answer[1])

    def test_a_lock_is_none(self):
        # Held on a file that both boxes show, by whoever else: nobody can tell.
        code = ("import fcntl, time\nf = open('/usr/bin/python3', 'rb')\nfor how in (fcntl.LOCK_EX, fcntl.LOCK_SH):\n"
                "  fcntl.flock(f, how | fcntl.LOCK_NB); print('got', flush=True); time.sleep(1)")
        answer = self.run_all(python(code), python(code))
        self.assertEqual([one["files"]["stdout"] for one in answer], ["got\ngot\n"] * 2, answer)

    def test_what_may_be_executed_gives_no_privilege(self):
        code = "for line in open('/proc/self/mounts'):\n  w = line.split()\n  if w[1] in ('/box', '/tmp', '/dev/shm'): print(w[1], sorted(set(w[3].split(',')) & {'nosuid', 'nodev', 'noexec'}))"
        for fields in ({}, {"memoryLimit": 100 * MIB}):
            out = self.run_one(python(code, **fields))["files"]["stdout"]
            self.assertEqual(sorted(set(out.splitlines())), ["/box ['nodev', 'nosuid']", "/dev/shm ['nodev', 'noexec', 'nosuid']", "/tmp ['nodev', 'nosuid']"])

    def test_limits_that_are_too_low_harm_nobody(self):
        for fields in ({"memoryLimit": 1}, {"procLimit": 1}, {"stackLimit": 1}, {"cpuLimit": 1}, {"clockLimit": 1, "cpuLimit": 0}):
            status = self.run_one(cmd("/bin/sh", "-c", "while true; do /bin/true; done", **{"cpuLimit": SECOND // 2} | fields))["status"]
            self.assertNotEqual(status, "Accepted", fields)
            self.assertEqual(self.run_one(cmd("/bin/true"))["status"], "Accepted")

    def test_no_other_door_leads_to_commands(self):
        client = self.connect()
        for language in ("command", "Command"):
            self.assertEqual(client.ask(type="execute_code", language=language, code="x")["code"], "unknown_language")
        listed = json.loads(wire.get(service.shared().host, service.shared().port, "/api/v1/runtimes")[2])
        self.assertNotIn("command", json.dumps(listed))
        self.assertNotIn("command", json.dumps(self.ask("GET", "/api/v2/runtimes")[1]))
        self.assertNotIn("command", json.dumps(self.ask("GET", "/languages")[1]).lower())
        # And what is run there cannot execute what it writes, as ever.
        code = "import os, shutil\nshutil.copy('/usr/bin/python3', 'p')\ntry: os.execv('p', ['p', '-c', 'print(1)'])\nexcept OSError as e: print(e.strerror)"
        self.assertEqual(client.run(code)["output"], "Permission denied\n")
