name = input("name? ")
print("hi", name)
print(input())
