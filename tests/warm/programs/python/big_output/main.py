import sys
for i in range(40000):
    print(i, "x" * 20)
sys.stderr.write("y" * 200000)
