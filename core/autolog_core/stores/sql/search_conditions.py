"""Filters of runs as SQL conditions.

NOT is pushed down to the comparisons first, so that each condition says "there is a value, and it
fits" or "there is a value, and it does not": a missing key matches neither way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import ge, gt, le, lt
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    and_,
    exists,
    not_,
    or_,
    select,
)

from autolog_core.search import And, Comparison, Field, Node, Not
from autolog_core.search.tree import NEGATIVE, Scalar
from autolog_core.stores.sql.schema import (
    HEAD,
    datasets,
    inputs,
    latest_metrics,
    params,
    runs,
    tags,
)
from autolog_core.stores.sql.search_text import among, any_of, equals, like

NAN = 1
"""What `latest_metrics.special` holds for NaN."""

TABLES = {"metric": latest_metrics, "param": params, "tag": tags}
RUN = runs.alias("run")
"""The run whose conditions are written. Aliases are made once: that takes longer than a search."""
_PROBES = {kind: table.alias("probe") for kind, table in TABLES.items()}
_USE, _DATASET = inputs.alias("use"), datasets.alias("dataset")
_ORDERINGS: dict[str, Callable[[Any, Any], ColumnElement[bool]]] = {
    "<": lt,
    "<=": le,
    ">": gt,
    ">=": ge,
}
_COLUMNS = {"run_name": "name"}


@dataclass(frozen=True, slots=True)
class Target:
    """Whose conditions are written.

    Attributes:
        dialect: Name of the database's dialect.
        run_id: The column that the keyed tables are looked up by.
        run: The row of `runs`.
        lead: A row of a keyed table that is joined already, the one of `lead_field`.
    """

    dialect: str
    run_id: ColumnElement[str]
    run: FromClause
    lead: FromClause | None = None
    lead_field: Field | None = None


def condition(node: Node, target: Target, negated: bool = False) -> ColumnElement[bool]:
    """Returns the condition that `node`, or its negation, is true of a run."""
    if isinstance(node, Not):
        return condition(node.part, target, not negated)
    if isinstance(node, Comparison):
        return _comparison(node, target, negated)
    parts = [condition(part, target, negated) for part in node.parts]
    return and_(*parts) if isinstance(node, And) != negated else or_(*parts)


def needs_run(node: Node) -> bool:
    """Whether a condition looks at the run's own row, not only at what was logged to it."""
    if isinstance(node, Not):
        return needs_run(node.part)
    if isinstance(node, Comparison):
        return node.field.kind == "attribute"
    return any(needs_run(part) for part in node.parts)


def attribute(field: Field, run: FromClause) -> ColumnElement[Any]:
    """Returns an attribute of a run as a column."""
    if field.key == "duration":
        duration: ColumnElement[Any] = run.c.end_time - run.c.start_time
        return duration
    return run.c[_COLUMNS.get(field.key, field.key)]


def extreme(field: Field, row: FromClause) -> ColumnElement[float]:
    """Returns the smallest or largest value of a metric as a column."""
    return row.c.minimum if field.function == "min" else row.c.maximum


def value_condition(
    field: Field, operator: str, value: object, row: FromClause, dialect: str
) -> ColumnElement[bool]:
    """Returns the condition on a row of the field's table, never NULL but for min and max."""
    if field.kind == "metric":
        if operator in ("IS NAN", "IS NOT NAN"):
            return row.c.special == NAN if operator == "IS NAN" else row.c.special != NAN
        if field.function:
            return plain(dialect, extreme(field, row), operator, value)
        positive = NEGATIVE.get(operator, operator)
        real = and_(plain(dialect, row.c.value, positive, value), row.c.special != NAN)
        return real if positive == operator else not_(real)
    if field.kind == "tag":
        return _text(dialect, row, operator, value)
    return _label(dialect, row, operator, value)


def plain(
    dialect: str, column: ColumnElement[Any], operator: str, value: Any
) -> ColumnElement[bool]:
    """Returns a comparison of a column with a value of its own type."""
    positive = NEGATIVE.get(operator, operator)
    if positive != operator:
        return not_(plain(dialect, column, positive, value))
    values: Sequence[Scalar] = value if isinstance(value, tuple) else (value,)
    if operator in ("LIKE", "ILIKE"):
        return like(dialect, column, value, operator == "ILIKE")
    if operator in ("=", "IN"):
        if isinstance(values[0], str):
            return among(dialect, column, values)  # type: ignore[arg-type]
        return column == values[0] if len(values) == 1 else column.in_(values)
    return _ORDERINGS[operator](column, value)


