"""Models of LightGBM are saved, loaded, and are what they were."""

import collections
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
import threading
import zipfile

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.linear_model import LinearRegression

import autolog.models
import autolog.pyfunc
from autolog.lightgbm import flavor, load_model, save_model
from autolog.lightgbm.text import check_text
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    MissingExtra,
    NotFound,
    NotSupported,
    PermissionDenied,
)
from autolog_core.models.flavors import Broken

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[KINDS]
GROUPS = np.repeat(13, 34)
SMALL = {"n_estimators": 4, "num_leaves": 7, "n_jobs": 1, "verbosity": -1}
NATIVE = {"num_leaves": 7, "num_threads": 1, "verbosity": -1}
COLOURS = np.array(["red", "green", "blue"])
MIXED = pd.DataFrame(
    {
        "size": IRIS["petal width (cm)"],
        "colour": pd.Categorical(COLOURS[np.arange(150) % 3]),
        "number": pd.Categorical(np.asarray(KINDS)[::-1] * 10),
    }
)


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


def conf_of(path):
    return autolog.models.get_model_info(path).flavors["lightgbm"]


def change_conf(path, **fields):
    """Changes what the manifest says of the flavor; None takes a field out."""
    model = autolog.models.Model.load(path)
    conf = {**model.flavors["lightgbm"], **fields}
    conf = {name: value for name, value in conf.items() if value is not None}
    flavors = {**model.flavors, "lightgbm": conf}
    (path / "MLmodel").write_text(autolog.models.Model(flavors=flavors).to_yaml())


def booster(rounds=4, **params):
    return lgb.train({**NATIVE, **params}, lgb.Dataset(X, y), rounds)


def classifier(**params):
    return lgb.LGBMClassifier(**{**SMALL, **params}).fit(IRIS, SPECIES)


WEIGHTS = {"setosa": 2.0, "versicolor": 1.0, "virginica": 0.5}
ESTIMATORS = {
    "classes": lambda: classifier(class_weight=WEIGHTS, random_state=np.random.RandomState(3)),
    "two classes": lambda: lgb.LGBMClassifier(**SMALL).fit(X, y == 1),
    "regressor": lambda: lgb.LGBMRegressor(**SMALL, reg_alpha=0.1, path_smooth=1.0).fit(X, y),
    "ranker": lambda: lgb.LGBMRanker(**SMALL).fit(SICK, GRADE // 100, group=GROUPS),
    "any": lambda: lgb.LGBMModel(**SMALL, objective="regression").fit(SICK, GRADE),
    "mixed": lambda: lgb.LGBMClassifier(**SMALL, random_state=3).fit(MIXED, SPECIES),
    "array": lambda: lgb.LGBMRegressor(**SMALL, boosting_type="dart").fit(X.to_numpy(), y),
}
FED = {"classes": IRIS, "ranker": SICK, "any": SICK, "mixed": MIXED, "array": X.to_numpy()}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_what_it_was(name, tmp_path, elsewhere):
    model, data = ESTIMATORS[name](), FED.get(name, X)
    expected = model.predict(data)
    save_model(model, tmp_path / "m")
    assert conf_of(tmp_path / "m")["serialization_format"] == "skops"
    elsewhere()
    found = load_model(tmp_path / "m")
    assert type(found) is type(model)
    ours, theirs = found.get_params(), model.get_params()
    assert str(ours.pop("random_state"))[:11] == str(theirs.pop("random_state"))[:11]
    assert ours == theirs
    assert vars(found).keys() == vars(model).keys()
    assert found.feature_name_ == model.feature_name_
    assert found.booster_.model_to_string() == model.booster_.model_to_string()
    np.testing.assert_array_equal(found.predict(data), expected)
    if hasattr(model, "classes_"):
        assert found.classes_.tolist() == model.classes_.tolist()
        assert found.n_classes_ == model.n_classes_
        np.testing.assert_array_equal(found.predict_proba(data), model.predict_proba(data))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(data), expected)
    assert type(wrapped.get_raw_model()) is type(model)


def stopping():
    return [lgb.early_stopping(2, verbose=False)]


@pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
def test_early_stopping_of_an_estimator_is_remembered(tmp_path):
    model = lgb.LGBMClassifier(**{**SMALL, "n_estimators": 50}, learning_rate=1.0).fit(
        X[::2], y[::2], eval_set=[(X[1::2], y[1::2])], callbacks=stopping()
    )
    assert 0 < model.best_iteration_ < 50
    save_model(model, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert found.best_iteration_ == model.best_iteration_
    assert found.best_score_ == model.best_score_
    assert found.evals_result_ == model.evals_result_
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))


