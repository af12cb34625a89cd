"""How arrays are known again: by the memory that they share, and by what they hold."""

from __future__ import annotations

import weakref
from typing import Any, TypeGuard

import numpy as np
import xxhash
from numpy.lib.stride_tricks import as_strided

Array = np.ndarray[Any, Any]

_MOST_NUMBERS = 1 << 21
"""Numbers up to which a prediction's content is read at once (2 ms); then while it lives."""
_MOST_OBJECTS = 10_000
"""The same for text, which is read a thousand times slower."""
_PATIENCE: Any = 1000
"""How hard NumPy tries to tell whether two arrays overlap."""
_FEW_ROWS = 16
"""Labels of fewer rows than this agree by chance."""


class Memory:
    """Where the values of an array lie.

    Attributes:
        owner: The array that holds the memory, referred to weakly.
        address: Of the first value.
        shape: Of the array.
        strides: Bytes between neighbours, for each axis.
        dtype: Of the array.
    """

    __slots__ = ("address", "dtype", "owner", "shape", "strides")

    def __init__(self, array: Array) -> None:
        self.owner: weakref.ref[Array] = weakref.ref(owner_of(array))
        self.address = _address(array)
        self.shape: tuple[int, ...] = array.shape
        self.strides: tuple[int, ...] = array.strides
        self.dtype: np.dtype[Any] = array.dtype

    def place(self) -> tuple[object, ...] | None:
        """Returns what tells whether two views are of the same values; None once they are gone."""
        owner = self.owner()
        return None if owner is None else (id(owner), self.address, self.shape, self.strides)

    def again(self) -> Array | None:
        """Returns the array once more, though it may be gone itself, while its memory is there."""
        owner = self.owner()
        if owner is None or owner.dtype != self.dtype:
            return None
        offset, rest = divmod(self.address - _address(owner), owner.itemsize)
        flat = owner.ravel(order="K")
        if rest or not 0 <= offset <= flat.size or not np.may_share_memory(flat, owner):
            return None
        return as_strided(flat[offset:], self.shape, self.strides, writeable=False)

    def rows_of(self, whole: Memory) -> slice | None:
        """Returns which rows of `whole` these are; None if they are no even selection of them."""
        if not self.shape or not whole.shape or 0 in whole.strides or 0 in self.shape:
            return None
        start = _place(self.address - whole.address, whole)
        count, step = self.shape[0], 1
        if count > 1:
            step, rest = divmod(self.strides[0], whole.strides[0])
            if rest or step == 0:
                return None
        last = start + step * (count - 1)
        if not (0 <= start < whole.shape[0] and 0 <= last < whole.shape[0]):
            return None
        stop = last + (1 if step > 0 else -1)
        return slice(start, None if stop < 0 else stop, step)


def _place(offset: int, whole: Memory) -> int:
    """Returns the row that a number of bytes from the first value leads to."""
    row = 0
    for axis in sorted(range(len(whole.shape)), key=lambda axis: -abs(whole.strides[axis])):
        place, offset = divmod(offset, whole.strides[axis])
        if axis == 0:
            row = place
    return row


def is_array(data: Any) -> TypeGuard[Array]:
    """Whether it is an array of NumPy."""
    return isinstance(data, np.ndarray)


def owner_of(array: Array) -> Array:
    """Returns the array that holds the memory of this one, which may be itself."""
    base = array.base
    while isinstance(base, np.ndarray):
        array, base = base, base.base
    return array


def share_rows(one: Memory, other: Memory) -> bool:
    """Whether two arrays certainly have a value in common."""
    if one.owner() is None or one.owner() is not other.owner():
        return False
    first, second = one.again(), other.again()
    if first is None or second is None:
        return False
    try:
        return np.shares_memory(first, second, max_work=_PATIENCE)
    except np.exceptions.TooHardError:
        return False


def _address(array: Array) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def fingerprint(values: Array, *, whole: bool = False) -> int | None:
    """Returns a number for the content of an array, whatever holds it and as whatever number type.

    Args:
        values: Numbers, truth values or texts, of any shape.
        whole: Whether to read large arrays too.

    Returns:
        64 bits over all values in their order; None where there are too many, or of another kind.
    """
    kind = values.dtype.kind
    if kind in "fiub":
        if values.size > _MOST_NUMBERS and not whole:
            return None
        return _hash(values)
    if kind not in "UO" or (values.size > _MOST_OBJECTS and not whole):
        return None
    texts = values.ravel().tolist()
    if all(type(each) is str for each in texts):
        return xxhash.xxh3_64_intdigest("\0".join(texts).encode("utf-8", "surrogatepass"))
    try:
        return _hash(np.array(texts, dtype=np.float64))
    except (TypeError, ValueError):
        return None


def _hash(numbers: Array) -> int:
    plain: Any = np.ascontiguousarray(numbers, dtype=np.float64)
    return xxhash.xxh3_64_intdigest(plain)


def is_telling(values: Array) -> bool:
    """Whether another array with this content would hardly have come from elsewhere.

    So does a measured number; whole numbers and texts only if there are many and not all the same.
    """
    flat = values.ravel()
    if flat.dtype.kind == "f" and bool((flat != np.rint(flat)).any()):
        return True
    return len(values) >= _FEW_ROWS and bool((flat != flat[0]).any())


def is_decision(labels: Array, scores: Array) -> bool:
    """Whether labels are what scores decide: the largest of a row, those above one half, rounded.

    Args:
        labels: (n,) numbers.
        scores: (n,) or (n, classes) numbers.
    """
    if scores.dtype.kind != "f" or labels.dtype.kind not in "fiub" or labels.ndim != 1:
        return False
    if scores.ndim == 2 and scores.shape[1] > 1:
        return bool((labels == scores.argmax(axis=1)).all())
    if scores.ndim != 1 and scores.shape != (len(scores), 1):
        return False
    flat = scores.ravel()
    return bool((labels == (flat > 0.5)).all() or (labels == np.rint(flat)).all())
