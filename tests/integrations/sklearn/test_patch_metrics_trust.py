"""Metrics that must not be anybody's, and programs that stay what they were."""

import copy
import gc
import pickle
import sys
import weakref
from functools import cached_property

import cloudpickle
import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators

import autolog
from autolog.instrument import faults, lineage
from autolog.instrument.lineage_records import models, predictions
from autolog.instrument.wrapper import Wrapper
from autolog_core.session import default_session

FEATURES, LABELS = load_iris(return_X_y=True)
FRAME = load_iris(as_frame=True)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    lineage.forget()
    autolog.sklearn.autolog(log_models=False)
    yield
    autolog.sklearn.autolog(disable=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def keys(number=0):
    return {key for key in runs()[number].data.metrics if not key.startswith("training_")}


def halves(seed=0):
    return train_test_split(FEATURES, LABELS, random_state=seed)


# what is nobody's


def test_v19_a_copy_that_was_changed_is_another_model():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    other = copy.deepcopy(model)
    other.theta_ = other.theta_ + 1
    other.score(X_test, y_test)
    metrics.accuracy_score(y_test, other.predict(X_test))
    for same in (copy.copy(model), clone(model), pickle.loads(pickle.dumps(model))):
        if hasattr(same, "theta_"):
            same.score(X_test, y_test)
    assert keys() == set()
    model.score(X_test, y_test)
    assert keys() == {"GaussianNB_score_X_test"}


def test_a_model_that_was_fitted_again_where_nobody_watched():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    with autolog.disabled():
        model.fit(X_test, y_test)
    model.score(X_test, y_test)
    metrics.accuracy_score(y_test, model.predict(X_test))
    assert keys() == set()
    model.fit(X_train, y_train).score(X_test, y_test)
    assert keys(0) == set()
    assert keys(1) == {"GaussianNB_score_X_test"}


def test_a_model_that_was_changed_by_hand():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    p = model.predict(X_test)
    model.theta_ = model.theta_ + 1
    model.score(X_test, y_test)
    metrics.accuracy_score(y_test, model.predict(X_test))
    assert keys() == set()
    metrics.accuracy_score(y_test, p)
    assert keys() == {"accuracy_score_X_test"}


def test_a_step_that_was_fitted_by_itself():
    X_train, X_test, y_train, y_test = halves()
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X_train, y_train)
    model.score(X_test, y_test)
    model[0].fit(X_test)
    model.score(X_test, y_test)
    assert keys() == {"Pipeline_score_X_test"}


def test_predictions_of_others():
    X_train, X_test, y_train, y_test = halves()
    with autolog.disabled():
        other = GaussianNB(var_smoothing=0.5).fit(X_train, y_train)
    model = GaussianNB().fit(X_train, y_train)
    p, q = model.predict(X_test), other.predict(X_test)
    assert not np.array_equal(p, q)
    metrics.accuracy_score(y_test, q)
    metrics.accuracy_score(y_test, list(q))
    other.score(X_test, y_test)
    metrics.accuracy_score(y_test, y_test)
    metrics.accuracy_score(p[:3].copy(), [0, 1, 1])
    metrics.mean_squared_error([1, 2, 3], [1, 2, 4])
    assert keys() == set()


def test_true_labels_that_equal_a_prediction_are_no_prediction():
    # A perfect model predicts the labels, which other predictions are compared with, too.
    X, y = FEATURES, LABELS
    model = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9]}, cv=2)
    model.fit(X, y)
    p = model.predict(X)
    other = p[::-1].copy()
    metrics.accuracy_score(p.copy(), other)
    metrics.accuracy_score(y_true=p.copy(), y_pred=other)
    assert not {key for key in keys() if key.startswith("accuracy")}


def test_few_labels_may_agree_by_chance():
    model = GaussianNB().fit(FEATURES, LABELS)
    p = model.predict(FEATURES[::15])
    metrics.accuracy_score(LABELS[::15], p.tolist())
    assert keys() == set()
    metrics.accuracy_score(LABELS[::15], p)
    assert len(keys()) == 1


def test_equal_predictions_of_different_data():
    X_one, X_two = FEATURES[:60], FEATURES[:60].copy()
    model = GaussianNB().fit(FEATURES, LABELS)
    first, second = model.predict(X_one), model.predict(X_two)
    assert np.array_equal(first, second)
    metrics.accuracy_score(LABELS[:60], first.tolist())
    assert keys() == set()
    metrics.accuracy_score(LABELS[:60], second)
    assert keys() == {"accuracy_score_X_two"}


