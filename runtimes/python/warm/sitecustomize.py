"""Python's warm starter: the interpreter is up and waits, behind its locks, for its program.

Python imports this by itself while it starts (the warm command sets PYTHONPATH) and runs main.py after
it, so a program's tracebacks, __main__ and sys.path are those of a plain start. Modules that programs
often use are imported ahead and then taken out of sys.modules again, onto a shelf. The import system
finds each module as ever; only where it would make and execute one that lies on the shelf, unchanged and
with all that it imports unchanged, it is handed that one. Nothing else of this file stays.
"""
import sys


class Preload:
    """Imports modules ahead and notes, for each, what a cold import of it would do to sys.modules."""

    # Each costs a program that does not use it some time at its end; asyncio, hashlib, secrets and uuid bring
    # OpenSSL along, and with it more than a millisecond.
    NAMES = (
        "gc json re random math cmath itertools functools operator collections collections.abc typing datetime "
        "dataclasses enum heapq bisect string decimal fractions statistics copy time calendar textwrap "
        "traceback types inspect abc contextlib io os.path sys pathlib pprint struct array base64 "
        "threading queue argparse csv logging pickle shutil tempfile glob warnings weakref numbers reprlib "
        "keyword locale signal select selectors socket subprocess platform importlib.util unicodedata zlib "
        "_strptime"
    ).split()

    def __init__(self, bootstrap):
        self.bootstrap = bootstrap
        self.base = set(sys.modules)
        self.importers = dict(sys.path_importer_cache)
        # importlib gives the two frozen halves of the import system other names: [module, names]
        self.renamed = [[sys.modules[name], dict(vars(sys.modules[name]))]
                        for name in ("_frozen_importlib", "_frozen_importlib_external")]
        self.seen = set(self.base)  # names that are accounted for
        self.running = []           # modules that are executing, innermost last
        self.loaded = {}            # name: module, in the order in which they were complete
        self.steps = {}             # name: [(name, module or None)]: imported; put there by hand; not found
        self.at_exit = {}           # name: [(function, arguments, keywords)], registered while importing

    def run(self):
        import builtins

        bootstrap, load, plain_import = self.bootstrap, self.bootstrap._load_unlocked, builtins.__import__

        def load_unlocked(spec):
            self.note_extras()
            self.seen.add(spec.name)
            self.steps[spec.name] = []
            self.running.append(spec.name)
            try:
                module = load(spec)
                self.note_extras()
            finally:
                self.running.pop()
            self.loaded[spec.name] = module
            return module

        def noting_import(name, globals=None, locals=None, fromlist=(), level=0):
            self.note_extras()
            caller = self.running[-1] if self.running else None
            at = len(self.steps[caller]) if caller else 0
            wanted = name
            if level:
                wanted = bootstrap._resolve_name(name, bootstrap._calc___package__(globals), level)
            try:
                result = plain_import(name, globals, locals, fromlist, level)
            except ImportError:
                if caller:
                    self.steps[caller].insert(at, (wanted, None))
                raise
            if caller:
                parts = wanted.split(".")
                names = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
                names += [f"{wanted}.{part}" for part in fromlist or ()]
                self.steps[caller][at:at] = [(one, sys.modules[one]) for one in names if one in sys.modules]
            return result

        def note_atexit(function, *arguments, **keywords):
            self.at_exit.setdefault(self.running[-1], []).append((function, arguments, keywords))
            return function

        bootstrap._load_unlocked, builtins.__import__ = load_unlocked, noting_import
        atexit = bootstrap._gcd_import("atexit")
        register, atexit.register = atexit.register, note_atexit
        try:
            for name in self.NAMES:
                try:
                    bootstrap._gcd_import(name)
                except ImportError:
                    pass  # a Python without it
            self.exercise()
        finally:
            bootstrap._load_unlocked, builtins.__import__, atexit.register = load, plain_import, register

    def note_extras(self):
        """What the running module has put into sys.modules itself, as collections does collections.abc."""
        for name in [name for name in sys.modules if name not in self.seen]:
            self.seen.add(name)
            if self.running:
                self.steps[self.running[-1]].append((name, sys.modules[name]))

    @staticmethod
    def exercise():
        """First uses cost more than later ones; none of these leaves anything that a program could see."""
        import json
        import re
        source = "import x\nclass A:\n  def f(self, *a, k=1):\n    try: return [f'{i:>3}' for i in a]\n    except E: pass\n"
        compile(source + "def g(n: int) -> int:\n  yield n\nx = {1: lambda: (2, 'é')}\nprint(x, g)\n", "main.py", "exec")
        json.loads(json.dumps({"a": [1, 2.5, None, "é"]}))
        re.compile(r"(\w+)\s*=\s*([0-9]+|'.*?')").findall("a = 1, b = 'c'")
        re.purge()

    def unload(self):
        """Puts sys.modules, and the packages' attributes, back to what they were."""
        for name in [name for name in sys.modules if name not in self.base]:
            del sys.modules[name]
        for name, module in self.loaded.items():
            parent, _, child = name.rpartition(".")
            owner = self.loaded.get(parent) or sys.modules.get(parent)
            if owner is not None and vars(owner).get(child) is module:
                delattr(owner, child)
        for half in self.renamed:
            module, before = half
            half[1] = {name: value for name, value in vars(module).items() if before.get(name, half) is not value}
            for name in half[1]:
                if name in before:
                    setattr(module, name, before[name])
                else:
                    delattr(module, name)
        found = dict(sys.path_importer_cache)
        sys.path_importer_cache.clear()
        sys.path_importer_cache.update(self.importers)
        self.importers = found


