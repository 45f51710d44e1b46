#!/usr/bin/env python3
"""Reads the texts of a room from the daemon's SQLite file, knowing nothing of the daemon but its tables: the newest
text that is kept of each document, and the updates since. Prints {path: {epoch, version, text}}.

    store_reader.py STATE_DIRECTORY ROOM
"""
import json
import sqlite3
import sys
from pathlib import Path

UNIT = 2  # bytes of UTF-16, in which offsets count


def database_in(folder):
    for path in sorted(Path(folder).rglob("*")):
        if path.is_file() and path.open("rb").read(15) == b"SQLite format 3":
            return path
    sys.exit(f"no SQLite file in {folder}")


def units_of(packed):
    """A text as UTF-16, little end first."""
    form, text = packed[:1], packed[1:]
    return text if form == b"w" else text.decode("utf-8").encode("utf-16-le")


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def number(self):
        value, shift = 0, 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


def apply(changes, text):
    """A packed change: the number of its sections; of each, units of the old text, and units of the new one plus
    one, 0 for what is kept; then all inserted text."""
    reader = Reader(changes)
    sections = [(reader.number(), reader.number() - 1) for _ in range(reader.number())]
    inserted = units_of(changes[reader.at:])
    out, place, taken = [], 0, 0
    for length, new in sections:
        if new < 0:
            out.append(text[place:place + length * UNIT])
        else:
            out.append(inserted[taken:taken + new * UNIT])
            taken += new * UNIT
        place += length * UNIT
    if place != len(text) or taken != len(inserted):
        sys.exit(f"a change of {place // UNIT} units for a text of {len(text) // UNIT}")
    return b"".join(out)


def document(database, file):
    version, content = database.execute(
        "SELECT version, content FROM snapshots WHERE file = ? ORDER BY version DESC LIMIT 1", (file,)).fetchone()
    text = units_of(content)
    for at, changes in database.execute(
            "SELECT version, changes FROM updates WHERE file = ? AND version >= ? ORDER BY version", (file, version)):
        if at != version:
            sys.exit(f"update {version} is missing, the next one is {at}")
        text = apply(changes, text)
        version += 1
    return version, text.decode("utf-16-le")


def main():
    database = sqlite3.connect(f"file:{database_in(sys.argv[1])}?mode=ro", uri=True)
    rows = database.execute("SELECT files.id, path, epoch FROM files JOIN rooms ON rooms.id = files.room "
                            "WHERE rooms.name = ?", (sys.argv[2],)).fetchall()
    found = {}
    for file, path, epoch in rows:
        version, text = document(database, file)
        found[path] = {"epoch": epoch, "version": version, "text": text}
    print(json.dumps(found))


main()
