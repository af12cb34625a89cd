"""Digests of Arrow columns of lists, structs, bytes and other composed types, read in place.

Each level of a type has a hasher of its own: one for where values are missing, one for lengths,
one for values. Chunks of any size are added one after another, so a digest does not depend on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from autolog_core.data.arrays import Array, write_elements
from autolog_core.data.arrow_types import family_of, fields_of, label_of
from autolog_core.data.values import encode
from autolog_core.data.writer import Writer

ARROW_NUMBERS = frozenset(
    (
        *("bool", "halffloat", "float", "double"),
        *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)),
    )
)
ARROW_TIMES = {"date32": "int32", "time32": "int32"}
ARROW_TIMES |= dict.fromkeys(("date64", "time64", "timestamp", "duration"), "int64")
ARROW_TEXT = frozenset(("string", "large_string", "string_view"))

_ROWS = 2**13
_ELEMENTS = 2**18
_BYTES: dict[str, type[np.integer[Any]] | None] = {
    **dict.fromkeys(("string", "binary"), np.int32),
    **dict.fromkeys(("large_string", "large_binary"), np.int64),
    **dict.fromkeys(("string_view", "binary_view"), None),
}


def write_nested(writer: Writer, column: Any) -> None:
    """Adds the type and the values of an array or chunked array of Arrow."""
    level = _level(column.type)
    writer.label(label_of(column.type))
    writer.numbers(len(column))
    for chunk in getattr(column, "chunks", None) or [column]:
        for start in range(0, len(chunk), _ROWS):
            level.add(chunk.slice(start, _ROWS))
    writer.raw(level.digest())
    writer.opaque += level.opaque


def _level(kind: Any) -> _Level:
    family, text = family_of(kind), str(kind)
    if family in ("list", "fixed list") and "View" not in type(kind).__name__:
        return _Lists(_level(kind.value_type), varied=family == "list")
    if family == "struct":
        return _Struct([_level(field.type) for field in fields_of(kind)])
    if family == "dictionary":
        return _Decoded(_level(kind.value_type))
    if family == "extension":
        return _Stored(_level(kind.storage_type))
    if text in _BYTES:
        return _Bytes(_BYTES[text])
    if text in ARROW_NUMBERS or text.partition("[")[0] in ARROW_TIMES:
        return _Numbers(ARROW_TIMES.get(text.partition("[")[0]))
    return _Fixed() if _width(kind) else _Level()


def _width(kind: Any) -> int:
    """Returns the bytes of one value; 0 where they vary or are no whole bytes."""
    try:
        return int(kind.bit_width) // 8
    except ValueError:
        return 0


def _missing(array: Any) -> Array:
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False))


class _Level:
    """One level of a type; by itself, one whose values are taken as Python objects."""

    def __init__(self, *children: _Level) -> None:
        self.children = children
        self.seen = 0
        self.gaps, self.own = Writer(), Writer()

    @property
    def opaque(self) -> int:
        return self.own.opaque + sum(child.opaque for child in self.children)

    def digest(self) -> bytes:
        whole = Writer()
        whole.numbers(self.seen)
        digests = [self.gaps.digest(), self.own.digest()]
        for part in (*digests, *(child.digest() for child in self.children)):
            whole.raw(part)
        return whole.digest()

    def add(self, array: Any) -> None:
        if not len(array):
            return
        if array.null_count:
            write_elements(self.gaps, np.flatnonzero(_missing(array)) + self.seen)
        self.seen += len(array)
        self.values(array)

    def values(self, array: Any) -> None:
        for value in array.to_pylist():
            self.own.raw(encode(value, self.own))


class _Numbers(_Level):
    """Numbers, booleans and times: the values, zero where they are missing."""

    def __init__(self, integers: str | None) -> None:
        super().__init__()
        self.integers = integers

    def values(self, array: Any) -> None:
        for part in _parts(array):
            if self.integers:
                part = part.cast(self.integers)
            if part.null_count:
                part = part.fill_null(False if str(part.type) == "bool" else 0)
            write_elements(self.own, np.asarray(part.to_numpy(zero_copy_only=False)))


class _Fixed(_Level):
    """Decimals, intervals and bytes of one length."""

    def values(self, array: Any) -> None:
        width = _width(array.type)
        for part in _parts(array):
            found = np.frombuffer(
                part.buffers()[1], np.uint8, len(part) * width, part.offset * width
            ).reshape(len(part), width)
            if part.null_count:
                found = np.where(_missing(part)[:, None], np.uint8(0), found)
            write_elements(self.own, found)


class _Bytes(_Level):
    """Text and bytes of any length: the lengths in bytes, and all the bytes in a row."""

    def __init__(self, offsets: type[np.integer[Any]] | None) -> None:
        super().__init__(_Level())
        self.offsets = offsets

    def values(self, array: Any) -> None:
        if self.offsets is None:
            # A view has its bytes in many places.
            found = [value for value in array.to_pylist() if value is not None]
            texts = [each.encode() if isinstance(each, str) else each for each in found]
            self._write(np.fromiter(map(len, texts), np.int64, len(texts)), b"".join(texts))
            return
        array = array.drop_null() if array.null_count else array
        if not len(array):
            return
        _, places, data = array.buffers()
        offsets = np.frombuffer(places, self.offsets)
        offsets = offsets[array.offset : array.offset + len(array) + 1]
        stored = np.frombuffer(data if data is not None else b"", np.uint8)
        lengths = np.diff(offsets).astype(np.int64)
        self._write(lengths, stored[int(offsets[0]) : int(offsets[-1])])

    def _write(self, lengths: Array, stored: Any) -> None:
        write_elements(self.own, lengths)
        self.children[0].own.raw(stored)


class _Lists(_Level):
    """Lists: their lengths, and all their values in a row."""

    def __init__(self, inner: _Level, varied: bool) -> None:
        super().__init__(inner)
        self.varied = varied

    def values(self, array: Any) -> None:
        if self.varied:
            lengths = np.diff(array.offsets.to_numpy()).astype(np.int64)
            if array.null_count:
                lengths[_missing(array)] = 0
            write_elements(self.own, lengths)
        self.children[0].add(array.flatten())


class _Struct(_Level):
    """Structs: the values of each field; missing where the struct is."""

    def __init__(self, children: list[_Level]) -> None:
        super().__init__(*children)

    def values(self, array: Any) -> None:
        for child, part in zip(self.children, array.flatten(), strict=True):
            child.add(part)


class _Decoded(_Level):
    """Dictionaries: the values, whatever the codes."""

    def values(self, array: Any) -> None:
        self.children[0].add(array.dictionary_decode())


class _Stored(_Level):
    """Types of extensions: the values as they are stored."""

    def values(self, array: Any) -> None:
        self.children[0].add(array.storage)


def _parts(array: Any) -> Iterator[Any]:
    for start in range(0, len(array), _ELEMENTS):
        yield array.slice(start, _ELEMENTS)
