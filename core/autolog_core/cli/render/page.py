"""What the pages of a run and of an experiment are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autolog_core.cli.render.text import plain, plain_lines, shorten

if TYPE_CHECKING:
    from rich.text import Text

_WHOLE = 1_000_000
_NEVER_CUT = frozenset(("id", "artifacts", "parent"))


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


def pairs(facts: Sequence[tuple[str, str]], page: Page, key_style: str = "cyan") -> Text:
    """Returns keys and values in two columns, long values cut to the width of the page."""
    from rich.cells import cell_len
    from rich.text import Text

    out = Text(no_wrap=True, overflow="ignore", end="")
    mark = "~" if page.ascii_only else "…"
    room = max(14, page.cells * 2 // 5)
    keys = [shorten(plain(key), room, mark) for key, _ in facts]
    wide = max(map(cell_len, keys))
    for key, (_, value) in zip(keys, facts, strict=True):
        space = page.cells - wide - 4
        text = plain(value)
        # An id or address that is cut is of no use to copy: those wrap instead.
        if page.everything or key in _NEVER_CUT:
            space = _WHOLE
        out.append("  " + key, key_style).append(" " * (wide - cell_len(key) + 2))
        out.append(shorten(text, max(8, space), mark) + "\n")
    return out


def indented(text: str) -> str:
    """Returns lines of text as they stand in a section."""
    return "".join(f"  {line}\n" for line in plain_lines(text).split("\n"))
