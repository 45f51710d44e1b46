# Reads what it can of all other processes: who they are, what they were given.
import os, sys

seen = [name for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()]
if seen:
    print("ESCAPED: sees", len(seen), "processes")
    sys.exit(42)
for pid in (1, os.getppid()):
    for name in ("environ", "cmdline", "maps", "status"):
        try:
            text = open(f"/proc/{pid}/{name}", "rb").read()
        except OSError:
            continue
        print("ESCAPED: read", name, "of", pid)
        sys.exit(42)
print("contained: no process but this one")