def _comparison(node: Comparison, target: Target, negated: bool) -> ColumnElement[bool]:
    field = node.field
    if node.operator in ("IS NULL", "IS NOT NULL"):
        present = (node.operator == "IS NOT NULL") != negated
        return _presence(field, target, present)
    if field.kind == "attribute":
        fits = plain(target.dialect, attribute(field, target.run), node.operator, node.value)
        return not_(fits) if negated else fits
    if field.kind == "dataset":
        return _dataset(node, target, negated)
    if target.lead is not None and replace(field, function=None) == target.lead_field:
        fits = value_condition(field, node.operator, node.value, target.lead, target.dialect)
        return not_(fits) if negated else fits
    row = _PROBES[field.kind]
    fits = value_condition(field, node.operator, node.value, row, target.dialect)
    return _keyed(field, target, row, not_(fits) if negated else fits)


def _keyed(
    field: Field, target: Target, row: FromClause, *conditions: ColumnElement[bool]
) -> ColumnElement[bool]:
    key = equals(target.dialect, row.c.key, field.key)
    return exists(select(1).where(row.c.run_id == target.run_id, key, *conditions))


def _presence(field: Field, target: Target, present: bool) -> ColumnElement[bool]:
    if field.kind == "attribute":
        column = attribute(field, target.run)
        return column.is_not(None) if present else column.is_(None)
    if field.kind == "dataset":
        found = _use(field, target)
    else:
        row = _PROBES[field.kind]
        known = [extreme(field, row).is_not(None)] if field.function else []
        found = _keyed(field, target, row, *known)
    return found if present else not_(found)


def _dataset(node: Comparison, target: Target, negated: bool) -> ColumnElement[bool]:
    match = _use(node.field, target, node)
    return and_(_use(node.field, target), not_(match)) if negated else match


def _use(field: Field, target: Target, node: Comparison | None = None) -> ColumnElement[bool]:
    use = _USE
    conditions = [use.c.run_id == target.run_id]
    if field.key == "context":
        conditions.append(use.c.context != "")
        column: ColumnElement[Any] = use.c.context
    else:
        dataset = _DATASET
        conditions.append(dataset.c.dataset_id == use.c.dataset_id)
        column = dataset.c[field.key]
    if node is not None:
        conditions.append(plain(target.dialect, column, node.operator, node.value))
    return exists(select(1).where(*conditions))


def _text(dialect: str, row: FromClause, operator: str, value: Any) -> ColumnElement[bool]:
    positive = NEGATIVE.get(operator, operator)
    if positive in ("LIKE", "ILIKE"):
        fits = like(dialect, row.c.value, value, positive == "ILIKE")
    else:
        fits = text_among(dialect, row, value if isinstance(value, tuple) else (value,))
    return fits if positive == operator else not_(fits)


def _label(dialect: str, row: FromClause, operator: str, value: Any) -> ColumnElement[bool]:
    """A param is text, and a number as well where it reads as one."""
    values = value if isinstance(value, tuple) else (value,)
    texts = [item for item in values if isinstance(item, str)]
    numbers = [item for item in values if not isinstance(item, str)]
    if not numbers:
        return _text(dialect, row, operator, value)
    positive = NEGATIVE.get(operator, operator)
    fits = [
        and_(
            row.c.number.is_not(None),
            plain(dialect, row.c.number, positive, tuple(numbers) if positive == "IN" else value),
        )
    ]
    if texts:
        fits.append(text_among(dialect, row, texts))
    return any_of(fits) if positive == operator else not_(any_of(fits))


def text_among(dialect: str, row: FromClause, texts: Sequence[str]) -> ColumnElement[bool]:
    """Returns the condition that a row's value is one of `texts`, by its indexed head."""
    short = [text for text in texts if len(text) < HEAD]
    long = [text for text in texts if len(text) >= HEAD]
    fits = [among(dialect, row.c.head, short)] if short else []
    if long:
        heads = list(dict.fromkeys(text[:HEAD] for text in long))
        fits.append(and_(among(dialect, row.c.head, heads), among(dialect, row.c.value, long)))
    return any_of(fits)
