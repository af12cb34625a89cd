"""`autolog runs show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from autolog_core.cli.invocation import Invocation, reads

if TYPE_CHECKING:
    from rich.text import Text

    from autolog_core.cli.render.page import Page
    from autolog_core.entities import FileInfo, Run
    from autolog_core.stores.base import Store

_PLOTS = 6
_PIPE_WIDTH = 100


@click.command("show")
@click.argument("run", required=False)
@click.option(
    "-m",
    "--metric",
    "metrics",
    metavar="KEY",
    multiple=True,
    help="Draw this metric large instead; may be repeated, for several in one plot.",
)
@click.option("--log", is_flag=True, help="Logarithmic value axis.")
@click.option(
    "-a",
    "--all",
    "everything",
    is_flag=True,
    help="Also tags of autolog and metrics of the machine, and nothing cut.",
)
@reads
def show(
    call: Invocation, run: str | None, metrics: Sequence[str], log: bool, everything: bool
) -> None:
    """Show all of a run: params, metrics, datasets, artifacts, failure, and curves as text plots.

    Without RUN: the run that started last.
    """
    from autolog_core.cli.lookup import find_run
    from autolog_core.cli.render.page import Page

    store = call.store()
    found = find_run(store, run, call.now)
    if call.as_json:
        _print_json(call, store, found, metrics)
        return
    out = call.out
    page = Page(out.width if out.terminal else None, call.now, out.ascii_only, everything)
    if metrics:
        _print_large(call, store, found, metrics, log)
    else:
        _print_all(call, store, found, page, log)


def _print_json(call: Invocation, store: Store, run: Run, metrics: Sequence[str]) -> None:
    from autolog_core.cli.render.records import run_record, series_record

    record = run_record(run)
    if metrics:
        _check_keys(run, metrics)
        record["history"] = {
            key: series_record(store.get_metric_series(run.info.run_id, key)) for key in metrics
        }
    call.out.json(record)


def _check_keys(run: Run, metrics: Sequence[str]) -> None:
    from autolog_core.errors import NotFound

    for key in metrics:
        if key not in run.data.metrics:
            known = ", ".join(sorted(run.data.metrics)) or "none"
            raise NotFound(f"run {run.info.run_id} has no metric {key!r}; it has: {known}")


def _print_large(
    call: Invocation, store: Store, run: Run, metrics: Sequence[str], log: bool
) -> None:
    from autolog_core.cli.render.plots import curve_of, plot
    from autolog_core.cli.render.run_view import title_line

    _check_keys(run, metrics)
    out = call.out
    width = out.width if out.terminal else _PIPE_WIDTH
    # Two dots per cell: that many buckets use the whole resolution.
    curves = [curve_of(store.downsample_metric(run.info.run_id, key, 2 * width)) for key in metrics]
    out.text(title_line(run))
    out.text(
        plot(
            curves,
            width,
            out.plot_height,
            title=" ".join(metrics),
            log=log,
            ascii_only=out.ascii_only,
            colour=out.colour,
        )
    )


def _print_all(call: Invocation, store: Store, run: Run, page: Page, log: bool) -> None:
    from autolog_core.cli.render.page import heading
    from autolog_core.cli.render.run_view import run_sections

    out = call.out
    files, traceback = _files(run)
    keys = _keys_with_history(run, page.everything)
    experiment = store.get_experiment(run.info.experiment_id)
    sparks = _sparks(store, run, keys, out.ascii_only)
    for part in run_sections(run, experiment, files, traceback, sparks, page):
        out.text(part)
    if keys:
        out.text(heading("Curves"))
        width = (out.width if out.terminal else _PIPE_WIDTH) - 2
        for line in _plots(call, store, run, keys[:_PLOTS], width, log):
            out.text(line)
    if len(keys) > _PLOTS:
        out.hint(f"  {len(keys) - _PLOTS} more curves: --metric {keys[_PLOTS]}")


def _keys_with_history(run: Run, everything: bool) -> list[str]:
    from autolog_core.cli.render.columns import choose_metrics, is_system

    several = {key for key, summary in run.data.summaries.items() if summary.points > 1}
    ranked = [field.key for field in choose_metrics([run], len(run.data.metrics))]
    machine = sorted(filter(is_system, run.data.metrics)) if everything else []
    return [key for key in (*ranked, *machine) if key in several]


def _sparks(store: Store, run: Run, keys: Sequence[str], ascii_only: bool) -> dict[str, str]:
    from autolog_core.cli.render.plots import curve_of, sparkline

    return {
        key: sparkline(
            curve_of(store.downsample_metric(run.info.run_id, key, 16)).ys, 16, ascii_only
        )
        for key in keys
    }


def _plots(
    call: Invocation, store: Store, run: Run, keys: Sequence[str], width: int, log: bool
) -> Sequence[Text]:
    from autolog_core.cli.render.plots import curve_of, plot
    from autolog_core.cli.render.side_by_side import side_by_side

    out = call.out
    across = 2 if width >= 116 and len(keys) > 1 else 1
    each = (width - 4 * (across - 1)) // across
    drawn = [
        plot(
            [curve_of(store.downsample_metric(run.info.run_id, key, 2 * each))],
            each,
            8,
            title=key,
            log=log,
            ascii_only=out.ascii_only,
            colour=out.colour,
        )
        for key in keys
    ]
    return [
        side_by_side(drawn[start : start + across], each, gap=4, indent=2)
        for start in range(0, len(drawn), across)
    ]


def _files(run: Run) -> tuple[list[FileInfo] | None, str | None]:
    """Returns a run's artifacts and the traceback among them, None where they cannot be read."""
    from autolog_core.cli.files import repository_of, walk
    from autolog_core.errors import AutologError
    from autolog_core.runs import FAILURE_FILE

    try:
        repository = repository_of(run)
        files = list(walk(repository))
        kept = any(file.path == FAILURE_FILE for file in files)
        return files, repository.read_bytes(FAILURE_FILE).decode() if kept else None
    except AutologError:
        return None, None
