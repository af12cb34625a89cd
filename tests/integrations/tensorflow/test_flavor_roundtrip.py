"""Models of Keras and modules of TensorFlow are saved, loaded, and predict the same."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from tests.integrations.keras import zoo  # noqa: E402

import autolog  # noqa: E402
import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402
import autolog.tensorflow  # noqa: E402
from autolog.tensorflow import load_model, save_model  # noqa: E402
from autolog_core.errors import (  # noqa: E402
    InvalidArgument,
    NotFound,
    NotSupported,
    PermissionDenied,
)
from autolog_core.session import default_session  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer"),
]


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


class Line(tf.Module):
    """What is traced is told by the calls before it is saved."""

    def __init__(self, slope=2.0):
        super().__init__()
        self.slope = tf.Variable(slope)
        self.traces = 0

    @tf.function
    def __call__(self, x):
        self.traces += 1
        return {"line": self.slope * x, "square": x * x}


class Fixed(tf.Module):
    """Has no call of its own, but a function that is served."""

    def __init__(self):
        super().__init__()
        self.bias = tf.Variable(1.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32, name="x")])
    def shift(self, x):
        return {"shifted": x + self.bias}

    @tf.function(
        input_signature=[
            tf.TensorSpec((None,), tf.float32, name="left"),
            tf.TensorSpec((None,), tf.float32, name="right"),
        ]
    )
    def add(self, left, right):
        return {"sum": left + right}


class Table(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float64)])
    def __call__(self, x):
        return x * 2


DATA = np.array([[1, 2], [3, 4]], "float32")


@pytest.mark.parametrize("name", ["dense", "two_inputs", "tower"])
def test_a_model_of_keras(name, tmp_path, elsewhere):
    model = zoo.ALL[name]()
    data = zoo.inputs(name)
    save_model(model, tmp_path / "m", input_example=data if name == "two_inputs" else data[:2])
    conf = autolog.models.get_model_info(tmp_path / "m").flavors["tensorflow"]
    assert conf == {
        "data": "data",
        "keras_version": tf.__version__,
        "model_type": "keras",
        "save_format": "tf",
    }
    expected = model.predict(data, verbose=0)
    elsewhere()
    # The classes are known here, so nothing has to be unpickled.
    loaded = load_model(tmp_path / "m").predict(data, verbose=0)
    if name == "two_inputs":
        data = dict(zip(("wide", "deep"), data, strict=True))
    served = autolog.pyfunc.load_model(tmp_path / "m").predict(data)
    for found in (loaded, served):
        pairs = zip(found, expected, strict=True) if name == "two_inputs" else [(found, expected)]
        for left, right in pairs:
            np.testing.assert_array_equal(left, right)


def test_a_module_that_is_called(tmp_path, elsewhere):
    model = Line()
    save_model(model, tmp_path / "m", input_example=DATA[:1])
    called = Line()
    called(tf.constant(DATA[:1]))
    tf.saved_model.save(called, str(tmp_path / "theirs"))
    assert model.traces == called.traces
    assert model.slope.numpy() == 2
    info = autolog.models.get_model_info(tmp_path / "m")
    assert info.flavors["tensorflow"] == {
        "model_type": "tf2-module",
        "saved_model_dir": "tf2model",
    }
    assert repr(info.signature.inputs) == "[Tensor('float32', (-1, 2))]"
    assert info.signature.outputs.input_names() == ["line", "square"]
    model.slope.assign(100.0)
    loaded = load_model(tmp_path / "m")
    # Only the shape of the example was traced.
    assert loaded(tf.constant(DATA[:1]))["line"].numpy().tolist() == [[2, 4]]
    served = autolog.pyfunc.load_model(tmp_path / "m")
    found = served.predict(DATA[1:])
    assert found["square"].tolist() == [[9, 16]]
    assert served.get_raw_model().slope.numpy() == 2
    elsewhere()
    for load in (load_model, autolog.pyfunc.load_model):
        with pytest.raises(PermissionDenied, match="it is a SavedModel, a program of TensorFlow"):
            load(tmp_path / "m")
        load(tmp_path / "m", trust=True)


def test_a_module_that_is_served(tmp_path):
    model = Fixed()
    save_model(
        model, tmp_path / "shift", saved_model_kwargs={"signatures": model.shift}, signature=False
    )
    served = autolog.pyfunc.load_model(tmp_path / "shift")
    for data in (DATA, DATA.tolist(), {"x": DATA}):
        assert served.predict(data)["shifted"].tolist() == (DATA + 1).tolist()
    save_model(model, tmp_path / "add", saved_model_kwargs={"signatures": model.add})
    served = autolog.pyfunc.load_model(tmp_path / "add")
    both = {"left": DATA[0], "right": DATA[1]}
    assert served.predict(both)["sum"].tolist() == [4, 6]
    with pytest.raises(InvalidArgument, match="takes left, right: give a mapping"):
        served.predict(DATA)
    again = load_model(tmp_path / "add")
    save_model(again, tmp_path / "again", saved_model_kwargs={"signatures": again.signatures})
    assert autolog.pyfunc.load_model(tmp_path / "again").predict(both)["sum"].tolist() == [4, 6]


def test_tables_give_tables(tmp_path):
    save_model(Table(), tmp_path / "m")
    served = autolog.pyfunc.load_model(tmp_path / "m")
    frame = pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 4.0]}, index=[7, 8])
    found = served.predict(frame)
    assert isinstance(found, pd.DataFrame)
    assert found.index.tolist() == [7, 8]
    assert found.to_numpy().tolist() == [[2, 4], [6, 8]]


def test_the_old_format_of_keras_asks_for_trust(tmp_path, elsewhere):
    model = zoo.tower()
    expected = model.predict(zoo.X, verbose=0)
    dense = zoo.dense()
    save_model(dense, tmp_path / "h5", keras_model_kwargs={"save_format": "h5"})
    assert (tmp_path / "h5" / "data" / "model.h5").is_file()
    found = load_model(tmp_path / "h5").predict(zoo.X, verbose=0)
    np.testing.assert_array_equal(found, dense.predict(zoo.X, verbose=0))
    save_model(model, tmp_path / "keras", keras_model_kwargs={"save_format": "keras"})
    np.testing.assert_array_equal(
        load_model(tmp_path / "keras").predict(zoo.X, verbose=0), expected
    )
    elsewhere()
    with pytest.raises(PermissionDenied, match="HDF5 file, for which Keras has no safe mode"):
        load_model(tmp_path / "h5")
    load_model(tmp_path / "keras", trust=False)


def test_files_travel_with_the_model(tmp_path):
    (tmp_path / "labels.txt").write_text("a\nb\n")
    save_model(zoo.dense(), tmp_path / "m", extra_files=[tmp_path / "labels.txt"])
    conf = autolog.models.get_model_info(tmp_path / "m").flavors["tensorflow"]
    assert conf["extra_files"] == [{"path": "extra_files/labels.txt"}]
    assert (tmp_path / "m" / "extra_files" / "labels.txt").read_text() == "a\nb\n"
    load_model(tmp_path / "m")


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"keras_model_kwargs": {"save_format": "onnx"}}, InvalidArgument, "save_format must be"),
        ({"keras_model_kwargs": "h5"}, InvalidArgument, "must be a mapping"),
        ({"custom_objects": [1]}, InvalidArgument, "custom_objects must be a mapping"),
        ({"extra_files": "a.txt"}, InvalidArgument, "extra_files must be a list"),
        ({"extra_files": ["missing.txt"]}, NotFound, r"extra_files names .*missing\.txt"),
        ({"extra_files": [__file__, __file__]}, InvalidArgument, "must have different names"),
        ({"signature": 3}, InvalidArgument, "signature must be a ModelSignature"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, error, said, tmp_path):
    with pytest.raises(error, match=said):
        save_model(zoo.dense("sgd"), tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


def test_what_is_no_model(tmp_path):
    with pytest.raises(
        InvalidArgument, match=r"a keras\.Model or a tf\.Module, got builtins\.dict"
    ):
        save_model({}, tmp_path / "m")
    with pytest.raises(InvalidArgument, match=r"a tf\.Module has none"):
        save_model(Line(), tmp_path / "m", custom_objects={"Line": Line})
    with pytest.raises(InvalidArgument, match="saved_model_kwargs must be a mapping"):
        save_model(Line(), tmp_path / "m", saved_model_kwargs=3)
    with pytest.raises(InvalidArgument, match=r"Line cannot be saved: .*unheard"):
        save_model(Line(), tmp_path / "m", saved_model_kwargs={"unheard": 3})
    assert list(tmp_path.glob("*")) == []
    for flavor, said in (
        ("{xgboost: {}}", "no model of TensorFlow; its flavors are xgboost"),
        ("{tensorflow: {model_type: tf1-estimator}}", "kind 'tf1-estimator', which is not"),
    ):
        (tmp_path / "MLmodel").write_text(f"flavors: {flavor}")
        with pytest.raises(NotSupported, match=said):
            load_model(tmp_path)
    save_model(Line(), tmp_path / "m")
    (tmp_path / "m" / "tf2model" / "saved_model.pb").write_bytes(b"damaged")
    with pytest.raises(InvalidArgument, match="tf2model cannot be loaded"):
        load_model(tmp_path / "m", trust=True)


def test_models_are_logged_at_that_moment_and_loaded_in_a_fresh_process(tracking):
    line, dense = Line(), zoo.dense()
    expected = dense.predict(zoo.X, verbose=0)
    with autolog.start_run():
        first = autolog.tensorflow.log_model(line, name="line", input_example=DATA)
        line.slope.assign(0.0)
        second = autolog.tensorflow.log_model(dense, name="digits", step=1)
        dense.fit(zoo.X, zoo.y, verbose=0)
    assert np.array_equal(load_model(second.model_uri).predict(zoo.X, verbose=0), expected)
    assert autolog.get_logged_model(first.model_id).status == "READY"
    default_session().drain()
    np.savez(tracking.parent / "data.npz", X=zoo.X, line=DATA)
    code = (
        "import json, sys, numpy, autolog\n"
        "data = numpy.load('data.npz')\n"
        "line = autolog.pyfunc.load_model(sys.argv[1]).predict(data['line'])\n"
        "digits = autolog.pyfunc.load_model(sys.argv[2]).predict(data['X'])\n"
        "print(json.dumps([line['line'].tolist(), digits.tolist()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, first.model_uri, second.model_uri],
        env={**os.environ, "AUTOLOG_TRACKING_URI": default_session().address},
        capture_output=True,
        text=True,
        check=False,
        cwd=tracking.parent,
    )
    assert done.returncode == 0, done.stderr
    lines, digits = json.loads(done.stdout.splitlines()[-1])
    assert lines == (DATA * 2).tolist()
    np.testing.assert_allclose(digits, expected, atol=1e-6)
