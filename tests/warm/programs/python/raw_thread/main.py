import _thread
over = _thread.allocate_lock()
over.acquire()
_thread.start_new_thread(lambda: (print("raw"), over.release()), ())
over.acquire()
