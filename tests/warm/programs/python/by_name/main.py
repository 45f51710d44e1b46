with open("/dev/stdin") as numbers, open("/dev/stdout", "w") as output, open("/dev/stderr", "w") as errors:
    print(sum(map(int, numbers)), file=output)
    print("done", file=errors)
