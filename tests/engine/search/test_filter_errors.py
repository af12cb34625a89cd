"""A filter that cannot be read says where, and what would do."""

import pytest

from autolog_core.errors import InvalidArgument, InvalidFilter
from autolog_core.search import EXPERIMENTS, RUNS, parse_filter, parse_order_by
from autolog_core.search.pages import decode_token, encode_token

WRONG = [
    ("statsu = 'x'", 1, "did you mean 'status'?"),
    ("Status = 'x'", 1, "did you mean 'status'?"),
    ("accuracy > 0.5", 1, "did you mean metrics.accuracy"),
    ("metrisc.a > 5", 1, "did you mean 'metrics'?"),
    ("foo.a > 5", 1, "prefixes are metrics, params, tags, datasets, attributes"),
    ("metrics > 3", 1, "a key must follow: metrics.key"),
    ("dataset.nme = 'x'", 1, "did you mean 'name'?"),
    ("lifecycle_stage = 'active'", 1, "unknown attribute"),
    ("metrics.`` > 1", 1, "key is empty"),
    ("metrics. > 1", 8, "key must follow the dot"),
    ("metrics.a > 'x'", 13, "expected a number, got \"'x'\""),
    ("metrics.a > nan", 13, "expected a number"),
    ("metrics.a > 1_0", 13, "not a number"),
    ("metrics.a > 0x1F", 13, "not a number"),
    ("metrics.a >", 12, "got the end"),
    ("metrics.a 5", 11, "expected a comparison"),
    ("metrics.a == 5", 11, "write '='"),
    ("metrics.a <> 5", 11, "write '!='"),
    ("params.a ~ 'x'", 10, "write LIKE"),
    ("metrics.a > 1 && metrics.b > 1", 15, "expected AND, OR or the end"),
    ("metrics.a > 1 metrics.b > 2", 15, "expected AND, OR or the end"),
    ("AND metrics.a > 1", 1, "unknown attribute 'AND'"),
    ("metrics.a > 1 AND", 18, "expected a field"),
    ("metrics.a > 1;", 14, "remove it"),
    ("metrics.a > 1 -- all", 15, "not a number"),
    ("metrics.a LIKE 'x'", 11, "LIKE is for text"),
    ("metrics.a IN ('x')", 15, "expected a number"),
    ("metrics.a IN ()", 15, "expected a number"),
    ("metrics.a IN 1", 14, "expected '('"),
    ("metrics.a IN (1", 16, "expected ')'"),
    ("metrics.a IS 5", 14, "expected NULL or NAN"),
    ("params.a IS NAN", 10, "IS NAN is for metrics"),
    ("min(metrics.a) IS NAN", 16, "leaves NaN out"),
    ("max(params.a) > 1", 5, "max() takes a metric"),
    ("min(min(metrics.a)) > 1", 5, "min() takes a metric"),
    ("avg(metrics.a) > 1", 1, "there are min and max"),
    ("params.a > '5'", 12, "write the number without quotes"),
    ("tags.a = x", 10, "expected a value in quotes"),
    ("tags.a = `x`", 10, "expected a value in quotes"),
    ("tags.a > 'x'", 10, "use = or LIKE"),
    ("tags.a = 'x", 10, "the quote ' is never closed"),
    ("status = RUNNING", 10, "expected a value in quotes"),
    ("run_id IN (1)", 12, "expected a value in quotes"),
    ("start_time > '5'", 14, "expected a number"),
    ("(metrics.a > 1", 1, "never closed"),
    ("metrics.a > 1)", 14, "expected AND, OR or the end"),
    ("5 < metrics.a", 1, "expected a field"),
    ("tags.a = 'x\0y'", 12, "NUL"),
    ("tags.a = '\ud800'", 11, "not a Unicode character"),
    ("(" * 40 + "metrics.a > 1", 34, "levels of parentheses"),
    ("NOT " * 40 + "metrics.a > 1", 133, "levels of parentheses"),
    (" OR ".join(["metrics.a = 1"] * 257), 4353, "IN takes a list"),
    ("metrics.a IN (" + "1," * 10_001 + ")", 20_015, "more than 10000 values"),
    ("params.a LIKE '" + "%" * 8001 + "'", 15, "longer than 8000"),
]


@pytest.mark.parametrize(("text", "place", "remedy"), WRONG, ids=[w[0][:30] for w in WRONG])
def test_the_message_shows_the_place_and_the_remedy(text, place, remedy):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, RUNS)
    first, shown, caret = str(caught.value).split("\n")
    assert remedy in first
    assert f"(at character {place})" in first
    assert len(shown) <= 90
    at = caret.index("^")
    assert shown[at:] == "" or text[place - 1] in (shown[at], "\0", "\ud800")


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("metrics.a > 1", "prefixes are tags, attributes"),
        ("nmae = 'x'", "did you mean 'name'?"),
        ("experiment_id = 'x'", "decimal number"),
        ("experiment_id > 5", "=, != and IN only"),
        ("experiment_id LIKE '5%'", "LIKE is for text"),
        ("creation_time = 'x'", "expected a number"),
    ],
)
def test_experiments_know_other_fields(text, remedy):
    with pytest.raises(InvalidFilter) as caught:
        parse_filter(text, EXPERIMENTS)
    assert remedy in str(caught.value)


@pytest.mark.parametrize(
    ("order_by", "remedy"),
    [
        (["metrics.a up"], "expected ASC, DESC"),
        (["metrics.a, params.b"], "order_by is a list"),
        (["datasets.name"], "cannot be ordered by datasets.name"),
        ([""], "expected a field"),
        (["durration"], "did you mean 'duration'?"),
        ("metrics.a", "must be a list"),
        ([1], "must be a list"),
        ([f"metrics.m{n}" for n in range(20)], "at most 16"),
    ],
)
def test_orderings_that_cannot_be_read(order_by, remedy):
    with pytest.raises(InvalidFilter) as caught:
        parse_order_by(order_by, RUNS)
    assert remedy in str(caught.value)


def test_experiments_are_ordered_by_attributes_only():
    with pytest.raises(InvalidFilter, match="cannot be ordered by"):
        parse_order_by(["tags.a"], EXPERIMENTS)


def test_a_filter_is_text():
    with pytest.raises(InvalidFilter, match="must be text"):
        parse_filter(5, RUNS)


def test_page_tokens_read_back():
    assert decode_token(encode_token(50)) == 50
    assert decode_token(None) == 0
    assert decode_token("") == 0
    assert decode_token("eyJvZmZzZXQiOiA1MH0=") == 50


@pytest.mark.parametrize(
    "token",
    [
        "x",
        "!!",
        "e30=",
        "W10=",
        "eyJvZmZzZXQiOiAtMX0=",
        "eyJvZmZzZXQiOiAiYSJ9",
        "é",
        encode_token(2**60),
    ],
)
def test_other_tokens_are_refused(token):
    with pytest.raises(InvalidArgument, match="page_token"):
        decode_token(token)
