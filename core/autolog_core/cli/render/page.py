"""What the pages of a run and of an experiment are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autolog_core.cli.render.text import plain, plain_lines, shorten

if TYPE_CHECKING:
    from rich.text import Text

_WHOLE = 1_000_000


@dataclass(frozen=True, slots=True)
class Page:
    """How a view is drawn.

    Attributes:
        width: Cells per line; None for a pipe, where nothing is cut.
        now: Milliseconds since the epoch.
        ascii_only: Whether only ASCII characters may be used.
        everything: Whether tags of autolog and metrics of the machine are shown too.
    """

    width: int | None
    now: int
    ascii_only: bool = False
    everything: bool = False

    @property
    def cells(self) -> int:
        """The width to fit to."""
        return _WHOLE if self.width is None else self.width


def heading(title: str, note: str = "") -> Text:
    """Returns the line that opens a section."""
    from rich.text import Text

    out = Text("\n").append(title, "bold underline")
    return out.append(f"  {note}\n" if note else "\n", "dim")


def pairs(items: Sequence[tuple[str, str]], page: Page, *, facts: bool = False) -> Text:
    """Returns keys and values in two columns.

    Args:
        items: The keys and values.
        page: How to draw; long values are cut to its width.
        facts: Whether these are a handful of facts, such as ids and addresses: those stay whole.
    """
    from rich.cells import cell_len
    from rich.text import Text

    out = Text(no_wrap=True, overflow="ignore", end="")
    mark = "~" if page.ascii_only else "…"
    whole = facts or page.everything
    keys = [shorten(plain(key), max(14, page.cells * 2 // 5), mark) for key, _ in items]
    wide = max(map(cell_len, keys))
    room = _WHOLE if whole else max(8, page.cells - wide - 4)
    for key, (_, value) in zip(keys, items, strict=True):
        out.append("  " + key, "dim" if facts else "cyan")
        out.append(" " * (wide - cell_len(key) + 2))
        out.append(shorten(plain(value), room, mark) + "\n")
    return out


def indented(text: str) -> str:
    """Returns lines of text as they stand in a section."""
    return "".join(f"  {line}\n" for line in plain_lines(text).split("\n"))
