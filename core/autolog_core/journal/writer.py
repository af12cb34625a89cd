"""The appending side of a journal: what a logging call runs."""

from __future__ import annotations

import os
import shutil
import struct
import threading
import time
import uuid
from array import array
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from autolog_core.errors import InvalidArgument, StorageError
from autolog_core.journal import lock
from autolog_core.journal.format import (
    END_WORD,
    FIELD,
    HEADER_SIZE,
    LENGTH_BITS,
    MAX_PAYLOAD,
    METRIC_BODY,
    METRIC_LOW,
    METRIC_SIZE,
    METRICS,
    METRICS_HEAD,
    PAD,
    PAD_MARK,
    SERIES,
    TIMED,
    position,
    record_size,
)
from autolog_core.journal.segment import Segment, create_segment, segment_path, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable
    from mmap import mmap

FIRST_SIZE = 256 << 10
LARGEST_SIZE = 16 << 20
LARGEST_UNPREPARED = 2 << 20
"""What a logging call makes itself when it is ahead of the pump: larger ones take too long."""
_pack_metric = METRIC_BODY.pack


class SeriesTable:
    """Series ids of one run, valid for one segment."""

    __slots__ = ("ids", "run_id", "segment")

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id
        self.segment = 0
        self.ids: dict[str | tuple[str | None, ...], int] = {}


