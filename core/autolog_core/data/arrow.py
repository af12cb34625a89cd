"""Digests of polars and Arrow columns, by methods of the column alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autolog_core.data.arrays import Array, dtype_label, write_elements
from autolog_core.data.arrow_nested import ARROW_NUMBERS, ARROW_TEXT, ARROW_TIMES, write_nested
from autolog_core.data.values import encode, write_slices
from autolog_core.data.writer import Writer

_ROWS = 2**20
_POLARS_TIMES = frozenset(("Date", "Datetime", "Duration", "Time"))
_POLARS_NUMBERS = frozenset(
    (
        *("Boolean", "Float32", "Float64"),
        *(f"{sign}Int{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)),
    )
)


def write_plain(writer: Writer, values: Array, gaps: Array | None) -> None:
    """Adds a column of numbers or booleans; `gaps` says where values are missing (and zero)."""
    writer.label(dtype_label(values.dtype))
    write_elements(writer, values)
    if gaps is not None and gaps.any():
        writer.label("gaps")
        write_elements(writer, gaps)


def write_polars_frame(writer: Writer, frame: Any) -> None:
    """Adds a polars data frame."""
    writer.label("frame")
    writer.numbers(*frame.shape)
    for column in frame.iter_columns():
        _write_named(writer, column.name, column, write_polars_column)


def write_polars_series(writer: Writer, series: Any) -> None:
    """Adds a polars series with its name; polars has no missing name, an empty one is none."""
    writer.label("series")
    writer.numbers(len(series))
    _write_named(writer, series.name or None, series, write_polars_column)


def write_arrow_table(writer: Writer, table: Any) -> None:
    """Adds a table or record batch of Arrow, whatever its chunks."""
    writer.label("frame")
    writer.numbers(table.num_rows, table.num_columns)
    for name, column in zip(table.schema.names, table.columns, strict=True):
        _write_named(writer, name, column, write_arrow_column)


def write_arrow_values(writer: Writer, column: Any) -> None:
    """Adds a column of Arrow without a name."""
    writer.label("series")
    writer.numbers(len(column))
    _write_named(writer, None, column, write_arrow_column)


def _write_named(
    writer: Writer, name: str | None, column: Any, write: Callable[[Writer, Any], None]
) -> None:
    writer.raw(encode(name, writer))
    inner = Writer()
    write(inner, column)
    writer.opaque += inner.opaque
    writer.raw(inner.digest())


def write_polars_column(writer: Writer, series: Any) -> None:
    """Adds the values of a polars series with their dtype."""
    dtype = series.dtype
    base = dtype.base_type().__name__
    if base in _POLARS_TIMES:
        writer.label(str(dtype))
        series = series.to_physical()
    elif base not in _POLARS_NUMBERS:
        writer.label("object" if base == "String" else str(dtype))
        write_slices(
            writer, len(series), lambda start, stop: series.slice(start, stop - start).to_list()
        )
        return
    has_gaps = series.null_count() > 0

    def part(start: int) -> Array:
        rows = series.slice(start, _ROWS)
        return np.asarray((rows.fill_null(False if base == "Boolean" else 0)).to_numpy())

    def gaps(start: int) -> Array:
        return np.asarray(series.slice(start, _ROWS).is_null().to_numpy())

    _write_parts(writer, len(series), part, gaps if has_gaps else None)


def write_arrow_column(writer: Writer, column: Any) -> None:
    """Adds the values of an array or chunked array of Arrow with their type."""
    text = str(column.type)
    family = text.partition("[")[0]
    if family in ARROW_TIMES:
        writer.label(text)
    elif text not in ARROW_NUMBERS:
        if text in ARROW_TEXT:
            writer.label("object")
            write_slices(
                writer,
                len(column),
                lambda start, stop: column.slice(start, stop - start).to_pylist(),
            )
        else:
            write_nested(writer, column)
        return
    has_gaps = column.null_count > 0

    def part(start: int) -> Array:
        rows = column.slice(start, _ROWS)
        if family in ARROW_TIMES:
            rows = rows.cast(ARROW_TIMES[family])
        if has_gaps:
            rows = rows.fill_null(False if text == "bool" else 0)
        return np.asarray(rows.to_numpy(zero_copy_only=False))

    def gaps(start: int) -> Array:
        return np.asarray(column.slice(start, _ROWS).is_null().to_numpy(zero_copy_only=False))

    _write_parts(writer, len(column), part, gaps if has_gaps else None)


def _write_parts(
    writer: Writer,
    count: int,
    part: Callable[[int], Array],
    gaps: Callable[[int], Array] | None,
) -> None:
    first = part(0)
    writer.label(dtype_label(first.dtype))
    for start in range(0, count, _ROWS):
        write_elements(writer, first if start == 0 else part(start))
    if gaps is not None:
        writer.label("gaps")
        for start in range(0, count, _ROWS):
            write_elements(writer, gaps(start))
