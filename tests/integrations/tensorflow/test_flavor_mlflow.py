"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from tests.integrations.keras import zoo  # noqa: E402

import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402
import autolog.tensorflow  # noqa: E402
from autolog_core.errors import PermissionDenied  # noqa: E402

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
    ),
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import keras, mlflow, mlflow.tensorflow, numpy
import tensorflow as tf
X = numpy.load("data.npz")["X"]

class Line(tf.Module):
    def __init__(self):
        self.slope = tf.Variable(3.0)
    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32)])
    def __call__(self, x):
        return self.slope * x

@keras.saving.register_keras_serializable("theirs")
class Shift(keras.layers.Layer):
    def call(self, x):
        return x + 1

what, *paths = sys.argv[1:]
out = {}
if what == "load":
    for path in paths:
        loaded = mlflow.tensorflow.load_model(path)
        own = loaded.predict(X, verbose=0) if hasattr(loaded, "predict") else loaded(X).numpy()
        info = mlflow.models.get_model_info(path)
        out[path] = {
            "tensorflow": own.tolist(),
            "pyfunc": mlflow.pyfunc.load_model(path).predict(X).tolist(),
            "signature": None if info.signature is None else info.signature.to_dict(),
        }
else:
    model = keras.Sequential([keras.Input((64,)), Shift(), keras.layers.Dense(10)])
    model.compile("adam", keras.losses.MeanSquaredError())
    model.fit(X, numpy.zeros((len(X), 10)), verbose=0)
    told = {"input_example": X[:2], "pip_requirements": ["tensorflow"]}
    mlflow.tensorflow.save_model(model, "keras", **told)
    mlflow.tensorflow.save_model(
        model, "h5", keras_model_kwargs={"save_format": "h5"}, custom_objects={"Shift": Shift},
        **told,
    )
    mlflow.tensorflow.save_model(Line(), "module", **told)
    out = {"predict": model.predict(X, verbose=0).tolist()}
print(json.dumps(out))
"""


class Line(tf.Module):
    def __init__(self):
        super().__init__()
        self.slope = tf.Variable(3.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 64), tf.float32)])
    def __call__(self, x):
        return self.slope * x


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
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_mlflow_loads_what_we_saved(tmp_path):
    dense, line = zoo.dense(), Line()

    @keras.saving.register_keras_serializable("ours")
    class Double(keras.layers.Layer):
        def call(self, x):
            return x * 2

    try:
        own = keras.Sequential([keras.Input((64,)), Double(), keras.layers.Dense(3)])
        models = {"dense": dense, "line": line, "own": own, "h5": dense, "unsigned": dense}
        for name, model in models.items():
            autolog.tensorflow.save_model(
                model,
                tmp_path / name,
                input_example=None if name == "unsigned" else zoo.X[:2],
                keras_model_kwargs={"save_format": "h5"} if name == "h5" else None,
            )
    finally:
        keras.saving.get_custom_objects().pop("ours>Double")
    # MLflow's process does not know the class: it comes with the model.
    found = mlflow_says("load", *[tmp_path / name for name in models], folder=tmp_path)
    for name, model in models.items():
        answer = found[str(tmp_path / name)]
        expected = model(zoo.X).numpy() if name == "line" else model.predict(zoo.X, verbose=0)
        close(answer["tensorflow"], expected)
        close(answer["pyfunc"], expected)
        theirs = autolog.models.ModelSignature.from_dict(answer["signature"])
        assert theirs == autolog.models.get_model_info(tmp_path / name).signature


def test_we_load_what_mlflow_saved(tmp_path):
    expected = mlflow_says("save", folder=tmp_path)["predict"]
    for name in ("keras", "h5"):
        with pytest.raises(PermissionDenied, match="cloudpickle" if name == "keras" else "HDF5"):
            autolog.tensorflow.load_model(tmp_path / name)
        loaded = autolog.tensorflow.load_model(tmp_path / name, trust=True)
        close(loaded.predict(zoo.X, verbose=0), expected)
        served = autolog.pyfunc.load_model(tmp_path / name, trust=True)
        close(served.predict(zoo.X), expected)
        assert served.metadata.mlflow_version
    loaded = autolog.tensorflow.load_model(tmp_path / "module", trust=True)
    close(loaded(zoo.X).numpy(), zoo.X * 3)
    close(autolog.pyfunc.load_model(tmp_path / "module", trust=True).predict(zoo.X), zoo.X * 3)
