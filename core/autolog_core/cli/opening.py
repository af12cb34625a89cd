"""Opens the store that a command works on."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from autolog_core.errors import NotFound, StorageFull, StorageReadOnly

if TYPE_CHECKING:
    from autolog_core.config import Settings
    from autolog_core.journal.recovery import Recovered
    from autolog_core.session import Session


def database_file(address: str) -> str | None:
    """Returns the path of the database of a resolved address, or None if it is no file."""
    return address.removeprefix("sqlite:///") if address.startswith("sqlite:///") else None


def open_session(address: str | None, settings: Settings, must_exist: bool) -> Session:
    """Returns a session for an address, or for the one in force.

    Raises:
        InvalidArgument: The address names no store.
        NotFound: There is no database, and `must_exist` is set.
    """
    from autolog_core.session import Session

    session = Session(address, settings)
    path = database_file(session.address)
    if must_exist and path is not None and not os.path.exists(path):
        raise NotFound(
            f"there is no tracking database at {path}: run this where your training ran, or say "
            "where it is with --tracking-uri or AUTOLOG_TRACKING_URI"
        )
    return session


def recover(session: Session) -> list[Recovered]:
    """Brings in what dead processes left, and returns what that was.

    A store that cannot be written is read as it stands.
    """
    try:
        return session.recover()
    except (StorageReadOnly, StorageFull) as error:
        click.echo(f"what dead processes left is not brought in: {error}", err=True)
        return []
