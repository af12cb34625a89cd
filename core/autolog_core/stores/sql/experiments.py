"""Statements about experiments."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from autolog_core.entities import Experiment, LifecycleStage
from autolog_core.errors import AlreadyExists, InvalidArgument, InvalidState, NotFound
from autolog_core.limits import (
    EXPERIMENT_TAG_VALUE_LENGTH,
    INT64_MAX,
    check_artifact_location,
    check_experiment_name,
    check_key,
    check_text,
)
from autolog_core.stores.sql.dialect import narrow, pack, upsert
from autolog_core.stores.sql.schema import experiment_tags, experiments, runs

DEFAULT_ID = 0
DEFAULT_NAME = "Default"
_EXPERIMENTS = select(experiments)
_TAGS = select(experiment_tags).order_by(experiment_tags.c.key)


def create_default(connection: Connection, artifact_root: str) -> None:
    """Creates the experiment that every new database has."""
    if connection.dialect.name in ("mysql", "mariadb"):
        # There, 0 in a numbered column means "the next number" otherwise.
        connection.exec_driver_sql(
            "SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"
        )
    location = _join(artifact_root, DEFAULT_ID)
    _insert(connection, DEFAULT_NAME, location, experiment_id=DEFAULT_ID)


def create(
    connection: Connection,
    artifact_root: str,
    name: str,
    artifact_location: str | None = None,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Creates an experiment and returns its id."""
    check_experiment_name(name)
    rows = [_tag(key, value) for key, value in (tags or {}).items()]
    if artifact_location is not None:
        artifact_location = check_artifact_location(artifact_location).rstrip("/") or None
    _refuse_taken(connection, name)
    number = _insert(connection, name, artifact_location or "")
    if artifact_location is None:
        connection.execute(
            update(experiments)
            .where(experiments.c.experiment_id == number)
            .values(artifact_location=_join(artifact_root, number))
        )
    if rows:
        connection.execute(
            insert(experiment_tags), [{"experiment_id": number, **row} for row in rows]
        )
    return str(number)


def get(connection: Connection, experiment_id: str) -> Experiment:
    """Returns an experiment."""
    found = load(connection, [parse_id(experiment_id)])
    if not found:
        raise _missing(experiment_id)
    return found[0]


def get_by_name(connection: Connection, name: str) -> Experiment | None:
    """Returns the experiment of that name, or None."""
    number = connection.scalar(
        select(experiments.c.experiment_id).where(experiments.c.name == name)
    )
    return None if number is None else load(connection, [number])[0]


def load(connection: Connection, numbers: Sequence[int]) -> list[Experiment]:
    """Returns experiments with their tags, in the order of `numbers`; unknown ones are left out."""
    rows: dict[int, Any] = {}
    tags: dict[int, dict[str, str]] = {}
    listed = narrow(connection, _EXPERIMENTS, ids=experiments.c.experiment_id)
    tagged = narrow(connection, _TAGS, ids=experiment_tags.c.experiment_id)
    for ids in pack(connection, numbers):
        for row in connection.execute(listed, {"ids": ids}):
            rows[row.experiment_id] = row
            tags[row.experiment_id] = {}
        for number, key, value in connection.execute(tagged, {"ids": ids}):
            if number in tags:
                tags[number][key] = value
    return [_entity(rows[number], tags[number]) for number in numbers if number in rows]


def rename(connection: Connection, experiment_id: str, name: str) -> None:
    """Renames an active experiment."""
    check_experiment_name(name)
    found = get(connection, experiment_id)
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidState(
            f"experiment {experiment_id} is deleted; restore it before it can be renamed"
        )
    if found.name == name:
        return
    _refuse_taken(connection, name)
    _change(connection, found.experiment_id, name=name)


def remove(connection: Connection, experiment_id: str) -> None:
    """Puts an active experiment and its active runs away."""
    found = get(connection, experiment_id)
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise NotFound(f"there is no active experiment {experiment_id}: it is deleted already")
    _change(connection, experiment_id, lifecycle_stage=LifecycleStage.DELETED)
    connection.execute(
        update(runs)
        .where(runs.c.experiment_id == int(experiment_id))
        .where(runs.c.lifecycle_stage == LifecycleStage.ACTIVE)
        .values(lifecycle_stage=LifecycleStage.DELETED, deleted_with_experiment=1)
    )


