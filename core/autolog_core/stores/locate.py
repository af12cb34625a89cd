"""From an address to an open store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from autolog_core.config import DEFAULT_FOLDER
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog_core.stores.base import Store

DATABASE_NAME = "tracking.db"
_SQLITE = "sqlite:///"


def default_address(folder: str | None = None) -> str:
    """Returns the address of ``./mlruns/tracking.db``.

    Args:
        folder: Folder to use instead of the working directory.
    """
    return _SQLITE + os.path.abspath(os.path.join(folder or "", DEFAULT_FOLDER, DATABASE_NAME))


def resolve_address(address: str | None) -> str:
    """Returns `address` in full: relative paths from the working directory, None as the default.

    Raises:
        InvalidArgument: It is of a kind that autolog does not know, or names no file.
    """
    if address is None:
        return default_address()
    return _SQLITE + sqlite_path(address)


def sqlite_path(address: str) -> str:
    """Returns the absolute path of the database file that `address` names.

    Raises:
        InvalidArgument: It is no such address.
    """
    if not isinstance(address, str) or not address.startswith(_SQLITE):
        raise InvalidArgument(
            f"tracking URI {address!r} is of an unknown kind; supported: sqlite:///<path of a "
            "database file>, such as sqlite:///mlruns/tracking.db"
        )
    path = address[len(_SQLITE) :]
    if not path or path.endswith("/") or path == ":memory:" or "\0" in path:
        raise InvalidArgument(
            f"tracking URI {address!r} names no database file; write sqlite:///<path>, such as "
            "sqlite:///mlruns/tracking.db"
        )
    if "?" in path or "#" in path:
        raise InvalidArgument(
            f"tracking URI {address!r} must not hold '?' or '#': options cannot be given, and "
            "artifact addresses could not hold them"
        )
    return os.path.abspath(path)


def open_store(address: str | None = None) -> Store:
    """Opens the store at `address`, making it if there is none.

    Args:
        address: ``sqlite:///<path>``, relative to the working directory unless the path begins
            with a slash; None is ``./mlruns/tracking.db``.

    Raises:
        InvalidArgument: The address is of a kind that autolog does not know.
        SchemaMismatch: The database's schema is older or newer than this version's.
        CorruptStore: The database is damaged, or another program's.
        StorageFull: No space is left to make it.
        StorageReadOnly: It must be made and the place cannot be written.
    """
    from autolog_core.stores.sql.engine import Database, make_folder
    from autolog_core.stores.sql.store import SqlStore

    full = resolve_address(address)
    path = sqlite_path(full)
    make_folder(full, path)
    database = Database(full, path)
    try:
        return SqlStore(database, artifact_root=os.path.dirname(path))
    except BaseException:
        database.close()
        raise
