"""Replay of journals whose owner is dead."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autolog_core.entities import LoggedModelStatus
from autolog_core.errors import AutologError, CorruptJournal
from autolog_core.journal import lock
from autolog_core.journal.reader import SegmentReader
from autolog_core.journal.segment import open_segment, segment_number
from autolog_core.models.removal import discard, own_folder, remove_drafts
from autolog_core.stores.base import Store
from autolog_core.stores.operations import WriterMark

logger = logging.getLogger("autolog")

_STALE = 3600.0
"""Seconds after which a journal that was being made or deleted counts as left behind."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was done with one dead writer's journal.

    Attributes:
        runs: Ids of the runs that it had left open, now FAILED.
        damage: What was wrong with the journal, if anything; the rest of it is kept in `kept`.
    """

    writer_id: str
    runs: tuple[str, ...]
    damage: str | None = None
    kept: Path | None = None


def recover(spool: Path, store: Store) -> list[Recovered]:
    """Replays every journal below `spool` that nobody owns, and closes its runs as FAILED.

    Models that its process was saving become FAILED, and what was written of them goes; the
    weights go of those that it was pruning.

    Raises:
        StorageError: The store cannot take it now; the journals stay.
    """
    found = []
    for folder in _journals(spool):
        if not _claim(folder):
            continue
        try:
            found.append(_replay(folder, store))
        finally:
            lock.release(folder / "lock")
    return found


def _journals(spool: Path) -> Iterator[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(spool))
    except FileNotFoundError:
        return
    for name in names:
        folder = spool / name
        if name.startswith(".new-") or name.endswith(lock.DONE):
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > _STALE and _claim(folder):
                    lock.delete_locked(folder)
        elif "." not in name:
            yield folder


def _claim(folder: Path) -> bool:
    path = folder / "lock"
    try:
        if not lock.acquire(path):
            return False
    except OSError:
        return False
    if lock.is_current(path):
        return True
    # Another process replayed and deleted it between our look and our lock.
    lock.release(path)
    return False


def _replay(folder: Path, store: Store) -> Recovered:
    writer_id = folder.name
    host, pid, cause = _owner(folder)
    damage = None
    try:
        _apply(folder, store, writer_id, host, pid)
    except CorruptJournal as error:
        damage = str(error)
        cause += f"; its journal was damaged: {damage}"
    # Before the store forgets what the writer had in hand: a death here leaves it to the next one.
    sweep_models(store, writer_id)
    runs = tuple(store.close_writer(writer_id, cause))
    kept = None
    if damage is None:
        lock.delete_locked(folder)
    else:
        kept = folder.with_name(folder.name + ".damaged")
        folder.rename(kept)
        lock.moved(folder / "lock", kept / "lock")
        lock.release(kept / "lock")
        logger.warning("autolog replayed a journal up to its damage: %s; kept in %s", damage, kept)
    return Recovered(writer_id, runs, damage, kept)


def _apply(folder: Path, store: Store, writer_id: str, host: str, pid: int) -> None:
    applied = store.get_position(writer_id)
    last_time = 0
    for path in _segments(folder, applied):
        segment = open_segment(path)
        reader = SegmentReader(segment, check=True)
        try:
            while True:
                before = reader.offset
                batch = reader.read(applied)
                last_time = max(last_time, batch.last_time)
                if batch.operations:
                    mark = WriterMark(writer_id, batch.position, last_time, host, pid)
                    store.apply(batch.operations, mark)
                if batch.done or reader.offset == before:
                    break
        finally:
            reader.close()
            segment.close()


def sweep_models(store: Store, writer_id: str) -> None:
    """Ends what a writer that is gone did to the files of models.

    Drafts of those that it was saving go, and all files of those that it pruned.

    Raises:
        StorageError: The store cannot be read or synced now.
    """
    left = store.list_owned_models(writer_id)
    if any(model.status == LoggedModelStatus.PRUNED for model in left):
        store.sync()
    for model in left:
        try:
            folder = own_folder(model.artifact_location, model.model_id)
            remove_drafts(folder)
            if model.status == LoggedModelStatus.PRUNED:
                discard(folder)
        except (AutologError, OSError) as error:
            logger.warning("what is left of model %s was not removed: %s", model.model_id, error)


def _segments(folder: Path, applied: int) -> list[Path]:
    paths = sorted(folder.glob("*.segment"))
    return [path for path in paths if segment_number(path) >= applied >> 32]


def _owner(folder: Path) -> tuple[str, int, str]:
    try:
        host, pid, _ = (folder / "owner").read_text().split("\n", 2)
        number = int(pid)
    except (OSError, ValueError):
        return "", 0, "the process that logged this run ended without closing it"
    return (
        host,
        number,
        f"process {number} on {host} ended without closing this run "
        "(killed, crashed, or the machine stopped)",
    )
