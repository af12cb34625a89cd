"""`autolog runs compare`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import click

from autolog_core.cli.invocation import Invocation, reads

if TYPE_CHECKING:
    from autolog_core.entities import Run
    from autolog_core.stores.base import Store

_PIPE_WIDTH = 100


@click.command("compare")
@click.argument("runs", metavar="RUN RUN...", nargs=-1, required=True)
@click.option(
    "-m",
    "--metric",
    "metrics",
    metavar="KEY",
    multiple=True,
    help="Draw this metric of all the runs in one plot; may be repeated.",
)
@click.option("--log", is_flag=True, help="Logarithmic value axis.")
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Also what is the same in all runs, and metrics of the machine.",
)
@click.option(
    "--value",
    "statistic",
    type=click.Choice(["last", "min", "max"]),
    default="last",
    show_default=True,
    help="Which value of a metric.",
)
@click.option("--minimize", metavar="KEY", multiple=True, help="Less of this metric is better.")
@click.option("--maximize", metavar="KEY", multiple=True, help="More of this metric is better.")
@reads
def compare(
    call: Invocation,
    runs: Sequence[str],
    metrics: Sequence[str],
    log: bool,
    everything: bool,
    statistic: Literal["last", "min", "max"],
    minimize: Sequence[str],
    maximize: Sequence[str],
) -> None:
    """Show how runs differ, side by side.

    The best value of a metric is marked where its name says what is better (loss, error: less;
    accuracy, f1, auc: more), or --minimize or --maximize does.
    """
    from autolog_core.cli.lookup import find_runs
    from autolog_core.cli.render.compare_view import Direction, blocks, compare_table

    if both := set(minimize) & set(maximize):
        raise click.UsageError(f"--minimize and --maximize both name {sorted(both)[0]!r}")
    store = call.store()
    found = find_runs(store, runs, call.now)
    if len({run.info.run_id for run in found}) < 2:
        raise click.UsageError("name at least two different runs")
    if metrics:
        _curves(call, store, found, metrics, log)
        return
    less: dict[str, Direction] = dict.fromkeys(minimize, "min")
    more: dict[str, Direction] = dict.fromkeys(maximize, "max")
    table = compare_table(
        found, call.now, everything=everything, statistic=statistic, directions=less | more
    )
    out = call.out
    if call.as_json:
        from autolog_core.cli.render.records import compare_record

        out.json(compare_record(found, everything))
        return
    if not out.terminal:
        out.table(table)
        return
    for place, block in enumerate(blocks(table, out.width)):
        if place:
            out.line()
        out.table(block)
    if len(table.rows) == 4:
        out.hint("no param or metric differs; --all shows them")


def _curves(
    call: Invocation, store: Store, runs: Sequence[Run], metrics: Sequence[str], log: bool
) -> None:
    from autolog_core.cli.render.records import series_record
    from autolog_core.errors import NotFound

    for key in metrics:
        if not any(key in run.data.metrics for run in runs):
            known = sorted({key for run in runs for key in run.data.metrics})
            raise NotFound(
                f"none of the runs has a metric {key!r}; they have: {', '.join(known) or 'none'}"
            )
    if call.as_json:
        call.out.json(
            {
                run.info.run_id: {
                    key: series_record(store.get_metric_series(run.info.run_id, key))
                    for key in metrics
                }
                for run in runs
            }
        )
        return
    for key in metrics:
        _plot(call, store, runs, key, log)


def _plot(call: Invocation, store: Store, runs: Sequence[Run], key: str, log: bool) -> None:
    from autolog_core.cli.render.plots import curve_of, plot

    out = call.out
    width = out.width if out.terminal else _PIPE_WIDTH
    names = [run.info.run_name or run.info.run_id[:8] for run in runs]
    curves = []
    for run, name in zip(runs, names, strict=True):
        series = store.downsample_metric(run.info.run_id, key, 2 * width)
        label = name if names.count(name) == 1 else f"{name} ({run.info.run_id[:8]})"
        curves.append(curve_of(series, label))
    out.text(
        plot(
            curves,
            width,
            out.plot_height,
            title=key,
            log=log,
            ascii_only=out.ascii_only,
            colour=out.colour,
        )
    )
