# Forgets the rest.
print(int(input()) // 2)
