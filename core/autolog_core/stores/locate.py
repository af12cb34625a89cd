"""From an address to an open store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from autolog_core.address import resolve_address, sqlite_path

if TYPE_CHECKING:
    from autolog_core.stores.base import Store


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
