"""Training metrics against scikit-learn's own functions and against MLflow's."""

from __future__ import annotations

import copy
import pickle
import random
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from sklearn import datasets, metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import (
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    PoissonRegressor,
    Ridge,
    RidgeClassifier,
)
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.multioutput import MultiOutputClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from autolog.sklearn import extract

EXACT = ("precision_score", "recall_score", "f1_score", "accuracy_score")


class MajorityLabel(ClassifierMixin, BaseEstimator):
    """A user's own classifier: no classes_, no probabilities."""

    def fit(self, X: Any, y: Any) -> MajorityLabel:
        self.label_ = pd.Series(y).mode()[0]
        return self

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.label_)


class LabelNoise(MajorityLabel):
    """Draws from the global random states when it predicts."""

    def predict(self, X: Any) -> Any:
        return np.random.choice([0, 1], len(X)) * int(random.random() < 2)


def two_classes(rows: int = 400) -> tuple[Any, Any]:
    return datasets.make_classification(rows, 8, flip_y=0.2, random_state=3)


def three_classes() -> tuple[Any, Any]:
    X, y = datasets.load_wine(return_X_y=True)
    return StandardScaler().fit_transform(X), y


def by_sklearn(estimator: Any, X: Any, y: Any, weight: Any = None) -> dict[str, float]:
    """What MLflow logs, said with `sklearn.metrics`."""
    predicted = estimator.predict(X)
    averaged: dict[str, Any] = {"average": "weighted", "sample_weight": weight, "zero_division": 0}
    found = {
        "precision_score": metrics.precision_score(y, predicted, **averaged),
        "recall_score": metrics.recall_score(y, predicted, **averaged),
        "f1_score": metrics.f1_score(y, predicted, **averaged),
        "accuracy_score": metrics.accuracy_score(y, predicted, sample_weight=weight),
    }
    if hasattr(estimator, "predict_proba"):
        given = estimator.predict_proba(X)
        found["log_loss"] = metrics.log_loss(y, given, sample_weight=weight)
        if given.shape[1] == 2:
            found["roc_auc"] = metrics.roc_auc_score(y, given[:, 1], sample_weight=weight)
        elif weight is None:
            found["roc_auc"] = metrics.roc_auc_score(
                y, given, average="weighted", multi_class="ovo"
            )
    found["score"] = estimator.score(X, y, weight)
    return found


def assert_same(found: extract.Metrics, expected: dict[str, float]) -> None:
    assert {key.removeprefix("training_") for key in found} == set(expected)
    for key, value in expected.items():
        ours = found[f"training_{key}"]
        assert type(ours) is float
        if key in EXACT:
            assert ours == value, key
        else:
            assert ours == pytest.approx(value, rel=1e-11, abs=1e-13), key


CLASSIFIERS = [
    LogisticRegression(),
    RandomForestClassifier(15, max_depth=4, random_state=0),
    ExtraTreesClassifier(15, max_depth=3, random_state=0),
    BaggingClassifier(random_state=0),
    BaggingClassifier(RidgeClassifier(), random_state=0),
    DecisionTreeClassifier(max_depth=3, random_state=0),
    GradientBoostingClassifier(n_estimators=5, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, random_state=0),
    GaussianNB(),
    LinearDiscriminantAnalysis(),
    KNeighborsClassifier(),
    KNeighborsClassifier(8, algorithm="brute"),
    KNeighborsClassifier(4, weights="distance"),
    SVC(),
    RidgeClassifier(),
    DummyClassifier(),
    VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())], voting="soft"),
    VotingClassifier([("a", GaussianNB()), ("b", LogisticRegression())]),
    StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(random_state=0))]),
    make_pipeline(StandardScaler(), LogisticRegression()),
    Pipeline([("none", "passthrough"), ("forest", RandomForestClassifier(9, random_state=0))]),
    make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), SVC())),
    MajorityLabel(),
]


@pytest.mark.parametrize("data", [two_classes, three_classes])
@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda each: str(each)[:50])
def test_classifiers_have_the_numbers_of_sklearn(estimator: Any, data: Any) -> None:
    X, y = data()
    estimator.fit(X, y)
    assert_same(extract.training_metrics(estimator, X, y), by_sklearn(estimator, X, y))


