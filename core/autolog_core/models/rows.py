"""Data for a model that predicts rows: from what a caller has to what its library reads.

A signature brings data into form before it comes here. A model without one gets it as it is, and so
does whoever asks what a model gives for its input example.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.models.tables import as_pandas

if TYPE_CHECKING:
    import pandas as pd

_SLICED = frozenset(
    (kinds.ARRAY, kinds.LIST, kinds.PANDAS_VALUES, kinds.POLARS_FRAME, kinds.POLARS_SERIES)
)


def as_rows(data: Any) -> Any:
    """Returns data as boosting libraries read it.

    Args:
        data: Tables and columns of pandas, polars or Arrow, mappings of columns, lists of rows.

    Returns:
        A pandas frame for these; anything else (arrays, sparse matrices, lists of lists) as it is.
    """
    kind = kinds.kind_of(data)
    if kind == kinds.DICT or (kind == kinds.LIST and data and isinstance(data[0], Mapping)):
        import pandas as pd

        scalar = kind == kinds.DICT and all(np.isscalar(value) for value in data.values())
        return pd.DataFrame([data] if scalar else data)
    return as_pandas(data)


def first_rows(data: Any, count: int = 5) -> Any:
    """Returns the first rows of data, of the same kind, without walking the rest.

    Args:
        data: A table, an array, a sparse matrix or a list.
        count: How many.

    Returns:
        The rows; None where there is no cheap way to them.
    """
    kind = kinds.kind_of(data)
    if kind in (kinds.PANDAS_FRAME, kinds.PANDAS_SERIES):
        return data.iloc[:count]
    if kind in (kinds.ARROW_TABLE, kinds.ARROW_COLUMN):
        return data.slice(0, count)
    # Of the sparse formats only those that are laid out by rows.
    by_rows = kind == kinds.SPARSE and data.format in ("csr", "lil", "dok")
    return data[:count] if by_rows or kind in _SLICED else None


def as_categories(frame: pd.DataFrame, columns: Mapping[Any, Sequence[Any] | None]) -> pd.DataFrame:
    """Returns a frame in which some columns are of pandas' categorical dtype.

    A signature knows the values of such a column, not that it was categorical.

    Args:
        frame: The frame; it is not changed.
        columns: Which columns, with their categories; None for those that the values show. Columns
            that the frame lacks or that are categorical already stay as they are.
    """
    import pandas as pd

    found = frame
    for name, values in columns.items():
        if name not in frame.columns or isinstance(frame[name].dtype, pd.CategoricalDtype):
            continue
        if found is frame:
            found = frame.copy(deep=False)
        column = frame[name].astype("category")
        # What is in no category is missing, as it is to the library.
        found[name] = column if values is None else column.cat.set_categories(list(values))
    return found
