"""Searches over params: the search is a run, its best candidates are child runs."""

import csv
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.metrics import f1_score, fbeta_score, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.integrations.sklearn.looked import (
    artifact,
    history,
    parent_and_children,
    row_of,
    skipped,
)

import autolog

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


def test_p8_grid_search(iris):
    search = GridSearchCV(SVC(), GRID, cv=3).fit(*iris)
    parent, children = parent_and_children()
    assert parent.info.status == "FINISHED"
    assert parent.data.tags["estimator_name"] == "GridSearchCV"
    assert parent.data.params["cv"] == "3"
    assert parent.data.params["best_C"] == str(search.best_params_["C"])
    assert parent.data.params["best_gamma"] == str(search.best_params_["gamma"])
    assert parent.data.metrics["best_cv_score"] == search.best_score_
    assert parent.data.metrics["refit_time"] == search.refit_time_
    assert "child runs of 15 candidates" in skipped(parent)
    assert len(children) == 5
    rank = search.cv_results_["rank_test_score"]
    assert sorted(rank[row_of(run)] for run in children) == sorted(rank)[:5]
    for run in children:
        row = row_of(run)
        results = search.cv_results_
        chosen = results["params"][row]
        assert run.info.status == "FINISHED"
        assert run.info.run_name == f"C={chosen['C']}, gamma={chosen['gamma']}"
        assert run.data.tags["estimator_name"] == "SVC"
        assert run.data.tags["estimator_class"] == "sklearn.svm._classes.SVC"
        assert run.data.tags["mlflow.autologging"] == "sklearn"
        expected = SVC(**chosen).get_params()
        assert run.data.params == {key: str(value) for key, value in expected.items()}
        assert run.data.metrics == {
            **{
                key: column[row]
                for key, column in results.items()
                if not key.startswith(("param", "split"))
            },
            "split_test_score": results["split2_test_score"][row],
        }
        assert history(run, "split_test_score") == [
            (fold, results[f"split{fold}_test_score"][row]) for fold in range(3)
        ]


def test_p8_the_best_candidate_is_marked(iris):
    search = GridSearchCV(SVC(), GRID, cv=3).fit(*iris)
    _, children = parent_and_children()
    marked = [run for run in children if "autolog.best_candidate" in run.data.tags]
    assert [row_of(run) for run in marked] == [search.best_index_]


def test_p8_children_use_the_dataset(iris):
    GridSearchCV(SVC(), {"C": [1, 2]}, cv=2).fit(*iris)
    parent, children = parent_and_children()
    (use,) = parent.inputs.dataset_inputs
    for run in children:
        (own,) = run.inputs.dataset_inputs
        assert own.dataset.digest == use.dataset.digest
        assert own.context == "train"
        points = autolog.MlflowClient().get_metric_history(run.info.run_id, "mean_test_score")
        assert [point.dataset_digest for point in points] == [use.dataset.digest]


def test_p8_children_without_a_dataset(iris):
    autolog.sklearn.autolog(log_datasets=False)
    GridSearchCV(SVC(), {"C": [1, 2]}, cv=2).fit(*iris)
    _, children = parent_and_children()
    for run in children:
        assert not run.inputs.dataset_inputs
        assert "C" in run.data.params
        assert len(history(run, "split_test_score")) == 2


def test_p8_the_table_has_every_digit(iris):
    search = GridSearchCV(
        make_pipeline(StandardScaler(), SVC()),
        [{"svc__C": [0.1, 1 / 3]}, {"svc__kernel": ["linear"], "svc__gamma": ["auto", 0.1]}],
        cv=3,
    ).fit(*iris)
    parent, _ = parent_and_children()
    frame = pd.DataFrame(search.cv_results_)
    with artifact(parent, "cv_results.csv").open(newline="") as file:
        read = list(csv.DictReader(file))
    assert list(read[0]) == list(frame.columns)
    for column in frame.columns:
        cells = [row[column] for row in read]
        if column.startswith("param_"):
            absent = np.ma.getmaskarray(search.cv_results_[column])
            assert [cell == "" for cell in cells] == absent.tolist()
        elif column == "params":
            assert cells == [str(params) for params in frame["params"]]
        else:
            assert [float(cell) for cell in cells] == frame[column].tolist()
    table = pd.DataFrame(**json.loads(artifact(parent, "cv_results.json").read_text()))
    assert table["mean_test_score"].tolist() == frame["mean_test_score"].tolist()
    assert table["params"].tolist() == frame["params"].tolist()


@pytest.mark.parametrize(("limit", "number"), [(None, 8), (0, 0), (3, 3), (100, 8)])
def test_p9_as_many_children_as_asked_for(limit, number, iris):
    autolog.sklearn.autolog(max_tuning_runs=limit)
    RandomizedSearchCV(SVC(), GRID, n_iter=8, cv=2, random_state=0).fit(*iris)
    parent, children = parent_and_children()
    assert len(children) == number
    assert len(pd.read_csv(artifact(parent, "cv_results.csv"))) == 8


