"""Tables: fitted to a terminal, or tab-separated and whole for a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from autolog_core.cli.render.text import plain, shorten

if TYPE_CHECKING:
    from rich.text import Text

_GAP = 2


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: What heads it in a terminal.
        key: What heads it in a pipe.
        align: Where values stand.
        style: A rich style for its cells.
        least: The width in cells below which its text is not cut; None keeps it whole.
        rank: Columns of the highest rank go first when the terminal is too narrow; 0 never goes.
    """

    title: str
    key: str
    align: Literal["left", "right"] = "left"
    style: str = ""
    least: int | None = None
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of a table.

    Attributes:
        shown: Short, for a person.
        exact: Whole, for a pipe; `shown` when None.
        style: A rich style on top of the column's.
    """

    shown: str
    exact: str | None = None
    style: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """Columns and rows of cells."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]


def to_tsv(table: Table) -> str:
    """Returns the whole table with one line per row, columns set apart by tabs."""
    lines = ["\t".join(plain(column.key) for column in table.columns)]
    lines += [
        "\t".join(plain(cell.shown if cell.exact is None else cell.exact) for cell in row)
        for row in table.rows
    ]
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Fitted:
    """A table as lines of a given width.

    Attributes:
        text: Headings and rows.
        dropped: Titles of the columns that had no place.
    """

    text: Text
    dropped: tuple[str, ...]


def fit(table: Table, width: int, *, ascii_only: bool = False) -> Fitted:
    """Returns the table drawn in at most `width` cells.

    Text columns are cut first, down to their `least`; then columns go, by `rank`.
    """
    clean = replace(
        table,
        rows=tuple(
            tuple(replace(cell, shown=plain(cell.shown)) for cell in row) for row in table.rows
        ),
    )
    kept = list(range(len(clean.columns)))
    widths = _natural_widths(clean)
    dropped: list[int] = []
    while len(kept) > 1 and _least_total(clean, kept, widths) > width:
        worst = max(kept, key=lambda index: (clean.columns[index].rank, index))
        if clean.columns[worst].rank == 0:
            break
        kept.remove(worst)
        dropped.append(worst)
    _squeeze(clean, kept, widths, width)
    return Fitted(
        _draw(clean, kept, widths, "~" if ascii_only else "…"),
        tuple(clean.columns[index].title for index in sorted(dropped)),
    )


def _natural_widths(table: Table) -> list[int]:
    from rich.cells import cell_len

    widths = [cell_len(plain(column.title)) for column in table.columns]
    for row in table.rows:
        for index, cell in enumerate(row):
            widths[index] = max(widths[index], cell_len(cell.shown))
    return widths


def _least(column: Column, natural: int) -> int:
    return natural if column.least is None else min(natural, max(column.least, 1))


def _least_total(table: Table, kept: Sequence[int], widths: Sequence[int]) -> int:
    cells = sum(_least(table.columns[index], widths[index]) for index in kept)
    return cells + _GAP * (len(kept) - 1)


def _squeeze(table: Table, kept: Sequence[int], widths: list[int], width: int) -> None:
    """Takes cells from the widest of the columns that may be cut until the table fits."""
    over = sum(widths[index] for index in kept) + _GAP * (len(kept) - 1) - width
    while over > 0:
        can = [i for i in kept if widths[i] > _least(table.columns[i], widths[i])]
        if not can:
            return
        widest = max(can, key=lambda index: widths[index])
        others = [widths[i] for i in can if i != widest]
        floor = max(
            _least(table.columns[widest], widths[widest]),
            min(max(others, default=0), widths[widest] - 1),
        )
        cut = max(1, min(over, widths[widest] - floor))
        widths[widest] -= cut
        over -= cut


def _draw(table: Table, kept: Sequence[int], widths: Sequence[int], mark: str) -> Text:
    from rich.cells import cell_len
    from rich.text import Text

    out = Text(no_wrap=True, overflow="ignore", end="")

    def put(cells: Sequence[tuple[str, str]]) -> None:
        last = len(kept) - 1
        for place, index in enumerate(kept):
            text, style = cells[index]
            text = shorten(text, widths[index], mark)
            pad = " " * (widths[index] - cell_len(text))
            if table.columns[index].align == "right":
                out.append(pad).append(text, style)
            else:
                out.append(text, style).append(pad if place < last else "")
            out.append(" " * _GAP if place < last else "\n")

    put([(plain(column.title), "bold") for column in table.columns])
    for row in table.rows:
        put(
            [
                (cell.shown, " ".join(filter(None, (column.style, cell.style))))
                for column, cell in zip(table.columns, row, strict=True)
            ]
        )
    return out
