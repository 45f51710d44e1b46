#!/usr/bin/env python3
"""The table of rules in docs/analysis.md, made from the rules' own files.

    rules_table.py             prints it
    rules_table.py --write     puts it into docs/analysis.md, between its two marks
    rules_table.py --check     exit code 1 when the document has another one
"""
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/analysis.md"
BEGIN, END = "<!-- rules: made by tests/analysis/rules_table.py -->\n", "<!-- end of rules -->"


def read(path):
    """JSON whose comments stand on lines of their own."""
    return json.loads(re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M))


def table():
    lines, count = [], 0
    for folder in sorted(ROOT.glob("runtimes/*/analysis")):
        rules = read(folder / "rules.jsonc")
        count += len(rules)
        lines += ["", f"**{folder.parent.name}**, {len(rules)} rules", "", "| rule | peer | kind | message | fix |", "|---|---|---|---|---|"]
        for name, rule in sorted(rules.items()):
            message = rule["message"]["en"].replace("|", "\\|")
            lines.append(f"| `{name}` | {rule['peer']} | {rule['severity']} | {message} | {'yes' if 'fix' in rule else ''} |")
    return f"{count} rules.\n" + "\n".join(lines) + "\n"


def main():
    made = table()
    if not sys.argv[1:]:
        print(made)
        return 0
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    new = head + BEGIN + made + END + rest.split(END)[1]
    if sys.argv[1] == "--write":
        DOCUMENT.write_text(new)
        return 0
    if new != text:
        print("docs/analysis.md: the table of rules is not that of the rules' files: rules_table.py --write")
    return 1 if new != text else 0


if __name__ == "__main__":
    sys.exit(main())
