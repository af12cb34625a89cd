"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import xgboost as xgb
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import autolog.models
import autolog.pyfunc
import autolog.xgboost

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
SMALL = {"n_estimators": 3, "max_depth": 3, "n_jobs": 1}
MODELS = {
    "native": (X, lambda: xgb.train({"nthread": 1}, xgb.DMatrix(X, y), 3), {}),
    "json": (X, lambda: xgb.train({"nthread": 1}, xgb.DMatrix(X, y), 3), {"model_format": "json"}),
    "named xgb": (
        X, lambda: xgb.train({"nthread": 1}, xgb.DMatrix(X, y), 3), {"model_format": "xgb"}
    ),
    "classifier": (X, lambda: xgb.XGBClassifier(**SMALL).fit(X, y), {}),
    "classes": (IRIS, lambda: xgb.XGBClassifier(**SMALL).fit(IRIS, KINDS), {}),
    "regressor": (SICK, lambda: xgb.XGBRegressor(**SMALL).fit(SICK, GRADE), {}),
    "forest": (X, lambda: xgb.XGBRFClassifier(**SMALL).fit(X, y), {}),
    "ranker": (
        SICK,
        lambda: xgb.XGBRanker(**SMALL).fit(SICK, GRADE // 100, qid=np.repeat(range(34), 13)),
        {},
    ),
}  # fmt: skip

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, xgboost as xgb, pandas as pd
from sklearn.datasets import load_breast_cancer
what, folder, *names = sys.argv[1:]

def predict(model, X):
    found = model.predict(xgb.DMatrix(X) if isinstance(model, xgb.Booster) else X)
    return found.tolist()

if what == "load":
    out = {}
    for name in names:
        path = f"{folder}/{name}"
        X = pd.read_parquet(path + ".parquet")
        model, loaded = mlflow.xgboost.load_model(path), mlflow.pyfunc.load_model(path)
        out[name] = {
            "class": type(model).__name__,
            "native": predict(model, X),
            "pyfunc": loaded.predict(X).tolist(),
            "signature": loaded.metadata.signature.to_dict(),
            "env": bool(mlflow.pyfunc.get_model_dependencies(path, format="pip")),
        }
    print(json.dumps(out))
else:
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    small = {"n_estimators": 3, "max_depth": 3, "n_jobs": 1}
    native = xgb.train({"nthread": 1}, xgb.DMatrix(X, y), 3)
    models = {
        "native": (native, {}), "json": (native, {"model_format": "json"}),
        "named xgb": (native, {"model_format": "xgb"}),
        "classifier": (xgb.XGBClassifier(**small).fit(X, y), {}),
        "forest": (xgb.XGBRFRegressor(**small).fit(X, y), {}),
    }
    out = {}
    for name, (model, more) in models.items():
        mlflow.xgboost.save_model(
            model, f"{folder}/{name}", input_example=X.head(3), pip_requirements=["xgboost"],
            metadata={"team": "risk"}, **more,
        )
        out[name] = {"class": type(model).__name__, "native": predict(model, X)}
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


def predict(model, data):
    return model.predict(xgb.DMatrix(data) if isinstance(model, xgb.Booster) else data)


def test_mlflow_loads_what_we_saved(tmp_path):
    expected = {}
    for name, (data, make, arguments) in MODELS.items():
        model = make()
        autolog.xgboost.save_model(model, tmp_path / name, input_example=data.head(3), **arguments)
        data.to_parquet(tmp_path / f"{name}.parquet")
        expected[name] = (type(model).__name__, predict(model, data).tolist())
    found = mlflow_says("load", tmp_path, *MODELS, folder=tmp_path)
    for name, (kind, predicted) in expected.items():
        assert found[name]["class"] == kind
        assert found[name]["native"] == predicted, name
        assert found[name]["pyfunc"] == predicted, name
        theirs = autolog.models.ModelSignature.from_dict(found[name]["signature"])
        assert theirs == autolog.models.get_model_info(tmp_path / name).signature


def test_we_load_what_mlflow_saved(tmp_path):
    expected = mlflow_says("save", tmp_path, folder=tmp_path)
    assert len(expected) == 5
    for name, told in expected.items():
        found = autolog.xgboost.load_model(tmp_path / name)
        assert type(found).__name__ == told["class"]
        assert predict(found, X).tolist() == told["native"], name
        loaded = autolog.pyfunc.load_model(tmp_path / name)
        assert loaded.predict(X).tolist() == told["native"], name
        assert loaded.metadata.metadata == {"team": "risk"}
        assert loaded.metadata.mlflow_version
