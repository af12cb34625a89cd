"""What each column or tensor holds, in the words of MLflow's schemas."""

from __future__ import annotations

import datetime
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.arrow_types import nested_spec
from autolog_core.data.tensors import facts_of
from autolog_core.data.values import as_numbers, is_missing

ANY = "any"


class Column(NamedTuple):
    """One column.

    `required` says that no value is missing; `nested` is the whole type of lists and structs.
    """

    name: str | None
    type: str
    required: bool
    nested: Mapping[str, Any] | None = None


class Tensor(NamedTuple):
    """One tensor; the first axis, of rows, is -1."""

    name: str | None
    dtype: str
    shape: tuple[int, ...]


_OBJECT_TYPES: dict[type, str] = {
    str: "string",
    np.str_: "string",
    bool: "boolean",
    np.bool_: "boolean",
    int: "long",
    np.int64: "long",
    np.int32: "integer",
    float: "double",
    np.float64: "double",
    np.float32: "float",
    bytes: "binary",
    bytearray: "binary",
    datetime.datetime: "datetime",
    datetime.date: "datetime",
}
_ARROW_TYPES = {
    "bool": "boolean",
    "Boolean": "boolean",
    "halffloat": "float",
    "float": "float",
    "Float32": "float",
    "double": "double",
    "Float64": "double",
    **dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "integer"),
    **dict.fromkeys(("Int8", "Int16", "Int32", "UInt8", "UInt16"), "integer"),
    **dict.fromkeys(("int64", "uint32", "Int64", "UInt32"), "long"),
    **dict.fromkeys(("string", "large_string", "string_view"), "string"),
    **dict.fromkeys(("String", "Categorical", "Enum"), "string"),
    **dict.fromkeys(("binary", "large_binary", "Binary"), "binary"),
    **dict.fromkeys(("timestamp", "date32", "date64", "Datetime", "Date"), "datetime"),
}


def numpy_type(dtype: np.dtype[Any]) -> str:
    """Returns MLflow's word for a dtype; `ANY` where it has none."""
    kind, size = dtype.kind, dtype.itemsize
    if kind in "iu":
        signed = kind == "i"
        if size < 4 or (signed and size == 4):
            return "integer"
        return "long" if size < 8 or signed else ANY
    if kind == "f":
        return "float" if size <= 4 else "double"
    return {"b": "boolean", "U": "string", "T": "string", "S": "binary", "M": "datetime"}.get(
        kind, ANY
    )


def word_of(name: str) -> str:
    """Returns MLflow's word for the name of a dtype of tensors; `ANY` where it has none."""
    try:
        return numpy_type(np.dtype(name))
    except TypeError:
        return ANY


def values_type(values: Sequence[Any]) -> tuple[str, bool]:
    """Returns the type of Python values, and whether none is missing."""
    samples = {type(value): value for value in values}
    complete = True
    found: set[str] = set()
    for cls, value in samples.items():
        if cls is float:
            found.add("double")
            complete &= not any(item != item for item in values)
        elif is_missing(value):
            complete = False
        else:
            known = "datetime" if cls.__name__ == "Timestamp" else ANY
            found.add(_OBJECT_TYPES.get(cls, known))
    return (found.pop() if len(found) == 1 else ANY), complete


def frame_columns(data: Any) -> list[Column]:
    """Returns the columns of a table or of a single column of any library.

    Raises:
        KeyError: `data` is neither.
    """
    kind = kinds.kind_of(data)
    if kind == kinds.PANDAS_VALUES:
        data, kind = sys.modules["pandas"].Series(data), kinds.PANDAS_SERIES
    if kind == kinds.PANDAS_FRAME:
        return [_pandas_column(name, column) for name, column in data.items()]
    if kind == kinds.PANDAS_SERIES:
        return [_pandas_column(data.name, data)]
    if kind == kinds.POLARS_FRAME:
        return [_polars_column(column) for column in data.iter_columns()]
    if kind == kinds.POLARS_SERIES:
        return [_polars_column(data)]
    if kind == kinds.ARROW_TABLE:
        return [
            _arrow_column(name, column)
            for name, column in zip(data.schema.names, data.columns, strict=True)
        ]
    if kind == kinds.ARROW_COLUMN:
        return [_arrow_column(None, data)]
    raise KeyError(kind)


