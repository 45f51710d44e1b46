# A number up to a constant of problem.yaml.
import re
import sys

text = sys.stdin.read()
sys.exit(42 if re.fullmatch(r"[0-9]+\n", text) and int(text) <= {{most}} else 43)
