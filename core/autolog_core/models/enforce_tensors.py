"""Whether arrays fit the dtypes and shapes that a signature says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.models.schema import Schema, TensorSpec
from autolog_core.models.tables import as_pandas


def fit_tensors(data: Any, schema: Schema) -> tuple[Any, list[str]]:
    """Returns arrays as the signature says, and what does not fit.

    Tables give one array: of all columns for a signature without names, or one of each column.
    """
    specs = [spec for spec in schema.inputs if isinstance(spec, TensorSpec)]
    frame = as_pandas(data)
    table = kinds.kind_of(frame) == kinds.PANDAS_FRAME
    if not schema.has_input_names():
        array = _table_array(frame, specs[0]) if table else _array(data, specs[0])
        problem = _mismatch(array, specs[0])
        return array, [problem] if problem else []
    if not table and not isinstance(data, Mapping):
        if len(specs) > 1 or not isinstance(data, np.ndarray):
            names = ", ".join(repr(spec.name) for spec in specs)
            got = type(data).__name__
            return None, [f"expected a mapping of {names} to arrays, or a table, got {got}"]
        data = {specs[0].name: data}
    found, problems = {}, []
    for spec in specs:
        if spec.name not in (frame.columns if table else data):
            problems.append(f"input {spec.name!r} is missing")
            continue
        part = frame[spec.name] if table else data[spec.name]
        array = _column_array(part, spec) if table else _array(part, spec)
        problem = _mismatch(array, spec)
        if problem:
            problems.append(f"input {spec.name!r}: {problem}")
        found[spec.name] = array
    return found, problems


def _array(data: Any, spec: TensorSpec) -> Any:
    if isinstance(data, (list, tuple)):
        # Plain lists have no dtype of their own.
        try:
            return np.asarray(data, spec.type)
        except (ValueError, TypeError):
            return data
    return data


def _table_array(frame: Any, spec: TensorSpec) -> Any:
    if frame.shape[1] == 1 and len(spec.shape) != 2:
        return _column_array(frame.iloc[:, 0], spec)
    if frame.shape[1] == 1 and len(frame) and isinstance(frame.iloc[0, 0], (list, np.ndarray)):
        return _column_array(frame.iloc[:, 0], spec)
    return frame.to_numpy()


def _column_array(column: Any, spec: TensorSpec) -> Any:
    values = column.to_numpy()
    shape = tuple(spec.shape)
    if len(values) and isinstance(values[0], (list, np.ndarray)):
        typed = isinstance(values[0], np.ndarray)
        try:
            stacked = np.stack([np.asarray(each) for each in values])
            # Lists lost shape and dtype on their way; arrays have kept their dtype.
            whole = stacked.reshape((len(values), *shape[1:]))
        except ValueError:
            return values
        return whole if typed else whole.astype(spec.type)
    if shape in ((-1,), (-1, 1)) and values.dtype.kind in "biufO":
        try:
            return values.reshape(shape).astype(spec.type)
        except (ValueError, TypeError):
            return values
    return values


def _mismatch(array: Any, spec: TensorSpec) -> str | None:
    if not isinstance(array, np.ndarray) and kinds.kind_of(array) != kinds.SPARSE:
        return f"expected an array of {spec.type}, got {type(array).__name__}"
    expected = tuple(spec.shape)
    ragged = isinstance(array, np.ndarray) and array.dtype.kind == "O" and array.ndim == 1
    if spec.type.kind == "O" and expected == (-1,):
        return None
    if ragged and len(expected) > 1 and -1 in expected[1:]:
        return None
    shape = tuple(array.shape)
    if len(shape) != len(expected) or any(
        want not in (-1, have) for want, have in zip(expected, shape, strict=True)
    ):
        return f"expected shape {expected}, got {shape}"
    same = array.dtype == spec.type or array.dtype.kind == spec.type.kind in ("U", "S")
    return None if same else f"expected dtype {spec.type}, got {array.dtype}"
