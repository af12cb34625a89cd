"""Experiments as a table and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from autolog_core.cli.render.page import Page, heading, indented, pairs
from autolog_core.cli.render.tables import Cell, Column, Table
from autolog_core.cli.render.text import ago, iso_time, plain, when
from autolog_core.entities import Experiment, LifecycleStage, RunStatus

if TYPE_CHECKING:
    from rich.text import Text

NOTE_TAG = "mlflow.note.content"


class Activity(NamedTuple):
    """What happened in an experiment.

    Attributes:
        runs: How many active runs there are.
        at_least: Whether there are more than that.
        last_start: When the newest began, in milliseconds since the epoch.
        last_status: How that one stands.
    """

    runs: int
    at_least: bool
    last_start: int | None
    last_status: str | None


def experiment_table(
    experiments: Sequence[Experiment],
    activity: Mapping[str, Activity],
    now: int,
    *,
    whole: bool = True,
) -> Table:
    """Returns a row per experiment, in their order.

    Args:
        experiments: The experiments.
        activity: What happened in each, by id.
        now: Milliseconds since the epoch, for relative times.
        whole: Whether the column of tags is there even if none has any.
    """
    columns = (
        Column("ID", "experiment_id", align="right", style="yellow"),
        Column("NAME", "name", style="bold", least=16),
        Column("RUNS", "runs", align="right"),
        Column("LAST RUN", "last_run_time", align="right", style="dim", rank=2),
        Column("", "last_run_status", rank=3),
        Column("CREATED", "creation_time", align="right", style="dim", rank=4),
        Column("TAGS", "tags", style="cyan", least=12, rank=5),
    )
    rows = []
    for experiment in experiments:
        done = activity.get(experiment.experiment_id, Activity(0, False, None, None))
        deleted = experiment.lifecycle_stage == LifecycleStage.DELETED
        rows.append(
            (
                Cell(experiment.experiment_id),
                Cell(experiment.name + (" (deleted)" if deleted else ""), experiment.name),
                Cell(f"{done.runs}{'+' if done.at_least else ''}"),
                Cell(ago(done.last_start, now), iso_time(done.last_start)),
                Cell(_word(done.last_status), done.last_status or "", _style(done.last_status)),
                Cell(ago(experiment.creation_time, now), iso_time(experiment.creation_time)),
                Cell(_tags(experiment)),
            )
        )
    keep = [
        index
        for index, column in enumerate(columns)
        if whole or column.key != "tags" or any(row[index].shown for row in rows)
    ]
    return Table(
        tuple(columns[index] for index in keep),
        tuple(tuple(row[index] for index in keep) for row in rows),
    )


def _word(status: str | None) -> str:
    # That a run finished is what one expects: only the others are worth a word.
    return "" if status in (None, RunStatus.FINISHED) else str(status).lower()


def _style(status: str | None) -> str:
    return {RunStatus.FAILED: "bold red", RunStatus.RUNNING: "cyan"}.get(status or "", "")


def _tags(experiment: Experiment) -> str:
    own = {k: v for k, v in experiment.tags.items() if not k.startswith(("mlflow.", "autolog."))}
    return ", ".join(f"{key}={value}" for key, value in sorted(own.items()))


def experiment_page(experiment: Experiment, activity: Activity, page: Page) -> Text:
    """Returns what an experiment is, without its runs."""
    from rich.text import Text

    out = Text(no_wrap=True, overflow="ignore", end="")
    out.append(plain(experiment.name), "bold")
    if experiment.lifecycle_stage == LifecycleStage.DELETED:
        out.append("  deleted", "yellow")
    out.append("\n")
    runs = f"{activity.runs}{' or more' if activity.at_least else ''}"
    if activity.last_start is not None:
        runs += f", the last one {ago(activity.last_start, page.now)}"
    facts = [("id", experiment.experiment_id)]
    if experiment.creation_time is not None:
        facts.append(("created", when(experiment.creation_time, page.now)))
    facts += [("runs", runs), ("artifacts", experiment.artifact_location)]
    out.append_text(pairs(facts, page, facts=True))
    if note := experiment.tags.get(NOTE_TAG, "").strip():
        out.append_text(heading("Note")).append(indented(note))
    if tags := sorted((key, value) for key, value in experiment.tags.items() if key != NOTE_TAG):
        out.append_text(heading("Tags")).append_text(pairs(tags, page))
    return out
