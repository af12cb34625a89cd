"""`autolog experiments`."""

from __future__ import annotations

import click

from autolog_core.cli.lazy import Entry, LazyGroup

_READ = "autolog_core.cli.experiments_read"
_EDIT = "autolog_core.cli.experiments_edit"


@click.group(
    cls=LazyGroup,
    entries={
        "list": Entry(f"{_READ}:list_experiments", "List experiments, the newest first."),
        "search": Entry(f"{_READ}:search", "List the experiments that a filter matches."),
        "show": Entry(f"{_READ}:show", "Show an experiment and its newest runs."),
        "create": Entry(f"{_EDIT}:create", "Create an experiment."),
        "rename": Entry(f"{_EDIT}:rename", "Give an experiment another name."),
        "tag": Entry(f"{_EDIT}:tag", "Set or remove tags of an experiment."),
        "delete": Entry(f"{_EDIT}:delete", "Put experiments away, with their runs."),
        "restore": Entry(f"{_EDIT}:restore", "Bring deleted experiments back, with their runs."),
    },
)
def experiments() -> None:
    """List, create and edit experiments.

    EXPERIMENT is an experiment's id or name.
    """
