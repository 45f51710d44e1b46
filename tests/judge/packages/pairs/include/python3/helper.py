# What every submission in Python is given.
MOST = {{most}}


def split(number):
    return number // 2, number - number // 2
