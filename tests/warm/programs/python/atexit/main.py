import atexit


@atexit.register
def first():
    print("first registered")


import logging

logging.basicConfig(level=0)


class Handler(logging.Handler):
    def emit(self, record):
        print("emit", record.getMessage())

    def close(self):
        print("handler closed")
        super().close()


logging.getLogger().addHandler(Handler())
logging.info("x")
atexit.register(print, "last registered")
print(atexit._ncallbacks())
