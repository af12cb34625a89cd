"""Signatures told from data. No library is imported to ask whether data is of its kind."""

from __future__ import annotations

import datetime
import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.columns import ANY, Column, frame_columns, values_type
from autolog_core.data.values import is_missing
from autolog_core.errors import InvalidArgument
from autolog_core.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from autolog_core.models.signature import ModelSignature
from autolog_core.models.types import AnyType, Array, ColumnType, DataType, Object, Property, merge

_logger = logging.getLogger("autolog")
_DEPTH = 50
_SCALARS: dict[type, DataType] = {
    bool: DataType.boolean,
    np.bool_: DataType.boolean,
    int: DataType.long,
    np.int64: DataType.long,
    np.uint32: DataType.long,
    float: DataType.double,
    np.float64: DataType.double,
    np.float32: DataType.float,
    np.float16: DataType.float,
    str: DataType.string,
    np.str_: DataType.string,
    bytes: DataType.binary,
    np.bytes_: DataType.binary,
    bytearray: DataType.binary,
    np.datetime64: DataType.datetime,
    **dict.fromkeys((np.int8, np.int16, np.int32, np.uint8, np.uint16), DataType.integer),
}


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """Returns the signature of a model that takes and gives such data.

    Tables (pandas, polars, Arrow), single columns, lists and mappings become columns; arrays,
    sparse matrices and mappings of arrays become tensors, with any number of rows. A column in
    which a value is missing is optional. Where nothing can be told, the part is of type `AnyType`
    and a warning says why.

    Args:
        model_input: Data as the model takes it, such as the training data.
        model_output: What the model gives for it.
        params: Values of the parameters that prediction takes.

    Raises:
        InvalidArgument: All are missing, or a param is of a kind that params cannot have.
    """
    return ModelSignature(
        _schema_or_any(model_input, "input"),
        _schema_or_any(model_output, "output"),
        infer_params(params) if params else None,
    )


def _schema_or_any(data: Any, role: str) -> Schema | None:
    if data is None:
        return None
    try:
        return infer_schema(data)
    except InvalidArgument as error:
        _logger.warning(
            "the schema of the model's %s cannot be told from the data, so any will be accepted: "
            "%s",
            role,
            error,
        )
        return Schema([ColSpec(AnyType())])


def infer_schema(data: Any) -> Schema:
    """Returns the schema of data.

    Raises:
        InvalidArgument: It is of no kind that schemas know.
    """
    kind = kinds.kind_of(data)
    if kind in kinds.FRAMES or kind in kinds.COLUMNS:
        return Schema(_frame_specs(data, str(kind)))
    if kind in (kinds.ARRAY, kinds.SPARSE):
        return Schema([_tensor(data)])
    if kind == kinds.DICT:
        return _mapping_schema(data)
    if kind == kinds.LIST:
        return _list_schema(data)
    return Schema([ColSpec(infer_type(data))])


def _tensor(data: Any, name: str | None = None) -> TensorSpec:
    if not data.shape:
        raise InvalidArgument("an array without axes has no rows; reshape it to (1,)")
    return TensorSpec(data.dtype, (-1, *data.shape[1:]), name)


def _mapping_schema(data: Mapping[Any, Any]) -> Schema:
    if not all(isinstance(name, str) for name in data):
        raise InvalidArgument(f"the keys of a mapping of data must be text, got {list(data)[:5]}")
    if data and all(isinstance(value, np.ndarray) for value in data.values()):
        return Schema([_tensor(value, name) for name, value in data.items()])
    return Schema(
        [ColSpec(infer_type(value), name, not _lacks(value)) for name, value in data.items()]
    )


