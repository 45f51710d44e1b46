#!/usr/bin/env python3
"""What every text of the project has in common.

Nothing in it leads to the machine it was written on, no work is left as a note in it, every source
opens with a comment that tells a newcomer what it is, and no source is longer than an evening.

    text_rule.py [ROOT]      prints each offence; exit code 1 when there is one
    text_rule.py --self-test
"""
import re
import subprocess
import sys
from pathlib import Path

LINES_AT_MOST = 600
SOURCES = (".cpp", ".h", ".c", ".py", ".sh", ".js", ".java", ".go", ".jsonc")
# The words are put together here so that this file does not offend itself.
FORBIDDEN = (
    (re.compile(r"\b(%s)\b" % "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX", "HA" + "CK"))),
     "work left as a note: do it or file an issue"),
    (re.compile(r"(?<![\w.])/(work|home/\w+|Users/\w+)/|/root/\.(pyenv|cargo|cache|npm)|\.\./shar" + "ed"),
     "a path of somebody's machine"),
    (re.compile(r"(deb\.debian|ftp\.debian|security\.debian|snapshot\.debian)\.org|registry\.npmjs|pypi\." + "org"
                r"|files\.pythonhosted|crates\." + "io"), "a registry's host name"),
)
COMMENT = {".py": ("#", '"""'), ".sh": ("#",), ".jsonc": ("//", "/*")}
# Data and texts of other people's.
EXEMPT = re.compile(r"^LICENSE$|package-lock\.json$|^tests/fuzz/corpus/|^runtimes/\w+/analysis/members\.json$|^daemon/front/page/vendor/")


def offences(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        for pattern, reason in FORBIDDEN:
            if pattern.search(line):
                yield f"{name}:{number}: {reason}: {line.strip()[:80]}"
    suffix = Path(name).suffix
    if suffix not in SOURCES:
        return
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    # A runtime opens with its language's name; a sample program is what it shows.
    if Path(name).name == "runtime.jsonc" or re.match(r"tests/\w+/programs/", name):
        return
    if not lines or not lines[0].lstrip().startswith(COMMENT.get(suffix, ("//", "/*"))):
        yield f"{name}:1: opens without a comment that says what it is"
    count = len(lines)
    if count > LINES_AT_MOST:
        yield f"{name}: {count} lines that are not blank; a source holds one idea in at most {LINES_AT_MOST}"


def check(root):
    listed = subprocess.run(["git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root, check=True,
                            stdout=subprocess.PIPE).stdout.decode().split("\0")
    found = []
    for name in sorted(filter(None, listed)):
        path = root / name
        if EXEMPT.search(name) or not path.is_file() or path.is_symlink():
            continue
        try:
            found += offences(name, path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    return found


def self_test():
    bad = {
        "a.cpp": "// Good opening.\n// TO" "DO: later\n",
        "b.cpp": "#include <vector>\n",
        "c.md": "see /wo" "rk/main/dev\n",
        "d.md": "from deb.debian" ".org\n",
        "e.py": "import os\n",
        "f.cpp": "// Long.\n" + "int x;\n" * 601,
        "g.cpp": "// FIX" "ME\n",
    }
    good = {
        "a.cpp": "// What it is.\n#pragma once\n",
        "b.py": '#!/usr/bin/env python3\n"""What it is."""\n',
        "c.sh": "#!/bin/bash\n# What it is.\n",
        "d.md": "The work of /usr/share/cloister and todos in lower case.\n",
        "e.cpp": "/* What it is. */\n",
    }
    for name, text in bad.items():
        assert list(offences(name, text)), ("must complain", name)
    for name, text in good.items():
        assert not list(offences(name, text)), ("must not complain", name, list(offences(name, text)))


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        sys.exit(self_test())
    result = check(Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[2]).resolve())
    print("\n".join(result))
    sys.exit(1 if result else 0)
