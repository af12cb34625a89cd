"""Keeps a prediction of ours from moving any random state of the user's program.

Some estimators draw when they predict or transform: `DummyClassifier` with a random strategy,
`IterativeImputer` that samples, estimators of users.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def kept_random_state(estimator: Any) -> Iterator[None]:
    """Context manager that puts back each random state that has moved when it is left.

    Covers NumPy's and Python's global states and the generators that the estimator or one nested
    in it holds, as param or as fitted attribute. A state that has not moved is not written: another
    thread may be drawing from it.
    """
    held = _generators(estimator)
    keep: list[tuple[Callable[[], Any], Callable[[Any], object], Any]] = [
        (random.getstate, random.setstate, random.getstate()),
        (np.random.get_state, np.random.set_state, np.random.get_state()),
    ]
    for generator in held:
        bits = _bit_generator(generator)
        keep.append((_reader(bits), _setter(bits), bits.state))
    try:
        yield
    finally:
        for read, write, before in keep:
            if not _same(read(), before):
                write(before)


def _bit_generator(generator: Any) -> Any:
    return (
        generator._bit_generator
        if isinstance(generator, np.random.RandomState)
        else (generator.bit_generator)
    )


def _reader(bits: Any) -> Callable[[], Any]:
    return lambda: bits.state


def _setter(bits: Any) -> Callable[[Any], object]:
    return lambda state: setattr(bits, "state", state)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return all(_same(one[key], other[key]) for key in one)
    if isinstance(one, tuple) and isinstance(one[-1], float):
        return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
    return bool(np.array_equal(one, other)) if isinstance(one, np.ndarray) else bool(one == other)


def _generators(estimator: Any) -> list[Any]:
    found: list[Any] = []
    seen: set[int] = set()
    stack = [estimator]
    while stack:
        value = stack.pop()
        if isinstance(value, (np.random.RandomState, np.random.Generator)):
            found.append(value)
        elif _may_hold(value) and id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                stack.extend(value.values())
            elif isinstance(value, (list, tuple)):
                stack.extend(value)
            else:
                stack.extend(vars(value).values())
    return found


def _may_hold(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return bool(value) and any(map(_holds, value[:3]))
    if isinstance(value, dict):
        return bool(value) and _holds(next(iter(value.values())))
    # Trees are many, and draw only when they are fitted.
    return _is_estimator(value) and not type(value).__module__.startswith("sklearn.tree")


def _holds(value: Any) -> bool:
    return isinstance(value, (list, tuple, dict)) or _is_estimator(value)


def _is_estimator(value: Any) -> bool:
    return hasattr(type(value), "get_params") and hasattr(value, "__dict__")
