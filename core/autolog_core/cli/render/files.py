"""Artifacts as a tree or a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from autolog_core.cli.render.tables import Cell, Column, Table
from autolog_core.cli.render.text import plain, size
from autolog_core.entities import FileInfo

if TYPE_CHECKING:
    from rich.text import Text

_MOST = 200


def tree(files: Sequence[FileInfo], ascii_only: bool = False) -> Text:
    """Returns files and folders drawn as a tree, with the sizes of files.

    Args:
        files: With paths relative to one root; folders may be among them.
        ascii_only: Whether only ASCII characters may be used.
    """
    from rich.text import Text

    branches: dict[str, dict[str, FileInfo | None]] = {"": {}}
    for file in sorted(files, key=lambda file: file.path):
        parts = file.path.split("/")
        for depth in range(1, len(parts)):
            above = "/".join(parts[: depth - 1])
            branches.setdefault(above, {}).setdefault(parts[depth - 1], None)
        branches.setdefault("/".join(parts[:-1]), {})[parts[-1]] = file
        if file.is_dir:
            branches.setdefault(file.path, {})
    out = Text(no_wrap=True, overflow="ignore", end="")
    left = [_MOST]
    _grow(out, branches, "", "  ", ascii_only, left)
    if left[0] < 0:
        out.append(f"  and {-left[0]} more: autolog artifacts list\n", "dim")
    return out


def _grow(
    out: Text,
    branches: dict[str, dict[str, FileInfo | None]],
    folder: str,
    indent: str,
    ascii_only: bool,
    left: list[int],
) -> None:
    middle, last, upright = ("|- ", "`- ", "|  ") if ascii_only else ("├─ ", "└─ ", "│  ")
    entries = branches.get(folder, {})
    for place, (name, file) in enumerate(entries.items()):
        final = place == len(entries) - 1
        left[0] -= 1
        path = f"{folder}/{name}" if folder else name
        is_folder = file is None or file.is_dir
        if left[0] >= 0:
            out.append(indent + (last if final else middle), "dim")
            out.append(plain(name) + ("/" if is_folder else ""), "blue" if is_folder else "")
            if file is not None and not is_folder:
                out.append(f"  {size(file.file_size)}", "dim")
            out.append("\n")
        if is_folder:
            _grow(out, branches, path, indent + ("   " if final else upright), ascii_only, left)


def file_table(files: Sequence[FileInfo]) -> Table:
    """Returns a row per file or folder."""
    rows = tuple(
        (
            Cell(file.path + ("/" if file.is_dir else "")),
            Cell(size(file.file_size), "" if file.file_size is None else str(file.file_size)),
        )
        for file in sorted(files, key=lambda file: file.path)
    )
    return Table(
        (
            Column("PATH", "path", style="cyan", least=16),
            Column("SIZE", "size_bytes", align="right", style="dim"),
        ),
        rows,
    )
