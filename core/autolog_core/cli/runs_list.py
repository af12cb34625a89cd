"""`autolog runs list` and `autolog runs search`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autolog_core.cli.invocation import Invocation, reads

if TYPE_CHECKING:
    from autolog_core.cli.render.columns import Field
    from autolog_core.entities import Experiment, Run
    from autolog_core.stores.base import Store

F = TypeVar("F", bound=Callable[..., Any])
_GROUPS = {
    "metric": "metrics",
    "metrics": "metrics",
    "param": "params",
    "params": "params",
    "tag": "tags",
    "tags": "tags",
}
_PAGE = 1000
_CURVES = 60


def listing_options(function: F) -> F:
    """Adds the options that `list` and `search` share."""
    for decorator in reversed(
        (
            click.option(
                "-e",
                "--experiment",
                "experiments",
                metavar="ID|NAME",
                multiple=True,
                help="Only runs of this experiment; may be repeated.",
            ),
            click.option(
                "--all-experiments",
                is_flag=True,
                help="Runs of all experiments, whatever AUTOLOG_EXPERIMENT_NAME says.",
            ),
            click.option(
                "-s",
                "--order-by",
                metavar="FIELD [ASC|DESC]",
                multiple=True,
                help='Such as "metrics.val_loss" or "start_time DESC"; may be repeated.',
            ),
            click.option(
                "-n",
                "--limit",
                type=click.IntRange(min=1),
                default=20,
                show_default=True,
                help="Show at most this many runs.",
            ),
            click.option(
                "-c",
                "--columns",
                metavar="FIELDS",
                help="Such as metrics.loss,params.lr instead of those that differ most.",
            ),
            click.option("--deleted", is_flag=True, help="Show deleted runs instead."),
            click.option("-q", "--ids", is_flag=True, help="Print run ids only."),
        )
    ):
        function = decorator(function)
    return function


@click.command("list")
@listing_options
@reads
def list_runs(call: Invocation, **options: Any) -> None:
    """List the newest runs.

    Shown are the params and metrics that tell the runs apart best, and one curve. Without
    --experiment: the experiment that AUTOLOG_EXPERIMENT_NAME names, else all of them.
    """
    _show(call, "", **options)


@click.command("search")
@click.argument("filter_string", metavar="FILTER")
@listing_options
@reads
def search(call: Invocation, filter_string: str, **options: Any) -> None:
    """List the runs that a filter matches.

    \b
    autolog runs search "metrics.val_loss < 0.3 and params.lr = '0.01'"
    autolog runs search "tags.team = 'vision' or run_name LIKE 'fox%'" -s "metrics.acc DESC"
    autolog runs search "status = 'FAILED' and duration > 60000"
    """
    _show(call, filter_string, **options)


def _show(
    call: Invocation,
    filter_string: str,
    experiments: Sequence[str],
    all_experiments: bool,
    order_by: Sequence[str],
    limit: int,
    columns: str | None,
    deleted: bool,
    ids: bool,
) -> None:
    from autolog_core.cli.lookup import chosen_experiments

    if experiments and all_experiments:
        raise click.UsageError("--experiment and --all-experiments exclude each other")
    fields = _parse_columns(columns)
    store = call.store()
    covered = chosen_experiments(store, call.settings, experiments, all_experiments)
    runs, more = _fetch(store, covered, filter_string, order_by, limit, deleted)
    if ids:
        click.echo("".join(f"{run.info.run_id}\n" for run in runs), nl=False)
        return
    if call.as_json:
        from autolog_core.cli.render.records import run_record

        call.out.json([run_record(run) for run in runs])
        return
    if not runs:
        call.out.hint(_none(covered, filter_string, deleted, bool(experiments)))
        return
    _print(call, store, covered, runs, fields or _chosen(runs, [filter_string, *order_by]))
    if more:
        call.out.hint(f"the first {len(runs)} runs; there are more: --limit {limit * 5}")


def _parse_columns(text: str | None) -> list[Field]:
    from autolog_core.cli.render.columns import Field

    fields = []
    for word in (text or "").split(","):
        prefix, dot, key = word.strip().partition(".")
        group = _GROUPS.get(prefix)
        if text is not None and (not dot or not key or group is None):
            raise click.BadParameter(
                f"{word.strip()!r} is no field: write metrics.KEY, params.KEY or tags.KEY",
                param_hint="--columns",
            )
        if group is not None:
            fields.append(Field(group, key.strip('`"')))  # type: ignore[arg-type]
    return fields


def _fetch(
    store: Store,
    experiments: Sequence[Experiment],
    filter_string: str,
    order_by: Sequence[str],
    limit: int,
    deleted: bool,
) -> tuple[list[Run], bool]:
    from autolog_core.entities import ViewType

    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    ids = [experiment.experiment_id for experiment in experiments]
    runs: list[Run] = []
    token: str | None = None
    while len(runs) < limit:
        size = min(_PAGE, limit - len(runs))
        page = store.search_runs(ids, filter_string, view, size, list(order_by), token)
        runs.extend(page)
        token = page.token
        if token is None:
            break
    return runs, token is not None


def _chosen(runs: Sequence[Run], texts: Sequence[str]) -> list[Field]:
    """Returns the fields that the filter and the ordering name, then those that differ most."""
    from autolog_core.cli.render.columns import Field, choose_metrics, choose_params

    asked = []
    for text in texts:
        # Only a hint at what is of interest: what a quoted value holds does no harm here.
        for prefix, quoted, key in re.findall(r"(\w+)\.(?:[`\"]([^`\"]+)[`\"]|([\w.\-/]+))", text):
            group = _GROUPS.get(prefix.lower())
            if group is not None:
                asked.append(Field(group, quoted or key))  # type: ignore[arg-type]
    chosen = [*asked, *choose_metrics(runs, 4), *choose_params(runs, 5)]
    held = [
        field
        for field in dict.fromkeys(chosen)
        if any(field.key in getattr(run.data, field.group) for run in runs)
    ]
    return sorted(held, key=lambda field: ("metrics", "params", "tags").index(field.group))


def _print(
    call: Invocation,
    store: Store,
    experiments: Sequence[Experiment],
    runs: Sequence[Run],
    fields: Sequence[Field],
) -> None:
    from autolog_core.cli.render.run_table import run_table

    out = call.out
    names = {experiment.experiment_id: experiment.name for experiment in experiments}
    several = len({run.info.experiment_id for run in runs}) > 1
    key = _curve_key(runs, fields) if out.terminal and len(runs) <= _CURVES else None
    table = run_table(
        runs,
        call.now,
        fields,
        experiments=names if several or not out.terminal else None,
        curves=_curves(store, runs, key, out.ascii_only) if key else None,
        curve_title=f"~{key}",
    )
    if out.terminal and not several:
        out.line(f"experiment {names[runs[0].info.experiment_id]}", style="dim")
    dropped = out.table(table)
    if dropped:
        out.hint(f"no room for {', '.join(dropped[:6])}{', …' if len(dropped) > 6 else ''}")


def _curve_key(runs: Sequence[Run], fields: Sequence[Field]) -> str | None:
    """Returns the metric with a history that most runs have, one that has a column if possible."""
    from autolog_core.cli.render.columns import is_system

    columns = [field.key for field in fields if field.group == "metrics"]
    cover: dict[str, int] = {}
    for run in runs:
        for key, summary in run.data.summaries.items():
            if summary.points > 1 and not is_system(key):
                cover[key] = cover.get(key, 0) + 1
    return min(cover, key=lambda key: (-cover[key], key not in columns, key), default=None)


def _curves(store: Store, runs: Sequence[Run], key: str, ascii_only: bool) -> dict[str, str]:
    from autolog_core.cli.render.plots import curve_of, sparkline

    curves = {}
    for run in runs:
        summary = run.data.summaries.get(key)
        if summary is not None and summary.points > 1:
            series = store.downsample_metric(run.info.run_id, key, 12)
            curves[run.info.run_id] = sparkline(curve_of(series).ys, 12, ascii_only)
    return curves


def _none(experiments: Sequence[Experiment], filter_string: str, deleted: bool, named: bool) -> str:
    kind = "deleted run" if deleted else "run"
    where = " in " + ", ".join(repr(experiment.name) for experiment in experiments) if named else ""
    if filter_string.strip():
        return f"no {kind}{where} matches"
    return f"no {kind}{where} yet" if not deleted else f"no {kind}{where}"
