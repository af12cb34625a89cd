"""Chosen rows of an Arrow table, fetched a part at a time, for digests and schemas."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from autolog_core.data.arrays import Array

_BYTES = 2**26
_ROWS = 2**17
_FEWEST = 256
_UNKNOWN = 4096


class PickedTable:
    """The rows of a table that a list of places names, in that order.

    Args:
        table: A table of Arrow.
        rows: Places of rows, from 0; int64.
    """

    def __init__(self, table: Any, rows: Array) -> None:
        self.schema = table.schema
        self.num_rows, self.num_columns = len(rows), table.num_columns
        self.shape = (self.num_rows, self.num_columns)
        self.columns = [PickedColumn(column, rows) for column in table.columns]


class PickedColumn:
    """The same of one column; what is asked of an Arrow column can be asked of it."""

    def __init__(self, column: Any, rows: Array) -> None:
        self.type = column.type
        self._column = column
        self._rows = rows
        self._window: tuple[int, Any] = (0, None)
        self._reach = max(_FEWEST, min(_ROWS, _BYTES // _bytes_each(column)))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def chunks(self) -> Iterator[Any]:
        """All rows, as arrays."""
        for start in range(0, len(self), self._reach):
            yield self.slice(start, self._reach)

    @cached_property
    def null_count(self) -> int:
        """How many values are missing."""
        if self._column.null_count == 0:
            return 0
        return sum(chunk.null_count for chunk in self.chunks)

    def slice(self, start: int, count: int) -> Any:
        """Returns `count` rows from `start` on, as an array."""
        begun, window = self._window
        if window is None or start < begun or start + count > begun + len(window):
            reach = max(count, self._reach)
            window = _picked(self._column, self._rows[start : start + reach])
            begun = start
            self._window = (begun, window)
        return window.slice(start - begun, count)


def _bytes_each(column: Any) -> int:
    try:
        return int(column.nbytes) // max(1, len(column)) + 1
    except (TypeError, NotImplementedError):
        # Arrow before 18 cannot tell it of views.
        return _UNKNOWN


def _picked(column: Any, rows: Array) -> Any:
    """Returns rows of a chunked array as one array.

    Each chunk is asked once: `ChunkedArray.take` would copy the whole column together first.
    """
    arrow = sys.modules["pyarrow"]
    chunks = column.chunks
    ends = np.cumsum([len(chunk) for chunk in chunks], dtype=np.int64)
    owner = np.searchsorted(ends, rows, side="right")
    order = np.argsort(owner, kind="stable")
    cuts = np.flatnonzero(np.diff(owner[order])) + 1
    pieces = []
    for part in np.split(order, cuts):
        if len(part):
            number = int(owner[part[0]])
            local = rows[part] - (int(ends[number]) - len(chunks[number]))
            pieces.append(_take(arrow, chunks[number], local))
    whole = arrow.chunked_array(pieces, column.type).unify_dictionaries().combine_chunks()
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return _take(arrow, whole, back) if len(pieces) > 1 else whole


def _take(arrow: Any, array: Any, places: Array) -> Any:
    try:
        return array.take(arrow.array(places))
    except arrow.ArrowNotImplementedError:
        # Views of bytes and some other types can be sliced but not taken from.
        return arrow.concat_arrays([array.slice(place, 1) for place in places.tolist()])
