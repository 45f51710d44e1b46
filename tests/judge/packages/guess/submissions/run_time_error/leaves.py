# Finds the number, and then does not end well.
low, high = 1, 1000
while True:
    number = (low + high) // 2
    print(number, flush=True)
    answer = input()
    if answer == "right":
        raise SystemExit(3)
    if answer == "lower":
        high = number - 1
    else:
        low = number + 1
