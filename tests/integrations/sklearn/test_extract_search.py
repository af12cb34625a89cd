"""When the candidates of a search were tried, and which of its rows belong together."""

from types import SimpleNamespace

import numpy as np
import pytest

from autolog.sklearn import extract_search, extract_tables
from autolog.sklearn.extract_search import Candidate, CandidateNames


def test_fits_of_one_worker_follow_each_other():
    results = {"mean_fit_time": np.array([1.0, 2.0]), "mean_score_time": np.array([0.5, 0.0])}
    assert extract_search.timings(results, 2, 1) == ([(0.0, 3.0), (3.0, 7.0)], 7.0)


def test_fits_of_two_workers_run_side_by_side():
    results = {"mean_fit_time": np.array([1.0, 1.0, 3.0])}
    rows, whole = extract_search.timings(results, 3, 2)
    assert rows == [(0.0, 2.0), (1.0, 3.0), (3.0, 9.0)]
    assert whole == 9.0


def test_an_iteration_of_halving_waits_for_the_one_before():
    results = {"mean_fit_time": np.array([1.0, 2.0, 1.0]), "iter": np.array([0, 0, 1])}
    rows, _ = extract_search.timings(results, 1, 2)
    assert rows == [(0.0, 1.0), (0.0, 2.0), (2.0, 3.0)]


@pytest.mark.parametrize("spent", [np.nan, -1.0])
def test_a_time_that_is_none_counts_as_nothing(spent):
    rows, whole = extract_search.timings({"mean_fit_time": np.array([spent, 1.0])}, 1, 1)
    assert (rows, whole) == ([(0.0, 0.0), (0.0, 1.0)], 1.0)


def test_without_times_there_is_no_order():
    assert extract_search.timings({"params": [{}]}, 1, 1) is None


def halving(*rows):
    """Returns a search by halving from (iteration, resource, C) of each row."""
    results = {
        "params": [{"C": C, "n": resource} for _, resource, C in rows],
        "iter": np.array([turn for turn, _, _ in rows]),
    }
    return SimpleNamespace(cv_results_=results, resource="n")


def test_rows_of_halving_are_joined_whatever_the_resource():
    search = halving((0, 1, "a"), (0, 1, "b"), (1, 2, "b"))
    found = extract_search.candidates(search)
    assert [each.rows for each in found] == [(0,), (1, 2)]
    assert found[1].params == {"C": "b", "n": 2}


def test_equal_draws_of_halving_stay_apart():
    search = halving((0, 1, "a"), (0, 1, "a"), (1, 2, "a"))
    assert [each.rows for each in extract_search.candidates(search)] == [(0, 2), (1,)]


def test_a_later_iteration_ranks_before_a_better_score():
    search = halving((0, 1, "a"), (0, 1, "b"), (1, 2, "b"))
    search.cv_results_["rank_test_score"] = np.array([1, 2, 3])
    found = extract_search.best_first(search, extract_search.candidates(search))
    assert [each.params["C"] for each in found] == ["b", "a"]


def names(*params):
    found = [Candidate((row,), each) for row, each in enumerate(params)]
    made = CandidateNames(found)
    return [made.of(each) for each in found]


def test_a_name_tells_what_varies():
    assert names({"a": 1, "b": 2}, {"a": 1, "b": 3}) == ["b=2", "b=3"]
    assert names({"a": 1, "b": 2}) == ["a=1, b=2"]
    assert names({"x__a": 1 / 3}, {"x__a": None}) == ["a=0.3333", "a=None"]
    assert names({"x__a": 1, "y__a": 1}, {"x__a": 2, "y__a": 2})[0] == "x__a=1, y__a=1"
    assert names({"a": 1}, {"b": 1}) == ["a=1", "b=1"]
    assert names({}) == ["candidate"]


def test_a_name_is_short_enough_to_read():
    (name, _) = names({f"param{i}": "x" * 100 for i in range(9)}, {})
    assert len(name) == 120
    assert name.endswith("...")


def test_what_is_not_finite():
    table = extract_tables.plain_table(
        {"a": np.array([np.nan, np.inf]), "b": np.ma.array([1.5, 2.5], mask=[0, 1])}
    )
    assert extract_tables.to_csv(table) == b"a,b\nnan,1.5\ninf,\n"
    assert extract_tables.to_json(table) == (
        b'{"columns": ["a", "b"], "data": [[null, 1.5], [null, null]]}'
    )


def test_a_table_keeps_nothing_of_the_results():
    results = {"a": np.array([1.0]), "params": [{"C": [1]}]}
    table = extract_tables.plain_table(results)
    results["a"][0] = 2
    results["params"][0]["C"].append(2)
    assert table == {"a": [1.0], "params": [{"C": "[1]"}]}
