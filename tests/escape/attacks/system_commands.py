# Starts the system's commands by every door that Python has.
import os, subprocess, sys

commands = ["/bin/sh", "/bin/bash", "/usr/bin/env", "/bin/ls", "/bin/cat", "/usr/bin/id", "/bin/mount",
            "/usr/bin/sudo", "/bin/su", "/usr/bin/perl", "/bin/busybox"]
if os.system("exit 7") == 7 << 8:
    print("ESCAPED: a shell runs")
    sys.exit(42)
for command in commands:
    try:
        subprocess.run([command, "--version"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=5)
    except OSError:
        continue
    print("ESCAPED:", command, "runs")
    sys.exit(42)
print("contained: none of", len(commands), "commands is there")
