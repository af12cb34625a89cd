"""Runs as rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from autolog_core.cli.render.columns import Field, value_of
from autolog_core.cli.render.tables import Cell, Column, Table
from autolog_core.cli.render.text import ago, duration, exact, iso_time, number
from autolog_core.entities import LifecycleStage, Run, RunInfo, RunStatus

STATUS_STYLES = {
    RunStatus.RUNNING: "cyan",
    RunStatus.SCHEDULED: "dim",
    RunStatus.FINISHED: "green",
    RunStatus.FAILED: "bold red",
    RunStatus.KILLED: "yellow",
}
PARENT_TAG = "mlflow.parentRunId"
_SHORT_ID = 8


def short_ids(run_ids: Sequence[str]) -> dict[str, str]:
    """Returns the first characters of each id, as many as tell them apart, at least eight."""
    distinct = set(run_ids)
    length = _SHORT_ID
    while len({run_id[:length] for run_id in distinct}) < len(distinct):
        length += 1
    return {run_id: run_id[:length] for run_id in distinct}


def status_cell(info: RunInfo) -> Cell:
    """Returns the status, with a word when the run is deleted."""
    if info.lifecycle_stage == LifecycleStage.DELETED:
        return Cell(f"{info.status.lower()}, deleted", f"{info.status} deleted", "dim")
    return Cell(info.status.lower(), info.status, STATUS_STYLES.get(info.status, ""))


def run_length(info: RunInfo, now: int) -> int | None:
    """Returns for how many milliseconds a run lasted, or has lasted so far."""
    if info.end_time is not None:
        return info.end_time - info.start_time
    return max(0, now - info.start_time) if info.status == RunStatus.RUNNING else None


def duration_cell(info: RunInfo, now: int) -> Cell:
    """Returns the length for people, and in seconds for programs."""
    length = run_length(info, now)
    return Cell(duration(length), "" if length is None else f"{length / 1000:.3f}")


def field_cell(value: str | float | None) -> Cell:
    """Returns the cell of a param, metric or tag."""
    if value is None:
        return Cell("-", "", "dim")
    if isinstance(value, str):
        return Cell(value)
    return Cell(number(value), exact(value))


def run_table(
    runs: Sequence[Run],
    now: int,
    fields: Sequence[Field],
    *,
    experiments: Mapping[str, str] | None = None,
    curves: Mapping[str, str] | None = None,
    curve_title: str = "",
) -> Table:
    """Returns a table of runs, one row each, in their order.

    Args:
        runs: The runs.
        now: Milliseconds since the epoch, for relative times.
        fields: Params, metrics and tags that get a column.
        experiments: Name per experiment id; None leaves the column out.
        curves: Sparkline per run id; None leaves the column out.
        curve_title: What the sparklines are of.
    """
    ids = short_ids([run.info.run_id for run in runs])
    columns = [
        Column("ID", "run_id", style="yellow"),
        Column("NAME", "name", style="bold", least=12),
    ]
    if experiments is not None:
        columns.append(Column("EXPERIMENT", "experiment", least=12, rank=6))
    columns += [
        Column("STATUS", "status"),
        Column("STARTED", "start_time", align="right", style="dim", rank=3),
        Column("TOOK", "duration_s", align="right", rank=7),
    ]
    values = [[field_cell(value_of(run, field)) for run in runs] for field in fields]
    seen = {"metrics": 0, "params": 0, "tags": 0}
    for field, cells in zip(fields, values, strict=True):
        columns.append(_field_column(field, cells, seen[field.group]))
        seen[field.group] += 1
    if curves is not None:
        columns.append(Column(curve_title, "curve", style="cyan", least=12, rank=8))
    rows = []
    for place, run in enumerate(runs):
        info = run.info
        child = "↳ " if PARENT_TAG in run.data.tags else ""
        name = info.run_name or ""
        cells = [Cell(ids[info.run_id], info.run_id), Cell(child + name, name)]
        if experiments is not None:
            cells.append(Cell(experiments.get(info.experiment_id, info.experiment_id)))
        cells += [
            status_cell(info),
            Cell(ago(info.start_time, now), iso_time(info.start_time)),
            duration_cell(info, now),
        ]
        cells += [column[place] for column in values]
        if curves is not None:
            cells.append(Cell(curves.get(info.run_id, "")))
        rows.append(tuple(cells))
    return Table(tuple(columns), tuple(rows))


def _field_column(field: Field, cells: Sequence[Cell], place: int) -> Column:
    """Returns the column of the field that is the `place`-th of its group.

    The first metric and the first param stay longest when the terminal is narrow.
    """
    key = f"{field.group}.{field.key}"
    if field.group == "metrics":
        widest = max((len(cell.shown) for cell in cells), default=0)
        return Column(field.key, key, align="right", least=max(15, widest), rank=4 + 5 * place)
    return Column(field.key, key, style="cyan", least=12, rank=5 + 5 * place)