def test_early_stopping_of_a_booster_is_remembered(tmp_path):
    params = {**NATIVE, "objective": "binary", "learning_rate": 1.0}
    held = lgb.Dataset(X[1::2], y[1::2])
    model = lgb.train(
        params, lgb.Dataset(X[::2], y[::2]), 50, valid_sets=[held], callbacks=stopping(),
        keep_training_booster=True,
    )  # fmt: skip
    assert 0 < model.best_iteration < model.current_iteration()
    save_model(model, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert found.best_iteration == model.best_iteration == found.current_iteration()
    assert found.best_score == model.best_score
    np.testing.assert_array_equal(found.predict(X), model.predict(X))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(X), model.predict(X))


def test_a_booster_is_what_it_was(tmp_path, elsewhere):
    model = lgb.train(NATIVE, lgb.Dataset(MIXED, KINDS), 4)
    save_model(model, tmp_path / "m")
    assert conf_of(tmp_path / "m")["model_class"] == "lightgbm.basic.Booster"
    elsewhere()
    found = load_model(tmp_path / "m")
    assert type(found) is lgb.Booster
    assert found.feature_name() == model.feature_name()
    assert found.pandas_categorical == model.pandas_categorical
    assert found.model_to_string() == model.model_to_string()
    np.testing.assert_array_equal(found.predict(MIXED), model.predict(MIXED))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(MIXED), model.predict(MIXED))


@pytest.mark.parametrize("form", ["skops", "pickle", "cloudpickle"])
def test_each_format_that_is_asked_for(form, tmp_path, elsewhere):
    model = classifier()
    save_model(model, tmp_path / "m", serialization_format=form)
    conf = conf_of(tmp_path / "m")
    assert conf["serialization_format"] == form
    assert conf["data"] == ("model.skops" if form == "skops" else "model.pkl")
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(IRIS), model.predict(IRIS))
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert f"lightgbm=={lgb.__version__}" in needed
    assert "scikit-learn==" in needed
    assert (f"{form}==" in needed) == (form != "pickle")
    elsewhere()
    if form != "skops":
        for load in (load_model, autolog.pyfunc.load_model):
            with pytest.raises(PermissionDenied, match=f"it is a {form} file"):
                load(tmp_path / "m")
    found = load_model(tmp_path / "m", trust=True)
    np.testing.assert_array_equal(found.predict(IRIS), model.predict(IRIS))


class Mine(lgb.LGBMRegressor):
    """An estimator of the user's own."""


@pytest.mark.parametrize("own", ["objective", "class"])
def test_what_skops_cannot_hold_is_pickled_and_the_reason_is_said(own, tmp_path, caplog, elsewhere):
    def squared(labels, predicted):
        return predicted - labels, np.ones_like(predicted)

    if own == "objective":
        model = lgb.LGBMRegressor(**SMALL, objective=squared)
    else:
        model = Mine(**SMALL)
    model.fit(SICK, GRADE)
    save_model(model, tmp_path / "m")
    assert conf_of(tmp_path / "m")["serialization_format"] == "cloudpickle"
    assert "saved with cloudpickle because skops" in caplog.text
    found = load_model(tmp_path / "m")
    assert type(found).__name__ == type(model).__name__
    np.testing.assert_array_equal(found.predict(SICK), model.predict(SICK))
    elsewhere()
    with pytest.raises(PermissionDenied, match="cloudpickle file"):
        load_model(tmp_path / "m")
    with pytest.raises(InvalidArgument, match="cannot be saved as skops"):
        save_model(model, tmp_path / "other", serialization_format="skops")
    assert not (tmp_path / "other").exists()


def test_types_that_the_user_names_are_saved_as_skops(tmp_path, elsewhere):
    own = f"{Mine.__module__}.Mine"
    sys.modules.setdefault(Mine.__module__, sys.modules[__name__])
    model = Mine(**SMALL).fit(SICK, GRADE)
    save_model(model, tmp_path / "m", skops_trusted_types=[own])
    conf = conf_of(tmp_path / "m")
    assert conf["serialization_format"] == "skops"
    assert own in conf["skops_trusted_types"]
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(SICK), model.predict(SICK))
    elsewhere()
    with pytest.raises(PermissionDenied, match=r"types that are not known as safe: .*Mine"):
        load_model(tmp_path / "m")


