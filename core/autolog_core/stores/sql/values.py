"""Statements about params and tags, of runs or of logged models.

The tables of both are alike: the first column is the id of whom a row belongs to.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from autolog_core.search.values import parse_number
from autolog_core.stores.sql.dialect import narrow, pack, upsert
from autolog_core.stores.sql.schema import HEAD

Pairs = Mapping[tuple[str, str], str]


def log_params(
    connection: Connection,
    table: Table,
    given: Pairs,
    refused: Iterable[tuple[str, str, str]],
    experiment_ids: Mapping[str, int],
    new: Collection[str],
) -> tuple[tuple[str, str, str, str], ...]:
    """Writes the params that are new, and returns the conflicts.

    Args:
        connection: In a write transaction.
        table: `params` or that of models.
        given: First value by (owner, key).
        refused: (owner, key, value) of those that came later with another value.
        experiment_ids: Of each owner.
        new: Owners that have nothing stored yet.
    """
    known = _load_params(connection, table, sorted({owner for owner, _ in given} - set(new)))
    late = [
        (owner, key, value)
        for (owner, key), value in given.items()
        if known.get((owner, key), value) != value
    ]
    fresh = {name: value for name, value in given.items() if name not in known}
    _insert_params(connection, table, fresh, experiment_ids)
    kept = {**given, **known}
    conflicts = {
        (owner, key, kept[owner, key], value): None
        for owner, key, value in [*late, *refused]
        if kept[owner, key] != value
    }
    return tuple(conflicts)


def _load_params(
    connection: Connection, table: Table, owners: Sequence[str]
) -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    query = narrow(connection, _params(table), ids=_owner(table))
    for ids in pack(connection, owners):
        for owner, key, value in connection.execute(query, {"ids": ids}):
            found[owner, key] = value
    return found


def _insert_params(
    connection: Connection, table: Table, rows: Pairs, experiment_ids: Mapping[str, int]
) -> None:
    if rows:
        name = _owner(table).name
        connection.execute(
            insert(table),
            [
                {
                    name: owner,
                    "key": key,
                    "experiment_id": experiment_ids[owner],
                    "value": value,
                    "head": value[:HEAD],
                    "number": parse_number(value),
                }
                for (owner, key), value in rows.items()
            ],
        )


def write_tags(
    connection: Connection,
    table: Table,
    rows: Mapping[tuple[str, str], str | None],
    experiment_ids: Mapping[str, int],
    new: Collection[str],
) -> None:
    """Sets tags, over what is there; None removes one.

    Args:
        connection: In a write transaction.
        table: `tags` or that of models.
        rows: Last value by (owner, key).
        experiment_ids: Of each owner.
        new: Owners that have nothing stored yet.
    """
    name = _owner(table).name
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for (owner, key), value in rows.items():
        is_new = owner in new
        if value is not None:
            row = {
                name: owner,
                "key": key,
                "experiment_id": experiment_ids[owner],
                "value": value,
                "head": value[:HEAD],
            }
            (fresh if is_new else changed).append(row)
        elif not is_new:
            gone.append({"b_owner": owner, "b_key": key})
    if fresh:
        connection.execute(insert(table), fresh)
    if changed:
        connection.execute(upsert(connection, table, "value", "head"), changed)
    if gone:
        connection.execute(_delete_tag(table), gone)


def _owner(table: Table) -> Column[Any]:
    return next(iter(table.c))


# Making a statement takes as long as running it: each is made once.
@cache
def _params(table: Table) -> Select[Any]:
    return select(_owner(table), table.c.key, table.c.value)


@cache
def _delete_tag(table: Table) -> Delete:
    return (
        delete(table)
        .where(_owner(table) == bindparam("b_owner"))
        .where(table.c.key == bindparam("b_key"))
    )
