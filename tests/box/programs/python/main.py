"""What an honest Python program may expect of a box. Each line ends in "ok" or says what went wrong."""
import asyncio
import bz2
import concurrent.futures
import ctypes
import datetime
import decimal
import getpass
import hashlib
import lzma
import mmap
import multiprocessing
import os
import pwd
import random
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import zoneinfo
from multiprocessing import shared_memory

import helper


def check(name, good):
    print(name, "ok" if good else "FAILED")


def square(number):
    return number * number


def threads():
    seen = []
    workers = [threading.Thread(target=seen.append, args=(i,)) for i in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    check("threads", sorted(seen) == list(range(16)))
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        check("thread pool", list(pool.map(square, range(4))) == [0, 1, 4, 9])


def processes():
    with multiprocessing.Pool(3) as pool:
        check("process pool", pool.map(square, range(5)) == [0, 1, 4, 9, 16])
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    child = context.Process(target=helper.put, args=(queue,))
    child.start()
    check("spawned interpreter", queue.get() == "from a child")
    child.join()
    block = shared_memory.SharedMemory(create=True, size=4096)
    block.buf[0] = 7
    check("shared memory", block.buf[0] == 7)
    block.close()
    block.unlink()
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    check("fork", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 3)
    own = subprocess.run([sys.executable, "-c", "print(6 * 7)"], capture_output=True, text=True)
    check("own interpreter", own.stdout == "42\n")


def no_other_program():
    for attempt in (["ls"], ["/bin/sh", "-c", "id"]):
        try:
            subprocess.run(attempt)
            check("no program " + attempt[0], False)
        except FileNotFoundError:
            check("no program " + attempt[0], True)
    check("no shell", os.system("true") != 0)
    others = [name for name in os.listdir("/usr/bin") if not name.startswith("python3")]
    check("nothing else in /usr/bin", others == [])
    shutil.copy("/usr/bin/python3", "/tmp/copy")
    os.chmod("/tmp/copy", 0o755)
    try:
        subprocess.run(["/tmp/copy", "-V"])
        check("what is written cannot be executed", False)
    except PermissionError:
        check("what is written cannot be executed", True)


async def echo():
    async def serve(reader, writer):
        writer.write((await reader.readline()).upper())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"hello\n")
    line = await reader.readline()
    writer.close()
    server.close()
    return line


def network():
    check("asyncio over loopback", asyncio.run(echo()) == b"HELLO\n")
    check("localhost", socket.gethostbyname("localhost") == "127.0.0.1")
    six = socket.socket(socket.AF_INET6)
    six.bind(("::1", 0))
    check("IPv6 loopback", six.getsockname()[0] == "::1")
    check("interfaces", [name for _, name in socket.if_nameindex() if name == "lo"] == ["lo"])
    left, right = socket.socketpair()
    left.send(b"x")
    check("socket pair", right.recv(1) == b"x")
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2)
        check("no way out", False)
    except OSError:
        check("no way out", True)


def databases():
    first = sqlite3.connect("file.db")
    first.execute("create table numbers (n)")
    first.executemany("insert into numbers values (?)", [(i,) for i in range(100)])
    first.commit()
    second = sqlite3.connect("file.db")
    check("sqlite in a file", second.execute("select sum(n) from numbers").fetchone() == (4950,))
    check("sqlite in memory", sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,))
    log = sqlite3.connect("log.db")
    log.execute("pragma locking_mode = exclusive")
    check("sqlite with a log, exclusive", log.execute("pragma journal_mode = wal").fetchone() == ("wal",))


def files():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a")
        with open(path, "w") as file:
            file.write("한글")
        shutil.copy2(path, path + "b")
        os.symlink("ab", path + "link")
        os.mkfifo(path + "fifo")
        shutil.move(path, path + "c")
        check("files", sorted(os.listdir(folder)) == ["ab", "ac", "afifo", "alink"])
        check("text", open(path + "link").read() == "한글")
    memory = mmap.mmap(-1, 4096)
    memory[0] = 1
    check("mmap", memory[0] == 1)


def timers():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    signal.pause()
    time.sleep(0.001)
    check("timers", True)


def libraries():
    check("ssl", ssl.create_default_context() is not None)
    check("hashlib", hashlib.sha256(b"").hexdigest().startswith("e3b0c442"))
    check("compression", lzma.decompress(lzma.compress(b"a")) == bz2.decompress(bz2.compress(b"a")))
    check("decimal", str(decimal.Decimal(1) / 8) == "0.125")
    check("random", 0 <= random.SystemRandom().random() < 1)
    check("ctypes", ctypes.CDLL(None).getpid() == os.getpid())
    check("ctypes callback", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1)(1) == 2)
    summer = datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo("Asia/Seoul"))
    check("zoneinfo", summer.utcoffset() == datetime.timedelta(hours=9))
    try:
        import numpy
        check("numpy", numpy.linalg.det(numpy.eye(3)) == 1)
    except ModuleNotFoundError:
        pass # the host has none


def surroundings():
    check("arguments", sys.argv[1:] == ["one", "two words"])
    check("a second file", helper.value == 42)
    check("the script's folder comes first", sys.path[0] == os.getcwd() == "/box")
    check("a user with a name", getpass.getuser() == pwd.getpwuid(os.getuid()).pw_name)
    check("home", os.path.expanduser("~") == "/tmp")
    check("no bytecode left", not os.path.exists("__pycache__"))
    check("processors", len(os.sched_getaffinity(0)) >= 1)
    check("stdin", sys.stdin.read() == "first\nsecond\n")


if __name__ == "__main__":
    for step in (threads, processes, no_other_program, network, databases, files, timers, libraries, surroundings):
        step()
