# By the formula.
number = int(input())
print(number * (number + 1) // 2)
