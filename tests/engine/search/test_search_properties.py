"""SQL finds what the evaluator finds, in that order, whichever way it goes about it."""

import itertools
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autolog_core.entities import ViewType
from autolog_core.errors import InvalidFilter
from autolog_core.search import (
    EXPERIMENTS,
    RUNS,
    And,
    Comparison,
    Field,
    Not,
    Or,
    OrderTerm,
    matches,
    parse_filter,
    parse_order_by,
    sort_experiments,
    sort_runs,
)
from autolog_core.search.tree import conjuncts
from autolog_core.search.values import MAX_FLOAT
from autolog_core.stores.sql.search_order import complete
from autolog_core.stores.sql.search_plan import find_ids
from autolog_core.stores.sql.search_query import Costs, Search
from autolog_core.stores.sql.search_text import teach_fold

NUMBERS = [-1.5, -0.0, 0.0, 0.1, 1.0, 2.0, 1e300, MAX_FLOAT, -MAX_FLOAT]
VALUES = [*NUMBERS, *[float("nan")] * 3, float("inf"), float("-inf")]
LONG = "x" * 64
TEXTS = [
    "", "a", "A", "ab", "a b", "1", "1.0", "1e0", "0.1", "nan", "inf", "None", "it's", 'say "so"',
    "100%", "a_b", "a*b", "[a]", "back\\slash", "line\nbreak", "über", "ÜBER", "日本", "🎈", "İ",
    LONG, LONG + "y", LONG + "Y", "tail ",
]  # fmt: skip
PATTERNS = ["%", "_", "a%", "%b", "%A%", "a_b", "a\\%", "%*%", "[a]", "?", "ÜB%", "_ü%", "%\n%",
            "100%", LONG + "%", "", "it's", "%%a%%", "%y", "🎈"]  # fmt: skip
KEYS = ["loss", "val/acc x", "π.Loss"]
CONTEXTS = [None, "", "train", "test"]
TIMES = [0, 1, 2, 1_700_000_000_000]
STATUSES = ["RUNNING", "FINISHED", "FAILED"]


