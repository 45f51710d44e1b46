#!/usr/bin/env python3
"""Writes a cpio archive (newc, what the kernel unpacks as initramfs) of a folder to stdout.

    mkcpio.py DIR > initrd
"""
import os
import stat
import sys

out = sys.stdout.buffer
count = 0


def put(name, mode, data=b"", device=(0, 0)):
    global count
    count += 1
    encoded = name.encode() + b"\0"
    fields = (count, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
    out.write(b"070701" + b"".join(b"%08x" % field for field in fields) + encoded)
    out.write(b"\0" * (-(110 + len(encoded)) % 4))
    out.write(data + b"\0" * (-len(data) % 4))


def main(folder):
    put("dev", stat.S_IFDIR | 0o755)
    put("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
    for base, folders, files in os.walk(folder):
        here = os.path.relpath(base, folder)
        for name in sorted(folders):
            put(os.path.normpath(os.path.join(here, name)), stat.S_IFDIR | 0o755)
        for name in sorted(files):
            path = os.path.join(base, name)
            mode = 0o755 if os.access(path, os.X_OK) else 0o644
            with open(path, "rb") as opened:
                put(os.path.normpath(os.path.join(here, name)), stat.S_IFREG | mode, opened.read())
    put("TRAILER!!!", 0)


main(sys.argv[1])
