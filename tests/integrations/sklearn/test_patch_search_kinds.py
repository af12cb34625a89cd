"""Kinds of searches, the data they are given, and what can go wrong in them."""

import math

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    ParameterGrid,
)
from sklearn.model_selection._search import BaseSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.integrations.sklearn.looked import history, parent_and_children, row_of, runs

import autolog
from autolog.instrument.contract import PatchContract

# scikit-learn 1.5 casts memory that it has not written yet.
pytestmark = pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")

GRID = {"C": [0.01, 0.1, 1, 10, 100], "gamma": [0.01, 0.1, 1, 10]}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


def test_v10_lists_of_text():
    texts = ["good film", "bad film", "very good", "very bad", "so good", "so bad"] * 4
    search = GridSearchCV(
        make_pipeline(CountVectorizer(), MultinomialNB()),
        {"countvectorizer__ngram_range": [(1, 1), (1, 2)], "multinomialnb__alpha": [0.1, 1.0]},
        cv=2,
    ).fit(texts, [1, 0] * 12)
    parent, children = parent_and_children()
    assert parent.info.status == "FINISHED"
    assert [row_of(run) for run in children] == [0, 1, 2, 3]
    assert children[2].info.run_name == "ngram_range=(1, 2), alpha=0.1"
    assert children[2].data.params["countvectorizer__ngram_range"] == "(1, 2)"
    assert parent.data.metrics["best_cv_score"] == search.best_score_


def test_v12_halving_is_one_search(iris):
    autolog.sklearn.autolog(max_tuning_runs=None)
    search = HalvingGridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4, 5, 6], "min_samples_leaf": [1, 5]},
        cv=3,
        random_state=0,
    ).fit(*iris)
    results = search.cv_results_
    assert max(results["iter"]) > 0
    parent, children = parent_and_children()
    assert parent.data.metrics["best_cv_score"] == search.best_score_
    assert len(children) == 12
    assert {run.info.run_name for run in children} == {
        f"max_depth={each['max_depth']}, min_samples_leaf={each['min_samples_leaf']}"
        for each in ParameterGrid({"max_depth": [1, 2, 3, 4, 5, 6], "min_samples_leaf": [1, 5]})
    }
    for run in children:
        rows = [
            row
            for row, params in enumerate(results["params"])
            if all(run.data.params[key] == str(value) for key, value in params.items())
        ]
        for key in ("mean_test_score", "n_resources", "mean_fit_time"):
            assert history(run, key) == [(results["iter"][row], results[key][row]) for row in rows]
        assert history(run, "split_test_score") == [
            (fold, results[f"split{fold}_test_score"][rows[-1]]) for fold in range(3)
        ]


def test_v12_the_best_of_the_last_iteration_is_the_first_child(iris):
    autolog.sklearn.autolog(max_tuning_runs=1)
    search = HalvingRandomSearchCV(
        RandomForestClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4], "criterion": ["gini", "entropy"]},
        resource="n_estimators",
        max_resources=8,
        min_resources=2,
        factor=2,
        n_candidates=4,
        cv=2,
        random_state=1,
    ).fit(*iris)
    _, (child,) = parent_and_children()
    assert row_of(child) == search.best_index_
    assert child.data.params["n_estimators"] == "8"
    assert "n_estimators" not in child.info.run_name
    assert [value for _, value in history(child, "n_resources")] == [2, 4, 8]


class Moody(ClassifierMixin, BaseEstimator):
    def __init__(self, mood="good"):
        self.mood = mood

    def fit(self, X, y):
        if self.mood == "bad":
            raise ValueError("no")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.FitFailedWarning", "ignore:.*scores are non-finite"
)
def test_a_candidate_whose_fits_failed_is_a_failed_run(iris):
    GridSearchCV(Moody(), {"mood": ["bad", "good"]}, cv=2).fit(*iris)
    parent, (bad, good) = parent_and_children()
    assert parent.info.status == good.info.status == "FINISHED"
    assert bad.info.status == "FAILED"
    assert bad.info.end_time >= bad.info.start_time
    assert math.isnan(bad.data.metrics["mean_test_score"])
    assert math.isfinite(good.data.metrics["mean_test_score"])


@pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.FitFailedWarning", "ignore:.*scores are non-finite"
)
def test_failed_candidates_come_last(iris):
    autolog.sklearn.autolog(max_tuning_runs=1)
    GridSearchCV(Moody(), {"mood": ["bad", "good"]}, cv=2).fit(*iris)
    _, (child,) = parent_and_children()
    assert child.data.params["mood"] == "good"


def test_a_search_that_fails_has_no_children(iris):
    with pytest.raises(ValueError, match=r"^no$"):
        GridSearchCV(Moody(), {"mood": ["bad"]}, cv=2, error_score="raise").fit(*iris)
    parent, children = parent_and_children()
    assert parent.info.status == "FAILED"
    assert not children


