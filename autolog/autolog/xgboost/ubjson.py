"""Whether bytes are UBJSON that XGBoost can read.

XGBoost's own reader follows the lengths in a file without comparing them with the file's: a file
that was cut short ends the process instead of raising an error.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NoReturn

from autolog_core.models.flavors import Broken

# Width in bytes of each value whose type is said by one letter.
_WIDTHS = {
    b"d": 4, b"D": 8, b"i": 1, b"U": 1, b"C": 1, b"I": 2, b"l": 4, b"L": 8,
    b"T": 0, b"F": 0, b"Z": 0, b"N": 0,
}  # fmt: skip
_TYPED = frozenset((b"d", b"D", b"i", b"U", b"I", b"l", b"L"))
_DEEPEST = 64


class _Scanner:
    """Goes over UBJSON once, without building what it holds. Arrays of numbers are jumped over."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.place = 0

    def value(self, depth: int) -> None:
        if depth > _DEEPEST:
            self.fail(f"it is nested deeper than {_DEEPEST} levels")
        mark = self.take(1)
        if mark == b"{":
            self.until(b"}", lambda: self.entry(depth))
        elif mark == b"[":
            self.array(depth)
        elif mark in (b"S", b"H"):
            self.text()
        elif mark in _WIDTHS:
            self.skip(_WIDTHS[mark])
        else:
            self.fail(f"{mark!r} begins no value")

    def entry(self, depth: int) -> None:
        self.text()
        self.value(depth + 1)

    def array(self, depth: int) -> None:
        if self.next_is(b"$"):
            kind = self.take(1)
            if kind not in _TYPED:
                self.fail(f"{kind!r} is no type of an array")
            self.expect(b"#")
            self.skip(self.length() * _WIDTHS[kind])
        elif self.next_is(b"#"):
            for _ in range(self.length()):
                self.value(depth + 1)
        else:
            self.until(b"]", lambda: self.value(depth + 1))

    def until(self, end: bytes, part: Callable[[], None]) -> None:
        while not self.next_is(end):
            part()

    def text(self) -> None:
        self.skip(self.length())

    def length(self) -> int:
        self.expect(b"L")
        found: int = struct.unpack(">q", self.take(8))[0]
        if found < 0:
            self.fail(f"a length is {found}")
        return found

    def expect(self, mark: bytes) -> None:
        if not self.next_is(mark):
            self.fail(f"{mark!r} is missing")

    def next_is(self, mark: bytes) -> bool:
        found = self.data[self.place : self.place + 1] == mark
        self.place += found
        return found

    def take(self, count: int) -> bytes:
        begin = self.place
        self.skip(count)
        return self.data[begin : self.place]

    def skip(self, count: int) -> None:
        if count > len(self.data) - self.place:
            self.fail("it ends too early")
        self.place += count

    def fail(self, why: str) -> NoReturn:
        raise Broken(f"{why}, at byte {self.place} of {len(self.data)}")


def check_ubjson(data: bytes) -> None:
    """Goes over all of the bytes; for each array or text it only looks at how long it is.

    Raises:
        Broken: They are no UBJSON object, end too early, or something follows.
    """
    scanner = _Scanner(data)
    if data[:1] != b"{":
        scanner.fail("it is no object")
    scanner.value(0)
    if scanner.place != len(data):
        scanner.fail("something follows the end")
