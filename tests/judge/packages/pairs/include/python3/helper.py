MOST = {{most}}


def split(number):
    return number // 2, number - number // 2
