"""Tables of any library as pandas frames, and back from JSON."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.errors import InvalidArgument
from autolog_core.models.schema import ColSpec, Schema
from autolog_core.models.types import DataType

if TYPE_CHECKING:
    import pandas as pd


def as_pandas(data: Any) -> Any:
    """Returns a table or column of polars or Arrow, or a series, as a pandas frame.

    Anything else is returned as it is.
    """
    import pandas as pd

    kind = kinds.kind_of(data)
    if kind == kinds.PANDAS_SERIES:
        return data.to_frame()
    if kind == kinds.POLARS_FRAME:
        return pd.DataFrame({column.name: column.to_numpy() for column in data.iter_columns()})
    if kind == kinds.POLARS_SERIES:
        return pd.DataFrame({data.name or 0: data.to_numpy()})
    if kind == kinds.ARROW_TABLE:
        return data.to_pandas()
    if kind == kinds.ARROW_COLUMN:
        return data.to_pandas().to_frame()
    return data


def to_json(value: Any) -> Any:
    """Returns a value as JSON can hold it: bytes as base64, times as ISO text, NaN as null.

    Raises:
        InvalidArgument: JSON cannot hold it.
    """
    if isinstance(value, np.ndarray) and value.dtype.kind in "biu":
        return value.tolist()
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else np.datetime_as_string(value)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if value != value else value
    if isinstance(value, (bytes, bytearray)):
        return base64.encodebytes(value).decode("ascii")
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): to_json(each) for name, each in value.items()}
    if isinstance(value, np.ndarray):
        # Times of numpy would become plain numbers as a list.
        return [to_json(each) for each in (value if value.dtype.kind == "M" else value.tolist())]
    if isinstance(value, (list, tuple)):
        return [to_json(each) for each in value]
    raise InvalidArgument(
        f"an input example must hold numbers, text, times, bytes, lists and mappings, "
        f"got {type(value).__name__}"
    )


def split_frame(frame: pd.DataFrame) -> dict[str, Any]:
    """Returns a pandas frame as the JSON of ``orient="split"``, without its index."""
    columns = [frame.iloc[:, place].tolist() for place in range(frame.shape[1])]
    rows = [to_json(row) for row in zip(*columns, strict=True)]
    names = to_json(frame.columns.tolist())
    if names == list(range(len(names))):
        return {"data": rows}
    return {"columns": names, "data": rows}


def read_frame(split: Mapping[str, Any], schema: Schema | None) -> pd.DataFrame:
    """Returns the pandas frame of ``orient="split"``, with the dtypes that the schema tells."""
    import pandas as pd

    frame = pd.DataFrame(split["data"], columns=split.get("columns"), index=split.get("index"))
    if schema is None or schema.is_tensor_spec():
        return frame
    for place, spec in enumerate(schema.inputs):
        name = spec.name if spec.name is not None else place
        if name in frame.columns and isinstance(spec, ColSpec):
            frame[name] = _read_column(frame[name], spec)
    return frame


def _read_column(column: Any, spec: ColSpec) -> Any:
    import pandas as pd

    if spec.type is DataType.binary:
        return column.map(lambda text: text and base64.decodebytes(text.encode("ascii")))
    if spec.type is DataType.datetime:
        return pd.to_datetime(column).astype("datetime64[ns]")
    numbers = (DataType.float, DataType.double)
    if not isinstance(spec.type, DataType) or spec.type is DataType.string:
        return column
    if spec.type in numbers or not column.isna().any():
        return column.astype(spec.type.to_numpy())
    return column
