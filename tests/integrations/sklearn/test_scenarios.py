"""The acceptance scenarios that hold for every library, with scikit-learn: P44 to P54."""

import pickle
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading

import cloudpickle
import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

import autolog
from autolog.instrument import control, registry
from autolog.instrument.wrapper import Wrapper
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def nothing_said_before_or_after(tracking):
    forget()
    yield
    forget()


def forget():
    """Turns everything off, as if no `autolog()` had ever been called."""
    for name in registry.names():
        control.configure(name, control.OWN, disable=True)
    control._integrations.clear()


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def python(code, folder):
    """Runs a program, and returns what it wrote to its two outputs."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout, done.stderr


LATER = """
from sklearn.datasets import load_iris
from sklearn.tree import DecisionTreeClassifier
DecisionTreeClassifier(max_depth=2).fit(*load_iris(return_X_y=True))
"""


@pytest.mark.parametrize("first", ["import", "autolog"])
def test_p44_autolog_before_and_after_the_import(tmp_path, first):
    steps = ["from sklearn.tree import DecisionTreeClassifier", "autolog.autolog()"]
    code = "import autolog\n" + "\n".join(steps if first == "import" else steps[::-1]) + LATER
    python(code + "print(autolog.last_active_run().info.status)", tmp_path)
    autolog.set_tracking_uri(tmp_path / "mlruns")
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params["max_depth"] == "2"


def test_p45_exclusive_in_a_users_run(iris):
    autolog.autolog(exclusive=True)
    with autolog.start_run():
        Ridge().fit(*iris)
    (run,) = runs()
    assert (run.data.params, run.data.metrics) == ({}, {})
    Ridge().fit(*iris)
    assert len(runs()) == 2


def test_p46_off_means_pristine(iris):
    before = LogisticRegression.__dict__["fit"]
    autolog.autolog()
    assert type(LogisticRegression.__dict__["fit"]) is Wrapper
    autolog.autolog(disable=True)
    assert LogisticRegression.__dict__["fit"] is before
    Ridge().fit(*iris)
    assert runs() == []


def test_p46_the_flavors_own_options_win(iris):
    autolog.sklearn.autolog(log_models=False)
    autolog.autolog(log_models=True)
    Ridge().fit(*iris)
    assert autolog.search_logged_models(output_format="list") == []


def test_p46_excluded_flavors_stay_off(iris):
    before = Ridge.__dict__["fit"]
    autolog.autolog(exclude_flavors=["sklearn"])
    assert Ridge.__dict__["fit"] is before
    Ridge().fit(*iris)
    assert runs() == []
    autolog.autolog(disable=True)


def test_p47_silent_means_not_one_line(tmp_path):
    out, err = python(
        "import autolog\nautolog.autolog(silent=True)\n"
        + LATER
        + """
from sklearn.base import BaseEstimator
class Odd(BaseEstimator):
    def fit(self, X, y):
        self.open_ = (row for row in X)
        return self
