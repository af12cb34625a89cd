"""Whether the values of a column fit the type that a signature says, and their safe conversion."""

from __future__ import annotations

import datetime
import decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.data.values import is_missing
from autolog_core.models.schema import ColSpec
from autolog_core.models.types import (
    AnyType,
    Array,
    ColumnType,
    DataType,
    Map,
    Object,
    SparkMLVector,
)

if TYPE_CHECKING:
    import pandas as pd

# Whole numbers up to here are floating point numbers of the width, none left out.
_EXACT = {"float32": 2**24, "float64": 2**53}
_MISSING_WHOLE = (
    "missing values make whole numbers floating point: give a signature inferred from data with "
    "missing values, or with the column as double"
)


class Unfit(Exception):
    """Values do not fit; the message says what was expected and what was got."""


def fit_column(column: pd.Series[Any], spec: ColSpec, plain: bool = False) -> pd.Series[Any]:
    """Returns a pandas column as its spec says; the same object where nothing is to be changed.

    Args:
        column: The column.
        spec: What the signature says of it.
        plain: Whether its values were plain Python, whose numbers have no width.

    Raises:
        Unfit: The values do not fit.
    """
    import pandas as pd

    kind = spec.type
    if isinstance(kind, AnyType):
        return column
    if isinstance(kind, DataType):
        return _fit_plain(column, kind, plain)
    values = [fit_value(value, kind, spec.required) for value in column]
    return pd.Series(values, index=column.index, name=column.name, dtype=object)


def _fit_plain(column: pd.Series[Any], kind: DataType, plain: bool) -> pd.Series[Any]:
    dtype: Any = column.dtype
    if not isinstance(dtype, np.dtype):
        column = _without_extension(column, kind)
        dtype = column.dtype
    if dtype.kind == "O" and kind not in (DataType.string, DataType.binary):
        column = column.infer_objects()
        dtype = column.dtype
    if not isinstance(dtype, np.dtype) or dtype.kind == "O":
        return _fit_objects(column, kind)
    wanted = kind.to_numpy()
    if dtype == wanted:
        return column
    if kind in (DataType.string, DataType.binary):
        if dtype.kind in ("U" if kind is DataType.string else "S"):
            return column
        raise _unfit(column, kind)
    if kind is DataType.datetime:
        if dtype.kind != "M":
            raise _unfit(column, kind)
        return column.astype(wanted)
    return _fit_numbers(column, kind, plain)


def _without_extension(column: pd.Series[Any], kind: DataType) -> pd.Series[Any]:
    """Returns a column of a pandas extension dtype with plain values."""
    dtype: Any = column.dtype
    names = {base.__name__ for base in type(dtype).__mro__}
    if "StringDtype" in names:
        return column
    if "DatetimeTZDtype" in names:
        raise Unfit(
            f"expected {kind!r} without time zone, got {dtype}; "
            "use .dt.tz_convert('UTC').dt.tz_localize(None)"
        )
    if "CategoricalDtype" in names:
        return column.astype(dtype.categories.dtype)
    plain = getattr(dtype, "numpy_dtype", None)
    if plain is None or np.dtype(plain).kind == "O":
        return column.astype(object)
    if not column.isna().any():
        return column.astype(plain)
    return column.astype(np.float64 if np.dtype(plain).kind in "iu" else object)


def _fit_objects(column: pd.Series[Any], kind: DataType) -> pd.Series[Any]:
    classes: dict[DataType, tuple[type, ...]] = {
        DataType.string: (str,),
        DataType.binary: (bytes, bytearray),
        DataType.boolean: (bool, np.bool_),
        DataType.datetime: (datetime.date,),
        DataType.double: (decimal.Decimal, int, float),
    }
    allowed = classes.get(kind, ())
    for value in column:
        if not is_missing(value) and not isinstance(value, allowed):
            raise _unfit(column, kind, value)
    if kind is DataType.datetime:
        return column.astype("datetime64[ns]")
    if kind is DataType.double:
        return column.astype(np.float64)
    return column


