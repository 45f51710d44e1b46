# Too many turns for most numbers.
for number in range(1, 11):
    print(number, flush=True)
    if input() == "right":
        break