def pick(*choices: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(choices)


def tupled(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(items, min_size=1, max_size=3).map(tuple)


texts = st.sampled_from(TEXTS)
patterns = st.sampled_from(PATTERNS)
floats = st.sampled_from(NUMBERS)
keys = st.sampled_from(KEYS)
absences = pick("IS NULL", "IS NOT NULL")
numeric = pick("=", "!=", "<", "<=", ">", ">=")
equal = pick("=", "!=")
lists = pick("IN", "NOT IN")
likes = pick("LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE")


def on_text(field: st.SearchStrategy[Field], values=texts) -> st.SearchStrategy[Comparison]:
    return st.one_of(
        st.builds(Comparison, field, equal, values),
        st.builds(Comparison, field, lists, tupled(values)),
        st.builds(Comparison, field, likes, patterns),
        st.builds(Comparison, field, absences),
    )


def on_number(field: st.SearchStrategy[Field], values=floats) -> st.SearchStrategy[Comparison]:
    return st.one_of(
        st.builds(Comparison, field, numeric, values),
        st.builds(Comparison, field, lists, tupled(values)),
        st.builds(Comparison, field, absences),
    )


def attribute(*names: str) -> st.SearchStrategy[Field]:
    return st.builds(Field, st.just("attribute"), pick(*names))


metrics = st.builds(Field, st.just("metric"), keys, pick(None, None, "min", "max"))
params = st.builds(Field, st.just("param"), keys)
tags = st.builds(Field, st.just("tag"), keys)
times = st.sampled_from([*TIMES, 0.5])
leaves = st.one_of(
    *[on_number(metrics)] * 4,
    st.builds(Comparison, st.builds(Field, st.just("metric"), keys), pick("IS NAN", "IS NOT NAN")),
    on_text(params),
    on_number(params),
    st.builds(Comparison, params, lists, tupled(texts | floats)),
    on_text(tags),
    on_text(attribute("run_name", "user_id", "artifact_uri")),
    on_text(attribute("status"), st.sampled_from(STATUSES)),
    on_text(attribute("run_id")),
    on_number(attribute("start_time", "end_time", "duration"), times),
    on_text(st.builds(Field, st.just("dataset"), pick("name", "digest", "context"))),
    on_text(
        st.builds(Field, st.just("dataset"), pick("context")), st.sampled_from(["train", "test"])
    ),
)
experiment_leaves = st.one_of(
    on_text(tags),
    on_text(attribute("name")),
    on_number(attribute("creation_time", "last_update_time"), times),
    st.builds(Comparison, attribute("experiment_id"), equal, st.sampled_from(["0", "1", "2"])),
    st.builds(Comparison, attribute("experiment_id"), lists, tupled(st.sampled_from(["0", "3"]))),
)


def trees(leaf: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Mostly small ones: in a large tree, one wrong condition seldom shows."""
    signed = leaf | leaf.map(Not)
    nested = st.recursive(
        leaf,
        lambda nodes: st.one_of(several(nodes).map(And), several(nodes).map(Or), nodes.map(Not)),
        max_leaves=4,
    )
    return st.one_of(leaf, signed, several(signed).map(And), several(signed).map(Or), nested)


def several(nodes: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(nodes, min_size=2, max_size=3).map(tuple)


orderings = st.lists(
    st.builds(
        OrderTerm,
        st.one_of(
            metrics,
            metrics,
            params,
            tags,
            attribute(*RUNS.attributes),
        ),
        st.booleans(),
    ),
    max_size=3,
)
drafts = st.fixed_dictionaries(
    {
        "start_time": st.sampled_from(TIMES),
        "end_time": st.sampled_from([None, *TIMES]),
        "status": st.sampled_from(STATUSES),
        "name": texts,
        "user_id": st.none() | texts,
        "metrics": st.dictionaries(keys, st.lists(st.sampled_from(VALUES), min_size=1, max_size=2)),
        "params": st.dictionaries(keys, texts),
        "tags": st.dictionaries(keys, texts),
        "datasets": st.lists(
            st.tuples(texts.filter(bool), pick("d1", "D1"), st.sampled_from(CONTEXTS)), max_size=2
        ),
    }
)
costs = st.builds(
    Costs,
    separate=pick(1, 8),
    few=pick(0, 0, 2),
    bound=pick(1, 3, 20_000),
    patience=pick(0, 100_000),
    stride=pick(1, 2, 400),
)
numbers = itertools.count()
relaxed = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@given(trees(leaves))
def test_a_tree_reads_back_from_its_text(tree):
    assert parse_filter(str(tree), RUNS) == tree


@given(trees(experiment_leaves))
def test_a_tree_of_experiments_reads_back_from_its_text(tree):
    assert parse_filter(str(tree), EXPERIMENTS) == tree


@given(st.builds(OrderTerm, metrics | params | tags | attribute(*RUNS.attributes), st.booleans()))
def test_an_ordering_reads_back_from_its_text(term):
    assert parse_order_by([str(term)], RUNS) == (term,)


@pytest.mark.slow
@settings(relaxed, max_examples=200)
@given(
    st.lists(st.lists(drafts, max_size=6), min_size=1, max_size=2),
    st.lists(
        st.tuples(st.one_of(st.none(), *[trees(leaves)] * 5), orderings, costs),
        min_size=1,
        max_size=8,
    ),
    st.integers(0, 4),
    st.integers(1, 6),
    pick(ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL),
    st.booleans(),
)
def test_sql_agrees_with_the_evaluator(
    shelf, draft, population, searches, offset, count, view, delete
):
    experiments = []
    for group in population:
        ids = [f"run{next(numbers)}" for _ in group]
        experiment = shelf.fill(*(draft(i, **fields) for i, fields in zip(ids, group, strict=True)))
        experiments.append(experiment)
        if delete and ids:
            shelf.store.delete_run(ids[0])
    everything = shelf.store.search_runs(experiments, view_type=view, max_results=50_000)
    for tree, order_by, cost in searches:
        text = None if tree is None else str(tree)
        wanted = sort_runs([run for run in everything if matches(tree, run)], order_by)
        ids = [run.info.run_id for run in wanted]

        found = shelf.store.search_runs(experiments, text, view, 50_000, [str(o) for o in order_by])
        assert [run.info.run_id for run in found] == ids

        def plan(connection, tree=tree, order_by=order_by, cost=cost):
            teach_fold(connection)
            numbers = tuple(int(e) for e in experiments)
            stages = ViewType.stages(view)
            terms = complete(order_by)
            search = Search(connection, numbers, conjuncts(tree), terms, stages, cost)
            return find_ids(search, offset, count)

        assert shelf.database.read(plan) == ids[offset : offset + count]


@settings(relaxed, max_examples=60)
@given(
    st.lists(st.dictionaries(keys, texts), max_size=4),
    trees(experiment_leaves),
    st.lists(st.builds(OrderTerm, attribute(*EXPERIMENTS.attributes), st.booleans()), max_size=2),
)
def test_sql_agrees_with_the_evaluator_on_experiments(shelf, labels, tree, order_by):
    for label in labels:
        shelf.store.create_experiment(f"named {next(numbers)}", tags=label)
    everything = shelf.store.search_experiments(max_results=50_000)
    wanted = sort_experiments([one for one in everything if matches(tree, one)], order_by)
    found = shelf.store.search_experiments(
        str(tree), max_results=50_000, order_by=[str(term) for term in order_by]
    )
    assert list(found) == wanted


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_refused(text):
    try:
        tree = parse_filter(text, RUNS)
    except InvalidFilter:
        return
    assert tree is None or parse_filter(str(tree), RUNS) == tree


PIECES = [
    "metrics.a", "params.`x y`", 'tags."q"', "run name", "status", "duration", "min(", "max(", ")",
    "(", "=", "!=", "<=", ">", "IN", "NOT", "LIKE", "ILIKE", "IS", "NULL", "NAN", "AND", "OR", ",",
    "'x'", '"y"', "1", "-1.5e3", "1e999", ".", "`", "'", "9" * 30, "attributes.start_time", "~",
    "datasets.name", "ASC", "DESC",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12), pick(" ", ""), pick(RUNS, EXPERIMENTS))
def test_any_words_are_a_filter_or_refused(pieces, space, scope):
    text = space.join(pieces)
    problems = [
        problem(lambda: parse_filter(text, scope)),
        problem(lambda: parse_order_by([text], scope)),
    ]
    assert all("\n" in message and message.endswith("^") for message in problems if message)


def problem(read) -> str | None:
    try:
        read()
    except InvalidFilter as error:
        return str(error)
    return None