def _fit_numbers(column: pd.Series[Any], kind: DataType, plain: bool) -> pd.Series[Any]:
    have: np.dtype[Any] = np.dtype(column.to_numpy().dtype)
    wanted = kind.to_numpy()
    values = column.to_numpy()
    exact = have.kind in "iu" and wanted.kind == "f" and have.itemsize >= wanted.itemsize
    if np.can_cast(have, wanted, "safe") and have.kind != "b" and not exact:
        return column.astype(wanted)
    if have.kind in "iu" and wanted.kind == "f":
        limit = _EXACT[wanted.name]
        if len(values) == 0 or (values.min() >= -limit and values.max() <= limit):
            return column.astype(wanted)
        raise Unfit(f"expected {kind!r}, got {have} with values that it cannot hold exactly")
    if plain and have.kind == wanted.kind == "f":
        return column.astype(wanted)
    if plain and have.kind in "iu" and wanted.kind == "i":
        bounds = np.iinfo(wanted)
        if not len(values) or (values.min() >= bounds.min and values.max() <= bounds.max):
            return column.astype(wanted)
    hint = ""
    if have.kind == "f" and wanted.kind == "i" and np.isnan(values).any():
        hint = _MISSING_WHOLE
    raise _unfit(column, kind, hint=hint)


_NOTHING = object()


def _unfit(column: pd.Series[Any], kind: DataType, value: Any = _NOTHING, hint: str = "") -> Unfit:
    if value is _NOTHING:
        got = str(column.dtype)
        if len(column):
            got += f" (such as {column.iloc[0]!r})"
    else:
        got = f"{type(value).__name__} {str(value)[:50]!r}"
    return Unfit(f"expected {kind!r}, got {got}" + (f": {hint}" if hint else ""))


def fit_value(value: Any, kind: ColumnType, required: bool = True) -> Any:
    """Returns one value as a type says; lists and mappings are checked all through.

    Raises:
        Unfit: It does not fit.
    """
    if isinstance(kind, AnyType) or (not required and is_missing(value)):
        return value
    if isinstance(kind, (Array, SparkMLVector)):
        return _fit_array(value, kind.dtype)
    if isinstance(kind, (Object, Map)):
        if not isinstance(value, dict):
            raise Unfit(f"expected a mapping, got {type(value).__name__}")
        return _fit_object(value, kind) if isinstance(kind, Object) else _fit_map(value, kind)
    import pandas as pd

    if is_missing(value) or isinstance(value, (list, dict, np.ndarray)):
        raise Unfit(f"expected {kind!r}, got {'nothing' if is_missing(value) else value!r}")
    plain = not isinstance(value, np.generic)
    return _fit_plain(pd.Series([value]), kind, plain).to_numpy()[0]


def _fit_array(value: Any, kind: ColumnType) -> Any:
    if not isinstance(value, (list, tuple, np.ndarray)):
        raise Unfit(f"expected a list, got {type(value).__name__}")
    if isinstance(kind, DataType) and len(value):
        import pandas as pd

        plain = not isinstance(value, np.ndarray)
        whole = _fit_plain(pd.Series(list(value) if plain else value), kind, plain).to_numpy()
        return whole.tolist() if plain else whole
    found = [fit_value(each, kind) for each in value]
    return np.array(found) if isinstance(value, np.ndarray) else found


def _fit_object(value: dict[Any, Any], kind: Object) -> dict[Any, Any]:
    known = {each.name: each for each in kind.properties}
    missing = [name for name, each in known.items() if each.required and name not in value]
    if missing:
        raise Unfit(f"the mapping lacks {', '.join(map(repr, missing))}")
    unknown = [name for name in value if name not in known]
    if unknown:
        raise Unfit(f"the mapping has {', '.join(map(repr, unknown))}, which is not known")
    found = {}
    for name, each in value.items():
        try:
            found[name] = fit_value(each, known[name].dtype, known[name].required)
        except Unfit as unfit:
            raise Unfit(f"{name!r}: {unfit}") from None
    return found


def _fit_map(value: dict[Any, Any], kind: Map) -> dict[Any, Any]:
    if not all(isinstance(name, str) for name in value):
        raise Unfit("expected a mapping of text")
    return {name: fit_value(each, kind.value_type) for name, each in value.items()}
