"""The write path: a batch of operations in one transaction, a few statements per table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from autolog_core.entities import LifecycleStage
from autolog_core.stores.operations import (
    MODEL_OPERATIONS,
    ApplyReport,
    CreateModel,
    CreateRun,
    Operation,
    RunOperation,
    WriterMark,
)
from autolog_core.stores.sql import datasets, metrics, model_writes, values, writers
from autolog_core.stores.sql.batch import Batch, RunState, as_number
from autolog_core.stores.sql.chunks import Appender
from autolog_core.stores.sql.dialect import narrow, pack
from autolog_core.stores.sql.model_batch import ModelBatch
from autolog_core.stores.sql.schema import experiments, params, runs, tags

# Rows are locked in one order, where the database locks rows: two writers to the same runs then
# take turns for all that hangs on them.
_RUNS = (
    select(
        runs.c.run_id,
        runs.c.experiment_id,
        runs.c.name,
        runs.c.status,
        runs.c.end_time,
        runs.c.owner,
    )
    .order_by(runs.c.run_id)
    .with_for_update()
)
_EXPERIMENTS = select(experiments.c.experiment_id, experiments.c.lifecycle_stage)
_UPDATE_RUN = (
    update(runs)
    .where(runs.c.run_id == bindparam("b_run_id"))
    .values({name: bindparam(name) for name in ("name", "status", "end_time", "owner")})
)


def apply(
    connection: Connection, operations: Sequence[Operation], mark: WriterMark | None
) -> ApplyReport:
    """Applies operations in the transaction of `connection`."""
    if mark is not None:
        if mark.position <= writers.get_position(connection, mark.writer_id):
            return ApplyReport()
        writers.set_mark(connection, mark)
    for_models = [item for item in operations if isinstance(item, MODEL_OPERATIONS)]
    for_runs = [item for item in operations if not isinstance(item, MODEL_OPERATIONS)]
    writer_id = mark.writer_id if mark is not None else None
    stages = _load_experiments(connection, operations)
    batch = Batch(_load_runs(connection, for_runs), stages, writer_id)
    batch.take(for_runs)
    states = batch.runs.values()
    experiment_ids = {state.run_id: state.experiment_id for state in states}
    fresh = [state for state in states if state.created is not None]
    new_runs = {state.run_id for state in fresh}
    if fresh:
        connection.execute(insert(runs), [_new_row(state) for state in fresh])
    changed = [
        {
            "b_run_id": state.run_id,
            "name": state.name,
            "status": state.status,
            "end_time": state.end_time,
            "owner": state.owner,
        }
        for state in states
        if state.changed and state.created is None
    ]
    if changed:
        connection.execute(_UPDATE_RUN, changed)
    conflicts = values.log_params(
        connection, params, batch.params, batch.refused, experiment_ids, new_runs
    )
    values.write_tags(connection, tags, batch.tags, experiment_ids, new_runs)
    datasets.record(connection, batch.inputs, experiment_ids)
    models = ModelBatch(stages, writer_id, for_models)
    model_conflicts = model_writes.apply(connection, models, batch, new_runs)
    metrics.append(connection, batch.metrics, experiment_ids, new_runs)
    ended = [state.run_id for state in states if state.ended and state.created is None]
    if ended:
        Appender(connection).compact(ended)
    return ApplyReport(conflicts, tuple(batch.orphans), model_conflicts, tuple(models.orphans))


def _load_runs(connection: Connection, operations: Sequence[RunOperation]) -> dict[str, RunState]:
    query = narrow(connection, _RUNS, ids=runs.c.run_id)
    return {
        row[0]: RunState(*row)
        for ids in pack(connection, sorted({item.run_id for item in operations}))
        for row in connection.execute(query, {"ids": ids})
    }


def _load_experiments(connection: Connection, operations: Sequence[Operation]) -> dict[int, str]:
    named = {
        as_number(item.experiment_id)
        for item in operations
        if isinstance(item, (CreateRun, CreateModel))
    }
    query = narrow(connection, _EXPERIMENTS, ids=experiments.c.experiment_id)
    return {
        number: stage
        for ids in pack(connection, sorted(named))
        for number, stage in connection.execute(query, {"ids": ids})
    }


def _new_row(state: RunState) -> dict[str, Any]:
    item = state.created
    assert item is not None
    return {
        "run_id": state.run_id,
        "experiment_id": state.experiment_id,
        "name": state.name,
        "user_id": item.user_id,
        "status": state.status,
        "start_time": item.start_time,
        "end_time": state.end_time,
        "artifact_uri": item.artifact_uri,
        # A run that was begun just before its experiment was deleted goes with it.
        "lifecycle_stage": state.stage,
        "deleted_with_experiment": int(state.stage == LifecycleStage.DELETED),
        "owner": state.owner,
    }
