# The sum is one too large.
print(int(input()), 1)
