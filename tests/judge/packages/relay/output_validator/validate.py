"""Hands the text that a number was made into to a second run, which has to find the number."""
import os
import sys

folder = sys.argv[3]
number = open(sys.argv[1]).read().split()[1]
said = sys.stdin.read().split()
with open(folder + "judgemessage.txt", "a") as log:
    if not os.path.exists(folder + "second"):
        if len(said) != 1 or said[0] == number:
            log.write("nothing was encoded\n")
            sys.exit(43)
        open(folder + "second", "w").close()
        with open(folder + "nextpass.in", "w") as file:
            file.write("decode " + said[0] + "\n")
        sys.exit(42)
    log.write("second pass: %s\n" % said)
sys.exit(42 if said == [number] else 43)
