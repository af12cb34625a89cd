"""The search of logged models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, and_, case, exists, select

from autolog_core.entities import LifecycleStage, LoggedModel, Page
from autolog_core.limits import check_max_results
from autolog_core.search import (
    MODELS,
    Comparison,
    DatasetFilter,
    Field,
    ModelOrder,
    Node,
    OrderTerm,
    parse_datasets,
    parse_filter,
    parse_model_order,
)
from autolog_core.search.pages import decode_token, encode_token
from autolog_core.search.tree import conjuncts
from autolog_core.stores.sql.model_metrics import dataset_hash
from autolog_core.stores.sql.models import load_models
from autolog_core.stores.sql.schema import logged_model_metrics, logged_models
from autolog_core.stores.sql.search_conditions import NAN, plain, value_condition
from autolog_core.stores.sql.search_model_conditions import (
    TABLES,
    Target,
    condition,
    has_fitting_point,
    listed,
    on_datasets,
    settle,
)
from autolog_core.stores.sql.search_order import MISSING, NOT_A_NUMBER, REAL, Key
from autolog_core.stores.sql.search_runs import experiment_numbers
from autolog_core.stores.sql.search_text import equals, ordered, teach_fold

FEW = 1000
"""Models that are sorted rather than walked past."""

_CREATION = Field("attribute", "creation_timestamp")
_ID = Field("attribute", "model_id")
_TIES = (OrderTerm(_CREATION, ascending=False), OrderTerm(_ID))
_TIMES = frozenset(("creation_timestamp", "last_updated_timestamp"))
_OPTIONAL = frozenset(("model_type", "source_run_id"))
_INDEXED = frozenset(("name", "model_id", "source_run_id", "creation_timestamp"))


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    Attributes:
        nodes: Conditions of which all must hold.
        orders: Orderings that leave no ties.
        few: See `FEW`.
    """

    connection: Connection
    experiments: tuple[int, ...]
    nodes: tuple[Node, ...]
    orders: tuple[ModelOrder, ...]
    target: Target
    few: int = FEW

    @property
    def model(self) -> FromClause:
        """The row of `logged_models`."""
        return self.target.model


def search_logged_models(
    connection: Connection,
    experiment_ids: Sequence[str],
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, Any]] | None = None,
    max_results: int = 50,
    order_by: Sequence[Mapping[str, Any] | str] | None = None,
    page_token: str | None = None,
) -> Page[LoggedModel]:
    """Returns a page of logged models.

    Args:
        connection: In a transaction, so that all statements see one state.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
        InvalidArgument: An experiment id, `datasets`, `max_results` or `page_token` is off.
    """
    node = parse_filter(filter_string, MODELS)
    places = parse_datasets(datasets)
    orders = complete(parse_model_order(order_by))
    check_max_results(max_results)
    experiments = experiment_numbers(experiment_ids)
    query = [list(experiments), str(node), [str(place) for place in places], str(orders)]
    offset = decode_token(page_token, query)
    if not experiments:
        return Page()
    teach_fold(connection)
    search = make_search(connection, experiments, node, places, orders)
    # One more than the page tells whether there is a next one.
    ids = find_ids(search, offset, max_results + 1)
    token = encode_token(offset + max_results, query) if len(ids) > max_results else None
    return Page(load_models(connection, ids[:max_results]), token)


def complete(order_by: Sequence[ModelOrder]) -> tuple[ModelOrder, ...]:
    """Returns orderings that leave no ties: creation down, then id."""
    fields = {order.term.field for order in order_by}
    return (*order_by, *(ModelOrder(tie) for tie in _TIES if tie.field not in fields))


def make_search(
    connection: Connection,
    experiments: tuple[int, ...],
    node: Node | None,
    datasets: Sequence[DatasetFilter],
    orders: tuple[ModelOrder, ...],
    few: int = FEW,
) -> Search:
    """Returns a search, with the histories read that no bounds can tell of."""
    model = logged_models.alias("model")
    dialect = connection.dialect.name
    settled = settle(connection, experiments, node, datasets)
    target = Target(dialect, model.c.model_id, model, datasets, settled)
    return Search(connection, experiments, conjuncts(node), orders, target, few)


def find_ids(search: Search, offset: int, count: int) -> list[str]:
    """Returns the ids of at most `count` models after the first `offset`, in order.

    A filter that leaves few models is answered from its index, and these are sorted. Otherwise most
    models fit, and the index of the first ordering is walked until enough are found.
    """
    for query in _drivers(search):
        found = search.connection.execute(query.limit(search.few + 1)).scalars().all()
        if len(found) <= search.few:
            ids = sorted(set(found))
            return _sort(search, ids, offset, count) if ids else []
    lead = search.orders[0]
    if lead.term.field.kind == "metric" and lead.dataset is not None and lead.dataset.digest:
        walked = _walk(search, lead, lead.dataset, offset + count)
        if len(walked) == offset + count:
            return walked[offset:]
    return _sort(search, None, offset, count)


