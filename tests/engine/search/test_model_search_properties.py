"""SQL finds the logged models that the evaluator finds, in that order, whichever way it goes."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autolog_core.entities import Metric
from autolog_core.errors import InvalidFilter
from autolog_core.search import (
    MODELS,
    And,
    Comparison,
    DatasetFilter,
    Field,
    ModelOrder,
    Not,
    Or,
    OrderTerm,
    matches_model,
    parse_filter,
    parse_model_order,
    sort_models,
)
from autolog_core.search.values import MAX_FLOAT
from autolog_core.stores.operations import AppendMetrics, CreateModel, CreateRun, LogOutputs
from autolog_core.stores.sql.search_models import Costs, complete, find_ids, make_search
from autolog_core.stores.sql.search_text import teach_fold

NAN, INF = float("nan"), float("inf")
NUMBERS = [-1.5, 0.0, 0.5, 1.0, MAX_FLOAT]
VALUES = [*NUMBERS, NAN, NAN, INF, -INF]
TEXTS = ["", "a", "A", "1", "1.0", "0.5", "a_b", "100%", "über", "x" * 64 + "y"]
PATTERNS = ["%", "a%", "_", "%B", "x%y", ""]
KEYS = ["acc", "val/acc x"]
DATASETS = [(None, None), ("iris", "d1"), ("iris", "d2"), ("iris", None), ("Iris", "d1")]
STATUSES = ["PENDING", "READY", "FAILED", "PRUNED"]
TIMES = [0, 1, 2]


def pick(*choices: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(choices)


def tupled(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=1, max_size=3).map(tuple)


keys, texts, floats = st.sampled_from(KEYS), st.sampled_from(TEXTS), st.sampled_from(NUMBERS)
absences = pick("IS NULL", "IS NOT NULL")
numeric, equal, lists = pick("=", "!=", "<", "<=", ">", ">="), pick("=", "!="), pick("IN", "NOT IN")


def on_text(field: st.SearchStrategy[Field], values=texts) -> st.SearchStrategy[Comparison]:
    return st.one_of(
        st.builds(Comparison, field, equal, values),
        st.builds(Comparison, field, lists, tupled(values)),
        st.builds(
            Comparison,
            field,
            pick("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE"),
            st.sampled_from(PATTERNS),
        ),
        st.builds(Comparison, field, absences),
    )


def on_number(field: st.SearchStrategy[Field], values=floats) -> st.SearchStrategy[Comparison]:
    return st.one_of(
        st.builds(Comparison, field, numeric, values),
        st.builds(Comparison, field, lists, tupled(values)),
        st.builds(Comparison, field, absences),
    )


def fields(kind: str) -> st.SearchStrategy[Field]:
    return st.builds(Field, st.just(kind), keys)


def attribute(*names: str) -> st.SearchStrategy[Field]:
    return st.builds(Field, st.just("attribute"), pick(*names))


leaves = st.one_of(
    *[on_number(fields("metric"))] * 5,
    st.builds(Comparison, fields("metric"), pick("IS NAN", "IS NOT NAN")),
    on_text(fields("param")),
    on_number(fields("param")),
    on_text(fields("tag")),
    on_text(attribute("name", "model_type", "source_run_id", "model_id")),
    on_text(attribute("status"), st.sampled_from(STATUSES)),
    on_number(attribute("creation_timestamp", "last_updated_timestamp"), st.sampled_from(TIMES)),
)


def several(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(nodes, min_size=2, max_size=3).map(tuple)


signed = leaves | leaves.map(Not)
trees = st.one_of(
    leaves,
    signed,
    several(signed).map(And),
    several(signed).map(Or),
    several(signed).map(And).map(Not),
)
filters = st.builds(DatasetFilter, pick("iris", "Iris", "other"), pick(None, "d1", "d2"))
orders = st.one_of(
    st.builds(
        ModelOrder,
        st.builds(OrderTerm, fields("metric"), st.booleans()),
        st.none() | filters | st.just(DatasetFilter("iris", "d1")),
    ),
    st.builds(
        ModelOrder,
        st.builds(
            OrderTerm,
            st.one_of(fields("param"), fields("tag"), attribute(*MODELS.attributes)),
            st.booleans(),
        ),
    ),
)
points = st.tuples(
    pick("acc", "acc", "acc", "val/acc x"),
    st.sampled_from([*DATASETS, *[("iris", "d1")] * 6]),
    st.sampled_from([*VALUES, *NUMBERS, 0.5, 0.5]),
    pick(0, 1, 2),
    st.sampled_from(TIMES),
    st.booleans(),
    pick("runA", "runB"),
)
drafts = st.fixed_dictionaries(
    {
        "name": texts.filter(bool),
        "creation_timestamp": st.sampled_from(TIMES),
        "model_type": st.none() | texts,
        "source_run_id": pick(None, "runA", "a"),
        "status": st.sampled_from(STATUSES),
        "params": st.dictionaries(keys, texts).map(lambda found: tuple(found.items())),
        "tags": st.dictionaries(keys, texts).map(lambda found: tuple(found.items())),
        "points": st.lists(points, max_size=8),
    }
)
counter = itertools.count()
relaxed = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def fill(shelf, population):
    """Stores models in an experiment of their own, and returns it and all their points."""
    number = next(counter)
    experiment = shelf.fill()
    runs = {name: f"{name}{number}" for name in ("runA", "runB")}
    operations: list[Any] = [
        CreateRun(run_id, experiment, "run", None, 0, "/runs", owned=False)
        for run_id in runs.values()
    ]
    logged: dict[str, list[Metric]] = {}
    for index, draft in enumerate(population):
        model_id = f"m-{number}-{index}"
        rest = {name: value for name, value in draft.items() if name != "points"}
        operations.append(
            CreateModel(model_id, experiment, artifact_location="/models", owned=False, **rest)
        )
        # Steps of one model only, so that what names no model is still its alone.
        first = 10 * index
        operations += [
            LogOutputs(run_id, tuple((model_id, first + step) for step in range(3)))
            for run_id in runs.values()
        ]
        logged[model_id] = []
        for key, (name, digest), value, step, time, linked, run in draft["points"]:
            columns = (np.array([first + step]), np.array([time]), np.array([value]))
            own = model_id if linked else None
            operations.append(AppendMetrics(runs[run], key, *columns, own, name, digest))
            logged[model_id].append(
                Metric(key, value, time, first + step, model_id, name, digest, runs[run])
            )
    half = len(operations) // 2
    shelf.store.apply(operations[:half])
    shelf.store.apply(operations[half:])
    return experiment, logged


@given(trees)
def test_a_tree_reads_back_from_its_text(tree):
    assert parse_filter(str(tree), MODELS) == tree


@pytest.mark.slow
@settings(relaxed, max_examples=200)
@given(
    st.lists(drafts, max_size=5),
    st.lists(
        st.tuples(
            st.one_of(st.none(), *[trees] * 5),
            st.one_of(st.just([]), st.lists(filters, max_size=2)),
            st.lists(orders, max_size=2),
            st.builds(Costs, few=pick(0, 0, 1, 1000), bound=pick(0, 2, 1000)),
        ),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 3),
    st.integers(1, 6),
)
def test_sql_agrees_with_the_evaluator_on_models(shelf, population, searches, offset, count):
    experiment, logged = fill(shelf, population)
    everything = shelf.store.search_logged_models([experiment], max_results=50_000)
    assert len(everything) == len(population)
    for tree, datasets, order_by, costs in searches:
        fitting = [
            model
            for model in everything
            if matches_model(tree, model, datasets, logged[model.model_id])
        ]
        ids = [model.model_id for model in sort_models(fitting, order_by)]

        def plan(connection, tree=tree, datasets=datasets, order_by=order_by, costs=costs):
            teach_fold(connection)
            terms = complete(order_by)
            search = make_search(
                connection, (int(experiment),), tree, tuple(datasets), terms, costs
            )
            return find_ids(search, offset, count)

        assert shelf.database.read(plan) == ids[offset : offset + count]


@settings(relaxed, max_examples=40)
@given(st.lists(drafts, max_size=4), st.lists(orders, max_size=2), st.integers(1, 3))
def test_pages_are_the_whole(shelf, population, order_by, size):
    experiment, _ = fill(shelf, population)
    order = [
        {
            "field_name": str(one.term.field),
            "ascending": one.term.ascending,
            "dataset_name": one.dataset.name if one.dataset else None,
            "dataset_digest": one.dataset.digest if one.dataset else None,
        }
        for one in order_by
    ]
    assert parse_model_order(order) == tuple(dict.fromkeys(order_by)) or len(order) == 2
    whole = shelf.store.search_logged_models([experiment], order_by=order)
    found, token = [], None
    for _ in range(len(population) + 1):
        page = shelf.store.search_logged_models(
            [experiment], order_by=order, max_results=size, page_token=token
        )
        found += page
        token = page.token
        if token is None:
            break
    assert [m.model_id for m in found] == [m.model_id for m in whole]


@given(st.text(max_size=40))
def test_any_text_is_a_filter_of_models_or_refused(text):
    try:
        tree = parse_filter(text, MODELS)
    except InvalidFilter:
        return
    assert tree is None or parse_filter(str(tree), MODELS) == tree
