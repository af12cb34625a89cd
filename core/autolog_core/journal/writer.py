"""The appending side of a journal: what a logging call runs."""

from __future__ import annotations

import itertools
import os
import struct
import threading
import time
import uuid
from array import array
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from autolog_core.errors import InvalidArgument, StorageError, StorageFull
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
    UPDATE_MODEL,
    UPDATE_RUN,
    position,
    record_size,
)
from autolog_core.journal.segment import Segment, create_segment, segment_path, storage_error

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_SIZE = 256 << 10
LARGEST_SIZE = 16 << 20
SMALLEST_SIZE = 32 << 10
"""What is tried when there is no room for more."""
RESERVE = 4096
"""Bytes at a segment's end that only the ends of runs and models may use, when no other segment can
be had."""
LARGEST_UNPREPARED = 2 << 20
"""What a logging call makes itself when it is ahead of the pump: larger ones take too long."""
_ENDS = (UPDATE_RUN, UPDATE_MODEL)
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
        "_made",
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
        self._number = self._offset = self._end = self._next_series = 0
        self._made = itertools.count(1)
        try:
            self._segment = self._create(1, FIRST_SIZE)
        except StorageError:
            self.discard()
            raise
        self._number = 1
        self._offset = HEADER_SIZE
        self._end = FIRST_SIZE - RESERVE - 8
        self.mapping = self._segment.bytes
        self.words = self._segment.words

    def append_metric(
        self, table: SeriesTable, key: str, step: int, timestamp: int, value: float
    ) -> None:
        """Appends one point of the series `key` without model and dataset.

        Raises:
            InvalidArgument: Step or timestamp do not fit 64 bits.
            StorageFull: The segment is full and there is no room for another.
        """
        with self._lock:
            while True:
                number = self._number
                series = table.ids.get(key) if table.segment == number else None
                if series is None:
                    series = self._define(table, key, (key, None, None, None))
                    continue
                try:
                    body = _pack_metric(series, 0, step, timestamp, value)
                except struct.error:
                    raise InvalidArgument(
                        f"metric {key!r}: step {step} or timestamp {timestamp} does not fit 64 bits"
                    ) from None
                word = crc32(body, METRIC_LOW) << 32 | METRIC_LOW
                # No call and no jump back from here to the break: a signal handler or finalizer
                # that logs too comes before or after, never between.
                stop = self._offset + METRIC_SIZE
                if number == self._number and stop <= self._end:
                    words = self.words
                    mapping = self.mapping
                    self._offset = stop
                    break
                self._make_room(METRIC_SIZE)
            start = stop - METRIC_SIZE
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
        size = record_size(METRICS_HEAD.size + 8 + 4 * len(which or ()) + len(columns))
        size += sum(record_size(_definition_size(table, one)) for one in series)
        with self._lock:
            while True:
                self._make_room(size)
                number = self._number
                ids = [self._series_id(table, one) for one in series]
                if which is None:
                    head = METRICS_HEAD.pack(count, 1) + struct.pack("=II", ids[0], 0)
                else:
                    chosen = array("I", map(ids.__getitem__, which)).tobytes()
                    head = METRICS_HEAD.pack(count, 0) + chosen + bytes(-len(chosen) % 8)
                if self._put(METRICS, head + columns, number):
                    return

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
            while not self._put(kind, payload, self._number):
                try:
                    self._make_room(record_size(len(payload)))
                except StorageFull:
                    if kind in _ENDS and self._put(kind, payload, self._number, RESERVE):
                        return
                    raise

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
        spare = self._create(number, size)
        with self._lock:
            if self._number + 1 == number and self._spare is None:
                self._spare = spare
                return
        spare.remove()

    def discard(self) -> None:
        """Deletes the journal; all of it is in the store."""
        with self._lock:
            self._end = 0
            for segment in [*self.full, getattr(self, "_segment", None), self._spare]:
                if segment is not None:
                    segment.close()
            self.full = []
            self._spare = None
        lock.delete_locked(self.folder)

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
        return self._define(table, name, series) if found is None else found

    def _define(
        self,
        table: SeriesTable,
        name: str | tuple[str | None, ...],
        series: tuple[str, str | None, str | None, str | None],
    ) -> int:
        text = FIELD.join((table.run_id, *(part or "" for part in series))).encode()
        while True:
            self._make_room(record_size(len(text) + 4))
            segment = self._number
            number = self._next_series
            self._next_series = number + 1
            if self._put(SERIES, struct.pack("=I", number) + text, segment):
                break
        if table.segment != segment:
            table.ids = {}
            table.segment = segment
        table.ids[name] = number
        return number

    def _put(self, kind: int, payload: bytes, number: int, reserve: int = 0) -> bool:
        """Appends a record to segment `number`; False if that is full or not the present one."""
        length = len(payload)
        low = kind << LENGTH_BITS | length
        word = crc32(payload, low) << 32 | low
        size = record_size(length)
        # As in `append_metric`: no call from here to the reservation.
        stop = self._offset + size
        if number != self._number or stop > self._end + reserve or not self._end:
            return False
        words = self.words
        mapping = self.mapping
        self._offset = stop
        start = stop - size
        try:
            mapping[start + 8 : start + 8 + length] = payload
            words[start >> 3] = word
        except BaseException:
            if not words[start >> 3]:
                words[start >> 3] = PAD_MARK | PAD << LENGTH_BITS | length
            raise
        if self.idle:
            self._rouse()
        return True

    def _rouse(self) -> None:
        self.idle = False
        self._wake()

    def _make_room(self, size: int) -> None:
        """Goes on to a new segment if `size` bytes do not fit the present one."""
        while self._offset + size > self._end:
            if not self._end:
                raise StorageError("the session is closed: nothing more can be logged through it")
            number = self._number + 1
            needed = size + HEADER_SIZE + RESERVE + 8
            spare, self._spare = self._spare, None
            if spare is None or spare.number != number or spare.size < needed:
                if spare is not None:
                    spare.remove()
                try:
                    spare = self._create(number, _whole_pages(max(needed, self._grown())))
                except StorageFull:
                    spare = self._create(number, _whole_pages(max(needed, SMALLEST_SIZE)))
            # False if a signal handler that logged has gone on to such a segment meanwhile.
            if self._swap(spare, number):
                self._rouse()
            else:
                spare.remove()

    def _create(self, number: int, size: int) -> Segment:
        # A segment may be made twice and used once, so each file has a name of its own.
        path = segment_path(self.folder, number, next(self._made))
        return create_segment(path, number, size, self.writer_id)

    def _swap(self, segment: Segment, number: int) -> bool:
        old = self._segment
        full = [*self.full, old]
        mapping = segment.bytes
        words = segment.words
        end = segment.size - RESERVE - 8
        last = self.words
        # As in `append_metric`: no call from here on. One word was kept free for the end mark.
        if self._number + 1 != number:
            return False
        at = self._offset >> 3
        self.full = full
        self._segment = segment
        self._number = number
        self._offset = HEADER_SIZE
        self._end = end
        self._next_series = 0
        self.mapping = mapping
        self.words = words
        last[at] = END_WORD
        return True

    def _grown(self) -> int:
        return min(2 * self._segment.size, LARGEST_UNPREPARED)


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
