"""What is kept of the metrics of logged models, beside the histories of runs.

A model's points are those that name it, and those of runs that made it, logged at its step without
naming a model. Per metric and dataset a row keeps the latest, and the bounds of all: whether any
point fits a comparison is told by the bounds, but for a value between them.

Taking a point in twice changes nothing, so whatever might be new is taken in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from sqlalchemy import Connection, select

from autolog_core.stores.metric_codec import Points, decode
from autolog_core.stores.operations import AppendMetrics
from autolog_core.stores.sql.chunks import clamp
from autolog_core.stores.sql.dialect import narrow, pack, upsert
from autolog_core.stores.sql.runs import unclamp
from autolog_core.stores.sql.schema import (
    MAX_FLOAT,
    logged_model_metrics,
    metric_chunks,
    model_outputs,
)

Name = tuple[str, str, str | None, str | None]
"""Model id, key, dataset name and dataset digest."""
Output = tuple[str, str, int]
"""Run id, model id and step."""

_t = metric_chunks.c
_r = logged_model_metrics.c
_CHUNKS = select(_t.run_id, _t.key, _t.model_id, _t.dataset_name, _t.dataset_digest, _t.data)
_OUTPUTS = select(model_outputs.c.run_id, model_outputs.c.model_id, model_outputs.c.step)
_ROWS = select(
    _r.model_id,
    _r.key,
    _r.dataset_name,
    _r.dataset_digest,
    _r.run_id,
    _r.value,
    _r.special,
    _r.step,
    _r.timestamp,
    _r.minimum,
    _r.maximum,
    _r.nans,
)
_CHANGING = (
    "run_id",
    "value",
    "special",
    "step",
    "timestamp",
    "minimum",
    "maximum",
    "nans",
    "varied",
)


class Summary(NamedTuple):
    """What is kept of the points of a name; NaN is left out of the bounds."""

    run_id: str
    value: float
    step: int
    timestamp: int
    minimum: float | None
    maximum: float | None
    nans: bool


def update(
    connection: Connection,
    operations: Sequence[AppendMetrics],
    outputs: Sequence[Output],
    new_outputs: Sequence[Output],
    experiment_ids: Mapping[str, int],
    new_models: Sequence[str],
) -> None:
    """Brings the rows of models up to date.

    Args:
        connection: In a write transaction, before the points are stored in it.
        operations: The points that are added.
        outputs: What the runs of those points made.
        new_outputs: What was not known before, of runs or models that may have older points.
        experiment_ids: Of the models that are stored; others are passed over.
        new_models: Models that were not known before, but may have points.
    """
    fresh: dict[Name, Summary] = {}
    _take(fresh, _logged(operations, outputs), experiment_ids)
    _take(fresh, _at_steps(connection, new_outputs), experiment_ids)
    _take(fresh, _linked(connection, new_models), experiment_ids)
    if not fresh:
        return
    stored = _stored(connection, fresh)
    connection.execute(
        upsert(connection, logged_model_metrics, *_CHANGING),
        [
            _row(name, experiment_ids[name[0]], _join(stored.get(name), summary))
            for name, summary in fresh.items()
        ],
    )


def load_points(
    connection: Connection, model_ids: Sequence[str], key: str
) -> Iterable[tuple[Name, str, Points]]:
    """Yields (name, run id, points) of all that was logged of a metric to models."""
    yield from _linked(connection, model_ids, key)
    query = narrow(connection, _OUTPUTS, ids=model_outputs.c.model_id)
    for ids in pack(connection, model_ids):
        outputs = [(row[0], row[1], row[2]) for row in connection.execute(query, {"ids": ids})]
        yield from _at_steps(connection, outputs, key)


def _linked(
    connection: Connection, model_ids: Sequence[str], key: str | None = None
) -> Iterable[tuple[Name, str, Points]]:
    """Yields the points that name a model."""
    query = narrow(connection, _CHUNKS, ids=_t.model_id)
    if key is not None:
        query = query.where(_t.key == key)
    for ids in pack(connection, model_ids):
        for run_id, metric, model_id, name, digest, data in connection.execute(query, {"ids": ids}):
            yield (model_id, metric, name, digest), run_id, decode(data)


def dataset_hash(name: str | None, digest: str | None) -> str:
    """Returns what the column `dataset` holds for a dataset."""
    if name is None:
        return ""
    return hashlib.sha256(f"{name}\0{digest or ''}".encode()).hexdigest()[:32]


def _logged(
    operations: Sequence[AppendMetrics], outputs: Sequence[Output]
) -> Iterable[tuple[Name, str, Points]]:
    made: dict[str, list[tuple[str, int]]] = {}
    for run_id, model_id, step in outputs:
        made.setdefault(run_id, []).append((model_id, step))
    for item in operations:
        if item.model_id is None and item.run_id not in made:
            continue
        points = Points(
            np.asarray(item.steps, np.int64),
            np.asarray(item.timestamps, np.int64),
            np.asarray(item.values, np.float64),
        )
        link = (item.key, item.dataset_name, item.dataset_digest)
        if item.model_id is not None:
            yield (item.model_id, *link), item.run_id, points
            continue
        for model_id, step in made[item.run_id]:
            yield (model_id, *link), item.run_id, _at(points, step)


def _at_steps(
    connection: Connection, outputs: Sequence[Output], key: str | None = None
) -> Iterable[tuple[Name, str, Points]]:
    """Yields the points of runs at the steps of models, of those that name no model."""
    for run_id, model_id, step in outputs:
        query = _CHUNKS.where(
            _t.run_id == run_id,
            _t.model_id.is_(None),
            _t.first_step <= step,
            _t.last_step >= step,
        )
        if key is not None:
            query = query.where(_t.key == key)
        for _, metric, _, name, digest, data in connection.execute(query):
            yield (model_id, metric, name, digest), run_id, _at(decode(data), step)


def _at(points: Points, step: int) -> Points:
    return points.take(np.flatnonzero(points.steps == step))


def _take(
    fresh: dict[Name, Summary],
    found: Iterable[tuple[Name, str, Points]],
    known: Collection[str],
) -> None:
    for name, run_id, points in found:
        if name[0] in known and len(points.steps):
            fresh[name] = _join(fresh.get(name), _summarise(run_id, points))


def _summarise(run_id: str, points: Points) -> Summary:
    steps, times, numbers = points
    missing = np.isnan(numbers)
    last = int(np.lexsort((np.where(missing, 0.0, numbers), ~missing, steps, times))[-1])
    low, high = float(np.fmin.reduce(numbers)), float(np.fmax.reduce(numbers))
    blank = low != low
    return Summary(
        run_id,
        float(numbers[last]),
        int(steps[last]),
        int(times[last]),
        None if blank else low,
        None if blank else high,
        bool(missing.any()),
    )


def _join(old: Summary | None, new: Summary) -> Summary:
    if old is None:
        return new
    latest = new if _is_later(new, old) else old
    lows = [one.minimum for one in (old, new) if one.minimum is not None]
    highs = [one.maximum for one in (old, new) if one.maximum is not None]
    return latest._replace(
        minimum=min(lows, default=None),
        maximum=max(highs, default=None),
        nans=old.nans or new.nans,
    )


def _is_later(new: Summary, old: Summary) -> bool:
    """By time, then step, then the smaller run id, then the larger value."""
    one, other = (new.timestamp, new.step), (old.timestamp, old.step)
    if one != other:
        return one > other
    if new.run_id != old.run_id:
        return new.run_id < old.run_id
    return old.value != old.value or new.value > old.value


def _stored(connection: Connection, names: Iterable[Name]) -> dict[Name, Summary]:
    model_ids = sorted({name[0] for name in names})
    keys = sorted({name[1] for name in names})
    query = narrow(connection, _ROWS, ids=_r.model_id, keys=_r.key)
    found: dict[Name, Summary] = {}
    for some in pack(connection, keys):
        for ids in pack(connection, model_ids):
            for row in connection.execute(query, {"ids": ids, "keys": some}):
                value = unclamp(row[5], row[6])
                found[row[0], row[1], row[2], row[3]] = Summary(
                    row[4], value, row[7], row[8], row[9], row[10], bool(row[11])
                )
    return found


def _row(name: Name, experiment_id: int, summary: Summary) -> dict[str, Any]:
    model_id, key, dataset_name, dataset_digest = name
    value, special = summary.value, 0
    if value != value:
        value, special = 0.0, 1
    elif not -MAX_FLOAT <= value <= MAX_FLOAT:
        value, special = (MAX_FLOAT, 2) if value > 0 else (-MAX_FLOAT, 3)
    return {
        "model_id": model_id,
        "key": key,
        "dataset": dataset_hash(dataset_name, dataset_digest),
        "experiment_id": experiment_id,
        "dataset_name": dataset_name,
        "dataset_digest": dataset_digest,
        "run_id": summary.run_id,
        "value": value,
        "special": special,
        "step": summary.step,
        "timestamp": summary.timestamp,
        "minimum": clamp(summary.minimum),
        "maximum": clamp(summary.maximum),
        "nans": int(summary.nans),
        "varied": int(
            summary.minimum != summary.maximum or (summary.nans and summary.minimum is not None)
        ),
    }
