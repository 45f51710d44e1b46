import inspect
import traceback
print([frame.function for frame in inspect.stack()])
traceback.print_stack()
