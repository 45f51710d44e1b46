# Walks to the host's files by every spelling that a naive check of paths lets through.
import os, sys

target = sys.argv[1]
ways = [target, "/proc/self/root" + target, "/box/.." + target, "/tmp/../" + target,
        "/proc/self/cwd/.." + target, "//" + target, "/proc/thread-self/root" + target]
for way in ways:
    try:
        with open(way, "rb") as file:
            file.read(1)
    except OSError:
        continue
    print("ESCAPED: read", way)
    sys.exit(42)
print("contained:", len(ways), "ways lead nowhere")
