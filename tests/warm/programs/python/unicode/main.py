import sys
print("naïve 日本 🐍", sys.stdout.encoding, sys.getfilesystemencoding())
print("\ud800")
