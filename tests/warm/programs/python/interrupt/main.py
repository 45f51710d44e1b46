import os
import signal
print(signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGPIPE), signal.getsignal(signal.SIGTERM))
os.kill(os.getpid(), signal.SIGINT)
print("not reached")
