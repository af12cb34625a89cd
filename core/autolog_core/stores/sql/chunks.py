"""Statements about metric chunks: how points are added to a series.

A series is (run, key, model, dataset). Its chunks are full, with `FULL` points, or open. A new
block takes open chunks into it while the last one is not much larger than itself, so that sizes
fall geometrically: a series has few open chunks, and a point is rewritten a few times at most,
however small the appends.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from autolog_core.stores.metric_codec import (
    Points,
    append_rows,
    decode,
    encode,
    encode_rows,
)
from autolog_core.stores.sql.dialect import narrow, pack
from autolog_core.stores.sql.points import Ranges, drop_known, join, ranges, tidy
from autolog_core.stores.sql.schema import MAX_FLOAT, metric_chunks

FULL = 16384
"""Points of a full chunk."""
SMALL = 64
"""An open chunk of fewer points is always taken in."""


class Series(NamedTuple):
    """What identifies a series."""

    run_id: str
    key: str
    model_id: str | None
    dataset_name: str | None
    dataset_digest: str | None


class Chunk(NamedTuple):
    """A stored chunk, without its data."""

    chunk_id: int
    points: int
    ranges: Ranges


_t = metric_chunks.c
_RANGES = (_t.first_step, _t.last_step, _t.first_time, _t.last_time, _t.minimum, _t.maximum)
_OPEN = (
    select(
        _t.run_id,
        _t.key,
        _t.model_id,
        _t.dataset_name,
        _t.dataset_digest,
        _t.chunk_id,
        _t.points,
        *_RANGES,
    )
    .where(_t.points < FULL)
    .order_by(_t.chunk_id)
)
_DATA = select(_t.chunk_id, _t.data)
_INSERT = insert(metric_chunks)
_UPDATE = (
    update(metric_chunks)
    .where(_t.chunk_id == bindparam("b_chunk_id"))
    .values({name: bindparam(name) for name in ("points", *Ranges._fields, "data")})
)
_DELETE = delete(metric_chunks).where(_t.chunk_id == bindparam("b_chunk_id"))


class Appender:
    """Collects what to write for the blocks of one transaction, then writes it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._inserts: list[dict[str, Any]] = []
        self._updates: list[dict[str, Any]] = []
        self._deletes: list[dict[str, Any]] = []

    def create(self, series: Series, points: Points) -> None:
        """Adds a block to a series that has no chunk it could join."""
        for start in range(0, len(points.steps), FULL):
            part = points.cut(start, start + FULL)
            self._inserts.append({**series._asdict(), **_row(part)})

    def extend(self, blocks: Mapping[Series, tuple[Points, list[Chunk]]]) -> None:
        """Adds blocks to series, each with the open chunks that it takes in."""
        data = load_data(
            self._connection,
            [chunk.chunk_id for _, taken in blocks.values() for chunk in taken],
        )
        for series, (points, taken) in blocks.items():
            if len(taken) == 1 and taken[0].points + len(points.steps) <= SMALL:
                longer = append_rows(data[taken[0].chunk_id], points)
                if longer is not None:
                    self._updates.append(_lengthen(taken[0], points, longer))
                    continue
            known = [decode(data[chunk.chunk_id]) for chunk in taken]
            self._replace(series, taken, tidy(join([*known, points])))

    def compact(self, run_ids: Sequence[str]) -> None:
        """Makes one of the open chunks of each series of runs that ended."""
        ready: dict[Series, list[Chunk]] = {
            series: found
            for series, found in find_open(self._connection, run_ids).items()
            if len(found) > 1
        }
        data = load_data(
            self._connection, [chunk.chunk_id for found in ready.values() for chunk in found]
        )
        for series, found in ready.items():
            blocks = [decode(data[chunk.chunk_id]) for chunk in found]
            self._replace(series, found, tidy(join(blocks)))
        self.write()

    def write(self) -> None:
        """Writes what was collected."""
        for statement, rows in (
            (_DELETE, self._deletes),
            (_UPDATE, self._updates),
            (_INSERT, self._inserts),
        ):
            if rows:
                self._connection.execute(statement, rows)
                rows.clear()

    def _replace(self, series: Series, taken: Sequence[Chunk], points: Points) -> None:
        first, *others = taken
        head = points.cut(0, FULL)
        self._updates.append({"b_chunk_id": first.chunk_id, **_row(head)})
        self._deletes.extend({"b_chunk_id": chunk.chunk_id} for chunk in others)
        if len(points.steps) > FULL:
            self.create(series, points.cut(FULL))


