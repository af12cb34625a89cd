"""One digest in the making: what is written, in which order, decides it.

xxh3 of 128 bits: 32 hexadecimal digits fit the store's 36, and it reads a gigabyte in 35 ms where
blake2b takes 850 ms and sha256 580 ms (AMD EPYC, one core). It tells data sets apart; it is no
seal against somebody who forges one on purpose.
"""

from __future__ import annotations

from typing import Any

import xxhash


class Writer:
    """Collects what a digest covers, each part framed so that no two inputs read alike.

    Attributes:
        opaque: How many Python objects could only be told by their class.
    """

    __slots__ = ("_hasher", "opaque")

    def __init__(self) -> None:
        self._hasher = xxhash.xxh3_128()
        self.opaque = 0

    def raw(self, data: Any) -> None:
        """Adds the bytes of a contiguous buffer of bytes."""
        self._hasher.update(data)

    def label(self, text: str) -> None:
        """Adds a word with its length."""
        self._hasher.update(sized(text.encode("utf-8", "surrogatepass")))

    def numbers(self, *values: int) -> None:
        """Adds integers."""
        self._hasher.update(";".join(map(str, (len(values), *values))).encode() + b";")

    def digest(self) -> bytes:
        """Returns the 16 bytes so far."""
        return self._hasher.digest()

    def hexdigest(self) -> str:
        """Returns the 32 hexadecimal digits so far."""
        return self._hasher.hexdigest()


def sized(data: bytes) -> bytes:
    """Returns `data` after its length."""
    return b"%d:%b" % (len(data), data)
