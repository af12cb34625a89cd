"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.integrations.keras import zoo  # noqa: E402

import autolog.keras  # noqa: E402
import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
    ),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, os, sys, warnings
warnings.simplefilter("ignore")
import keras, mlflow, mlflow.keras, numpy
from mlflow.models import infer_signature
data = numpy.load("data.npz")
X = data["X"]

def plain(found):
    return [numpy.asarray(each).tolist() for each in found] if isinstance(found, list) else (
        numpy.asarray(found).tolist())

what, *paths = sys.argv[1:]
out = {}
if what == "load":
    for path in paths:
        name = path.rpartition("/")[2]
        given = X.reshape(-1, 8, 8, 1) if name == "images" else X
        given = [X[:, :32], X[:, 32:]] if name == "two_inputs" else given
        loaded = mlflow.keras.load_model(path)
        info = mlflow.models.get_model_info(path)
        served = mlflow.pyfunc.load_model(path)
        out[path] = {
            "keras": plain(loaded.predict(given, verbose=0)),
            # MLflow makes one array of what the model gives, so it must be one.
            "pyfunc": None if name == "two_inputs" else plain(served.predict(given)),
            "iterations": int(loaded.optimizer.iterations),
            "signature": None if info.signature is None else info.signature.to_dict(),
            "metadata": info.metadata,
        }
else:
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10)])
    model.compile("adam", "mse")
    model.fit(X, numpy.zeros((len(X), 10)), verbose=0)
    signature = infer_signature(X, model.predict(X, verbose=0))
    os.mkdir("signed")  # MLflow does not make it where there is an example.
    mlflow.keras.save_model(
        model, "signed", signature=signature, metadata={"team": "vision"}, input_example=X[:2],
        pip_requirements=["keras"],
    )
    mlflow.keras.save_model(model, "unsigned", pip_requirements=["keras"])
    mlflow.keras.save_model(
        model, "exported", signature=signature, save_exported_model=True,
        pip_requirements=["keras"],
    )
    out = {"predict": plain(model.predict(X, verbose=0)), "steps": int(model.optimizer.iterations)}
print(json.dumps(out))
"""


def mlflow_says(*arguments, folder):
    np.savez(folder / "data.npz", X=zoo.X)
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


def close(found, expected):
    pairs = zip(found, expected, strict=True) if isinstance(expected, list) else [(found, expected)]
    for left, right in pairs:
        np.testing.assert_allclose(left, right, rtol=1e-5, atol=1e-6)


def test_mlflow_loads_what_we_saved(tmp_path):
    models = {name: zoo.ALL[name]() for name in ("dense", "images", "half")}
    for name, model in models.items():
        example = zoo.inputs(name)[:2]
        autolog.keras.save_model(
            model, tmp_path / name, input_example=example, metadata={"team": "vision"}
        )
    models["plain"] = models["dense"]
    autolog.keras.save_model(models["plain"], tmp_path / "plain", metadata={"team": "vision"})
    paths = {str(tmp_path / name): model for name, model in models.items()}
    found = mlflow_says("load", *paths, folder=tmp_path)
    for path, model in paths.items():
        name = os.path.basename(path)
        expected = model.predict(zoo.inputs(name), verbose=0)
        close(found[path]["keras"], expected.tolist())
        close(found[path]["pyfunc"], expected.tolist())
        assert found[path]["iterations"] == int(model.optimizer.iterations)
        assert found[path]["metadata"] == {"team": "vision"}
        theirs = autolog.models.ModelSignature.from_dict(found[path]["signature"])
        assert theirs == autolog.models.get_model_info(path).signature


def test_mlflow_loads_several_inputs(tmp_path, monkeypatch):
    # The function that the model calls must be known to MLflow's process, or be none of ours.
    monkeypatch.setattr(zoo, "squash", "tanh")
    model = zoo.two_inputs()
    wide, deep = zoo.inputs("two_inputs")
    example = {"wide": wide[:2], "deep": deep[:2]}
    path = tmp_path / "two_inputs"
    autolog.keras.save_model(model, path, input_example=example)
    found = mlflow_says("load", path, folder=tmp_path)[str(path)]
    close(found["keras"], model.predict([wide, deep], verbose=0))
    names = [each["name"] for each in json.loads(found["signature"]["inputs"])]
    assert names == ["wide", "deep"]


def test_we_load_what_mlflow_saved(tmp_path):
    expected = mlflow_says("save", folder=tmp_path)
    for name in ("signed", "unsigned"):
        loaded = autolog.keras.load_model(tmp_path / name)
        close(loaded.predict(zoo.X, verbose=0), expected["predict"])
        assert int(loaded.optimizer.iterations) == expected["steps"]
        served = autolog.pyfunc.load_model(tmp_path / name)
        close(served.predict(zoo.X), expected["predict"])
        assert served.metadata.mlflow_version
        again = autolog.models.Model.from_dict(served.metadata.to_dict())
        assert again == served.metadata
    served = autolog.pyfunc.load_model(tmp_path / "signed")
    assert repr(served.metadata.signature.inputs) == "[Tensor('float32', (-1, 64))]"
    np.testing.assert_array_equal(served.input_example, zoo.X[:2])
    if keras.config.backend() == "tensorflow":
        served = autolog.pyfunc.load_model(tmp_path / "exported", trust=True)
        close(served.predict(zoo.X), expected["predict"])
