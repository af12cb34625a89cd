"""Models of XGBoost are saved, loaded, and are what they were."""

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
import xgboost as xgb
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import autolog.models
import autolog.pyfunc
from autolog.xgboost import flavor, load_model, save_model
from autolog.xgboost.ubjson import check_ubjson
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    MissingExtra,
    NotFound,
    NotSupported,
    PermissionDenied,
)
from autolog_core.models.flavors import DIGESTS, Broken

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
GROUPS = np.repeat(np.arange(34), 13)
SMALL = {"n_estimators": 4, "max_depth": 3, "n_jobs": 1}
NATIVE = {"max_depth": 3, "nthread": 1}
# Before this version a model does not know which text its categories were.
RECODES = tuple(map(int, xgb.__version__.split(".")[:2])) >= (3, 1)


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
    return autolog.models.get_model_info(path).flavors["xgboost"]


def change_conf(path, **fields):
    """Changes what the manifest says of the flavor; None takes a field out."""
    model = autolog.models.Model.load(path)
    conf = {**model.flavors["xgboost"], **fields}
    conf = {name: value for name, value in conf.items() if value is not None}
    flavors = {**model.flavors, "xgboost": conf}
    (path / "MLmodel").write_text(autolog.models.Model(flavors=flavors).to_yaml())


def booster(**params):
    depth = {} if params.get("booster") == "gblinear" else {"max_depth": 3}
    return xgb.train({"nthread": 1, **depth, **params}, xgb.DMatrix(X, y), 4)


def assert_same_estimator(found, model):
    assert type(found) is type(model)
    ours, theirs = found.get_params(), model.get_params()
    assert ours.pop("missing") == pytest.approx(theirs.pop("missing"), nan_ok=True)
    assert ours == theirs
    assert found.get_booster().save_raw() == model.get_booster().save_raw()
    assert vars(found).keys() == vars(model).keys()


ESTIMATORS = {
    "classifier": lambda: xgb.XGBClassifier(**SMALL, missing=-1.0, subsample=0.9).fit(X, y),
    "classes": lambda: xgb.XGBClassifier(**SMALL, objective="multi:softmax").fit(IRIS, KINDS),
    "regressor": lambda: xgb.XGBRegressor(**SMALL, base_score=3.0).fit(SICK, GRADE),
    "ranker": lambda: xgb.XGBRanker(**SMALL).fit(SICK, GRADE // 100, qid=GROUPS),
    "forest": lambda: xgb.XGBRFClassifier(**SMALL).fit(X, y),
    "forest regressor": lambda: xgb.XGBRFRegressor(**SMALL).fit(SICK, GRADE),
    "linear": lambda: xgb.XGBRegressor(n_estimators=4, booster="gblinear").fit(SICK, GRADE),
    "dart": lambda: xgb.XGBRegressor(**SMALL, booster="dart").fit(SICK, GRADE),
    "array": lambda: xgb.XGBClassifier(**SMALL, random_state=3).fit(X.to_numpy(), y),
}
FED = {"classifier": X, "classes": IRIS, "forest": X, "array": X.to_numpy()}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_estimator_is_what_it_was(name, tmp_path, elsewhere):
    model, data = ESTIMATORS[name](), FED.get(name, SICK)
    save_model(model, tmp_path / "m")
    elsewhere()
    found = load_model(tmp_path / "m")
    assert_same_estimator(found, model)
    np.testing.assert_array_equal(found.predict(data), model.predict(data))
    if hasattr(model, "classes_"):
        assert found.n_classes_ == model.n_classes_
        np.testing.assert_array_equal(found.predict_proba(data), model.predict_proba(data))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(data), model.predict(data))
    assert type(wrapped.get_raw_model()) is type(model)


