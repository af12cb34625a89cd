"""Datasets of NumPy arrays and SciPy sparse matrices."""

from __future__ import annotations

from typing import Any

from autolog.data._check import check_kind
from autolog_core.data import ArrayReference, kinds

__all__ = ["NumpyDataset", "from_numpy"]

NumpyDataset = ArrayReference
_ARRAYS = (kinds.ARRAY, kinds.SPARSE)


def from_numpy(
    features: Any,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
) -> NumpyDataset:
    """Returns a dataset of NumPy arrays or SciPy sparse matrices.

    Args:
        features: An array or sparse matrix whose first axis is the rows, or a mapping of names to
            such; a sparse one is never made dense.
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
        words = "a NumPy array, a SciPy sparse matrix or a dict of them"
        check_kind(value, (*_ARRAYS, kinds.DICT), argument, words)
        if isinstance(value, dict):
            for key, part in value.items():
                place = f"{argument}[{key!r}]"
                check_kind(part, _ARRAYS, place, "a NumPy array or a SciPy sparse matrix")
    return NumpyDataset(features, source, targets, name, digest)
