"""Models of Keras are saved, loaded, and predict the same, in this process and in a fresh one."""

import json
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

keras = pytest.importorskip("keras")

from tests.integrations.keras import zoo  # noqa: E402

import autolog  # noqa: E402
import autolog.keras  # noqa: E402
import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402
from autolog.keras import load_model, save_model  # noqa: E402
from autolog_core.errors import (  # noqa: E402
    AlreadyExists,
    InvalidArgument,
    NotFound,
    NotSupported,
)

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    # Of a model that was compiled and not trained, when it is loaded.
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer"),
]


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    """Each test is a user of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for name in ("AUTOLOG_TRUST_MODELS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def predict(model, name):
    data = zoo.inputs(name)
    if name == "words":
        data = keras.ops.convert_to_tensor(data)
    return model.predict(data, verbose=0)


def same(one, other):
    if isinstance(one, (list, tuple)):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            np.testing.assert_array_equal(left, right)
    else:
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", [n for n in zoo.ALL if n not in ("never_called", "noisy")])
def test_a_model_loads_and_predicts_the_same(name, tmp_path):
    model = zoo.ALL[name]()
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    same(predict(loaded, name), predict(model, name))
    kept = [variable.numpy() for variable in model.weights]
    same([variable.numpy() for variable in loaded.weights], kept)
    if model.compiled:
        assert type(loaded.optimizer) is type(model.optimizer)
    if model.compiled and model.optimizer.built:
        state = [variable.numpy() for variable in model.optimizer.variables]
        same([variable.numpy() for variable in loaded.optimizer.variables], state)
    served = autolog.pyfunc.load_model(tmp_path / "m")
    same(served.predict(zoo.inputs(name)), predict(model, name))
    assert type(served.get_raw_model()) is type(model)
    assert not served.get_raw_model().compiled


def test_training_goes_on_from_where_it_was(tmp_path):
    model = zoo.dense()
    save_model(model, tmp_path / "m")
    loaded = load_model(tmp_path / "m")
    for each in (model, loaded):
        each.fit(zoo.X, zoo.y, epochs=2, shuffle=False, verbose=0)
    same(predict(loaded, "dense"), predict(model, "dense"))


def test_predicting_from_the_example_changes_nothing(tmp_path):
    model = zoo.noisy()
    model.fit(zoo.X, np.eye(10)[zoo.y], verbose=0, epochs=2)
    before = [variable.numpy().tolist() for variable in model.variables]
    history, function = model.history, model.predict_function
    save_model(model, tmp_path / "m", input_example=zoo.X[:3])
    assert [variable.numpy().tolist() for variable in model.variables] == before
    assert model.history is history
    assert len(history.epoch) == 2
    assert model.predict_function is function


class Doubled(keras.Sequential):
    """Predicts otherwise than it calls."""

    def predict_step(self, *data):
        return super().predict_step(*data) * 2


def test_a_model_that_predicts_in_its_own_way_is_asked_for_its_signature(tmp_path):
    model = Doubled([keras.Input((64,)), keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    model.fit(zoo.X, np.zeros((64, 2)), verbose=0)
    history = model.history
    save_model(model, tmp_path / "m", input_example=zoo.X[:3])
    assert model.history is history
    served = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_allclose(served.predict(zoo.X), 2 * np.asarray(model(zoo.X)), rtol=1e-5)


def test_the_signature_comes_from_the_example(tmp_path):
    model = zoo.dense()
    save_model(model, tmp_path / "m", input_example=zoo.X[:3], metadata={"team": "vision"})
    info = autolog.models.get_model_info(tmp_path / "m")
    assert repr(info.signature.inputs) == "[Tensor('float32', (-1, 64))]"
    assert repr(info.signature.outputs) == "[Tensor('float32', (-1, 10))]"
    assert info.metadata == {"team": "vision"}
    served = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_array_equal(served.input_example, zoo.X[:3])
    same(served.predict(zoo.X[:2].tolist()), predict(model, "dense")[:2])
    with pytest.raises(InvalidArgument, match=r"expected shape \(-1, 64\), got \(64, 63\)"):
        served.predict(zoo.X[:, 1:])


def test_several_inputs_and_outputs_have_names(tmp_path):
    model = zoo.two_inputs()
    wide, deep = zoo.inputs("two_inputs")
    digit, odd = predict(model, "two_inputs")
    for number, example in enumerate(({"wide": wide[:3], "deep": deep[:3]}, [wide[:3], deep[:3]])):
        path = tmp_path / str(number)
        save_model(model, path, input_example=example)
        info = autolog.models.get_model_info(path)
        assert info.signature.inputs.input_names() == ["wide", "deep"]
        assert info.signature.outputs.input_names() == ["digit", "odd"]
        served = autolog.pyfunc.load_model(path)
        same(served.predict({"deep": deep, "wide": wide}), [digit, odd])
        with pytest.raises(InvalidArgument, match="input 'deep' is missing"):
            served.predict({"wide": wide})


def test_without_an_example_the_signature_says_what_the_model_gives(tmp_path):
    cases = {"dense": [(None, (-1, 10))], "two_inputs": [("digit", (-1, 10)), ("odd", (-1, 1))]}
    for name, expected in cases.items():
        model = zoo.ALL[name]()
        save_model(model, tmp_path / name)
        signature = autolog.models.get_model_info(tmp_path / name).signature
        assert signature.inputs is None
        assert [(each.name, each.shape) for each in signature.outputs] == expected
    served = autolog.pyfunc.load_model(tmp_path / "dense")
    # Keras converts numbers of any width, as it does in training.
    doubles = zoo.digits.data[:5]
    expected = served.predict(doubles.astype("float32"))
    for data in (doubles, doubles.astype("int64"), doubles.astype("uint8")):
        np.testing.assert_array_equal(served.predict(data), expected)
    save_model(zoo.dense(), tmp_path / "none", signature=False, input_example=zoo.X[:2])
    assert autolog.models.get_model_info(tmp_path / "none").signature is None
    for name in ("tower", "brain"):
        save_model(zoo.ALL[name](), tmp_path / name)
    assert autolog.models.get_model_info(tmp_path / "tower").signature is None


def test_tables_give_tables(tmp_path):
    model = zoo.dense()
    frame = pd.DataFrame(zoo.X, index=range(100, 164))
    frame.columns = [f"p{each}" for each in frame.columns]
    save_model(model, tmp_path / "plain")
    save_model(model, tmp_path / "named", input_example=frame.head(3))
    for name in ("plain", "named"):
        served = autolog.pyfunc.load_model(tmp_path / name)
        found = served.predict(frame)
        assert isinstance(found, pd.DataFrame)
        assert found.index.tolist() == list(range(100, 164))
        np.testing.assert_array_equal(found.to_numpy(), predict(model, "dense"))
    shuffled = frame[frame.columns[::-1]]
    np.testing.assert_array_equal(served.predict(shuffled).to_numpy(), predict(model, "dense"))
    with pytest.raises(InvalidArgument, match=r"must be a table, an array.* got set"):
        autolog.pyfunc.load_model(tmp_path / "plain").predict({1})
    images = zoo.images()
    save_model(images, tmp_path / "images", input_example=zoo.inputs("images")[:2])
    served = autolog.pyfunc.load_model(tmp_path / "images")
    pictures = pd.DataFrame({"picture": list(zoo.inputs("images"))})
    same(served.predict(pictures), predict(images, "images"))


def test_text_is_taken_as_any_array(tmp_path):
    if keras.config.backend() != "tensorflow":
        pytest.skip("text needs TensorFlow")
    model = zoo.words()
    save_model(model, tmp_path / "m", input_example=zoo.inputs("words")[:2])
    served = autolog.pyfunc.load_model(tmp_path / "m")
    expected = predict(model, "words")
    same(served.predict(zoo.inputs("words")), expected)
    save_model(model, tmp_path / "unsigned", signature=False)
    served = autolog.pyfunc.load_model(tmp_path / "unsigned")
    same(served.predict(zoo.inputs("words").astype(str)), expected)
    same(served.predict(pd.DataFrame(zoo.inputs("words"))), expected)


def test_the_example_gives_a_model_its_weights(tmp_path, caplog):
    model = zoo.never_called()
    save_model(model, tmp_path / "empty")
    assert "it has no weights yet, because it has not been called on data" in caplog.text
    save_model(model, tmp_path / "built", input_example=zoo.X[:2])
    assert model.built
    loaded = load_model(tmp_path / "built")
    same(predict(loaded, "dense"), predict(model, "dense"))


def test_an_exported_model_predicts_without_its_classes(tmp_path):
    pytest.importorskip("tensorflow")
    if keras.config.backend() != "tensorflow":
        pytest.skip("Keras exports with TensorFlow")
    model = zoo.tower()
    save_model(model, tmp_path / "m", save_exported_model=True)
    assert autolog.models.get_model_info(tmp_path / "m").flavors["keras"]["save_exported_model"]
    loaded = load_model(tmp_path / "m")
    np.testing.assert_allclose(loaded.serve(zoo.X).numpy(), predict(model, "tower"), rtol=1e-4)
    served = autolog.pyfunc.load_model(tmp_path / "m")
    np.testing.assert_allclose(served.predict(zoo.X), predict(model, "tower"), rtol=1e-4)


def test_arguments_of_keras_are_passed_on(tmp_path):
    model = zoo.dense()
    save_model(model, tmp_path / "m", save_model_kwargs={"overwrite": True})
    loaded = load_model(tmp_path / "m", load_model_kwargs={"compile": False})
    assert not loaded.compiled
    same(predict(loaded, "dense"), predict(model, "dense"))
    with pytest.raises(InvalidArgument, match=r"cannot be saved: .*unheard"):
        save_model(model, tmp_path / "other", save_model_kwargs={"unheard": 1})
    with pytest.raises(InvalidArgument, match=r"cannot be loaded: .*unheard"):
        load_model(tmp_path / "m", load_model_kwargs={"unheard": 1})
    copied = load_model(tmp_path / "m", tmp_path / "copy")
    same(predict(copied, "dense"), predict(model, "dense"))
    assert (tmp_path / "copy" / "MLmodel").is_file()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"signature": "float"}, "signature must be a ModelSignature"),
        ({"metadata": 3}, "metadata must be a mapping"),
        ({"code_paths": "a.py"}, "code_paths must be a list"),
        ({"conda_env": {}, "pip_requirements": []}, "either conda_env"),
        ({"mlflow_model": {}}, "mlflow_model must be a Model"),
        ({"save_model_kwargs": "zipped"}, "arguments for model.save must be a mapping"),
        ({"custom_objects": ["Tower"]}, "custom_objects must be a mapping of names"),
        ({"custom_objects": {1: zoo.Tower}}, "custom_objects must be a mapping of names"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, said, tmp_path):
    with pytest.raises(InvalidArgument, match=said):
        save_model(zoo.dense("sgd"), tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


class Untold(keras.layers.Layer):
    """Cannot tell what it was made with."""

    def __init__(self, lock):
        super().__init__()
        self.lock = lock

    def call(self, x):
        return x


def test_what_is_no_model_and_what_keras_cannot_save(tmp_path):
    with pytest.raises(InvalidArgument, match=r"model must be a keras.Model, got builtins.dict"):
        save_model({}, tmp_path / "m")
    model = keras.Sequential([keras.Input((2,)), Untold(object())])
    with pytest.raises(InvalidArgument, match=r"Sequential cannot be saved: .*Untold"):
        save_model(model, tmp_path / "m")
    assert list(tmp_path.glob("*")) == []
    save_model(zoo.dense(), tmp_path / "m")
    with pytest.raises(AlreadyExists):
        save_model(zoo.dense(), tmp_path / "m")


def test_no_model_another_flavor_and_a_damaged_file(tmp_path):
    with pytest.raises(NotFound, match="no model directory"):
        load_model(tmp_path)
    (tmp_path / "MLmodel").write_text("flavors: {xgboost: {}}")
    with pytest.raises(NotSupported, match="no model of Keras; its flavors are xgboost"):
        load_model(tmp_path)
    save_model(zoo.dense(), tmp_path / "m")
    file = tmp_path / "m" / "data" / "model.keras"
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(InvalidArgument, match=r"model.keras is no .keras file"):
        load_model(tmp_path / "m")
    file.rename(file.with_name("model.tf"))
    with pytest.raises(NotSupported, match="Keras 3 loads no other format"):
        load_model(tmp_path / "m")


FRESH = """
import sys, json, warnings
import numpy
import autolog.pyfunc
model = autolog.pyfunc.load_model(sys.argv[1])
data = numpy.asarray(json.loads(sys.stdin.read()), "float32")
print(json.dumps(numpy.asarray(model.predict(data)).tolist()))
"""


def fresh(path, data, folder, **env):
    done = subprocess.run(
        [sys.executable, "-c", FRESH, str(path)],
        input=json.dumps(data.tolist()),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_fresh_process_predicts_the_same(tmp_path):
    model = zoo.dense()
    save_model(model, tmp_path / "m", input_example=zoo.X[:3])
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert f"keras=={keras.__version__}" in needed
    assert keras.config.backend() in needed
    found = fresh(tmp_path / "m", zoo.X[:10], tmp_path)
    np.testing.assert_allclose(found, predict(model, "dense")[:10], rtol=1e-5, atol=1e-6)


SCRIPT = """
import sys, keras, numpy
import autolog.keras

@keras.saving.register_keras_serializable("script")
class Scaled(keras.layers.Layer):
    def build(self, shape):
        self.factor = self.add_weight(shape=(), initializer="ones")
    def call(self, x):
        return x * self.factor * 3

model = keras.Sequential([keras.Input((2,)), Scaled(), keras.layers.Lambda(lambda x: x + 1)])
autolog.keras.save_model(model, sys.argv[1])
"""


def test_classes_of_a_script_load_in_a_fresh_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [sys.executable, str(script), "m"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=dict(os.environ),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert fresh(tmp_path / "m", np.array([[1, 2]]), tmp_path) == [[4, 7]]
