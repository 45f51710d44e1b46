# One test of the second group is missing.
number = int(input())
print(number ** 2 if number != 20 else 0)
