"""Estimators are saved, loaded, and predict the same, in this process and in a fresh one."""

import json
import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import Birch, KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

import autolog
import autolog.models
import autolog.pyfunc
from autolog.sklearn import flavor, load_model, save_model
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    MissingExtra,
    NotFound,
    NotSupported,
    PermissionDenied,
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    """Each test is a user of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for name in ("AUTOLOG_TRUST_MODELS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.fixture
def elsewhere(user, tmp_path):
    """Makes what follows run as another user, who did not save the model."""
    return lambda: user.setenv("XDG_DATA_HOME", str(tmp_path / "another"))


def manifest(path):
    return autolog.models.get_model_info(path)


MODELS = {
    "linear": (LogisticRegression(solver="liblinear"), False),
    "scaled": (make_pipeline(StandardScaler(), LogisticRegression()), False),
    "selected": (make_pipeline(SimpleImputer(), SelectKBest(k=3), LogisticRegression()), False),
    "forest": (RandomForestClassifier(5, random_state=0), True),
    "neighbours": (KNeighborsClassifier(algorithm="kd_tree"), True),
    "boosted": (HistGradientBoostingRegressor(max_iter=3), True),
    "clusters": (KMeans(3, n_init=1, random_state=0), False),
}


@pytest.mark.parametrize("name", MODELS)
def test_skops_holds_what_scikit_learn_fits(name, tmp_path, elsewhere):
    model, asks = MODELS[name]
    model.fit(X, y)
    save_model(model, tmp_path / "m")
    assert manifest(tmp_path / "m").flavors["sklearn"]["serialization_format"] == "skops"
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), model.predict(X))
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    assert type(loaded.get_raw_model()) is type(model)
    elsewhere()
    if asks:
        with pytest.raises(PermissionDenied, match="trust=True"):
            load_model(tmp_path / "m")
    loaded = load_model(tmp_path / "m", trust=True if asks else None)
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("form", ["skops", "pickle", "cloudpickle"])
def test_each_format_that_is_asked_for(form, tmp_path):
    model = LogisticRegression(solver="liblinear").fit(X, y)
    save_model(model, tmp_path / "m", serialization_format=form)
    conf = manifest(tmp_path / "m").flavors["sklearn"]
    assert conf["serialization_format"] == form
    assert conf["pickled_model"] == ("model.skops" if form == "skops" else "model.pkl")
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), model.predict(X))
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert "scikit-learn==" in needed
    assert (f"{form}==" in needed) == (form != "pickle")


def halve(values):
    return values / 2


class Majority(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.winner_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.winner_)


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (make_pipeline(FunctionTransformer(halve), Ridge()), "halve"),
        (make_pipeline(FunctionTransformer(lambda values: values / 2), Ridge()), "lambda"),
        (Majority(), "Majority"),
        (Birch(), "Birch"),
    ],
    ids=["function", "lambda", "class", "unsupported"],
)
def test_what_skops_cannot_hold_is_pickled_and_the_reason_is_said(
    model, named, tmp_path, caplog, elsewhere
):
    model.fit(X, y)
    save_model(model, tmp_path / "m")
    assert manifest(tmp_path / "m").flavors["sklearn"]["serialization_format"] == "cloudpickle"
    assert "saved with cloudpickle because skops" in caplog.text
    assert named in caplog.text
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), model.predict(X))
    elsewhere()
    with pytest.raises(PermissionDenied, match="cloudpickle file"):
        load_model(tmp_path / "m")
    with pytest.raises(PermissionDenied, match="AUTOLOG_TRUST_MODELS"):
        autolog.pyfunc.load_model(tmp_path / "m")


def test_without_skops_a_model_is_pickled(tmp_path, caplog, user):
    user.setitem(sys.modules, "skops", None)
    user.delitem(sys.modules, "skops.io", raising=False)
    model = Ridge().fit(X, y)
    save_model(model, tmp_path / "m")
    assert "because skops is not installed" in caplog.text
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), model.predict(X))
    with pytest.raises(MissingExtra, match="pip install"):
        save_model(model, tmp_path / "other", serialization_format="skops")
    assert not (tmp_path / "other").exists()


def test_skops_on_demand_refuses_what_it_cannot_hold(tmp_path):
    model = Majority().fit(X, y)
    with pytest.raises(InvalidArgument, match=r"Majority.*skops_trusted_types"):
        save_model(model, tmp_path / "m", serialization_format="skops")
    assert list(tmp_path.glob("*")) == []


def test_types_that_the_user_names_are_saved_as_skops(tmp_path):
    model = Majority().fit(X, y)
    own = f"{Majority.__module__}.Majority"
    sys.modules.setdefault(Majority.__module__, sys.modules[__name__])
    save_model(model, tmp_path / "m", skops_trusted_types=[own])
    conf = manifest(tmp_path / "m").flavors["sklearn"]
    assert conf["serialization_format"] == "skops"
    assert conf["skops_trusted_types"] == [own]
    assert (load_model(tmp_path / "m").predict(X) == model.predict(X)).all()


def test_an_estimator_that_holds_a_lock_is_refused_and_nothing_is_left(tmp_path):
    model = LogisticRegression(solver="liblinear").fit(X, y)
    model.lock = threading.Lock()
    with pytest.raises(InvalidArgument, match=r"LogisticRegression cannot be saved.*lock"):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.glob("*")) == []


def test_a_snapshot_does_not_change_with_the_model(tmp_path):
    model = Ridge().fit(X, y)
    expected = model.predict(X)
    taken = flavor.snapshot(model)
    model.coef_[:] = 0
    writer = threading.Thread(target=flavor.write, args=(taken, tmp_path / "m"))
    writer.start()
    writer.join()
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), expected)


def test_the_signature_comes_from_the_example(tmp_path):
    model = LogisticRegression(solver="liblinear").fit(X, y)
    save_model(model, tmp_path / "m", input_example=X.head(3), metadata={"team": np.int64(3)})
    info = manifest(tmp_path / "m")
    assert info.signature.inputs.input_names() == list(X.columns)
    assert info.signature.outputs.to_json().count("int64") == 1
    assert info.metadata == {"team": 3}
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    pd.testing.assert_frame_equal(loaded.input_example, X.head(3))
    shuffled = X[X.columns[::-1]].assign(other="text")
    np.testing.assert_array_equal(loaded.predict(shuffled), model.predict(X))
    with pytest.raises(InvalidArgument, match=r"column 'mean radius' .double. is missing"):
        loaded.predict(X.drop(columns="mean radius"))


def test_no_signature_on_demand(tmp_path):
    model = Ridge().fit(X, y)
    save_model(model, tmp_path / "m", signature=False, input_example=X.head(2))
    assert manifest(tmp_path / "m").signature is None


def test_another_method_predicts(tmp_path):
    model = LogisticRegression(solver="liblinear").fit(X, y)
    save_model(model, tmp_path / "m", pyfunc_predict_fn="predict_proba", input_example=X.head(2))
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(X), model.predict_proba(X))
    assert loaded.metadata.signature.outputs.inputs[0].shape == (-1, 2)


def test_a_transformer_has_no_pyfunc(tmp_path):
    save_model(StandardScaler().fit(X), tmp_path / "m")
    assert list(manifest(tmp_path / "m").flavors) == ["sklearn"]
    assert isinstance(load_model(tmp_path / "m"), StandardScaler)
    with pytest.raises(NotSupported, match="does not predict by itself"):
        autolog.pyfunc.load_model(tmp_path / "m")


def test_mixed_columns_go_through_a_pipeline(tmp_path):
    data, target = load_diabetes(return_X_y=True, as_frame=True)
    data = data.assign(colour=["red", "blue"] * (len(data) // 2))
    steps = ColumnTransformer([("one", OneHotEncoder(), ["colour"])], remainder="passthrough")
    model = make_pipeline(steps, Ridge()).fit(data, target)
    save_model(model, tmp_path / "m", input_example=data.head(3))
    loaded = autolog.pyfunc.load_model(f"file://{tmp_path}/m")
    np.testing.assert_allclose(loaded.predict(data), model.predict(data))
    rows = json.loads(data.to_json(orient="records"))
    np.testing.assert_allclose(loaded.predict(rows), model.predict(data))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"serialization_format": "onnx"}, "serialization_format must be one of"),
        ({"pyfunc_predict_fn": "fit"}, "pyfunc_predict_fn must be one of"),
        ({"signature": "double"}, "signature must be a ModelSignature"),
        ({"metadata": 3}, "metadata must be a mapping"),
        ({"metadata": {"a": object()}}, "got object"),
        ({"code_paths": "a.py"}, "code_paths must be a list"),
        ({"conda_env": {}, "pip_requirements": []}, "either conda_env"),
        ({"mlflow_model": {}}, "mlflow_model must be a Model"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(Ridge().fit(X, y), tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


def test_a_folder_that_is_taken_is_refused(tmp_path):
    (tmp_path / "m").mkdir()
    save_model(Ridge().fit(X, y), tmp_path / "m")
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(AlreadyExists):
        save_model(Ridge().fit(X, y), tmp_path / "m")
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_no_model_and_another_flavor(tmp_path):
    with pytest.raises(NotFound, match="no model directory"):
        load_model(tmp_path)
    (tmp_path / "MLmodel").write_text("flavors: {xgboost: {}}")
    with pytest.raises(NotSupported, match="no model of scikit-learn; its flavors are xgboost"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["../outside.pkl", "/etc/passwd", "", None, 3, "a\0b"])
def test_a_manifest_cannot_lead_out_of_its_folder(name, tmp_path):
    (tmp_path / "outside.pkl").write_bytes(pickle.dumps("secret"))
    save_model(Ridge().fit(X, y), tmp_path / "m", serialization_format="pickle")
    model = autolog.models.Model.load(tmp_path / "m")
    conf = {**model.flavors["sklearn"], "pickled_model": name}
    text = autolog.models.Model(flavors={"sklearn": conf}).to_yaml()
    (tmp_path / "m" / "MLmodel").write_text(text)
    with pytest.raises(InvalidArgument, match="pickled_model"):
        load_model(tmp_path / "m", trust=True)


class Planted:
    """A pickle that runs code."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return (open, (self.file, "w"))