def test_without_skops_an_estimator_is_pickled(tmp_path, caplog, user):
    user.setitem(sys.modules, "skops", None)
    user.delitem(sys.modules, "skops.io", raising=False)
    model = classifier()
    save_model(model, tmp_path / "m")
    assert "because skops is not installed" in caplog.text
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(IRIS), model.predict(IRIS))
    with pytest.raises(MissingExtra, match="pip install"):
        save_model(model, tmp_path / "other", serialization_format="skops")
    assert not (tmp_path / "other").exists()


def test_an_estimator_that_holds_a_lock_is_refused_and_nothing_is_left(tmp_path):
    model = classifier()
    model.lock = threading.Lock()
    with pytest.raises(InvalidArgument, match=r"LGBMClassifier cannot be saved.*lock"):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.glob("*")) == []


@pytest.mark.parametrize("native", [True, False])
def test_a_snapshot_does_not_change_with_the_model(native, tmp_path):
    if native:
        model = lgb.Booster(NATIVE, lgb.Dataset(X, y))
        for _ in range(3):
            model.update()
    else:
        model = lgb.LGBMRegressor(**SMALL).fit(X, y)
    expected = model.predict(X)
    taken = flavor.snapshot(model)
    if native:
        model.update()
    else:
        model.fit(X, -y)
    writer = threading.Thread(target=flavor.write, args=(taken, tmp_path / "m"))
    writer.start()
    writer.join()
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), expected)
    assert not np.array_equal(model.predict(X), expected)


@pytest.mark.parametrize("native", [True, False])
def test_the_signature_comes_from_the_example(native, tmp_path):
    model = booster() if native else lgb.LGBMClassifier(**SMALL).fit(X, y)
    save_model(model, tmp_path / "m", input_example=X.head(3), metadata={"team": "risk"})
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    assert loaded.metadata.signature.inputs.input_names() == list(X.columns)
    kind = np.dtype("float64" if native else "int64")
    assert loaded.metadata.signature.outputs.inputs[0].type == kind
    shuffled = X[X.columns[::-1]].assign(other="text")
    np.testing.assert_array_equal(loaded.predict(shuffled), model.predict(X))
    np.testing.assert_array_equal(loaded.predict(X.to_dict("records")), model.predict(X))
    with pytest.raises(InvalidArgument, match=r"column 'mean area' .double. is missing"):
        loaded.predict(X.drop(columns="mean area"))
    save_model(model, tmp_path / "n", input_example=X.head(3), signature=False)
    assert autolog.models.get_model_info(tmp_path / "n").signature is None


@pytest.mark.parametrize("native", [True, False])
def test_kinds_of_data(native, tmp_path):
    values = X.to_numpy()
    model = booster() if native else lgb.LGBMRegressor(**SMALL).fit(values, y)
    expected = model.predict(values)
    save_model(model, tmp_path / "m")
    predict = autolog.pyfunc.load_model(tmp_path / "m").predict
    np.testing.assert_array_equal(predict(values), expected)
    np.testing.assert_array_equal(predict(values.tolist()), expected)
    np.testing.assert_array_equal(predict(scipy.sparse.csr_matrix(values)), expected)


@pytest.mark.parametrize("native", [True, False])
def test_a_signature_of_categories_is_that_of_their_values(native, tmp_path):
    if native:
        model = lgb.train({**NATIVE, "min_data_in_leaf": 5}, lgb.Dataset(MIXED, KINDS), 4)
    else:
        model = lgb.LGBMClassifier(**SMALL, min_child_samples=5).fit(MIXED, SPECIES)
    expected = model.predict(MIXED)
    save_model(model, tmp_path / "m", input_example=MIXED.head(3))
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    types = [str(spec.type) for spec in loaded.metadata.signature.inputs.inputs]
    assert types == ["DataType.double", "DataType.string", "DataType.long"]
    np.testing.assert_array_equal(loaded.predict(MIXED), expected)
    plain = MIXED.astype({"colour": str, "number": "int64"})
    np.testing.assert_array_equal(loaded.predict(plain), expected)
    # Few rows show few categories: the codes are the model's, not those of the rows.
    np.testing.assert_array_equal(loaded.predict(plain.tail(1)), expected[-1:])


