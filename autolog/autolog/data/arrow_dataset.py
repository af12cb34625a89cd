"""Datasets of Arrow tables."""

from __future__ import annotations

from typing import Any

from autolog.data._check import check_kind
from autolog_core.data import FrameReference, kinds

__all__ = ["ArrowDataset", "from_pyarrow"]


class ArrowDataset(FrameReference):
    """An Arrow table or record batch with what identifies it."""


def from_pyarrow(
    table: Any,
    source: Any = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> ArrowDataset:
    """Returns a dataset of an Arrow table; read a lazy one first.

    Args:
        table: A `pyarrow.Table` or `pyarrow.RecordBatch`; it is referred to, not copied.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: The column of labels.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from all the data when absent.
        predictions: The column of predictions.

    Raises:
        InvalidArgument: `table` is no Arrow table, lacks a named column, or another argument is
            not legal.
    """
    check_kind(
        table,
        (kinds.ARROW_TABLE,),
        "table",
        "an Arrow table or record batch (to_table() of a pyarrow dataset, read_all() of a reader)",
    )
    return ArrowDataset(table, source, targets, name, digest, predictions)
