def f(n):
    return n + 1


def g():
    raise LookupError("in the second file")
