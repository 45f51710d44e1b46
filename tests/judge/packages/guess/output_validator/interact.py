"""Answers "lower", "higher" or "right", ten times at most."""
import sys


def end(status, text):
    with open(sys.argv[3] + "judgemessage.txt", "a") as file:
        file.write(text + "\n")
    sys.exit(status)


secret = int(open(sys.argv[1]).read())
for turn in range(10):
    line = sys.stdin.readline()
    try:
        number = int(line)
    except ValueError:
        end(43, "no number in turn %d" % (turn + 1))
    print("right" if number == secret else "lower" if number > secret else "higher", flush=True)
    if number == secret:
        end(42, "found in %d turns" % (turn + 1))
end(43, "not found")
