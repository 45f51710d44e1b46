# Forks until it is refused. The children wait, and give up by themselves.
import os, sys, time

most = int(sys.argv[1])
for count in range(1, 2 * most + 1):
    try:
        pid = os.fork()
    except OSError as error:
        if count > most:
            break
        print("contained: after", count, error)
        sys.exit(0)
    if pid == 0:
        time.sleep(5)
        os._exit(0)
print("ESCAPED:", count, "processes, the limit is", most)
sys.exit(42)
