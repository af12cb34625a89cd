"""The write path of logged models: their rows, and which runs made and used them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Table, bindparam, insert, select, update

from autolog_core.entities import LifecycleStage
from autolog_core.stores.sql import model_metrics, values
from autolog_core.stores.sql.batch import Batch
from autolog_core.stores.sql.dialect import insert_new, narrow, pack
from autolog_core.stores.sql.model_batch import ModelBatch, ModelState
from autolog_core.stores.sql.schema import (
    logged_model_params,
    logged_model_tags,
    logged_models,
    model_inputs,
    model_outputs,
)

_m = logged_models.c
_CHANGING = ("status", "status_message", "last_updated_timestamp", "owner")
# Locked in one order, as runs are: two writers to the same models take turns.
_MODELS = (
    select(
        _m.model_id,
        _m.experiment_id,
        _m.status,
        _m.status_message,
        _m.last_updated_timestamp,
        _m.owner,
    )
    .order_by(_m.model_id)
    .with_for_update()
)
_OUTPUTS = select(model_outputs.c.run_id, model_outputs.c.model_id, model_outputs.c.step)
_UPDATE = (
    update(logged_models)
    .where(_m.model_id == bindparam("b_model_id"))
    .values({name: bindparam(name) for name in _CHANGING})
)


def apply(
    connection: Connection, models: ModelBatch, batch: Batch, new_runs: set[str]
) -> tuple[tuple[str, str, str, str], ...]:
    """Writes what operations come to for models, before the points of the batch are stored.

    Args:
        connection: In a write transaction.
        models: The operations on models.
        batch: The operations on runs.
        new_runs: Runs that had nothing stored before.

    Returns:
        The conflicts of params.
    """
    _link(connection, model_inputs, batch.model_inputs)
    _link(connection, model_outputs, batch.model_outputs)
    outputs = _outputs(connection, batch, new_runs)
    named = {item.model_id for item in models.operations}
    named.update(item.model_id for item in batch.metrics if item.model_id is not None)
    named.update(model_id for _, model_id, _ in outputs)
    if not named:
        return ()
    models.take(_load(connection, sorted(named)))
    states = models.models.values()
    experiment_ids = {state.model_id: state.experiment_id for state in states}
    fresh = [state for state in states if state.created is not None]
    new_models = {state.model_id for state in fresh}
    if fresh:
        connection.execute(insert(logged_models), [_new_row(state) for state in fresh])
    changed = [
        {"b_model_id": state.model_id, **{name: getattr(state, name) for name in _CHANGING}}
        for state in states
        if state.changed and state.created is None
    ]
    if changed:
        connection.execute(_UPDATE, changed)
    conflicts = values.log_params(
        connection, logged_model_params, models.params, models.refused, experiment_ids, new_models
    )
    values.write_tags(connection, logged_model_tags, models.tags, experiment_ids, new_models)
    older = [output for output in batch.model_outputs if output[0] not in new_runs]
    older += _outputs_of(connection, sorted(new_models), batch)
    model_metrics.update(
        connection, batch.metrics, outputs, older, experiment_ids, sorted(new_models)
    )
    return conflicts


def _link(connection: Connection, table: Table, rows: Iterable[tuple[Any, ...]]) -> None:
    names = [column.name for column in table.c]
    found = [dict(zip(names, row, strict=True)) for row in rows]
    if found:
        connection.execute(insert_new(connection, table), found)


def _outputs(
    connection: Connection, batch: Batch, new_runs: set[str]
) -> list[tuple[str, str, int]]:
    """Returns the models that runs made of which the batch logs metrics, or makes models of."""
    runs = {item.run_id for item in batch.metrics if item.model_id is None} - new_runs
    found = dict(batch.model_outputs)
    query = narrow(connection, _OUTPUTS, ids=model_outputs.c.run_id)
    for ids in pack(connection, sorted(runs)):
        found.update(
            ((row[0], row[1], row[2]), None) for row in connection.execute(query, {"ids": ids})
        )
    return list(found)


def _outputs_of(
    connection: Connection, model_ids: Sequence[str], batch: Batch
) -> list[tuple[str, str, int]]:
    """Returns which runs made new models, as another journal told before them."""
    query = narrow(connection, _OUTPUTS, ids=model_outputs.c.model_id)
    found = [
        (row[0], row[1], row[2])
        for ids in pack(connection, model_ids)
        for row in connection.execute(query, {"ids": ids})
    ]
    return [output for output in found if output not in batch.model_outputs]


def _load(connection: Connection, model_ids: Sequence[str]) -> dict[str, ModelState]:
    query = narrow(connection, _MODELS, ids=_m.model_id)
    return {
        row[0]: ModelState(*row)
        for ids in pack(connection, model_ids)
        for row in connection.execute(query, {"ids": ids})
    }


def _new_row(state: ModelState) -> dict[str, Any]:
    item = state.created
    assert item is not None
    return {
        "model_id": state.model_id,
        "experiment_id": state.experiment_id,
        "name": item.name,
        "artifact_location": item.artifact_location,
        "creation_timestamp": item.creation_timestamp,
        "model_type": item.model_type,
        "source_run_id": item.source_run_id,
        "lifecycle_stage": LifecycleStage.ACTIVE,
        **{name: getattr(state, name) for name in _CHANGING},
    }
