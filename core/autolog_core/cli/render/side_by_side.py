"""Blocks of text beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text


def side_by_side(blocks: Sequence[Text], width: int, gap: int, indent: int) -> Text:
    """Returns `blocks` in one row, each padded to `width` cells."""
    from rich.text import Text

    out = Text(no_wrap=True, overflow="ignore", end="")
    nothing = Text()
    columns = [block.split("\n") for block in blocks]
    for lines in zip_longest(*columns, fillvalue=nothing):
        out.append(" " * indent)
        for place, line in enumerate(lines):
            out.append_text(line)
            if place < len(lines) - 1:
                out.append(" " * (width - line.cell_len + gap))
        out.append("\n")
    return out