def put_on_shelf(bootstrap, preload):
    """Makes the import system hand out what `preload` has imported."""
    atexit, posix = preload.loaded["atexit"], sys.modules["posix"]
    modules, cache, importers = sys.modules, sys.path_importer_cache, preload.importers
    loaded, steps, at_exit, base = preload.loaded, preload.steps, preload.at_exit, preload.base
    find_importer = sys.modules["_frozen_importlib_external"].PathFinder._path_importer_cache
    plain, gcd_import = bootstrap.module_from_spec, bootstrap._gcd_import
    shelf, renamed = dict(loaded), preload.renamed
    path, finders, hooks = list(sys.path), list(sys.meta_path), list(sys.path_hooks)
    # A client's file of one of these names would be found in place of the library's.
    names = {one.partition(".")[0] for one in loaded}
    names.update(one.partition(".")[0] for found in steps.values() for one, _ in found)
    looked = [None, None, False]  # a folder, when it was changed, whether nothing in it has such a name

    def nothing_is_hidden():
        """Whether a search would surely find the library's modules: sys.path is the program's folder and what
        was there before, and the folder has no file of such a name."""
        if sys.path[1:] != path or sys.meta_path != finders or sys.path_hooks != hooks:
            return False
        try:
            folder, changed = sys.path[0], posix.stat(sys.path[0]).st_mtime_ns
            if looked[0] != folder or looked[1] != changed:
                looked[:] = folder, changed, names.isdisjoint([one.partition(".")[0] for one in posix.listdir(folder)])
        except (OSError, TypeError, IndexError):
            return False
        return looked[2]

    def is_ready(name, visited):
        """Whether all that `name` imports is on the shelf, or in sys.modules as it was when `name` was executed."""
        visited.add(name)
        for one, wanted in steps[name]:
            if one in modules:
                if modules[one] is not wanted:
                    return False
            elif one in loaded and one not in visited and (one not in shelf or not is_ready(one, visited)):
                return False
        return True

    def place(name):
        """Leaves all that `name` imports where an import would leave it."""
        for one, wanted in steps[name]:
            if wanted is None or one in modules:
                continue
            if one not in shelf:  # put there by hand
                modules[one] = wanted
                continue
            modules[one] = module = shelf.pop(one)
            parent, _, child = one.rpartition(".")
            if module.__spec__.has_location:  # else found without looking at any folder
                for entry in modules[parent].__path__ if parent else sys.path:
                    if entry not in cache:
                        cache[entry] = importers.get(entry) or find_importer(entry)
            place(one)
            modules[one] = modules.pop(one)  # they stand in the order in which they are complete
            if parent:
                setattr(modules[parent], child, module)
        register(name)

    def search(name):
        """Imports what `name` imports, searching; whether that finds what `name` was executed with."""
        for one, wanted in steps[name]:
            if one not in modules:
                if one not in loaded and one not in base and wanted is not None:
                    modules[one] = wanted
                    continue
                try:
                    gcd_import(one)
                except ImportError:
                    pass
            if modules.get(one) is not wanted:
                return False
        register(name)
        return True

    def register(name):
        for function, arguments, keywords in at_exit.pop(name, ()):
            atexit.register(function, *arguments, **keywords)
        if name == "importlib":
            for module, now in renamed:
                vars(module).update(now)

    class Loader:
        """Stands in for a module's own loader while the import system believes to execute the module."""

        def __init__(self, spec):
            self.spec, self.loader = spec, spec.loader
            spec.loader = self

        def exec_module(self, module):
            name = self.spec.name
            if nothing_is_hidden() and is_ready(name, set()):
                place(name)
            elif not search(name):
                self.spec.loader = self.loader
                module = modules[name] = plain(self.spec)
                self.loader.exec_module(module)

    def is_same(spec):
        known = loaded[spec.name].__spec__
        if known.origin != spec.origin:
            return False
        return known.loader is spec.loader or type(known.loader) is type(spec.loader) is not type

    def module_from_spec(spec):
        if spec.name not in shelf or not is_same(spec):
            return plain(spec)
        Loader(spec)
        return shelf.pop(spec.name)

    for function in (nothing_is_hidden, is_ready, place, search, register, is_same, module_from_spec, Loader.exec_module):
        # Where the import system leaves its own frames out of a traceback, these go with them.
        function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    module_from_spec.__module__, module_from_spec.__qualname__ = plain.__module__, plain.__qualname__
    module_from_spec.__doc__ = plain.__doc__
    bootstrap.module_from_spec = module_from_spec
    # A ring that no collection visits (gc.freeze): what was never asked for is not torn down at the end, which
    # would cost more than the program.
    ring = [loaded, steps]
    ring.append(ring)


