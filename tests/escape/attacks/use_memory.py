# Fills memory with an object that cannot be shared or compressed away.
import os, sys

wanted = 2 * int(sys.argv[1])
held = []
while sum(map(len, held)) < wanted:
    held.append(os.urandom(1 << 20))
print("ESCAPED: held", wanted >> 20, "MiB")
sys.exit(42)
