"""What is known of the data in CatBoost's Pools, which do not give it back.

A Pool with labels is made to train or to evaluate: its reference is made right then, when the data
is at hand and is what the Pool holds. A fit would have to make it otherwise, and each fit anew.
Nothing of the data is held but five rows, and these only as long as the Pool lives.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from autolog.catboost import extract
from autolog_core.data import dataset_of, kinds
from autolog_core.models.rows import first_rows

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

_UNKNOWN = (
    "the Pool was made of a file, of another Pool, without labels, or while autologging was off"
)
# Arguments of a fit that a Pool takes under the same name, besides those of the features.
_OF_POOL = (
    "pairs", "graph", "group_id", "group_weight", "subgroup_id", "pairs_weight", "baseline",
    "column_description",
)  # fmt: skip


class Reference(NamedTuple):
    """The reference to some data, or why there is none."""

    dataset: Dataset | None
    why: str


class _Known(NamedTuple):
    pool: weakref.ref[Any]
    reference: Reference
    rows: Any


# By the address of the Pool, which has no hash.
_known: dict[int, _Known] = {}


def remember(call: Call, options: CatboostOptions) -> None:
    """Remembers what a new Pool was made of.

    Args:
        call: Of ``Pool.__init__``.
        options: Of the integration.
    """
    if len(call.args) < 2 and call.kwargs.get("label") is None:
        # Most are made to predict from.
        return
    passed = call.arguments()
    data, labels = passed.get("data"), passed.get("label")
    if data is None or labels is None:
        return
    if not options.log_datasets:
        found = Reference(None, "log_datasets is False")
    elif passed.get("embedding_features_data") is not None:
        found = Reference(None, "embedding_features_data would not be part of the digest")
    else:
        found = _make(data, labels)
    rows = _detached(first_rows(data)) if options.log_models else None
    address = id(call.instance)
    pool = weakref.ref(call.instance, lambda _: _known.pop(address, None))
    _known[address] = _Known(pool, found, rows)


def log_datasets(
    passed: Mapping[str, Any], recorder: Recorder, options: CatboostOptions
) -> dict[str, Dataset]:
    """Logs references to the data of a training, and returns them by CatBoost's names.

    Args:
        passed: Arguments of the fit, by name.
        recorder: Of the training.
        options: Of the integration.
    """
    if not options.log_datasets:
        recorder.skipped("datasets", "log_datasets is False")
        return {}
    data = [(extract.LEARN, passed.get("X"), passed.get("y"))]
    for name, given in extract.eval_sets(passed.get("eval_set")):
        pair = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
        data.append((name, *pair))
    found = {}
    for name, features, labels in data:
        with recorder.part(f"dataset {name}"):
            dataset, why = reference(features, labels, name)
            if dataset is None:
                recorder.skipped(f"dataset {name}", why)
                continue
            context = "train" if name == extract.LEARN else "eval"
            recorder.dataset(dataset, context, data=features)
            found[name] = dataset
    return found


def reference(data: Any, labels: Any, name: str) -> Reference:
    """Returns the reference to data that a training is given.

    Args:
        data: Features, or a Pool.
        labels: Labels; a Pool holds them itself.
        name: For the reference.
    """
    if not is_pool(data):
        return _make(data, labels, name)
    known = _of(data)
    if known is None:
        return Reference(None, _UNKNOWN)
    dataset, why = known.reference
    return Reference(None if dataset is None else replace(dataset, name=name), why)


def rows_of(data: Any) -> Any:
    """Returns the first rows of features, or of those that a Pool was made of; None for none."""
    if not is_pool(data):
        return first_rows(data)
    known = _of(data)
    return None if known is None else known.rows


def as_pool(model: Any, passed: Mapping[str, Any]) -> Any:
    """Returns the training data as a Pool; a new one where the fit was not given one.

    Args:
        model: Fitted.
        passed: Arguments of the fit, by name.
    """
    from autolog.catboost.flavor import library

    data = passed.get("X")
    if is_pool(data):
        return data
    given = {name: passed[name] for name in _OF_POOL if passed.get(name) is not None}
    if isinstance(data, (str, os.PathLike)):
        return library().Pool(data, **given)
    return library().Pool(
        data,
        passed.get("y"),
        cat_features=model.get_cat_feature_indices(),
        text_features=model.get_text_feature_indices(),
        embedding_features=model.get_embedding_feature_indices(),
        weight=passed.get("sample_weight"),
        **given,
    )


def is_pool(data: Any) -> bool:
    """Whether `data` is a Pool of CatBoost."""
    return kinds.is_a(data, "catboost", "Pool")


def shape_of(data: Any) -> tuple[int, int] | None:
    """Returns how many rows and columns data has, if it says so without being walked."""
    if is_pool(data):
        return int(data.num_row()), int(data.num_col())
    found = getattr(data, "shape", None)
    if isinstance(found, tuple) and len(found) == 2:
        return int(found[0]), int(found[1])
    return None


def _of(pool: Any) -> _Known | None:
    known = _known.get(id(pool))
    return known if known is not None and known.pool() is pool else None


def _make(data: Any, labels: Any, name: str | None = None) -> Reference:
    if isinstance(data, (str, os.PathLike)):
        return Reference(None, "the data is in a file that CatBoost reads by itself")
    dataset = dataset_of(data, labels, name=name)
    kind = f"{type(data).__module__}.{type(data).__qualname__}"
    return Reference(dataset, "" if dataset else f"no reference can be made to {kind}")


def _detached(rows: Any) -> Any:
    """Returns rows that share no memory with the data which they are of."""
    if kinds.kind_of(rows) == kinds.POLARS_FRAME:
        # Its clones share their columns.
        return type(rows)(rows.to_dict(as_series=False), schema=rows.schema)
    return rows.copy() if hasattr(rows, "copy") else rows