def restore(connection: Connection, experiment_id: str) -> None:
    """Brings back a deleted experiment and the runs that were deleted with it."""
    found = get(connection, experiment_id)
    if found.lifecycle_stage != LifecycleStage.DELETED:
        raise NotFound(f"there is no deleted experiment {experiment_id}: it is active")
    _change(connection, experiment_id, lifecycle_stage=LifecycleStage.ACTIVE)
    connection.execute(
        update(runs)
        .where(runs.c.experiment_id == int(experiment_id))
        .where(runs.c.deleted_with_experiment == 1)
        .values(lifecycle_stage=LifecycleStage.ACTIVE, deleted_with_experiment=0)
    )


def set_tag(connection: Connection, experiment_id: str, key: str, value: str) -> None:
    """Sets a tag of an active experiment."""
    row = _tag(key, value)
    found = get(connection, experiment_id)
    if found.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"experiment {experiment_id} is deleted; restore it before setting tag {key!r}"
        )
    connection.execute(
        upsert(connection, experiment_tags, "value"),
        [{"experiment_id": int(found.experiment_id), **row}],
    )


def delete_tag(connection: Connection, experiment_id: str, key: str) -> None:
    """Removes a tag."""
    found = get(connection, experiment_id)
    if key not in found.tags:
        raise NotFound(f"experiment {experiment_id} has no tag {key!r}")
    connection.execute(
        delete(experiment_tags)
        .where(experiment_tags.c.experiment_id == int(found.experiment_id))
        .where(experiment_tags.c.key == key)
    )


def parse_id(experiment_id: str) -> int:
    """Returns an experiment id as a number; one that no database can hold as -1.

    Raises:
        InvalidArgument: It is no decimal number.
    """
    text = str(experiment_id)
    if not (text.isascii() and text.isdecimal()):
        raise InvalidArgument(
            f"experiment id must be a decimal number such as '0', got {experiment_id!r}; look a "
            "name up with get_experiment_by_name()"
        )
    number = int(text[-40:]) if len(text) <= 40 else INT64_MAX + 1
    return number if number <= INT64_MAX else -1


def _insert(
    connection: Connection, name: str, location: str, experiment_id: int | None = None
) -> int:
    now = time.time_ns() // 1_000_000
    row: dict[str, Any] = {
        "name": name,
        "artifact_location": location,
        "lifecycle_stage": LifecycleStage.ACTIVE,
        "creation_time": now,
        "last_update_time": now,
    }
    if experiment_id is not None:
        row["experiment_id"] = experiment_id
    key = connection.execute(insert(experiments), row).inserted_primary_key
    return int(key[0]) if key is not None else 0


def _refuse_taken(connection: Connection, name: str) -> None:
    taken = get_by_name(connection, name)
    if taken is None:
        return
    if taken.lifecycle_stage == LifecycleStage.DELETED:
        raise AlreadyExists(
            f"experiment name {name!r} belongs to the deleted experiment {taken.experiment_id}; "
            "restore that one or choose another name"
        )
    raise AlreadyExists(
        f"experiment name {name!r} is taken by experiment {taken.experiment_id}; use it with "
        "set_experiment() or choose another name"
    )


def _change(connection: Connection, experiment_id: str, **values: str) -> None:
    connection.execute(
        update(experiments)
        .where(experiments.c.experiment_id == int(experiment_id))
        .values(last_update_time=time.time_ns() // 1_000_000, **values)
    )


def _tag(key: str, value: str) -> dict[str, str]:
    text = check_text(value, EXPERIMENT_TAG_VALUE_LENGTH, f"value of experiment tag {key!r}")
    return {"key": check_key(key, "experiment tag"), "value": text}


def _join(root: str, number: int) -> str:
    return f"{root.rstrip('/')}/{number}"


def _entity(row: Any, tags: dict[str, str]) -> Experiment:
    return Experiment(
        experiment_id=str(row.experiment_id),
        name=row.name,
        artifact_location=row.artifact_location,
        lifecycle_stage=row.lifecycle_stage,
        tags=tags,
        creation_time=row.creation_time,
        last_update_time=row.last_update_time,
    )


def _missing(experiment_id: str) -> NotFound:
    return NotFound(f"there is no experiment with id {experiment_id}")
