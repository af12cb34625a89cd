"""What can be told of PyTorch's datasets and loaders without asking for an item.

An item may be made by code that draws random numbers, counts or caches, and a loader may be read
once. So data are read where they lie: in the tensors of a `TensorDataset`, and in the attributes
of other datasets. What lies elsewhere, such as in files, is not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.arrays import Array
from autolog_core.data.columns import tensor_of
from autolog_core.data.outline import (
    ATTRIBUTES,
    DATA,
    DESCRIPTION,
    Outline,
    Picked,
    least,
    with_profile,
)
from autolog_core.data.tensors import can_pick
from autolog_core.data.torch_attributes import (
    attributes_of,
    class_of,
    is_data,
    part_of,
    settings_of,
    transforms_of,
)

DEPTH = 8
_JOINING = ("ConcatDataset", "StackDataset")


def outline_of_torch(data: Any, depth: int = 0) -> Outline:
    """Returns the outline of a dataset, a loader, or whatever else a loader was given as data."""
    kind = kinds.kind_of(data)
    if kind == kinds.TORCH_LOADER:
        return _of_loader(data, depth)
    if _is_own(data, "TensorDataset") and all(map(_is_tensor, data.tensors)):
        return outline_of_tensors(data.tensors, _about(data, _length(data)))
    if _is_own(data, "Subset"):
        return _of_rows(data.dataset, data.indices, class_of(data), depth)
    if kind != kinds.TORCH_SET and is_data(data):
        return Outline(DATA, (data,), profile=_about(data, _length(data)))
    return _described(data, depth)


def _is_own(data: Any, name: str) -> bool:
    """Whether items are made by a class of PyTorch of this name, and not by one derived from it."""
    return kinds.owner_is(data, "__getitem__", "torch", name) and (
        not hasattr(type(data), "__getitems__")
        or kinds.owner_is(data, "__getitems__", "torch", name)
    )


def _is_tensor(data: Any) -> bool:
    return kinds.kind_of(data) == kinds.TENSOR


def outline_of_tensors(tensors: Sequence[Any], profile: Mapping[str, Any]) -> Outline:
    """Returns the outline of several tensors, the first axis of each being the rows."""
    known = [tensor_of(tensor, str(place)) for place, tensor in enumerate(tensors)]
    return Outline(
        DATA,
        tuple(tensors),
        profile=profile,
        tensors=tuple(tensor for tensor in known if tensor is not None),
    )


def _of_loader(loader: Any, depth: int) -> Outline:
    sampler = loader.sampler
    if kinds.is_a(sampler, "torch", "SubsetRandomSampler"):
        # This sampler is how a part of a dataset is chosen where no Subset is made.
        found = _of_rows(loader.dataset, vars(sampler).get("indices"), None, depth)
    else:
        found = outline_of_torch(loader.dataset, depth + 1)
    about = {
        "batch_size": loader.batch_size,
        "sampler": None if sampler is None else type(sampler).__name__,
        "drop_last": loader.drop_last,
    }
    return with_profile(found, loader=about)


def _of_rows(base: Any, indices: Any, name: str | None, depth: int) -> Outline:
    whole = outline_of_torch(base, depth + 1)
    inner = whole.profile["dataset_class"]
    profile = {**whole.profile, "dataset_class": f"{name} of {inner}" if name else inner}
    rows = places_of(indices)
    if rows is None:
        profile.pop("num_rows", None)
        return Outline(DESCRIPTION, (whole,), "torch rows", profile, whole.tensors)
    total = profile.get("num_rows")
    profile["num_rows"] = len(rows)
    if whole.label is None and total is not None:
        places = np.where(rows < 0, rows + total, rows)
        inside = not len(places) or (places.min() >= 0 and places.max() < total)
        if inside and all(isinstance(part, Picked) or can_pick(part) for part in whole.parts):
            picked = tuple(_pick(part, places) for part in whole.parts)
            return Outline(whole.covers, picked, None, profile, whole.tensors)
    return Outline(whole.covers, (whole, rows), "torch rows", profile, whole.tensors)


def _pick(part: Any, rows: Array) -> Picked:
    return Picked(part.data, part.rows[rows]) if isinstance(part, Picked) else Picked(part, rows)


def places_of(indices: Any) -> Array | None:
    """Returns indices as int64; None for what would have to be asked one by one."""
    if isinstance(indices, range):
        return np.arange(indices.start, indices.stop, indices.step, dtype=np.int64)
    if _is_tensor(indices):
        indices = indices.detach().cpu().tolist()
    if not isinstance(indices, (list, tuple, np.ndarray)):
        return None
    try:
        found = np.asarray(indices)
    except (ValueError, TypeError, RuntimeError):
        return None
    if found.ndim != 1 or (found.size and found.dtype.kind not in "iu"):
        return None
    return found.astype(np.int64)


def _described(data: Any, depth: int) -> Outline:
    """Returns the outline of a dataset whose items are made by code that is not known here."""
    length = _length(data)
    attributes = attributes_of(data)
    parts: dict[str, Any] = {}
    seen: set[int] = set()
    for name, value in attributes.items():
        part = None if id(value) in seen else _set_part(value, depth) or part_of(name, value)
        if part is not None:
            parts[name] = part
            seen.add(id(value))
    profile = _about(data, length) | transforms_of(attributes)
    head = (type(data).__name__, length)
    if not parts:
        return Outline(DESCRIPTION, (*head, *settings_of(attributes)), "torch description", profile)
    inner = [part.covers for part in parts.values() if isinstance(part, Outline)]
    pairs = (piece for pair in parts.items() for piece in pair)
    if any(_is_own(data, name) for name in _JOINING):
        return Outline(least(*inner), (*head, *pairs), "torch dataset", profile)
    tensors = [
        tensor_of(part, name)
        for name, part in parts.items()
        if kinds.kind_of(part) in (kinds.ARRAY, kinds.TENSOR) and len(part) == length
    ]
    return Outline(
        least(ATTRIBUTES, *inner),
        (*head, *pairs),
        "torch dataset",
        profile | {"digest_attributes": list(parts)},
        tuple(tensor for tensor in tensors if tensor is not None),
    )


def _set_part(value: Any, depth: int) -> Outline | None:
    """Returns the outline of a dataset, or of a list or mapping of datasets, in an attribute."""
    if depth >= DEPTH:
        return None
    if kinds.kind_of(value) in (kinds.TORCH_SET, kinds.TORCH_LOADER):
        return outline_of_torch(value, depth + 1)
    names: list[Any] = []
    if isinstance(value, dict):
        names, value = list(value), list(value.values())
    if not isinstance(value, (list, tuple)):
        return None
    if not value or any(kinds.kind_of(each) != kinds.TORCH_SET for each in value):
        return None
    inner = [outline_of_torch(each, depth + 1) for each in value]
    return Outline(least(*(each.covers for each in inner)), (*names, *inner), "torch datasets")


def _about(data: Any, length: int | None) -> dict[str, Any]:
    known = {} if length is None else {"num_rows": length}
    return {"dataset_class": class_of(data), **known}


def _length(data: Any) -> int | None:
    if kinds.is_a(data, "torch", "IterableDataset"):
        return None
    try:
        return len(data)
    except Exception:
        # A dataset without a length is legal, and how it says so is its own affair.
        return None
