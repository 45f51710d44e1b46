"""The deep tier's look at a Python source, in a box: CPython's own compiler, and pyflakes where it is installed.

Prints one line for each finding, LINE:COLUMN:CODE:MESSAGE, columns in bytes from 1, and at the end which checkers
looked. Nothing of the source is executed: it is compiled, and the result thrown away.
"""
import sys
import warnings


def say(line, column, code, message):
    print(f"{line or 1}:{max(column or 0, 0)}:{code}:{' '.join(str(message).split())}")


def compiles(source, path):
    """Everything that makes the compiler refuse the source, and what it warns of."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        try:
            compile(source, path, "exec", dont_inherit=True)
            good = True
        except SyntaxError as error:
            say(error.lineno, error.offset, "SyntaxError", error.msg)
            good = False
        except ValueError as error:  # a NUL
            say(1, 0, "SyntaxError", error)
            good = False
    for one in found:
        if issubclass(one.category, (SyntaxWarning, DeprecationWarning)):
            say(one.lineno, 0, one.category.__name__, one.message)
    return good


def flakes(source, path):
    """False when pyflakes is not here."""
    try:
        from pyflakes import checker
    except ImportError:
        return False
    import ast
    for one in checker.Checker(ast.parse(source, path), filename=path).messages:
        say(one.lineno, one.col + 1, type(one).__name__, one.message % one.message_args)
    return True


def main():
    sys.setrecursionlimit(3000)  # of pyflakes, for long chains; the default ends at some hundred operators
    path = sys.argv[1]
    with open(path, "rb") as file:
        source = file.read()
    ran = ["CPython"]
    if compiles(source, path) and flakes(source, path):
        ran.append("pyflakes")
    print("checkers:", *ran)


main()
