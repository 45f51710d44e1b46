"""Executes a command under what a systemd unit puts on, as far as no service manager is needed for it: a file system
that is read-only but for ReadWritePaths, the capability bounding set, no new privileges, the umask, ProtectProc.

    as_unit.py FOLDERS UNIT COMMAND…        FOLDERS: more that may be written, separated by ':'"""
import ctypes
import os
import struct
import sys
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x20000
MS_BIND, MS_REC, MS_PRIVATE = 1 << 12, 1 << 14, 1 << 18
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1


def must(result, what):
    if result < 0:
        sys.exit(f"{what}: {os.strerror(ctypes.get_errno())}")


def set_read_only(path, on):
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY if on else 0, 0 if on else MOUNT_ATTR_RDONLY, 0, 0)
    must(libc.syscall(MOUNT_SETATTR, AT_FDCWD, path.encode(), AT_RECURSIVE, attributes, len(attributes)), f"lock {path}")


def settings(file):
    """All values of each name; lists add up, of others the last one counts."""
    found = {}
    for line in Path(file).read_text().splitlines():
        name, is_setting, value = line.partition("=")
        if is_setting and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def main(folders, file, *command):
    unit = settings(file)
    must(libc.unshare(CLONE_NEWNS), "own mounts")
    must(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "private mounts")
    writable = [path.lstrip("-") for line in unit["ReadWritePaths"] for path in line.split()] + folders.split(":")
    writable = [path for path in writable if os.path.exists(path)]
    for path in writable:
        must(libc.mount(path.encode(), path.encode(), None, MS_BIND | MS_REC, None), f"show {path}")
    assert unit["ProtectSystem"][-1] == "strict"
    set_read_only("/", True)
    for path in (*writable, "/dev", "/proc"):  # what `strict` leaves out, too
        set_read_only(path, False)
    if unit["ProtectProc"][-1] != "default":
        must(libc.mount(b"proc", b"/proc", b"proc", 0, b"hidepid=" + unit["ProtectProc"][-1].encode()), "/proc")
    kept = [name.removeprefix("CAP_").lower() for line in unit["CapabilityBoundingSet"] for name in line.split()]
    os.umask(int(unit["UMask"][-1], 8))
    assert unit["NoNewPrivileges"][-1] == "yes"
    os.execvp("setpriv", ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all," + ",".join("+" + name for name in kept),
                          *command])


if __name__ == "__main__":
    main(*sys.argv[1:])
