"""Where an axis of a text plot has its ticks."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence

from autolog_core.cli.render.text import number


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Returns the lowest and the highest of `values`."""
    return min(values), max(values)


def share(value: float, low: float, high: float) -> float:
    """Returns where `value` lies between `low` (0) and `high` (1); a flat range is its middle."""
    span = high / 2 - low / 2  # halves: the difference of two large floats may overflow
    return (value / 2 - low / 2) / span if span > 0 else 0.5


def row_ticks(low: float, high: float, rows: int, log: bool) -> dict[int, str]:
    """Returns the labels of the value axis by row, counted from the top.

    Args:
        low: The lowest value; its decimal logarithm when `log`.
        high: The highest value, likewise.
        rows: How many rows the axis has.
        log: Whether the axis is logarithmic.
    """
    if low == high:
        return {rows // 2: number(_power(low) if log else low)}
    most = max(2, rows // 2)
    labels: dict[int, str] = {}
    for value in _round_values(low, high, most, log):
        place = share(math.log10(value) if log else value, low, high)
        labels.setdefault(round((1 - place) * (rows - 1)), number(value, 12))
    if len(labels) >= 2:
        return labels
    return {
        0: number(_power(high) if log else high, 4),
        rows - 1: number(_power(low) if log else low, 4),
    }


def _power(exponent: float) -> float:
    """Returns ten to a power that is the logarithm of a float, which rounding may have raised."""
    try:
        return float(10**exponent)
    except OverflowError:
        return sys.float_info.max


def _round_values(low: float, high: float, most: int, log: bool) -> list[float]:
    if log and high - low > 1.5:
        first, last = math.ceil(low), math.floor(high)
        every = max(1, math.ceil((last - first + 1) / most))
        return [10.0**power for power in range(first, last + 1, every)]
    if log:
        return _multiples(_power(low), _power(high), most)
    return _multiples(low, high, most)


def _multiples(low: float, high: float, most: int) -> list[float]:
    """Returns the multiples of 1, 2 or 5 times a power of ten between two values."""
    raw = high / most - low / most
    if not math.isfinite(raw) or raw < 1e-290:
        return []
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= raw * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step)))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    if last - first > 4 * most:
        return []  # the range is too narrow for its place on the number line
    return [round(index * step, decimals) for index in range(first, last + 1)]
