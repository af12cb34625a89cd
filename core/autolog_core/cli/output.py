"""Printing: tables for people, tabs and JSON for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import click

from autolog_core.cli.render.tables import Table, fit, to_tsv

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


class Output:
    """Standard output of one command.

    Attributes:
        as_json: Whether JSON was asked for.
    """

    def __init__(self, as_json: bool, colour: bool) -> None:
        self.as_json = as_json
        self._colour = colour

    @cached_property
    def console(self) -> Console:
        """A rich console on standard output."""
        from rich.console import Console

        return Console(
            no_color=True if not self._colour else None,
            highlight=False,
            markup=False,
            emoji=False,
            soft_wrap=True,
        )

    @property
    def terminal(self) -> bool:
        """Whether a person reads along."""
        return self.console.is_terminal

    @property
    def width(self) -> int:
        """Cells per line."""
        return self.console.width

    @property
    def plot_height(self) -> int:
        """Rows for a large plot, so that it fits on the screen."""
        return max(8, min(24, self.console.height - 6)) if self.terminal else 16

    @property
    def ascii_only(self) -> bool:
        """Whether the stream cannot hold more than ASCII."""
        return not self.console.encoding.lower().startswith("utf")

    @property
    def colour(self) -> bool:
        """Whether colours reach the reader."""
        return self.console.color_system is not None and not self.console.no_color

    def table(self, table: Table) -> tuple[str, ...]:
        """Prints a table and returns the titles of columns that had no place."""
        if not self.terminal:
            sys.stdout.write(to_tsv(table))
            return ()
        fitted = fit(table, self.width, ascii_only=self.ascii_only)
        self.text(fitted.text)
        return fitted.dropped

    def text(self, text: Text | str, style: str | None = None) -> None:
        """Prints text as it is; a line break at its end is kept, none is added."""
        self.console.print(text, end="", style=style)

    def line(self, text: Text | str = "", style: str | None = None) -> None:
        """Prints one line."""
        self.console.print(text, style=style)

    def hint(self, text: str) -> None:
        """Prints a remark for a person: dim under a table, on standard error in a pipe."""
        if self.terminal:
            self.line(text, style="dim")
        else:
            click.echo(text, err=True)

    def json(self, value: Any) -> None:
        """Prints a value as indented JSON."""
        import json

        click.echo(json.dumps(jsonable(value), indent=2, ensure_ascii=self.ascii_only))


def jsonable(value: Any) -> Any:
    """Returns `value` with NaN and infinities as the strings that the REST protocol uses."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(item) for item in value]
    return value
