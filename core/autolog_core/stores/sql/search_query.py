"""What a search of runs is asked, and the one statement that all ways of finding them end in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, FromClause, Row, select

from autolog_core.search import Node, OrderTerm
from autolog_core.stores.sql.search_drivers import Driver
from autolog_core.stores.sql.search_order import Key

Rows: TypeAlias = list[Row[Any]]


@dataclass(frozen=True, slots=True)
class Costs:
    """Where one way of finding runs becomes dearer than another; results are the same.

    Attributes:
        separate: Up to how many experiments are searched one by one.
        few: Runs that are sorted rather than walked past.
        bound: Where counting of runs in an index stops.
        patience: Runs that a walk passes where there is no index to turn to.
        stride: Runs that the first step of a walk passes.
    """

    separate: int = 8
    few: int = 6000
    bound: int = 20_000
    patience: int = 100_000
    stride: int = 400


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

    def stage(self, run: FromClause) -> list[ColumnElement[bool]]:
        """Returns the condition on the lifecycle stage, none when all stages are asked for."""
        if len(self.stages) > 1:
            return []
        return [run.c.lifecycle_stage == self.stages[0]]


def fetch(
    search: Search,
    source: FromClause,
    run_id: ColumnElement[str],
    keys: Sequence[Key],
    conditions: Sequence[ColumnElement[bool]],
    offset: int,
    count: int,
) -> Rows:
    """Returns rows of (run id, rank, value, rank, value, ...) in order, as `merge` takes them."""
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


def by_selectivity(nodes: Sequence[Node], drivers: Sequence[Driver]) -> list[Node]:
    """Returns the conditions with those first that most likely fail."""
    known = [node for driver in drivers for node in driver.nodes if node in nodes]
    return known + [node for node in nodes if node not in known]
