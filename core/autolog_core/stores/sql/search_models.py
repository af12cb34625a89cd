"""The search of logged models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    and_,
    case,
    exists,
    func,
    select,
    union_all,
)

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
    fitting_rows,
    on_datasets,
    settle,
)
from autolog_core.stores.sql.search_order import MISSING, NOT_A_NUMBER, REAL, Key, merge
from autolog_core.stores.sql.search_runs import experiment_numbers
from autolog_core.stores.sql.search_text import equals, ordered, teach_fold

_CREATION = Field("attribute", "creation_timestamp")
_ID = Field("attribute", "model_id")
_TIES = (OrderTerm(_CREATION, ascending=False), OrderTerm(_ID))
_TIMES = frozenset(("creation_timestamp", "last_updated_timestamp"))
_OPTIONAL = frozenset(("model_type", "source_run_id"))
_INDEXED = frozenset(("name", "model_id", "source_run_id", "creation_timestamp"))


_GUIDES = frozenset(("=", "IN", "<", "<=", ">", ">="))


@dataclass(frozen=True, slots=True)
class Costs:
    """Where one way of finding models becomes dearer than another; results are the same.

    Attributes:
        few: Models that are sorted rather than walked past.
        bound: Models that are sorted, where there is nothing to walk along, rather than all.
    """

    few: int = 1000
    bound: int = 20_000


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched.

    Attributes:
        nodes: Conditions of which all must hold.
        orders: Orderings that leave no ties.
    """

    connection: Connection
    experiments: tuple[int, ...]
    nodes: tuple[Node, ...]
    orders: tuple[ModelOrder, ...]
    target: Target
    costs: Costs = Costs()

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
    costs: Costs = Costs(),
) -> Search:
    """Returns a search, with the histories read that no bounds can tell of."""
    model = logged_models.alias("model")
    dialect = connection.dialect.name
    settled = settle(connection, experiments, node, datasets)
    target = Target(dialect, model.c.model_id, model, datasets, settled)
    return Search(connection, experiments, conjuncts(node), orders, target, costs)


def find_ids(search: Search, offset: int, count: int) -> list[str]:
    """Returns the ids of at most `count` models after the first `offset`, in order.

    A filter that leaves few models is answered from its index, and these are sorted. Otherwise
    many models fit, and the index of the first ordering is walked until enough are found.
    """
    drivers = _drivers(search)
    smallest = min(drivers, key=lambda driver: driver[1], default=None)
    if smallest is not None and smallest[1] <= search.costs.few:
        return _sort(search, smallest[0], offset, count) if smallest[1] else []
    lead = search.orders[0]
    if lead.term.field.kind == "metric" and lead.dataset is not None and lead.dataset.digest:
        walked = _walk(search, lead, lead.dataset, offset + count)
        if len(walked) == offset + count:
            return walked[offset:]
    elif lead.term.field == _CREATION:
        return _sort(search, None, offset, count)
    sparse = smallest is not None and smallest[1] <= search.costs.bound
    return _sort(search, smallest[0] if smallest and sparse else None, offset, count)


def _drivers(search: Search) -> list[tuple[Any, int]]:
    """Returns queries of the models that one condition leaves, and how many, to a bound."""
    dialect = search.target.dialect
    found = []
    for node in search.nodes:
        if not isinstance(node, Comparison) or node.operator == "IS NULL":
            continue
        kind, positive = node.field.kind, node.operator in ("=", "IN")
        row: Any
        ways: list[list[ColumnElement[bool]]]
        if kind == "attribute" and positive and node.field.key in _INDEXED:
            row = logged_models.alias()
            ways = [[plain(dialect, row.c[node.field.key], node.operator, node.value)]]
        elif kind in ("param", "tag") and positive:
            row = TABLES[kind].alias()
            key = equals(dialect, row.c.key, node.field.key)
            ways = [[key, value_condition(node.field, node.operator, node.value, row, dialect)]]
        elif kind == "metric":
            row = logged_model_metrics.alias()
            key = equals(dialect, row.c.key, node.field.key)
            places = [key, *on_datasets(row, search.target.datasets, dialect)]
            ways = [[*places, *way] for way in fitting_rows(node, row, search.target)]
        else:
            continue
        query = select(row.c.model_id).where(row.c.experiment_id.in_(search.experiments))
        parts = [query.where(*way) for way in ways]
        whole: Any = parts[0] if len(parts) == 1 else union_all(*parts)
        bounded = whole.limit(search.costs.bound + 1).subquery()
        counted = select(func.count()).select_from(bounded)
        found.append((whole, search.connection.execute(counted).scalar_one()))
    return found


def _walk(search: Search, lead: ModelOrder, dataset: DatasetFilter, count: int) -> list[str]:
    """Goes along the index of a metric on one dataset; models without a number are left out."""
    dialect = search.target.dialect
    row = logged_model_metrics.alias("lead")
    places: list[ColumnElement[bool]] = [
        row.c.experiment_id.in_(search.experiments),
        equals(dialect, row.c.key, lead.term.field.key),
        row.c.dataset == dataset_hash(dataset.name, dataset.digest),
        row.c.special != NAN,
    ]
    own = search.target.datasets == (dataset,)
    guide = next((node for node in search.nodes if own and _guides(node, lead.term.field)), None)
    places += [condition(node, search.target) for node in search.nodes if node is not guide]
    if search.target.datasets and not own:
        places.append(_on_a_dataset(search))
    rest = [_key(search, order) for order in search.orders[1:]]
    source: FromClause = row.join(search.model, search.model.c.model_id == row.c.model_id)
    rows: list[Row[Any]] = []
    for number, way in enumerate(
        [[]] if guide is None else fitting_rows(guide, row, search.target)
    ):
        # The second way has an index of its own, which the database takes where none gives order.
        value: ColumnElement[Any] = row.c.value if number == 0 else row.c.value + 0.0
        keys = [Key(None, value, lead.term.ascending), *rest]
        rows += _fetch(search, source, keys, [*places, *way], 0, count)
    return [row[0] for row in merge(rows, [order.term for order in search.orders])[:count]]


def _guides(node: Node, field: Field) -> TypeGuard[Comparison]:
    """Whether a condition tells which part of the index of a metric is walked."""
    return isinstance(node, Comparison) and node.field == field and node.operator in _GUIDES


def _sort(search: Search, driver: Any, offset: int, count: int) -> list[str]:
    """Sorts the models that a driver leaves; without one, all models of the experiments."""
    model = search.model
    conditions: list[ColumnElement[bool]]
    if driver is None:
        conditions = [model.c.experiment_id.in_(search.experiments)]
    else:
        conditions = [model.c.model_id.in_(select(driver.subquery().c.model_id))]
    conditions += [condition(node, search.target) for node in search.nodes]
    if search.target.datasets:
        conditions.append(_on_a_dataset(search))
    keys = [_key(search, order) for order in search.orders]
    return [row[0] for row in _fetch(search, model, keys, conditions, offset, count)]


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
) -> list[Row[Any]]:
    """Returns rows of (model id, rank, value, rank, value, ...) in order, as `merge` takes them."""
    for key in keys:
        if key.join is not None:
            source = source.outerjoin(*key.join)
    columns = [column for key in keys for column in key.columns()]
    query = (
        select(search.model.c.model_id, *(c.label(f"key_{at}") for at, c in enumerate(columns)))
        .select_from(source)
        .where(search.model.c.lifecycle_stage == LifecycleStage.ACTIVE, *conditions)
        .order_by(*(clause for key in keys for clause in key.clauses()))
        .limit(count)
        .offset(offset)
    )
    return list(search.connection.execute(query))
