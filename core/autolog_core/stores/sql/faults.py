"""Driver errors, told in autolog's words: what happened, to which database, and the remedy.

No SQL text and no parameter of a statement goes into a message.
"""

from __future__ import annotations

import os
import shutil
import sqlite3

from sqlalchemy.exc import DBAPIError

from autolog_core.errors import (
    AutologError,
    CorruptStore,
    StorageError,
    StorageFull,
    StorageReadOnly,
)

_BUSY = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
_DAMAGED = frozenset((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT))
_NEARLY_FULL = 64 * 1024


def is_busy(error: DBAPIError) -> bool:
    """Whether another writer was in the way, so that the same work may succeed later."""
    return _code(error.orig) in _BUSY


def translate(error: DBAPIError, address: str, path: str) -> AutologError:
    """Returns the typed error for a driver's error.

    Args:
        error: What SQLAlchemy raised.
        address: The URI of the store, for the message.
        path: The database file.
    """
    code = _code(error.orig)
    folder = os.path.dirname(path)
    if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _is_full(folder)):
        return StorageFull(
            f"no space is left for {address}: free space in {folder!r}, or set another "
            "tracking URI; nothing of this write was applied"
        )
    if code == sqlite3.SQLITE_READONLY or code == sqlite3.SQLITE_PERM:
        return StorageReadOnly(
            f"{address} cannot be written: make {path!r} and its folder writable for this user, "
            "or set another tracking URI"
        )
    if code == sqlite3.SQLITE_CANTOPEN:
        return cannot_open(address, path)
    if code in _DAMAGED:
        return damaged(address)
    if code in _BUSY:
        return StorageError(
            f"{address} stayed locked by another process for too long; look for a stuck process "
            f"that holds {path!r} open, then try again"
        )
    return StorageError(
        f"{address} failed with {_name(error.orig)}; run `autolog db check {address}`"
    )


def cannot_open(address: str, path: str) -> AutologError:
    """Returns the error for a database file that cannot be opened or made."""
    if os.path.isdir(path):
        return StorageError(f"{address} is a folder; name a file in it, such as tracking.db")
    place = path if os.path.exists(path) else os.path.dirname(path)
    while not os.path.exists(place):
        place = os.path.dirname(place)
    if not os.access(place, os.W_OK) or not os.access(os.path.dirname(place), os.X_OK):
        return StorageReadOnly(
            f"{address} cannot be opened for writing: make {place!r} writable for this user, or "
            "set another tracking URI"
        )
    return StorageError(f"{address} cannot be opened: check that {path!r} can be read and written")


def damaged(address: str) -> AutologError:
    """Returns the error for a file that is damaged or no SQLite database."""
    return CorruptStore(
        f"{address} is damaged or is no SQLite database; run `autolog db check {address}`, restore "
        "a backup, or set another tracking URI"
    )


def _code(cause: BaseException | None) -> int:
    """Returns SQLite's primary result code, or 0."""
    return (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF


def _name(cause: BaseException | None) -> str:
    return getattr(cause, "sqlite_errorname", None) or type(cause).__name__


def _is_full(folder: str) -> bool:
    try:
        return shutil.disk_usage(folder).free < _NEARLY_FULL
    except OSError:
        return False
