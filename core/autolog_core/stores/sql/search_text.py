"""Text as every database must compare it: by characters, case-sensitive, in code point order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, collate, func, or_, select

from autolog_core.search.values import fold

_FOLD = "autolog_fold"
# Neither pads with spaces nor folds; MySQL's default collations do both.
_BINARY = {"mysql": "utf8mb4_0900_bin", "mariadb": "utf8mb4_nopad_bin"}
_GLOB = str.maketrans({"%": "*", "_": "?", "*": "[*]", "?": "[?]", "[": "[[]"})
_ESCAPE = str.maketrans({"/": "//"})


def teach_fold(connection: Connection) -> None:
    """Gives a SQLite connection the case folding of ILIKE: its own knows ASCII only."""
    if connection.dialect.name != "sqlite" or _FOLD in connection.info:
        return
    driver: Any = connection.connection.driver_connection
    driver.create_function(_FOLD, 1, _fold, deterministic=True)
    connection.info[_FOLD] = True


def equals(dialect: str, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Returns the condition that `column` is `text`."""
    return among(dialect, column, (text,))


def among(dialect: str, column: ColumnElement[str], texts: Sequence[str]) -> ColumnElement[bool]:
    """Returns the condition that `column` is one of `texts`."""
    plain = column == texts[0] if len(texts) == 1 else column.in_(texts)
    if dialect not in _BINARY:
        return plain
    exact = ordered(dialect, column)
    # The plain condition finds the rows by an index, the exact one drops those of other case.
    return and_(plain, exact == texts[0] if len(texts) == 1 else exact.in_(texts))


def listed(dialect: str, column: ColumnElement[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """Returns the condition that `column` is one of many ids, each as the database wrote it."""
    if dialect != "sqlite":
        return column.in_(ids)
    # One value instead of thousands: the statement keeps its text.
    return column.in_(select(func.json_each(json.dumps(ids)).table_valued("value").c.value))


def like(
    dialect: str, column: ColumnElement[str], pattern: str, fold_case: bool
) -> ColumnElement[bool]:
    """Returns the condition that `column` fits a pattern of ``%`` and ``_``."""
    if fold_case:
        pattern = fold(pattern)
        column = func.autolog_fold(column) if dialect == "sqlite" else func.lower(column)
    if dialect == "sqlite":
        # Whether LIKE minds case is a setting of the connection there; GLOB always does.
        return column.op("GLOB", is_comparison=True)(pattern.translate(_GLOB))
    # The default escape differs between databases, and the filter language has none.
    return ordered(dialect, column).like(pattern.translate(_ESCAPE), escape="/")


def ordered(dialect: str, column: ColumnElement[str]) -> ColumnElement[str]:
    """Returns `column` so that it sorts by code points."""
    if dialect == "postgresql":
        return collate(column, "C")
    return collate(column, _BINARY[dialect]) if dialect in _BINARY else column


def any_of(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    """Returns the condition that one of `conditions`, at least one, holds."""
    return conditions[0] if len(conditions) == 1 else or_(*conditions)


def _fold(text: str | None) -> str | None:
    return None if text is None else fold(text)
