# The first group alone.
number = int(input())
print(number ** 2 if number < 10 else 0)
