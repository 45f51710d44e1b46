# Cannot find the number again.
what, text = input().split()
print("x" if what == "encode" else "0")
