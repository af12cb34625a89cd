"""`autolog runs export`."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import click

from autolog_core.cli.invocation import Invocation, acts

if TYPE_CHECKING:
    from autolog_core.entities import Run
    from autolog_core.stores.base import Store

FORMATS = ("csv", "json", "jsonl", "parquet")
_DELAY = 0.5
"""Seconds that an export takes before its progress is shown."""


@click.command("export")
@click.argument("filter_string", metavar="[FILTER]", default="")
@click.option("-o", "--output", metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "-f",
    "--format",
    "form",
    type=click.Choice(FORMATS),
    help="By default what FILE ends with, else csv.",
)
@click.option(
    "--history",
    is_flag=True,
    help="All points of the metrics, a row each, instead of a row per run.",
)
@click.option(
    "-m",
    "--metric",
    "metrics",
    metavar="KEY",
    multiple=True,
    help="With --history: only this metric; may be repeated.",
)
@click.option(
    "-e",
    "--experiment",
    "experiments",
    metavar="ID|NAME",
    multiple=True,
    help="Only runs of this experiment; may be repeated.",
)
@click.option(
    "--all-experiments",
    is_flag=True,
    help="Runs of all experiments, whatever AUTOLOG_EXPERIMENT_NAME says.",
)
@click.option(
    "-s",
    "--order-by",
    metavar="FIELD [ASC|DESC]",
    multiple=True,
    help='Such as "metrics.val_loss"; may be repeated.',
)
@click.option("--deleted", is_flag=True, help="Deleted runs instead.")
@acts
def export(
    call: Invocation,
    filter_string: str,
    output: str | None,
    form: str | None,
    history: bool,
    metrics: Sequence[str],
    experiments: Sequence[str],
    all_experiments: bool,
    order_by: Sequence[str],
    deleted: bool,
) -> None:
    """Write runs, or the whole history of their metrics, to a file or standard output.

    In csv and parquet a run is a flat row (run_id, ..., params.lr, metrics.loss, tags.team); in
    json and jsonl it is an object with everything in it.

    \b
    autolog runs export "metrics.val_loss < 0.3" -o good.csv
    autolog runs export --history --metric loss -o curves.parquet
    """
    from autolog_core.cli.export.target import open_target
    from autolog_core.cli.export.writers import import_pyarrow
    from autolog_core.cli.lookup import chosen_experiments
    from autolog_core.entities import ViewType

    if metrics and not history:
        raise click.UsageError("--metric goes with --history")
    if experiments and all_experiments:
        raise click.UsageError("--experiment and --all-experiments exclude each other")
    form = form or _format_of(output)
    if form == "parquet":
        import_pyarrow()
        if output is None and sys.stdout.isatty():
            raise click.UsageError("Parquet is not for a terminal: give --output FILE")
    store = call.store()
    covered = chosen_experiments(store, call.settings, experiments, all_experiments)
    names = {experiment.experiment_id: experiment.name for experiment in covered}
    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    with _progress(output is not None) as advance:
        from autolog_core.cli.export.rows import fetch

        runs = fetch(store, list(names), filter_string, view, order_by, advance)
        with open_target(output) as out:
            if history:
                done = _write_history(store, runs, metrics, form, out)
            else:
                done = _write_runs(runs, names, form, out)
    if output is not None:
        from autolog_core.cli.render.text import plural

        click.echo(f"{plural(done, 'point' if history else 'run')} written to {output}", err=True)


def _format_of(output: str | None) -> str:
    suffix = (output or "").rpartition(".")[2].lower()
    return suffix if suffix in FORMATS else {"ndjson": "jsonl", "pq": "parquet"}.get(suffix, "csv")


def _write_runs(runs: Iterator[Run], names: dict[str, str], form: str, out: IO[bytes]) -> int:
    from autolog_core.cli.export import rows, writers
    from autolog_core.cli.render.records import run_record

    counted = _Counted(runs)
    if form in ("json", "jsonl"):
        write = writers.write_json if form == "json" else writers.write_jsonl
        write(map(run_record, counted), out)
        return counted.count
    with rows.Spool() as spool:
        for run in counted:
            spool.add(rows.flatten(run, names))
        table = writers.write_csv if form == "csv" else writers.write_parquet
        table(spool.columns(), spool.rows(), out)
    return counted.count


def _write_history(
    store: Store, runs: Iterator[Run], metrics: Sequence[str], form: str, out: IO[bytes]
) -> int:
    from autolog_core.cli.export import rows, writers

    total = 0

    def batches() -> Iterator[dict[str, Any]]:
        nonlocal total
        for run in runs:
            for key in sorted(run.data.metrics):
                if not metrics or key in metrics:
                    series = store.get_metric_series(run.info.run_id, key)
                    total += len(series)
                    yield rows.point_columns(run, series)

    if form == "parquet":
        writers.write_parquet_columns(rows.POINT_COLUMNS, batches(), out)
    elif form == "csv":
        writers.write_csv(rows.POINT_COLUMNS, writers.each_point(batches()), out)
    else:
        write = writers.write_json if form == "json" else writers.write_jsonl
        write(writers.each_point(batches()), out)
    return total


class _Counted:
    """Runs on their way through, counted."""

    def __init__(self, runs: Iterator[Run]) -> None:
        self._runs = runs
        self.count = 0

    def __iter__(self) -> Iterator[Run]:
        for run in self._runs:
            self.count += 1
            yield run


@contextmanager
def _progress(to_file: bool) -> Iterator[Callable[[int], None]]:
    """Shows how many runs were read when that takes long and a person can see it."""
    if not (to_file and sys.stderr.isatty()):
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.completed:,.0f} runs read"),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)
    since = time.monotonic()

    def advance(count: int) -> None:
        bar.advance(task, count)
        if time.monotonic() - since > _DELAY:
            bar.start()

    try:
        yield advance
    finally:
        bar.stop()
