"""What the databases spell differently: upserts, and long lists of ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Executable,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import mysql, postgresql, sqlite

CHUNK = 5000
"""Ids per statement where the database takes no list as one value."""


def upsert(connection: Connection, table: Table, update: Sequence[str]) -> Executable:
    """Returns an INSERT that, where the primary key is taken, sets the columns `update`."""
    name = connection.dialect.name
    if name in ("mysql", "mariadb"):
        theirs = mysql.insert(table)
        return theirs.on_duplicate_key_update({key: theirs.inserted[key] for key in update})
    key = table.primary_key
    if name == "postgresql":
        ours = postgresql.insert(table)
        return ours.on_conflict_do_update(key, set_={key: ours.excluded[key] for key in update})
    plain = sqlite.insert(table)
    return plain.on_conflict_do_update(key, set_={key: plain.excluded[key] for key in update})


def insert_new(connection: Connection, table: Table) -> Executable:
    """Returns an INSERT that leaves rows alone whose key is taken."""
    name = connection.dialect.name
    if name in ("mysql", "mariadb"):
        return mysql.insert(table).prefix_with("IGNORE")
    if name == "postgresql":
        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def among(
    connection: Connection, column: ColumnElement[Any], name: str = "ids"
) -> ColumnElement[bool]:
    """Returns the condition that `column` is one of the texts bound later as `name`.

    Bind what `pack` yields. SQLite takes the list as one JSON value, so that the statement keeps
    its text, and its plan, whatever the length.
    """
    if connection.dialect.name == "sqlite":
        bound: BindParameter[str] = bindparam(name, type_=String())
        return column.in_(select(func.json_each(bound).table_valued("value").c.value))
    return column.in_(bindparam(name, expanding=True))


def as_object(
    connection: Connection, table: Table, owner: ColumnElement[Any]
) -> ColumnElement[str]:
    """Returns a subquery: the keys and values of `table` of one run, as the text of a JSON object.

    One text per run is read in half the time of one row per key.

    Args:
        connection: For its dialect.
        table: With columns `run_id`, `key` and `value`, all text.
        owner: The run id, a column of the enclosing query.
    """
    name = connection.dialect.name
    whole: ColumnElement[str]
    if name in ("mysql", "mariadb"):
        whole = func.json_objectagg(table.c.key, table.c.value)
    elif name == "postgresql":
        whole = func.json_object_agg(table.c.key, table.c.value).cast(Text)
    else:
        whole = func.json_group_object(table.c.key, table.c.value)
    return select(whole).where(table.c.run_id == owner).correlate(owner.table).scalar_subquery()


def pack(connection: Connection, ids: Sequence[str] | Sequence[int]) -> Iterator[Any]:
    """Yields the values to bind for `among`, one per statement to run."""
    if connection.dialect.name == "sqlite":
        if ids:
            yield json.dumps(list(ids))
        return
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])
