"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import catboost as cb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

import autolog.catboost
import autolog.models
import autolog.pyfunc

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
IRIS, KINDS = load_iris(return_X_y=True, as_frame=True)
SICK, GRADE = load_diabetes(return_X_y=True, as_frame=True)
MIXED = IRIS.assign(colour=np.array(["red", "green", "blue"])[np.arange(150) % 3])
SPECIES = np.array(["setosa", "versicolor", "virginica"])[KINDS]
SMALL = {
    "iterations": 3, "depth": 3, "thread_count": 1, "verbose": 0, "allow_writing_files": False,
}  # fmt: skip


def classifier():
    return cb.CatBoostClassifier(**SMALL, cat_features=["colour"]).fit(MIXED, SPECIES)


def ranker():
    model = cb.CatBoostRanker(**SMALL, bootstrap_type="No")
    return model.fit(SICK, GRADE // 100, group_id=np.repeat(np.arange(34), 13))


MODELS = {
    "any": (X, lambda: cb.CatBoost({**SMALL, "loss_function": "Logloss"}).fit(X, y), {}),
    "classifier": (MIXED, classifier, {}),
    "regressor": (SICK, lambda: cb.CatBoostRegressor(**SMALL).fit(SICK, GRADE), {}),
    "ranker": (SICK, ranker, {}),
    "json": (MIXED, classifier, {"format": "json"}),
}

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, pandas as pd, catboost as cb
from sklearn.datasets import load_breast_cancer
what, folder, *names = sys.argv[1:]
if what == "load":
    out = {}
    for name in names:
        path = f"{folder}/{name}"
        X = pd.read_parquet(path + ".parquet")
        model, loaded = mlflow.catboost.load_model(path), mlflow.pyfunc.load_model(path)
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
    small = {"iterations": 3, "depth": 3, "verbose": 0, "allow_writing_files": False}
    models = {
        "any": (cb.CatBoost({**small, "loss_function": "Logloss"}).fit(X, y), {}),
        "classifier": (cb.CatBoostClassifier(**small).fit(X, y), {}),
        "json": (cb.CatBoostClassifier(**small).fit(X, y), {"format": "json"}),
        "regressor": (cb.CatBoostRegressor(**small).fit(X, y), {}),
    }
    out = {}
    for name, (model, more) in models.items():
        mlflow.catboost.save_model(
            model, f"{folder}/{name}", input_example=X.head(3), pip_requirements=["catboost"],
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


def test_mlflow_loads_what_we_saved(tmp_path):
    expected = {}
    for name, (data, make, arguments) in MODELS.items():
        model = make()
        autolog.catboost.save_model(model, tmp_path / name, input_example=data.head(3), **arguments)
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
        found = autolog.catboost.load_model(tmp_path / name)
        assert type(found).__name__ == told["class"]
        assert found.predict(X).tolist() == told["native"], name
        loaded = autolog.pyfunc.load_model(tmp_path / name)
        assert loaded.predict(X).tolist() == told["native"], name
        assert loaded.metadata.metadata == {"team": "risk"}
        assert loaded.metadata.mlflow_version
