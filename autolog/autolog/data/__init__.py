"""Datasets to log with `autolog.log_input`, under the names that tracking code expects.

```python
import autolog
import pandas as pd

df = pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1]})
dataset = autolog.data.from_pandas(df, source="data/train.csv", targets="label", name="train")
with autolog.start_run():
    autolog.log_input(dataset, context="training")
```
"""

from __future__ import annotations

from typing import Any

from autolog_core.data import ArrayReference as NumpyDataset
from autolog_core.data import DataReference as Dataset
from autolog_core.data import DatasetSource, FrameReference
from autolog_core.data import kinds as _kinds
from autolog_core.errors import InvalidArgument

__all__ = [
    "Dataset",
    "DatasetSource",
    "NumpyDataset",
    "PandasDataset",
    "PolarsDataset",
    "from_numpy",
    "from_pandas",
    "from_polars",
]


class PandasDataset(FrameReference):
    """A pandas data frame with what identifies it."""


class PolarsDataset(FrameReference):
    """A polars data frame with what identifies it."""


def from_pandas(
    df: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PandasDataset:
    """Returns a dataset of a pandas data frame.

    Args:
        df: The data frame; it is referred to, not copied.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: The column of labels.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from all the data when absent.
        predictions: The column of predictions.

    Raises:
        InvalidArgument: `df` is no pandas data frame, lacks a named column, or another argument
            is not legal.
    """
    _check(df, (_kinds.PANDAS_FRAME,), "df", "a pandas data frame")
    return PandasDataset(df, source, targets, name, digest, predictions)


def from_polars(
    df: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> PolarsDataset:
    """Returns a dataset of a polars data frame; collect a lazy one first.

    Args:
        df: The data frame; it is referred to, not copied.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: The column of labels.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from all the data when absent.
        predictions: The column of predictions.

    Raises:
        InvalidArgument: `df` is no polars data frame, lacks a named column, or another argument
            is not legal.
    """
    _check(df, (_kinds.POLARS_FRAME,), "df", "a polars data frame (collect() a lazy one first)")
    return PolarsDataset(df, source, targets, name, digest, predictions)


def from_numpy(
    features: Any,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Returns a dataset of NumPy arrays.

    Args:
        features: An array whose first axis is the rows, or a mapping of names to such arrays.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: Labels, likewise.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from all the data when absent.

    Raises:
        InvalidArgument: `features` or `targets` is neither array nor mapping of arrays, or
            another argument is not legal.
    """
    for argument, value in (("features", features), ("targets", targets)):
        if argument == "targets" and value is None:
            continue
        _check(value, (_kinds.ARRAY, _kinds.DICT), argument, "a NumPy array or a dict of them")
        if isinstance(value, dict):
            for key, part in value.items():
                _check(part, (_kinds.ARRAY,), f"{argument}[{key!r}]", "a NumPy array")
    return NumpyDataset(features, source, targets, name, digest)


def _check(value: Any, wanted: tuple[str, ...], argument: str, words: str) -> None:
    if _kinds.kind_of(value) not in wanted:
        raise InvalidArgument(f"{argument} must be {words}, got {type(value).__name__}")
