"""The scores of a cross-validation: folds, means, curves."""

import csv
import json

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, make_scorer
from sklearn.model_selection import (
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from tests.integrations.sklearn.looked import artifact, history

import autolog
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


def only():
    (run,) = default_session().read().search_runs(["0"])
    return run


def rows(run, name):
    with artifact(run, name).open(newline="") as file:
        return list(csv.DictReader(file))


def test_b15_cross_validate(iris):
    result = cross_validate(
        SVC(C=2),
        *iris,
        cv=StratifiedKFold(4, shuffle=True, random_state=0),
        scoring={"accuracy": "accuracy", "f": make_scorer(f1_score, average="macro")},
        return_train_score=True,
        return_estimator=True,
        return_indices=True,
    )
    run = only()
    assert run.data.params["C"] == "2"
    assert run.data.params["cv_splitter"] == (
        "StratifiedKFold(n_splits=4, random_state=0, shuffle=True)"
    )
    assert run.data.params["cv_n_splits"] == "4"
    assert "make_scorer(f1_score" in run.data.params["cv_scoring"]
    assert run.data.params["cv_return_train_score"] == "True"
    keys = {"test_accuracy", "train_accuracy", "test_f", "train_f", "fit_time", "score_time"}
    assert set(run.data.metrics) == {
        f"{kind}_{key}" for kind in ("split", "mean", "std") for key in keys
    }
    (use,) = run.inputs.dataset_inputs
    for key in keys:
        assert history(run, f"split_{key}") == list(enumerate(result[key]))
        assert run.data.metrics[f"mean_{key}"] == np.mean(result[key])
        assert run.data.metrics[f"std_{key}"] == np.std(result[key])
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, "split_test_f")
    assert {point.dataset_digest for point in points} == {use.dataset.digest}


def test_b15_cross_val_score(iris):
    scores = cross_val_score(DecisionTreeClassifier(random_state=0), *iris, scoring="f1_macro")
    run = only()
    assert run.data.params["cv_scoring"] == "f1_macro"
    assert run.data.params["cv_n_splits"] == "5"
    assert history(run, "split_test_score") == list(enumerate(scores))
    assert run.data.metrics["mean_test_score"] == scores.mean()
    assert run.data.metrics["std_test_score"] == scores.std()


def test_b15_cross_val_predict(iris):
    found = cross_val_predict(LogisticRegression(max_iter=500), *iris, method="predict_proba", cv=3)
    assert found.shape == (150, 3)
    run = only()
    assert run.data.params["cv_method"] == "predict_proba"
    assert run.data.params["max_iter"] == "500"
    assert not run.data.metrics


def test_b15_learning_curve(iris):
    sizes, train, test, fit_times, score_times = learning_curve(
        SVC(),
        *iris,
        train_sizes=[0.3, 0.6, 1.0],
        cv=3,
        shuffle=True,
        random_state=0,
        return_times=True,
    )
    run = only()
    assert run.data.params["cv_train_sizes"] == "[0.3, 0.6, 1.0]"
    given = {"train_score": train, "test_score": test}
    given |= {"fit_time": fit_times, "score_time": score_times}
    for key, matrix in given.items():
        steps = [int(size) for size in sizes]
        assert history(run, f"mean_{key}") == list(zip(steps, matrix.mean(axis=1), strict=True))
        assert history(run, f"std_{key}") == list(zip(steps, matrix.std(axis=1), strict=True))
    chart = json.loads(artifact(run, "learning_curve.json").read_text())
    assert [line["label"] for line in chart["lines"]] == ["train", "test"]
    assert chart["lines"][1]["x"] == sizes.tolist()
    assert chart["lines"][1]["y"] == test.mean(axis=1).tolist()
    table = rows(run, "learning_curve.csv")
    assert list(table[0]) == ["train_size", "fold", *given]
    assert [int(row["train_size"]) for row in table] == np.repeat(sizes, 3).tolist()
    assert [int(row["fold"]) for row in table] == [0, 1, 2] * 3
    assert [float(row["test_score"]) for row in table] == test.ravel().tolist()


def test_b15_validation_curve(iris):
    values = np.logspace(-3, 1, 4)
    train, test = validation_curve(
        make_pipeline(StandardScaler(), SVC()), *iris, param_name="svc__C", param_range=values, cv=3
    )
    run = only()
    assert "svc__C" not in run.data.params
    assert run.data.params["cv_param_name"] == "svc__C"
    assert run.data.params["cv_param_range"] == str(values.tolist())
    assert history(run, "mean_train_score") == list(enumerate(train.mean(axis=1)))
    assert history(run, "mean_test_score") == list(enumerate(test.mean(axis=1)))
    chart = json.loads(artifact(run, "validation_curve.json").read_text())
    assert chart["x_label"] == "svc__C"
    assert chart["lines"][0]["x"] == values.tolist()
    table = rows(run, "validation_curve.csv")
    assert [float(row["svc__C"]) for row in table] == np.repeat(values, 3).tolist()
    assert [float(row["train_score"]) for row in table] == train.ravel().tolist()


def test_b15_validation_curve_over_words(iris):
    _, test = validation_curve(
        SVC(), *iris, param_name="kernel", param_range=["linear", "rbf"], cv=2
    )
    run = only()
    assert history(run, "mean_test_score") == list(enumerate(test.mean(axis=1)))
    chart = json.loads(artifact(run, "validation_curve.json").read_text())
    assert chart["x_label"] == "kernel (0: linear, 1: rbf)"
    assert chart["lines"][0]["x"] == [0, 1]
    assert [row["kernel"] for row in rows(run, "validation_curve.csv")] == (
        ["linear"] * 2 + ["rbf"] * 2
    )


def test_b15_permutation_test_score(iris):
    score, permuted, pvalue = permutation_test_score(
        DummyClassifier(), *iris, n_permutations=5, cv=2, random_state=0
    )
    run = only()
    assert run.data.params["cv_n_permutations"] == "5"
    assert run.data.metrics == {
        "mean_test_score": score,
        "permutation_pvalue": pvalue,
        "mean_permutation_score": permuted.mean(),
        "std_permutation_score": permuted.std(),
        "permutation_score": permuted[-1],
    }
    assert history(run, "permutation_score") == list(enumerate(permuted))
