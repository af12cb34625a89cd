"""Models of CatBoost are saved, loaded, and are what they were."""

import os
import shutil
import subprocess
import sys
import textwrap
import threading

import catboost as cb
import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import autolog.models
import autolog.pyfunc
from autolog.catboost import flavor, load_model, save_model
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    MissingExtra,
    NotFound,
    NotSupported,
    PermissionDenied,
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[KINDS]
MIXED = IRIS.assign(colour=np.array(["red", "green", "blue"])[np.arange(150) % 3])
GROUPS = np.repeat(np.arange(34), 13)
SMALL = {
    "iterations": 4, "depth": 3, "thread_count": 1, "verbose": 0, "allow_writing_files": False,
    "random_seed": 1,
}  # fmt: skip


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
    return autolog.models.get_model_info(path).flavors["catboost"]


def change_conf(path, **fields):
    """Changes what the manifest says of the flavor; None takes a field out."""
    model = autolog.models.Model.load(path)
    conf = {**model.flavors["catboost"], **fields}
    conf = {name: value for name, value in conf.items() if value is not None}
    flavors = {**model.flavors, "catboost": conf}
    (path / "MLmodel").write_text(autolog.models.Model(flavors=flavors).to_yaml())


def regressor(**params):
    return cb.CatBoostRegressor(**{**SMALL, **params}).fit(X, y)


def classifier(**params):
    return cb.CatBoostClassifier(**{**SMALL, **params}, cat_features=["colour"]).fit(MIXED, SPECIES)


MODELS = {
    "classes": classifier,
    "two classes": lambda: cb.CatBoostClassifier(**SMALL, class_weights=[1, 3]).fit(X, y == 1),
    "regressor": lambda: regressor(loss_function="MAE"),
    "ranker": lambda: cb.CatBoostRanker(**SMALL, bootstrap_type="No").fit(
        SICK, GRADE // 100, group_id=GROUPS
    ),
    "any": lambda: cb.CatBoost({**SMALL, "loss_function": "Logloss"}).fit(X, y),
    "array": lambda: cb.CatBoostRegressor(**SMALL).fit(X.to_numpy(), y),
}
FED = {"classes": MIXED, "ranker": SICK, "array": X.to_numpy()}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_what_it_was(name, tmp_path, elsewhere):
    model, data = MODELS[name](), FED.get(name, X)
    save_model(model, tmp_path / "m")
    assert conf_of(tmp_path / "m")["save_format"] == "cbm"
    elsewhere()
    found = load_model(tmp_path / "m")
    assert type(found) is type(model)
    assert found == model
    assert found.feature_names_ == model.feature_names_
    assert found.get_cat_feature_indices() == model.get_cat_feature_indices()
    assert found.get_params()["iterations"] == 4
    np.testing.assert_array_equal(found.predict(data), model.predict(data))
    if hasattr(model, "predict_proba"):
        assert found.classes_.tolist() == model.classes_.tolist()
        np.testing.assert_array_equal(found.predict_proba(data), model.predict_proba(data))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(data), model.predict(data))
    assert type(wrapped.get_raw_model()) is type(model)


def test_early_stopping_is_remembered(tmp_path):
    model = cb.CatBoostClassifier(
        **{**SMALL, "iterations": 50}, early_stopping_rounds=2, learning_rate=1.0
    ).fit(X[::2], y[::2], eval_set=(X[1::2], y[1::2]))
    assert 0 < model.best_iteration_ < 49
    save_model(model, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert found.best_iteration_ == model.best_iteration_
    assert found.tree_count_ == model.tree_count_
    assert found.best_score_["validation"] == pytest.approx(model.best_score_["validation"])
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))


def test_json_on_demand(tmp_path):
    model = classifier()
    save_model(model, tmp_path / "m", format="json")
    assert conf_of(tmp_path / "m")["save_format"] == "json"
    found = load_model(tmp_path / "m")
    assert type(found) is cb.CatBoostClassifier
    np.testing.assert_allclose(found.predict_proba(MIXED), model.predict_proba(MIXED), rtol=1e-6)
    assert found.predict(MIXED).tolist() == model.predict(MIXED).tolist()


