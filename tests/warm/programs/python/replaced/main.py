import sys
import types
fake = types.ModuleType("heapq")
fake.marked = True
sys.modules["heapq"] = fake
import queue
print(hasattr(queue, "heappush"), queue.Queue)
