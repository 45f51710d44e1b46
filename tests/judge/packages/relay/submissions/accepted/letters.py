what, text = input().split()
print("x" + text if what == "encode" else text[1:])
