"""Parts of data that were split for training and testing, and what they were split from."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from autolog.instrument.lineage_memory import is_array, owner_of
from autolog.instrument.lineage_records import weak
from autolog.instrument.lineage_tables import WeakTable

if TYPE_CHECKING:
    from autolog.instrument.call import Call

_PARTS = 10_000
_DEEP = 8
"""Splits of parts of splits that are followed."""
TRAIN, TEST = "train", "test"


class Part:
    """One half of one array that was split.

    Attributes:
        half: "train" or "test".
        source: What was split, referred to weakly; None where that cannot be.
        features: This half of the first array of the split, likewise.
    """

    __slots__ = ("features", "half", "source")

    def __init__(
        self,
        half: str,
        source: weakref.ref[Any] | None,
        features: weakref.ref[Any] | None,
    ) -> None:
        self.half = half
        self.source = source
        self.features = features


_parts: WeakTable[Part] = WeakTable(_PARTS)


def follow_split(call: Call, result: Any) -> None:
    """Remembers the halves that ``train_test_split`` made; for `PatchSet.follow`."""
    if not isinstance(result, list) or len(result) != 2 * len(call.args):
        return
    features = {TRAIN: weak(result[0]), TEST: weak(result[1])}
    for place, made in enumerate(result):
        half = TEST if place % 2 else TRAIN
        _parts.put(made, Part(half, weak(call.args[place // 2]), features[half]))


def follow_derived(data: Any, result: Any) -> None:
    """Remembers that `result` was made of `data` row by row."""
    if len(_parts):
        part = part_of(data, whole=True)
        if part is not None and result is not data:
            _parts.put(result, part)


def part_of(data: Any, *, whole: bool = False) -> Part | None:
    """Returns what is known of data that a split made.

    Args:
        data: The data, or a view of them.
        whole: Whether a view must have all rows, as ``y.ravel()`` has.
    """
    found = _parts.get(data)
    if found is None and is_array(data) and data.base is not None:
        owner = owner_of(data)
        if not whole or data.shape[:1] == owner.shape[:1]:
            found = _parts.get(owner)
    return found


def sources_of(part: Part | None) -> Iterator[Any]:
    """Yields what a part was split from, what that was split from, and so on."""
    for _ in range(_DEEP):
        source = None if part is None or part.source is None else part.source()
        if source is None:
            return
        yield source
        part = _parts.get(source)


def forget() -> None:
    """Drops everything that is remembered."""
    _parts.clear()
