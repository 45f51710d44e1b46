def inner(n):
    return [1, 2][n] / 0


def outer():
    inner(
        1,
    )


outer()
