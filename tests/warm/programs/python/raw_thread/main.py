import _thread
import time
_thread.start_new_thread(lambda: print("raw"), ())
time.sleep(0.1)
