"""Hands the text that a number was made into to a second run, which has to find the number."""
import os
import random
import sys

folder = sys.argv[3]
left = [name for name in os.listdir(folder) if name.startswith("left-")]  # by the pass before, under a name of its own
said = sys.stdin.read().split()
with open(folder + "judgemessage.txt", "a") as log:
    if not left:
        number = open(sys.argv[1]).read().split()[1]
        if len(said) != 1 or said[0] == number:
            log.write("nothing was encoded\n")
            sys.exit(43)
        with open(folder + "left-%x" % random.getrandbits(64), "w") as file:
            file.write(number)
        with open(folder + "nextpass.in", "w") as file:
            file.write("decode " + said[0] + "\n")
        log.write("first pass\n")
        sys.exit(42)
    log.write("second pass: %s\n" % said)
    sys.exit(42 if said == [open(folder + left[0]).read()] else 43)
