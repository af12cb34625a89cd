"""Addresses of stores."""

from __future__ import annotations

import os
from pathlib import Path

from autolog_core.config import DEFAULT_FOLDER
from autolog_core.errors import InvalidArgument

DATABASE_NAME = "tracking.db"
_SQLITE = "sqlite:///"
_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def resolve_address(address: str | os.PathLike[str] | None) -> str:
    """Returns the absolute address of a store.

    Args:
        address: ``sqlite:///path/to/file.db``, relative to the working folder unless the path
            begins with a slash; a folder, for the database ``tracking.db`` in it; None for
            ``./mlruns``.

    Raises:
        InvalidArgument: No store is known for its scheme, or it names no file.
    """
    text = DEFAULT_FOLDER if address is None else address
    if not isinstance(text, str | os.PathLike) or not os.fspath(text):
        raise InvalidArgument(
            f"tracking address must be a folder or sqlite:///path/to/file.db, got {address!r}"
        )
    text = os.fspath(text)
    if text.startswith("sqlite:"):
        return _SQLITE + sqlite_path(text)
    scheme, mark, _ = text.partition("://")
    if mark and scheme != "file":
        raise InvalidArgument(
            f"tracking address {text!r}: scheme {scheme!r} is not supported yet; use "
            "sqlite:///path/to/file.db or a folder"
        )
    folder = text.removeprefix("file:")
    if folder.startswith("//"):
        folder = folder.removeprefix("//").removeprefix("localhost")
    path = os.path.abspath(os.path.expanduser(folder))
    if not path.endswith(_SUFFIXES):
        path = os.path.join(path, DATABASE_NAME)
    return _SQLITE + sqlite_path(_SQLITE + path)


def sqlite_path(address: str) -> str:
    """Returns the absolute path of the database file that a ``sqlite:///`` address names.

    Raises:
        InvalidArgument: It is no such address.
    """
    if not address.startswith(_SQLITE):
        raise InvalidArgument(
            f"tracking address {address!r} is of an unknown kind: write sqlite:///path/to/file.db"
        )
    path = address.removeprefix(_SQLITE)
    if not path or path.endswith("/") or path == ":memory:" or "\0" in path:
        raise InvalidArgument(
            f"tracking address {address!r} names no database file: write sqlite:///path/to/file.db"
        )
    if "?" in path or "#" in path:
        raise InvalidArgument(
            f"tracking address {address!r} must not hold '?' or '#': options cannot be given, and "
            "artifact addresses could not hold them"
        )
    return os.path.abspath(path)


def spool_folder(address: str) -> Path:
    """Returns the folder of the journals of the store at `address`."""
    return Path(address.removeprefix(_SQLITE) + ".spool")


def count_journals(spool: Path) -> int:
    """Returns how many processes have a journal below `spool`."""
    try:
        return sum("." not in name for name in os.listdir(spool))
    except FileNotFoundError:
        return 0
