"""Cross-validation is one run, with the scores of its folds."""

import json
import subprocess
import sys

import numpy as np
import pytest
import sklearn.model_selection
from joblib import parallel_backend
from sklearn import model_selection
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LassoCV, Ridge, RidgeClassifier
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LearningCurveDisplay,
    RepeatedKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
    validation_curve,
)
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from tests.integrations.sklearn.looked import artifact, history

import autolog
from autolog.instrument.contract import PatchContract
from autolog.instrument.wrapper import Wrapper
from autolog_core.session import default_session

CALLS = {
    "cross_validate": lambda **options: cross_validate(
        SVC(), *load_iris(return_X_y=True), **options
    ),
    "cross_val_score": lambda **options: cross_val_score(
        SVC(), *load_iris(return_X_y=True), **options
    ),
    "cross_val_predict": lambda **options: cross_val_predict(
        SVC(), *load_iris(return_X_y=True), **options
    ),
    "learning_curve": lambda **options: learning_curve(
        SVC(), *load_iris(return_X_y=True), shuffle=True, random_state=0, **options
    ),
    "validation_curve": lambda **options: validation_curve(
        SVC(), *load_iris(return_X_y=True), param_name="C", param_range=[0.1, 1, 10], **options
    ),
    "permutation_test_score": lambda **options: permutation_test_score(
        SVC(), *load_iris(return_X_y=True), n_permutations=4, random_state=0, **options
    ),
}


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


@pytest.mark.parametrize("name", CALLS)
def test_p14_one_run(name):
    CALLS[name](cv=3)
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.tags["estimator_name"] == "SVC"
    assert run.data.tags["estimator_class"] == "sklearn.svm._classes.SVC"
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    assert run.data.params["gamma"] == "scale"
    assert run.data.params["cv_function"] == name
    assert run.data.params["cv_splitter"] == "3"
    assert run.data.params["cv_n_splits"] == "3"
    (use,) = run.inputs.dataset_inputs
    assert use.context == "train"
    report = json.loads(artifact(run, "autolog_report.json").read_text())
    assert not report["errors"]
    assert autolog.active_run() is None


@pytest.mark.parametrize("backend", ["loky", "threading"])
@pytest.mark.parametrize("name", CALLS)
def test_p14_one_run_with_workers_and_the_same_result(name, backend):
    autolog.sklearn.autolog(disable=True)
    plain = CALLS[name](cv=2)
    autolog.sklearn.autolog()
    with parallel_backend(backend):
        result = CALLS[name](cv=2, n_jobs=2)
    assert only().info.status == "FINISHED"
    assert type(result) is type(plain)
    for one, other in zip(parts(result), parts(plain), strict=True):
        assert np.asarray(one).tobytes() == np.asarray(other).tobytes()


def parts(result):
    if isinstance(result, dict):
        return [column for key, column in result.items() if not key.endswith("_time")]
    return result if isinstance(result, tuple) else (result,)


def test_a_generator_of_splits_is_the_users(iris):
    splits = (split for split in KFold(3, shuffle=True, random_state=0).split(*iris))
    assert len(cross_val_score(SVC(), *iris, cv=splits)) == 3
    run = only()
    assert run.data.params["cv_splitter"] == "splits of a generator"
    assert run.data.params["cv_n_splits"] == "3"
    assert len(history(run, "split_test_score")) == 3


@pytest.mark.parametrize(
    ("cv", "text", "number"),
    [
        (None, "None", 5),
        (RepeatedKFold(n_splits=2, n_repeats=2, random_state=0), "RepeatedKFold(n_repeats=2", 4),
        ([(np.arange(75), np.arange(75, 150))] * 2, "2 given splits", 2),
    ],
)
def test_splitters(cv, text, number):
    features, target = load_diabetes(return_X_y=True)
    cross_val_score(Ridge(), features, target, cv=cv)
    run = only()
    assert run.data.params["cv_splitter"].startswith(text)
    assert run.data.params["cv_n_splits"] == str(number)


def test_groups_and_fit_params_are_named(iris):
    groups = np.arange(150) % 3
    cross_validate(
        SVC(), *iris, groups=groups, cv=GroupKFold(3), params={"sample_weight": np.ones(150)}
    )
    run = only()
    assert run.data.params["cv_groups"] == "True"
    assert run.data.params["cv_params"] == "sample_weight"


def test_an_estimator_keeps_its_own_param_cv():
    features, target = load_diabetes(return_X_y=True)
    cross_val_score(LassoCV(cv=3), features, target, cv=2)
    run = only()
    assert run.data.params["cv"] == "3"
    assert run.data.params["cv_splitter"] == "2"


def test_a_search_inside_belongs_to_the_run(iris):
    cross_val_score(GridSearchCV(SVC(), {"C": [1, 2]}, cv=2), *iris, cv=2)
    run = only()
    assert run.data.tags["estimator_name"] == "GridSearchCV"
    assert run.data.params["param_grid"] == "{'C': [1, 2]}"
    assert run.data.params["cv"] == run.data.params["cv_splitter"] == "2"


def test_a_display_is_one_run(iris):
    pytest.importorskip("matplotlib")
    LearningCurveDisplay.from_estimator(SVC(), *iris, cv=2, train_sizes=[0.5, 1.0], shuffle=True)
    run = only()
    assert run.data.params["cv_function"] == "learning_curve"


def test_through_the_module(iris):
    model_selection.cross_val_score(SVC(), *iris, cv=2)
    sklearn.model_selection.cross_val_score(SVC(), *iris, cv=2)
    assert len(default_session().read().search_runs(["0"])) == 2


