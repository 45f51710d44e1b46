import sys
for number, line in enumerate(sys.stdin):
    print(number, line.rstrip(), flush=True)
print(repr(sys.stdin.read()))
