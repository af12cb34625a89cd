"""How values compare; the one definition that evaluator, SQL and writers share."""

from __future__ import annotations

import math
import re
from functools import lru_cache

MAX_FLOAT = 1.7976931348623157e308
MAX_NUMBER = 64
"""Characters of the longest text that counts as a number."""
_NUMBER = re.compile(r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*", re.ASCII)


def parse_number(text: str) -> float | None:
    """Returns a param's text as the finite number that it is, or None."""
    if len(text) > MAX_NUMBER or not _NUMBER.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def clamp(number: float) -> float:
    """Returns an infinity as the largest float of its sign, as stores keep it."""
    return max(-MAX_FLOAT, min(MAX_FLOAT, number))


def like(text: str, pattern: str) -> bool:
    """Whether `text` fits a LIKE pattern: ``%`` is any text, ``_`` any one character."""
    first, *rest = _segments(pattern)
    if not rest:
        return first.fullmatch(text) is not None
    head = first.match(text)
    if head is None:
        return False
    position = head.end()
    # Taking each piece at its first place is enough, and keeps this linear: no backtracking.
    for segment in rest[:-1]:
        found = segment.search(text, position)
        if found is None:
            return False
        position = found.end()
    start = len(text) - len(pattern.rpartition("%")[2])
    return start >= position and rest[-1].fullmatch(text, start) is not None


@lru_cache(maxsize=256)
def _segments(pattern: str) -> tuple[re.Pattern[str], ...]:
    return tuple(
        re.compile("".join("." if c == "_" else re.escape(c) for c in piece), re.DOTALL)
        for piece in pattern.split("%")
    )


def fold(text: str) -> str:
    """Returns `text` as ILIKE compares it."""
    return text.lower()