def _lacks(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(is_missing(each) for each in value)
    return is_missing(value)


def _list_schema(values: Sequence[Any]) -> Schema:
    if not values:
        return Schema([ColSpec(DataType.string)])
    if not all(isinstance(value, Mapping) for value in values):
        return Schema([ColSpec(_items_type(values))])
    names = dict.fromkeys(name for row in values for name in row)
    return Schema(
        [
            ColSpec(
                _items_type([row[name] for row in values if name in row]),
                name,
                all(not is_missing(row.get(name)) for row in values),
            )
            for name in names
        ]
    )


def _frame_specs(data: Any, kind: str) -> list[ColSpec]:
    columns = frame_columns(data)
    labels = [column.name for column in columns]
    values: list[Any] = [data]
    if kind == kinds.PANDAS_FRAME:
        # Names may be numbers, and models look columns up by the name itself.
        labels = [_label(name) for name in data.columns]
        values = [column for _, column in data.items()]
    elif kind == kinds.POLARS_FRAME:
        values = list(data.iter_columns())
    elif kind == kinds.ARROW_TABLE:
        values = list(data.columns)
    single = kind in kinds.COLUMNS and columns[0].name is None
    return [
        ColSpec(_column_type(column, part), label, column.required or single)
        for column, label, part in zip(columns, labels, values, strict=True)
    ]


def _label(name: Any) -> Any:
    if isinstance(name, np.integer):
        return int(name)
    return name if isinstance(name, (str, int)) else str(name)


def _column_type(column: Column, values: Any) -> ColumnType:
    if column.type != ANY:
        return DataType[column.type]
    to_list = getattr(values, "to_list", None) or values.to_pylist
    return _items_type(to_list())


def _items_type(values: Iterable[Any]) -> ColumnType:
    found = infer_type(list(values))
    return found.dtype if isinstance(found, Array) else found


def infer_type(value: Any, depth: int = 0) -> ColumnType:
    """Returns the type of one value; lists are Arrays, mappings are Objects.

    Raises:
        InvalidArgument: It is of no kind that types know, or holds several that do not go together.
    """
    if depth > _DEPTH:
        raise InvalidArgument(f"data is nested deeper than {_DEPTH} levels")
    if is_missing(value) or (isinstance(value, (list, tuple, dict)) and not value):
        return AnyType()
    if isinstance(value, dict):
        if not all(isinstance(name, str) for name in value):
            raise InvalidArgument(f"the keys of a mapping must be text, got {list(value)[:5]}")
        return Object([_property(name, each, depth) for name, each in value.items()])
    if isinstance(value, (list, tuple, np.ndarray)):
        return _array_type(value, depth)
    known = _SCALARS.get(type(value))
    if known is None and isinstance(value, (datetime.date, np.datetime64)):
        known = DataType.datetime
    if known is None:
        raise InvalidArgument(f"values of type {type(value).__name__} have no type in a signature")
    return known


def _property(name: str, value: Any, depth: int) -> Property:
    kind = infer_type(value, depth + 1)
    return Property(name, kind, not isinstance(kind, AnyType))


def _array_type(values: Any, depth: int) -> ColumnType:
    if depth == 0 and isinstance(values, (list, tuple)):
        word, _ = values_type(values)
        if word != ANY:
            return Array(DataType[word])
    found: ColumnType | None = None
    for value in values:
        kind = infer_type(value, depth + 1)
        found = kind if found is None else merge(found, kind)
    return Array(AnyType() if found is None else found)


def infer_params(params: Mapping[str, Any]) -> ParamSchema:
    """Returns the schema of params with these values as defaults.

    Raises:
        InvalidArgument: A value is neither single, nor a list of such, nor a mapping.
    """
    return ParamSchema([_param(str(name), value) for name, value in params.items()])


def _param(name: str, value: Any) -> ParamSpec:
    nested = isinstance(value, (list, tuple, np.ndarray))
    kind = infer_type(value)
    if nested and isinstance(kind, Array):
        kind = kind.dtype
    if not isinstance(kind, (DataType, Object)) or (nested and isinstance(kind, Object)):
        raise InvalidArgument(
            f"param {name!r} must be a single value, a list of such or a mapping, got {value!r}"
        )
    return ParamSpec(name, kind, value, (-1,) if nested else None)
