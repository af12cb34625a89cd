"""Searching runs, to a pandas frame or to entities."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, overload

from autolog._paging import collect
from autolog_core.entities import Run, ViewType
from autolog_core.errors import InvalidArgument
from autolog_core.runs import choose_experiment
from autolog_core.session import default_session

if TYPE_CHECKING:
    import pandas as pd

    from autolog_core.session import Session

_logger = logging.getLogger(__name__)


@overload
def search_runs(
    experiment_ids: Sequence[str] | None = ...,
    filter_string: str = ...,
    run_view_type: int = ...,
    max_results: int = ...,
    order_by: Sequence[str] | None = ...,
    output_format: Literal["pandas"] = ...,
    search_all_experiments: bool = ...,
    experiment_names: Sequence[str] | None = ...,
) -> pd.DataFrame: ...


@overload
def search_runs(
    experiment_ids: Sequence[str] | None = ...,
    filter_string: str = ...,
    run_view_type: int = ...,
    max_results: int = ...,
    order_by: Sequence[str] | None = ...,
    output_format: Literal["list"] = ...,
    search_all_experiments: bool = ...,
    experiment_names: Sequence[str] | None = ...,
) -> list[Run]: ...


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> pd.DataFrame | list[Run]:
    """Returns the runs that match.

    Args:
        experiment_ids: Where to look; the active experiment unless these or names are given.
        filter_string: Such as ``"metrics.loss < 0.1 AND (params.lr = '0.1' OR tags.a = 'b')"``.
        run_view_type: `ViewType.ACTIVE_ONLY`, `DELETED_ONLY` or `ALL`.
        max_results: How many at most.
        order_by: Such as ``["metrics.loss ASC", "start_time DESC"]``; newest first by default.
        output_format: "pandas" for a frame, "list" for `Run` entities.
        search_all_experiments: Look in every active experiment, if no ids or names are given.
        experiment_names: Where to look, by name.

    Returns:
        A frame with the columns run_id, experiment_id, status, artifact_uri, start_time and
        end_time (datetime64, UTC), then ``metrics.*`` (float64, NaN where absent), ``params.*`` and
        ``tags.*`` (object, None where absent); or the list.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
        InvalidArgument: Both ids and names are given, or an argument is off.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidArgument(f"output_format must be 'pandas' or 'list', got {output_format!r}")
    session = default_session()
    places = _places(session, experiment_ids, experiment_names, search_all_experiments)
    runs: list[Run] = []
    if places:
        store = session.read()
        runs = collect(
            lambda size, token: store.search_runs(
                places, filter_string, run_view_type, size, order_by, token
            ),
            max_results,
        )
    if output_format == "list":
        return runs
    from autolog import _frames

    return _frames.runs_frame(runs)


def _places(
    session: Session,
    experiment_ids: Sequence[str] | None,
    experiment_names: Sequence[str] | None,
    everywhere: bool,
) -> list[str]:
    for name, value in (("experiment_ids", experiment_ids), ("experiment_names", experiment_names)):
        if isinstance(value, str):
            raise InvalidArgument(f"{name} must be a list, got {value!r}; write [{value!r}]")
    if experiment_ids and experiment_names:
        raise InvalidArgument("give experiment_ids or experiment_names, not both")
    if experiment_ids:
        return [str(experiment_id) for experiment_id in experiment_ids]
    store = session.read()
    if experiment_names:
        found = []
        for name in experiment_names:
            experiment = store.get_experiment_by_name(name)
            if experiment is None:
                _logger.warning("search_runs(): there is no experiment named %r", name)
            else:
                found.append(experiment.experiment_id)
        return found
    if everywhere:
        experiments = collect(
            lambda size, token: store.search_experiments(max_results=size, page_token=token), None
        )
        return [experiment.experiment_id for experiment in experiments]
    return [choose_experiment(session)]
