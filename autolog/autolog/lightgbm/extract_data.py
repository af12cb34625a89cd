"""References to what a Dataset of LightGBM is made from: nothing is made dense, copied or held."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from autolog_core.data import dataset_of, digest_of, kinds, resolve_source
from autolog_core.data.columns import Tensor, tensor_of
from autolog_core.data.outline import DATA, DESCRIPTION, PIPELINE, Outline
from autolog_core.entities import Dataset
from autolog_core.models.rows import as_rows, first_rows

NAME = "dataset"


def reference_of(data: Any, labels: Any = None) -> Dataset | None:
    """Returns the reference of what a Dataset or an estimator is given.

    The digest is over all values of data in memory and all bytes of a file. A
    ``lightgbm.Sequence`` reads its rows itself, and a collection of dask computes them: they are
    told by what they say about themselves, and the profile says so (``digest_of``).

    Args:
        data: What `autolog_core.data.dataset_of` takes, the path of a file, a list of arrays, a
            ``lightgbm.Sequence`` or a list of them, or a collection of dask.
        labels: Labels; part of the digest.

    Returns:
        None where nothing can be told.
    """
    if isinstance(data, (str, os.PathLike)):
        return _of_file(os.fspath(data), labels)
    if _is_blocks(data):
        return dataset_of(_arrays(data), labels)
    parts = data if isinstance(data, list) else [data]
    if parts and all(kinds.is_a(each, "lightgbm", "Sequence") for each in parts):
        return dataset_of(_sequences(parts), labels)
    if is_lazy(data):
        return dataset_of(_lazy(data), _lazy(labels) if is_lazy(labels) else labels)
    return dataset_of(data, labels)


def _of_file(path: str, labels: Any) -> Dataset | None:
    outline = Outline(DESCRIPTION, (path,), "file")
    if os.path.isfile(path) and os.path.getsize(path):
        content = np.memmap(path, np.uint8, "r")
        outline = Outline(DATA, (content,), "file", {"size_in_bytes": len(content)})
    return dataset_of(outline, labels, source=resolve_source(path))


def _is_blocks(data: Any) -> bool:
    return (
        isinstance(data, list)
        and bool(data)
        and all(isinstance(each, np.ndarray) and each.ndim == 2 for each in data)
    )


def _arrays(blocks: Sequence[Any]) -> Outline:
    first = tensor_of(blocks[0])
    return Outline(
        DATA,
        tuple(blocks),
        "blocks of rows",
        {"num_rows": sum(map(len, blocks)), "num_elements": sum(each.size for each in blocks)},
        () if first is None else (first,),
    )


def _sequences(parts: Sequence[Any]) -> Outline:
    lengths = [len(each) for each in parts]
    classes = [f"{type(each).__module__}.{type(each).__qualname__}" for each in parts]
    return Outline(DESCRIPTION, (*classes, *lengths), "sequence", {"num_rows": sum(lengths)})


def is_lazy(data: Any) -> bool:
    """Whether `data` is a collection of dask, which computes its values when asked."""
    return hasattr(data, "__dask_graph__") and hasattr(data, "npartitions")


def _lazy(data: Any) -> Outline:
    # The name of a collection tells the computation that makes it.
    is_array = hasattr(data, "chunks")
    name = data.name if is_array else data._name
    width = data.shape[1:] if is_array else list(map(str, getattr(data, "columns", ())))
    return Outline(
        PIPELINE,
        (str(name), str(width), int(data.npartitions)),
        "dask",
        {"num_partitions": int(data.npartitions)},
    )


def subset_of(whole: Dataset, rows: Any, labels: Any = None) -> Dataset:
    """Returns the reference of some rows of a Dataset.

    Args:
        whole: Of all rows.
        rows: Places, from 0.
        labels: Of these rows, where they have their own.
    """
    places = np.asarray(rows, np.int64)
    outline = Outline(DATA, (whole.digest, places), "rows of a dataset")
    covers = json.loads(whole.profile or "{}").get("digest_of")
    profile = {"num_rows": len(places)} | ({} if covers is None else {"digest_of": covers})
    digest = digest_of(outline, _readable(labels)).text
    return replace(whole, digest=digest, profile=json.dumps(profile))


def relabelled(before: Dataset, labels: Any) -> Dataset:
    """Returns the reference of the same features with other labels."""
    outline = Outline(DATA, (before.digest,), "labels of a dataset")
    return replace(before, digest=digest_of(outline, _readable(labels)).text)


def _readable(labels: Any) -> Any:
    return None if kinds.kind_of(labels) is None else labels


def described(dataset: Any) -> Dataset | None:
    """Returns the reference of a Dataset whose raw data are gone: what it still tells of itself."""
    rows, width = dataset.num_data(), dataset.num_feature()
    outline = Outline(
        DESCRIPTION,
        (rows, width, *map(str, dataset.get_feature_name())),
        "binned data",
        {"num_rows": rows, "num_elements": rows * width},
        (Tensor(None, "float64", (-1, width)),),
    )
    return dataset_of(outline, dataset.label)


def named(reference: Dataset, name: str) -> Dataset:
    """Returns a reference under the name that LightGBM has for the data."""
    return replace(reference, name=name[:500] or NAME)


def few_rows(data: Any) -> Any:
    """Returns a copy of the first rows; None where they cannot be had without reading the rest.

    Args:
        data: As for `reference_of`.

    Returns:
        A pandas frame for tables, else an array or a sparse matrix.
    """
    if _is_blocks(data):
        data = data[0]
    if isinstance(data, (str, os.PathLike)):
        return None
    rows = first_rows(data)
    if isinstance(rows, list):
        return np.asarray(rows) if rows and isinstance(rows[0], (list, tuple)) else None
    return None if rows is None else copy.deepcopy(as_rows(rows))
