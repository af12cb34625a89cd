"""Keeps a look at a fitted estimator from leaving a trace in it or in the random numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any


@contextmanager
def untouched(estimator: Any) -> Iterator[None]:
    """Context manager that restores attributes and random states when it is left.

    Random states are those of NumPy and Python and the generators among the estimator's params.
    """
    restore = [*_generators(estimator), _attributes(estimator)]
    try:
        yield
    finally:
        for step in restore:
            step()


def deep_params(estimator: Any) -> dict[str, Any]:
    """Returns the estimator's params, nested ones included; none if it cannot tell them."""
    try:
        return dict(estimator.get_params(deep=True))
    except Exception:
        # An estimator of the user may keep its params elsewhere; the fit works all the same.
        return {}


def _generators(estimator: Any) -> list[Callable[[], object]]:
    import numpy as np

    restore: list[Callable[[], object]] = [
        partial(random.setstate, random.getstate()),
        partial(np.random.set_state, np.random.get_state()),
    ]
    for value in deep_params(estimator).values():
        if isinstance(value, np.random.RandomState):
            restore.append(partial(value.set_state, value.get_state()))
        elif isinstance(value, np.random.Generator):
            bits = value.bit_generator
            restore.append(partial(setattr, bits, "state", bits.state))
    return restore


def _attributes(estimator: Any) -> Callable[[], object]:
    held = getattr(estimator, "__dict__", {})
    before = dict(held)

    def restore() -> None:
        if held.keys() != before.keys() or any(before[key] is not held[key] for key in held):
            held.clear()
            held.update(before)

    return restore
