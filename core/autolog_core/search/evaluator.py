"""Filters and orders entities in memory, by the rules that stores follow."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeVar

from autolog_core.entities import Experiment, Run
from autolog_core.search.tree import (
    NEGATIVE,
    Comparison,
    Field,
    Node,
    Not,
    Or,
    OrderTerm,
    Scalar,
    Value,
)
from autolog_core.search.values import clamp, fold, like, parse_number

Entity = TypeVar("Entity", Run, Experiment)
T = TypeVar("T")


def matches(node: Node | None, entity: Run | Experiment) -> bool:
    """Whether `entity` passes a filter; None lets everything pass."""
    return node is None or truth(node, lambda field: read(field, entity)) is True


def sort_runs(runs: Iterable[Run], order_by: Sequence[OrderTerm] = ()) -> list[Run]:
    """Returns `runs` in order; ties, and no ordering, go by start time down, then run id."""
    ordered = sorted(runs, key=lambda run: (-run.info.start_time, run.info.run_id))
    return _sorted(ordered, order_by)


def sort_experiments(
    experiments: Iterable[Experiment], order_by: Sequence[OrderTerm] = ()
) -> list[Experiment]:
    """Returns `experiments` in order: newest first without one, ties by id down with one."""
    if order_by:
        ordered = sorted(experiments, key=lambda one: -int(one.experiment_id))
        return _sorted(ordered, order_by)
    return sorted(experiments, key=lambda one: (-(one.creation_time or 0), int(one.experiment_id)))


def _sorted(ordered: list[Entity], order_by: Sequence[OrderTerm]) -> list[Entity]:
    for term in reversed(order_by):
        ordered = arrange(ordered, partial(_key, term.field), term.ascending)
    return ordered


def arrange(items: list[T], key: Callable[[T], Scalar | None], ascending: bool) -> list[T]:
    """Returns items by a key: real values first, NaN next, missing (None) last; ties stay."""
    real: list[tuple[Any, T]] = []
    nan: list[T] = []
    missing: list[T] = []
    for item in items:
        value = key(item)
        if value is None:
            missing.append(item)
        elif _is_nan(value):
            nan.append(item)
        else:
            real.append((clamp(value) if isinstance(value, float) else value, item))
    real.sort(key=lambda pair: pair[0], reverse=not ascending)
    return [item for _, item in real] + nan + missing


def _key(field: Field, entity: Run | Experiment) -> Scalar | None:
    values = read(field, entity)
    if not values:
        return None
    numbered = field.key == "experiment_id" and field.kind == "attribute"
    return int(values[0]) if numbered else values[0]


def read(field: Field, entity: Run | Experiment) -> tuple[Scalar, ...]:
    """Returns the values of a field; none when it is missing."""
    value: Scalar | None
    if isinstance(entity, Experiment):
        value = entity.tags.get(field.key) if field.kind == "tag" else getattr(entity, field.key)
    elif field.kind == "dataset":
        uses = entity.inputs.dataset_inputs
        if field.key == "context":
            return tuple(use.context for use in uses if use.context)
        return tuple(getattr(use.dataset, field.key) for use in uses)
    elif field.kind == "metric" and field.function:
        summary = entity.data.summaries.get(field.key)
        value = summary and (summary.minimum if field.function == "min" else summary.maximum)
    elif field.kind == "metric":
        value = entity.data.metrics.get(field.key)
    elif field.kind == "param":
        value = entity.data.params.get(field.key)
    elif field.kind == "tag":
        value = entity.data.tags.get(field.key)
    elif field.key == "duration":
        start, end = entity.info.start_time, entity.info.end_time
        value = None if end is None else end - start
    else:
        value = getattr(entity.info, field.key)
    return () if value is None else (value,)


def truth(node: Node, look: Callable[[Field], tuple[Scalar, ...]]) -> bool | None:
    """Returns whether `node` is true, None where it is neither true nor false.

    Args:
        node: The condition.
        look: Returns the values of a field; none when it is missing.
    """
    if isinstance(node, Comparison):
        return _compare(node, look(node.field))
    if isinstance(node, Not):
        found = truth(node.part, look)
        return None if found is None else not found
    truths = [truth(part, look) for part in node.parts]
    decisive = isinstance(node, Or)
    if decisive in truths:
        return decisive
    return None if None in truths else not decisive


def _compare(node: Comparison, values: tuple[Scalar, ...]) -> bool | None:
    operator = node.operator
    if operator.endswith("NULL"):
        return bool(values) == (operator == "IS NOT NULL")
    if not values:
        return None
    if operator.endswith("NAN"):
        return any(_is_nan(value) == (operator == "IS NAN") for value in values)
    positive = NEGATIVE.get(operator, operator)
    wanted = positive == operator
    return any(_fits(positive, value, node.value) == wanted for value in values)


def _fits(operator: str, value: Scalar, literal: Value) -> bool:
    if isinstance(literal, tuple):
        return any(_fits("=", value, item) for item in literal)
    if operator in ("LIKE", "ILIKE"):
        text, pattern = str(value), str(literal)
        if operator == "ILIKE":
            text, pattern = fold(text), fold(pattern)
        return like(text, pattern)
    if isinstance(literal, str):
        return value == literal
    number = parse_number(value) if isinstance(value, str) else value
    if number is None or literal is None or _is_nan(number):
        return False
    number = clamp(number) if isinstance(number, float) else number
    if operator == "=":
        return number == literal
    if operator in ("<", "<="):
        return number < literal or (operator == "<=" and number == literal)
    return number > literal or (operator == ">=" and number == literal)


def _is_nan(value: Scalar) -> bool:
    return isinstance(value, float) and math.isnan(value)
