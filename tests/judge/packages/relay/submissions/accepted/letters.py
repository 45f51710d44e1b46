# Puts a letter before the number, and takes it away.
what, text = input().split()
print("x" + text if what == "encode" else text[1:])
