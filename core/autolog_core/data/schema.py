"""Schemas and profiles of datasets, as the JSON that MLflow reads and writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autolog_core.data import kinds
from autolog_core.data.columns import (
    Column,
    Tensor,
    frame_columns,
    list_columns,
    numpy_type,
    tensor_of,
)
from autolog_core.limits import DATASET_SCHEMA_LENGTH

SHORTENED = "autolog_shortened"


def schema_of(data: Any, targets: Any = None) -> str | None:
    """Returns the schema of `data`, and of `targets`, as JSON text.

    Tables have columns (`mlflow_colspec`), the columns of the targets last; arrays, sparse
    matrices and mappings of arrays have tensors (`mlflow_tensorspec`). A schema over the store's
    limit keeps its first entries, and says under `autolog_shortened` how many there were.

    Returns:
        None when nothing can be said.
    """
    kind = kinds.kind_of(data)
    if kind in kinds.FRAMES or kind in kinds.COLUMNS:
        columns = frame_columns(data)
        return _colspec([*columns, *_target_columns(targets, {column.name for column in columns})])
    if kind == kinds.LIST:
        listed = list_columns(data)
        if listed is not None:
            return _colspec([*listed, *_target_columns(targets, set())])
    features = _tensors(data)
    return None if features is None else _tensorspec(features, _tensors(targets))


def _target_columns(targets: Any, taken: set[str | None]) -> list[Column]:
    kind = kinds.kind_of(targets)
    found: list[Column] = []
    if kind in kinds.FRAMES or kind in kinds.COLUMNS:
        found = frame_columns(targets)
    elif kind == kinds.LIST:
        found = list_columns(targets) or []
    elif kind in (kinds.ARRAY, kinds.SPARSE):
        width = targets.shape[1] if len(targets.shape) == 2 else 1
        word = numpy_type(targets.dtype)
        if targets.dtype.kind == "O":
            listed = list_columns(targets.reshape(-1).tolist())
            word = listed[0].type if listed else word
        found = [Column(None, word, True)] * width
    return [column._replace(name=_free(column.name or "target", taken)) for column in found]


def _free(name: str, taken: set[str | None]) -> str:
    free, number = name, 1
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    taken.add(free)
    return free


def _tensors(data: Any) -> list[Tensor] | None:
    if data is None:
        return None
    if kinds.kind_of(data) == kinds.DICT:
        found = [tensor_of(value, str(name)) for name, value in data.items()]
        return [tensor for tensor in found if tensor is not None]
    if kinds.kind_of(data) in kinds.FRAMES:
        columns = frame_columns(data)
        words = {"string": "str", "long": "int64", "double": "float64", "boolean": "bool"}
        return [Tensor(column.name, words.get(column.type, "object"), (-1,)) for column in columns]
    tensor = tensor_of(data)
    return None if tensor is None else [tensor]


def _colspec(columns: Sequence[Column]) -> str:
    entries = [
        {"type": column.type}
        | ({} if column.name is None else {"name": column.name})
        | {"required": column.required}
        for column in columns
    ]

    def text(kept: int) -> str:
        return json.dumps({"mlflow_colspec": entries[:kept]} | _shortened(kept, len(entries)))

    return _within(len(entries), text)


def _tensorspec(features: Sequence[Tensor], targets: Sequence[Tensor] | None) -> str:
    entries = [_tensor_entry(tensor) for tensor in features]
    labels = None if targets is None else json.dumps([_tensor_entry(each) for each in targets[:99]])

    def text(kept: int) -> str:
        spec = {"features": json.dumps(entries[:kept]), "targets": labels}
        return json.dumps({"mlflow_tensorspec": spec} | _shortened(kept, len(entries)))

    return _within(len(entries), text)


def _tensor_entry(tensor: Tensor) -> dict[str, Any]:
    named = {} if tensor.name is None else {"name": tensor.name}
    return {
        "type": "tensor",
        **named,
        "tensor-spec": {"dtype": tensor.dtype, "shape": list(tensor.shape)},
    }


def _shortened(kept: int, total: int) -> dict[str, Any]:
    return {} if kept == total else {SHORTENED: {"kept": kept, "total": total}}


def _within(total: int, text: Callable[[int], str]) -> str:
    whole = text(total)
    if len(whole) <= DATASET_SCHEMA_LENGTH:
        return whole
    low, high = 0, total - 1
    while low < high:
        middle = (low + high + 1) // 2
        if len(text(middle)) <= DATASET_SCHEMA_LENGTH:
            low = middle
        else:
            high = middle - 1
    return text(low)


def profile_of(data: Any, targets: Any = None, opaque: int = 0) -> str:
    """Returns the size of `data` and `targets` as JSON text.

    `num_rows` and `num_elements` always; shapes, sizes and bytes for arrays, under MLflow's
    names; `undigested_elements` when the digest could not look into some Python objects.
    """
    profile: dict[str, Any] = {"num_rows": _rows(data), "num_elements": _elements(data)}
    for role, part in (("features", data), ("targets", targets)):
        if part is not None:
            profile |= _array_profile(role, part)
    if opaque:
        profile["undigested_elements"] = opaque
    return json.dumps({key: value for key, value in profile.items() if value is not None})


def _array_profile(role: str, part: Any) -> dict[str, Any]:
    kind = kinds.kind_of(part)
    if kind == kinds.DICT:
        return {
            f"{role}_{word}": {
                str(name): getattr(value, word, None) for name, value in part.items()
            }
            for word in ("shape", "size", "nbytes")
        }
    if kind == kinds.ARRAY:
        return {f"{role}_{word}": getattr(part, word) for word in ("shape", "size", "nbytes")}
    if kind == kinds.SPARSE:
        return {f"{role}_shape": part.shape, f"{role}_stored": int(part.nnz)}
    return {f"{role}_shape": getattr(part, "shape", None)} if role == "targets" else {}


def _rows(data: Any) -> int | None:
    shape = getattr(data, "shape", None)
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    if isinstance(data, Mapping):
        return next((_rows(value) for value in data.values()), 0)
    return len(data)


def _elements(data: Any) -> int | None:
    shape = getattr(data, "shape", None)
    if shape is not None:
        product = 1
        for length in shape:
            product *= int(length)
        return product
    if isinstance(data, Mapping):
        return sum(_elements(value) or 0 for value in data.values())
    tensor = tensor_of(data)
    return None if tensor is None else len(data) * _product(tensor.shape[1:])


def _product(shape: Sequence[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product
