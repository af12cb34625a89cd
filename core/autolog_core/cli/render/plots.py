"""Curves as text: sparklines, and plots with axes made of Braille dots.

plotext draws such plots too, but takes 150 ms to import, keeps its canvas in module globals and
changed its functions between versions 5 and 6.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from autolog_core.cli.render.axes import bounds, row_ticks, share
from autolog_core.cli.render.text import number, plain, shorten

if TYPE_CHECKING:
    from rich.text import Text

    from autolog_core.stores.base import MetricSeries

_BARS = "▁▂▃▄▅▆▇█"
_ASCII_BARS = "_.-=+*#@"
# The bit of a Braille character for each dot, by row (0 to 3) and column (0 or 1).
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_MARKS = "*o+x#@%&"
COLOURS = ("cyan", "yellow", "magenta", "green", "red", "blue", "bright_white", "bright_black")


@dataclass(frozen=True, slots=True)
class Curve:
    """A line of a plot.

    Attributes:
        xs: Positions, such as steps.
        ys: Values; NaN and infinities leave a gap.
    """

    label: str
    xs: Sequence[float]
    ys: Sequence[float]


def curve_of(series: MetricSeries, label: str | None = None) -> Curve:
    """Returns the points of a series, ordered by step."""
    import numpy as np

    order = np.argsort(series.steps, kind="stable")
    return Curve(
        series.key if label is None else label,
        series.steps[order].tolist(),
        series.values[order].tolist(),
    )


def sparkline(values: Sequence[float], width: int = 12, ascii_only: bool = False) -> str:
    """Returns `values` as one line of at most `width` bars, from their lowest to their highest.

    A bar stands for the mean of its share of the values; one without a finite value is a space.
    """
    bars = _ASCII_BARS if ascii_only else _BARS
    size = min(width, len(values))
    means: list[float | None] = []
    for index in range(size):
        start, end = index * len(values) // size, (index + 1) * len(values) // size
        part = [value for value in values[start:end] if math.isfinite(value)]
        means.append(math.fsum(value / len(part) for value in part) if part else None)
    known = [mean for mean in means if mean is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    top = len(bars) - 1
    return "".join(
        " " if mean is None else bars[round(share(mean, low, high) * top)] for mean in means
    )


def plot(
    curves: Sequence[Curve],
    width: int,
    height: int = 12,
    *,
    title: str = "",
    x_label: str = "step",
    log: bool = False,
    ascii_only: bool = False,
    colour: bool = True,
) -> Text:
    """Returns curves drawn over common axes.

    Args:
        curves: At least one; those without a finite value are named as such under the plot.
        width: Cells in all, axis labels included.
        height: Rows of the drawing itself, without title, axis and legend.
        title: A line above.
        x_label: What the positions are.
        log: Whether the value axis is logarithmic; values of 0 and below leave a gap.
        ascii_only: Whether only ASCII characters may be used.
        colour: Whether colours tell the curves apart; else each has its own mark.
    """
    from rich.text import Text

    points = [_visible(curve, log) for curve in curves]
    out = Text(no_wrap=True, overflow="crop")
    if title:
        out.append(plain(title) + "\n", "bold")
    every = [point for line in points for point in line]
    if not every:
        kind = "positive finite" if log else "finite"
        return out.append(f"no {kind} value to draw\n", "dim")
    rows = max(3, height)
    left, right = bounds([x for x, _ in every])
    low, high = bounds([y for _, y in every])
    ticks = row_ticks(low, high, rows, log)
    margin = max(len(label) for label in ticks.values())
    columns = max(8, width - margin - 2)
    use_braille = not ascii_only and (colour or len(curves) == 1)
    grid = _Grid(columns, rows, use_braille)
    for index, line in enumerate(points):
        grid.draw(
            [(share(x, left, right), share(y, low, high)) for x, y in line],
            index,
        )
    upright, corner, along = ("|", "+", "-") if ascii_only else ("┤", "└", "─")
    for row in range(rows):
        out.append(f"{ticks.get(row, ''):>{margin}} ", "dim")
        out.append(upright if row in ticks or ascii_only else "│", "dim")
        grid.write_row(row, out, colour)
        out.append("\n")
    out.append(" " * (margin + 1) + corner + along * columns + "\n", "dim")
    out.append(" " * (margin + 2) + _x_axis(left, right, x_label, columns) + "\n", "dim")
    if len(curves) > 1:
        _legend(out, curves, points, width, use_braille, ascii_only)
    return out


def _visible(curve: Curve, log: bool) -> list[tuple[float, float]]:
    return [
        (x, math.log10(y) if log else y)
        for x, y in zip(curve.xs, curve.ys, strict=True)
        if math.isfinite(y) and math.isfinite(x) and (not log or y > 0)
    ]


def _x_axis(left: float, right: float, label: str, columns: int) -> str:
    start, end = number(left, 9), number(right, 9)
    if left == right:
        return f"{label} {start}".center(columns).rstrip()
    room = columns - len(start) - len(end)
    if room < len(label) + 2:
        return start + " " * max(1, room) + end
    return start + label.center(room) + end


def _legend(
    out: Text,
    curves: Sequence[Curve],
    points: Sequence[Sequence[tuple[float, float]]],
    width: int,
    braille: bool,
    ascii_only: bool,
) -> None:
    used = 0
    for index, (curve, line) in enumerate(zip(curves, points, strict=True)):
        sign = ("━━" if braille else _MARKS[index % len(_MARKS)]) + " "
        note = "" if line else " (nothing to draw)"
        name = shorten(plain(curve.label), max(8, width - 6), "~" if ascii_only else "…") + note
        need = len(sign) + len(name) + 3
        if used and used + need > width:
            out.append("\n")
            used = 0
        out.append(("  " if not used else "   ") + sign, COLOURS[index % len(COLOURS)])
        out.append(name)
        used += need
    out.append("\n")


class _Grid:
    """A raster of `columns` x `rows` cells that remembers which curve was drawn last where."""

    def __init__(self, columns: int, rows: int, braille: bool) -> None:
        self.columns, self.rows, self.braille = columns, rows, braille
        self.wide, self.tall = (columns * 2, rows * 4) if braille else (columns, rows)
        self.bits = [[0] * columns for _ in range(rows)]
        self.owner = [[-1] * columns for _ in range(rows)]

    def draw(self, line: Sequence[tuple[float, float]], index: int) -> None:
        """Draws straight pieces between points whose coordinates run from 0 to 1."""
        dots = [(round(x * (self.wide - 1)), round((1 - y) * (self.tall - 1))) for x, y in line]
        if dots:
            self._dot(*dots[0], index)
        for (x, y), (x2, y2) in pairwise(dots):
            length = max(abs(x2 - x), abs(y2 - y))
            for part in range(1, length + 1):
                self._dot(
                    x + round((x2 - x) * part / length), y + round((y2 - y) * part / length), index
                )

    def _dot(self, x: int, y: int, index: int) -> None:
        if self.braille:
            row, column = y // 4, x // 2
            self.bits[row][column] |= _DOTS[y % 4][x % 2]
        else:
            row, column = y, x
            self.bits[row][column] = 1
        self.owner[row][column] = index

    def write_row(self, row: int, out: Text, colour: bool) -> None:
        cells = zip(self.bits[row], self.owner[row], strict=True)
        for owner, group in groupby(cells, key=lambda cell: cell[1]):
            sign = _MARKS[owner % len(_MARKS)]
            signs = "".join(
                " " if owner < 0 else chr(0x2800 + bits) if self.braille else sign
                for bits, _ in group
            )
            out.append(signs, COLOURS[owner % len(COLOURS)] if colour and owner >= 0 else "")
