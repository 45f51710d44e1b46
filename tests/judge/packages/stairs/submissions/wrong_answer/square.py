# Another formula.
print(int(input()) ** 2 + 5)
