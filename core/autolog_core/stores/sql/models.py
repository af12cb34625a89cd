"""Statements about logged models: reading them, and putting them away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, select, update

from autolog_core.entities import LifecycleStage, LoggedModel, LoggedModelStatus, Metric
from autolog_core.errors import NotFound
from autolog_core.stores.sql.dialect import as_object, narrow, pack
from autolog_core.stores.sql.runs import unclamp
from autolog_core.stores.sql.schema import (
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)

_m = logged_models.c
_r = logged_model_metrics.c
_MODELS = select(
    _m.model_id,
    _m.experiment_id,
    _m.name,
    _m.artifact_location,
    _m.creation_timestamp,
    _m.last_updated_timestamp,
    _m.model_type,
    _m.source_run_id,
    _m.status,
    _m.status_message,
)
_METRICS = select(
    _r.model_id,
    _r.key,
    _r.value,
    _r.special,
    _r.timestamp,
    _r.step,
    _r.dataset_name,
    _r.dataset_digest,
    _r.run_id,
).order_by(_r.model_id, _r.key, _r.dataset_name, _r.dataset_digest)


def get(connection: Connection, model_id: str, allow_deleted: bool) -> LoggedModel:
    """Returns a model with all that is known of it."""
    stage = connection.scalar(select(_m.lifecycle_stage).where(_m.model_id == model_id))
    if stage is None or (stage == LifecycleStage.DELETED and not allow_deleted):
        gone = "" if stage is None else ": it is deleted"
        raise NotFound(f"there is no logged model with id {model_id!r}{gone}")
    return load_models(connection, [model_id])[0]


def load_models(connection: Connection, model_ids: Sequence[str]) -> list[LoggedModel]:
    """Returns models with all that is known of them, in the order of `model_ids`.

    Unknown ids are left out.
    """
    whole = narrow(connection, _whole(connection.dialect.name), ids=_m.model_id)
    latest = narrow(connection, _METRICS, ids=_r.model_id)
    found: dict[str, LoggedModel] = {}
    for ids in pack(connection, model_ids):
        metrics: dict[str, list[Metric]] = {}
        for row in connection.execute(latest, {"ids": ids}):
            metrics.setdefault(row[0], []).append(_metric(row))
        for row in connection.execute(whole, {"ids": ids}):
            found[row[0]] = LoggedModel(
                model_id=row[0],
                experiment_id=str(row[1]),
                name=row[2],
                artifact_location=row[3],
                creation_timestamp=row[4],
                last_updated_timestamp=row[5],
                model_type=row[6],
                source_run_id=row[7],
                status=LoggedModelStatus.check(row[8]),
                status_message=row[9],
                params=json.loads(row[10] or "{}"),
                tags=json.loads(row[11] or "{}"),
                metrics=metrics.get(row[0], []),
            )
    return [found[model_id] for model_id in model_ids if model_id in found]


def remove(connection: Connection, model_id: str) -> None:
    """Puts a model away."""
    _set_stage(connection, model_id, LifecycleStage.ACTIVE, LifecycleStage.DELETED)


def restore(connection: Connection, model_id: str) -> None:
    """Brings a model back."""
    _set_stage(connection, model_id, LifecycleStage.DELETED, LifecycleStage.ACTIVE)


def _set_stage(connection: Connection, model_id: str, before: str, after: str) -> None:
    changed = connection.execute(
        update(logged_models)
        .where(_m.model_id == model_id, _m.lifecycle_stage == before)
        .values(lifecycle_stage=after)
    )
    if not changed.rowcount:
        raise NotFound(f"there is no {before} logged model with id {model_id!r}")


@cache
def _whole(dialect: str) -> Select[Any]:
    """Returns the query for models with their params and tags."""
    return _MODELS.add_columns(
        as_object(dialect, logged_model_params, _m.model_id),
        as_object(dialect, logged_model_tags, _m.model_id),
    )


def _metric(row: Sequence[Any]) -> Metric:
    _, key, value, special, timestamp, step, name, digest, run_id = row
    return Metric(key, unclamp(value, special), timestamp, step, row[0], name, digest, run_id)
