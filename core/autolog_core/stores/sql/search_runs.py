"""The search of runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from autolog_core.entities import Page, Run, ViewType
from autolog_core.errors import InvalidArgument
from autolog_core.limits import INT64_MAX, check_max_results
from autolog_core.search import RUNS, parse_filter, parse_order_by
from autolog_core.search.pages import decode_token, encode_token
from autolog_core.search.tree import conjuncts
from autolog_core.stores.sql.runs import load_runs
from autolog_core.stores.sql.search_order import complete
from autolog_core.stores.sql.search_plan import find_ids
from autolog_core.stores.sql.search_query import Search
from autolog_core.stores.sql.search_text import teach_fold


def search_runs(
    connection: Connection,
    experiment_ids: Sequence[str],
    filter_string: str | None = None,
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = 1000,
    order_by: Sequence[str] | None = None,
    page_token: str | None = None,
) -> Page[Run]:
    """Returns a page of runs with all their data.

    Args:
        connection: In a transaction, so that all statements see one state.
        experiment_ids: Unknown ones hold no runs.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
        InvalidArgument: An experiment id, `view_type`, `max_results` or `page_token` is off.
    """
    node = parse_filter(filter_string, RUNS)
    terms = complete(parse_order_by(order_by, RUNS))
    stages = ViewType.stages(view_type)
    check_max_results(max_results)
    offset = decode_token(page_token)
    experiments = experiment_numbers(experiment_ids)
    if not experiments:
        return Page()
    teach_fold(connection)
    search = Search(connection, experiments, conjuncts(node), terms, stages)
    # One more than the page tells whether there is a next one.
    ids = find_ids(search, offset, max_results + 1)
    token = encode_token(offset + max_results) if len(ids) > max_results else None
    return Page(load_runs(connection, ids[:max_results]), token)


def experiment_numbers(experiment_ids: Sequence[str]) -> tuple[int, ...]:
    """Returns experiment ids as numbers, each once.

    Raises:
        InvalidArgument: One is none.
    """
    if isinstance(experiment_ids, (str, bytes)):
        raise InvalidArgument(
            f"experiment_ids must be a list of ids, got {experiment_ids!r}; put it in a list"
        )
    numbers = []
    for experiment_id in experiment_ids:
        text = str(experiment_id)
        if not (text.isascii() and text.isdigit() and int(text[:20]) <= INT64_MAX):
            raise InvalidArgument(
                f"experiment id {text[:80]!r} is invalid: it is a decimal number, such as '0'"
            )
        numbers.append(int(text))
    return tuple(dict.fromkeys(numbers))