@pytest.mark.parametrize("data", [two_classes, three_classes])
@pytest.mark.parametrize("whole", [True, False])
def test_sample_weights_count(data: Any, whole: bool) -> None:
    X, y = data()
    drawn = np.random.default_rng(5)
    weight = drawn.integers(0, 5, len(y)) if whole else drawn.random(len(y))
    for estimator in (RandomForestClassifier(9, max_depth=3, random_state=0), GaussianNB()):
        estimator.fit(X, y, sample_weight=weight)
        found = extract.training_metrics(estimator, X, y, weight)
        assert_same(found, by_sklearn(estimator, X, y, weight))
        assert ("training_roc_auc" in found.skipped) == (data is three_classes)


@pytest.mark.parametrize("average", ["weighted", "binary"])
def test_labels_may_be_text_and_one_may_be_the_positive_one(average: str) -> None:
    X, numbers = two_classes()
    y = np.where(numbers == 1, "yes", "no")
    for labels in (y, y.astype(object), y.tolist(), pd.Series(y), pd.Series(y, dtype="category")):
        estimator = LogisticRegression().fit(X, labels)
        pos_label = "yes" if average == "binary" else None
        found = extract.training_metrics(estimator, X, labels, pos_label=pos_label)
        predicted = estimator.predict(X)
        assert found["training_f1_score"] == metrics.f1_score(
            y, predicted, average=average, pos_label="yes" if pos_label else 1
        )
        assert found["training_precision_score"] == metrics.precision_score(
            y, predicted, average=average, pos_label="yes" if pos_label else 1
        )
        assert found["training_accuracy_score"] == metrics.accuracy_score(y, predicted)
        assert found["training_roc_auc"] == pytest.approx(
            metrics.roc_auc_score(y, estimator.predict_proba(X)[:, 1])
        )


def test_a_positive_label_that_fits_nothing_costs_three_metrics_only() -> None:
    X, y = three_classes()
    estimator = GaussianNB().fit(X, y)
    found = extract.training_metrics(estimator, X, y, pos_label=1)
    assert set(found.skipped) == {f"training_{name}" for name in EXACT[:3]}
    assert "training_accuracy_score" in found
    X, y = two_classes()
    found = extract.training_metrics(GaussianNB().fit(X, y), X, y, pos_label="yes")
    assert "'yes' is no label" in found.skipped["training_f1_score"]


@pytest.mark.parametrize(
    "estimator",
    [
        LinearRegression(),
        Ridge(),
        RandomForestRegressor(9, random_state=0),
        DecisionTreeRegressor(max_depth=3, random_state=0),
        KNeighborsRegressor(),
        DummyRegressor(),
        make_pipeline(StandardScaler(), SVR()),
    ],
    ids=lambda each: str(each)[:50],
)
@pytest.mark.parametrize("weighted", [False, True])
def test_regressors_have_the_numbers_of_sklearn(estimator: Any, weighted: bool) -> None:
    X, y = datasets.load_diabetes(return_X_y=True)
    weight = np.random.default_rng(0).random(len(y)) if weighted else None
    estimator.fit(X, y)
    predicted = estimator.predict(X)
    found = extract.training_metrics(estimator, X, y, weight)
    assert found == {
        "training_mean_squared_error": metrics.mean_squared_error(
            y, predicted, sample_weight=weight
        ),
        "training_mean_absolute_error": metrics.mean_absolute_error(
            y, predicted, sample_weight=weight
        ),
        "training_r2_score": metrics.r2_score(y, predicted, sample_weight=weight),
        "training_root_mean_squared_error": metrics.root_mean_squared_error(
            y, predicted, sample_weight=weight
        ),
        "training_score": estimator.score(X, y, weight),
    }


def test_several_outputs_of_a_regressor() -> None:
    X, y = datasets.load_linnerud(return_X_y=True)
    estimator = LinearRegression().fit(X, y)
    found = extract.training_metrics(estimator, X, y)
    assert found["training_r2_score"] == pytest.approx(metrics.r2_score(y, estimator.predict(X)))
    constant = np.column_stack([y[:, 0], np.ones(len(y))])
    estimator.fit(X, constant)
    found = extract.training_metrics(estimator, X, constant)
    assert found["training_r2_score"] == pytest.approx(
        metrics.r2_score(constant, estimator.predict(X))
    )


def test_a_score_of_its_own_is_asked_for() -> None:
    X, y = datasets.load_diabetes(return_X_y=True)
    estimator = PoissonRegressor().fit(X, y)
    found = extract.training_metrics(estimator, X, y)
    assert found["training_score"] == estimator.score(X, y)
    assert found["training_score"] != found["training_r2_score"]


