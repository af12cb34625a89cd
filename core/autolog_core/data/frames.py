"""Digests of pandas frames and series.

A column of plain numbers, booleans or text is written as polars and Arrow columns are (see
`autolog_core.data.arrow`), so the same table has one digest in each library.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autolog_core.data import arrow
from autolog_core.data.arrays import dtype_label, write_elements
from autolog_core.data.values import encode, write_slices
from autolog_core.data.writer import Writer


def write_frame(writer: Writer, frame: Any) -> None:
    """Adds a data frame: names, dtypes, values and order of the columns, and an index of data."""
    writer.label("frame")
    writer.numbers(*frame.shape)
    for name, column in frame.items():
        write_named_column(writer, name, column)
    _write_index(writer, frame.index)


def write_series(writer: Writer, series: Any) -> None:
    """Adds a series: name, dtype, values, and an index of data."""
    writer.label("series")
    writer.numbers(len(series))
    write_named_column(writer, series.name, series)
    _write_index(writer, series.index)


def write_named_column(writer: Writer, name: Any, column: Any) -> None:
    """Adds the name and the values of one series."""
    writer.raw(encode(name, writer))
    inner = Writer()
    write_column(inner, column)
    writer.opaque += inner.opaque
    writer.raw(inner.digest())


def write_column(writer: Writer, column: Any) -> None:
    """Adds the values of a series with their dtype, without name or index."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        values = column.to_numpy()
        writer.label("object" if dtype.kind == "O" else dtype_label(dtype))
        write_elements(writer, values)
        return
    names = {base.__name__ for base in type(dtype).__mro__}
    array = column.array
    if "CategoricalDtype" in names:
        writer.label("categorical ordered" if dtype.ordered else "categorical")
        write_column(writer, dtype.categories.to_series())
        writer.label(dtype_label(array.codes.dtype))
        write_elements(writer, array.codes)
    elif "ArrowDtype" in names:
        arrow.write_arrow_column(writer, array.__arrow_array__())
    elif "BaseMaskedDtype" in names:
        gaps = array.isna()
        plain = dtype.numpy_dtype
        arrow.write_plain(writer, array.to_numpy(dtype=plain, na_value=plain.type(0)), gaps)
    elif "DatetimeTZDtype" in names:
        writer.label(str(dtype))
        write_elements(writer, np.asarray(array.asi8))
    elif "SparseDtype" in names:
        writer.label(f"sparse {dtype}")
        writer.numbers(len(array))
        writer.raw(encode(dtype.fill_value, writer))
        write_elements(writer, np.asarray(array.sp_index.to_int_index().indices, np.int64))
        write_elements(writer, np.asarray(array.sp_values))
    else:
        # Text, whichever way pandas holds it, is written as a column of objects is.
        writer.label("object" if "StringDtype" in names else str(dtype))
        write_slices(writer, len(array), lambda start, stop: _objects(array[start:stop]))


def _objects(array: Any) -> list[Any]:
    found: list[Any] = array.to_numpy(dtype=object).tolist()
    return found


def _write_index(writer: Writer, index: Any) -> None:
    if not index_is_data(index):
        return
    writer.label("index")
    for level in range(index.nlevels):
        values = index.get_level_values(level)
        write_named_column(writer, values.name, values.to_series())


def index_is_data(index: Any) -> bool:
    """Whether an index says something about its rows.

    An index without a name that only numbers the rows does not: it depends on how the rows were
    split or sorted, and models never see it.
    """
    if index.nlevels > 1 or index.name is not None:
        return True
    return bool(index.dtype.kind not in "iu")
