"""What searches of logged models have of their own: metrics by dataset, and orderings by it.

A model has several values of a metric, of several points and datasets. A filter asks whether one of
them fits; ``datasets`` says of which datasets they may be. An ordering goes by the latest one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from autolog_core.entities import LoggedModel, Metric
from autolog_core.errors import InvalidArgument, InvalidFilter
from autolog_core.search.evaluator import arrange, truth
from autolog_core.search.fields import KIND_OF_PREFIX, MODELS, resolve_name
from autolog_core.search.parser import MAX_ORDERINGS, parse_order_by
from autolog_core.search.tree import Field, Node, OrderTerm, Scalar

_ORDER_KEYS = frozenset(("field_name", "ascending", "dataset_name", "dataset_digest"))
_DATASET_KEYS = frozenset(("dataset_name", "dataset_digest"))
_MOST_DATASETS = 256
_QUOTES = ("`", '"', "'")


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """Datasets of a name, all digests of it if `digest` is None."""

    name: str
    digest: str | None = None

    def holds(self, metric: Metric) -> bool:
        """Whether a point is on such a dataset."""
        digest = metric.dataset_digest
        return metric.dataset_name == self.name and self.digest in (None, digest)


@dataclass(frozen=True, slots=True)
class ModelOrder:
    """One ordering of models; a metric counts on `dataset` only, if that is given."""

    term: OrderTerm
    dataset: DatasetFilter | None = None


def parse_datasets(datasets: Sequence[Mapping[str, Any]] | None) -> tuple[DatasetFilter, ...]:
    """Returns the datasets that metrics may be of; none means any.

    Raises:
        InvalidArgument: An entry is no mapping with ``dataset_name`` and perhaps
            ``dataset_digest``.
    """
    if datasets is None:
        return ()
    if isinstance(datasets, (str, Mapping)) or len(datasets) > _MOST_DATASETS:
        raise InvalidArgument(
            f"datasets must be a list of at most {_MOST_DATASETS} mappings such as "
            "{'dataset_name': 'iris', 'dataset_digest': '1a2b'}"
        )
    found = []
    for item in datasets:
        if not isinstance(item, Mapping) or not _DATASET_KEYS.issuperset(item):
            raise InvalidArgument(
                f"datasets: {item!r} is none; give dataset_name and, if you like, dataset_digest"
            )
        dataset = _dataset(item)
        if dataset is None:
            raise InvalidArgument(f"datasets: {item!r} lacks the dataset_name")
        found.append(dataset)
    return tuple(dict.fromkeys(found))


def parse_model_order(
    order_by: Sequence[Mapping[str, Any] | str] | None,
) -> tuple[ModelOrder, ...]:
    """Returns orderings, the first one of a field and dataset alone.

    Args:
        order_by: Mappings with ``field_name`` and perhaps ``ascending`` (True if absent),
            ``dataset_name`` and ``dataset_digest``; or text such as ``"metrics.loss DESC"``.

    Raises:
        InvalidFilter: One cannot be read.
    """
    if order_by is None:
        return ()
    if isinstance(order_by, (str, Mapping)):
        raise InvalidFilter(f"order_by must be a list, got {order_by!r}; put it in a list")
    found: dict[tuple[Field, DatasetFilter | None], ModelOrder] = {}
    for item in order_by:
        if isinstance(item, str):
            order = ModelOrder(parse_order_by([item], MODELS)[0])
        else:
            order = _order(item)
        found.setdefault((order.term.field, order.dataset), order)
    if len(found) > MAX_ORDERINGS:
        raise InvalidFilter(
            f"order_by has {len(found)} fields, at most {MAX_ORDERINGS} are allowed"
        )
    return tuple(found.values())


def matches_model(
    node: Node | None,
    model: LoggedModel,
    datasets: Sequence[DatasetFilter] = (),
    points: Sequence[Metric] | None = None,
) -> bool:
    """Whether a model passes a filter.

    Args:
        node: The filter; None lets everything pass that has a metric on one of `datasets`.
        model: The model.
        datasets: Of which datasets metrics may be; none means any.
        points: All points that were logged to the model; by default the latest ones.
    """
    known = [
        point
        for point in (model.metrics if points is None else points)
        if not datasets or any(dataset.holds(point) for dataset in datasets)
    ]
    if node is None:
        return bool(known) or not datasets

    def look(field: Field) -> tuple[Scalar, ...]:
        if field.kind == "metric":
            return tuple(point.value for point in known if point.key == field.key)
        value = _value(field, model)
        return () if value is None else (value,)

    fits = truth(node, look) is True
    return fits and (bool(known) or not datasets)


def sort_models(
    models: Iterable[LoggedModel], order_by: Sequence[ModelOrder] = ()
) -> list[LoggedModel]:
    """Returns models in order; ties, and no ordering, go by creation down, then id."""
    ordered = sorted(models, key=lambda model: (-model.creation_timestamp, model.model_id))
    for order in reversed(order_by):
        ordered = arrange(ordered, partial(_order_value, order), order.term.ascending)
    return ordered


def _order(item: object) -> ModelOrder:
    if not isinstance(item, Mapping) or not _ORDER_KEYS.issuperset(item):
        raise InvalidFilter(
            f"order_by: {item!r} is no ordering; give field_name, and perhaps ascending, "
            "dataset_name and dataset_digest"
        )
    name, ascending = item.get("field_name"), item.get("ascending", True)
    if not isinstance(name, str) or not isinstance(ascending, bool):
        raise InvalidFilter(f"order_by: {item!r} needs a text field_name and a bool ascending")
    field = _field(name)
    dataset = _dataset(item)
    if dataset is None and item.get("dataset_digest"):
        raise InvalidFilter(f"order_by: {item!r} has a dataset_digest without a dataset_name")
    if dataset is not None and field.kind != "metric":
        raise InvalidFilter(f"order_by: {name} has no datasets, only metrics have")
    return ModelOrder(OrderTerm(field, ascending), dataset)


def _field(name: str) -> Field:
    prefix, _, key = name.partition(".")
    kind = KIND_OF_PREFIX.get(prefix)
    if kind in MODELS.kinds and key:
        quoted = len(key) > 2 and key[0] == key[-1] and key[0] in _QUOTES
        return Field(kind, key[1:-1] if quoted else key)
    try:
        return resolve_name(key if key and prefix in MODELS.prefixes else name, MODELS)
    except LookupError as problem:
        raise InvalidFilter(f"order_by: {problem.args[0]}") from None


def _dataset(item: Mapping[str, Any]) -> DatasetFilter | None:
    name, digest = item.get("dataset_name"), item.get("dataset_digest")
    for value in (name, digest):
        if value is not None and not isinstance(value, str):
            raise InvalidArgument(f"dataset names and digests are text, got {value!r}")
    return DatasetFilter(name, digest or None) if name else None


def _value(field: Field, model: LoggedModel) -> Scalar | None:
    if field.kind == "param":
        return model.params.get(field.key)
    if field.kind == "tag":
        return model.tags.get(field.key)
    value: Any = getattr(model, field.key)
    return str(value) if field.key == "status" else value


def _order_value(order: ModelOrder, model: LoggedModel) -> Scalar | None:
    field, dataset = order.term.field, order.dataset
    if field.kind != "metric":
        return _value(field, model)
    points = [
        point
        for point in model.metrics
        if point.key == field.key and (dataset is None or dataset.holds(point))
    ]
    if not points:
        return None
    newest = max((point.timestamp, point.step) for point in points)
    latest = [point for point in points if (point.timestamp, point.step) == newest]
    first = min(point.run_id or "" for point in latest)
    values = [point.value for point in latest if (point.run_id or "") == first]
    return max((value for value in values if value == value), default=values[0])
