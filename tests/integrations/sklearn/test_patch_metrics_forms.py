"""Predictions that are known again in whatever form a metric is given them."""

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics
from sklearn.datasets import load_iris
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB

import autolog
from autolog.instrument import lineage
from autolog_core.session import default_session

FEATURES, LABELS = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    lineage.forget()
    autolog.sklearn.autolog(log_models=False)
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    X_train, X_test, y_train, y_test = train_test_split(FEATURES, LABELS, random_state=0)
    return X_train, X_test, y_train, y_test


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def measured(run=None):
    """Returns the metrics of the only run, without those of the training."""
    if run is None:
        (run,) = runs()
    return {
        key: value
        for key, value in run.data.metrics.items()
        if not key.startswith("training_") and key != "n_iter"
    }


def point(key):
    (run,) = runs()
    (found,) = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return found


FORMS = {
    "itself": lambda p: p,
    "a copy": lambda p: p.copy(),
    "a view": lambda p: p[:],
    "a column": lambda p: p.reshape(-1, 1),
    "a list": list,
    "a tuple": tuple,
    "plain numbers": lambda p: p.tolist(),
    "a series": pd.Series,
    "a series of a frame": lambda p: pd.DataFrame({"p": p})["p"],
    "another type": lambda p: p.astype(np.int8),
    "an array of a list": lambda p: np.array(list(p)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("keep", [True, False])
def test_a_prediction_in_another_form(iris, form, keep):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    if keep:
        p = model.predict(X_test)
        value = metrics.accuracy_score(y_test, form(p))
    else:
        value = metrics.accuracy_score(y_test, form(model.predict(X_test)))
    assert measured() == {"accuracy_score_X_test": value}


def test_a_prediction_in_a_column_of_polars(iris):
    polars = pytest.importorskip("polars")
    X_train, X_test, y_train, y_test = iris
    p = polars.Series(GaussianNB().fit(X_train, y_train).predict(X_test))
    metrics.accuracy_score(y_test, p)
    assert set(measured()) == {"accuracy_score_X_test"}


def test_texts_as_labels(iris):
    X_train, X_test, y_train, y_test = iris
    names = np.array(["a", "b", "c"])
    model = GaussianNB().fit(X_train, names[y_train])
    metrics.accuracy_score(names[y_test], list(model.predict(X_test)))
    assert set(measured()) == {"accuracy_score_X_test"}


def test_columns_of_probabilities(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    proba = model.predict_proba(X_test)
    metrics.roc_auc_score(y_test == 1, proba[:, 1])
    metrics.roc_auc_score(y_test == 1, model.predict_proba(X_test)[:, 1])
    metrics.brier_score_loss(y_test == 1, list(proba[:, 1]))
    metrics.log_loss(y_test, proba)
    metrics.average_precision_score(y_test == 2, y_score=model.predict_log_proba(X_test)[:, 2])
    assert set(measured()) == {
        "roc_auc_score_X_test",
        "roc_auc_score-2_X_test",
        "brier_score_loss_X_test",
        "log_loss_X_test",
        "average_precision_score_X_test",
    }


def test_decisions_of_probabilities(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train == 1)
    proba = model.predict_proba(X_test)
    metrics.accuracy_score(y_test == 1, (proba[:, 1] > 0.5).astype(int))
    metrics.f1_score(y_test == 1, proba.argmax(axis=1))
    assert set(measured()) == {"accuracy_score_X_test", "f1_score_X_test"}


def test_decision_function(iris):
    X_train, X_test, y_train, y_test = iris
    model = RidgeClassifier().fit(X_train, y_train == 1)
    metrics.roc_auc_score(y_test == 1, model.decision_function(X_test))
    metrics.hinge_loss(y_test == 1, pred_decision=model.decision_function(X_test))
    assert set(measured()) == {"roc_auc_score_X_test", "hinge_loss_X_test"}


def test_some_rows_of_a_prediction(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    p = model.predict(X_test)
    metrics.accuracy_score(y_test[5:20], p[5:20])
    part = X_test[5:20].copy()
    model.score(part, y_test[5:20])
    (first,) = (point(key) for key in measured() if key.startswith("accuracy"))
    (second,) = (point(key) for key in measured() if key.startswith("GaussianNB"))
    assert first.key == "accuracy_score_X_test"
    assert first.dataset_digest == second.dataset_digest
    assert first.value == second.value


def test_some_rows_of_a_frame():
    data = load_iris(as_frame=True)
    X, y = data.data, data.target
    model = GaussianNB().fit(X, y)
    p = model.predict(X)
    metrics.accuracy_score(y[:100], p[:100])
    part = X.iloc[:100]
    model.score(part, y[:100])
    assert set(measured()) == {"accuracy_score_X", "GaussianNB_score_part"}
    first, second = (point(key) for key in sorted(measured()))
    assert first.dataset_digest == second.dataset_digest


def test_many_outputs(iris):
    X_train, X_test, y_train, y_test = iris
    both = np.stack([y_train, y_train == 1], axis=1)
    model = MultiOutputClassifier(GaussianNB()).fit(X_train, both)
    first, second = model.predict_proba(X_test)
    metrics.log_loss(y_test, first)
    metrics.roc_auc_score(y_test == 1, second[:, 1])
    p = model.predict(X_test)
    metrics.accuracy_score(y_test, p[:, 0])
    assert set(measured()) == {
        "log_loss_X_test",
        "roc_auc_score_X_test",
        "accuracy_score_X_test",
    }