def test_multilabel_has_the_metrics_that_are_defined() -> None:
    X, y = datasets.make_multilabel_classification(200, 6, n_classes=3, random_state=0)
    for estimator in (RandomForestClassifier(9, random_state=0), KNeighborsClassifier()):
        for labels in (y, scipy.sparse.csr_matrix(y)):
            estimator.fit(X, y)
            found = extract.training_metrics(estimator, X, labels)
            predicted = estimator.predict(X)
            assert found["training_f1_score"] == metrics.f1_score(y, predicted, average="weighted")
            assert found["training_accuracy_score"] == metrics.accuracy_score(y, predicted)
            assert found["training_score"] == estimator.score(X, y)
            assert set(found.skipped) == {"training_log_loss", "training_roc_auc"}


def test_multioutput_says_why_there_is_no_metric() -> None:
    X, y = three_classes()
    both = np.column_stack([y, y[::-1]])
    estimator = MultiOutputClassifier(GaussianNB()).fit(X, both)
    found = extract.training_metrics(estimator, X, both)
    assert found == {"training_score": estimator.score(X, both)}
    assert "multioutput" in found.skipped["training_accuracy_score"]


def test_clusterers_and_outlier_detectors_have_no_label_metrics() -> None:
    X, y = three_classes()
    clusters = KMeans(3, n_init=1, random_state=0).fit(X)
    assert extract.training_metrics(clusters, X, None) == {}
    assert extract.training_metrics(clusters, X, y) == {"training_score": clusters.score(X)}
    assert extract.training_metrics(IsolationForest(n_estimators=5).fit(X), X, y) == {}


def test_searches_give_the_numbers_of_the_best_estimator() -> None:
    X, y = two_classes()
    pipeline = make_pipeline(StandardScaler(), LogisticRegression())
    grid = {"logisticregression__C": [0.01, 1.0]}
    multiple = {"acc": "accuracy", "ll": "neg_log_loss"}
    for scoring, refit in (
        (None, True),
        ("f1_macro", True),
        ("roc_auc", True),
        ("neg_log_loss", True),
        (multiple, "ll"),
        (lambda estimator, X, y: 0.5, True),
    ):
        for search in (
            GridSearchCV(pipeline, grid, scoring=scoring, refit=refit, cv=2),
            RandomizedSearchCV(pipeline, grid, n_iter=2, scoring=scoring, refit=refit, cv=2),
        ):
            search.fit(X, y)
            found = extract.training_metrics(search, X, y)
            expected = by_sklearn(search.best_estimator_, X, y) | {"score": search.score(X, y)}
            assert_same(found, expected)


def test_a_search_without_refit_has_no_metrics() -> None:
    X, y = two_classes()
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, refit=False, cv=2).fit(X, y)
    found = extract.training_metrics(search, X, y)
    assert not found
    assert found.skipped


def test_data_of_any_library() -> None:
    X, y = two_classes()
    columns = [f"c{place}" for place in range(X.shape[1])]
    frame = pd.DataFrame(X, columns=columns)
    table = pl.DataFrame(X, schema=columns)
    expected = extract.training_metrics(LogisticRegression().fit(X, y), X, y)
    for features, target in (
        (frame, pd.Series(y, name="y")),
        (frame, pd.DataFrame({"y": y})["y"]),
        (table, pl.Series("y", y)),
        (scipy.sparse.csr_matrix(X), y),
        (X.tolist(), y.tolist()),
        (np.asfortranarray(X), y.reshape(-1, 1).ravel()),
    ):
        estimator = LogisticRegression().fit(features, target)
        found = extract.training_metrics(estimator, features, target)
        assert found == pytest.approx(expected, rel=1e-6)
        assert not found.skipped


def test_a_column_of_labels_counts_as_labels() -> None:
    X, y = three_classes()
    estimator = GaussianNB().fit(X, y)
    assert extract.training_metrics(estimator, X, y[:, None]) == extract.training_metrics(
        estimator, X, y
    )


def test_a_predict_that_raises_is_told() -> None:
    class Broken(MajorityLabel):
        def predict(self, X: Any) -> Any:
            raise RuntimeError("no prediction today\nmore text")

    X, y = two_classes()
    found = extract.training_metrics(Broken().fit(X, y), X, y)
    assert not found
    assert found.skipped == {"training metrics": "RuntimeError: no prediction today"}


