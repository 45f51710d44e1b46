#!/usr/bin/env python3
"""How far systemd closes the service, and why each of the other doors stays open.

    exposure.py [--quiet]       ends with 1 above the threshold, or when a door has no reason

The reasons are those of docs/operations.md, so that what operators read is what is checked.
"""
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
THRESHOLD = 4.6


def analyse():
    """(exposure, {item: what systemd says}) of the unit as shipped, whatever is installed here."""
    text = (ROOT / "systemd/cloisterd.service").read_text()
    text = re.sub(r"^(Exec\w+)=.*$", r"\1=/bin/true", text, flags=re.M)  # the analysis looks for the program
    with tempfile.TemporaryDirectory(prefix="cloister-exposure-") as folder:
        unit = Path(folder, "cloisterd.service")
        unit.write_text(text)
        command = ["systemd-analyze", "security", "--offline=yes", "--no-pager"]
        table = subprocess.run([*command, "--json=short", unit], check=True, stdout=subprocess.PIPE, text=True).stdout
        words = subprocess.run([*command, unit], check=True, stdout=subprocess.PIPE, text=True).stdout
    exposure = float(re.search(r"exposure level for \S+: ([\d.]+)", words).group(1))
    return exposure, {item["name"]: item["description"] for item in json.loads(table)
                      if item["exposure"] not in (None, "")}


def reasons():
    """The table of docs/operations.md: which items a row is about, and its reason."""
    rows = re.findall(r"^\| `([^|]+)` \| ([^|]+) \|$", (ROOT / "docs/operations.md").read_text(), re.M)
    return [(re.split(r"`, `", names), reason) for names, reason in rows]


def reason_for(item, table):
    for names, reason in table:
        if any(item.startswith(name) for name in names):
            return reason
    return None


def main():
    exposure, doors = analyse()
    table = reasons()
    missing = [item for item in doors if reason_for(item, table) is None]
    if "--quiet" not in sys.argv:
        for item in sorted(doors):
            print(f"open  {item}: {doors[item]}\n      because: {reason_for(item, table) or 'NO REASON IS GIVEN'}")
    print(f"exposure {exposure}, at most {THRESHOLD}; {len(doors)} doors open, {len(missing)} without a reason")
    for item in missing:
        print(f"no reason is given for {item}")
    return 1 if missing or exposure > THRESHOLD else 0


if __name__ == "__main__":
    sys.exit(main())