def test_a_class_that_derives_is_loaded_as_the_nearest(tmp_path, caplog):
    class Mine(cb.CatBoostRegressor):
        pass

    model = Mine(**SMALL).fit(SICK, GRADE)
    save_model(model, tmp_path / "m")
    assert "it will be loaded as CatBoostRegressor" in caplog.text
    found = load_model(tmp_path / "m")
    assert type(found) is cb.CatBoostRegressor
    np.testing.assert_array_equal(found.predict(SICK), model.predict(SICK))


def test_a_snapshot_does_not_change_with_the_model(tmp_path):
    model = regressor()
    expected = model.predict(X)
    taken = flavor.snapshot(model)
    model.fit(X, -y)
    writer = threading.Thread(target=flavor.write, args=(taken, tmp_path / "m"))
    writer.start()
    writer.join()
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(X), expected)
    assert not np.array_equal(model.predict(X), expected)


def test_the_signature_comes_from_the_example(tmp_path):
    model = classifier()
    save_model(model, tmp_path / "m", input_example=MIXED.head(3), metadata={"team": "risk"})
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    assert loaded.metadata.signature.inputs.input_names() == list(MIXED.columns)
    assert loaded.metadata.signature.outputs.inputs[0].shape == (-1, 1)
    shuffled = MIXED[MIXED.columns[::-1]].assign(other="text")
    expected = model.predict(MIXED)
    np.testing.assert_array_equal(loaded.predict(shuffled), expected)
    np.testing.assert_array_equal(loaded.predict(MIXED.to_dict("records")), expected)
    categorical = MIXED.astype({"colour": "category"})
    np.testing.assert_array_equal(loaded.predict(categorical), expected)
    with pytest.raises(InvalidArgument, match=r"column 'colour' .string. is missing"):
        loaded.predict(IRIS)
    save_model(model, tmp_path / "n", input_example=MIXED.head(3), signature=False)
    assert autolog.models.get_model_info(tmp_path / "n").signature is None


def test_kinds_of_data(tmp_path):
    values = X.to_numpy()
    model = cb.CatBoostRegressor(**SMALL).fit(values, y)
    expected = model.predict(values)
    save_model(model, tmp_path / "m")
    predict = autolog.pyfunc.load_model(tmp_path / "m").predict
    np.testing.assert_array_equal(predict(values), expected)
    np.testing.assert_array_equal(predict(values.tolist()), expected)
    np.testing.assert_array_equal(predict(scipy.sparse.csr_matrix(values)), expected)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"format": "onnx"}, "format must be one of cbm, json, got 'onnx'"),
        ({"signature": "double"}, "signature must be a ModelSignature"),
        ({"metadata": 3}, "metadata must be a mapping"),
        ({"code_paths": "a.py"}, "code_paths must be a list"),
        ({"conda_env": {}, "pip_requirements": []}, "either conda_env"),
        ({"mlflow_model": {}}, "mlflow_model must be a Model"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(regressor(), tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (cb.CatBoostClassifier(), "CatBoostClassifier is not fitted"),
        ("model", "cb_model must be a model of CatBoost, got 'model'"),
        (cb.CatBoost, "cb_model must be a model of CatBoost"),
    ],
)
def test_what_is_no_model_is_refused(model, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.glob("*")) == []


def test_a_folder_that_is_taken_is_refused(tmp_path):
    save_model(regressor(), tmp_path / "m")
    with pytest.raises(AlreadyExists):
        save_model(regressor(), tmp_path / "m")


def test_no_model_and_another_flavor(tmp_path):
    with pytest.raises(NotFound, match="no model directory"):
        load_model(tmp_path)
    (tmp_path / "MLmodel").write_text("flavors: {sklearn: {}}")
    with pytest.raises(NotSupported, match="no model of CatBoost; its flavors are sklearn"):
        load_model(tmp_path)


