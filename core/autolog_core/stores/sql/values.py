"""Statements about params and tags of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select

from autolog_core.search.values import parse_number
from autolog_core.stores.sql.dialect import narrow, pack, upsert
from autolog_core.stores.sql.schema import HEAD, params, tags

_PARAMS = select(params.c.run_id, params.c.key, params.c.value)
_DELETE_TAG = (
    delete(tags)
    .where(tags.c.run_id == bindparam("b_run_id"))
    .where(tags.c.key == bindparam("b_key"))
)


def load_params(connection: Connection, run_ids: Sequence[str]) -> dict[tuple[str, str], str]:
    """Returns the params of runs, by (run id, key)."""
    found: dict[tuple[str, str], str] = {}
    query = narrow(connection, _PARAMS, ids=params.c.run_id)
    for ids in pack(connection, run_ids):
        for run_id, key, value in connection.execute(query, {"ids": ids}):
            found[run_id, key] = value
    return found


def insert_params(
    connection: Connection, rows: Mapping[tuple[str, str], str], experiment_ids: Mapping[str, int]
) -> None:
    """Adds params that are not there yet."""
    if rows:
        connection.execute(
            insert(params),
            [
                {
                    "run_id": run_id,
                    "key": key,
                    "experiment_id": experiment_ids[run_id],
                    "value": value,
                    "head": value[:HEAD],
                    "number": parse_number(value),
                }
                for (run_id, key), value in rows.items()
            ],
        )


def write_tags(
    connection: Connection,
    rows: Mapping[tuple[str, str], str | None],
    experiment_ids: Mapping[str, int],
    new_runs: set[str],
) -> None:
    """Sets tags, over what is there; None removes one."""
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for (run_id, key), value in rows.items():
        is_new = run_id in new_runs
        if value is not None:
            row = {
                "run_id": run_id,
                "key": key,
                "experiment_id": experiment_ids[run_id],
                "value": value,
                "head": value[:HEAD],
            }
            (fresh if is_new else changed).append(row)
        elif not is_new:
            gone.append({"b_run_id": run_id, "b_key": key})
    if fresh:
        connection.execute(insert(tags), fresh)
    if changed:
        connection.execute(upsert(connection, tags, "value", "head"), changed)
    if gone:
        connection.execute(_DELETE_TAG, gone)
