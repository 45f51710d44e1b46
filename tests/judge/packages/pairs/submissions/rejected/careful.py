# Right, but never loud.
number = int(input())
print(0, number)
