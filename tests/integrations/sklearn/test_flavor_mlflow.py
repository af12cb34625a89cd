"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import autolog.models
import autolog.pyfunc
import autolog.sklearn

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
MODELS = {
    "linear": lambda: LogisticRegression(solver="liblinear"),
    "scaled": lambda: make_pipeline(StandardScaler(), LogisticRegression()),
    "forest": lambda: RandomForestClassifier(5, random_state=0),
    "lambda": lambda: make_pipeline(
        FunctionTransformer(lambda v: v / 2), LogisticRegression(solver="liblinear")
    ),
}

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy
from sklearn.datasets import load_breast_cancer
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
what, *paths = sys.argv[1:]
if what == "load":
    out = {}
    for path in paths:
        loaded = mlflow.pyfunc.load_model(path)
        info = mlflow.models.get_model_info(path)
        out[path] = {
            "pyfunc": loaded.predict(X).tolist(),
            "sklearn": mlflow.sklearn.load_model(path).predict(X).tolist(),
            "signature": None if info.signature is None else info.signature.to_dict(),
            "example": loaded.input_example.to_dict("list"),
            "metadata": info.metadata,
            "env": mlflow.pyfunc.get_model_dependencies(path, format="pip") and True,
        }
    print(json.dumps(out))
else:
    from sklearn.linear_model import LogisticRegression
    model = LogisticRegression(solver="liblinear").fit(X, y)
    for form in ("skops", "cloudpickle", "pickle"):
        mlflow.sklearn.save_model(
            model, paths[0] + "/" + form, serialization_format=form, input_example=X.head(3),
            metadata={"team": "risk"}, pip_requirements=["scikit-learn"],
            pyfunc_predict_fn="predict_proba",
        )
    found = {"proba": model.predict_proba(X).tolist(), "predict": model.predict(X).tolist()}
    print(json.dumps(found))
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
    for name, make in MODELS.items():
        model = make().fit(X, y)
        path = str(tmp_path / name)
        autolog.sklearn.save_model(model, path, input_example=X.head(3), metadata={"team": "risk"})
        expected[path] = model.predict(X).tolist()
    found = mlflow_says("load", *expected, folder=tmp_path)
    for path, predicted in expected.items():
        ours = autolog.models.get_model_info(path)
        assert found[path]["pyfunc"] == predicted, path
        assert found[path]["sklearn"] == predicted, path
        theirs = autolog.models.ModelSignature.from_dict(found[path]["signature"])
        assert theirs == ours.signature
        assert found[path]["example"] == X.head(3).to_dict("list")
        assert found[path]["metadata"] == {"team": "risk"}


def test_we_load_what_mlflow_saved(tmp_path):
    expected = mlflow_says("save", tmp_path, folder=tmp_path)
    for form in ("skops", "cloudpickle", "pickle"):
        path = tmp_path / form
        trust = None if form == "skops" else True
        loaded = autolog.sklearn.load_model(path, trust=trust)
        assert loaded.predict(X).tolist() == expected["predict"]
        model = autolog.pyfunc.load_model(path, trust=trust)
        np.testing.assert_array_equal(model.predict(X), expected["proba"])
        assert model.input_example.to_dict("list") == X.head(3).to_dict("list")
        assert model.metadata.metadata == {"team": "risk"}
        assert model.metadata.mlflow_version
        again = autolog.models.Model.from_dict(model.metadata.to_dict())
        assert again == model.metadata
