import threading


class Bad:
    def __del__(self):
        raise ValueError("in del")


Bad()
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