def test_p9_the_first_of_several_scorers_ranks(iris):
    autolog.sklearn.autolog(max_tuning_runs=2)
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4]},
        scoring={"recall": one_class, "accuracy": "accuracy"},
        refit=False,
        cv=3,
    ).fit(*iris)
    parent, children = parent_and_children()
    first, second = (search.cv_results_[f"rank_test_{name}"] for name in ("recall", "accuracy"))
    assert sorted(first[row_of(run)] for run in children) == sorted(first)[:2]
    assert sorted(second[row_of(run)] for run in children) != sorted(second)[:2]
    assert "best_cv_score" not in parent.data.metrics
    assert "mean_test_recall" in children[0].data.metrics
    assert len(history(children[0], "split_test_accuracy")) == 3


def one_class(estimator, X, y):
    """Is best for the trees that are not."""
    return -estimator.get_depth()


def test_p9_the_scorer_that_refit_names_ranks(iris):
    autolog.sklearn.autolog(max_tuning_runs=2)
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4]},
        scoring={"recall": one_class, "accuracy": "accuracy"},
        refit="accuracy",
        cv=3,
    ).fit(*iris)
    parent, children = parent_and_children()
    rank = search.cv_results_["rank_test_accuracy"]
    assert sorted(rank[row_of(run)] for run in children) == sorted(rank)[:2]
    metrics = parent.data.metrics
    assert metrics["best_cv_score"] == metrics["best_cv_accuracy"] == search.best_score_
    assert metrics["best_cv_recall"] == -search.best_params_["max_depth"]


def test_the_choice_of_a_function_is_among_the_children(iris):
    autolog.sklearn.autolog(max_tuning_runs=2)
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4]},
        refit=lambda results: int(np.argmax(results["rank_test_score"])),
        cv=3,
    ).fit(*iris)
    parent, children = parent_and_children()
    rank = search.cv_results_["rank_test_score"]
    kept = {row_of(run) for run in children}
    assert search.best_index_ in kept
    assert 1 in rank[list(kept)]
    assert "best_cv_score" not in parent.data.metrics
    assert parent.data.params["best_max_depth"] == str(search.best_params_["max_depth"])


def several(estimator, X, y):
    predicted = estimator.predict(X)
    return {"own": float(np.mean(predicted == y)), "micro": f1_score(y, predicted, average="micro")}


@pytest.mark.parametrize(
    ("scoring", "refit", "names"),
    [
        (make_scorer(fbeta_score, beta=2, average="macro"), True, ["score"]),
        ({"fb": make_scorer(fbeta_score, beta=2, average="macro"), "n": one_class}, "fb", "fb n"),
        (several, "own", "own micro"),
    ],
)
def test_issue_7358_scorers_of_the_user(scoring, refit, names, iris):
    search = GridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 3]},
        scoring=scoring,
        refit=refit,
        cv=2,
    ).fit(*iris)
    parent, children = parent_and_children()
    for name in names.split() if isinstance(names, str) else names:
        assert (
            parent.data.metrics[f"best_cv_{name}"]
            == (search.cv_results_[f"mean_test_{name}"][search.best_index_])
        )
        for run in children:
            row = row_of(run)
            assert (
                run.data.metrics[f"mean_test_{name}"]
                == (search.cv_results_[f"mean_test_{name}"][row])
            )
            assert [value for _, value in history(run, f"split_test_{name}")] == [
                search.cv_results_[f"split{fold}_test_{name}"][row] for fold in range(2)
            ]


def test_scores_of_the_training_folds(iris):
    search = GridSearchCV(SVC(), {"C": [1]}, cv=2, return_train_score=True).fit(*iris)
    _, (child,) = parent_and_children()
    assert child.data.metrics["mean_train_score"] == search.cv_results_["mean_train_score"][0]
    assert len(history(child, "split_train_score")) == 2


def test_params_of_a_child_are_those_of_what_was_fitted(iris):
    seed = Pipeline([("scale", StandardScaler()), ("model", SVC(C=7, gamma=0.5))])
    grid = [
        {"model": [DecisionTreeClassifier(min_samples_leaf=3)], "model__max_depth": [2]},
        {"model": [SVC()], "model__C": [1, 2], "scale": ["passthrough"]},
        {"model__gamma": [0.25]},
    ]
    search = GridSearchCV(seed, grid, cv=2).fit(*iris)
    parent, children = parent_and_children()
    names = [run.info.run_name for run in children]
    assert names[0] == "model=DecisionTreeClassifier, max_depth=2"
    assert names[2] == "model=SVC, C=2, scale=passthrough"
    for run, chosen in zip(children, search.cv_results_["params"], strict=True):
        made = clone(seed).set_params(**clone(chosen, safe=False))
        expected = {key: str(value) for key, value in made.get_params().items()}
        assert run.data.params == expected
    table = pd.DataFrame(**json.loads(artifact(parent, "cv_results.json").read_text()))
    assert table["param_model"][1] == "SVC()"
