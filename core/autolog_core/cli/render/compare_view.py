"""Runs side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from autolog_core.cli.render.columns import (
    Field,
    Group,
    best_direction,
    differing,
    is_system,
    keys_of,
    value_of,
)
from autolog_core.cli.render.run_table import (
    duration_cell,
    field_cell,
    short_ids,
    status_cell,
)
from autolog_core.cli.render.tables import Cell, Column, Table
from autolog_core.cli.render.text import ago, exact, iso_time, number
from autolog_core.entities import Run

Statistic = Literal["last", "min", "max"]
Direction = Literal["min", "max"]
_LEAST = 16


def compare_table(
    runs: Sequence[Run],
    now: int,
    *,
    everything: bool = False,
    statistic: Statistic = "last",
    directions: Mapping[str, Direction] | None = None,
    mark: str = " *",
) -> Table:
    """Returns a table with a column per run and a row per thing that differs.

    Args:
        runs: Two or more.
        now: Milliseconds since the epoch.
        everything: Whether rows that are the same in all runs, and metrics of the machine, are
            kept.
        statistic: Which value of a metric is shown.
        directions: Whether less or more is better, by metric; else the name decides.
        mark: What follows the best value of a metric.
    """
    ids = short_ids([run.info.run_id for run in runs])
    columns = [Column("", "field", style="bold", least=14)]
    columns += [
        Column(run.info.run_name or ids[run.info.run_id], run.info.run_id, least=_LEAST)
        for run in runs
    ]
    rows: list[tuple[Cell, ...]] = [
        (
            # In a pipe the heading holds the ids already.
            Cell("id", "name"),
            *(Cell(ids[r.info.run_id], r.info.run_name or "", "yellow") for r in runs),
        ),
        (Cell("status"), *(status_cell(run.info) for run in runs)),
        (
            Cell("started", "start_time"),
            *(Cell(ago(r.info.start_time, now), iso_time(r.info.start_time)) for r in runs),
        ),
        (Cell("took", "duration_s"), *(duration_cell(run.info, now) for run in runs)),
    ]
    for key in _keys(runs, "params", everything):
        values = [field_cell(value_of(run, Field("params", key))) for run in runs]
        rows.append((Cell(key, f"params.{key}", "cyan"), *values))
    for key in _keys(runs, "metrics", everything):
        direction = (directions or {}).get(key) or best_direction(key)
        rows.append(
            (Cell(key, f"metrics.{key}"), *_metric_cells(runs, key, statistic, direction, mark))
        )
    return Table(tuple(columns), tuple(rows))


def _keys(runs: Sequence[Run], group: Group, everything: bool) -> list[str]:
    if everything:
        return keys_of(runs, group)
    return [key for key in differing(runs, group) if group == "params" or not is_system(key)]


def metric_value(run: Run, key: str, statistic: Statistic) -> float | None:
    """Returns the last, least or greatest value of a metric of a run; None if it has none."""
    summary = run.data.summaries.get(key)
    if statistic == "last" or summary is None:
        return run.data.metrics.get(key)
    return summary.minimum if statistic == "min" else summary.maximum


def _metric_cells(
    runs: Sequence[Run], key: str, statistic: Statistic, direction: Direction | None, mark: str
) -> list[Cell]:
    values = [metric_value(run, key, statistic) for run in runs]
    known = [value for value in values if value is not None and not math.isnan(value)]
    best = None
    if direction and len(set(known)) > 1:
        best = min(known) if direction == "min" else max(known)
    cells = []
    for value in values:
        if value is None:
            cells.append(Cell("-", "", "dim"))
        elif value == best:
            cells.append(Cell(number(value, 6) + mark, exact(value), "bold green"))
        else:
            cells.append(Cell(number(value, 6), exact(value)))
    return cells


def blocks(table: Table, width: int) -> Iterator[Table]:
    """Yields the table in parts that fit `width`, each with the first column and some runs."""
    from rich.cells import cell_len

    head = max([14, *(min(28, cell_len(row[0].shown)) for row in table.rows)])
    runs = len(table.columns) - 1
    fit_in = max(1, (width - head) // (_LEAST + 2))
    parts = -(-runs // fit_in)
    for part in range(parts):
        picked = [0, *range(1 + part * runs // parts, 1 + (part + 1) * runs // parts)]
        yield replace(
            table,
            columns=tuple(table.columns[index] for index in picked),
            rows=tuple(tuple(row[index] for index in picked) for row in table.rows),
        )
