"""What goes into a model must fit its signature; where it does not, all that is wrong is said.

Columns come in the order that the model takes them, those that it does not know are left out, and
values are converted where nothing can be lost: whole numbers to wider ones, and to floating point
that holds them exactly; single precision to double; dates to times. Data that was written as plain
Python lists and mappings has no width of its own, so its numbers take the width that is asked for.
Tensors must have the dtype and the shape that the signature says.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument
from autolog_core.models.enforce_columns import Unfit, fit_column
from autolog_core.models.enforce_tensors import fit_tensors
from autolog_core.models.schema import ColSpec, Schema
from autolog_core.models.tables import as_pandas
from autolog_core.models.types import Array, DataType, Map, Object

_logger = logging.getLogger("autolog")
_SHOWN = 10
_REMEDY = (
    "change the data, or save the model with a signature that says what it takes "
    "(autolog.models.infer_signature)"
)


def fit_input(data: Any, schema: Schema | None) -> Any:
    """Returns data as a model of this signature takes it.

    Args:
        data: A table or column of pandas, polars or Arrow, an array, a sparse matrix, a mapping, a
            list, or a single value.
        schema: Of the model's input; None lets everything through as it is.

    Returns:
        A pandas frame for columns, arrays for tensors; never `data` changed in place.

    Raises:
        InvalidArgument: The data does not fit; the message lists what is wrong.
    """
    if schema is None:
        return data
    if schema.is_tensor_spec():
        found, problems = fit_tensors(data, schema)
    else:
        found, problems = _fit_columns(data, schema)
    if problems:
        shown = problems[:_SHOWN]
        if len(problems) > _SHOWN:
            shown.append(f"and {len(problems) - _SHOWN} more")
        raise InvalidArgument(
            f"the data does not fit the model's signature: {'; '.join(shown)}; {_REMEDY}"
        )
    return found


def _fit_columns(data: Any, schema: Schema) -> tuple[Any, list[str]]:
    frame, plain = _as_frame(data, schema)
    if frame is None:
        return None, [f"expected a table, got {type(data).__name__}"]
    names = schema.input_names()
    if not schema.has_input_names():
        if frame.shape[1] < len(schema):
            return None, [f"expected {len(schema)} columns, got {frame.shape[1]}"]
        names = list(frame.columns[: len(schema)])
    if not frame.columns.is_unique:
        return None, ["two columns of the data have the same name"]
    dtypes = dict(zip(frame.columns, frame.dtypes, strict=True))
    known = set(names)
    extra = [name for name in dtypes if name not in known]
    if extra:
        _logger.debug("columns %s are not in the model's signature and are left out", extra)
    changed: dict[Any, Any] = {}
    problems = []
    for name, spec in zip(names, schema.inputs, strict=True):
        assert isinstance(spec, ColSpec)
        if name not in dtypes:
            if spec.required:
                there = f"; the data has {extra[:_SHOWN]} besides" if extra else ""
                problems.append(f"column {name!r} ({spec.type!r}) is missing{there}")
            continue
        if isinstance(spec.type, DataType) and dtypes[name] == spec.type.to_numpy():
            continue
        column = frame[name]
        try:
            fitted = fit_column(column, spec, plain)
        except Unfit as unfit:
            problems.append(f"column {name!r}: {unfit}")
        else:
            if fitted is not column:
                changed[name] = fitted
    return _chosen(frame, [name for name in names if name in dtypes], changed), problems


def _chosen(frame: Any, names: list[Any], changed: Mapping[Any, Any]) -> Any:
    if changed:
        import pandas as pd

        found = {name: changed[name] if name in changed else frame[name] for name in names}
        return pd.DataFrame(found, index=frame.index)
    return frame if names == list(frame.columns) else frame[names]


def _as_frame(data: Any, schema: Schema) -> tuple[Any, bool]:
    """Returns the data as a pandas frame, and whether it was written in plain Python."""
    import pandas as pd

    kind = kinds.kind_of(data)
    if kind in kinds.FRAMES or kind in kinds.COLUMNS:
        return as_pandas(data), False
    if kind == kinds.SPARSE:
        return pd.DataFrame(data.toarray(), columns=_names_for(data.shape, schema)), False
    if kind == kinds.ARRAY:
        if data.ndim > 2:
            return None, False
        wide = data.reshape(-1, 1) if data.ndim == 1 and len(schema) == 1 else data
        return pd.DataFrame(wide, columns=_names_for(wide.shape, schema)), False
    if kind == kinds.DICT:
        return _mapping_frame(data, schema), True
    if kind == kinds.LIST:
        rows = list(data)
        named = any(isinstance(row, Mapping) for row in rows)
        frame = pd.DataFrame(rows)
        if not named and schema.has_input_names() and frame.shape[1] == len(schema):
            frame.columns = pd.Index(schema.input_names())
        return frame, True
    if np.isscalar(data) or data is None:
        return pd.DataFrame([data]), True
    return None, False


def _names_for(shape: tuple[int, ...], schema: Schema) -> Any:
    # An array has no names: its columns are those of the signature where the count is the same.
    if len(shape) == 2 and schema.has_input_names() and shape[1] == len(schema):
        return schema.input_names()
    return None


def _mapping_frame(data: Mapping[Any, Any], schema: Schema) -> Any:
    import pandas as pd

    nested = any(isinstance(spec.type, (Array, Object, Map)) for spec in schema.inputs)
    if nested or all(np.isscalar(value) or value is None for value in data.values()):
        return pd.DataFrame([dict(data)])
    texts = all(
        isinstance(value, str)
        or (isinstance(value, list) and all(isinstance(each, str) for each in value))
        for value in data.values()
    )
    if texts:
        # MLflow takes a mapping of texts as one row.
        return pd.DataFrame([dict(data)])
    try:
        return pd.DataFrame(
            {
                name: list(value) if isinstance(value, np.ndarray) and value.ndim > 1 else value
                for name, value in data.items()
            }
        )
    except ValueError as error:
        raise InvalidArgument(f"the columns of the data cannot make a table: {error}") from error
