"""Conditions that an index answers: which runs they leave, and about how many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select, union_all

from autolog_core.search import Comparison, Field, Node, Or
from autolog_core.search.tree import ORDERINGS
from autolog_core.stores.sql.schema import datasets, inputs, runs
from autolog_core.stores.sql.search_conditions import TABLES, plain, value_condition
from autolog_core.stores.sql.search_text import equals

READ_AHEAD = 4
"""Entries of an index that are read in the time that one run is looked up."""
_RUN = runs.alias("driver")
_TABLES = {kind: table.alias("driver") for kind, table in TABLES.items()}
_USE, _DATASET = inputs.alias("driver"), datasets.alias("driver_dataset")


@dataclass(frozen=True, slots=True)
class Driver:
    """Conditions with one index.

    Attributes:
        query: Selects the ids of the runs that fulfil them, perhaps more than once.
        run_id: The column that it selects.
        nodes: The conditions.
        count: How many ids there are, or the bound up to which they were counted.
    """

    query: Select[tuple[str]]
    run_id: ColumnElement[str]
    nodes: tuple[Node, ...]
    count: int


def find_drivers(
    connection: Connection, experiments: Sequence[int], nodes: Sequence[Node], bound: int
) -> list[Driver]:
    """Returns the drivers among conditions of which all must hold, the smallest first.

    Args:
        bound: Where counting stops.
    """
    groups: dict[object, list[Comparison]] = {}
    for number, node in enumerate(nodes):
        if isinstance(node, Comparison) and _has_index(node):
            # Two conditions on a key, such as a range, share a walk; a run has many datasets.
            shared = node.field.kind != "dataset"
            groups.setdefault(node.field if shared else number, []).append(node)
    dialect = connection.dialect.name
    found: list[tuple[Select[tuple[str]], tuple[Node, ...]]] = [
        (_query(group[0].field, group, experiments, dialect), tuple(group))
        for group in groups.values()
    ]
    for node in nodes:
        parts = _alternatives(node)
        if parts:
            each = union_all(*(_query(one.field, [one], experiments, dialect) for one in parts))
            found.append((select(each.subquery("driver").c.run_id), (node,)))
    drivers = []
    for query, covered in found:
        counted = select(func.count()).select_from(query.limit(bound).subquery())
        count = connection.execute(counted).scalar_one()
        drivers.append(Driver(query, query.selected_columns.run_id, covered, count))
    return sorted(drivers, key=lambda driver: driver.count)


def intersect(connection: Connection, drivers: Sequence[Driver]) -> set[str]:
    """Returns the runs that fulfil all drivers.

    Reading an index from end to end is so much cheaper than looking runs up one by one that this
    pays for drivers up to `READ_AHEAD` times as large as the smallest.
    """
    ids = set(_read(connection, drivers[0]))
    for driver in drivers[1:]:
        ids.intersection_update(_read(connection, driver))
    return ids


def _read(connection: Connection, driver: Driver) -> Iterator[str]:
    """Yields ids from the driver's own tuples: rows of SQLAlchemy take longer than the index."""
    cursor: Any = connection.execute(driver.query).cursor
    return map(itemgetter(0), cursor.fetchall())


def _alternatives(node: Node) -> list[Comparison]:
    """Returns the comparisons of an OR that indexes can answer in full; otherwise none."""
    if not isinstance(node, Or):
        return []
    parts = [part for part in node.parts if isinstance(part, Comparison) and _has_index(part)]
    return parts if len(parts) == len(node.parts) else []


def _has_index(node: Comparison) -> bool:
    field, operator = node.field, node.operator
    if field.kind == "dataset":
        return operator != "IS NULL"
    positive = operator in ORDERINGS or operator in ("=", "IN")
    if field.kind == "attribute":
        return positive and field.key in ("run_id", "start_time")
    if field.kind == "metric":
        return not field.function and (positive or operator == "IS NAN")
    return positive


def _query(
    field: Field, nodes: Sequence[Comparison], experiments: Sequence[int], dialect: str
) -> Select[tuple[str]]:
    if field.kind == "dataset":
        return _dataset_query(nodes[0], experiments, dialect)
    conditions: list[ColumnElement[bool]]
    if field.kind == "attribute":
        row: Any = _RUN
        conditions = [plain(dialect, row.c[field.key], node.operator, node.value) for node in nodes]
    else:
        row = _TABLES[field.kind]
        conditions = [equals(dialect, row.c.key, field.key)]
        for node in nodes:
            conditions.append(value_condition(field, node.operator, node.value, row, dialect))
            if node.operator == "IS NAN":
                # A NaN lies at zero in the index.
                conditions.append(row.c.value == 0.0)
    return select(row.c.run_id).where(row.c.experiment_id.in_(experiments), *conditions)


def _dataset_query(
    node: Comparison, experiments: Sequence[int], dialect: str
) -> Select[tuple[str]]:
    dataset, use = _DATASET, _USE
    query = select(use.c.run_id).where(
        dataset.c.experiment_id.in_(experiments), use.c.dataset_id == dataset.c.dataset_id
    )
    key = node.field.key
    column = use.c.context if key == "context" else dataset.c[key]
    if key == "context":
        query = query.where(use.c.context != "")
    if node.value is None:
        return query
    return query.where(plain(dialect, column, node.operator, node.value))
