"""The reading side of a journal: segments to operations."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from autolog_core.errors import CorruptJournal
from autolog_core.journal.decoders import CREATIONS, DECODERS
from autolog_core.journal.format import (
    END_WORD,
    FIELD,
    HEADER_SIZE,
    KIND_MASK,
    LENGTH_BITS,
    LENGTH_MASK,
    METRIC,
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
)
from autolog_core.journal.segment import Segment
from autolog_core.stores.operations import AppendMetrics, Operation

_METRIC_DTYPE = np.dtype(
    [
        ("word", "u8"),
        ("series", "u4"),
        ("zero", "u4"),
        ("step", "i8"),
        ("time", "i8"),
        ("value", "f8"),
    ]
)
_WORDS_PER_METRIC = METRIC_SIZE // 8
_FIRST_WINDOW = 64
_LARGEST_WINDOW = 1 << 16

Series = tuple[str, str, str | None, str | None, str | None]


@dataclass(slots=True)
class Batch:
    """What was read in one go.

    Attributes:
        operations: In the order in which a store takes them.
        position: Up to where the journal was read.
        last_time: Milliseconds of the newest record, 0 if there is none.
        done: The segment's end mark was reached.
    """

    position: int
    operations: list[Operation] = field(default_factory=list)
    last_time: int = 0
    done: bool = False


@dataclass(slots=True)
class _Columns:
    """Points as they stand in the journal, by series id."""

    series: list[NDArray[np.uint32]] = field(default_factory=list)
    steps: list[NDArray[np.int64]] = field(default_factory=list)
    times: list[NDArray[np.int64]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)


class SegmentReader:
    """Reads one segment, in one or several goes.

    Args:
        segment: What to read.
        check: Whether checksums are verified; a process trusts what it has just written itself.
        limit: At most about so many bytes a go; may be changed between goes.
    """

    def __init__(self, segment: Segment, check: bool, limit: int = 8 << 20) -> None:
        self.segment = segment
        self.offset = HEADER_SIZE
        self._check = check
        self.limit = limit
        self._series: dict[int, Series] = {}
        self._words = np.frombuffer(segment.words, np.uint64)

    def read(self, skip_to: int = 0) -> Batch:
        """Returns the records from where the last read ended.

        Args:
            skip_to: A position; records that end at or before it are passed over.

        Raises:
            CorruptJournal: A record is damaged. `self.offset` is where; what came before it was
                returned by earlier calls, since a go ends before damage that is not its first.
        """
        segment = self.segment
        batch = Batch(position(segment.number, self.offset))
        points = _Columns()
        creations: list[Operation] = []
        others: list[Operation] = []
        start = offset = self.offset
        size = segment.size
        while offset + 8 <= size and offset - start < self.limit:
            word = segment.words[offset >> 3]
            if not word:
                break
            kind = word >> LENGTH_BITS & KIND_MASK
            length = word & LENGTH_MASK
            if word == END_WORD:
                batch.done = True
                offset += 8
                break
            skipped = position(segment.number, offset) < skip_to
            try:
                if kind == METRIC:
                    count = self._metrics_at(offset)
                    if skipped:
                        # The position to skip to may lie among these.
                        ahead = skip_to - position(segment.number, offset)
                        count = min(count, ahead // METRIC_SIZE)
                    else:
                        batch.last_time = max(
                            batch.last_time, self._take_metrics(points, offset, count)
                        )
                    offset += count * METRIC_SIZE
                    continue
                payload = self._payload(offset, word, length)
                if kind == SERIES:
                    self._define(payload)
                elif kind == METRICS:
                    if not skipped:
                        batch.last_time = max(batch.last_time, _take_columns(points, payload))
                elif kind in DECODERS:
                    if not skipped:
                        (moment,) = TIMED.unpack_from(payload)
                        batch.last_time = max(batch.last_time, moment)
                        operation = DECODERS[kind](payload[TIMED.size :].decode())
                        (creations if kind in CREATIONS else others).append(operation)
                elif kind != PAD:
                    raise self._damage(offset, f"unknown kind {kind}")
            except CorruptJournal:
                if offset == start:
                    raise
                break
            offset += 8 + (length + 7 & ~7)
        self.offset = offset
        batch.position = position(segment.number, offset)
        # A run or model comes before its points, and its points before its end.
        batch.operations = [*creations, *self._group(points), *others]
        return batch

    def _metrics_at(self, offset: int) -> int:
        """Returns how many single metrics stand in a row from `offset` on."""
        words = self._words
        first = offset >> 3
        count = 0
        window = _FIRST_WINDOW
        while True:
            heads = words[first : first + window * _WORDS_PER_METRIC : _WORDS_PER_METRIC]
            same = (heads & np.uint64(0xFFFFFFFF)) == np.uint64(METRIC_LOW)
            run = len(same) if same.all() else int(same.argmin())
            count += run
            if run < window or count >= _LARGEST_WINDOW:
                break
            first += run * _WORDS_PER_METRIC
            window = min(window * 4, _LARGEST_WINDOW)
        room = (self.segment.size - offset) // METRIC_SIZE
        count = min(count, room)
        if self._check:
            count = self._verified(offset, count)
        if not count:
            raise self._damage(offset, "a metric whose checksum does not fit")
        return count

    def _verified(self, offset: int, count: int) -> int:
        mapping, words = self.segment.bytes, self.segment.words
        for index in range(count):
            at = offset + index * METRIC_SIZE
            if crc32(mapping[at + 8 : at + METRIC_SIZE], METRIC_LOW) != words[at >> 3] >> 32:
                return index
        return count

    def _take_metrics(self, points: _Columns, offset: int, count: int) -> int:
        rows = np.frombuffer(self.segment.bytes, _METRIC_DTYPE, count, offset)
        points.series.append(rows["series"].copy())
        points.steps.append(rows["step"].copy())
        points.times.append(rows["time"].copy())
        points.values.append(rows["value"].copy())
        return int(rows["time"].max())

    def _payload(self, offset: int, word: int, length: int) -> bytes:
        if offset + 8 + length > self.segment.size:
            raise self._damage(offset, f"a record of {length} bytes reaches past the end")
        payload = self.segment.bytes[offset + 8 : offset + 8 + length]
        low = word & 0xFFFFFFFF
        if low >> LENGTH_BITS == PAD:
            if word != PAD_MARK | low:
                raise self._damage(offset, "a gap without its mark")
        elif self._check and crc32(payload, low) != word >> 32:
            raise self._damage(offset, "a record whose checksum does not fit")
        return payload

    def _define(self, payload: bytes) -> None:
        (number,) = struct.unpack_from("=I", payload)
        run_id, key, model, name, digest = payload[4:].decode().split(FIELD)
        self._series[number] = (run_id, key, model or None, name or None, digest or None)

    def _group(self, points: _Columns) -> list[Operation]:
        if not points.series:
            return []
        which = np.concatenate(points.series)
        steps = np.concatenate(points.steps)
        times = np.concatenate(points.times)
        values = np.concatenate(points.values)
        order = np.argsort(which, kind="stable")
        sorted_ids = which[order]
        cuts = [0, *(np.flatnonzero(np.diff(sorted_ids)) + 1).tolist(), len(order)]
        found: list[Operation] = []
        for first, last in pairwise(cuts):
            run_id, key, model, name, digest = self._series[int(sorted_ids[first])]
            chosen = order[first:last]
            found.append(
                AppendMetrics(
                    run_id, key, steps[chosen], times[chosen], values[chosen], model, name, digest
                )
            )
        return found

    def _damage(self, offset: int, what: str) -> CorruptJournal:
        return CorruptJournal(
            f"journal segment {self.segment.path} is damaged at byte {offset}: {what}; "
            "the records before it are kept"
        )

    def rewind(self, offset: int) -> None:
        """Goes back to an earlier `offset`: what was read since will be read again."""
        self.offset = offset

    def close(self) -> None:
        """Lets go of the segment's memory."""
        self._words = np.empty(0, np.uint64)


def _take_columns(points: _Columns, payload: bytes) -> int:
    count, single = METRICS_HEAD.unpack_from(payload)
    at = METRICS_HEAD.size
    if single:
        ids = np.full(count, np.frombuffer(payload, np.uint32, 1, at)[0], np.uint32)
        at += 8
    else:
        ids = np.frombuffer(payload, np.uint32, count, at)
        at += 4 * count + 7 & ~7
    times = np.frombuffer(payload, np.int64, count, at + 8 * count)
    points.series.append(ids)
    points.steps.append(np.frombuffer(payload, np.int64, count, at))
    points.times.append(times)
    points.values.append(np.frombuffer(payload, np.float64, count, at + 16 * count))
    return int(times.max())


assert METRIC_BODY.size + 8 == _METRIC_DTYPE.itemsize
