"""References to the data of training: arrays and tables, and what a DMatrix was made from.

A DMatrix does not give back what it was made from. So its making is watched: of small data a copy
is remembered, of large data the digest and the first rows, for as long as the DMatrix lives. What
was made before autologging began, or from an iterator, is told by what the DMatrix still knows.
"""

from __future__ import annotations

import copy
import os
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from autolog_core.data import dataset_of, digest_of, kinds, resolve_source
from autolog_core.data.columns import Column, Tensor
from autolog_core.data.outline import DATA, DESCRIPTION, PIPELINE, Outline
from autolog_core.data.schema import schema_of
from autolog_core.models.rows import as_rows, first_rows

if TYPE_CHECKING:
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset

NAME = "dataset"
# Bytes up to which a copy costs less than a digest.
_SMALL = 1 << 20
_COPIED = frozenset((kinds.ARRAY, kinds.PANDAS_FRAME, kinds.PANDAS_SERIES, kinds.SPARSE))
# XGBoost's words for the types of features, in those of schemas.
_WORDS = {"int": "long", "i": "boolean", "float": "double", "q": "double", "c": "any"}


@dataclass(slots=True)
class Known:
    """What a DMatrix was made from.

    Attributes:
        reference: To it; None where none was asked for, or it is to be made from `data`.
        data: A copy of small data.
        label: A copy of its labels.
        rows: The first rows, as a model takes them; None where they are not known.
        relabelled: Whether it got other labels since.
    """

    reference: Dataset | None = None
    data: Any = None
    label: Any = None
    rows: Any = None
    relabelled: bool = False


_known: WeakKeyDictionary[Any, Known] = WeakKeyDictionary()


def remember(matrix: Any, data: Any, label: Any, options: Options) -> None:
    """Remembers what a DMatrix was made from.

    Args:
        matrix: Made a moment ago.
        data: What it was made from: data in memory, a file, an iterator, a collection of dask.
        label: Its labels, or None.
        options: Say whether references and models are kept.
    """
    is_small = kinds.kind_of(data) in _COPIED and _size(data) + _size(label) <= _SMALL
    if is_small and options.log_datasets:
        _known[matrix] = Known(data=data.copy(), label=_copied(label))
        return
    found = Known()
    if options.log_models:
        found.rows = _few(data)
    if options.log_datasets:
        found.reference = reference_of(data, label)
    if found.rows is not None or found.reference is not None:
        _known[matrix] = found


def _size(data: Any) -> int:
    kind = kinds.kind_of(data)
    if kind == kinds.PANDAS_FRAME:
        return 8 * int(data.size)
    if kind == kinds.SPARSE:
        return 16 * int(data.nnz)
    if kind in (kinds.ARRAY, kinds.PANDAS_SERIES):
        return int(data.nbytes)
    return 8 * len(data) if kind is not None and hasattr(data, "__len__") else 0


def _copied(label: Any) -> Any:
    return label.copy() if hasattr(label, "copy") else copy.copy(label)


def relabel(matrix: Any) -> None:
    """Remembers that a DMatrix got labels after it was made."""
    found = _known.get(matrix)
    if found is not None:
        found.relabelled = True
        if found.data is not None:
            found.reference = None


def remember_slice(matrix: Any, whole: Any, rows: Any) -> None:
    """Remembers that a DMatrix was made of some rows of another.

    Args:
        matrix: Made a moment ago.
        whole: What it was cut from.
        rows: (n,) places, from 0.
    """
    found = _known.get(whole)
    if found is None:
        return
    places = np.asarray(rows, np.int64)
    before = reference(whole)
    outline = Outline(DATA, (before.digest, places), "rows of a matrix")
    profile = f'{{"num_rows": {len(places)}, "num_elements": {len(places) * matrix.num_col()}}}'
    part = replace(before, digest=digest_of(outline).text, profile=profile)
    _known[matrix] = Known(part, rows=_rows(found))


def reference(matrix: Any, name: str = NAME) -> Dataset:
    """Returns the reference to the data of a DMatrix.

    Args:
        matrix: Of XGBoost, or of its module for dask.
        name: What the training calls the data.
    """
    found = _known.get(matrix)
    if found is not None and found.reference is None and found.data is not None:
        label = matrix.get_label() if found.relabelled else found.label
        found.reference, found.relabelled = reference_of(found.data, label), False
    if found is None or found.reference is None:
        made = _described(matrix)
    else:
        made = found.reference
        if found.relabelled:
            outline = Outline(DATA, (made.digest,), "labels of a matrix")
            made = replace(made, digest=digest_of(outline, matrix.get_label()).text)
        if "mlflow_tensorspec" in (made.schema or "") and matrix.feature_names:
            made = replace(made, schema=schema_of(Outline(DATA, (), columns=_columns(matrix))))
    return named(made, name)


