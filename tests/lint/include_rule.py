#!/usr/bin/env python3
"""Checks who includes whom: the table of ARCHITECTURE.md, as data.

A folder may include itself, what its row lists, and the libraries that its row lists. Some headers
are further narrowed to named files, because of what they cost to compile or what they let in.

    include_rule.py [ROOT]      prints each offence; exit code 1 when there is one
    include_rule.py --self-test
"""
import re
import sys
from pathlib import Path

# Headers of isolate that hold values only and may be seen from everywhere.
VALUES = {"isolate/" + name + ".h" for name in
          ("bundle", "collection", "fd", "life", "limits", "packet", "step", "syscall_policy", "verdict", "weaken")}

# folder: (folders of ours, headers of ours, libraries). The longest matching folder decides.
TABLE = {
    "isolate": ((), (), {"seccomp", "cap"}),
    "policies": ((), VALUES, {"json"}),
    "runtimes": ((), VALUES | {"policies/strict_json.h"}, {"json"}),
    "daemon/wire": ((), VALUES, set()),
    "daemon/config": (("policies", "runtimes"), VALUES, {"json"}),
    "daemon/tokens": ((), VALUES, {"nettle"}),
    "daemon/keeper": (("isolate", "policies", "runtimes", "daemon/wire", "daemon/config"), (),
                      {"seccomp", "cap"}),
    "daemon/front": (("daemon/wire", "daemon/config", "daemon/tokens", "daemon/front/judge", "daemon/front/judge0",
                      "daemon/front/mcp", "daemon/front/rooms",
                      "daemon/front/store", "policies",
                      "runtimes"), VALUES,
                     {"json", "boost", "seccomp"}),
    # What agents ask for, over the same flow of runs; it knows no sockets.
    "daemon/front/mcp": (("daemon/front", "daemon/config"), VALUES, {"json"}),
    # Judge0's clients send archives: libzip is theirs alone.
    "daemon/front/judge0": (("daemon/front", "daemon/config", "runtimes"), VALUES, {"json", "zip"}),
    # The judge's logic compares, rules and adds up; it runs nothing.
    "daemon/front/judge": ((), VALUES, set()),
    # The logic of rooms knows nobody: messages go in, messages come out.
    "daemon/front/rooms": ((), (), {"json"}),
    # The engine reads strangers' sources: it knows the grammars and nobody else.
    "daemon/analyst/engine": ((), {"policies/strict_json.h", "runtimes/grammars/grammars.h", "runtimes/grammars/walk.h"}, {"json", "tree-sitter"}),
    "daemon/analyst": (("daemon/analyst/engine", "daemon/wire"), VALUES, set()),
    "runtimes/grammars": ((), (), {"tree-sitter"}),
    # The store keeps what rooms hold, and knows nobody else.
    "daemon/front/store": (("daemon/front/rooms",), (), {"sqlite"}),
    # Problem packages are strangers' files: what reads them knows nobody else.
    "daemon/package": ((), (), {"json", "yaml"}),
    "daemon/cli": (("isolate", "policies", "runtimes", "daemon/wire", "daemon/config",
                    "daemon/tokens", "daemon/keeper", "daemon/package"), (), {"json", "boost"}),
    # The daemon's main is the one place that knows both halves.
    "daemon": (("isolate", "policies", "runtimes", "daemon"), (), {"json"}),
    "tests": (("isolate", "policies", "runtimes", "daemon", "tests"), (),
              {"json", "boost", "catch2", "seccomp", "cap", "sqlite", "tree-sitter", "zip"}),
}

LIBRARIES = (
    ("boost", re.compile(r"boost/")),
    ("json", re.compile(r"nlohmann/")),
    ("catch2", re.compile(r"catch2/")),
    ("tree-sitter", re.compile(r"tree_sitter/")),
    ("seccomp", re.compile(r"seccomp\.h$")),
    ("sqlite", re.compile(r"sqlite3\.h$")),
    ("zip", re.compile(r"zip\.h$")),
    ("nettle", re.compile(r"nettle/")),
    ("yaml", re.compile(r"yaml-cpp/")),
    ("cap", re.compile(r"sys/capability\.h$")),
)

# What only some files may include: pattern, files, reason.
NARROW = (
    (re.compile(r"boost/beast"), re.compile(r"daemon/front/(server\.cpp|session\.cpp|session\.h|draining_stream\.h)|daemon/cli/connection\.cpp"),
     "Beast costs half a minute a file: only the server, its sessions and the command line's connection may know it"),
    (re.compile(r"daemon/front/session\.h"), re.compile(r"daemon/front/(server|session)\.cpp"),
     "it brings Beast along"),
    (re.compile(r"nlohmann/json\.hpp"), re.compile(r"policies/strict_json\.h|(?!isolate/|daemon/keeper/|daemon/wire/).*\.cpp"),
     "the JSON library belongs in sources that parse or print; a header uses json_fwd.hpp"),
)
BEAST_FILES_AT_MOST = 3

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def row_of(path):
    folders = [folder for folder in TABLE if path.startswith(folder + "/")]
    return max(folders, key=len) if folders else None


def offences(path, text, is_ours):
    """The offences of one file. `is_ours(header)` tells whether a header is of this project."""
    row = row_of(path)
    if row is None:
        return
    folders, headers, libraries = TABLE[row]
    for match in INCLUDE.finditer(text):
        header = match.group(2)
        line = text.count("\n", 0, match.start(2)) + 1
        where = f"{path}:{line}"
        for pattern, files, reason in NARROW:
            if pattern.match(header) and not files.fullmatch(path):
                if not path.startswith("tests/"):
                    yield f"{where}: {header}: {reason}"
        if is_ours(header):
            if match.group(1) != '"':
                yield f"{where}: {header} is ours: include it in quotes, from the top"
            inside = header.startswith(row + "/") and row_of(header) == row
            inside = inside or row == "tests" and "/" not in header # a test program beside its header
            listed = header in headers or any(header.startswith(folder + "/") for folder in folders)
            if not inside and not listed:
                yield f"{where}: {row} may not include {header}"
            continue
        if match.group(1) == '"':
            yield f'{where}: "{header}" is not found from the top of the project'
        for library, pattern in LIBRARIES:
            if pattern.match(header) and library not in libraries:
                yield f"{where}: {row} may not use {library} ({header})"