def test_times_are_those_that_the_search_measured(iris):
    autolog.sklearn.autolog(max_tuning_runs=None)
    search = GridSearchCV(
        RandomForestClassifier(20, random_state=0), {"max_depth": [1, 2, 3]}, cv=3
    )
    search.fit(*iris)
    parent, children = parent_and_children()
    results = search.cv_results_
    spent = 3e3 * (results["mean_fit_time"] + results["mean_score_time"])
    starts = [run.info.start_time for run in children]
    assert starts == sorted(starts)
    assert starts[0] >= parent.info.start_time
    assert children[-1].info.end_time <= parent.info.end_time
    for run, expected in zip(children, spent, strict=True):
        # Both are rounded to milliseconds.
        assert run.info.end_time - run.info.start_time == pytest.approx(expected, abs=1.01)


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_workers_change_nothing(backend, iris):
    autolog.sklearn.autolog(disable=True)
    plain = GridSearchCV(SVC(), GRID, cv=3).fit(*iris)
    autolog.sklearn.autolog()
    with parallel_backend(backend):
        search = GridSearchCV(SVC(), GRID, cv=3, n_jobs=2).fit(*iris)
    assert search.best_params_ == plain.best_params_
    for fold in range(3):
        key = f"split{fold}_test_score"
        assert search.cv_results_[key].tobytes() == plain.cv_results_[key].tobytes()
    parent, children = parent_and_children()
    assert parent.data.params["n_jobs"] == "2"
    assert len(children) == 5
    assert all(run.info.end_time <= parent.info.end_time for run in children)


def test_in_the_users_run(iris):
    with autolog.start_run() as user:
        GridSearchCV(SVC(), {"C": [1, 2]}, cv=2).fit(*iris)
        assert autolog.active_run().info.run_id == user.info.run_id
    parent, children = parent_and_children()
    assert parent.info.run_id == user.info.run_id
    assert len(children) == 2
    assert all(run.info.start_time >= parent.info.start_time for run in children)


def test_extra_tags_are_on_children_too(iris):
    autolog.sklearn.autolog(extra_tags={"team": "one"})
    GridSearchCV(SVC(), {"C": [1]}, cv=2).fit(*iris)
    assert {run.data.tags["team"] for run in runs()} == {"one"}


def test_a_search_of_searches_is_one_search(iris):
    inner = GridSearchCV(SVC(), {"C": [1, 2]}, cv=2)
    GridSearchCV(inner, {"estimator__gamma": [0.1, 1]}, cv=2).fit(*iris)
    _, children = parent_and_children()
    assert [run.info.run_name for run in children] == ["gamma=0.1", "gamma=1"]
    assert "estimator__C" not in children[0].data.params


class Searcher(BaseSearchCV):
    """A search of the user, which hands in its candidates by and by."""

    def __init__(self, estimator, *, cv=None):
        super().__init__(estimator, cv=cv)

    def _run_search(self, evaluate_candidates):
        evaluate_candidates([{"C": 1}])
        evaluate_candidates([{"C": 2}, {"C": 3}])


def test_any_search_that_derives_from_sklearns(iris):
    Searcher(SVC(), cv=2).fit(*iris)
    parent, children = parent_and_children()
    assert parent.data.tags["estimator_name"] == "Searcher"
    assert [run.info.run_name for run in children] == ["C=1", "C=2", "C=3"]


@pytest.mark.filterwarnings("ignore")
def test_b14_skopt(iris):
    skopt = pytest.importorskip("skopt")
    search = skopt.BayesSearchCV(
        SVC(), {"C": (0.01, 100.0, "log-uniform")}, n_iter=6, cv=2, random_state=0
    ).fit(*iris)
    parent, children = parent_and_children()
    assert parent.data.metrics["best_cv_score"] == search.best_score_
    assert len(children) == 5
    assert all(run.info.run_name.startswith("C=") for run in children)


class TestContract(PatchContract):
    integration = "sklearn"
    watched = ("sklearn.model_selection._search:BaseSearchCV.fit",)
    orders = (("on", "import"),)

    def switch(self, on):
        # The contract counts runs.
        autolog.sklearn.autolog(disable=not on, max_tuning_runs=0)

    def data(self):
        return load_iris(return_X_y=True)

    def train(self, data):
        return GridSearchCV(RidgeClassifier(), {"alpha": [0.1, 1]}, cv=2).fit(*data)

    def train_badly(self):
        GridSearchCV(SVC(), {"nonsense": [1]}, cv=2).fit(*self.data())

    def state(self, trained):
        scores = {
            key: np.asarray(column).tobytes()
            for key, column in trained.cv_results_.items()
            if "score" in key and "time" not in key
        }
        return trained.best_params_, scores, trained.best_estimator_.coef_.tobytes()