def test_data_that_a_model_hands_through():
    X = FEATURES.copy()

    class Same(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return X[:, 0]

    model = Same().fit(X, LABELS)
    model.predict(X)
    FunctionTransformer().fit(X).transform(X)
    metrics.mean_squared_error(X[:, 1], X[:, 0])
    metrics.silhouette_score(X, LABELS)
    assert keys() == set()


# the user's program is what it was


def test_errors_are_the_users():
    model = GaussianNB().fit(FEATURES, LABELS)
    p = model.predict(FEATURES)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        metrics.accuracy_score(LABELS[:5], p)
    with pytest.raises(TypeError):
        metrics.accuracy_score(p)
    with pytest.raises(TypeError):
        model.predict()
    with pytest.raises(ValueError, match="features"):
        model.score(FEATURES[:, :2], LABELS)
    with pytest.raises(AttributeError):
        GridSearchCV(SGDClassifier(), {}).fit(FEATURES, LABELS).predict_proba(FEATURES)
    assert keys() == set()


def test_nothing_is_kept_alive():
    def use():
        X_train, X_test, y_train, y_test = halves()
        model = make_pipeline(StandardScaler(), GaussianNB()).fit(X_train, y_train)
        proba = model.predict_proba(X_test)
        p = model.predict(X_test)
        metrics.roc_auc_score(y_test == 1, proba[:, 1])
        metrics.accuracy_score(y_test, p)
        metrics.confusion_matrix(y_test, p)
        model.score(X_test, y_test)
        objects = [X_train, X_test, y_train, y_test, model, model[-1], model[-1].theta_, proba, p]
        return [weakref.ref(each) for each in objects]

    watched = use()
    autolog.MlflowClient().list_artifacts(runs()[0].info.run_id)
    gc.collect()
    assert [each() for each in watched] == [None] * len(watched)
    assert len(models) == 0
    assert len(predictions) == 0


def test_a_deleted_variable_is_freed_at_once():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    before = sys.getrefcount(X_test)
    model.score(X_test, y_test)
    p = model.predict(X_test)
    metrics.accuracy_score(y_test, p)
    assert sys.getrefcount(X_test) == before
    watched = weakref.ref(X_test)
    del X_test
    assert watched() is None


@pytest.mark.parametrize("dump", [pickle.dumps, cloudpickle.dumps])
def test_p52_pickles_hold_nothing_of_us(dump):
    search = GridSearchCV(
        GaussianNB(),
        {"var_smoothing": [1e-9]},
        cv=2,
        scoring=metrics.make_scorer(metrics.f1_score, average="macro"),
    )
    search.fit(FEATURES, LABELS)
    search.score(FEATURES, LABELS)
    for each in (
        search,
        metrics.f1_score,
        metrics.get_scorer("f1"),
        metrics.cluster.v_measure_score,
        train_test_split,
        search.predict,
        {"accuracy": metrics.accuracy_score},
    ):
        stored = dump(each)
        assert b"autolog" not in stored
        pickle.loads(stored)
    assert pickle.loads(dump(metrics.f1_score))(LABELS, LABELS, average="macro") == 1


def test_results_are_the_same():
    X_train, X_test, y_train, y_test = halves()
    model = GaussianNB().fit(X_train, y_train)
    stored = pickle.dumps(model)

    def use():
        p, proba = model.predict(X_test), model.predict_proba(X_test)
        return (
            p.tobytes(),
            proba.tobytes(),
            metrics.accuracy_score(y_test, p),
            metrics.log_loss(y_test, proba),
            model.score(X_test, y_test),
            metrics.get_scorer("neg_log_loss")(model, X_test, y_test),
            metrics.classification_report(y_test, p),
            [part.tobytes() for part in halves()],
        )

    watched = use()
    autolog.sklearn.autolog(disable=True)
    assert use() == watched
    assert pickle.dumps(model) == stored


def test_methods_are_described_as_before():
    assert not hasattr(SGDClassifier(loss="hinge"), "predict_proba")
    assert hasattr(SGDClassifier(loss="log_loss"), "predict_proba")
    assert "X" in GaussianNB.predict.__doc__
    assert GaussianNB().predict.__name__ == "predict"
    assert metrics.f1_score.__module__ == "sklearn.metrics._classification"


def test_attributes_that_are_no_methods_are_left_alone():
    shared = object()

    class Holder(BaseEstimator):
        transform = dict

        @property
        def predict(self):
            return shared

        @cached_property
        def score(self):
            return shared

    assert Holder().predict is shared
    assert Holder().score is shared
    assert Holder.transform is dict
    assert Holder().transform is dict


@pytest.mark.parametrize("name", ["predict", "predict_proba", "transform", "score"])
def test_estimators_stay_what_their_training_made_of_them(name):
    """No estimator of scikit-learn replaces its fitted attributes when it is used."""
    checked = 0
    with np.errstate(all="ignore"):
        for _, cls in all_estimators():
            if not hasattr(cls, name):
                continue
            estimator = _fitted(cls)
            if estimator is None or not hasattr(estimator, name):
                continue
            live = _Live()
            lineage.trained(estimator, live, None)
            try:
                with autolog.disabled():
                    getattr(estimator, name)(*((DATA, TARGET) if name == "score" else (DATA,)))
            except Exception:
                # It is not made for such data.
                continue
            assert lineage.model_of(estimator) is not None, cls
            checked += 1
    assert checked > 20


DATA = np.abs(FEATURES[::5])
TARGET = LABELS[::5]


class _Live:
    tags = {"mlflow.autologging": "sklearn"}  # noqa: RUF012


@pytest.mark.filterwarnings("ignore")
def _fitted(cls):
    try:
        estimator = cls()
        with autolog.disabled():
            return estimator.fit(DATA, TARGET)
    except Exception:
        return None


def test_the_newest_prediction_counts_however_it_is_met():
    first = GaussianNB().fit(FEATURES, LABELS == 1)
    metrics.accuracy_score(LABELS == 1, first.predict(FEATURES).tolist())
    second = GaussianNB().fit(FEATURES, LABELS == 1)
    proba = second.predict_proba(FEATURES)[:, 1]
    metrics.accuracy_score(LABELS == 1, proba > 0.5)
    assert keys(0) == {"accuracy_score_FEATURES"}
    assert keys(1) == {"accuracy_score_FEATURES"}


def test_p46_nothing_is_left_of_the_patches():
    import sklearn.model_selection
    from sklearn.inspection import _permutation_importance as shuffling
    from sklearn.pipeline import Pipeline

    def places():
        return [
            GaussianNB.__mro__[1].__dict__["predict"],
            ClassifierMixin.__dict__["score"],
            Pipeline.__dict__["predict_proba"],
            StandardScaler.__dict__["transform"],
            metrics._scorer._BaseScorer.__dict__["__call__"],
            metrics._scorer._MultimetricScorer.__dict__["__call__"],
            metrics.__dict__["f1_score"],
            metrics.cluster.__dict__["rand_score"],
            sklearn.model_selection.__dict__["train_test_split"],
            sklearn.model_selection._split.__dict__["train_test_split"],
            globals()["train_test_split"],
            shuffling.__dict__["_weights_scorer"],
        ]

    watched = places()
    assert all(type(each) is Wrapper for each in watched)
    autolog.sklearn.autolog(disable=True)
    after = places()
    assert all(each is was.__wrapped__ for each, was in zip(after, watched, strict=True))


def test_a_very_long_name():
    model = GaussianNB().fit(FEATURES, LABELS)
    name = "X" * 600
    space = {"model": model, name: FEATURES[:60].copy(), "y": LABELS[:60]}
    exec(f"model.score({name}, y)", space)
    (key,) = keys()
    assert key == ("GaussianNB_score_" + name)[:250]
    (use,) = (use for use in runs()[0].inputs.dataset_inputs if use.context == "eval")
    assert use.dataset.name == name[:500]


class Odd(list):
    """Rows that can be counted, but not read."""

    def __iter__(self):
        raise RuntimeError("unreadable")


def test_data_that_cannot_be_read_cost_no_metric():
    class Half(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def score(self, X, y=None):
            return 0.5

    model = Half().fit(FEATURES, LABELS)
    X_odd = Odd([1.0, 2.0])
    assert model.score(X_odd) == 0.5
    assert keys() == {"Half_score_X_odd"}
    (fault,) = faults.recent()
    assert fault.phase == "the dataset"
    faults.clear()
