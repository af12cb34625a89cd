"""What is done to a database as a whole: upgrading its schema, and checking it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.exc import DBAPIError

from autolog_core.address import resolve_address, sqlite_path
from autolog_core.errors import CorruptStore, NotFound, SchemaMismatch
from autolog_core.stores.metric_codec import decode
from autolog_core.stores.sql import faults, versions
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.points import ranges
from autolog_core.stores.sql.schema import latest_metrics, metadata, metric_chunks

T = TypeVar("T")

_PAGE = 200
_MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Check:
    """What `check` found.

    Attributes:
        revision: Schema revision; None where the file is no database of autolog.
        newest: The revision that this version of autolog works with.
        size: Bytes of the database and its write-ahead log.
        counts: Rows per table.
        points: Points of all metrics.
        problems: What is wrong, in words; empty if nothing is. At most a hundred are listed.
    """

    address: str
    revision: str | None
    newest: str
    size: int
    counts: dict[str, int]
    points: int
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def check(address: str | None = None) -> Check:
    """Reads a database from end to end: its pages, its indexes, every chunk of every metric.

    Raises:
        NotFound: There is no file.
        CorruptStore: It is no SQLite database, or too damaged to be opened.
        StorageError: It cannot be read.
    """
    with closing(_open(address)) as database:
        return database.read(lambda connection: _check(connection, database))


def get_revision(address: str | None = None) -> str | None:
    """Returns a database's schema revision, None if it has none.

    Raises:
        NotFound: There is no file.
        CorruptStore: It is no SQLite database, or too damaged to be opened.
    """
    with closing(_open(address)) as database:
        return database.read(versions.get_revision)


def upgrade(address: str | None = None) -> tuple[str | None, str]:
    """Brings a database's schema to the newest revision, in one transaction.

    Returns:
        The revisions before and after; the first is None for a file that was blank.

    Raises:
        NotFound: There is no file.
        SchemaMismatch: It is newer than this version of autolog, or older than any it knows.
        CorruptStore: It is damaged, or another program's; nothing was changed.
        StorageReadOnly: It cannot be written.
    """
    with closing(_open(address)) as database:
        if database.read(versions.is_blank):
            versions.prepare(database, os.path.dirname(database.path))
            return None, versions.HEAD
        before = database.read(versions.get_revision)
        problem = database.read(lambda c: versions.explain(c, database.address))
        if before is None or (before > versions.HEAD and problem is not None):
            raise problem or CorruptStore(f"{database.address} holds no schema of autolog")
        if problem is not None:
            database.write(lambda connection: migrate(connection, database.address))
        return before, versions.HEAD


def migrate(connection: Connection, address: str) -> None:
    """Runs the migrations that the database lacks in the transaction of `connection`."""
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    place = os.path.join(os.path.dirname(__file__), "migrations")
    config.set_main_option("script_location", place.replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise SchemaMismatch(
            f"{address} cannot be upgraded: {error}; it was made by a version of autolog that "
            "this one does not know"
        ) from error


def _open(address: str | None) -> Database:
    full = resolve_address(address)
    path = sqlite_path(full)
    if not os.path.exists(path):
        raise NotFound(f"there is no database at {full}; it is made when the first run is logged")
    return Database(full, path)


def _check(connection: Connection, database: Database) -> Check:
    problems: list[str] = []

    def run(work: Callable[[], T], otherwise: T) -> T:
        """Goes on past damage: as much as can be told is told."""
        try:
            return work()
        except DBAPIError as error:
            message = faults.translate(error, database.address, database.path).message
            problems.append(message)
            return otherwise

    problems.extend(run(lambda: _integrity(connection), []))
    revision = run(lambda: versions.get_revision(connection), None)
    mismatch = run(lambda: versions.explain(connection, database.address), None)
    counts: dict[str, int] = {}
    points = 0
    if mismatch is not None:
        problems.append(mismatch.message)
    elif revision is not None:
        counts = {
            table.name: run(lambda table=table: _count(connection, table), 0)  # type: ignore[misc]
            for table in metadata.sorted_tables
        }
        points = run(lambda: connection.scalar(select(func.sum(metric_chunks.c.points))), None) or 0
        run(lambda: problems.extend(_damaged_chunks(connection)), None)
        run(lambda: problems.extend(_miscounted(connection)), None)
    if len(problems) > _MOST_PROBLEMS:
        problems[_MOST_PROBLEMS:] = [f"and {len(problems) - _MOST_PROBLEMS} more"]
    files = filter(os.path.exists, (database.path, database.path + "-wal"))
    size = sum(map(os.path.getsize, files))
    return Check(database.address, revision, versions.HEAD, size, counts, points, tuple(problems))


def _count(connection: Connection, table: Table) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0


def _integrity(connection: Connection) -> list[str]:
    rows = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
    return [f"the file is damaged: {row}" for row in rows if row != "ok"]


def _damaged_chunks(connection: Connection) -> Iterator[str]:
    table = metric_chunks.c
    query = (
        select(
            table.chunk_id,
            table.run_id,
            table.key,
            table.points,
            table.first_step,
            table.last_step,
            table.data,
        )
        .order_by(table.chunk_id)
        .limit(_PAGE)
    )
    last = -1
    while rows := connection.execute(query.where(table.chunk_id > last)).all():
        for number, run_id, key, count, first, final, data in rows:
            where = f"metric {key!r} of run {run_id}, chunk {number}"
            try:
                points = decode(data)
            except CorruptStore as error:
                yield f"{where}: {error.message}"
                continue
            bounds = ranges(points)
            if (len(points.steps), bounds.first_step, bounds.last_step) != (count, first, final):
                yield f"{where}: its points are not those that its row tells of"
        last = rows[-1].chunk_id


def _miscounted(connection: Connection) -> list[str]:
    stored = (
        select(
            metric_chunks.c.run_id,
            metric_chunks.c.key,
            func.sum(metric_chunks.c.points).label("points"),
        )
        .group_by(metric_chunks.c.run_id, metric_chunks.c.key)
        .subquery()
    )
    query = (
        select(latest_metrics.c.run_id, latest_metrics.c.key, latest_metrics.c.points)
        .join_from(
            latest_metrics,
            stored,
            (stored.c.run_id == latest_metrics.c.run_id) & (stored.c.key == latest_metrics.c.key),
            isouter=True,
        )
        .where(func.coalesce(stored.c.points, 0) != latest_metrics.c.points)
    )
    return [
        f"metric {key!r} of run {run_id}: {points} points were logged, its history has others"
        for run_id, key, points in connection.execute(query)
    ]
