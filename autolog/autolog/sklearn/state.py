"""Keeps a look at a fitted estimator from leaving a trace in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

# They count the queries that they answer, and pickle the counts.
_COUNTING = ("sklearn.neighbors._kd_tree", "sklearn.neighbors._ball_tree")
# Many, and nothing in them changes when they predict.
_PASSIVE = "sklearn.tree"


def deep_params(estimator: Any) -> dict[str, Any]:
    """Returns the estimator's params, nested ones included; none if it cannot tell them."""
    try:
        return dict(estimator.get_params(deep=True))
    except Exception:
        # An estimator of the user may keep its params elsewhere; the fit works all the same.
        return {}


@contextmanager
def kept_attributes(estimator: Any) -> Iterator[None]:
    """Context manager that takes back what a prediction sets on an estimator or one inside it.

    Of scikit-learn's own estimators only the search trees of neighbours change, which count their
    queries; a user's may count its calls, or keep its last input.
    """
    restore: list[Callable[[], object]] = []
    for part in _parts(estimator):
        attributes = vars(part)
        restore.append(partial(_restore, attributes, dict(attributes)))
        for value in attributes.values():
            if type(value).__module__ in _COUNTING:
                restore.append(partial(value.__setstate__, value.__getstate__()))
    try:
        yield
    finally:
        for step in restore:
            step()


def _restore(attributes: dict[str, Any], before: dict[str, Any]) -> None:
    if attributes.keys() != before.keys() or any(
        attributes[name] is not value for name, value in before.items()
    ):
        attributes.clear()
        attributes.update(before)


def _parts(estimator: Any) -> list[Any]:
    """Returns the estimator and all that it holds, as params or as fitted attributes."""
    found: list[Any] = []
    seen: set[int] = set()
    stack = [estimator]
    while stack:
        value = stack.pop()
        if _is_part(value) and id(value) not in seen:
            seen.add(id(value))
            found.append(value)
            for held in vars(value).values():
                stack.extend(_items(held))
    return found


def _items(held: Any) -> list[Any]:
    """Returns `held`, or what it holds if it is a list of estimators, named or not."""
    if isinstance(held, dict):
        return list(held.values())
    if not isinstance(held, (list, tuple)):
        return [held]
    # What holds estimators holds nothing else: the first one tells, and data is not walked.
    if held and isinstance(held[0], (list, tuple)):
        return [item for pair in held for item in pair] if any(map(_is_part, held[0])) else []
    return list(held) if any(map(_is_part, held[:3])) else []


def _is_part(value: Any) -> bool:
    kind = type(value)
    return (
        hasattr(kind, "get_params")
        and not kind.__module__.startswith(_PASSIVE)
        and isinstance(getattr(value, "__dict__", None), dict)
    )