def test_early_stopping_is_remembered(tmp_path):
    model = xgb.XGBClassifier(
        **{**SMALL, "n_estimators": 30}, early_stopping_rounds=2, eval_metric=["error", "logloss"],
        learning_rate=1.0,
    ).fit(X[::2], y[::2], eval_set=[(X[1::2], y[1::2])], verbose=False)  # fmt: skip
    assert 0 < model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    save_model(model, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert_same_estimator(found, model)
    assert found.best_iteration == model.best_iteration
    assert found.best_score == model.best_score
    assert found.evals_result() == model.evals_result()
    np.testing.assert_array_equal(found.predict_proba(X), model.predict_proba(X))


def test_an_estimator_trains_on_after_it_was_loaded(tmp_path):
    model = xgb.XGBRegressor(**SMALL, monotone_constraints=(1,) + (0,) * 9).fit(SICK, GRADE)
    save_model(model, tmp_path / "m")
    found = load_model(tmp_path / "m")
    assert found.monotone_constraints == model.monotone_constraints
    found.fit(SICK, GRADE)
    np.testing.assert_array_equal(found.predict(SICK), model.predict(SICK))


@pytest.mark.parametrize("form", ["ubj", "json", "xgb"])
def test_a_booster_in_each_format(form, tmp_path):
    model = booster(objective="binary:logistic")
    model.set_attr(best_iteration="2", note="kept")
    save_model(model, tmp_path / "m", model_format=form)
    assert (tmp_path / "m" / f"model.{form}").is_file()
    assert conf_of(tmp_path / "m")["model_format"] == form
    assert conf_of(tmp_path / "m")["model_class"] == "xgboost.core.Booster"
    found = load_model(tmp_path / "m")
    assert type(found) is xgb.Booster
    assert found.feature_names == list(X.columns)
    assert found.attributes() == model.attributes()
    assert found.save_raw() == model.save_raw()
    data = xgb.DMatrix(X)
    np.testing.assert_array_equal(found.predict(data), model.predict(data))
    wrapped = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(wrapped.predict(X), model.predict(data))


def test_params_that_are_no_values_are_named_and_left_out(tmp_path, caplog):
    def squared(labels, predicted):
        return predicted - labels, np.ones_like(predicted)

    generator = np.random.RandomState(3)
    model = xgb.XGBRegressor(**SMALL, objective=squared, random_state=generator).fit(SICK, GRADE)
    state = generator.get_state()[1].tolist()
    save_model(model, tmp_path / "m")
    assert "the params objective, random_state are no values of JSON" in caplog.text
    assert generator.get_state()[1].tolist() == state
    np.testing.assert_array_equal(load_model(tmp_path / "m").predict(SICK), model.predict(SICK))


def test_a_class_of_a_script_is_loaded_as_the_nearest(tmp_path, caplog):
    class Mine(xgb.XGBRegressor):
        pass

    model = Mine(**SMALL).fit(SICK, GRADE)
    save_model(model, tmp_path / "m")
    assert "Mine is in no module: it will be loaded as xgboost.sklearn.XGBRegressor" in caplog.text
    found = load_model(tmp_path / "m")
    assert type(found) is xgb.XGBRegressor
    np.testing.assert_array_equal(found.predict(SICK), model.predict(SICK))


OWN_CLASS = """
import xgboost

class Shifted(xgboost.XGBRegressor):
    def predict(self, X, **others):
        return super().predict(X, **others) + 100
"""


def test_a_class_of_a_module_is_kept_and_asks_for_trust(tmp_path, user, elsewhere):
    (tmp_path / "shifted_model.py").write_text(OWN_CLASS)
    user.syspath_prepend(tmp_path)
    import shifted_model

    model = shifted_model.Shifted(**SMALL).fit(SICK, GRADE)
    code = [tmp_path / "shifted_model.py"]
    save_model(model, tmp_path / "m", code_paths=code)
    found = load_model(tmp_path / "m")
    assert type(found).__name__ == "Shifted"
    np.testing.assert_array_equal(found.predict(SICK), model.predict(SICK))
    elsewhere()
    with pytest.raises(PermissionDenied, match=r"its class shifted_model\.Shifted is none of XGB"):
        load_model(tmp_path / "m")
    change_conf(tmp_path / "m", model_class="no_such_module.Shifted", code=None)
    with pytest.raises(PermissionDenied):
        load_model(tmp_path / "m")
    with pytest.raises(NotSupported, match=r"no_such_module\.Shifted, which cannot be imported"):
        load_model(tmp_path / "m", trust=True)
    change_conf(tmp_path / "m", model_class="json.JSONDecoder")
    with pytest.raises(InvalidArgument, match="names no class of XGBoost"):
        load_model(tmp_path / "m", trust=True)


def test_files_of_code_ask_for_trust(tmp_path, elsewhere):
    (tmp_path / "helper_of_xgb.py").write_text("VALUE = 3\n")
    save_model(booster(), tmp_path / "m", code_paths=[tmp_path / "helper_of_xgb.py"])
    load_model(tmp_path / "m")
    elsewhere()
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(PermissionDenied, match="it brings Python files in code/"):
            load(tmp_path / "m")
        load(tmp_path / "m", trust=True)


def test_a_snapshot_does_not_change_with_the_model(tmp_path):
    model = booster()
    data = xgb.DMatrix(X, y)
    expected = model.predict(data)
    taken = flavor.snapshot(model)
    model.update(data, 4)
    model.set_attr(note="later")
    writer = threading.Thread(target=flavor.write, args=(taken, tmp_path / "m"))
    writer.start()
    writer.join()
    found = load_model(tmp_path / "m")
    assert (found.num_boosted_rounds(), found.attr("note")) == (4, None)
    np.testing.assert_array_equal(found.predict(data), expected)
    assert not np.array_equal(model.predict(data), expected)


def test_saving_leaves_the_model_as_it_was(tmp_path):
    model = ESTIMATORS["classifier"]()
    before, attributes = dict(vars(model)), model.get_booster().attributes()
    save_model(model, tmp_path / "m", input_example=X.head(2))
    assert model.get_booster().attributes() == attributes
    assert vars(model).keys() == before.keys()
    assert all(vars(model)[name] is value for name, value in before.items())


@pytest.mark.parametrize("native", [True, False])
def test_the_signature_comes_from_the_example(native, tmp_path):
    model = booster() if native else ESTIMATORS["classifier"]()
    expected = model.predict(xgb.DMatrix(X) if native else X)
    save_model(model, tmp_path / "m", input_example=X.head(3), metadata={"team": "risk"})
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    assert loaded.metadata.signature.inputs.input_names() == list(X.columns)
    kind = np.dtype(expected.dtype)
    assert loaded.metadata.signature.outputs.inputs[0].type == kind
    shuffled = X[X.columns[::-1]].assign(other="text")
    np.testing.assert_array_equal(loaded.predict(shuffled), expected)
    np.testing.assert_array_equal(loaded.predict(X.to_numpy()), expected)
    np.testing.assert_array_equal(loaded.predict(X.to_dict("records")), expected)
    with pytest.raises(InvalidArgument, match=r"column 'mean area' .double. is missing"):
        loaded.predict(X.drop(columns="mean area"))
    save_model(model, tmp_path / "n", input_example=X.head(3), signature=False)
    assert autolog.models.get_model_info(tmp_path / "n").signature is None


@pytest.mark.parametrize("native", [True, False])
def test_kinds_of_data(native, tmp_path):
    values = X.to_numpy()
    if native:
        model = xgb.train(NATIVE, xgb.DMatrix(values, y), 4)
        expected = model.predict(xgb.DMatrix(values))
    else:
        model = xgb.XGBRegressor(**SMALL).fit(values, y)
        expected = model.predict(values)
    save_model(model, tmp_path / "m")
    predict = autolog.pyfunc.load_model(tmp_path / "m").predict
    np.testing.assert_array_equal(predict(values), expected)
    np.testing.assert_array_equal(predict(values.tolist()), expected)
    sparse = predict(scipy.sparse.csr_matrix(values))
    dense = xgb.DMatrix(np.where(values == 0, np.nan, values))
    absent = model.predict(dense if native else np.where(values == 0, np.nan, values))
    np.testing.assert_array_equal(sparse, absent)


@pytest.mark.parametrize("native", [True, False])
def test_params_go_to_predict(native, tmp_path, caplog):
    if native:
        model = booster(objective="binary:logistic")
        expected = model.predict(xgb.DMatrix(X), output_margin=True)
    else:
        model = ESTIMATORS["classifier"]()
        expected = model.predict(X, output_margin=True)
    save_model(
        model, tmp_path / "m", input_example=(X.head(3), {"output_margin": False, "unknown": 1})
    )
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    found = loaded.predict(X, params={"output_margin": True})
    np.testing.assert_array_equal(found, expected)
    assert "predict() takes no unknown: left out" in caplog.text


COLOURS = np.array(["red", "green", "blue"])
MIXED = pd.DataFrame(
    {
        "size": IRIS["petal width (cm)"],
        "colour": pd.Categorical(COLOURS[np.asarray(KINDS)]),
        "number": pd.Categorical(np.asarray(KINDS)[::-1] * 10),
    }
)


@pytest.mark.parametrize("native", [True, False])
def test_categories_of_pandas(native, tmp_path):
    if native:
        held = xgb.DMatrix(MIXED, KINDS, enable_categorical=True)
        model = xgb.train(NATIVE, held, 4)
        expected = model.predict(held)
    else:
        model = xgb.XGBRegressor(**SMALL, enable_categorical=True).fit(MIXED, KINDS)
        expected = model.predict(MIXED)
    save_model(model, tmp_path / "m")
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(MIXED), expected)
    assert loaded.get_raw_model().feature_types == (model.feature_types if native else None)


