"""Every form of a filter that MLflow reads, and the further ones, with what they mean."""

import pytest

from autolog_core.search import (
    EXPERIMENTS,
    RUNS,
    And,
    Comparison,
    Field,
    Not,
    Or,
    OrderTerm,
    parse_filter,
    parse_order_by,
)
from autolog_core.search.values import MAX_FLOAT


def metric(key, operator, value=None, function=None):
    return Comparison(Field("metric", key, function), operator, value)


def param(key, operator, value=None):
    return Comparison(Field("param", key), operator, value)


def tag(key, operator, value=None):
    return Comparison(Field("tag", key), operator, value)


def attribute(key, operator, value=None):
    return Comparison(Field("attribute", key), operator, value)


def dataset(key, operator, value=None):
    return Comparison(Field("dataset", key), operator, value)


# What MLflow 3.17's own parser accepts, by trying each.
MLFLOW = {
    "`run name` = 'x'": attribute("run_name", "=", "x"),
    '"run name" = "x"': attribute("run_name", "=", "x"),
    "attributes.`run name` LIKE 'x'": attribute("run_name", "LIKE", "x"),
    "`Run Name` != 'x'": attribute("run_name", "!=", "x"),
    "attr.run_name ilike 'X'": attribute("run_name", "ILIKE", "X"),
    "run.status = 'FAILED'": attribute("status", "=", "FAILED"),
    "status != 'FINISHED'": attribute("status", "!=", "FINISHED"),
    "attribute.artifact_uri ILIKE '%X%'": attribute("artifact_uri", "ILIKE", "%X%"),
    "user_id = 'x'": attribute("user_id", "=", "x"),
    "run_id in ('a','b')": attribute("run_id", "IN", ("a", "b")),
    "run_id IN ('a',)": attribute("run_id", "IN", ("a",)),
    "run_id NOT IN ('a', \"b\")": attribute("run_id", "NOT IN", ("a", "b")),
    "start_time > 1": attribute("start_time", ">", 1),
    "created>=5": attribute("start_time", ">=", 5),
    "Created<5": attribute("start_time", "<", 5),
    "attribute.end_time != 1.5": attribute("end_time", "!=", 1.5),
    "params.'a b' = 'x'": param("a b", "=", "x"),
    "params.\"a b\" = 'x'": param("a b", "=", "x"),
    "params.`a b`='x'": param("a b", "=", "x"),
    "params.`a.b/c d` = 'x'": param("a.b/c d", "=", "x"),
    "`params`.`a`='x'": param("a", "=", "x"),
    "param.a ='日本'": param("a", "=", "日本"),
    "parameter.a = ''": param("a", "=", ""),
    "parameters.order = 'x'": param("order", "=", "x"),
    "params.a is null": param("a", "IS NULL"),
    "params.a Is Not Null": param("a", "IS NOT NULL"),
    "params.a IS\nNULL": param("a", "IS NULL"),
    "metric.a>1": metric("a", ">", 1.0),
    "metrics.a.b.c>1": metric("a.b.c", ">", 1.0),
    "metrics.a>-1": metric("a", ">", -1.0),
    "metrics.a > .5": metric("a", ">", 0.5),
    "metrics.a > 5.": metric("a", ">", 5.0),
    "metrics.a > 1e-3": metric("a", ">", 0.001),
    "metrics.5a > 1": metric("5a", ">", 1.0),
    "metrics.count > 1": metric("count", ">", 1.0),
    "metrics.min > 1": metric("min", ">", 1.0),
    "metrics.é > 1": metric("é", ">", 1.0),
    "tags.mlflow.source.name = 'x'": tag("mlflow.source.name", "=", "x"),
    'tags.`mlflow.source.name` = "x"': tag("mlflow.source.name", "=", "x"),
    "tag.name LIKE 'x%'": tag("name", "LIKE", "x%"),
    "datasets.name IN ('a')": dataset("name", "IN", ("a",)),
    "dataset.context NOT IN ('a','b')": dataset("context", "NOT IN", ("a", "b")),
    "dataset.digest = 'x'": dataset("digest", "=", "x"),
    "metrics.a > 1 and params.b = 'x' And tags.c like 'x%'": And(
        (metric("a", ">", 1.0), param("b", "=", "x"), tag("c", "LIKE", "x%"))
    ),
    "tags.a = 'x' AND  \n tags.b IS NULL": And((tag("a", "=", "x"), tag("b", "IS NULL"))),
}
FURTHER = {
    "run name = 'x'": attribute("run_name", "=", "x"),
    "attr.Run Name = 'x'": attribute("run_name", "=", "x"),
    "metrics.val/loss > 1": metric("val/loss", ">", 1.0),
    "metrics.a-b:c > +1E+2": metric("a-b:c", ">", 100.0),
    "metrics.`a``b` > 1": metric("a`b", ">", 1.0),
    "params.a = 'it''s'": param("a", "=", "it's"),
    "params.a = 'C:\\'": param("a", "=", "C:\\"),
    "metrics.a IN (1, -2.5)": metric("a", "IN", (1.0, -2.5)),
    "metrics.a IS NULL": metric("a", "IS NULL"),
    "metrics.a IS NAN": metric("a", "IS NAN"),
    "metrics.a is not nan": metric("a", "IS NOT NAN"),
    "metrics.a < 1e999": metric("a", "<", MAX_FLOAT),
    "min(metrics.loss) < 0.1": metric("loss", "<", 0.1, "min"),
    "MAX ( metrics.`a b` ) IS NULL": metric("a b", "IS NULL", None, "max"),
    "params.lr > 0.01": param("lr", ">", 0.01),
    "params.lr = 1e-2": param("lr", "=", 0.01),
    "params.depth IN (3, 'auto')": param("depth", "IN", (3.0, "auto")),
    "params.a NOT LIKE 'x%'": param("a", "NOT LIKE", "x%"),
    "tags.a NOT ILIKE 'x%'": tag("a", "NOT ILIKE", "x%"),
    "tags.a IN ('x', 'y')": tag("a", "IN", ("x", "y")),
    "status IN ('FAILED', 'KILLED')": attribute("status", "IN", ("FAILED", "KILLED")),
    "duration > 60000": attribute("duration", ">", 60_000),
    "end_time IS NULL": attribute("end_time", "IS NULL"),
    "start_time < 99999999999999999999": attribute("start_time", "<", 1e20),
    "datasets.name IS NULL": dataset("name", "IS NULL"),
    "((tags.a = 'x'))": tag("a", "=", "x"),
    "NOT tags.a = 'x'": Not(tag("a", "=", "x")),
    "tags.a = 'x' OR tags.b = 'x' AND NOT tags.c = 'x'": Or(
        (tag("a", "=", "x"), And((tag("b", "=", "x"), Not(tag("c", "=", "x")))))
    ),
    "(tags.a = 'x' OR tags.b = 'x') AND tags.c = 'x'": And(
        (Or((tag("a", "=", "x"), tag("b", "=", "x"))), tag("c", "=", "x"))
    ),
}