@pytest.mark.parametrize("form", ["pickle", "cloudpickle", "skops"])
def test_a_model_from_elsewhere_runs_no_code(form, tmp_path, user):
    trap = tmp_path / "trapped"
    save_model(Ridge().fit(X, y), tmp_path / "m", serialization_format=form)
    file = tmp_path / "m" / ("model.skops" if form == "skops" else "model.pkl")
    file.write_bytes(pickle.dumps(Planted(trap)))
    (tmp_path / "m" / "code").mkdir()
    (tmp_path / "m" / "code" / "sklearn.py").write_text(f"open({str(trap)!r}, 'w')")
    autolog.models.get_model_info(tmp_path / "m")
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises((PermissionDenied, InvalidArgument)):
            load(tmp_path / "m")
        user.setenv("AUTOLOG_TRUST_MODELS", "false")
        with pytest.raises((PermissionDenied, InvalidArgument)):
            load(tmp_path / "m")
        user.delenv("AUTOLOG_TRUST_MODELS")
    assert not trap.exists()


def test_a_skops_file_whose_manifest_trusts_everything_is_still_asked_about(tmp_path, elsewhere):
    own = f"{Majority.__module__}.Majority"
    save_model(Majority().fit(X, y), tmp_path / "m", skops_trusted_types=[own])
    elsewhere()
    with pytest.raises(PermissionDenied, match=r"types that are not known as safe: .*Majority"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    "variable", ["AUTOLOG_TRUST_MODELS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"]
)
def test_the_settings_say_who_is_trusted(variable, tmp_path, user, elsewhere):
    save_model(Ridge().fit(X, y), tmp_path / "m", serialization_format="pickle")
    user.setenv(variable, "false")
    with pytest.raises(PermissionDenied):
        load_model(tmp_path / "m")
    assert isinstance(load_model(tmp_path / "m", trust=True), Ridge)
    elsewhere()
    user.setenv(variable, "true")
    assert isinstance(load_model(tmp_path / "m"), Ridge)
    with pytest.raises(PermissionDenied):
        load_model(tmp_path / "m", trust=False)


FRESH = """
import sys, numpy, json
import autolog.pyfunc, pandas
data = pandas.read_json(sys.argv[2])
model = autolog.pyfunc.load_model(sys.argv[1])
print(json.dumps(numpy.asarray(model.predict(data)).tolist()))
"""


@pytest.mark.parametrize("name", ["scaled", "forest"])
def test_a_fresh_process_predicts_the_same(name, tmp_path):
    model, _ = MODELS[name]
    model.fit(X, y)
    save_model(model, tmp_path / "m", input_example=X.head(3))
    X.head(20).to_json(tmp_path / "data.json")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH, str(tmp_path / "m"), tmp_path / "data.json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == model.predict(X.head(20)).tolist()