@pytest.mark.parametrize("name", CALLS)
def test_an_error_is_the_users(name):
    with pytest.raises(ValueError, match="n_splits=200"):
        CALLS[name](cv=KFold(200))
    run = only()
    assert run.info.status == "FAILED"
    assert "n_splits=200" in run.data.tags["autolog.failure.message"]
    assert run.data.params["cv_splitter"].startswith("KFold(n_splits=200")


class Bare:
    """Has no params."""

    def fit(self, X, y):
        return self


class Interrupted(BaseEstimator):
    def fit(self, X, y):
        raise KeyboardInterrupt


def test_what_cannot_be_cloned(iris):
    # Which of the two depends on the version of scikit-learn.
    with pytest.raises((TypeError, AttributeError), match="Bare"):
        cross_val_score(Bare(), *iris, scoring="accuracy")
    assert only().info.status == "FAILED"


def test_ctrl_c(iris):
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(Interrupted(), *iris, scoring="accuracy")
    assert only().info.status == "FAILED"


def test_arguments_that_do_not_fit():
    with pytest.raises(TypeError):
        cross_val_score()


def test_what_prepares_data_makes_no_run(iris):
    with pytest.raises(TypeError, match="score"):
        cross_val_score(StandardScaler(), *iris)
    assert not default_session().read().search_runs(["0"])


def test_folds_that_fail_have_no_score(iris):
    with pytest.warns(sklearn.exceptions.FitFailedWarning):
        scores = cross_val_score(Picky(), *iris, cv=KFold(3), scoring="accuracy")
    run = only()
    assert run.info.status == "FINISHED"
    assert np.isnan([value for _, value in history(run, "split_test_score")]).tolist() == (
        np.isnan(scores).tolist()
    )
    assert np.isnan(run.data.metrics["mean_test_score"])


class Picky(DummyClassifier):
    def fit(self, X, y, sample_weight=None):
        if y[0] == 1:
            raise ValueError("not these")
        return super().fit(X, y)


def test_in_the_users_run(iris):
    with autolog.start_run() as user:
        cross_val_score(SVC(), *iris)
        assert autolog.active_run().info.run_id == user.info.run_id
        cross_val_predict(SVC(), *iris)
    first, second = sorted(
        default_session().read().search_runs(["0"]), key=lambda run: run.info.start_time
    )
    assert first.info.run_id == user.info.run_id
    assert first.data.params["cv_function"] == "cross_val_score"
    assert second.data.tags["mlflow.parentRunId"] == first.info.run_id
    assert second.info.run_name == "cross_val_predict of SVC"


def test_options(iris):
    autolog.sklearn.autolog(log_datasets=False, exclusive=True, extra_tags={"team": "one"})
    with autolog.start_run():
        cross_val_score(SVC(), *iris)
    assert not only().data.params
    cross_val_score(SVC(), *iris)
    run = next(run for run in default_session().read().search_runs(["0"]) if run.data.params)
    assert run.data.tags["team"] == "one"
    assert not run.inputs.dataset_inputs


def test_off_leaves_no_trace():
    places = [sys.modules[__name__], model_selection, model_selection._validation]
    assert all(type(place.cross_val_score) is Wrapper for place in places)
    assert type(model_selection._plot.learning_curve) is Wrapper
    autolog.sklearn.autolog(disable=True)
    for name in CALLS:
        raw = getattr(model_selection._validation, name)
        assert type(raw) is not Wrapper
        assert getattr(model_selection, name) is getattr(sys.modules[__name__], name) is raw
    assert type(model_selection._plot.learning_curve) is not Wrapper


def test_off_leaves_no_trace_when_it_was_on_before_the_import(tmp_path):
    program = """
import autolog
autolog.sklearn.autolog()
from sklearn import model_selection
from autolog.instrument.wrapper import Wrapper
assert type(model_selection.cross_val_score) is Wrapper
autolog.sklearn.autolog(disable=True)
assert type(model_selection.cross_val_score) is not Wrapper
assert model_selection.cross_val_score is model_selection._validation.cross_val_score
autolog.sklearn.autolog()
assert type(model_selection.cross_val_score) is Wrapper
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


OWN = """
import autolog
autolog.sklearn.autolog()
from sklearn.linear_model import RidgeClassifier

class Own(RidgeClassifier):
    pass
"""
WORK = """
import own
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, cross_val_score
data = load_iris(return_X_y=True)
cross_val_score(own.Own(), *data, n_jobs=2)
GridSearchCV(own.Own(), {"alpha": [1, 2]}, n_jobs=2, cv=2).fit(*data)
from autolog_core.session import default_session
found = default_session().read().search_runs(["0"])
assert len(found) == 4, [run.data.tags for run in found]
"""


def test_workers_that_autolog_themselves(tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    subprocess.run([sys.executable, "-c", WORK], check=True, cwd=tmp_path)


class TestContract(PatchContract):
    integration = "sklearn"
    watched = (
        "sklearn.model_selection._validation:cross_validate",
        "sklearn.model_selection._validation:learning_curve",
    )
    orders = (("on", "import"), ("on", "import", "off"), ("import", "on", "off", "on"))

    def data(self):
        return load_iris(return_X_y=True)

    def train(self, data):
        return cross_validate(RidgeClassifier(), *data, cv=2)

    def train_badly(self):
        cross_validate(SVC(), *self.data(), cv=KFold(200))

    def state(self, trained):
        return trained["test_score"].tobytes()