@pytest.mark.parametrize(("text", "tree"), [*MLFLOW.items(), *FURTHER.items()])
def test_filters_of_runs(text, tree):
    assert parse_filter(text, RUNS) == tree


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_empty_filter_lets_all_pass(text):
    assert parse_filter(text, RUNS) is None


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("name='x'", attribute("name", "=", "x")),
        ("attribute.name ilike 'x'", attribute("name", "ILIKE", "x")),
        ("attributes.name LIKE 'x%'", attribute("name", "LIKE", "x%")),
        ("experiment_id='5'", attribute("experiment_id", "=", "5")),
        ("experiment_id = 05", attribute("experiment_id", "=", "5")),
        ("experiment_id NOT IN ('5','6')", attribute("experiment_id", "NOT IN", ("5", "6"))),
        ("creation_time > 5", attribute("creation_time", ">", 5)),
        ("last_update_time <= 5", attribute("last_update_time", "<=", 5)),
        ("tags.a IS NULL", tag("a", "IS NULL")),
        ("tag.`a b`='x'", tag("a b", "=", "x")),
        ("name IN ('a', 'b') OR tags.a IN ('x')", None),
    ],
)
def test_filters_of_experiments(text, tree):
    parsed = parse_filter(text, EXPERIMENTS)
    assert parsed == tree or (tree is None and isinstance(parsed, Or))


@pytest.mark.parametrize(
    ("text", "field", "ascending"),
    [
        ("metrics.a", Field("metric", "a"), True),
        ("metrics.a DESC", Field("metric", "a"), False),
        ("metrics.`a b` desc", Field("metric", "a b"), False),
        ('metrics."a b" ASC', Field("metric", "a b"), True),
        ("params.'a b' desc", Field("param", "a b"), False),
        ("metrics.a.b", Field("metric", "a.b"), True),
        ("metrics.a/b desc", Field("metric", "a/b"), False),
        ("`metrics`.a", Field("metric", "a"), True),
        ("attribute.start_time", Field("attribute", "start_time"), True),
        ("start_time  DESC", Field("attribute", "start_time"), False),
        ("created desc", Field("attribute", "start_time"), False),
        ("run_name", Field("attribute", "run_name"), True),
        ("Run Name DESC", Field("attribute", "run_name"), False),
        ("status desc", Field("attribute", "status"), False),
        ("duration desc", Field("attribute", "duration"), False),
        ("tags.x asc", Field("tag", "x"), True),
        ("min(metrics.loss) desc", Field("metric", "loss", "min"), False),
    ],
)
def test_orderings(text, field, ascending):
    assert parse_order_by([text], RUNS) == (OrderTerm(field, ascending),)


def test_a_field_orders_once():
    assert parse_order_by(["metrics.a", "status", "metrics.a DESC"], RUNS) == (
        OrderTerm(Field("metric", "a")),
        OrderTerm(Field("attribute", "status")),
    )