Odd().fit([[1.0]], [1])
""",
        tmp_path,
    )
    assert (out, err) == ("", "")


def test_p48_extra_tags(iris):
    autolog.autolog(extra_tags={"team": "red"})
    with autolog.start_run():
        Ridge().fit(*iris)
    GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2).fit(*iris)
    assert len(runs()) > 1
    assert {run.data.tags["team"] for run in runs()} == {"red"}


def test_p48_a_registered_name_is_said_to_have_no_effect(caplog, iris):
    autolog.sklearn.autolog(registered_model_name="flowers")
    assert "this version has no model registry" in caplog.text
    Ridge().fit(*iris)
    assert [run.info.status for run in runs()] == ["FINISHED"]


@pytest.mark.parametrize("name", ["log_models", "log_datasets", "log_input_examples"])
@pytest.mark.parametrize("on", [True, False])
def test_p49_each_option_does_what_it_says(iris, name, on):
    autolog.autolog(**{name: on})
    Ridge().fit(*iris)
    (run,) = runs()
    models = autolog.search_logged_models(output_format="list")
    if name == "log_models":
        assert len(models) == on
    elif name == "log_datasets":
        assert len(run.inputs.dataset_inputs) == on
    else:
        info = autolog.models.get_model_info(f"models:/{models[0].model_id}")
        assert (info.saved_input_example_info is not None) is on


def test_p50_the_store_is_away_during_the_fit(iris, tracking):
    """Another process holds the database: the fit goes on, and all is there when it lets go."""
    autolog.autolog()
    Ridge(alpha=1).fit(*iris)
    assert len(runs()) == 1
    other = sqlite3.connect(tracking / "tracking.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        model = Ridge(alpha=2).fit(*iris)
        assert model.predict(iris[0]).shape == (150,)
    finally:
        other.execute("ROLLBACK")
        other.close()
    assert [run.data.params["alpha"] for run in runs()] == ["1", "2"]
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"]


class Interrupted(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        autolog.log_metric("rows", len(X))
        signal.raise_signal(signal.SIGINT)
        return self


def test_p51_ctrl_c_in_a_fit(iris):
    autolog.autolog()
    with pytest.raises(KeyboardInterrupt):
        Interrupted().fit(*iris)
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["autolog.failure.type"] == "KeyboardInterrupt"
    assert run.data.metrics == {"rows": 150}
    Ridge().fit(*iris)
    assert len(runs()) == 2


@pytest.mark.parametrize("dump", [pickle.dumps, cloudpickle.dumps, "joblib"])
def test_p52_fitted_models_load_without_us(tmp_path, iris, dump):
    autolog.autolog()
    model = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 2]}, cv=2)
    model.fit(*iris)
    model.predict(iris[0])
    path = tmp_path / "model.bin"
    if dump == "joblib":
        joblib.dump(model, path)
    else:
        path.write_bytes(dump(model))
    assert b"autolog" not in path.read_bytes()
    out, _ = python(
        f"""
        import sys
        sys.modules.update(autolog=None, autolog_core=None, wrapt=None)
        import joblib, pickle
        path = {str(path)!r}
        model = {"joblib.load(path)" if dump == "joblib" else "pickle.load(open(path, 'rb'))"}
        print(model.predict([[5.1, 3.5, 1.4, 0.2]]))
        """,
        tmp_path,
    )
    assert out.strip() == "[0]"


def test_p52_a_patched_class_can_be_pickled(iris):
    autolog.autolog()
    assert pickle.loads(pickle.dumps(Ridge)) is Ridge
    assert b"autolog" not in pickle.dumps(Ridge.fit)
    assert b"autolog" not in cloudpickle.dumps(Ridge(alpha=3).fit)


def test_p53_four_threads_each_fit(iris):
    autolog.autolog()
    models = [DecisionTreeClassifier(max_depth=depth) for depth in (1, 2, 3, 4)]
    threads = [threading.Thread(target=model.fit, args=iris) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.data.params["max_depth"] for run in runs()) == ["1", "2", "3", "4"]
    assert {len(run.data.metrics) for run in runs()} == {7}
    assert len(autolog.search_logged_models(output_format="list")) == 4


def test_p54_a_library_newer_than_tested(tmp_path):
    code = "import sklearn\nsklearn.__version__ = '99.0'\nimport autolog\nautolog.autolog()\n"
    _, err = python(code + LATER, tmp_path)
    assert err.count("\n") == 1
    assert "99.0 is installed, and it is watched all the same" in err
    autolog.set_tracking_uri(tmp_path / "mlruns")
    assert [run.info.status for run in runs()] == ["FINISHED"]


def test_p54_a_library_newer_than_tested_is_left_alone_on_request(tmp_path):
    code = "import sklearn\nsklearn.__version__ = '99.0'\nimport autolog\n"
    code += "autolog.autolog(disable_for_unsupported_versions=True)\n"
    _, err = python(code + LATER, tmp_path)
    assert "so it stays off" in err
    assert not (tmp_path / "mlruns/tracking.db").exists()


class Unreadable(RegressorMixin, BaseEstimator):
    """Everything that we ask of it after the fit raises."""

    def fit(self, X, y):
        self.fitted_ = True
        return self

    def predict(self, X):
        raise RuntimeError("predict")

    def score(self, X, y):
        raise RuntimeError("score")

    def __sklearn_clone__(self):
        raise RuntimeError("clone")

    def __getstate__(self):
        raise RuntimeError("pickle")


def test_p54_an_estimator_that_refuses_all_our_questions(iris):
    autolog.autolog()
    model = Unreadable().fit(*iris)
    assert model.fitted_
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {}


CHEATS = {"an error of the data": np.full((6, 2), np.nan), "too few rows": np.zeros((0, 2))}


@pytest.mark.parametrize("data", CHEATS.values(), ids=CHEATS)
@pytest.mark.parametrize("make", [LogisticRegression, Ridge, MLPClassifier, DecisionTreeClassifier])
def test_the_same_exception_with_and_without(make, data):
    labels = np.arange(len(data)) % 2
    errors = []
    for on in (False, True):
        autolog.sklearn.autolog(disable=not on)
        try:
            make().fit(data, labels)
        except Exception as error:
            errors.append((type(error), str(error)))
        else:
            errors.append(None)
    assert errors[0] == errors[1]
