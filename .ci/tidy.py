"""Gives text files one newline at their end and no blanks at the end of a line.

Usage: ``tidy.py <file> ...``; exits with 1 if a file was changed, as pre-commit expects.
"""

import sys
from pathlib import Path


def tidy(text: str) -> str:
    """Returns ``text`` without trailing blanks, ending in exactly one newline."""
    stripped = "\n".join(line.rstrip() for line in text.splitlines()).rstrip("\n")
    return f"{stripped}\n" if stripped else ""


def main(names: list[str]) -> int:
    """Tidies the named files."""
    changed = 0
    for path in map(Path, names):
        before = path.read_bytes().decode()
        after = tidy(before)
        if after != before:
            path.write_bytes(after.encode())
            print(f"tidied {path}")
            changed = 1
    return changed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
