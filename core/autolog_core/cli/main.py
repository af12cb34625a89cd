"""The console script `autolog`."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from autolog_core.cli.invocation import common_options
from autolog_core.cli.lazy import Entry, LazyGroup
from autolog_core.errors import AutologError

_HERE = "autolog_core.cli"
ENTRIES = {
    "runs": Entry(f"{_HERE}.runs:runs", "List, show, compare, search and export runs."),
    "experiments": Entry(f"{_HERE}.experiments:experiments", "List, create and edit experiments."),
    "artifacts": Entry(f"{_HERE}.artifacts:artifacts", "List, read and write a run's files."),
    "db": Entry(f"{_HERE}.database:database", "Check and upgrade a tracking database."),
    "sync": Entry(f"{_HERE}.sync:sync", "Bring in what dead processes left in their journals."),
    "doctor": Entry(f"{_HERE}.doctor:doctor", "Say what is installed and where data goes."),
}


class RootGroup(LazyGroup):
    """The outermost command: errors of autolog become one line and exit code 1."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the subcommand."""
        try:
            return super().invoke(ctx)
        except AutologError as error:
            raise Failure(error) from error


class Failure(click.ClickException):
    """An error of autolog on its way to the person at the terminal."""

    exit_code = 1

    def __init__(self, error: AutologError) -> None:
        from autolog_core.cli.render.text import without_login

        super().__init__(without_login(error.message))
        self.kind = type(error).__name__

    def show(self, file: Any = None) -> None:
        """Prints the error's type and message to stderr."""
        click.echo(f"{self.kind}: {self.message}", file=file, err=file is None)


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from autolog_core import __version__

        click.echo(f"autolog {__version__}")
        ctx.exit()


@click.group(
    cls=RootGroup,
    entries=ENTRIES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
@common_options
def cli() -> None:
    """Look at what was tracked, from a terminal.

    Runs are named by id, by the first characters of the id, or by name. A table fits itself to the
    terminal; in a pipe it is whole, with columns set apart by tabs. --json gives every detail.

    Exit codes: 0 done, 1 not done (one line says why), 2 wrong usage.
    """


def main() -> None:
    """Runs the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        # A name in Cyrillic must not end in a traceback where the terminal speaks only ASCII.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        try:
            cli(prog_name="autolog")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader left, as `| head` does: what the interpreter flushes at its end goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
