"""Where data came from."""

from __future__ import annotations

import json
from typing import Any

from autolog_core.data import DataReference, DatasetSource, resolve_source
from autolog_core.entities import Dataset, DatasetInput
from autolog_core.errors import InvalidArgument

__all__ = ["DatasetSource", "get_source"]


def get_source(dataset: Any) -> DatasetSource:
    """Returns where a dataset came from.

    Args:
        dataset: A dataset of `autolog.data` or ``mlflow.data``, an `entities.Dataset` record of a
            run, or the `entities.DatasetInput` around it.

    Raises:
        InvalidArgument: It is none of these, or its record holds no source that can be read.
    """
    if isinstance(dataset, DatasetInput):
        dataset = dataset.dataset
    if isinstance(dataset, DataReference):
        return dataset.source
    if isinstance(dataset, Dataset):
        return _recorded(dataset)
    source = getattr(dataset, "source", None)
    if hasattr(source, "_get_source_type"):
        return resolve_source(source)
    raise InvalidArgument(
        f"dataset must be a dataset, its record or its use by a run, got {type(dataset).__name__}"
    )


def _recorded(dataset: Dataset) -> DatasetSource:
    try:
        fields = json.loads(dataset.source)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        raise InvalidArgument(
            f"the source of dataset {dataset.name!r} is no JSON object: {dataset.source!r:.80}"
        )
    return DatasetSource(dataset.source_type, fields)
