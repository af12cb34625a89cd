"""The search of experiments. They are few: plain conditions, no plans."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, not_, or_, select

from autolog_core.entities import Experiment, Page, ViewType
from autolog_core.limits import check_max_results
from autolog_core.search import (
    EXPERIMENTS,
    And,
    Comparison,
    Field,
    Node,
    Not,
    OrderTerm,
    parse_filter,
    parse_order_by,
)
from autolog_core.search.pages import decode_token, encode_token
from autolog_core.stores.sql.experiments import load
from autolog_core.stores.sql.schema import experiment_tags, experiments
from autolog_core.stores.sql.search_conditions import plain
from autolog_core.stores.sql.search_text import equals, ordered, teach_fold

_ID = Field("attribute", "experiment_id")
_DEFAULT = (OrderTerm(Field("attribute", "creation_time"), ascending=False), OrderTerm(_ID))


def search_experiments(
    connection: Connection,
    filter_string: str | None = None,
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 1000,
    order_by: Sequence[str] | None = None,
    page_token: str | None = None,
) -> Page[Experiment]:
    """Returns a page of experiments.

    Args:
        connection: In a transaction, so that all statements see one state.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
        InvalidArgument: `view_type`, `max_results` or `page_token` is off.
    """
    node = parse_filter(filter_string, EXPERIMENTS)
    terms = parse_order_by(order_by, EXPERIMENTS) or _DEFAULT
    if all(term.field != _ID for term in terms):
        terms += (OrderTerm(_ID, ascending=False),)
    stages = ViewType.stages(view_type)
    check_max_results(max_results)
    offset = decode_token(page_token)
    teach_fold(connection)
    dialect = connection.dialect.name
    query = select(experiments.c.experiment_id).where(experiments.c.lifecycle_stage.in_(stages))
    if node is not None:
        query = query.where(_condition(node, dialect))
    query = query.order_by(*(_clause(term, dialect) for term in terms))
    # One more than the page tells whether there is a next one.
    found = connection.execute(query.limit(max_results + 1).offset(offset)).scalars().all()
    token = encode_token(offset + max_results) if len(found) > max_results else None
    return Page(load(connection, found[:max_results]), token)


def _condition(node: Node, dialect: str, negated: bool = False) -> ColumnElement[bool]:
    if isinstance(node, Not):
        return _condition(node.part, dialect, not negated)
    if isinstance(node, Comparison):
        return _comparison(node, dialect, negated)
    parts = [_condition(part, dialect, negated) for part in node.parts]
    return and_(*parts) if isinstance(node, And) != negated else or_(*parts)


def _comparison(node: Comparison, dialect: str, negated: bool) -> ColumnElement[bool]:
    asks_absence = node.operator in ("IS NULL", "IS NOT NULL")
    present = (node.operator == "IS NOT NULL") != negated
    if node.field.kind == "attribute":
        column = experiments.c[node.field.key]
        if asks_absence:
            return column.is_not(None) if present else column.is_(None)
        fits = plain(dialect, column, node.operator, _bound(node))
        return not_(fits) if negated else fits
    tag = experiment_tags.alias()
    found = select(1).where(
        tag.c.experiment_id == experiments.c.experiment_id,
        equals(dialect, tag.c.key, node.field.key),
    )
    if asks_absence:
        return exists(found) if present else not_(exists(found))
    fits = plain(dialect, tag.c.value, node.operator, node.value)
    return exists(found.where(not_(fits) if negated else fits))


def _bound(node: Comparison) -> object:
    if node.field != _ID:
        return node.value
    if isinstance(node.value, tuple):
        return tuple(int(item) for item in node.value)
    return int(node.value or 0)


def _clause(term: OrderTerm, dialect: str) -> ColumnElement[Any]:
    column: ColumnElement[Any] = experiments.c[term.field.key]
    if term.field.key == "name":
        column = ordered(dialect, column)
    return column.asc() if term.ascending else column.desc()
