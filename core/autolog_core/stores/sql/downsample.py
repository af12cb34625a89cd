"""A metric's history in few points that keep every spike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from autolog_core.errors import InvalidArgument
from autolog_core.stores.base import MetricSeries
from autolog_core.stores.metric_codec import Points, decode
from autolog_core.stores.sql.chunks import load_data
from autolog_core.stores.sql.metrics import to_series
from autolog_core.stores.sql.points import find_extremes
from autolog_core.stores.sql.schema import MAX_FLOAT, metric_chunks

MAX_BUCKETS = 100_000
_t = metric_chunks.c
_CHUNKS = select(
    _t.chunk_id,
    _t.model_id,
    _t.dataset_name,
    _t.dataset_digest,
    _t.points,
    _t.first_step,
    _t.last_step,
    _t.first_time,
    _t.last_time,
    _t.minimum,
    _t.maximum,
).order_by(_t.chunk_id)


def get_series(connection: Connection, run_id: str, key: str, buckets: int) -> MetricSeries:
    """Returns at most ``4 * buckets`` points of a metric's history, ordered by step."""
    if isinstance(buckets, bool) or not isinstance(buckets, int) or not 1 <= buckets <= MAX_BUCKETS:
        raise InvalidArgument(f"buckets must be from 1 to {MAX_BUCKETS}, got {buckets!r}")
    rows = connection.execute(_CHUNKS.where(_t.run_id == run_id, _t.key == key)).all()
    edges = _edges(rows, buckets) if rows else np.empty(0, np.int64)
    if sum(row.points for row in rows) > 4 * buckets:
        rows = _needed(rows, edges)
    data = load_data(connection, [row.chunk_id for row in rows])
    links: dict[tuple[str | None, str | None, str | None], int] = {}
    belongs = [links.setdefault(tuple(row[1:4]), len(links)) for row in rows]
    blocks = [decode(data[row.chunk_id]) for row in rows]
    return _thin(to_series(run_id, key, blocks, tuple(links), belongs), edges, 4 * buckets)


def _edges(rows: Sequence[Any], buckets: int) -> NDArray[np.int64]:
    """Returns the first step of each bucket, shape (buckets,)."""
    low = min(row.first_step for row in rows)
    span = max(row.last_step for row in rows) - low + 1
    # Python integers: the span may not fit 64 bits.
    return np.array([low + span * index // buckets for index in range(buckets)], np.int64)


def _needed(rows: Sequence[Any], edges: NDArray[np.int64]) -> list[Any]:
    """Leaves out chunks inside one bucket that cannot hold its first, last or extreme point."""
    first = np.searchsorted(edges, [row.first_step for row in rows], "right").tolist()
    last = np.searchsorted(edges, [row.last_step for row in rows], "right").tolist()
    inside: dict[int, list[Any]] = {}
    kept: set[int] = set()
    for row, low, high in zip(rows, first, last, strict=True):
        if low == high:
            inside.setdefault(low, []).append(row)
        else:
            kept.add(row.chunk_id)
    for group in inside.values():
        kept.add(min(group, key=lambda row: (row.first_step, row.first_time)).chunk_id)
        kept.add(max(group, key=lambda row: (row.last_step, row.last_time)).chunk_id)
        numbers = [row for row in group if row.minimum is not None]
        if numbers:
            kept.update(_extremes(numbers))
    return [row for row in rows if row.chunk_id in kept]


def _extremes(rows: Sequence[Any]) -> set[int]:
    low = min(rows, key=lambda row: row.minimum)
    high = max(rows, key=lambda row: row.maximum)
    kept = {low.chunk_id, high.chunk_id}
    # The largest float may stand for an infinity: only the points tell.
    if low.minimum <= -MAX_FLOAT:
        kept.update(row.chunk_id for row in rows if row.minimum <= -MAX_FLOAT)
    if high.maximum >= MAX_FLOAT:
        kept.update(row.chunk_id for row in rows if row.maximum >= MAX_FLOAT)
    return kept


def _thin(series: MetricSeries, edges: NDArray[np.int64], most: int) -> MetricSeries:
    order = np.lexsort((series.timestamps, series.steps))
    if len(order) > most:
        steps, values = series.steps[order], series.values[order]
        bounds = np.append(np.searchsorted(steps, edges, "left"), len(steps))
        chosen: set[int] = set()
        for low, high in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            if low < high:
                chosen.update(_corners(values[low:high], low))
        order = order[np.array(sorted(chosen), np.int64)]
    return MetricSeries(
        series.run_id,
        series.key,
        *Points(series.steps[order], series.timestamps[order], series.values[order]),
        series.links,
        series.link[order],
    )


def _corners(values: NDArray[np.float64], start: int) -> set[int]:
    """Returns where the first, lowest, highest and last of a bucket's values are."""
    found = {start, start + len(values) - 1}
    extremes = find_extremes(values)
    if extremes is not None:
        found.update(start + place for place in extremes)
    return found
