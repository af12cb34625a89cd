"""Which schema a database has: creating, checking and upgrading it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
)

from autolog_core.errors import AutologError, CorruptStore, SchemaMismatch
from autolog_core.stores.sql import experiments
from autolog_core.stores.sql.schema import metadata

if TYPE_CHECKING:
    from autolog_core.stores.sql.engine import Database

HEAD = "0001"
"""The newest revision of `migrations`; revisions are numbered and sort as text."""
VERSION_TABLE = "autolog_version"

version = Table(
    VERSION_TABLE,
    MetaData(),
    # As Alembic makes it.
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name=f"{VERSION_TABLE}_pkc"),
)


def prepare(database: Database, artifact_root: str) -> None:
    """Makes the tables of a new database; refuses one that this version cannot use.

    Raises:
        SchemaMismatch: The schema is older or newer.
        CorruptStore: It is damaged, or is another program's.
        StorageReadOnly: It must be made and the place cannot be written.
    """
    if database.read(is_blank):
        database.write(lambda connection: _create(connection, artifact_root))
    problem = database.read(lambda connection: explain(connection, database.address))
    if problem is not None:
        raise problem
    database.settle()


def is_blank(connection: Connection) -> bool:
    """Whether the database has no table at all."""
    return not inspect(connection).get_table_names()


def get_revision(connection: Connection) -> str | None:
    """Returns the revision that the database is at; None if it is not one of autolog."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.scalar(select(version.c.version_num))


def explain(connection: Connection, address: str) -> AutologError | None:
    """Returns why this version cannot use the database, or None if it can."""
    revision = get_revision(connection)
    if revision == HEAD:
        return None
    if revision is None:
        return CorruptStore(
            f"{address} is the database of another program: it has tables, and none of them is "
            f"{VERSION_TABLE!r}; set another tracking URI, such as a file that does not exist yet"
        )
    if revision < HEAD:
        return SchemaMismatch(
            f"{address} has schema {revision}, older than {HEAD} of this version of autolog; back "
            f"it up, then run `autolog db upgrade {address}`"
        )
    return SchemaMismatch(
        f"{address} has schema {revision}, newer than {HEAD} of this version of autolog; run "
        f"`pip install -U autolog-ml` (`autolog db upgrade {address}` cannot go back)"
    )


def _create(connection: Connection, artifact_root: str) -> None:
    # Another process may have been first.
    if is_blank(connection):
        metadata.create_all(connection)
        version.create(connection)
        connection.execute(insert(version), {"version_num": HEAD})
        experiments.create_default(connection, artifact_root)