def find_open(
    connection: Connection, run_ids: Sequence[str], keys: Iterable[str] | None = None
) -> dict[Series, list[Chunk]]:
    """Returns the open chunks of runs, oldest first; of the metrics `keys` only, if given."""
    found: dict[Series, list[Chunk]] = defaultdict(list)
    query = narrow(connection, _OPEN, ids=_t.run_id)
    bounds: list[dict[str, Any]] = [{}]
    if keys is not None:
        query = narrow(connection, _OPEN, ids=_t.run_id, keys=_t.key)
        bounds = [{"keys": some} for some in pack(connection, list(keys))]
    for bound in bounds:
        for ids in pack(connection, run_ids):
            for row in connection.execute(query, {"ids": ids, **bound}):
                found[Series(*row[:5])].append(Chunk(row[5], row[6], Ranges._make(row[7:])))
    return found


def choose(chunks: Sequence[Chunk], points: int) -> list[Chunk]:
    """Returns the newest of the open chunks that a block of that many points takes in."""
    taken: list[Chunk] = []
    for chunk in reversed(chunks):
        if chunk.points >= max(SMALL, 2 * points):
            break
        taken.insert(0, chunk)
        points += chunk.points
    return taken


def drop_stored(connection: Connection, series: Series, points: Points) -> Points:
    """Returns `points` without those that the series holds already."""
    bounds = ranges(points)
    rows = connection.execute(
        select(_t.data)
        .where(_t.run_id == series.run_id, _t.key == series.key)
        .where(_t.model_id.is_not_distinct_from(series.model_id))
        .where(_t.dataset_name.is_not_distinct_from(series.dataset_name))
        .where(_t.dataset_digest.is_not_distinct_from(series.dataset_digest))
        .where(_t.first_step <= bounds.last_step, _t.last_step >= bounds.first_step)
        .where(_t.first_time <= bounds.last_time, _t.last_time >= bounds.first_time)
    )
    return drop_known(points, [decode(data) for (data,) in rows])


def load_data(connection: Connection, chunk_ids: Sequence[int]) -> dict[int, bytes]:
    """Returns the data of chunks by their id."""
    found: dict[int, bytes] = {}
    query = narrow(connection, _DATA, ids=_t.chunk_id)
    for ids in pack(connection, chunk_ids):
        cursor = connection.execute(query, {"ids": ids}).cursor
        if cursor is not None:
            found.update(cursor.fetchall())
    return found


def clamp(value: float | None) -> float | None:
    """Returns `value` with an infinity as the largest float, which every database holds."""
    return None if value is None else max(-MAX_FLOAT, min(MAX_FLOAT, value))


def _row(points: Points) -> dict[str, Any]:
    bounds = ranges(points)
    data = encode_rows(points) if len(points.steps) == 1 else encode(points)
    return _values(len(points.steps), bounds, data)


def _lengthen(chunk: Chunk, points: Points, data: bytes) -> dict[str, Any]:
    old, new = chunk.ranges, ranges(points)
    bounds = Ranges(
        min(old.first_step, new.first_step),
        max(old.last_step, new.last_step),
        min(old.first_time, new.first_time),
        max(old.last_time, new.last_time),
        _pick(min, old.minimum, new.minimum),
        _pick(max, old.maximum, new.maximum),
    )
    return {"b_chunk_id": chunk.chunk_id, **_values(chunk.points + len(points.steps), bounds, data)}


def _values(points: int, bounds: Ranges, data: bytes) -> dict[str, Any]:
    return {
        "points": points,
        "first_step": bounds.first_step,
        "last_step": bounds.last_step,
        "first_time": bounds.first_time,
        "last_time": bounds.last_time,
        "minimum": clamp(bounds.minimum),
        "maximum": clamp(bounds.maximum),
        "data": data,
    }


def _pick(better: Any, first: float | None, second: float | None) -> float | None:
    known = [value for value in (first, second) if value is not None]
    return better(known) if known else None