def _pandas_column(name: Any, column: Any) -> Column:
    dtype = column.dtype
    label = None if name is None else str(name)
    if isinstance(dtype, np.dtype) and dtype.kind != "O":
        return Column(label, numpy_type(dtype), not _has_nan(column.to_numpy()))
    complete = not bool(column.isna().any())
    names = {base.__name__ for base in type(dtype).__mro__}
    if "CategoricalDtype" in names:
        return Column(label, _pandas_column(None, dtype.categories.to_series()).type, complete)
    if "StringDtype" in names:
        return Column(label, "string", complete)
    if "DatetimeTZDtype" in names:
        return Column(label, "datetime", complete)
    if "BaseMaskedDtype" in names:
        return Column(label, numpy_type(dtype.numpy_dtype), complete)
    if "ArrowDtype" in names:
        return Column(label, _arrow_type(dtype.pyarrow_dtype), complete)
    if "SparseDtype" in names:
        return Column(label, numpy_type(np.dtype(dtype.subtype)), complete)
    if isinstance(dtype, np.dtype):
        kept = column.to_numpy() if complete else column.dropna().to_numpy()
        return Column(label, values_type(kept.tolist())[0], complete)
    return Column(label, ANY, complete)


def _has_nan(values: np.ndarray[Any, Any]) -> bool:
    if values.size == 0 or values.dtype.kind not in "fcMm":
        return False
    if values.dtype.kind in "Mm":
        return bool(np.isnat(values).any())
    return bool(np.isnan(values.max()))


def _polars_column(column: Any) -> Column:
    spec = _polars_spec(column.dtype)
    nested = spec if len(spec) > 1 else None
    word = ANY if nested else spec["type"]
    return Column(column.name or None, word, bool(column.null_count() == 0), nested)


def _polars_spec(dtype: Any) -> dict[str, Any]:
    base = dtype.base_type().__name__
    if base in ("List", "Array"):
        return {"type": "array", "items": _polars_spec(dtype.inner)}
    if base == "Struct" and dtype.fields:
        fields = {
            field.name: _polars_spec(field.dtype) | {"required": False} for field in dtype.fields
        }
        return {"type": "object", "properties": fields}
    return {"type": _ARROW_TYPES.get(base, ANY)}


def _arrow_column(name: str | None, column: Any) -> Column:
    spec = nested_spec(column.type, _arrow_type)
    nested = spec if len(spec) > 1 else None
    word = ANY if nested else spec["type"]
    return Column(name, word, bool(column.null_count == 0), nested)


def _arrow_type(kind: Any) -> str:
    text = str(kind)
    if text.startswith("dictionary"):
        return _arrow_type(kind.value_type)
    return _ARROW_TYPES.get(text.partition("[")[0], ANY)


def list_columns(values: Sequence[Any]) -> list[Column] | None:
    """Returns the one column of a list of plain values; None for a list of lists or objects."""
    word, complete = values_type(values)
    return None if word == ANY else [Column(None, word, complete)]


def tensor_of(data: Any, name: str | None = None) -> Tensor | None:
    """Returns dtype and shape of an array, tensor, sparse matrix, column or list; None for none."""
    kind = kinds.kind_of(data)
    if kind in (kinds.ARRAY, kinds.SPARSE):
        return Tensor(name, _dtype_word(data.dtype), _rows_free(data.shape))
    if kind == kinds.TENSOR:
        facts = facts_of(data)
        return Tensor(name, facts.dtype, _rows_free(facts.shape))
    if kind in kinds.COLUMNS:
        dtype = getattr(data, "dtype", None)
        plain = dtype if isinstance(dtype, np.dtype) else getattr(dtype, "numpy_dtype", None)
        word = _dtype_word(plain) if isinstance(plain, np.dtype) else _column_dtype(data)
        return Tensor(name, word, (-1,))
    if kind == kinds.LIST:
        return _list_tensor(data, name)
    return None


def _column_dtype(data: Any) -> str:
    word = frame_columns(data)[0].type
    words = {"string": "str", "long": "int64", "integer": "int32", "double": "float64"}
    words |= {"float": "float32", "boolean": "bool", "datetime": "datetime64[ns]"}
    return words.get(word, "object")


def _dtype_word(dtype: np.dtype[Any]) -> str:
    # The width of text is a property of the sample, not of the type.
    return {"U": "str", "S": "bytes"}.get(dtype.kind, str(dtype))


def _rows_free(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (-1, *map(int, shape[1:])) if shape else ()


def _list_tensor(values: Sequence[Any], name: str | None) -> Tensor | None:
    if not len(values):
        return None
    head = as_numbers(values[:1])
    if head is None:
        word, _ = values_type(values)
        return Tensor(name, {"string": "str", "binary": "bytes"}.get(word, "object"), (-1,))
    flat: Iterable[Any] = values
    for _ in range(head.ndim - 1):
        flat = chain.from_iterable(flat)
    try:
        samples = [np.asarray(value) for value in {type(item): item for item in flat}.values()]
        dtype = np.result_type(*samples)
    except TypeError:
        return None
    return Tensor(name, str(dtype), (-1, *head.shape[1:]))
