"""Writers of rows, one per format. Each streams: memory does not grow with the rows."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import IO, Any

from autolog_core.cli.export.rows import POINT_COLUMNS, TIME_COLUMNS
from autolog_core.cli.output import jsonable
from autolog_core.errors import MissingExtra

_BATCH = 5000
_WHOLE_NUMBERS = frozenset(("step",))


def write_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """Writes rows as CSV with a heading; times are ISO 8601 in UTC, a missing value is empty."""
    import codecs

    # A text wrapper would close `out` when it is collected after a reader has left.
    writer = csv.writer(codecs.getwriter("utf-8")(out))
    writer.writerow(columns)
    times = [name in TIME_COLUMNS for name in columns]
    for row in rows:
        writer.writerow(
            [
                _csv_time(row.get(name)) if is_time else _csv_value(row.get(name))
                for name, is_time in zip(columns, times, strict=True)
            ]
        )


def _csv_time(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    try:
        moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _csv_value(value: Any) -> Any:
    # csv writes a float as repr does, so it reads back the same.
    return "NaN" if isinstance(value, float) and value != value else value


def write_jsonl(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """Writes one JSON object per line."""
    for record in records:
        out.write(_json(record) + b"\n")


def write_json(records: Iterable[Mapping[str, Any]], out: IO[bytes]) -> None:
    """Writes one JSON array, an object per line."""
    out.write(b"[")
    mark = b"\n"
    for record in records:
        out.write(mark + _json(record))
        mark = b",\n"
    out.write(b"\n]\n")


def _json(record: Mapping[str, Any]) -> bytes:
    return json.dumps(jsonable(record), ensure_ascii=False, separators=(",", ":")).encode()


def write_parquet(
    columns: Sequence[str], rows: Iterable[Mapping[str, Any]], out: IO[bytes]
) -> None:
    """Writes rows as Parquet; metrics are doubles, times are UTC milliseconds, the rest is text.

    Raises:
        MissingExtra: pyarrow is not installed.
    """

    def batches() -> Iterator[dict[str, Any]]:
        remaining = iter(rows)
        while part := list(islice(remaining, _BATCH)):
            yield {name: [row.get(name) for row in part] for name in columns}

    write_parquet_columns(columns, batches(), out)


def write_parquet_columns(
    columns: Sequence[str], batches: Iterable[Mapping[str, Any]], out: IO[bytes]
) -> None:
    """Writes batches of equally long columns as Parquet.

    Raises:
        MissingExtra: pyarrow is not installed.
    """
    pyarrow, parquet = import_pyarrow()
    kinds = {"text": pyarrow.string(), "number": pyarrow.float64(), "whole": pyarrow.int64()}
    kinds["time"] = pyarrow.timestamp("ms", tz="UTC")
    schema = pyarrow.schema([(name, kinds[_kind(name)]) for name in columns])
    with parquet.ParquetWriter(out, schema, compression="zstd") as writer:
        for batch in batches:
            arrays = [
                pyarrow.array(batch[field.name], type=field.type, from_pandas=False)
                for field in schema
            ]
            writer.write_table(pyarrow.table(arrays, schema=schema))


def _kind(name: str) -> str:
    if name in TIME_COLUMNS:
        return "time"
    if name in _WHOLE_NUMBERS:
        return "whole"
    return "number" if name.startswith("metrics.") or name == "value" else "text"


def import_pyarrow() -> tuple[Any, Any]:
    """Returns pyarrow and its module for Parquet.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra(
            "Parquet needs pyarrow: pip install pyarrow, or use --format csv or jsonl"
        ) from None
    return pyarrow, pyarrow.parquet


def each_point(batches: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yields the points of batches of columns one by one."""
    for batch in batches:
        for values in zip(*(_as_list(batch[name]) for name in POINT_COLUMNS), strict=True):
            yield dict(zip(POINT_COLUMNS, values, strict=True))


def _as_list(column: Any) -> list[Any]:
    return list(column.tolist() if hasattr(column, "tolist") else column)