@pytest.mark.skipif(not RECODES, reason="before XGBoost 3.1 a model does not know its categories")
@pytest.mark.parametrize("native", [True, False])
def test_a_signature_of_categories_is_that_of_their_values(native, tmp_path):
    if native:
        held = xgb.DMatrix(MIXED, KINDS, enable_categorical=True)
        model = xgb.train(NATIVE, held, 4)
        expected = model.predict(held)
    else:
        model = xgb.XGBRegressor(**SMALL, enable_categorical=True).fit(MIXED, KINDS)
        expected = model.predict(MIXED)
    save_model(model, tmp_path / "m", input_example=MIXED.head(3))
    loaded = autolog.pyfunc.load_model(tmp_path / "m")
    types = [str(spec.type) for spec in loaded.metadata.signature.inputs.inputs]
    assert types == ["DataType.double", "DataType.string", "DataType.long"]
    plain = MIXED.astype({"colour": str, "number": "int64"})
    np.testing.assert_array_equal(loaded.predict(plain), expected)
    # The last rows show one category only: its code is the model's, not that of the rows.
    np.testing.assert_array_equal(loaded.predict(plain.tail(20)), expected[-20:])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"model_format": "onnx"}, "model_format must be one of ubj, json, xgb, got 'onnx'"),
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
        (xgb.XGBClassifier(), "XGBClassifier is not fitted"),
        ("model", "xgb_model must be a Booster or an estimator of XGBoost, got 'model'"),
        (xgb.Booster, "xgb_model must be a Booster"),
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
    with pytest.raises(NotSupported, match="no model of XGBoost; its flavors are sklearn"):
        load_model(tmp_path)


