"""Filters of logged models as SQL conditions.

A row of `logged_model_metrics` stands for many points. Its bounds tell whether one of them fits,
but for equality with a value between the bounds: `settle` reads those histories beforehand.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
)

from autolog_core.entities import Metric
from autolog_core.search import And, Comparison, DatasetFilter, Field, Node, Not
from autolog_core.stores.sql.model_metrics import dataset_hash, load_points
from autolog_core.stores.sql.schema import (
    MAX_FLOAT,
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
)
from autolog_core.stores.sql.search_conditions import NAN, plain, value_condition
from autolog_core.stores.sql.search_text import any_of, equals

TABLES = {
    "metric": logged_model_metrics,
    "param": logged_model_params,
    "tag": logged_model_tags,
}
_EXACT = frozenset(("=", "IN", "NOT IN"))


@dataclass(frozen=True, slots=True)
class Target:
    """Whose conditions are written.

    Attributes:
        dialect: Name of the database's dialect.
        model_id: The column that the keyed tables are looked up by.
        model: The row of `logged_models`.
        datasets: Of which datasets metrics may be; none means any.
        settled: Ids of models whose histories were read, and fit, by comparison.
    """

    dialect: str
    model_id: ColumnElement[str]
    model: FromClause
    datasets: Sequence[DatasetFilter] = ()
    settled: Mapping[Comparison, Sequence[str]] = field(default_factory=dict)


def condition(node: Node, target: Target, negated: bool = False) -> ColumnElement[bool]:
    """Returns the condition that `node`, or its negation, is true of a model."""
    if isinstance(node, Not):
        return condition(node.part, target, not negated)
    if isinstance(node, Comparison):
        return _comparison(node, target, negated)
    parts = [condition(part, target, negated) for part in node.parts]
    return and_(*parts) if isinstance(node, And) != negated else or_(*parts)


def on_datasets(
    row: FromClause, datasets: Sequence[DatasetFilter], dialect: str
) -> list[ColumnElement[bool]]:
    """Returns the condition that a row of metrics is of one of `datasets`, none if any will do."""
    if not datasets:
        return []
    hashes = [dataset_hash(one.name, one.digest) for one in datasets if one.digest is not None]
    fits = [equals(dialect, row.c.dataset_name, one.name) for one in datasets if not one.digest]
    if hashes:
        fits.append(row.c.dataset == hashes[0] if len(hashes) == 1 else row.c.dataset.in_(hashes))
    return [any_of(fits)]


def has_fitting_point(node: Comparison, row: FromClause, target: Target) -> ColumnElement[bool]:
    """Returns the condition that one of the points that a row stands for fits."""
    operator, value = node.operator, node.value
    if operator == "IS NAN":
        return row.c.nans == 1
    if operator in ("IS NOT NAN", "IS NOT NULL"):
        return row.c.minimum.is_not(None) if operator == "IS NOT NAN" else row.c.model_id != ""
    if operator in (">", ">="):
        return plain(target.dialect, row.c.maximum, operator, value)
    if operator in ("<", "<="):
        return plain(target.dialect, row.c.minimum, operator, value)
    fits = [
        plain(target.dialect, row.c.minimum, operator, value),
        plain(target.dialect, row.c.maximum, operator, value),
        and_(row.c.special != NAN, plain(target.dialect, row.c.value, operator, value)),
    ]
    if operator in ("!=", "NOT IN"):
        fits.append(row.c.nans == 1)
    settled = target.settled.get(node)
    if settled:
        fits.append(listed(target.dialect, row.c.model_id, settled))
    return or_(*fits)


def fitting_rows(
    node: Comparison, row: FromClause, target: Target
) -> list[list[ColumnElement[bool]]]:
    """Returns conditions of which each has an index, and that say what `has_fitting_point` says.

    Rows that fit more than one do not exist.
    """
    if node.operator in ("IS NAN", "IS NOT NAN", "IS NOT NULL"):
        return [[has_fitting_point(node, row, target)]]
    plainly = value_condition(node.field, node.operator, node.value, row, target.dialect)
    return [
        [row.c.varied == 0, plainly],
        [row.c.varied == 1, has_fitting_point(node, row, target)],
    ]


def settle(
    connection: Connection,
    experiments: Sequence[int],
    node: Node | None,
    datasets: Sequence[DatasetFilter],
) -> dict[Comparison, Sequence[str]]:
    """Returns the models that fit exact comparisons of metrics by points within the bounds."""
    found: dict[Comparison, Sequence[str]] = {}
    for leaf in _leaves(node):
        if leaf.field.kind != "metric" or leaf.operator not in _EXACT or leaf in found:
            continue
        models = _doubtful(connection, experiments, leaf, datasets)
        found[leaf] = _fitting(connection, models, leaf, datasets) if models else ()
    return found


def listed(dialect: str, column: ColumnElement[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """Returns the condition that a column is one of many ids."""
    if dialect == "sqlite":
        items = func.json_each(json.dumps(list(ids))).table_valued("value")
        return column.in_(select(items.c.value))
    return column.in_(ids)


def _leaves(node: Node | None) -> list[Comparison]:
    if node is None:
        return []
    if isinstance(node, Comparison):
        return [node]
    parts = (node.part,) if isinstance(node, Not) else node.parts
    return [leaf for part in parts for leaf in _leaves(part)]


def _numbers(node: Comparison) -> list[float]:
    values = node.value if isinstance(node.value, tuple) else (node.value,)
    return [float(value) for value in values if value is not None]


def _doubtful(
    connection: Connection,
    experiments: Sequence[int],
    node: Comparison,
    datasets: Sequence[DatasetFilter],
) -> list[str]:
    row = logged_model_metrics.alias()
    dialect = connection.dialect.name
    known = Target(dialect, row.c.model_id, row)
    numbers = _numbers(node)
    query = select(row.c.model_id).where(
        row.c.experiment_id.in_(experiments),
        equals(dialect, row.c.key, node.field.key),
        *on_datasets(row, datasets, dialect),
        row.c.varied == 1,
        not_(has_fitting_point(node, row, known)),
    )
    if node.operator != "NOT IN":
        query = query.where(row.c.minimum < max(numbers), row.c.maximum > min(numbers))
    return sorted(set(connection.execute(query).scalars()))


def _fitting(
    connection: Connection,
    model_ids: Sequence[str],
    node: Comparison,
    datasets: Sequence[DatasetFilter],
) -> Sequence[str]:
    wanted = node.operator != "NOT IN"
    numbers = _numbers(node)
    fitting = set()
    for name, run_id, points in load_points(connection, model_ids, node.field.key):
        model_id, key, dataset, digest = name
        probe = Metric(key, 0.0, 0, 0, model_id, dataset, digest, run_id)
        if datasets and not any(one.holds(probe) for one in datasets):
            continue
        values = np.clip(points.values, -MAX_FLOAT, MAX_FLOAT)
        if (np.isin(values, numbers) == wanted).any():
            fitting.add(model_id)
    return sorted(fitting)


def _comparison(node: Comparison, target: Target, negated: bool) -> ColumnElement[bool]:
    asks_absence = node.operator in ("IS NULL", "IS NOT NULL")
    present = (node.operator == "IS NOT NULL") != negated
    if node.field.kind == "attribute":
        column = target.model.c[node.field.key]
        if asks_absence:
            return column.is_not(None) if present else column.is_(None)
        fits = plain(target.dialect, column, node.operator, node.value)
        return not_(fits) if negated else fits
    row = TABLES[node.field.kind].alias()
    if asks_absence:
        found = _keyed(node.field, target, row)
        return found if present else not_(found)
    if node.field.kind == "metric":
        match = _keyed(node.field, target, row, has_fitting_point(node, row, target))
        if not negated:
            return match
        other = logged_model_metrics.alias()
        return and_(_keyed(node.field, target, other), not_(match))
    fits = value_condition(node.field, node.operator, node.value, row, target.dialect)
    return _keyed(node.field, target, row, not_(fits) if negated else fits)


def _keyed(
    field: Field, target: Target, row: FromClause, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    places = [row.c.model_id == target.model_id, equals(target.dialect, row.c.key, field.key)]
    if field.kind == "metric":
        places += on_datasets(row, target.datasets, target.dialect)
    return exists(select(1).where(*places, *conditions))