def test_ordered_categories_are_told_by_their_text(tmp_path):
    sizes = pd.Categorical(COLOURS[KINDS], categories=COLOURS, ordered=True)
    data = pd.DataFrame({"colour": sizes, "size": IRIS["petal width (cm)"]})
    model = lgb.train(NATIVE, lgb.Dataset(data, KINDS), 4)
    expected = model.predict(data)
    save_model(model, tmp_path / "m", input_example=data.head(3))
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(data), expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"serialization_format": "onnx"}, "serialization_format must be one of skops, pickle"),
        ({"signature": "double"}, "signature must be a ModelSignature"),
        ({"metadata": 3}, "metadata must be a mapping"),
        ({"code_paths": "a.py"}, "code_paths must be a list"),
        ({"conda_env": {}, "pip_requirements": []}, "either conda_env"),
        ({"mlflow_model": {}}, "mlflow_model must be a Model"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(booster(), tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lgb.LGBMClassifier(), "LGBMClassifier is not fitted"),
        ("model", "lgb_model must be a Booster or an estimator of LightGBM, got 'model'"),
        (lgb.Booster, "lgb_model must be a Booster"),
    ],
)
def test_what_is_no_model_is_refused(model, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.glob("*")) == []


def test_a_folder_that_is_taken_is_refused(tmp_path):
    save_model(booster(), tmp_path / "m")
    with pytest.raises(AlreadyExists):
        save_model(booster(), tmp_path / "m")


def test_no_model_and_another_flavor(tmp_path):
    with pytest.raises(NotFound, match="no model directory"):
        load_model(tmp_path)
    (tmp_path / "MLmodel").write_text("flavors: {sklearn: {}}")
    with pytest.raises(NotSupported, match="no model of LightGBM; its flavors are sklearn"):
        load_model(tmp_path)


