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
    word_of,
)
from autolog_core.data.outline import DATA, Outline
from autolog_core.data.tensors import facts_of, measures_of
from autolog_core.data.views import view_of
from autolog_core.limits import DATASET_SCHEMA_LENGTH

SHORTENED = "autolog_shortened"
_MEASURES = ("shape", "size", "nbytes")


def schema_of(data: Any, targets: Any = None) -> str | None:
    """Returns the schema of `data`, and of `targets`, as JSON text.

    Tables have columns (`mlflow_colspec`), the columns of the targets last; arrays, sparse
    matrices and mappings of arrays have tensors (`mlflow_tensorspec`). A schema over the store's
    limit keeps its first entries, and says under `autolog_shortened` how many there were.

    Returns:
        None when nothing can be said.
    """
    kind = kinds.kind_of(data)
    if isinstance(data, Outline):
        if data.columns:
            return _colspec(data.columns)
        if not data.tensors:
            alone = data.parts[0] if data.label is None and len(data.parts) == 1 else None
            return None if alone is None else schema_of(view_of(alone).data, targets)
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
    elif kind == kinds.TENSOR:
        found = [Column(None, word_of(facts_of(targets).dtype), True)]
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
    if isinstance(data, Outline):
        return list(data.tensors)
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
        dict(column.nested or {"type": column.type})
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
        found = {str(name): _measures(value) for name, value in part.items()}
        return {
            f"{role}_{word}": {name: measures.get(word) for name, measures in found.items()}
            for word in _MEASURES
        }
    if kind in (kinds.ARRAY, kinds.TENSOR):
        return {f"{role}_{word}": value for word, value in _measures(part).items()}
    if kind == kinds.SPARSE:
        return {f"{role}_shape": part.shape, f"{role}_stored": int(part.nnz)}
    return {f"{role}_shape": getattr(part, "shape", None)} if role == "targets" else {}


def _measures(part: Any) -> dict[str, Any]:
    if kinds.kind_of(part) == kinds.TENSOR:
        return measures_of(part)
    return {word: getattr(part, word, None) for word in _MEASURES}


def _rows(data: Any) -> int | None:
    if isinstance(data, Outline):
        return data.profile.get("num_rows")
    shape = _shape(data)
    if shape is not None:
        return int(shape[0]) if len(shape) else 1
    if isinstance(data, Mapping):
        return next((_rows(value) for value in data.values()), 0)
    kind = kinds.kind_of(data)
    return len(data) if kind == kinds.LIST or kind in kinds.COLUMNS else None


def _elements(data: Any) -> int | None:
    if isinstance(data, Outline):
        return _outline_elements(data)
    shape = _shape(data)
    if shape is not None:
        return _product(shape) if all(length >= 0 for length in shape) else None
    if isinstance(data, Mapping):
        return sum(_elements(value) or 0 for value in data.values())
    tensor = tensor_of(data)
    return None if tensor is None else len(data) * _product(tensor.shape[1:])


def _shape(data: Any) -> Sequence[int] | None:
    if kinds.kind_of(data) == kinds.TENSOR:
        return facts_of(data).shape
    found: Sequence[int] | None = getattr(data, "shape", None)
    return found


def _outline_elements(outline: Outline) -> int | None:
    rows = _rows(outline)
    if outline.covers != DATA or rows is None or not outline.tensors:
        return None
    each = [tensor.shape[1:] for tensor in outline.tensors]
    if any(length < 0 for shape in each for length in shape):
        return None
    return rows * sum(map(_product, each))


def _product(shape: Sequence[int]) -> int:
    product = 1
    for length in shape:
        product *= int(length)
    return product
