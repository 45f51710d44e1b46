value = 42


def put(queue):
    queue.put("from a child")
