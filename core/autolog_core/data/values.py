"""Digests of Python values: text, numbers, and what lists and object columns hold.

Values are taken in chunks of a fixed count, so that the digest depends on the values alone.
"""

from __future__ import annotations

import enum
import struct
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.writer import Writer, sized

CHUNK = 8192
_TEXT_PIECE = 2**20
_DEPTH = 50
_NAN = struct.pack("<d", float("nan"))

# Classes whose repr is the value and nothing else.
_PLAIN_MODULES = frozenset(
    ("datetime", "decimal", "fractions", "uuid", "pathlib", "ipaddress", "zoneinfo", "pandas")
)
_PLAIN_TYPES = (complex, range, slice)


def is_missing(value: Any) -> bool:
    """Whether `value` stands for a missing one: None, NaN, pandas' NA and NaT."""
    if value is None:
        return True
    if isinstance(value, float):
        return value != value
    return type(value).__name__ in ("NAType", "NaTType")


def write_slices(writer: Writer, count: int, take: Callable[[int, int], list[Any]]) -> None:
    """Adds `count` values that ``take(start, stop)`` returns chunk by chunk."""
    for start in range(0, count, CHUNK):
        write_chunk(writer, take(start, min(start + CHUNK, count)))


def write_values(writer: Writer, values: Sequence[Any]) -> None:
    """Adds the values of a list or tuple."""
    write_slices(writer, len(values), lambda start, stop: list(values[start:stop]))


def write_chunk(writer: Writer, chunk: list[Any]) -> None:
    """Adds one chunk of at most `CHUNK` values, as text, as numbers or one by one."""
    if _write_text(writer, chunk) or _write_numbers(writer, chunk):
        return
    writer.label("values")
    writer.raw(b"".join([encode(value, writer) for value in chunk]))


def _write_text(writer: Writer, chunk: list[Any]) -> bool:
    if not isinstance(chunk[0], str) and not is_missing(chunk[0]):
        return False
    texts, missing = chunk, None
    if not all(isinstance(value, str) for value in chunk):
        missing = np.fromiter(map(is_missing, chunk), np.bool_, len(chunk))
        texts = [value for value in chunk if not is_missing(value)]
        if len(texts) == len(chunk) or not all(isinstance(value, str) for value in texts):
            return False
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    writer.label("text" if missing is None else "text with gaps")
    writer.numbers(len(chunk), len(texts))
    if missing is not None:
        writer.raw(missing.view(np.uint8))
    writer.raw(lengths.view(np.uint8))
    # Long documents are joined a megabyte at a time, not all at once.
    step = max(1, len(texts) * _TEXT_PIECE // max(1, int(lengths.sum())))
    for start in range(0, len(texts), step):
        writer.raw("".join(texts[start : start + step]).encode("utf-8", "surrogatepass"))
    return True


def _write_numbers(writer: Writer, chunk: list[Any]) -> bool:
    numbers = as_numbers(chunk)
    if numbers is None:
        return False
    _write_part(writer, numbers)
    return True


def _write_part(writer: Writer, part: np.ndarray[Any, Any]) -> None:
    from autolog_core.data.arrays import write_array

    write_array(writer, part)


def as_numbers(values: Sequence[Any]) -> np.ndarray[Any, Any] | None:
    """Returns a list of numbers, or of equally long lists of numbers, as an array.

    Returns:
        None when the values are anything else.
    """
    first = values[0] if len(values) else None
    if not isinstance(first, (bool, int, float, list, tuple, np.number, np.bool_)):
        return None
    if isinstance(first, (list, tuple)) and not _starts_with_number(first):
        return None
    try:
        array = np.array(values)
    except (ValueError, TypeError, OverflowError):
        return None
    return array if array.dtype.kind in "biuf" else None


def _starts_with_number(row: Any) -> bool:
    for _ in range(_DEPTH):
        if not isinstance(row, (list, tuple)) or not row:
            break
        row = row[0]
    return isinstance(row, (bool, int, float, np.number, np.bool_))


def encode(value: Any, writer: Writer, depth: int = 0) -> bytes:
    """Returns the bytes that stand for one Python value in a digest.

    An object of a class that is not known here is told by its class only, and counted in
    `Writer.opaque`: its repr or pickle may differ from process to process.
    """
    kind = type(value)
    if kind is str:
        return b"s" + sized(value.encode("utf-8", "surrogatepass"))
    if value is None:
        return b"N"
    if kind is bool:
        return b"b1" if value else b"b0"
    if kind is int:
        return b"i" + sized(b"%x" % value)
    if kind is float:
        return b"f" + (struct.pack("<d", value) if value == value else _NAN)
    if isinstance(value, (bytes, bytearray)):
        return b"y" + sized(bytes(value))
    return _encode_other(value, writer, depth)


def _encode_other(value: Any, writer: Writer, depth: int) -> bytes:
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}".encode()
    if depth < _DEPTH:
        if isinstance(value, (list, tuple)):
            items = [encode(item, writer, depth + 1) for item in value]
            return b"l%d:" % len(items) + b"".join(items)
        if isinstance(value, dict):
            pairs = [
                encode(key, writer, depth + 1) + encode(item, writer, depth + 1)
                for key, item in value.items()
            ]
            return b"d%d:" % len(pairs) + b"".join(sorted(pairs))
        if isinstance(value, (set, frozenset)):
            members = sorted(encode(item, writer, depth + 1) for item in value)
            return b"e%d:" % len(members) + b"".join(members)
    if isinstance(value, enum.Enum):
        return b"E" + sized(name) + sized(value.name.encode("utf-8", "surrogatepass"))
    if isinstance(value, (np.ndarray, np.generic)):
        return _encode_array(value, writer)
    if kind.__module__.partition(".")[0] in _PLAIN_MODULES or kind in _PLAIN_TYPES:
        return b"r" + sized(name) + sized(repr(value).encode("utf-8", "surrogatepass"))
    if kinds.kind_of(value) == kinds.TENSOR:
        return _encode_tensor(value, writer)
    writer.opaque += 1
    return b"?" + sized(name)


def _encode_array(value: Any, writer: Writer) -> bytes:
    inner = Writer()
    _write_part(inner, np.asarray(value))
    writer.opaque += inner.opaque
    return (b"a" if isinstance(value, np.ndarray) else b"g") + inner.digest()


def _encode_tensor(value: Any, writer: Writer) -> bytes:
    from autolog_core.data.tensors import write_tensor

    inner = Writer()
    write_tensor(inner, value)
    writer.opaque += inner.opaque
    return b"a" + inner.digest()
