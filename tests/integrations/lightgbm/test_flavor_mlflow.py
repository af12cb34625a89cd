"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import autolog.lightgbm
import autolog.models
import autolog.pyfunc
from autolog_core.errors import PermissionDenied

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
SPECIES = np.array(["setosa", "versicolor", "virginica"])[KINDS]
SMALL = {"n_estimators": 3, "num_leaves": 7, "n_jobs": 1, "verbosity": -1}
NATIVE = {"num_leaves": 7, "num_threads": 1, "verbosity": -1}


def stopped():
    return lgb.train(
        {**NATIVE, "objective": "binary", "learning_rate": 1.0},
        lgb.Dataset(X[::2], y[::2]),
        50,
        valid_sets=[lgb.Dataset(X[1::2], y[1::2])],
        callbacks=[lgb.early_stopping(2, verbose=False)],
    )


def ranker():
    return lgb.LGBMRanker(**SMALL).fit(SICK, GRADE // 100, group=np.repeat(13, 34))


MODELS = {
    "native": (X, lambda: lgb.train(NATIVE, lgb.Dataset(X, y), 3), {}),
    "stopped": (X, stopped, {}),
    "classifier": (X, lambda: lgb.LGBMClassifier(**SMALL).fit(X, y), {}),
    "species": (IRIS, lambda: lgb.LGBMClassifier(**SMALL).fit(IRIS, SPECIES), {}),
    "regressor": (SICK, lambda: lgb.LGBMRegressor(**SMALL).fit(SICK, GRADE), {}),
    "ranker": (SICK, ranker, {}),
    "pickled": (
        X, lambda: lgb.LGBMClassifier(**SMALL).fit(X, y), {"serialization_format": "cloudpickle"}
    ),
}  # fmt: skip

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy as np, pandas as pd, lightgbm as lgb
from sklearn.datasets import load_breast_cancer
what, folder, *names = sys.argv[1:]
if what == "load":
    out = {}
    for name in names:
        path = f"{folder}/{name}"
        X = pd.read_parquet(path + ".parquet")
        model, loaded = mlflow.lightgbm.load_model(path), mlflow.pyfunc.load_model(path)
        out[name] = {
            "class": type(model).__name__,
            "native": model.predict(X).tolist(),
            "pyfunc": loaded.predict(X).tolist(),
            "signature": loaded.metadata.signature.to_dict(),
            "env": bool(mlflow.pyfunc.get_model_dependencies(path, format="pip")),
        }
    print(json.dumps(out))
else:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    small = {"n_estimators": 3, "num_leaves": 7, "n_jobs": 1, "verbosity": -1}
    names = np.array(["bad", "good"])[y]
    classes = lgb.LGBMClassifier(**small).fit(X, names)
    models = {
        "native": (lgb.train({"verbosity": -1, "num_leaves": 7}, lgb.Dataset(X, y), 3), {}),
        "skops": (classes, {}),
        "cloudpickle": (classes, {"serialization_format": "cloudpickle"}),
        "pickle": (lgb.LGBMRegressor(**small).fit(X, y), {"serialization_format": "pickle"}),
    }
    out = {}
    for name, (model, more) in models.items():
        mlflow.lightgbm.save_model(
            model, f"{folder}/{name}", input_example=X.head(3), pip_requirements=["lightgbm"],
            metadata={"team": "risk"}, **more,
        )
        out[name] = {"class": type(model).__name__, "native": model.predict(X).tolist()}
    print(json.dumps(out))
"""


def mlflow_says(*arguments, folder):
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/mlflow.db"},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def test_mlflow_loads_what_we_saved(tmp_path):
    expected = {}
    for name, (data, make, arguments) in MODELS.items():
        model = make()
        autolog.lightgbm.save_model(model, tmp_path / name, input_example=data.head(3), **arguments)
        data.to_parquet(tmp_path / f"{name}.parquet")
        expected[name] = (type(model).__name__, model.predict(data).tolist())
    found = mlflow_says("load", tmp_path, *MODELS, folder=tmp_path)
    for name, (kind, predicted) in expected.items():
        assert found[name]["class"] == kind
        assert found[name]["native"] == predicted, name
        assert found[name]["pyfunc"] == predicted, name
        theirs = autolog.models.ModelSignature.from_dict(found[name]["signature"])
        assert theirs == autolog.models.get_model_info(tmp_path / name).signature


def test_we_load_what_mlflow_saved(tmp_path):
    expected = mlflow_says("save", tmp_path, folder=tmp_path)
    assert len(expected) == 4
    for name, told in expected.items():
        trust = None
        if "pickle" in name:
            with pytest.raises(PermissionDenied, match=f"it is a {name} file"):
                autolog.lightgbm.load_model(tmp_path / name)
            trust = True
        found = autolog.lightgbm.load_model(tmp_path / name, trust=trust)
        assert type(found).__name__ == told["class"]
        assert found.predict(X).tolist() == told["native"], name
        loaded = autolog.pyfunc.load_model(tmp_path / name, trust=trust)
        assert loaded.predict(X).tolist() == told["native"], name
        assert loaded.metadata.metadata == {"team": "risk"}
        assert loaded.metadata.mlflow_version
