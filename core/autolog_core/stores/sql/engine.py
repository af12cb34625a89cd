"""A SQLite database that many threads and processes read and write at once."""

from __future__ import annotations

import errno
import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import Pool, QueuePool

from autolog_core.errors import AutologError, StorageError, StorageFull
from autolog_core.stores.sql import faults

T = TypeVar("T")

BUSY_TIMEOUT = 30.0
"""Seconds that SQLite itself waits for a lock, per attempt."""
PATIENCE = 120.0
"""Seconds after which a write gives up on a locked database."""
_WRITE = "autolog_write"
_PRAGMAS = (
    "PRAGMA synchronous=NORMAL",
    "PRAGMA case_sensitive_like=ON",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",
    # Longer than the default of 1,000 pages: fewer syncs while much is logged.
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA journal_size_limit=67108864",
)


class Database:
    """An open database file: a pool of connections, and transactions that wait their turn.

    Args:
        address: The URI, for messages.
        path: The file, absolute.
        patience: Seconds to wait for other writers before giving up.
    """

    def __init__(self, address: str, path: str, patience: float = PATIENCE) -> None:
        self.address = address
        self.path = path
        self.patience = patience
        self.read_only = _is_frozen(path)
        self.engine = _make_engine(path, self.read_only, min(BUSY_TIMEOUT, patience))
        _OPEN.add(self)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Returns what `work` returns; it sees one state of the database throughout.

        Raises:
            StorageError: The database cannot be read.
        """
        return self._run(work, write=False)

    def write(self, work: Callable[[Connection], T]) -> T:
        """Returns what `work` returns, in a transaction that it holds alone.

        `work` runs again from the start if another writer was in the way.

        Raises:
            StorageError: The database cannot be written; nothing was.
        """
        return self._run(work, write=True)

    def settle(self) -> None:
        """Lets readers and a writer work side by side from now on (write-ahead log).

        The file remembers it, so that this waits for other processes only the first time.
        """
        if self.read_only:
            return

        def switch(connection: Connection) -> None:
            for wanted in ("", "=WAL"):
                mode = connection.exec_driver_sql(f"PRAGMA journal_mode{wanted}").scalar()
                if mode == "wal":
                    return

        self._run(switch, None)

    def sync(self) -> None:
        """Returns when the write-ahead log is on the disk.

        Raises:
            StorageError: The system cannot write it.
        """
        # Not the database file itself: to close it would give up the locks that SQLite holds.
        try:
            descriptor = os.open(self.path + "-wal", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            getattr(os, "fdatasync", os.fsync)(descriptor)
        except OSError as error:
            raise StorageError(f"{self.address} cannot be synced: {error}") from error
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Closes the connections."""
        self.engine.dispose()
        _OPEN.discard(self)

    def _run(self, work: Callable[[Connection], T], write: bool | None) -> T:
        deadline = time.monotonic() + self.patience
        pause = 0.005
        while True:
            try:
                with _in_use(), self.engine.connect() as connection:
                    connection = connection.execution_options(**{_WRITE: write})
                    if not write:
                        return work(connection)
                    with connection.begin():
                        return work(connection)
            except DBAPIError as error:
                if not faults.is_busy(error) or time.monotonic() > deadline:
                    raise faults.translate(error, self.address, self.path) from error.orig
            except (sqlite3.Error, UnicodeDecodeError) as error:
                raise self._raw(error) from error
            time.sleep(pause * (0.5 + random.random()))
            pause = min(2 * pause, 0.5)

    def _raw(self, error: Exception) -> AutologError:
        if isinstance(error, UnicodeDecodeError):
            return faults.damaged(self.address)
        return faults.translate(DBAPIError("", None, error), self.address, self.path)


def make_folder(address: str, path: str) -> None:
    """Makes the folder of a database file.

    Raises:
        StorageFull: No space is left.
        StorageReadOnly: The place cannot be written.
        StorageError: A file is in the way.
    """
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"no space is left to make {os.path.dirname(path)!r}") from error
        raise faults.cannot_open(address, path) from error


def _make_engine(path: str, read_only: bool, busy_timeout: float) -> Engine:
    if read_only:
        name, query = f"file:{_quoted(path)}", {"immutable": "1", "mode": "ro", "uri": "true"}
    else:
        name, query = path, {}
    engine = create_engine(
        URL.create("sqlite", database=name, query=query),
        poolclass=QueuePool,
        pool_size=4,
        max_overflow=-1,
        connect_args={
            "timeout": busy_timeout,
            # None: the driver leaves BEGIN to us.
            "isolation_level": None,
            "check_same_thread": False,
            "cached_statements": 256,
        },
    )
    event.listen(engine, "connect", _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a lock that is upgraded later can fail at any point.
    write = connection.get_execution_options().get(_WRITE, False)
    if write is not None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _is_frozen(path: str) -> bool:
    """Whether a finished database lies where nothing can be written, such as an archive."""
    if not os.path.isfile(path) or os.path.exists(path + "-wal"):
        return False
    return not os.access(path, os.W_OK) or not os.access(os.path.dirname(path), os.W_OK)


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")


_OPEN: weakref.WeakSet[Database] = weakref.WeakSet()
_INHERITED: list[Pool] = []
_LONGEST = 10.0
"""Seconds for which a fork waits at most for what is under way."""
_gate = threading.Condition()
_under_way = 0


@contextmanager
def _in_use() -> Iterator[None]:
    global _under_way
    with _gate:
        _under_way += 1
    try:
        yield
    finally:
        with _gate:
            _under_way -= 1
            _gate.notify_all()


def _close_before_fork() -> None:
    """Closes the connections of a process that forks, once none is in use.

    SQLite remembers in memory which locks its process holds. A child would find its parent's there
    and believe them its own: it waits for ever for a transaction of its parent, and goes on writing
    into a log that the parent has deleted.
    """
    _gate.acquire()
    if _gate.wait_for(lambda: not _under_way, _LONGEST):
        for database in list(_OPEN):
            database.engine.dispose()


def _go_on() -> None:
    _gate.release()


def _forget_inherited() -> None:
    """Gives a forked child its own connections.

    Those that could not be closed before are kept unused: closing them here would drop locks that
    the parent relies on.
    """
    global _gate, _under_way
    _gate = threading.Condition()
    _under_way = 0
    for database in list(_OPEN):
        _INHERITED.append(database.engine.pool)
        database.engine.dispose(close=False)


os.register_at_fork(
    before=_close_before_fork, after_in_parent=_go_on, after_in_child=_forget_inherited
)
