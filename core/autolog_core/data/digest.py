"""The digest of data: over every value, in one pass, without a copy of the whole.

The digest depends on values, dtypes, shape, and names and order of columns. It does not depend on
memory layout, on chunks, or, for columns of numbers, booleans and text, on whether pandas, polars
or Arrow holds them. It is made anew each time: data can change in place under an unchanged
identity, so no cache could be trusted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, NamedTuple

from autolog_core.data import kinds
from autolog_core.data.arrays import write_array
from autolog_core.data.arrow import (
    write_arrow_table,
    write_arrow_values,
    write_polars_frame,
    write_polars_series,
)
from autolog_core.data.frames import write_frame, write_series
from autolog_core.data.outline import Outline, Picked
from autolog_core.data.sparse import write_sparse
from autolog_core.data.tensors import write_rows, write_tensor
from autolog_core.data.values import encode, write_values
from autolog_core.data.views import view_of
from autolog_core.data.writer import Writer
from autolog_core.errors import InvalidArgument

_FORMAT = "autolog dataset 1"


class Digest(NamedTuple):
    """A digest.

    Attributes:
        text: 32 hexadecimal digits.
        opaque: How many Python objects in the data could only be told by their class.
    """

    text: str
    opaque: int


def digest_of(*parts: Any) -> Digest:
    """Returns the digest over all of `parts`, such as X and y; None counts as absent.

    Raises:
        InvalidArgument: A part is of no kind that can be read.
    """
    writer = Writer()
    writer.label(_FORMAT)
    for part in parts:
        if part is None:
            continue
        if not write_data(writer, part):
            raise InvalidArgument(
                f"cannot make a digest of {type(part).__name__}; give a NumPy array, a tensor, a "
                "pandas, polars or Arrow table or column, a SciPy sparse matrix, a dataset of "
                "torch, tensorflow, datasets or pyspark, or a list"
            )
    return Digest(writer.hexdigest(), writer.opaque)


def write_data(writer: Writer, data: Any) -> bool:
    """Adds `data` of any kind; returns False, with nothing added, when its kind is unknown."""
    kind = kinds.kind_of(data)
    if kind is None:
        return False
    _WRITERS[kind](writer, data)
    return True


def _write_list(writer: Writer, values: Any) -> None:
    writer.label("list")
    writer.numbers(len(values))
    write_values(writer, values)


def _write_mapping(writer: Writer, data: Any) -> None:
    writer.label("mapping")
    writer.numbers(len(data))
    for name in sorted(data, key=str):
        writer.raw(encode(name, writer))
        if not write_data(writer, data[name]):
            writer.raw(encode(data[name], writer))


def _write_pandas_values(writer: Writer, values: Any) -> None:
    write_series(writer, sys.modules["pandas"].Series(values))


def _write_view(writer: Writer, data: Any) -> None:
    write_data(writer, view_of(data).data)


def _write_outline(writer: Writer, outline: Outline) -> None:
    """Adds the parts one after another; those of an outline inside of one under its own digest."""
    writer.opaque += outline.opaque
    if outline.label is not None:
        writer.label(outline.label)
        writer.numbers(len(outline.parts))
    for part in outline.parts:
        inner = writer
        if isinstance(part, Outline):
            inner = Writer()
        if not write_data(inner, part):
            writer.raw(encode(part, writer))
        if inner is not writer:
            writer.raw(inner.digest())
            writer.opaque += inner.opaque


def _write_picked(writer: Writer, picked: Picked) -> None:
    write_rows(writer, picked.data, picked.rows)


_WRITERS: dict[str, Callable[[Writer, Any], None]] = {
    kinds.ARRAY: write_array,
    kinds.PANDAS_FRAME: write_frame,
    kinds.PANDAS_SERIES: write_series,
    kinds.PANDAS_VALUES: _write_pandas_values,
    kinds.POLARS_FRAME: write_polars_frame,
    kinds.POLARS_SERIES: write_polars_series,
    kinds.ARROW_TABLE: write_arrow_table,
    kinds.ARROW_COLUMN: write_arrow_values,
    kinds.SPARSE: write_sparse,
    kinds.TENSOR: write_tensor,
    kinds.OUTLINE: _write_outline,
    kinds.PICKED: _write_picked,
    kinds.ARROW_SET: _write_view,
    kinds.TORCH_SET: _write_view,
    kinds.TORCH_LOADER: _write_view,
    kinds.TENSORFLOW_SET: _write_view,
    kinds.SPARK_FRAME: _write_view,
    kinds.LIST: _write_list,
    kinds.DICT: _write_mapping,
}
