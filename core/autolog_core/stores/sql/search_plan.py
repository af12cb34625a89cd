"""How the ids of a page of runs are found without reading all runs.

An ordering by a metric or by start time can walk an index from the right end and probe the filter
run by run, which is fast when many runs fit; a selective filter is faster answered from its own
index, with its few runs sorted. Which one a search is cannot be told beforehand when filter and
ordering go together, so the walk gets a budget from counting the filter's index, and when it did
not fill the page within it, the other way does: at worst both are paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Row, exists, func, literal, select

from autolog_core.entities import LifecycleStage
from autolog_core.search import Comparison, Field, Node, OrderTerm
from autolog_core.stores.sql.schema import latest_metrics, runs
from autolog_core.stores.sql.search_conditions import NAN, Target, condition, needs_run
from autolog_core.stores.sql.search_drivers import Driver, find_drivers
from autolog_core.stores.sql.search_order import (
    MISSING,
    NOT_A_NUMBER,
    REAL,
    START_TIME,
    Key,
    key_of,
    merge,
)
from autolog_core.stores.sql.search_text import equals

Rows = list[Row[Any]]


@dataclass(frozen=True, slots=True)
class Costs:
    """Where one way of finding runs becomes dearer than another; results are the same.

    Attributes:
        separate: Up to how many experiments are searched one by one.
        few: Runs that are sorted rather than walked past.
        bound: Where counting of runs in an index stops.
        sample: Runs that a walk passes before it is known what part of them fits.
    """

    separate: int = 8
    few: int = 2000
    bound: int = 20_000
    sample: int = 400


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    Attributes:
        nodes: Conditions of which all must hold.
        terms: Complete orderings.
        stages: The lifecycle stages.
    """

    connection: Connection
    experiments: tuple[int, ...]
    nodes: tuple[Node, ...]
    terms: tuple[OrderTerm, ...]
    stages: tuple[str, ...]
    costs: Costs = Costs()

    @property
    def dialect(self) -> str:
        """Name of the database's dialect."""
        return self.connection.dialect.name


def find_ids(search: Search, offset: int, count: int) -> list[str]:
    """Returns the ids of at most `count` runs after the first `offset`, in order."""
    if len(search.experiments) == 1:
        return [row[0] for row in _one(search, search.experiments[0], offset, count)]
    if len(search.experiments) > search.costs.separate:
        drivers = find_drivers(
            search.connection, search.experiments, search.nodes, search.costs.bound
        )
        return [row[0] for row in _sort(search, search.experiments, drivers, offset, count)]
    rows: Rows = []
    for experiment in search.experiments:
        rows += _one(search, experiment, 0, offset + count)
    return [row[0] for row in merge(rows, search.terms)[offset : offset + count]]


def _one(search: Search, experiment: int, offset: int, count: int) -> Rows:
    lead = search.terms[0].field
    by_metric = lead.kind == "metric" and not lead.function
    if not search.nodes and by_metric and LifecycleStage.ACTIVE in search.stages:
        return _metric_order(search, experiment, offset, count)
    drivers = find_drivers(search.connection, (experiment,), search.nodes, search.costs.bound)
    if drivers and drivers[0].count == 0:
        return []
    if drivers and drivers[0].count <= search.costs.few:
        return _sort(search, (experiment,), drivers, offset, count)
    if by_metric or (lead == START_TIME and drivers):
        wanted = offset + count
        sample = max(search.costs.sample, 2 * wanted)
        rows = _walk(search, experiment, drivers, offset, count, sample)
        # Passing a run costs about as much as looking it up from the filter's index.
        limit = drivers[0].count if drivers else search.costs.bound
        needed = 2 * sample * wanted // max(1, len(rows) + (offset if rows else 0))
        if sample < needed <= limit and len(rows) < count:
            rows = _walk(search, experiment, drivers, offset, count, needed)
        if len(rows) == count:
            return rows
    return _sort(search, (experiment,), drivers, offset, count)


def _sort(
    search: Search,
    experiments: Sequence[int],
    drivers: Sequence[Driver],
    offset: int,
    count: int,
) -> Rows:
    """Sorts the runs that the smallest driver leaves; without one, all runs of the experiments."""
    run = runs.alias("run")
    nodes = _by_selectivity(search.nodes, drivers)
    if drivers:
        driver = drivers[0]
        nodes = [node for node in nodes if node not in driver.nodes]
        # What was logged is looked at before the run's row is: most runs end there.
        inner = Target(search.dialect, driver.run_id, run)
        logged = [condition(node, inner) for node in nodes if not needs_run(node)]
        nodes = [node for node in nodes if needs_run(node)]
        place = run.c.run_id.in_(driver.query.where(*logged))
    else:
        place = run.c.experiment_id.in_(experiments)
    keys = [key_of(term, run, run.c.run_id, search.dialect) for term in search.terms]
    target = Target(search.dialect, run.c.run_id, run)
    conditions = [place, *_stage(search, run), *(condition(node, target) for node in nodes)]
    return _fetch(search, run, run.c.run_id, keys, conditions, offset, count)


def _walk(
    search: Search,
    experiment: int,
    drivers: Sequence[Driver],
    offset: int,
    count: int,
    budget: int,
) -> Rows:
    """Goes along the index of the first ordering, past `budget` runs at most."""
    line = _line(search, experiment)
    border = search.connection.execute(
        select(line.value).where(*line.places).order_by(line.order).offset(budget).limit(1)
    ).scalar_one_or_none()
    places = line.places
    if border is not None:
        # Ties with the border may lie beyond it, so none of them counts.
        places += (line.value < border if line.ascending else line.value > border,)
    nodes = _by_selectivity([node for node in search.nodes if not line.has(node)], drivers)
    conditions = [*places, *(condition(node, line.target) for node in nodes)]
    return _along(search, line, conditions, offset, count)