def test_probabilities_that_are_none_are_told() -> None:
    class Odd(GaussianNB):
        def predict_proba(self, X: Any) -> Any:
            return super().predict_proba(X) * 2

    X, y = three_classes()
    found = extract.training_metrics(Odd().fit(X, y), X, y)
    assert "training_accuracy_score" in found
    assert set(found.skipped) == {"training_log_loss", "training_roc_auc"}


def test_one_predict_and_one_predict_proba() -> None:
    calls: list[str] = []

    class Counting(GaussianNB):
        def predict(self, X: Any) -> Any:
            calls.append("predict")
            return super().predict(X)

        def predict_proba(self, X: Any) -> Any:
            calls.append("predict_proba")
            return super().predict_proba(X)

    class Scaler(StandardScaler):
        def transform(self, X: Any, copy: Any = None) -> Any:
            calls.append("transform")
            return super().transform(X, copy)

    X, y = two_classes()
    search = GridSearchCV(make_pipeline(Scaler(), Counting()), {}, cv=2).fit(X, y)
    calls.clear()
    extract.training_metrics(search, X, y)
    # GaussianNB's own predict_proba and predict do not call each other.
    assert sorted(calls) == ["predict", "predict_proba", "transform"]


def test_a_forest_is_passed_through_once(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = two_classes()
    forest = RandomForestClassifier(5, random_state=0).fit(X, y)
    passes: list[int] = []
    original = DecisionTreeClassifier.predict_proba

    def counted(self: Any, *args: Any, **options: Any) -> Any:
        passes.append(1)
        return original(self, *args, **options)

    monkeypatch.setattr(DecisionTreeClassifier, "predict_proba", counted)
    found = extract.training_metrics(forest, X, y)
    assert len(passes) == 5
    assert len(found) == 7


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(5, random_state=0),
        make_pipeline(StandardScaler(copy=False), LogisticRegression()),
        DummyClassifier(strategy="stratified"),
        DummyClassifier(strategy="uniform", random_state=np.random.RandomState(4)),
        make_pipeline(
            IterativeImputer(sample_posterior=True, max_iter=2, random_state=0), GaussianNB()
        ),
        LabelNoise(),
    ],
    ids=lambda each: str(each)[:40],
)
def test_nothing_is_changed(estimator: Any) -> None:
    X, y = two_classes()
    X[::7, 0] = np.nan if "Imputer" in str(estimator) else 0.0
    estimator.fit(X.copy(), y.copy())
    before = pickle.dumps(
        (estimator, X, y, np.random.get_state(), random.getstate()),
    )
    features, labels = X.copy(), y.copy()
    found = extract.training_metrics(estimator, features, labels)
    assert len(found) >= 5
    after = pickle.dumps((estimator, X, y, np.random.get_state(), random.getstate()))
    np.testing.assert_array_equal(features, X)
    np.testing.assert_array_equal(labels, y)
    assert before == after


def test_names_and_numbers_are_those_of_mlflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow_utils = pytest.importorskip("mlflow.sklearn.utils")
        cases: list[tuple[Any, Any, Any, Any, Any]] = [
            (LogisticRegression(), *two_classes(), None, None),
            (LogisticRegression(), *two_classes(), None, 1),
            (LogisticRegression(), *two_classes(), np.linspace(0, 1, 400), None),
            (SVC(), *three_classes(), None, None),
            (RandomForestClassifier(9, max_depth=3), *three_classes(), None, None),
            (Ridge(), *datasets.load_diabetes(return_X_y=True), None, None),
            (LinearRegression(), *datasets.load_linnerud(return_X_y=True), None, None),
        ]
        for estimator, X, y, weight, pos_label in cases:
            estimator.fit(X, y)
            if hasattr(estimator, "classes_"):
                theirs = mlflow_utils._get_classifier_metrics(
                    estimator, "training_", X, y, weight, pos_label
                )
            else:
                theirs = mlflow_utils._get_regressor_metrics(estimator, "training_", X, y, weight)
            theirs["training_score"] = estimator.score(X, y, weight)
            ours = extract.training_metrics(estimator, X, y, weight, pos_label=pos_label)
            assert ours == pytest.approx(theirs, rel=1e-11)


def test_what_is_given_is_left_as_it_was_even_when_deeply_nested() -> None:
    X, y = two_classes()
    frame = pd.DataFrame(X)
    kept = copy.deepcopy(frame)
    estimator = make_pipeline(StandardScaler(copy=False), Ridge(copy_X=False)).fit(frame.copy(), y)
    extract.training_metrics(estimator, frame, y)
    pd.testing.assert_frame_equal(frame, kept)
