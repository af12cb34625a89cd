"""Datasets of pandas data frames."""

from __future__ import annotations

from typing import Any

from autolog.data._check import check_kind
from autolog_core.data import FrameReference, kinds

__all__ = ["PandasDataset", "from_pandas"]


class PandasDataset(FrameReference):
    """A pandas data frame with what identifies it."""


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
    check_kind(df, (kinds.PANDAS_FRAME,), "df", "a pandas data frame")
    return PandasDataset(df, source, targets, name, digest, predictions)