def undo(folder):
    """Takes away what brought this file here; the host's own sitecustomize runs as it would have."""
    import os

    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    del os.environ["PYTHONPATH"]
    sys.modules["posix"].environ.pop(b"PYTHONPATH", None)  # the same dictionary in some versions
    del sys.modules["sitecustomize"]
    try:
        import sitecustomize
    except ImportError as error:
        return error
    return None


def wait():
    """Says that the interpreter is warm; returns the words of the command that it is to become."""
    import posix

    posix.write(4, b"+")
    posix.close(4)
    text = b""
    while part := posix.read(3, 65536):
        text += part
    posix.close(3)
    if not text:
        posix._exit(0)  # nobody needs this interpreter any more
    import os
    return [os.fsdecode(word) for word in text.split(b"\0")[:-1]]


def renew_main():
    """Another __main__, with the same in it. The first one is frozen, and so would never be collected at the end,
    although that is when many a program's last objects go."""
    old = sys.modules["__main__"]
    new = type(sys)("__main__")
    vars(new).clear()
    vars(new).update(vars(old))
    if isinstance(vars(old).get("__annotations__"), dict):
        new.__annotations__ = {}
    sys.modules["__main__"] = new  # keeps its place


def main():
    bootstrap = sys.modules["_frozen_importlib"]
    folder = __file__.rpartition("/")[0]
    error = undo(folder)
    preload = Preload(bootstrap)
    try:
        preload.run()
    finally:
        preload.unload()
    put_on_shelf(bootstrap, preload)
    gc = preload.loaded["gc"]
    del preload
    gc.collect()
    gc.freeze()
    renew_main()
    words = wait()
    # The first two are the interpreter and the file, which are in place already.
    sys.argv += words[2:]
    sys.orig_argv += words[2:]
    if error is not None:
        raise error


main()
