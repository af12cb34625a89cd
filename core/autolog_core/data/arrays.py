"""Digests of NumPy arrays: over the values in C order, whatever the memory layout.

A contiguous array is read in place. Any other is read through blocks of about a megabyte, so an
array and its Fortran-ordered or strided twin have one digest and no array is ever copied whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autolog_core.data.values import write_slices
from autolog_core.data.writer import Writer

Array = np.ndarray[Any, Any]

_BLOCK = 2**20
_ROWS = 16
# Numbers that NumPy knows only by the package ml_dtypes: the bits of infinity, and of one NaN.
_NAN_BITS = {"bfloat16": (0x7F80, 0x7FC0), "float8_e5m2": (0x7C, 0x7E)}
_BIT_LABELS = {"bfloat16": "bfloat16<V2", "float8_e5m2": "<f1"}


def write_array(writer: Writer, array: Array) -> None:
    """Adds dtype, shape and every element of an array."""
    if isinstance(array, np.ma.MaskedArray):
        mask = np.ma.getmaskarray(array)
        writer.label("masked")
        write_array(writer, mask)
        array = np.array(array.data)
        array[mask] = np.zeros((), array.dtype)
    array = np.asarray(array)
    writer.label(dtype_label(array.dtype))
    writer.numbers(*array.shape)
    write_elements(writer, array)


def dtype_label(dtype: np.dtype[Any]) -> str:
    """Returns the words that tell a dtype from others, byte order included."""
    if dtype.names:
        return str(dtype.descr)
    return dtype.str if dtype.kind != "V" else f"{dtype.name}{dtype.str}"


def bits_label(name: str) -> str:
    """Returns the words for a dtype that NumPy lacks, as ml_dtypes would have them."""
    return _BIT_LABELS.get(name, f"{name}<V1" if name.startswith("float8") else name)


def write_bits(writer: Writer, bits: Array, name: str) -> None:
    """Adds numbers of a dtype that NumPy lacks, given as unsigned integers of their size."""
    if name not in _NAN_BITS:
        write_elements(writer, bits)
        return
    infinity, nan = (bits.dtype.type(each) for each in _NAN_BITS[name])
    magnitude = bits.dtype.type(np.iinfo(bits.dtype).max // 2)
    for block in _blocks(bits):
        is_nan = (block & magnitude) > infinity
        writer.raw((np.where(is_nan, nan, block) if is_nan.any() else block).view(np.uint8))


def write_elements(writer: Writer, array: Array) -> None:
    """Adds the elements of an array in C order."""
    dtype = array.dtype
    if dtype.names:
        for name in dtype.names:
            write_elements(writer, array[name])
    elif dtype.hasobject or dtype.kind == "T":
        # A reshape copies what is not contiguous, but flat[a:b] fails on NumPy's StringDType.
        flat: Any = array.reshape(-1) if dtype.kind == "T" else array.flat
        write_slices(writer, array.size, lambda start, stop: flat[start:stop].tolist())
    elif dtype.name in _NAN_BITS:
        write_bits(writer, array.view(f"u{dtype.itemsize}"), dtype.name)
    elif dtype.itemsize:
        for block in _blocks(array):
            writer.raw(_canonical(block))


def _blocks(array: Array) -> Iterator[Array]:
    if array.size == 0:
        return
    if array.flags.c_contiguous or array.ndim == 1:
        flat = array.reshape(-1)
        step = max(1, _BLOCK // array.itemsize)
        for start in range(0, flat.size, step):
            yield np.ascontiguousarray(flat[start : start + step])
        return
    row = array[0].nbytes
    # Several rows at once, because the neighbours of an element may be in the next row.
    rows = max(_BLOCK // row, min(_ROWS, _ROWS * _BLOCK // row))
    if rows == 0:
        for part in array:
            yield from _blocks(part)
        return
    for start in range(0, len(array), rows):
        yield np.ascontiguousarray(array[start : start + rows]).reshape(-1)


def _canonical(block: Array) -> Array:
    kind = block.dtype.kind
    if kind in "fc":
        if kind == "c":
            block = block.view(block.real.dtype)
        if np.isnan(block.max()):
            # 0/0 and float("nan") differ in bits, not in meaning.
            block = np.where(np.isnan(block), np.asarray(np.nan, block.dtype), block)
        if block.dtype.itemsize > 8 and np.finfo(block.dtype).nmant == 63:
            # x87 numbers fill 10 of 16 bytes; the rest is whatever was in memory.
            return np.ascontiguousarray(
                block.view(np.uint8).reshape(-1, block.dtype.itemsize)[:, :10]
            )
    return block.view(np.uint8)
