"""Statements about metrics: adding points, and reading histories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from autolog_core.entities import MetricSummary
from autolog_core.stores.base import MetricSeries
from autolog_core.stores.metric_codec import Points, bits, decode
from autolog_core.stores.operations import AppendMetrics
from autolog_core.stores.sql.chunks import (
    Appender,
    Chunk,
    Series,
    choose,
    clamp,
    drop_stored,
    find_open,
)
from autolog_core.stores.sql.dialect import upsert
from autolog_core.stores.sql.points import combine, join, summarise, tidy
from autolog_core.stores.sql.runs import latest_summaries
from autolog_core.stores.sql.schema import MAX_FLOAT, latest_metrics, metric_chunks

_LATEST = [column.name for column in latest_metrics.c if not column.primary_key]
_t = metric_chunks.c


def append(
    connection: Connection,
    operations: Sequence[AppendMetrics],
    experiment_ids: Mapping[str, int],
    new_runs: set[str],
) -> None:
    """Adds points to series and brings the latest values up to date.

    Args:
        connection: In a write transaction.
        operations: In the order they were logged.
        experiment_ids: Of each run named.
        new_runs: Runs that have nothing stored yet.
    """
    blocks = _gather(operations)
    if not blocks:
        return
    known = {(series.run_id, series.key) for series in blocks if series.run_id not in new_runs}
    stored: dict[tuple[str, str], MetricSummary] = {}
    opened: dict[Series, list[Chunk]] = {}
    if known:
        run_ids = sorted({run_id for run_id, _ in known})
        keys = sorted({key for _, key in known})
        stored = latest_summaries(connection, run_ids, keys)
        opened = find_open(connection, run_ids, keys)
    appender = Appender(connection)
    extended: dict[Series, tuple[Points, list[Chunk]]] = {}
    latest: dict[tuple[str, str], MetricSummary] = {}
    for series, block in blocks.items():
        name = (series.run_id, series.key)
        old = stored.get(name)
        if old is not None and int(block.steps.min()) <= old.step:
            block = drop_stored(connection, series, block)
            if not len(block.steps):
                continue
        new = summarise(series.key, block)
        before = latest.get(name, old)
        latest[name] = new if before is None else combine(before, new)
        taken = choose(opened.get(series, ()), len(block.steps))
        if taken:
            extended[series] = (block, taken)
        else:
            appender.create(series, block)
    if extended:
        appender.extend(extended)
    appender.write()
    _save_latest(connection, latest, experiment_ids)


def get_series(connection: Connection, run_id: str, key: str) -> MetricSeries:
    """Returns the whole history of a metric."""
    rows = connection.execute(
        select(_t.model_id, _t.dataset_name, _t.dataset_digest, _t.data)
        .where(_t.run_id == run_id, _t.key == key)
        .order_by(_t.chunk_id)
    )
    blocks: list[Points] = []
    links: dict[tuple[str | None, str | None, str | None], int] = {}
    belongs: list[int] = []
    for model_id, name, digest, data in rows:
        blocks.append(decode(data))
        belongs.append(links.setdefault((model_id, name, digest), len(links)))
    return to_series(run_id, key, blocks, tuple(links), belongs)


def to_series(
    run_id: str,
    key: str,
    blocks: Sequence[Points],
    links: tuple[tuple[str | None, str | None, str | None], ...],
    belongs: Sequence[int],
) -> MetricSeries:
    """Returns blocks as one history, ordered by (timestamp, step, value)."""
    if not blocks:
        none = np.empty(0, np.int64)
        return MetricSeries(run_id, key, none, none, np.empty(0), (), np.empty(0, np.int32))
    if len(links) == 1:
        points = tidy(join(blocks))
        return MetricSeries(run_id, key, *points, links, np.zeros(len(points.steps), np.int32))
    points = join(blocks)
    link = np.repeat(np.array(belongs, np.int32), [len(block.steps) for block in blocks])
    order = np.lexsort((bits(points.values), points.values, points.steps, points.times))
    return MetricSeries(run_id, key, *points.take(order), links, link[order])


def _gather(operations: Sequence[AppendMetrics]) -> dict[Series, Points]:
    """Returns one tidy block per series."""
    parts: dict[Series, list[Points]] = {}
    for item in operations:
        if not len(item.steps):
            continue
        series = Series(
            item.run_id, item.key, item.model_id, item.dataset_name, item.dataset_digest
        )
        points = Points(
            np.asarray(item.steps, np.int64),
            np.asarray(item.timestamps, np.int64),
            np.asarray(item.values, np.float64),
        )
        parts.setdefault(series, []).append(points)
    return {series: tidy(join(blocks)) for series, blocks in parts.items()}


def _save_latest(
    connection: Connection,
    latest: Mapping[tuple[str, str], MetricSummary],
    experiment_ids: Mapping[str, int],
) -> None:
    if latest:
        connection.execute(
            upsert(connection, latest_metrics, *_LATEST),
            [
                _latest_row(run_id, experiment_ids[run_id], summary)
                for (run_id, _), summary in latest.items()
            ],
        )


def _latest_row(run_id: str, experiment_id: int, summary: MetricSummary) -> dict[str, Any]:
    value = summary.value
    special = 0
    if value != value:
        value, special = 0.0, 1
    elif not -MAX_FLOAT <= value <= MAX_FLOAT:
        value, special = (MAX_FLOAT, 2) if value > 0 else (-MAX_FLOAT, 3)
    return {
        "run_id": run_id,
        "key": summary.key,
        "experiment_id": experiment_id,
        "value": value,
        "special": special,
        "step": summary.step,
        "timestamp": summary.timestamp,
        "minimum": clamp(summary.minimum),
        "minimum_step": summary.minimum_step,
        "maximum": clamp(summary.maximum),
        "maximum_step": summary.maximum_step,
        "points": summary.points,
    }
