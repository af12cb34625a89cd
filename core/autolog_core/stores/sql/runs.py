"""Statements about runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache, partial
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, select, update

from autolog_core.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    LoggedModelInput,
    LoggedModelOutput,
    MetricSummary,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
)
from autolog_core.errors import NotFound
from autolog_core.stores.sql.dialect import as_object, narrow, pack
from autolog_core.stores.sql.schema import (
    MAX_FLOAT,
    datasets,
    inputs,
    latest_metrics,
    model_inputs,
    model_outputs,
    params,
    runs,
    tags,
)

_first = itemgetter(0)
_INFINITY = float("inf")
_NOTHING = RunInputs()
_NO_OUTPUTS = RunOutputs()
# Half the time of calling the class, for rows by the thousand.
_new_summary = partial(tuple.__new__, MetricSummary)

_RUNS = select(
    runs.c.run_id,
    runs.c.experiment_id,
    runs.c.name,
    runs.c.user_id,
    runs.c.status,
    runs.c.start_time,
    runs.c.end_time,
    runs.c.artifact_uri,
    runs.c.lifecycle_stage,
)
_METRICS = select(
    latest_metrics.c.run_id,
    latest_metrics.c.special,
    latest_metrics.c.key,
    latest_metrics.c.value,
    latest_metrics.c.timestamp,
    latest_metrics.c.step,
    latest_metrics.c.minimum,
    latest_metrics.c.minimum_step,
    latest_metrics.c.maximum,
    latest_metrics.c.maximum_step,
    latest_metrics.c.points,
)
_INPUTS = (
    select(
        inputs.c.run_id,
        inputs.c.tags,
        datasets.c.name,
        datasets.c.digest,
        datasets.c.source_type,
        datasets.c.source,
        datasets.c.schema,
        datasets.c.profile,
    )
    .join_from(inputs, datasets, inputs.c.dataset_id == datasets.c.dataset_id)
    .order_by(inputs.c.run_id, inputs.c.dataset_id, inputs.c.context)
)

_MODEL_INPUTS = select(model_inputs.c.run_id, model_inputs.c.model_id).order_by(
    model_inputs.c.run_id, model_inputs.c.model_id
)
_MODEL_OUTPUTS = select(
    model_outputs.c.run_id, model_outputs.c.model_id, model_outputs.c.step
).order_by(model_outputs.c.run_id, model_outputs.c.step, model_outputs.c.model_id)


def get(connection: Connection, run_id: str) -> Run:
    """Returns a run with all that was logged."""
    found = load_runs(connection, [run_id])
    if not found:
        raise NotFound(f"there is no run with id {run_id!r}")
    return found[0]


def load_runs(connection: Connection, run_ids: Sequence[str]) -> list[Run]:
    """Returns runs with all that was logged, in the order of `run_ids`.

    Unknown ids are left out.
    """
    infos = narrow(connection, _whole(connection.dialect.name), ids=runs.c.run_id)
    latest = narrow(connection, _METRICS, ids=latest_metrics.c.run_id)
    used = narrow(connection, _INPUTS, ids=inputs.c.run_id)
    taken = narrow(connection, _MODEL_INPUTS, ids=model_inputs.c.run_id)
    made = narrow(connection, _MODEL_OUTPUTS, ids=model_outputs.c.run_id)
    found: dict[str, Run] = {}
    for ids in pack(connection, run_ids):
        rows = _fetch(connection, infos, ids=ids)
        metrics: dict[str, tuple[dict[str, float], dict[str, MetricSummary]]] = {
            row[0]: ({}, {}) for row in rows
        }
        for row in _fetch(connection, latest, ids=ids):
            values, summaries = metrics[row[0]]
            key = row[2]
            summary = summaries[key] = _summary(row)
            values[key] = summary[1]
        uses = {
            run_id: RunInputs(tuple(map(_use, group)))
            for run_id, group in groupby(_fetch(connection, used, ids=ids), _first)
        }
        for run_id, group in groupby(_fetch(connection, taken, ids=ids), _first):
            models = tuple(LoggedModelInput(row[1]) for row in group)
            uses[run_id] = RunInputs(uses.get(run_id, _NOTHING).dataset_inputs, models)
        outputs = {
            run_id: RunOutputs(tuple(LoggedModelOutput(row[1], row[2]) for row in group))
            for run_id, group in groupby(_fetch(connection, made, ids=ids), _first)
        }
        for row, run_params, run_tags in zip(
            rows, _parse(row[9] for row in rows), _parse(row[10] for row in rows), strict=True
        ):
            run_id = row[0]
            values, summaries = metrics[run_id]
            found[run_id] = Run(
                RunInfo(run_id, str(row[1]), *row[2:9]),
                RunData(values, run_params, run_tags, summaries),
                uses.get(run_id, _NOTHING),
                outputs.get(run_id, _NO_OUTPUTS),
            )
    return [found[run_id] for run_id in run_ids if run_id in found]


def latest_summaries(
    connection: Connection, run_ids: Sequence[str], keys: Sequence[str]
) -> dict[tuple[str, str], MetricSummary]:
    """Returns the summaries of metrics of runs, by (run id, key)."""
    query = narrow(connection, _METRICS, ids=latest_metrics.c.run_id, keys=latest_metrics.c.key)
    found: dict[tuple[str, str], MetricSummary] = {}
    for named in pack(connection, keys):
        for ids in pack(connection, run_ids):
            for row in _fetch(connection, query, ids=ids, keys=named):
                found[row[0], row[2]] = _summary(row)
    return found


def remove(connection: Connection, run_id: str) -> None:
    """Puts a run away."""
    _set_stage(connection, run_id, LifecycleStage.DELETED)


def restore(connection: Connection, run_id: str) -> None:
    """Brings a run back."""
    _set_stage(connection, run_id, LifecycleStage.ACTIVE)


def _set_stage(connection: Connection, run_id: str, stage: str) -> None:
    # A run that goes or comes alone no longer follows its experiment.
    changed = connection.execute(
        update(runs)
        .where(runs.c.run_id == run_id)
        .values(lifecycle_stage=stage, deleted_with_experiment=0)
    )
    if not changed.rowcount:
        raise NotFound(f"there is no run with id {run_id!r}")


def _parse(texts: Iterable[str | None]) -> list[dict[str, str]]:
    """Returns JSON objects; read as one text, equal keys become one string."""
    return json.loads(f"[{','.join(text or '{}' for text in texts)}]")  # type: ignore[no-any-return]


@cache
def _whole(dialect: str) -> Select[Any]:
    """Returns the query for runs with their params and tags."""
    return _RUNS.add_columns(
        as_object(dialect, params, runs.c.run_id), as_object(dialect, tags, runs.c.run_id)
    )


def _fetch(connection: Connection, query: Select[Any], **bound: Any) -> Sequence[tuple[Any, ...]]:
    """Returns the driver's own tuples: no column of these queries needs conversion."""
    cursor = connection.execute(query, bound).cursor
    return cursor.fetchall() if cursor is not None else ()


def _summary(row: tuple[Any, ...]) -> MetricSummary:
    if row[1] or (row[6] is not None and not -MAX_FLOAT < row[6] <= row[8] < MAX_FLOAT):
        return MetricSummary(
            row[2],
            unclamp(row[3], row[1]),
            row[4],
            row[5],
            _extreme(row[6]),
            row[7],
            _extreme(row[8]),
            row[9],
            row[10],
        )
    return _new_summary(row[2:])


def unclamp(value: float, special: int) -> float:
    """Returns the float that the columns `value` and `special` stand for."""
    return (value, float("nan"), _INFINITY, -_INFINITY)[special]


def _extreme(value: float | None) -> float | None:
    if value is None or -MAX_FLOAT < value < MAX_FLOAT:
        return value
    return _INFINITY if value > 0 else -_INFINITY


def _use(row: tuple[Any, ...]) -> DatasetInput:
    labels = tuple(InputTag(key, value) for key, value in json.loads(row[1]))
    return DatasetInput(Dataset(*row[2:]), labels)
