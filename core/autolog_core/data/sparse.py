"""Digests of SciPy's sparse matrices and arrays, never made dense."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autolog_core.data.arrays import Array, dtype_label, write_elements
from autolog_core.data.writer import Writer

_PART = 2**18


def write_sparse(writer: Writer, matrix: Any) -> None:
    """Adds shape, dtype and stored elements; any format of one matrix reads alike.

    Stored zeros count as elements. Formats other than CSR are converted and entries out of order
    sorted, in a copy of the size of the stored elements.
    """
    writer.label("sparse")
    writer.label(dtype_label(matrix.dtype))
    writer.numbers(*matrix.shape)
    if len(matrix.shape) != 2:
        _write_coordinates(writer, matrix)
        return
    rows = matrix if matrix.format == "csr" else matrix.tocsr()
    # A new wrapper around the same buffers: asking a matrix whether it is sorted writes to it.
    rows = type(rows)((rows.data, rows.indices, rows.indptr), shape=rows.shape, copy=False)
    if not rows.has_canonical_format:
        rows = rows.copy()
        rows.sum_duplicates()
    stored = int(rows.indptr[-1])
    writer.numbers(stored)
    _write_integers(writer, rows.indptr)
    _write_integers(writer, rows.indices[:stored])
    write_elements(writer, rows.data[:stored])


def write_entries(
    writer: Writer,
    dtype: str,
    shape: tuple[int, ...],
    axes: Sequence[Array],
    write_values: Callable[[], None],
) -> None:
    """Adds a matrix that is given by the places of its elements, as `write_sparse` would.

    Args:
        writer: Takes them.
        dtype: The words of `dtype_label`.
        shape: Lengths of the axes.
        axes: The places, one array per axis, in C order and each place once.
        write_values: Adds the elements in that order.
    """
    writer.label("sparse")
    writer.label(dtype)
    writer.numbers(*shape)
    writer.numbers(len(axes[0]) if len(axes) else 0)
    if len(shape) == 2 and len(axes) == 2:
        _write_integers(writer, np.searchsorted(axes[0], np.arange(shape[0] + 1)))
        _write_integers(writer, axes[1])
    else:
        for axis in axes:
            _write_integers(writer, axis)
    write_values()


def _write_coordinates(writer: Writer, matrix: Any) -> None:
    points = matrix.tocoo(copy=True)
    points.sum_duplicates()
    writer.numbers(points.nnz)
    for axis in points.coords:
        _write_integers(writer, axis)
    write_elements(writer, points.data)


def _write_integers(writer: Writer, values: Array) -> None:
    for start in range(0, len(values), _PART):
        write_elements(writer, np.asarray(values[start : start + _PART], np.int64))
