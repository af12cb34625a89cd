"""`autolog experiments list`, `search` and `show`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from autolog_core.cli.invocation import Invocation, reads

if TYPE_CHECKING:
    from autolog_core.cli.render.experiments import Activity
    from autolog_core.entities import Experiment
    from autolog_core.stores.base import Store

F = TypeVar("F", bound=Callable[..., Any])
_COUNTED = 100
_RUNS = 5


def listing_options(function: F) -> F:
    """Adds the options that `list` and `search` share."""
    for decorator in reversed(
        (
            click.option(
                "-s",
                "--order-by",
                metavar="FIELD [ASC|DESC]",
                multiple=True,
                help='Such as "name" or "creation_time DESC"; may be repeated.',
            ),
            click.option(
                "-n",
                "--limit",
                type=click.IntRange(min=1, max=50_000),
                default=50,
                show_default=True,
                help="Show at most this many.",
            ),
            click.option("--deleted", is_flag=True, help="Show deleted experiments instead."),
        )
    ):
        function = decorator(function)
    return function


@click.command("list")
@listing_options
@reads
def list_experiments(call: Invocation, **options: Any) -> None:
    """List experiments, the newest first."""
    _show(call, "", **options)


@click.command("search")
@click.argument("filter_string", metavar="FILTER")
@listing_options
@reads
def search(call: Invocation, filter_string: str, **options: Any) -> None:
    """List the experiments that a filter matches.

    \b
    autolog experiments search "name LIKE 'titanic%'"
    autolog experiments search "tags.team = 'vision'" -s name
    """
    _show(call, filter_string, **options)


def _show(
    call: Invocation, filter_string: str, order_by: Sequence[str], limit: int, deleted: bool
) -> None:
    from autolog_core.cli.render.experiments import experiment_table
    from autolog_core.entities import ViewType

    store = call.store()
    view = ViewType.DELETED_ONLY if deleted else ViewType.ACTIVE_ONLY
    page = store.search_experiments(filter_string, view, limit, list(order_by))
    if call.as_json:
        call.out.json([experiment.to_dictionary() for experiment in page])
        return
    if not page:
        call.out.hint("no deleted experiment" if deleted else "no experiment matches")
        return
    activity = {
        experiment.experiment_id: _activity(store, experiment, deleted) for experiment in page
    }
    out = call.out
    out.table(experiment_table(page, activity, call.now, whole=not out.terminal))
    if page.token is not None:
        call.out.hint(f"the first {limit} experiments; there are more: --limit {limit * 5}")


def _activity(store: Store, experiment: Experiment, deleted: bool) -> Activity:
    from autolog_core.cli.render.experiments import Activity
    from autolog_core.entities import ViewType

    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    runs = store.search_runs([experiment.experiment_id], "", view, _COUNTED)
    newest = runs[0].info if runs else None
    return Activity(
        len(runs),
        runs.token is not None,
        newest.start_time if newest else None,
        newest.status if newest else None,
    )


@click.command("show")
@click.argument("experiment")
@reads
def show(call: Invocation, experiment: str) -> None:
    """Show an experiment and its newest runs."""
    from autolog_core.cli.lookup import find_experiment

    store = call.store()
    found = find_experiment(store, experiment)
    if call.as_json:
        call.out.json(found.to_dictionary())
        return
    from autolog_core.cli.render.columns import choose_metrics, choose_params
    from autolog_core.cli.render.experiments import experiment_page
    from autolog_core.cli.render.page import Page, heading
    from autolog_core.cli.render.run_table import run_table

    out = call.out
    page = Page(out.width if out.terminal else None, call.now, out.ascii_only)
    activity = _activity(store, found, deleted=False)
    out.text(experiment_page(found, activity, page))
    runs = store.search_runs([found.experiment_id], max_results=_RUNS)
    if runs:
        out.text(heading("Newest runs"))
        fields = choose_metrics(runs, 3) + choose_params(runs, 3)
        out.table(run_table(runs, call.now, fields))
