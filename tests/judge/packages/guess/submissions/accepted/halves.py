# Halves what is left.
low, high = 1, 1000
while True:
    number = (low + high) // 2
    print(number, flush=True)
    answer = input()
    if answer == "right":
        break
    if answer == "lower":
        high = number - 1
    else:
        low = number + 1
