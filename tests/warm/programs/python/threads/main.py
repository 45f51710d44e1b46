import threading

begin = threading.Event()


def work(n, before):
    begin.wait()
    if before:
        before.join()
    print("thread", n, threading.current_thread().name, threading.current_thread().daemon)


last = None
for n in range(3):
    last = threading.Thread(target=work, args=(n, last))
    last.start()
print("main", threading.main_thread() is threading.current_thread(), threading.active_count())
begin.set()
