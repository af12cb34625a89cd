"""Which library's data this is, told by class names so that no library is imported to ask."""

from __future__ import annotations

from typing import Any

ARRAY = "array"
PANDAS_FRAME = "pandas frame"
PANDAS_SERIES = "pandas series"
PANDAS_VALUES = "pandas values"
POLARS_FRAME = "polars frame"
POLARS_SERIES = "polars series"
ARROW_TABLE = "arrow table"
ARROW_COLUMN = "arrow column"
SPARSE = "sparse"
LIST = "list"
DICT = "dict"

FRAMES = frozenset((PANDAS_FRAME, POLARS_FRAME, ARROW_TABLE))
COLUMNS = frozenset((PANDAS_SERIES, PANDAS_VALUES, POLARS_SERIES, ARROW_COLUMN))

_KINDS = {
    ("numpy", "ndarray"): ARRAY,
    ("pandas", "DataFrame"): PANDAS_FRAME,
    ("pandas", "Series"): PANDAS_SERIES,
    ("pandas", "Index"): PANDAS_VALUES,
    ("pandas", "ExtensionArray"): PANDAS_VALUES,
    ("polars", "DataFrame"): POLARS_FRAME,
    ("polars", "Series"): POLARS_SERIES,
    ("pyarrow", "Table"): ARROW_TABLE,
    ("pyarrow", "RecordBatch"): ARROW_TABLE,
    ("pyarrow", "ChunkedArray"): ARROW_COLUMN,
    ("pyarrow", "Array"): ARROW_COLUMN,
    ("scipy", "_spbase"): SPARSE,
    ("scipy", "spmatrix"): SPARSE,
    ("scipy", "sparray"): SPARSE,
    ("builtins", "list"): LIST,
    ("builtins", "tuple"): LIST,
    ("builtins", "dict"): DICT,
}


def kind_of(data: Any) -> str | None:
    """Returns the kind of `data`, or None when it is of no kind that is known here."""
    for base in type(data).__mro__:
        kind = _KINDS.get((base.__module__.partition(".")[0], base.__name__))
        if kind is not None:
            return kind
    return None