def check(root):
    found, beast = [], []
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.suffix not in (".h", ".cpp", ".c") or row_of(name) is None:
            continue
        text = path.read_text()
        if "boost/beast" in text:
            beast.append(name)
        # Hostile programs and the test machine's init are programs of their own.
        own = path.parent
        found += offences(name, text,
                          lambda header: (root / header).is_file() or (own / header).is_file()
                          and name.startswith("tests/"))
    product = [name for name in beast if name.endswith(".cpp") and not name.startswith("tests/")]
    if len(product) > BEAST_FILES_AT_MOST:
        found.append("Beast is included by more than %d files: %s" % (BEAST_FILES_AT_MOST, ", ".join(product)))
    return found


def self_test():
    ours = {"isolate/box.h", "isolate/limits.h", "daemon/front/rooms.h", "daemon/front/session.h", "daemon/keeper/keeper.h",
            "daemon/front/rooms/room.h", "daemon/front/store/store.h",
            "daemon/analyst/engine/tree.h", "daemon/wire/analyst.h"}
    def complains(path, line):
        return bool(list(offences(path, line + "\n", lambda header: header in ours)))
    bad = [
        ("isolate/box.cpp", "#include <boost/asio.hpp>"),
        ("isolate/box.cpp", "#include <nlohmann/json.hpp>"),
        ("isolate/box.cpp", '#include "daemon/keeper/keeper.h"'),
        ("daemon/keeper/keeper.cpp", '#include "daemon/front/rooms.h"'),
        ("daemon/keeper/keeper.cpp", "#include <boost/asio.hpp>"),
        ("daemon/front/rooms.cpp", '#include "isolate/box.h"'),
        ("daemon/front/rooms.cpp", '#include "daemon/keeper/keeper.h"'),
        ("daemon/front/rooms.cpp", "#include <boost/beast/core.hpp>"),
        ("daemon/front/server.h", "#include <boost/beast/core.hpp>"),
        ("daemon/front/rooms/room.cpp", "#include <boost/asio.hpp>"),
        ("daemon/front/rooms/room.cpp", '#include "daemon/front/session.h"'),
        ("daemon/front/rooms/room.cpp", '#include "isolate/limits.h"'),
        ("daemon/front/rooms/room.cpp", '#include "daemon/front/store/store.h"'),
        ("daemon/front/rooms/room.cpp", "#include <sqlite3.h>"),
        ("daemon/front/store/store.cpp", "#include <nlohmann/json.hpp>"),
        ("daemon/front/store/store.cpp", '#include "daemon/front/session.h"'),
        ("daemon/front/conversation.cpp", "#include <sqlite3.h>"),
        ("daemon/keeper/keeper.cpp", '#include "daemon/front/rooms/room.h"'),
        ("daemon/front/front.cpp", '#include "daemon/front/session.h"'),
        ("daemon/front/protocol.h", "#include <nlohmann/json.hpp>"),
        ("daemon/wire/frames.cpp", "#include <nlohmann/json.hpp>"),
        ("policies/policy.cpp", '#include "isolate/box.h"'),
        ("daemon/front/analyses.cpp", "#include <tree_sitter/api.h>"),
        ("daemon/front/analyses.cpp", '#include "daemon/analyst/engine/tree.h"'),
        ("daemon/keeper/analyst.cpp", '#include "daemon/analyst/engine/tree.h"'),
        ("daemon/analyst/engine/tree.cpp", '#include "daemon/wire/analyst.h"'),
        ("daemon/package/yaml.cpp", '#include "isolate/limits.h"'),
        ("daemon/cli/judge_run.cpp", "#include <yaml-cpp/yaml.h>"),
        ("isolate/box.cpp", "#include <isolate/limits.h>"),
        ("isolate/box.cpp", '#include "gone.h"'),
    ]
    good = [
        ("isolate/box.cpp", '#include "isolate/limits.h"'),
        ("isolate/box.cpp", "#include <seccomp.h>"),
        ("daemon/keeper/keeper.cpp", '#include "isolate/box.h"'),
        ("daemon/front/server.cpp", "#include <boost/beast/core.hpp>"),
        ("daemon/front/protocol.cpp", "#include <nlohmann/json.hpp>"),
        ("daemon/front/protocol.cpp", '#include "isolate/limits.h"'),
        ("daemon/main.cpp", '#include "daemon/keeper/keeper.h"'),
        ("daemon/front/conversation.cpp", '#include "daemon/front/rooms/room.h"'),
        ("daemon/front/rooms/room.cpp", '#include "daemon/front/rooms/room.h"'),
        ("daemon/front/conversation.cpp", '#include "daemon/front/store/store.h"'),
        ("daemon/front/store/store.cpp", '#include "daemon/front/rooms/room.h"'),
        ("daemon/front/store/sqlite.cpp", "#include <sqlite3.h>"),
        ("daemon/package/yaml.cpp", "#include <yaml-cpp/parser.h>"),
    ]
    for path, line in bad:
        assert complains(path, line), ("must complain", path, line)
    for path, line in good:
        assert not complains(path, line), ("must not complain", path, line)


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    result = check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve())
    print("\n".join(result))
    sys.exit(1 if result else 0)
