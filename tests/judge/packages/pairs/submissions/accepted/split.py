# Also sees that arguments and files are those of the test.
import os
import sys

import helper

assert helper.MOST == 1000 and open("shared.txt").read() == "shared\n"
if os.path.exists("bonus.txt"):
    assert open("bonus.txt").read() == "1\n"
one, other = helper.split(int(input()))
assert sys.argv[1:] in ([], ["--loud", "two words"])
print(one, other, *"!" * bool(sys.argv[1:]))
