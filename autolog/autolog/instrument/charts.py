"""Pictures as data: what a user interface draws, and what matplotlib draws where it is in use."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

_MOST_POINTS = 1000
"""Points of a line that are kept; more cannot be told apart on a screen."""
_MOST_BARS = 50
"""Bars of a picture; the data has all of them."""
_INCHES = (6.4, 4.8)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a chart.

    Attributes:
        label: What it is, for the legend; empty for none.
        x: (n,) positions.
        y: (n,) values.
    """

    label: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture as plain data.

    Attributes:
        kind: "lines", "matrix" or "bars".
        title: Above it.
        x_label: Under the horizontal axis.
        y_label: Beside the vertical axis.
        lines: Of a chart of lines.
        names: Of the rows and columns of a matrix, or of the bars.
        values: Of a matrix, row by row; of bars, one row.
    """

    kind: Literal["lines", "matrix", "bars"]
    title: str
    x_label: str = ""
    y_label: str = ""
    lines: Sequence[Line] = ()
    names: Sequence[str] = ()
    values: Sequence[Sequence[float]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Returns what the JSON file holds."""
        found: dict[str, Any] = {"kind": self.kind, "title": self.title}
        found |= {"x_label": self.x_label, "y_label": self.y_label}
        if self.kind == "lines":
            found["lines"] = [_line(line) for line in self.lines]
        else:
            found["names"] = list(self.names)
            rows = [[float(value) for value in row] for row in self.values]
            found["values"] = rows[0] if self.kind == "bars" and rows else rows
        return found


def _line(line: Line) -> dict[str, Any]:
    kept = thin(len(line.x), _MOST_POINTS)
    return {
        "label": line.label,
        "x": [float(line.x[place]) for place in kept],
        "y": [float(line.y[place]) for place in kept],
    }


def thin(number: int, most: int) -> Sequence[int]:
    """Returns at most `most` of the places 0 to number - 1, evenly, with the first and the last."""
    if number <= most:
        return range(number)
    return [round(place * (number - 1) / (most - 1)) for place in range(most)]


def can_draw() -> bool:
    """Whether the program uses matplotlib.

    Importing it takes longer than most trainings of small models: where the program did not, the
    data alone is kept.
    """
    return "matplotlib.figure" in sys.modules


def draw(chart: Chart) -> bytes:
    """Returns a chart as a PNG picture, drawn apart from the program's own figures."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = _INCHES[1]
    if chart.kind == "bars":
        height = max(2.0, 0.25 * min(len(chart.names), _MOST_BARS) + 1)
    figure = Figure(figsize=(_INCHES[0], height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    {"lines": _draw_lines, "matrix": _draw_matrix, "bars": _draw_bars}[chart.kind](axes, chart)
    axes.set_title(_plain(chart.title))
    axes.set_xlabel(_plain(chart.x_label))
    axes.set_ylabel(_plain(chart.y_label))
    target = io.BytesIO()
    figure.savefig(target, format="png", dpi=100)
    return target.getvalue()


def _plain(text: str) -> str:
    # Dollar signs would be read as mathematics.
    return text.replace("$", r"\$")


def _draw_lines(axes: Any, chart: Chart) -> None:
    for line in chart.lines:
        kept = thin(len(line.x), _MOST_POINTS)
        x, y = [line.x[place] for place in kept], [line.y[place] for place in kept]
        axes.plot(x, y, label=_plain(line.label) or None)
    if any(line.label for line in chart.lines):
        axes.legend()


def _draw_matrix(axes: Any, chart: Chart) -> None:
    rows = [[float(value) for value in row] for row in chart.values]
    axes.imshow(rows, cmap="Blues")
    places = range(len(chart.names))
    axes.set_xticks(places, [_plain(name) for name in chart.names])
    axes.set_yticks(places, [_plain(name) for name in chart.names])
    if len(rows) > 20:
        return
    middle = max(map(max, rows)) / 2
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            shade = "white" if value > middle else "black"
            axes.text(j, i, f"{value:.3g}", ha="center", va="center", color=shade)


def _draw_bars(axes: Any, chart: Chart) -> None:
    values = [float(value) for value in chart.values[0]]
    order = sorted(range(len(values)), key=lambda place: -abs(values[place]))[:_MOST_BARS]
    order.reverse()
    axes.barh(range(len(order)), [values[place] for place in order])
    axes.set_yticks(range(len(order)), [_plain(chart.names[place]) for place in order])
    axes.margins(y=0.01)
