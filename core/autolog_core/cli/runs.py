"""`autolog runs`."""

from __future__ import annotations

import click

from autolog_core.cli.lazy import Entry, LazyGroup

_HERE = "autolog_core.cli"


@click.group(
    cls=LazyGroup,
    entries={
        "list": Entry(f"{_HERE}.runs_list:list_runs", "List the newest runs."),
        "search": Entry(f"{_HERE}.runs_list:search", "List the runs that a filter matches."),
        "show": Entry(f"{_HERE}.runs_show:show", "Show all of a run, its curves as text plots."),
        "compare": Entry(f"{_HERE}.runs_compare:compare", "Show how runs differ, side by side."),
        "export": Entry(f"{_HERE}.runs_export:export", "Write runs or metric histories to a file."),
        "rename": Entry(f"{_HERE}.runs_edit:rename", "Give a run another name."),
        "tag": Entry(f"{_HERE}.runs_edit:tag", "Set or remove tags of a run."),
        "note": Entry(f"{_HERE}.runs_edit:note", "Write a note on a run."),
        "delete": Entry(f"{_HERE}.runs_edit:delete", "Put runs away; restore brings them back."),
        "restore": Entry(f"{_HERE}.runs_edit:restore", "Bring deleted runs back."),
    },
)
def runs() -> None:
    """List, show, compare, search and export runs.

    RUN is a run's id, the first characters of its id, or its name.
    """
