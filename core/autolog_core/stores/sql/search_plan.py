"""How the ids of a page of runs are found without reading all runs.

An ordering by a metric, a param, a tag or start time can walk an index from the right end and probe
the filter run by run, which is fast when many runs fit; a selective filter is faster answered from
its own index, with its few runs sorted. Which one a search is cannot be told beforehand when filter
and ordering go together. So the first steps are walked. When they do not do, the filters' indexes
are read and what they have in common is sorted, if that is little; if not, walking goes on.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement

from autolog_core.entities import LifecycleStage
from autolog_core.search import Node
from autolog_core.stores.sql.search_conditions import RUN, Target, condition, needs_run
from autolog_core.stores.sql.search_drivers import READ_AHEAD, Driver, find_drivers, intersect
from autolog_core.stores.sql.search_order import START_TIME, key_of, merge
from autolog_core.stores.sql.search_query import Rows, Search, by_selectivity, fetch
from autolog_core.stores.sql.search_text import listed
from autolog_core.stores.sql.search_walk import can_walk, in_order, is_whole, line_of, walk


def find_ids(search: Search, offset: int, count: int) -> list[str]:
    """Returns the ids of at most `count` runs after the first `offset`, in order."""
    if len(search.experiments) == 1:
        rows = _one(search, search.experiments[0], offset, count)
    elif len(search.experiments) <= search.costs.separate:
        found = [_one(search, each, 0, offset + count) for each in search.experiments]
        merged = merge([row for rows in found for row in rows], search.terms)
        rows = merged[offset : offset + count]
    else:
        experiments = search.experiments
        drivers = find_drivers(search.connection, experiments, search.nodes, search.costs.bound)
        if drivers:
            rows = _sort_driven(search, drivers, offset, count)
        else:
            place = RUN.c.experiment_id.in_(experiments)
            rows = _sort(search, place, search.nodes, offset, count)
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
        return _sort_driven(search, drivers, offset, count)
    # By start time, sorting all is a walk as well, and one that never gives up.
    if can_walk(lead) and (drivers or lead != START_TIME):
        return _walk(search, experiment, drivers, offset, count)
    if drivers:
        return _sort_driven(search, drivers, offset, count)
    return _sort(search, RUN.c.experiment_id == experiment, search.nodes, offset, count)


def _walk(
    search: Search, experiment: int, drivers: Sequence[Driver], offset: int, count: int
) -> Rows:
    """Walks along the first ordering until another way is the cheaper one."""
    line = line_of(search, experiment)
    wanted = offset + count
    limit = None
    for passed, rows in walk(search, line, drivers, wanted):
        if len(rows) == wanted:
            return rows[offset:]
        # The first step alone tells too little.
        if passed > search.costs.stride:
            if limit is None and drivers:
                drivers = _drivers(search, experiment, search.costs.bound)
            limit = drivers[0].count // 2 if drivers else search.costs.patience
            if passed > limit or passed * wanted > (passed + limit) * max(1, len(rows)):
                break
    else:
        if is_whole(search, line):
            return rows[offset:]
    if not drivers:
        return _sort(search, RUN.c.experiment_id == experiment, search.nodes, offset, count)
    smallest = drivers[0].count
    alike = [driver for driver in drivers if driver.count <= READ_AHEAD * smallest]
    if smallest >= search.costs.bound or len(alike) == 1:
        return _sort_driven(search, drivers, offset, count)
    covered = [node for driver in alike for node in driver.nodes]
    place = listed(search.dialect, RUN.c.run_id, sorted(intersect(search.connection, alike)))
    nodes = [node for node in search.nodes if node not in covered]
    return _sort(search, place, nodes, offset, count)


def _drivers(search: Search, experiment: int, bound: int) -> list[Driver]:
    return find_drivers(search.connection, (experiment,), search.nodes, bound)


def _sort_driven(search: Search, drivers: Sequence[Driver], offset: int, count: int) -> Rows:
    """Sorts the runs that the smallest driver leaves."""
    driver = drivers[0]
    nodes = [node for node in by_selectivity(search.nodes, drivers) if node not in driver.nodes]
    # What was logged is looked at before the run's row is: most runs end there.
    target = Target(search.dialect, driver.run_id, RUN)
    logged = [condition(node, target) for node in nodes if not needs_run(node)]
    place = RUN.c.run_id.in_(driver.query.where(*logged))
    return _sort(search, place, [node for node in nodes if needs_run(node)], offset, count)


def _sort(
    search: Search, place: ColumnElement[bool], nodes: Sequence[Node], offset: int, count: int
) -> Rows:
    """Sorts the runs of a place that fulfil conditions."""
    target = Target(search.dialect, RUN.c.run_id, RUN)
    keys = [key_of(term, RUN, RUN.c.run_id, search.dialect) for term in search.terms]
    conditions = [place, *search.stage(RUN), *(condition(node, target) for node in nodes)]
    return fetch(search, RUN, RUN.c.run_id, keys, conditions, offset, count)
