import threading
import time


def work(n):
    time.sleep(0.02 * n)
    print("thread", n, threading.current_thread().name, threading.current_thread().daemon)


for n in range(3):
    threading.Thread(target=work, args=(n,)).start()
print("main", threading.main_thread() is threading.current_thread(), threading.active_count())