def _metric_order(search: Search, experiment: int, offset: int, count: int) -> Rows:
    """Orders all runs by a metric: its numbers, its NaN, and last the runs without it."""
    line = _line(search, experiment)
    rows = _along(search, line, line.places, offset, count)
    if len(rows) == count:
        return rows
    offset = _left(search, line, line.places, rows, offset)
    run, row, key = line.run, line.row, search.terms[0].field.key
    # A NaN lies at zero in the index.
    places = (*line.key, row.c.value == 0.0, row.c.special == NAN)
    nan = _along(search, line, places, offset, count - len(rows), NOT_A_NUMBER)
    rows += nan
    if len(rows) == count:
        return rows
    offset = _left(search, line, places, nan, offset)
    lacking = ~exists(
        select(1).where(row.c.run_id == run.c.run_id, equals(search.dialect, row.c.key, key))
    )
    keys = [key_of(term, run, run.c.run_id, search.dialect) for term in search.terms[1:]]
    conditions = [run.c.experiment_id == experiment, *_stage(search, run), lacking]
    first = Key(literal(MISSING), None, ascending=True)
    return rows + _fetch(
        search, run, run.c.run_id, [first, *keys], conditions, offset, count - len(rows)
    )


@dataclass(frozen=True, slots=True)
class _Line:
    """An index in the order of a search.

    Attributes:
        row: The indexed table: `runs` or `latest_metrics`.
        run: The table `runs`, the same as `row` or joined to it.
        key: Conditions that find the start of the index.
        places: Those, and further ones on the indexed columns.
        target: Where conditions on runs look things up.
    """

    row: FromClause
    run: FromClause
    value: ColumnElement[Any]
    ascending: bool
    key: tuple[ColumnElement[bool], ...]
    places: tuple[ColumnElement[bool], ...]
    target: Target
    field: Field

    @property
    def order(self) -> ColumnElement[Any]:
        return self.value.asc() if self.ascending else self.value.desc()

    def has(self, node: Node) -> bool:
        """Whether `places` hold the condition."""
        return isinstance(node, Comparison) and node.field == self.field and node.value is not None


def _line(search: Search, experiment: int) -> _Line:
    lead = search.terms[0]
    run = runs.alias("run")
    row = run if lead.field == START_TIME else latest_metrics.alias("lead")
    key = [row.c.experiment_id == experiment]
    target = Target(search.dialect, row.c.run_id, run)
    value: ColumnElement[Any] = row.c.start_time if row is run else row.c.value
    places: list[ColumnElement[bool]] = []
    if row is not run:
        key.append(equals(search.dialect, row.c.key, lead.field.key))
        places.append(row.c.special != NAN)
        target = Target(search.dialect, row.c.run_id, run, row, lead.field.key)
    line = _Line(row, run, value, lead.ascending, tuple(key), (), target, lead.field)
    places += [condition(node, target) for node in search.nodes if line.has(node)]
    return replace(line, places=(*key, *places))


def _along(
    search: Search,
    line: _Line,
    conditions: Sequence[ColumnElement[bool]],
    offset: int,
    count: int,
    rank: int = REAL,
) -> Rows:
    first = Key(None, line.value, line.ascending)
    if rank != REAL:
        first = Key(literal(rank), None, ascending=True)
    rest = [key_of(term, line.run, line.row.c.run_id, search.dialect) for term in search.terms[1:]]
    source = line.row
    if line.row is not line.run:
        source = line.row.join(line.run, line.run.c.run_id == line.row.c.run_id)
    conditions = [*conditions, *_stage(search, line.run)]
    return _fetch(search, source, line.row.c.run_id, [first, *rest], conditions, offset, count)


def _left(
    search: Search,
    line: _Line,
    conditions: Sequence[ColumnElement[bool]],
    rows: Rows,
    offset: int,
) -> int:
    """Returns how many of the first `offset` runs come after those that fulfil `conditions`."""
    if rows or not offset:
        return 0
    joined = line.row.join(line.run, line.run.c.run_id == line.row.c.run_id)
    counted = select(func.count()).select_from(joined)
    counted = counted.where(*conditions, *_stage(search, line.run))
    return max(0, offset - search.connection.execute(counted).scalar_one())


def _fetch(
    search: Search,
    source: FromClause,
    run_id: ColumnElement[str],
    keys: Sequence[Key],
    conditions: Sequence[ColumnElement[bool]],
    offset: int,
    count: int,
) -> Rows:
    for key in keys:
        if key.join is not None:
            source = source.outerjoin(*key.join)
    columns = [column for key in keys for column in key.columns()]
    query = (
        select(run_id, *(column.label(f"key_{at}") for at, column in enumerate(columns)))
        .select_from(source)
        .where(*conditions)
        .order_by(*(clause for key in keys for clause in key.clauses()))
        .limit(count)
        .offset(offset)
    )
    return list(search.connection.execute(query))


def _stage(search: Search, run: FromClause) -> list[ColumnElement[bool]]:
    if len(search.stages) > 1:
        return []
    return [run.c.lifecycle_stage == search.stages[0]]


def _by_selectivity(nodes: Sequence[Node], drivers: Sequence[Driver]) -> list[Node]:
    """Returns the conditions with those first that most likely fail."""
    known = [node for driver in drivers for node in driver.nodes if node in nodes]
    return known + [node for node in nodes if node not in known]
