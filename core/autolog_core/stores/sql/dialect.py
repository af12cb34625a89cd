"""What the databases spell differently: upserts, and long lists of ids."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Executable,
    Select,
    String,
    Table,
    Text,
    bindparam,
    func,
    select,
)
from sqlalchemy.dialects import sqlite

CHUNK = 5000
"""Ids per statement where the database takes no list as one value."""


def upsert(connection: Connection, table: Table, *update: str) -> Executable:
    """Returns an INSERT that, where the primary key is taken, sets the columns `update`."""
    return _upsert(connection.dialect.name, table, update)


def narrow(
    connection: Connection, query: Select[Any], **columns: ColumnElement[Any]
) -> Select[Any]:
    """Returns `query` for rows whose columns are among lists that are bound later.

    Bind what `pack` yields, under the names given here. SQLite takes a list as one JSON value, so
    that the statement keeps its text, and its plan, whatever the length.

    Args:
        connection: For its dialect.
        query: A constant of a module: what is made of it is kept.
        columns: By the name that the list is bound as.
    """
    return _narrow(connection.dialect.name, query, tuple(columns.items()))


def insert_new(connection: Connection, table: Table) -> Executable:
    """Returns an INSERT that leaves rows alone whose key is taken."""
    name = connection.dialect.name
    if name in ("mysql", "mariadb"):
        from sqlalchemy.dialects import mysql

        return mysql.insert(table).prefix_with("IGNORE")
    if name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    return sqlite.insert(table).on_conflict_do_nothing()


def as_object(name: str, table: Table, owner: Column[Any]) -> ColumnElement[str]:
    """Returns a subquery: the keys and values of `table` of one owner as the text of a JSON object.

    One text per owner is read in half the time of one row per key.

    Args:
        name: Of the dialect.
        table: With the owner's id as its first column, and columns `key` and `value`, all text.
        owner: The owner's id, a column of the enclosing query.
    """
    whole: ColumnElement[str]
    if name in ("mysql", "mariadb"):
        whole = func.json_objectagg(table.c.key, table.c.value)
    elif name == "postgresql":
        whole = func.json_object_agg(table.c.key, table.c.value).cast(Text)
    else:
        whole = func.json_group_object(table.c.key, table.c.value)
    first = next(iter(table.c))
    return select(whole).where(first == owner).correlate(owner.table).scalar_subquery()


def pack(connection: Connection, ids: Sequence[str] | Sequence[int]) -> Iterator[Any]:
    """Yields the values to bind for `narrow`, one per statement to run."""
    if connection.dialect.name == "sqlite":
        if ids:
            yield json.dumps(list(ids))
        return
    for start in range(0, len(ids), CHUNK):
        yield list(ids[start : start + CHUNK])


# Making a statement takes as long as running it: each is made once.
@cache
def _upsert(name: str, table: Table, update: tuple[str, ...]) -> Executable:
    # A dialect takes longer to import than the rest of the store: only the one in use is.
    if name in ("mysql", "mariadb"):
        from sqlalchemy.dialects import mysql

        theirs = mysql.insert(table)
        return theirs.on_duplicate_key_update({key: theirs.inserted[key] for key in update})
    key = table.primary_key
    if name == "postgresql":
        from sqlalchemy.dialects import postgresql

        ours = postgresql.insert(table)
        return ours.on_conflict_do_update(key, set_={key: ours.excluded[key] for key in update})
    plain = sqlite.insert(table)
    return plain.on_conflict_do_update(key, set_={key: plain.excluded[key] for key in update})


@cache
def _narrow(
    name: str, query: Select[Any], columns: tuple[tuple[str, ColumnElement[Any]], ...]
) -> Select[Any]:
    for bound, column in columns:
        if name == "sqlite":
            listed = func.json_each(bindparam(bound, type_=String())).table_valued("value")
            query = query.where(column.in_(select(listed.c.value)))
        else:
            query = query.where(column.in_(bindparam(bound, expanding=True)))
    return query
