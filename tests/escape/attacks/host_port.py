# Reaches a service on the host's loopback, by each of the loopback's names.
import socket, sys

port = int(sys.argv[1])
for host in ["127.0.0.1", "localhost", "127.1.2.3", "0.0.0.0", "::ffff:127.0.0.1"]:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError as error:
        why = error
        continue
    print("ESCAPED: reached", host, port)
    sys.exit(42)
print("contained:", why)
