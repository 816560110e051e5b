"""What clang wrote down of each compilation, as one list for clang-tidy.

Usage: commands.py FRAGMENTS SOURCE OUTPUT

A file that was compiled for several programs is listed once, or clang-tidy
would read it several times.  A file of the tree that was never compiled is an
error: nobody would have looked at it.

SPDX-License-Identifier: BSD-2-Clause
"""

import json
import pathlib
import sys


def commands(fragments):
    """The newest command for each file, by file."""
    found = {}
    paths = sorted(fragments.glob("*.json"), key=lambda p: p.stat().st_mtime)
    for path in paths:
        text = path.read_text(encoding="utf-8").strip().removesuffix(",")
        command = json.loads(text)
        found[pathlib.Path(command["file"]).resolve()] = command
    return found


def main():
    fragments, source, output = map(pathlib.Path, sys.argv[1:])
    found = commands(fragments)
    files = {path.resolve() for path in source.rglob("*.c")}
    never = sorted(str(path) for path in files - found.keys())
    output.write_text(json.dumps([c for f, c in found.items() if f in files]),
                      encoding="utf-8")
    if never:
        sys.exit("never compiled:\n" + "\n".join(never))


main()