@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", 3, "a\0b", "."])
def test_a_manifest_cannot_lead_out_of_its_folder(name, tmp_path):
    model = regressor()
    model.save_model(str(tmp_path / "outside"))
    save_model(model, tmp_path / "m")
    change_conf(tmp_path / "m", data=name)
    with pytest.raises(InvalidArgument, match="data"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("known", [True, False], ids=["digest", "no digest"])
@pytest.mark.parametrize("form", ["cbm", "json"])
def test_a_damaged_model_is_told(form, known, tmp_path):
    save_model(regressor(), tmp_path / "m", format=form)
    if not known:
        change_conf(tmp_path / "m", digests=None)
    file = tmp_path / "m" / "model.cb"
    data = file.read_bytes()
    places = [*range(0, len(data), max(len(data) // 60, 1)), len(data) - 1]
    others = [b"garbage" * 50, b"[1]", b"{}", b"tree\nversion=v4\n", b"CBM1\x04\0\0\0garbage"]
    for damage in [data[:place] for place in places] + others:
        file.write_bytes(damage)
        for load in (load_model, autolog.pyfunc.load_model):
            with pytest.raises(InvalidArgument, match=r"model\.cb is damaged or no model"):
                load(tmp_path / "m")
    file.write_bytes(data)
    load_model(tmp_path / "m")


def test_a_changed_byte_is_seen(tmp_path):
    save_model(regressor(), tmp_path / "m")
    file = tmp_path / "m" / "model.cb"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(InvalidArgument, match="not as it was written"):
        load_model(tmp_path / "m")


def test_kinds_and_formats_that_are_not_known_are_told(tmp_path):
    save_model(regressor(), tmp_path / "m")
    for kind in ("Pool", "os.system", None, 3):
        change_conf(tmp_path / "m", model_type=kind)
        with pytest.raises(InvalidArgument, match="model_type of the model must be one of"):
            load_model(tmp_path / "m")
    change_conf(tmp_path / "m", model_type="CatBoostRegressor", save_format="onnx")
    with pytest.raises(NotSupported, match="saved as 'onnx'; only cbm and json hold all"):
        load_model(tmp_path / "m")


def test_files_of_code_ask_for_trust(tmp_path, elsewhere):
    (tmp_path / "helper_of_cb.py").write_text("VALUE = 3\n")
    save_model(regressor(), tmp_path / "m", code_paths=[tmp_path / "helper_of_cb.py"])
    load_model(tmp_path / "m")
    elsewhere()
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(PermissionDenied, match="it brings Python files in code/"):
            load(tmp_path / "m")
        load(tmp_path / "m", trust=True)


def test_without_the_library_the_error_says_what_to_install(tmp_path, user):
    save_model(regressor(), tmp_path / "m")
    user.setitem(sys.modules, "catboost", None)
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(MissingExtra, match="pip install catboost"):
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
    save_model(regressor(), tmp_path / "m", input_example=X.head(2))
    shutil.copytree(tmp_path / "m", tmp_path / "copy")
    out = run(
        """
        import sys, autolog.models, autolog.catboost
        info = autolog.models.get_model_info(sys.argv[1])
        info.model.load_input_example(sys.argv[1])
        print(info.flavors["catboost"]["model_type"], "catboost" in sys.modules)
        """,
        tmp_path / "copy",
        folder=tmp_path,
    )
    assert out.split() == ["CatBoostRegressor", "False"]


def test_the_files_and_requirements(tmp_path):
    save_model(regressor(), tmp_path / "m")
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert needed.splitlines() == [f"catboost=={cb.__version__}"]
    conf = conf_of(tmp_path / "m")
    assert conf["catboost_version"] == cb.__version__
    assert conf["digests"].keys() == {"model.cb"}
