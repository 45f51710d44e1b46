# Ends in the middle of the game.
print(500, flush=True)
input()
raise SystemExit(3)
