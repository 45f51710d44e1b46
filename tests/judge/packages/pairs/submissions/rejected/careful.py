number = int(input())
print(0, number)
