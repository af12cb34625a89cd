"""How a reference sees data: as they are, or in an outline, and what else is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.outline import Outline
from autolog_core.data.rows import PickedTable
from autolog_core.data.spark import outline_of_spark
from autolog_core.data.tensorflow_sets import outline_of_tensorflow
from autolog_core.data.torch_sets import outline_of_torch

_OUTLINES: dict[str, Callable[[Any], Outline]] = {
    kinds.TORCH_SET: outline_of_torch,
    kinds.TORCH_LOADER: outline_of_torch,
    kinds.TENSORFLOW_SET: outline_of_tensorflow,
    kinds.SPARK_FRAME: outline_of_spark,
}


# What the profile says of a digest, and not of the data.
ABOUT_DIGEST = ("digest_of", "digest_attributes")


class View(NamedTuple):
    """Data that can be read, or an outline, and what goes into the profile beside their size."""

    data: Any
    profile: Mapping[str, Any]


def view_of(data: Any) -> View:
    """Returns how a reference sees `data`, without reading it."""
    kind = kinds.kind_of(data)
    if kind in _OUTLINES:
        data = _OUTLINES[kind](data)
    if isinstance(data, Outline):
        return View(data, {**data.profile, "digest_of": data.covers})
    if kind == kinds.ARROW_SET:
        return View(arrow_rows(data), _hugging_face_profile(data))
    return View(data, {})


def arrow_rows(data: Any) -> Any:
    """Returns the Arrow table under a dataset of Hugging Face, or the chosen rows of it."""
    table = data.data.table
    if data._indices is None:
        return table
    rows = data._indices.column(0).to_numpy()
    return PickedTable(table, rows.astype(np.int64))


def _hugging_face_profile(data: Any) -> dict[str, Any]:
    return {
        "dataset_size": data.dataset_size,
        "size_in_bytes": data.size_in_bytes,
        "fingerprint": data._fingerprint,
    }
