"""Reading what draws random numbers, and leaving every generator as it was."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from autolog_core.data import kinds

_DEPTH = 5
_FEW = 64
_SEED = 0


@contextmanager
def seeded(*owners: Any) -> Iterator[None]:
    """Seeds the global generators for the time of the block, then puts all states back.

    Python's, NumPy's and PyTorch's global generators, those of PyTorch's devices that are in use,
    and the generators that `owners` and their attributes hold; the latter are not seeded.
    """
    restore = list(_states(owners))
    random.seed(_SEED)
    np.random.seed(_SEED)
    if "torch" in sys.modules:
        # `torch.manual_seed` would also reseed devices that are not in use yet.
        sys.modules["torch"].default_generator.manual_seed(_SEED)
    try:
        yield
    finally:
        for put_back, state in restore:
            put_back(state)


def _states(owners: tuple[Any, ...]) -> Iterator[tuple[Callable[[Any], object], Any]]:
    yield random.setstate, random.getstate()
    yield np.random.set_state, np.random.get_state()
    torch = sys.modules.get("torch")
    if torch is not None:
        yield torch.set_rng_state, torch.get_rng_state()
        for name in ("cuda", "xpu"):
            device = getattr(torch, name, None)
            if device is not None and device.is_initialized():
                yield device.set_rng_state_all, device.get_rng_state_all()
    for generator in _generators(owners, set(), 0):
        yield _state_of(generator)


def _state_of(generator: Any) -> tuple[Callable[[Any], object], Any]:
    if isinstance(generator, random.Random):
        return generator.setstate, generator.getstate()
    if isinstance(generator, np.random.RandomState) or kinds.is_a(generator, "torch", "Generator"):
        return generator.set_state, generator.get_state()
    bits = getattr(generator, "bit_generator", generator)
    return lambda state: setattr(bits, "state", state), bits.state


def _is_generator(value: Any) -> bool:
    numpy = (np.random.Generator, np.random.RandomState, np.random.BitGenerator)
    return isinstance(value, (random.Random, *numpy)) or kinds.is_a(value, "torch", "Generator")


def _generators(values: Any, seen: set[int], depth: int) -> Iterator[Any]:
    for value in values:
        if id(value) in seen:
            continue
        seen.add(id(value))
        if _is_generator(value):
            yield value
            continue
        inner: Any = ()
        if isinstance(value, (list, tuple)):
            inner = value[:_FEW]
        elif isinstance(value, dict):
            inner = list(value.values())[:_FEW]
        elif not isinstance(value, type) and kinds.kind_of(value) != kinds.TENSOR:
            inner = list(getattr(value, "__dict__", {}).values())
        if depth < _DEPTH:
            yield from _generators(inner, seen, depth + 1)
