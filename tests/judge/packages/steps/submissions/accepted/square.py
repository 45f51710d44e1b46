# As it should be.
print(int(input()) ** 2)
