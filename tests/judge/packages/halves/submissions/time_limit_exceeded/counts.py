# Seconds where the number is large.
number = int(input())
half = 0
while half + half < number:
    half += 0.5
print(half)
