"""Orderings of runs: as SQL, and of rows that several queries brought."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Row, and_, case, literal

from autolog_core.search import Field, OrderTerm
from autolog_core.stores.sql.search_conditions import NAN, TABLES, attribute, extreme
from autolog_core.stores.sql.search_text import equals, ordered

START_TIME = Field("attribute", "start_time")
RUN_ID = Field("attribute", "run_id")
_NEVER_MISSING = frozenset(("run_id", "run_name", "status", "artifact_uri", "start_time"))
_TEXTS = frozenset(("run_id", "run_name", "status", "artifact_uri", "user_id"))
REAL, NOT_A_NUMBER, MISSING = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Key:
    """One ordering of a query.

    Attributes:
        rank: `REAL`, `NOT_A_NUMBER` or `MISSING`; None when it is always `REAL`.
        value: What is ordered by; None when it is the same for all.
        join: The table to join, by an outer join, and on what.
        head: How the value begins, where an index has only that.
    """

    rank: ColumnElement[int] | None
    value: ColumnElement[Any] | None
    ascending: bool
    join: tuple[FromClause, ColumnElement[bool]] | None = None
    head: ColumnElement[Any] | None = None

    def columns(self) -> list[ColumnElement[Any]]:
        """Returns what `merge` needs of each row."""
        rank = literal(REAL) if self.rank is None else self.rank
        return [rank, literal(0.0) if self.value is None else self.value]

    def clauses(self) -> list[ColumnElement[Any]]:
        """Returns the ORDER BY."""
        columns = [column for column in (self.head, self.value) if column is not None]
        ways: list[ColumnElement[Any]] = [
            column.asc() if self.ascending else column.desc() for column in columns
        ]
        return ways if self.rank is None or self.value is None else [self.rank, *ways]


def complete(order_by: Sequence[OrderTerm]) -> tuple[OrderTerm, ...]:
    """Returns orderings that leave no ties: start time down, then run id."""
    terms = list(order_by)
    for tie in (OrderTerm(START_TIME, ascending=False), OrderTerm(RUN_ID)):
        if all(term.field != tie.field for term in terms):
            terms.append(tie)
    return tuple(terms)


def key_of(term: OrderTerm, run: FromClause, run_id: ColumnElement[str], dialect: str) -> Key:
    """Returns an ordering of runs as SQL."""
    field = term.field
    if field.kind == "attribute":
        column = attribute(field, run)
        value = ordered(dialect, column) if field.key in _TEXTS else column
        rank = (
            None if field.key in _NEVER_MISSING else case((column.is_(None), MISSING), else_=REAL)
        )
        return Key(rank, value, term.ascending)
    row = TABLES[field.kind].alias()
    join = (row, and_(row.c.run_id == run_id, equals(dialect, row.c.key, field.key)))
    if field.kind != "metric":
        rank = case((row.c.run_id.is_(None), MISSING), else_=REAL)
        return Key(rank, ordered(dialect, row.c.value), term.ascending, join)
    if field.function:
        column = extreme(field, row)
        rank = case((column.is_(None), MISSING), else_=REAL)
        return Key(rank, column, term.ascending, join)
    rank = case((row.c.run_id.is_(None), MISSING), (row.c.special == NAN, NOT_A_NUMBER), else_=REAL)
    return Key(rank, row.c.value, term.ascending, join)


def merge(rows: list[Row[Any]], terms: Sequence[OrderTerm]) -> list[Row[Any]]:
    """Returns rows of (run id, rank, value, rank, value, ...) in order.

    Args:
        terms: Complete orderings, one per pair of rank and value.
    """
    for number in reversed(range(len(terms))):
        at = 1 + 2 * number
        real = [row for row in rows if row[at] == REAL]
        real.sort(key=lambda row: row[at + 1], reverse=not terms[number].ascending)
        nan = [row for row in rows if row[at] == NOT_A_NUMBER]
        rows = real + nan + [row for row in rows if row[at] == MISSING]
    return rows