class JournalWriter:
    """Appends records; one per process and session, shared by threads.

    Args:
        spool: Folder of all journals of a store.
        wake: Called, without arguments, when records wait and the pump sleeps.

    Raises:
        StorageFull: The first segment finds no room.
        StorageReadOnly: The spool cannot be written.
    """

    __slots__ = (
        "_end",
        "_lock",
        "_next_series",
        "_number",
        "_offset",
        "_segment",
        "_spare",
        "_wake",
        "folder",
        "full",
        "idle",
        "mapping",
        "words",
        "writer_id",
    )

    def __init__(self, spool: Path, wake: Callable[[], None]) -> None:
        self.writer_id = uuid.uuid4().hex
        self.folder = _make_folder(spool, self.writer_id)
        self.idle = True
        self.full: list[Segment] = []
        self._wake = wake
        # Re-entrant: a signal handler or a finalizer may log while its own thread is logging.
        self._lock = threading.RLock()
        self._spare: Segment | None = None
        self._offset = self._end = self._next_series = 0
        self.mapping: mmap
        self.words: memoryview[int]
        try:
            self._use(self._create(1, FIRST_SIZE))
        except StorageError:
            self.discard()
            raise

    def append_metric(
        self, table: SeriesTable, key: str, step: int, timestamp: int, value: float
    ) -> None:
        """Appends one point of the series `key` without model and dataset.

        Raises:
            InvalidArgument: Step or timestamp do not fit 64 bits.
            StorageFull: The segment is full and there is no room for another.
        """
        with self._lock:
            if self._offset + METRIC_SIZE > self._end:
                self._roll()
            series = table.ids.get(key) if table.segment == self._number else None
            if series is None:
                series = self._define(table, key, (key, None, None, None), METRIC_SIZE)
            try:
                body = _pack_metric(series, 0, step, timestamp, value)
            except struct.error:
                raise InvalidArgument(
                    f"metric {key!r}: step {step} or timestamp {timestamp} does not fit 64 bits"
                ) from None
            word = crc32(body, METRIC_LOW) << 32 | METRIC_LOW
            words = self.words
            mapping = self.mapping
            # No call and no jump between these three lines, so nothing can come between them.
            start = self._offset
            stop = start + METRIC_SIZE
            self._offset = stop
            try:
                mapping[start + 8 : stop] = body
                words[start >> 3] = word
            except BaseException:
                if not words[start >> 3]:
                    words[start >> 3] = PAD_MARK | PAD << LENGTH_BITS | METRIC_SIZE - 8
                raise
            if self.idle:
                self._rouse()

    def append_points(
        self,
        table: SeriesTable,
        series: list[tuple[str, str | None, str | None, str | None]],
        which: array[int] | None,
        count: int,
        columns: bytes,
    ) -> None:
        """Appends `count` points of one or several series of a run as one record.

        Args:
            table: The run's series ids.
            series: Distinct (key, model id, dataset name, dataset digest).
            which: Indices into `series` per point (type "I"); None if there is one series.
            columns: Steps, timestamps and values, 8 bytes each, one column after the other.

        Raises:
            StorageFull: There is no room.
        """
        size = METRICS_HEAD.size + 8 + (4 * len(which) if which else 0) + len(columns)
        with self._lock:
            self._make_room(
                record_size(size) + sum(record_size(_definition_size(table, s)) for s in series)
            )
            ids = [self._series_id(table, one) for one in series]
            if which is None:
                head = METRICS_HEAD.pack(count, 1) + struct.pack("=II", ids[0], 0)
            else:
                chosen = array("I", map(ids.__getitem__, which)).tobytes()
                head = METRICS_HEAD.pack(count, 0) + chosen + bytes(-len(chosen) % 8)
            self._write(METRICS, head + columns)

    def append(self, kind: int, timestamp: int, text: str) -> None:
        """Appends a record of texts joined by `FIELD`.

        Raises:
            InvalidArgument: The record is larger than any can be.
            StorageFull: There is no room.
        """
        payload = TIMED.pack(timestamp) + text.encode()
        if len(payload) > MAX_PAYLOAD:
            raise InvalidArgument(
                f"one call may log at most {MAX_PAYLOAD >> 20} MiB of text, got {len(payload)} "
                "bytes: log it as an artifact"
            )
        with self._lock:
            self._make_room(record_size(len(payload)))
            self._write(kind, payload)

    def written(self) -> tuple[list[Segment], int]:
        """Returns the segments that may hold records, oldest first, and the position of the end."""
        with self._lock:
            return [*self.full, self._segment], position(self._number, self._offset)

    def retire(self, number: int) -> list[Segment]:
        """Takes the full segments below `number` off the journal and returns them."""
        with self._lock:
            done = [segment for segment in self.full if segment.number < number]
            self.full = [segment for segment in self.full if segment.number >= number]
            return done

    def rest(self, end: int) -> bool:
        """Marks the journal idle if nothing was appended after `end`."""
        with self._lock:
            self.idle = position(self._number, self._offset) == end
            return self.idle

    def prepare_spare(self) -> None:
        """Makes the next segment ahead of its need, so that no logging call waits for it."""
        with self._lock:
            wanted = self._spare is None and (
                self._offset > self._end // 2 or self._segment.size < LARGEST_SIZE
            )
            number = self._number + 1
            size = min(LARGEST_SIZE, self._segment.size * 8)
        if not wanted or self._offset < 64 << 10:
            return
        # Under a name of its own: a logging call may need this segment before it is ready.
        path = self.folder / f"{number:08d}.spare"
        spare = create_segment(path, number, size, self.writer_id)
        with self._lock:
            if self._number + 1 == number and self._spare is None:
                self._spare = spare
                return
        spare.remove()

    def discard(self) -> None:
        """Deletes the journal; all of it is in the store."""
        with self._lock:
            for segment in [*self.full, getattr(self, "_segment", None), self._spare]:
                if segment is not None:
                    segment.close()
            self.full = []
            self._spare = None
            self._end = 0
        shutil.rmtree(self.folder, ignore_errors=True)
        lock.release(self.folder / "lock")

    def abandon(self) -> None:
        """Lets go of the journal with what is in it; another process will replay it."""
        with self._lock:
            self._end = 0
        lock.release(self.folder / "lock")

    def _series_id(
        self, table: SeriesTable, series: tuple[str, str | None, str | None, str | None]
    ) -> int:
        name = series[0] if series[1:] == (None, None, None) else series
        found = table.ids.get(name) if table.segment == self._number else None
        return self._define(table, name, series, 0) if found is None else found

    def _define(
        self,
        table: SeriesTable,
        name: str | tuple[str | None, ...],
        series: tuple[str, str | None, str | None, str | None],
        room: int,
    ) -> int:
        text = FIELD.join((table.run_id, *(part or "" for part in series))).encode()
        self._make_room(record_size(len(text) + 4) + room)
        if table.segment != self._number:
            table.ids = {}
            table.segment = self._number
        number = self._next_series
        self._next_series = number + 1
        self._write(SERIES, struct.pack("=I", number) + text)
        table.ids[name] = number
        return number

    def _write(self, kind: int, payload: bytes) -> None:
        length = len(payload)
        words = self.words
        mapping = self.mapping
        low = kind << LENGTH_BITS | length
        word = crc32(payload, low) << 32 | low
        start = self._offset
        stop = start + 8 + (length + 7 & ~7)
        self._offset = stop
        try:
            mapping[start + 8 : start + 8 + length] = payload
            words[start >> 3] = word
        except BaseException:
            if not words[start >> 3]:
                words[start >> 3] = PAD_MARK | PAD << LENGTH_BITS | length
            raise
        if self.idle:
            self._rouse()

    def _rouse(self) -> None:
        self.idle = False
        self._wake()

    def _make_room(self, size: int) -> None:
        if self._offset + size > self._end:
            self._roll(size)

    def _roll(self, needed: int = METRIC_SIZE) -> None:
        if not self._end:
            raise StorageError("the session is closed: nothing more can be logged through it")
        spare, self._spare = self._spare, None
        number = self._number + 1
        size = needed + HEADER_SIZE + 8
        if spare is None or spare.number != number or spare.size < size:
            if spare is not None:
                spare.remove()
            spare = self._create(number, _whole_pages(max(size, self._grown())))
        else:
            spare.rename(segment_path(self.folder, number))
        # `_end` keeps one word free for this mark.
        self.words[self._offset >> 3] = END_WORD
        self.full.append(self._segment)
        self._use(spare)
        self._rouse()

    def _grown(self) -> int:
        return min(2 * self._segment.size, LARGEST_UNPREPARED)

    def _create(self, number: int, size: int) -> Segment:
        return create_segment(segment_path(self.folder, number), number, size, self.writer_id)

    def _use(self, segment: Segment) -> None:
        self._segment = segment
        self._number = segment.number
        self._offset = HEADER_SIZE
        self._end = segment.size - 8
        self._next_series = 0
        self.mapping = segment.bytes
        self.words = segment.words


def _whole_pages(size: int) -> int:
    return -(-size // 4096) * 4096


def _definition_size(
    table: SeriesTable, series: tuple[str, str | None, str | None, str | None]
) -> int:
    return 8 + 4 * (len(table.run_id) + sum(len(part or "") + 1 for part in series))


def _make_folder(spool: Path, writer_id: str) -> Path:
    # Made and locked under another name first: a folder that others see is always locked.
    hidden = spool / f".new-{writer_id}"
    folder = spool / writer_id
    try:
        hidden.mkdir(parents=True, mode=0o700)
        if not lock.acquire(hidden / "lock"):
            raise StorageError(f"the file system at {spool} gives no locks: use a local folder")
        (hidden / "owner").write_text(f"{os.uname().nodename}\n{os.getpid()}\n{time.time():.3f}\n")
        hidden.rename(folder)
    except OSError as error:
        raise storage_error(error, folder) from error
    lock.moved(hidden / "lock", folder / "lock")
    return folder