def rows_of(matrix: Any) -> Any:
    """Returns the first rows of a DMatrix, as a model takes them; None where they are not known."""
    found = _known.get(matrix)
    rows = None if found is None else _rows(found)
    if isinstance(rows, np.ndarray) and rows.ndim == 2 and matrix.feature_names:
        import pandas as pd

        return pd.DataFrame(rows, columns=list(matrix.feature_names))
    return rows


def _rows(found: Known) -> Any:
    if found.rows is None and found.data is not None:
        found.rows = _few(found.data)
    return found.rows


def _few(data: Any) -> Any:
    # What is None here is a file, an iterator, or sparse by columns.
    rows = first_rows(data)
    return None if rows is None else copy.deepcopy(as_rows(rows))


def named(made: Dataset, name: str) -> Dataset:
    """Returns a reference under another name."""
    return replace(made, name=name[:500] or NAME)


def reference_of(data: Any, labels: Any = None) -> Dataset | None:
    """Returns the reference to data that a DMatrix is made from, or that an estimator is given.

    The digest is over all values in memory, and over all bytes of a file. Of a collection of dask
    it is over the computation that makes it, and the profile says so (``digest_of``).

    Args:
        data: What `autolog_core.data.dataset_of` takes, a file, or a collection of dask.
        labels: Labels; part of the digest.

    Returns:
        None where nothing can be told.
    """
    if isinstance(data, (str, os.PathLike)):
        return _of_file(os.fspath(data), labels)
    if is_lazy(data):
        return dataset_of(_lazy(data), _lazy(labels) if is_lazy(labels) else labels)
    return dataset_of(data, labels)


def _of_file(address: str, labels: Any) -> Dataset | None:
    # What follows says how XGBoost reads the file, and where it keeps it meanwhile.
    path = address.partition("#")[0].partition("?")[0]
    outline = Outline(DESCRIPTION, (address,), "file")
    if os.path.isfile(path) and os.path.getsize(path):
        content = np.memmap(path, np.uint8, "r")
        outline = Outline(DATA, (content,), "file", {"size_in_bytes": len(content)})
    return dataset_of(outline, labels, source=resolve_source(path))


def is_lazy(data: Any) -> bool:
    """Whether `data` is a collection of dask, which computes its values when asked."""
    return hasattr(data, "__dask_graph__") and hasattr(data, "npartitions")


def _lazy(data: Any) -> Outline:
    # The name of a collection tells the computation that makes it.
    name = data.name if hasattr(data, "chunks") else data._name
    columns = [str(column) for column in getattr(data, "columns", ())]
    width = len(columns) or data.shape[-1] if len(data.shape) > 1 else 1
    parts = int(data.npartitions)
    profile = {"num_partitions": parts, "num_columns": width}
    return Outline(PIPELINE, (str(name), *columns, parts), "dask", profile)


def _described(matrix: Any) -> Dataset:
    """Returns the reference to a DMatrix: its size, names and labels, as it tells them itself."""
    names, types = matrix.feature_names or (), matrix.feature_types or ()
    told: list[Any] = [matrix.num_col(), *map(str, names), *map(str, types)]
    profile: dict[str, Any] = {"num_columns": matrix.num_col()}
    labels = None
    # DMatrices of dask do not know theirs.
    with suppress(AttributeError):
        rows = matrix.num_row()
        profile |= {"num_rows": rows, "num_elements": rows * matrix.num_col()}
        told += [rows, matrix.num_nonmissing()]
        labels = matrix.get_label()
    outline = Outline(
        DESCRIPTION,
        tuple(told),
        "matrix of xgboost",
        profile,
        () if names else (Tensor(None, "float32", (-1, matrix.num_col())),),
        _columns(matrix) if names else (),
    )
    made = dataset_of(outline, labels if labels is not None and len(labels) else None)
    assert made is not None
    return made


def _columns(matrix: Any) -> tuple[Column, ...]:
    names = matrix.feature_names or ()
    types = matrix.feature_types
    words = ("float",) * len(names) if types is None else types
    return tuple(
        Column(str(name), _WORDS.get(word, "double"), False)
        for name, word in zip(names, words, strict=False)
    )