@pytest.mark.parametrize("native", [True, False])
@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", 3, "a\0b", "."])
def test_a_manifest_cannot_lead_out_of_its_folder(native, name, tmp_path):
    (tmp_path / "outside").write_bytes(pickle.dumps("secret"))
    save_model(booster() if native else classifier(), tmp_path / "m")
    change_conf(tmp_path / "m", data=name)
    with pytest.raises(InvalidArgument, match="data"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("known", [True, False], ids=["digest", "no digest"])
def test_a_damaged_booster_is_told(known, tmp_path):
    save_model(booster(), tmp_path / "m")
    if not known:
        change_conf(tmp_path / "m", digests=None)
    file = tmp_path / "m" / "model.lgb"
    data = file.read_bytes()
    damages = [data[:place] for place in range(0, len(data), len(data) // 60)]
    for damage in [*damages, data.rstrip()[:-1], b"garbage" * 50, b"\xff" + data]:
        file.write_bytes(damage)
        for load in (load_model, autolog.pyfunc.load_model):
            with pytest.raises(InvalidArgument, match=r"model\.lgb is damaged or no model"):
                load(tmp_path / "m")
    file.write_bytes(data)
    load_model(tmp_path / "m")


def test_a_changed_byte_is_seen(tmp_path):
    save_model(booster(), tmp_path / "m")
    file = tmp_path / "m" / "model.lgb"
    file.write_bytes(file.read_bytes().replace(b"left_child=1", b"left_child=9", 1))
    with pytest.raises(InvalidArgument, match="not as it was written"):
        load_model(tmp_path / "m")


def test_a_damaged_estimator_is_told(tmp_path):
    save_model(classifier(), tmp_path / "m")
    file = tmp_path / "m" / "model.skops"
    data = file.read_bytes()
    middle = len(data) // 2
    changed = data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]
    for damage in (b"", data[:100], data[:middle], data[:-30], b"garbage" * 50, changed):
        file.write_bytes(damage)
        with pytest.raises(InvalidArgument, match=r"model\.skops is damaged or no model"):
            load_model(tmp_path / "m")


def test_skops_files_of_other_kinds_are_told(tmp_path):
    import skops.io

    save_model(classifier(), tmp_path / "m")
    file = tmp_path / "m" / "model.skops"
    skops.io.dump(LinearRegression().fit(SICK, GRADE), file)
    with pytest.raises(InvalidArgument, match="it holds a LinearRegression"):
        load_model(tmp_path / "m")


def test_a_skops_file_with_an_address_for_a_text_is_told(tmp_path):
    save_model(classifier(), tmp_path / "m")
    file = tmp_path / "m" / "model.skops"
    with zipfile.ZipFile(file) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    schema = json.loads(held["schema.json"])
    state = schema["content"]["content"]["_Booster"]["content"]["content"]
    assert state["_handle"]["content"].startswith('"tree')
    state["_handle"]["content"] = "4096"
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in {**held, "schema.json": json.dumps(schema)}.items():
            archive.writestr(name, data)
    with pytest.raises(InvalidArgument, match="is damaged or no model"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("form", ["pickle", "cloudpickle"])
def test_a_model_from_elsewhere_runs_no_code(form, tmp_path, user):
    trap = tmp_path / "trapped"
    save_model(classifier(), tmp_path / "m", serialization_format=form)
    (tmp_path / "m" / "model.pkl").write_bytes(pickle.dumps(Planted(trap)))
    autolog.models.get_model_info(tmp_path / "m")
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(PermissionDenied):
            load(tmp_path / "m")
    assert not trap.exists()


class Planted:
    """A pickle that runs code."""

    def __init__(self, file):
        self.file = str(file)

    def __reduce__(self):
        return (open, (self.file, "w"))


def test_a_pickle_of_something_else_is_told(tmp_path):
    save_model(classifier(), tmp_path / "m", serialization_format="pickle")
    (tmp_path / "m" / "model.pkl").write_bytes(pickle.dumps(collections.Counter()))
    with pytest.raises(InvalidArgument, match="it holds a Counter"):
        load_model(tmp_path / "m", trust=True)
    change_conf(tmp_path / "m", serialization_format="joblib")
    with pytest.raises(NotSupported, match="unknown format 'joblib'"):
        load_model(tmp_path / "m", trust=True)


def test_files_of_code_ask_for_trust(tmp_path, elsewhere):
    (tmp_path / "helper_of_lgb.py").write_text("VALUE = 3\n")
    code = [tmp_path / "helper_of_lgb.py"]
    save_model(booster(), tmp_path / "native", code_paths=code)
    save_model(classifier(), tmp_path / "estimator", code_paths=code)
    elsewhere()
    for name in ("native", "estimator"):
        with pytest.raises(PermissionDenied, match="it brings Python files in code/"):
            load_model(tmp_path / name)
        load_model(tmp_path / name, trust=True)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"objective": "multiclass", "num_class": 2},
        {"linear_tree": True},
        {"boosting": "dart"},
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5},
    ],
    ids=str,
)
def test_the_reader_of_texts_sees_every_cut(params):
    data = booster(2, **params).model_to_string().encode()
    check_text(data)
    for place in range(len(data.rstrip())):
        with pytest.raises(Broken):
            check_text(data[:place])
    check_text(lgb.Booster(NATIVE, lgb.Dataset(X, y)).model_to_string().encode())


def test_a_model_of_an_older_mlflow(tmp_path):
    model = booster()
    save_model(model, tmp_path / "m")
    change_conf(tmp_path / "m", digests=None, model_class=None)
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), model.predict(X))
    estimator = classifier()
    save_model(estimator, tmp_path / "n", serialization_format="cloudpickle")
    change_conf(tmp_path / "n", serialization_format=None)
    found = load_model(tmp_path / "n", trust=True)
    np.testing.assert_array_equal(found.predict(IRIS), estimator.predict(IRIS))


def test_without_the_library_the_error_says_what_to_install(tmp_path, user):
    save_model(booster(), tmp_path / "m")
    user.setitem(sys.modules, "lightgbm", None)
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(MissingExtra, match="pip install lightgbm"):
            load(tmp_path / "m")


def run(code, *arguments, folder):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_looking_at_a_model_imports_no_library(tmp_path):
    save_model(classifier(), tmp_path / "m", input_example=IRIS.head(2))
    shutil.copytree(tmp_path / "m", tmp_path / "copy")
    out = run(
        """
        import sys, autolog.models, autolog.lightgbm
        info = autolog.models.get_model_info(sys.argv[1])
        info.model.load_input_example(sys.argv[1])
        print(info.flavors["lightgbm"]["model_class"], "lightgbm" in sys.modules)
        """,
        tmp_path / "copy",
        folder=tmp_path,
    )
    assert out.split() == ["lightgbm.sklearn.LGBMClassifier", "False"]
