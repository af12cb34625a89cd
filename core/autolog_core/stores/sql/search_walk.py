"""Finding runs along the index of the first ordering, from the end where the page lies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, exists, func, literal, select

from autolog_core.search import Comparison, Field, Node
from autolog_core.search.tree import NEGATIVE
from autolog_core.stores.sql.search_conditions import NAN, RUN, TABLES, Target, condition
from autolog_core.stores.sql.search_drivers import Driver
from autolog_core.stores.sql.search_order import (
    MISSING,
    NOT_A_NUMBER,
    START_TIME,
    Key,
    key_of,
)
from autolog_core.stores.sql.search_query import Rows, Search, by_selectivity, fetch
from autolog_core.stores.sql.search_text import equals, ordered

_LEADS = {kind: table.alias("lead") for kind, table in TABLES.items()}


@dataclass(frozen=True, slots=True)
class Line:
    """An index in the order of a search.

    Attributes:
        row: The indexed table: `runs`, or a keyed table that `run` is joined to.
        step: The indexed column that is walked along.
        first: The first ordering, which begins with `step`.
        key: Conditions that find the start of the index.
        places: Those, and further ones on the indexed columns.
        target: Where conditions on runs look things up.
    """

    field: Field
    row: FromClause
    run: FromClause
    step: ColumnElement[Any]
    first: Key
    key: tuple[ColumnElement[bool], ...]
    places: tuple[ColumnElement[bool], ...]
    target: Target

    def holds(self, node: Node) -> bool:
        """Whether `places` have the condition."""
        indexed = self.row is self.run or self.field.kind == "metric"
        return (
            indexed
            and isinstance(node, Comparison)
            and node.field == self.field
            and node.value is not None
        )

    def beyond(self, border: object) -> ColumnElement[bool]:
        """Returns the condition that a row comes before the border, ties with it excluded."""
        return self.step < border if self.first.ascending else self.step > border

    def source(self) -> FromClause:
        """Returns the table with the runs' own rows."""
        if self.row is self.run:
            return self.run
        return self.row.join(self.run, self.run.c.run_id == self.row.c.run_id)


def can_walk(field: Field) -> bool:
    """Whether an ordering has an index."""
    return field == START_TIME or (field.kind in TABLES and not field.function)


def line_of(search: Search, experiment: int) -> Line:
    """Returns the index of the first ordering, which `can_walk`."""
    lead = search.terms[0]
    field, dialect = lead.field, search.dialect
    run = RUN
    row = run if field == START_TIME else _LEADS[field.kind]
    key = [row.c.experiment_id == experiment]
    target = Target(dialect, row.c.run_id, run)
    step: ColumnElement[Any] = row.c.start_time if row is run else row.c.value
    first = Key(None, step, lead.ascending)
    if row is not run:
        key.append(equals(dialect, row.c.key, field.key))
        target = replace(target, lead=row, lead_field=field)
    if field.kind in ("param", "tag"):
        text, step = ordered(dialect, row.c.value), ordered(dialect, row.c.head)
        first = Key(None, text, lead.ascending, head=step)
    line = Line(field, row, run, step, first, tuple(key), (), target)
    places = [row.c.special != NAN] if field.kind == "metric" else []
    places += [condition(node, target) for node in search.nodes if line.holds(node)]
    return replace(line, places=(*key, *places))


def walk(
    search: Search, line: Line, drivers: Sequence[Driver], wanted: int
) -> Iterator[tuple[int, Rows]]:
    """Walks in growing steps until enough runs are found or the index ends.

    Yields:
        About how many runs were passed, and those found so far.
    """
    nodes = by_selectivity([node for node in search.nodes if not line.holds(node)], drivers)
    conditions = [condition(node, line.target) for node in nodes]
    rows: Rows = []
    places = line.places
    passed, stride = 0, search.costs.stride
    while True:
        border = _border(search, line, places, stride)
        reach = places if border is None else (*places, line.beyond(border))
        rows += along(search, line, [*reach, *conditions], 0, wanted - len(rows))
        passed += stride
        yield passed, rows
        if border is None or len(rows) == wanted:
            return
        # Ties with the border may lie on both sides of it: the next step begins with them.
        places = (*line.places, ~line.beyond(border))
        stride *= 2


def is_whole(search: Search, line: Line) -> bool:
    """Whether no run that fits lies outside of the index, for NaN or lack of a value."""
    if line.row is line.run:
        return True
    return any(
        isinstance(node, Comparison)
        and node.field == line.field
        and node.operator not in NEGATIVE
        and node.value is not None
        for node in search.nodes
    )


def in_order(search: Search, experiment: int, offset: int, count: int) -> Rows:
    """Orders all runs by a key: those with a value, those with NaN, and last those without."""
    line = line_of(search, experiment)
    rows = along(search, line, line.places, offset, count)
    if len(rows) < count and line.field.kind == "metric":
        offset = _left(search, line, line.places, rows, offset)
        # A NaN lies at zero in the index.
        places = (*line.key, line.row.c.value == 0.0, line.row.c.special == NAN)
        nan = replace(line, first=Key(literal(NOT_A_NUMBER), None, ascending=True))
        found = along(search, nan, places, offset, count - len(rows))
        offset = _left(search, line, places, found, offset)
        rows += found
    elif len(rows) < count:
        offset = _left(search, line, line.places, rows, offset)
    if len(rows) == count:
        return rows
    run, row = line.run, line.row
    lacking = ~exists(
        select(1).where(
            row.c.run_id == run.c.run_id, equals(search.dialect, row.c.key, line.field.key)
        )
    )
    keys = [key_of(term, run, run.c.run_id, search.dialect) for term in search.terms[1:]]
    conditions = [run.c.experiment_id == experiment, *search.stage(run), lacking]
    first = Key(literal(MISSING), None, ascending=True)
    return rows + fetch(
        search, run, run.c.run_id, [first, *keys], conditions, offset, count - len(rows)
    )


def along(
    search: Search,
    line: Line,
    conditions: Sequence[ColumnElement[bool]],
    offset: int,
    count: int,
) -> Rows:
    """Returns the runs along an index that fulfil `conditions`."""
    run_id = line.row.c.run_id
    rest = [key_of(term, line.run, run_id, search.dialect) for term in search.terms[1:]]
    conditions = [*conditions, *search.stage(line.run)]
    return fetch(search, line.source(), run_id, [line.first, *rest], conditions, offset, count)


def _border(
    search: Search, line: Line, places: Sequence[ColumnElement[bool]], stride: int
) -> object:
    """Returns the value `stride` rows further, or None when the index ends before."""
    order = line.step.asc() if line.first.ascending else line.step.desc()
    query = select(line.step).where(*places).order_by(order).offset(stride).limit(1)
    return search.connection.execute(query).scalar_one_or_none()


def _left(
    search: Search,
    line: Line,
    conditions: Sequence[ColumnElement[bool]],
    rows: Rows,
    offset: int,
) -> int:
    """Returns how many of the first `offset` runs come after those that fulfil `conditions`."""
    if rows or not offset:
        return 0
    counted = select(func.count()).select_from(line.source())
    counted = counted.where(*conditions, *search.stage(line.run))
    return max(0, offset - search.connection.execute(counted).scalar_one())
