"""The hot searches go along indexes: what SQLite says that it does, not how long it takes."""

import pytest
from sqlalchemy import event
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.exc import SQLAlchemyError

from autolog_core.search import RUNS, parse_filter, parse_order_by
from autolog_core.search.tree import conjuncts
from autolog_core.stores.sql.search_conditions import RUN, Target, condition
from autolog_core.stores.sql.search_order import complete, key_of
from autolog_core.stores.sql.search_plan import find_ids
from autolog_core.stores.sql.search_query import Costs, Search
from autolog_core.stores.sql.search_text import teach_fold

WALKING = Costs(few=0, stride=80)
DRIVEN = Costs(few=10_000)


@pytest.fixture(scope="module")
def crowd(shelf, draft):
    return shelf.fill(
        *(
            draft(
                f"crowd-{n}",
                start_time=n,
                metrics={"loss": [n % 17], "acc": [n % 13]},
                params={"lr": str(n % 7), "opt": "adam" if n % 3 else "sgd"},
                tags={"team": f"t{n % 5}"},
                datasets=[("mnist", "d", "train")],
            )
            for n in range(200)
        )
    )


def explain(shelf, experiment, text, order_by, costs=WALKING, count=5):
    """Returns the ids that a search finds, and the plan of each of its statements."""
    statements = []

    def work(connection):
        teach_fold(connection)

        def keep(_connection, _cursor, statement, parameters, _context, _many):
            if statement.startswith("SELECT"):
                statements.append((statement, parameters))

        event.listen(connection, "before_cursor_execute", keep)
        search = Search(
            connection,
            (int(experiment),),
            conjuncts(parse_filter(text, RUNS)),
            complete(parse_order_by(order_by, RUNS)),
            ("active",),
            costs,
        )
        ids = find_ids(search, 0, count)
        event.remove(connection, "before_cursor_execute", keep)
        driver = connection.connection.driver_connection
        plans = [
            [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in statements
        ]
        return ids, plans

    return shelf.database.read(work)


def test_the_default_order_walks_the_start_times(shelf, crowd):
    ids, plans = explain(shelf, crowd, None, [])
    assert ids == [f"crowd-{n}" for n in range(199, 194, -1)]
    (plan,) = plans
    assert plan[0] == ("SEARCH run USING INDEX ix_runs_experiment_start (experiment_id=?)")
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan


@pytest.mark.parametrize("direction", ["ASC", "DESC"])
def test_an_order_by_a_metric_walks_its_values(shelf, crowd, direction):
    _, (plan,) = explain(shelf, crowd, None, [f"metrics.loss {direction}"])
    assert plan[0].startswith("SEARCH lead USING COVERING INDEX ix_latest_metrics_value")
    assert "USE TEMP B-TREE FOR ORDER BY" not in plan
    assert any(step.startswith("SEARCH run USING") and "run_id=?" in step for step in plan)


def test_runs_without_the_metric_come_by_start_time(shelf, crowd):
    _, plans = explain(shelf, crowd, None, ["metrics.nothing"])
    assert plans[-1][0] == "SEARCH run USING INDEX ix_runs_experiment_start (experiment_id=?)"
    assert "USE TEMP B-TREE FOR ORDER BY" not in plans[-1]


FILTER = "metrics.acc > 3 AND params.opt = 'adam'"


def test_a_filter_that_many_fit_is_probed_along_the_walk(shelf, crowd):
    ids, plans = explain(shelf, crowd, FILTER, ["metrics.loss"])
    assert ids == explain(shelf, crowd, FILTER, ["metrics.loss"], DRIVEN)[0]
    walk = plans[-1]
    assert walk[0] == (
        "SEARCH lead USING COVERING INDEX ix_latest_metrics_value "
        "(experiment_id=? AND key=? AND value<?)"
    )
    assert sum(step.endswith("USING PRIMARY KEY (run_id=? AND key=?)") for step in walk) == 2
    assert "USE TEMP B-TREE FOR ORDER BY" not in walk


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("metrics.acc = 3", "COVERING INDEX ix_latest_metrics_value"),
        (
            "metrics.acc > 1 AND metrics.acc < 2",
            "(experiment_id=? AND key=? AND value>? AND value<?)",
        ),
        ("metrics.acc IS NAN", "ix_latest_metrics_value"),
        ("params.lr = '3'", "COVERING INDEX ix_params_lookup"),
        ("params.lr IN ('3', '4')", "COVERING INDEX ix_params_lookup"),
        ("params.lr > 3", "COVERING INDEX ix_params_number"),
        ("params.lr = 3", "COVERING INDEX ix_params_number"),
        ("tags.team = 't1'", "COVERING INDEX ix_tags_lookup"),
        ("datasets.name = 'mnist'", "INDEX ix_inputs_dataset"),
        ("start_time > 190", "ix_runs_experiment_start (experiment_id=? AND start_time>?)"),
    ],
)
def test_a_filter_that_few_fit_is_answered_by_its_index(shelf, crowd, text, index):
    _, plans = explain(shelf, crowd, f"status = 'FINISHED' AND {text}", ["metrics.loss"], DRIVEN)
    for plan in plans:
        assert any(index in step for step in plan), plan
    if len(plans) > 1:
        assert not any(step.startswith("SCAN run") for step in plans[-1])
        assert "SEARCH run USING INDEX" in plans[-1][0]
        assert "(run_id=?)" in plans[-1][0]


def test_a_search_that_nothing_fits_ends_after_the_count(shelf, crowd):
    ids, plans = explain(shelf, crowd, "params.opt = 'lion'", ["metrics.loss"], WALKING)
    assert ids == []
    assert len(plans) == 1


@pytest.mark.parametrize("dialect", [postgresql.dialect(), mysql.dialect()], ids=lambda d: d.name)
@pytest.mark.parametrize(
    "text",
    [
        "metrics.a > 1 AND NOT params.b = 'x' OR tags.c IN ('x', 'y')",
        "params.a LIKE '10/_%' AND tags.b NOT ILIKE 'É%' AND params.c IN (1, 'x')",
        "datasets.context != 'train' AND min(metrics.a) IS NULL AND duration > 5",
    ],
)
def test_other_databases_can_be_asked_the_same(dialect, text):
    node = parse_filter(text, RUNS)
    try:
        asked = condition(node, Target(dialect.name, RUN.c.run_id, RUN)).compile(dialect=dialect)
    except SQLAlchemyError as error:
        pytest.fail(str(error))
    assert "GLOB" not in str(asked)
    assert "autolog_fold" not in str(asked)
    key = key_of(parse_order_by(["params.a"], RUNS)[0], RUN, RUN.c.run_id, dialect.name)
    ordering = " ".join(str(clause.compile(dialect=dialect)) for clause in key.clauses())
    assert "COLLATE" in ordering