def _drivers(search: Search) -> list[Any]:
    """Returns queries of the models that one condition leaves, the cheapest first."""
    dialect = search.target.dialect
    cheap: list[Any] = []
    dear: list[Any] = []
    for node in search.nodes:
        if not isinstance(node, Comparison) or node.operator == "IS NULL":
            continue
        kind, positive = node.field.kind, node.operator in ("=", "IN")
        if kind == "attribute" and positive and node.field.key in _INDEXED:
            row: Any = logged_models.alias()
            fits = plain(dialect, row.c[node.field.key], node.operator, node.value)
        elif kind in ("param", "tag") and (positive or node.operator == "IS NOT NULL"):
            row = TABLES[kind].alias()
            fits = equals(dialect, row.c.key, node.field.key)
            if positive:
                value = value_condition(node.field, node.operator, node.value, row, dialect)
                fits = and_(fits, value)
        elif kind == "metric":
            row = logged_model_metrics.alias()
            fits = and_(
                equals(dialect, row.c.key, node.field.key),
                *on_datasets(row, search.target.datasets, dialect),
                has_fitting_point(node, row, search.target),
            )
        else:
            continue
        query = select(row.c.model_id).where(row.c.experiment_id.in_(search.experiments), fits)
        (dear if kind == "metric" else cheap).append(query)
    return cheap + dear


def _walk(search: Search, lead: ModelOrder, dataset: DatasetFilter, count: int) -> list[str]:
    """Goes along the index of a metric on one dataset; models without a number are left out."""
    dialect = search.target.dialect
    row = logged_model_metrics.alias("lead")
    own = search.target.datasets == (dataset,)
    conditions: list[ColumnElement[bool]] = [
        row.c.experiment_id.in_(search.experiments),
        equals(dialect, row.c.key, lead.term.field.key),
        row.c.dataset == dataset_hash(dataset.name, dataset.digest),
        row.c.special != NAN,
    ]
    for node in search.nodes:
        if own and isinstance(node, Comparison) and _says_more(node, lead.term.field):
            conditions.append(has_fitting_point(node, row, search.target))
        else:
            conditions.append(condition(node, search.target))
    if search.target.datasets and not own:
        conditions.append(_on_a_dataset(search))
    rest = [_key(search, order) for order in search.orders[1:]]
    source: FromClause = row.join(search.model, search.model.c.model_id == row.c.model_id)
    first = Key(None, row.c.value, lead.term.ascending)
    return _fetch(search, source, [first, *rest], conditions, 0, count)


def _says_more(node: Comparison, field: Field) -> bool:
    return node.field == field and node.operator != "IS NULL"


def _sort(search: Search, ids: Sequence[str] | None, offset: int, count: int) -> list[str]:
    model = search.model
    conditions: list[ColumnElement[bool]] = [model.c.experiment_id.in_(search.experiments)]
    if ids is not None:
        conditions.append(listed(search.target.dialect, model.c.model_id, ids))
    conditions += [condition(node, search.target) for node in search.nodes]
    if search.target.datasets:
        conditions.append(_on_a_dataset(search))
    keys = [_key(search, order) for order in search.orders]
    return _fetch(search, model, keys, conditions, offset, count)


def _on_a_dataset(search: Search) -> ColumnElement[bool]:
    row = logged_model_metrics.alias()
    places = on_datasets(row, search.target.datasets, search.target.dialect)
    return exists(select(1).where(row.c.model_id == search.target.model_id, *places))


def _key(search: Search, order: ModelOrder) -> Key:
    field, ascending = order.term.field, order.term.ascending
    model, dialect = search.model, search.target.dialect
    if field.kind == "attribute":
        column = model.c[field.key]
        value = column if field.key in _TIMES else ordered(dialect, column)
        missing = case((column.is_(None), MISSING), else_=REAL)
        return Key(missing if field.key in _OPTIONAL else None, value, ascending)
    row = TABLES[field.kind].alias()
    own = and_(row.c.model_id == model.c.model_id, equals(dialect, row.c.key, field.key))
    absent = row.c.model_id.is_(None)
    if field.kind != "metric":
        rank = case((absent, MISSING), else_=REAL)
        return Key(rank, ordered(dialect, row.c.value), ascending, (row, own))
    rank = case((absent, MISSING), (row.c.special == NAN, NOT_A_NUMBER), else_=REAL)
    join = (row, and_(own, _latest(search, order, row)))
    return Key(rank, row.c.value, ascending, join)


def _latest(search: Search, order: ModelOrder, row: FromClause) -> ColumnElement[bool]:
    """Returns the condition that a row is the latest of its model, metric and dataset's name."""
    dialect, dataset = search.target.dialect, order.dataset
    if dataset is not None and dataset.digest:
        return row.c.dataset == dataset_hash(dataset.name, dataset.digest)
    other = logged_model_metrics.alias()
    newest = (
        select(other.c.dataset)
        .where(
            other.c.model_id == search.model.c.model_id,
            equals(dialect, other.c.key, order.term.field.key),
            *on_datasets(other, [dataset] if dataset else [], dialect),
        )
        .order_by(
            other.c.timestamp.desc(),
            other.c.step.desc(),
            ordered(dialect, other.c.run_id),
            case((other.c.special == NAN, 1), else_=0),
            other.c.value.desc(),
        )
        .limit(1)
    )
    return row.c.dataset == newest.correlate(search.model).scalar_subquery()


def _fetch(
    search: Search,
    source: FromClause,
    keys: Sequence[Key],
    conditions: Sequence[ColumnElement[bool]],
    offset: int,
    count: int,
) -> list[str]:
    for key in keys:
        if key.join is not None:
            source = source.outerjoin(*key.join)
    query = (
        select(search.model.c.model_id)
        .select_from(source)
        .where(search.model.c.lifecycle_stage == LifecycleStage.ACTIVE, *conditions)
        .order_by(*(clause for key in keys for clause in key.clauses()))
        .limit(count)
        .offset(offset)
    )
    return list(search.connection.execute(query).scalars())
