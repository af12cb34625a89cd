"""Tables as artifacts: JSON (columns and rows) or Parquet.

JSON is appended to as JSON: a round trip through a frame would guess types anew each time, and turn
the text "001" into the number 1.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autolog._content import extension
from autolog._images import is_image
from autolog_core.errors import CorruptStore, InvalidArgument, MissingExtra

if TYPE_CHECKING:
    import pandas as pd


def check_table_file(artifact_file: str) -> str:
    """Returns the ending of a table's file.

    Raises:
        InvalidArgument: It is neither .json nor .parquet.
    """
    kind = extension(artifact_file)
    if kind not in (".json", ".parquet"):
        raise InvalidArgument(f"artifact_file {artifact_file!r} must end in .json or .parquet")
    return kind


def to_frame(data: Any, save_image: Callable[[Any], dict[str, str]]) -> pd.DataFrame:
    """Returns a table as a frame of its own, images replaced by where they were saved.

    Args:
        data: A frame, or a mapping of columns to lists or to single values.
        save_image: Saves an image and returns what stands for it in the table.

    Raises:
        InvalidArgument: It is neither, or a column mixes images with other values.
    """
    import pandas as pd

    if isinstance(data, pd.DataFrame):
        frame = data.copy()
    elif isinstance(data, Mapping):
        try:
            frame = pd.DataFrame(dict(data))
        except ValueError:
            # Single values make one row.
            frame = pd.DataFrame([dict(data)])
    else:
        raise InvalidArgument(f"data must be a DataFrame or a dict, got {type(data).__name__}")
    for column in frame.columns:
        if frame[column].dtype != object or not len(frame):
            continue
        images = [is_image(value) for value in frame[column]]
        if all(images):
            cells: list[Any] = [save_image(value) for value in frame[column]]
            frame[column] = cells
        elif any(images):
            raise InvalidArgument(f"column {column!r} mixes images with other values")
    return frame


def append_json(frame: pd.DataFrame, before: bytes | None) -> bytes:
    """Returns the rows of `before` and then those of `frame`; an absent cell is null.

    Raises:
        CorruptStore: `before` is no table.
    """
    old_columns, rows = ([], []) if before is None else _parsed(before)
    names = [column if isinstance(column, str) else str(column) for column in frame.columns]
    columns = [*old_columns, *(name for name in names if name not in set(old_columns))]
    padding = [None] * (len(columns) - len(old_columns))
    rows = [[*row, *padding] for row in rows] if padding else rows
    at = [columns.index(name) for name in names]
    for cells in frame.itertuples(index=False, name=None):
        row: list[Any] = [None] * len(columns)
        for position, cell in zip(at, cells, strict=True):
            row[position] = plain(cell)
        rows.append(row)
    return json.dumps({"columns": columns, "data": rows}, allow_nan=False).encode()


def read_json(content: bytes) -> pd.DataFrame:
    """Returns the table as a frame.

    Raises:
        CorruptStore: It is no table.
    """
    import pandas as pd

    columns, rows = _parsed(content)
    return pd.DataFrame(rows, columns=columns)


def _parsed(content: bytes) -> tuple[list[Any], list[list[Any]]]:
    try:
        table = json.loads(content)
        columns, rows = table["columns"], table["data"]
        whole = all(len(row) == len(columns) for row in rows)
    except (ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise CorruptStore(
            "the file is no table: JSON with 'columns' and 'data' is needed; log the new table "
            "under another name"
        )
    return columns, rows


def append_parquet(frame: pd.DataFrame, before: bytes | None) -> bytes:
    """Returns the rows of `before` and then those of `frame`.

    Raises:
        MissingExtra: No Parquet library is installed.
    """
    import pandas as pd

    if before is not None:
        frame = pd.concat([read_parquet(before), frame], ignore_index=True)
    buffer = io.BytesIO()
    try:
        frame.to_parquet(buffer, index=False)
    except ImportError as error:
        raise _no_parquet(error) from error
    return buffer.getvalue()


def read_parquet(content: bytes) -> pd.DataFrame:
    """Returns the table as a frame.

    Raises:
        MissingExtra: No Parquet library is installed.
    """
    import pandas as pd

    try:
        return pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise _no_parquet(error) from error


def _no_parquet(error: ImportError) -> MissingExtra:
    return MissingExtra(f"Parquet needs pyarrow: pip install pyarrow, or use .json ({error})")


def plain(value: Any) -> Any:
    """Returns a cell as what JSON knows: NaN, NaT and infinities are null, odd things text."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist") and value.dtype.kind not in "mM":
        return plain(value.tolist())
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def add_columns(
    frame: pd.DataFrame, extra_columns: Sequence[str], values: Mapping[str, Any]
) -> pd.DataFrame:
    """Adds columns that hold one value of the run; a taken name gets an underscore.

    Raises:
        InvalidArgument: A column is none of the run's.
    """
    for column in extra_columns:
        if column not in values:
            raise InvalidArgument(
                f"extra_columns: the run has no {column!r}; use a column of search_runs(), such "
                "as 'run_id' or 'params.lr'"
            )
        frame[f"{column}_" if column in frame else column] = values[column]
    return frame
