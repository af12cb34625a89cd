"""How the ids of a page of runs are found without reading all runs.

An ordering by a metric, a param, a tag or start time can walk an index from the right end and probe
the filter run by run, which is fast when many runs fit; a selective filter is faster answered from
its own index, with its few runs sorted. Which one a search is cannot be told beforehand when filter
and ordering go together. So the walk may pass about as many runs as the filter's index holds, and
gives up earlier when what it found by then says that this will not do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from autolog_core.entities import LifecycleStage
from autolog_core.stores.sql.search_conditions import RUN, Target, condition, needs_run
from autolog_core.stores.sql.search_drivers import Driver, find_drivers
from autolog_core.stores.sql.search_order import START_TIME, key_of, merge
from autolog_core.stores.sql.search_query import Rows, Search, by_selectivity, fetch
from autolog_core.stores.sql.search_walk import can_walk, in_order, walk


def find_ids(search: Search, offset: int, count: int) -> list[str]:
    """Returns the ids of at most `count` runs after the first `offset`, in order."""
    if len(search.experiments) == 1:
        rows = _one(search, search.experiments[0], offset, count)
    elif len(search.experiments) <= search.costs.separate:
        found = [_one(search, each, 0, offset + count) for each in search.experiments]
        merged = merge([row for rows in found for row in rows], search.terms)
        rows = merged[offset : offset + count]
    else:
        bound = search.costs.bound
        drivers = find_drivers(search.connection, search.experiments, search.nodes, bound)
        rows = _sort(search, search.experiments, drivers, offset, count)
    return [row[0] for row in rows]


def _one(search: Search, experiment: int, offset: int, count: int) -> Rows:
    lead = search.terms[0].field
    # Deleted runs are few: a walk that looks for them alone passes many.
    unfiltered = not search.nodes and LifecycleStage.ACTIVE in search.stages
    if unfiltered and lead.kind != "attribute" and can_walk(lead):
        return in_order(search, experiment, offset, count)
    # Counting goes on only where it decides something.
    drivers = _drivers(search, experiment, search.costs.few + 1)
    if drivers and drivers[0].count == 0:
        return []
    if drivers and drivers[0].count <= search.costs.few:
        return _sort(search, (experiment,), drivers, offset, count)
    counted = cache(lambda: _drivers(search, experiment, search.costs.bound))
    # By start time, sorting without a driver is a walk as well, and one that never gives up.
    if can_walk(lead) and (drivers or lead != START_TIME):
        # To pass a run takes twice the time of looking it up from the filter's index.
        limit = lambda: counted()[0].count // 2 if drivers else search.costs.bound  # noqa: E731
        rows = walk(search, experiment, drivers, offset, count, limit)
        if rows is not None:
            return rows
    return _sort(search, (experiment,), counted(), offset, count)


def _drivers(search: Search, experiment: int, bound: int) -> list[Driver]:
    return find_drivers(search.connection, (experiment,), search.nodes, bound)


def _sort(
    search: Search,
    experiments: Sequence[int],
    drivers: Sequence[Driver],
    offset: int,
    count: int,
) -> Rows:
    """Sorts the runs that the smallest driver leaves; without one, all runs of the experiments."""
    run = RUN
    nodes = by_selectivity(search.nodes, drivers)
    if drivers:
        driver = drivers[0]
        nodes = [node for node in nodes if node not in driver.nodes]
        # What was logged is looked at before the run's row is: most runs end there.
        inner = Target(search.dialect, driver.run_id, run)
        logged = [condition(node, inner) for node in nodes if not needs_run(node)]
        nodes = [node for node in nodes if needs_run(node)]
        place = run.c.run_id.in_(driver.query.where(*logged))
    else:
        place = run.c.experiment_id.in_(experiments)
    keys = [key_of(term, run, run.c.run_id, search.dialect) for term in search.terms]
    target = Target(search.dialect, run.c.run_id, run)
    conditions = [place, *search.stage(run), *(condition(node, target) for node in nodes)]
    return fetch(search, run, run.c.run_id, keys, conditions, offset, count)
