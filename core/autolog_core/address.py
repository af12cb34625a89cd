"""Addresses of stores."""

from __future__ import annotations

import os
from pathlib import Path

from autolog_core.config import DEFAULT_FOLDER
from autolog_core.errors import InvalidArgument


def resolve_address(address: str | None) -> str:
    """Returns the absolute address of a store.

    A plain path to a folder means the database ``tracking.db`` in it.

    Raises:
        InvalidArgument: No store is known for its scheme.
    """
    text = f"./{DEFAULT_FOLDER}" if address is None else os.fspath(address)
    if text.startswith("sqlite:"):
        file = text.removeprefix("sqlite:").removeprefix("//")
        if not file.startswith("/") or file in ("/", "/:memory:"):
            raise InvalidArgument(
                f"tracking address {text!r} names no database file: write sqlite:///path/to/file.db"
            )
        # sqlite:///x.db is relative, sqlite:////x.db absolute.
        return f"sqlite:///{Path(file[1:].partition('?')[0]).absolute()}"
    scheme, mark, rest = text.partition("://")
    if mark and scheme != "file":
        raise InvalidArgument(
            f"tracking address {text!r}: scheme {scheme!r} is not supported yet; use "
            "sqlite:///path/to/file.db or a folder"
        )
    path = Path(rest if mark else text).expanduser().absolute()
    if path.suffix in (".db", ".sqlite", ".sqlite3"):
        return f"sqlite:///{path}"
    return f"sqlite:///{path / 'tracking.db'}"


def spool_folder(address: str) -> Path:
    """Returns the folder of the journals of the store at `address`."""
    return Path(address.removeprefix("sqlite:///") + ".spool")


def count_journals(spool: Path) -> int:
    """Returns how many processes have a journal below `spool`."""
    try:
        return sum("." not in name for name in os.listdir(spool))
    except FileNotFoundError:
        return 0