@pytest.mark.parametrize("field", ["data", "estimator"])
@pytest.mark.parametrize("name", ["../outside", "/etc/passwd", 3, "a\0b", "."])
def test_a_manifest_cannot_lead_out_of_its_folder(field, name, tmp_path):
    (tmp_path / "outside").write_bytes(booster().save_raw())
    save_model(ESTIMATORS["classifier"](), tmp_path / "m")
    change_conf(tmp_path / "m", **{field: name})
    with pytest.raises(InvalidArgument, match=field):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("known", [True, False], ids=["digest", "no digest"])
def test_a_damaged_booster_is_told(known, tmp_path):
    save_model(booster(), tmp_path / "m")
    if not known:
        change_conf(tmp_path / "m", digests=None)
    file = tmp_path / "m" / "model.ubj"
    data = file.read_bytes()
    places = [*range(0, len(data), max(len(data) // 60, 1)), len(data) - 1]
    for damage in [data[:place] for place in places] + [b"garbage" * 50, data + b"}"]:
        file.write_bytes(damage)
        for load in (load_model, autolog.pyfunc.load_model):
            with pytest.raises(InvalidArgument, match=r"model\.ubj is damaged or no model"):
                load(tmp_path / "m")
    file.write_bytes(data)
    load_model(tmp_path / "m")


def test_a_changed_byte_is_seen(tmp_path):
    save_model(booster(), tmp_path / "m")
    file = tmp_path / "m" / "model.ubj"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    with pytest.raises(InvalidArgument, match="not as it was written"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("text", ["{", "[]", '{"params": 3}', '{"params": {}, "tuples": 3}', ""])
def test_a_damaged_description_is_told(text, tmp_path):
    save_model(ESTIMATORS["classifier"](), tmp_path / "m")
    (tmp_path / "m" / "estimator.json").write_text(text)
    with pytest.raises(InvalidArgument, match=r"estimator\.json is damaged"):
        load_model(tmp_path / "m")
    change_conf(tmp_path / "m", digests=None)
    with pytest.raises(InvalidArgument, match=r"estimator\.json is damaged"):
        load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{}", "model"),
        (b'{"learner": {}}', "model"),
        (b'{"learner"', "model"),
        (b"binf" + b"\0" * 200, "binary format that XGBoost reads no more"),
        (b"CBM1\x18!\0\0", "no object"),
        (b"tree\nversion=v4\n", "no object"),
    ],
)
def test_a_file_of_another_kind_is_told(data, said, tmp_path):
    save_model(booster(), tmp_path / "m")
    change_conf(tmp_path / "m", digests=None)
    (tmp_path / "m" / "model.ubj").write_bytes(data)
    with pytest.raises(InvalidArgument, match=said):
        load_model(tmp_path / "m")


@pytest.mark.parametrize("kind", ["gbtree", "dart", "gblinear"])
def test_the_reader_of_ubjson_sees_every_cut(kind):
    data = bytes(booster(booster=kind).save_raw())
    check_ubjson(data)
    for place in range(len(data)):
        with pytest.raises(Broken):
            check_ubjson(data[:place])
    with pytest.raises(Broken, match="something follows"):
        check_ubjson(data + b"\0")
    with pytest.raises(Broken, match="nested deeper"):
        check_ubjson((b"{L" + b"\0" * 7 + b"\1a") * 100)
    with pytest.raises(Broken, match="a length is -1"):
        check_ubjson(b"{L" + b"\xff" * 8)


def test_a_model_of_an_older_mlflow(tmp_path):
    model = booster()
    save_model(model, tmp_path / "m")
    change_conf(tmp_path / "m", digests=None, model_class=None, model_format=None)
    np.testing.assert_array_equal(
        load_model(tmp_path / "m").predict(xgb.DMatrix(X)), model.predict(xgb.DMatrix(X))
    )


def test_without_the_library_the_error_says_what_to_install(tmp_path, user):
    save_model(booster(), tmp_path / "m")
    user.setitem(sys.modules, "xgboost", None)
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(MissingExtra, match="pip install xgboost"):
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
    save_model(ESTIMATORS["classifier"](), tmp_path / "m", input_example=X.head(2))
    shutil.copytree(tmp_path / "m", tmp_path / "copy")
    out = run(
        """
        import sys, autolog.models, autolog.xgboost
        info = autolog.models.get_model_info(sys.argv[1])
        info.model.load_input_example(sys.argv[1])
        print(info.flavors["xgboost"]["model_class"], "xgboost" in sys.modules)
        """,
        tmp_path / "copy",
        folder=tmp_path,
    )
    assert out.split() == ["xgboost.sklearn.XGBClassifier", "False"]


def test_the_files_and_requirements(tmp_path):
    save_model(ESTIMATORS["classifier"](), tmp_path / "m")
    assert {"MLmodel", "model.ubj", "estimator.json", "requirements.txt"} <= {
        path.name for path in (tmp_path / "m").iterdir()
    }
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert f"=={xgb.__version__}" in needed
    assert "scikit-learn==" in needed
    conf = conf_of(tmp_path / "m")
    assert conf["xgb_version"] == xgb.__version__
    assert conf[DIGESTS].keys() == {"model.ubj", "estimator.json"}
    told = json.loads((tmp_path / "m" / "estimator.json").read_text())
    assert told["params"]["max_depth"] == 3
