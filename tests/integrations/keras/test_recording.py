"""What is copied of a model is what Keras would have saved at that moment, and no more."""

import gc
import json
import random
import threading
import weakref
import zipfile

import numpy as np
import pytest

keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

from tests.integrations.keras import zoo  # noqa: E402

from autolog._keras.payload import take  # noqa: E402
from autolog._keras.recording import Recording, record, write_archive  # noqa: E402

# What Keras itself warns of when it saves and loads.
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built"),
]


def content(file):
    """Returns config and variables of a ``.keras`` file, as bytes with their dtype and place."""
    found = {}

    def visit(name, node):
        data = None
        if isinstance(node, h5py.Dataset):
            data = (node.dtype.str, node.shape, np.asarray(node).tobytes())
        found[name] = (data, {key: str(value) for key, value in node.attrs.items()})

    with zipfile.ZipFile(file) as archive:
        config = json.loads(archive.read("config.json"))
        version = json.loads(archive.read("metadata.json"))["keras_version"]
        assets = {n: archive.read(n) for n in archive.namelist() if n.startswith("assets/")}
        rest = sorted(set(archive.namelist()) - set(assets))
        with archive.open("model.weights.h5") as stream, h5py.File(stream, "r") as weights:
            weights.visititems(visit)
    return config, version, assets, rest, found


@pytest.mark.parametrize("name", zoo.ALL)
def test_the_file_is_what_keras_writes(name, tmp_path):
    model = zoo.ALL[name]()
    recording = record(model)
    model.save(tmp_path / "theirs.keras")
    write_archive(recording, tmp_path / "ours.keras")
    assert content(tmp_path / "ours.keras") == content(tmp_path / "theirs.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours.keras", "theirs.keras"]


@pytest.mark.parametrize("name", ["dense", "two_inputs", "tower", "half"])
def test_training_on_does_not_reach_the_copy(name, tmp_path):
    model = zoo.ALL[name]()
    model.save(tmp_path / "then.keras")
    recording = record(model)
    values = {
        (part.path, key): value.tobytes()
        for part in recording.parts
        for key, value in part.values.items()
    }
    targets = model.predict(zoo.inputs(name), verbose=0)
    if name in ("dense", "tower"):
        targets = zoo.y
    elif name == "two_inputs":
        targets = [zoo.y, zoo.y % 2]
    model.fit(zoo.inputs(name), targets, epochs=2, verbose=0)
    for part in recording.parts:
        for key, value in part.values.items():
            assert value.tobytes() == values[part.path, key], (part.path, key)
            assert value.flags.owndata
    writer = threading.Thread(target=write_archive, args=(recording, tmp_path / "copy.keras"))
    writer.start()
    model.fit(zoo.inputs(name), targets, verbose=0)
    writer.join()
    assert content(tmp_path / "copy.keras")[2:] == content(tmp_path / "then.keras")[2:]
    model.save(tmp_path / "now.keras")
    assert content(tmp_path / "now.keras")[4] != content(tmp_path / "then.keras")[4]


class Table(keras.layers.Layer):
    """Keeps an array of its own, as a variable that Keras does not know."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.table = np.zeros(3)
        self.built = True

    def save_own_variables(self, store):
        store["table"] = self.table

    def load_own_variables(self, store):
        self.table = np.array(store["table"])

    def call(self, x):
        return x


def test_an_array_that_a_layer_hands_out_is_copied(tmp_path):
    layer = Table()
    model = keras.Sequential([keras.Input((3,)), layer])
    recording = record(model)
    layer.table += 1
    write_archive(recording, tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", custom_objects={"Table": Table})
    assert loaded.layers[0].table.tolist() == [0, 0, 0]


def test_nothing_of_the_process_changes_and_the_model_is_let_go(tmp_path):
    model = zoo.dense()
    random.seed(1)
    np.random.seed(1)
    python, numpy = random.getstate(), np.random.get_state()[1].tolist()
    recording = record(model)
    write_archive(recording, tmp_path / "m.keras")
    assert random.getstate() == python
    assert np.random.get_state()[1].tolist() == numpy
    names = [keras.layers.Dense(1).name for _ in range(2)]
    first = int(names[0].rpartition("_")[2])
    record(model)
    write_archive(recording, tmp_path / "again.keras")
    assert keras.layers.Dense(1).name == f"dense_{first + 2}"
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_each_variable_is_copied_once():
    model = zoo.dense()
    recording = record(model)
    held = recording.size
    assert held == sum(value.nbytes for part in recording.parts for value in part.values.values())
    assert take(model, flavors={}, texts={}).size == held
    weights = sum(variable.numpy().nbytes for variable in model.weights)
    optimizer = sum(variable.numpy().nbytes for variable in model.optimizer.variables)
    assert weights + optimizer <= held <= weights + optimizer + 200


def test_another_keras_is_saved_while_the_caller_waits(tmp_path, monkeypatch):
    from keras.src.saving import saving_lib

    model = zoo.dense()
    expected = model.predict(zoo.X, verbose=0)
    assert isinstance(take(model, flavors={}, texts={}).source, Recording)

    def moved(*arguments, **named):
        raise AttributeError("it has moved")

    # What Keras itself uses stays in place: only our way to it is cut.
    monkeypatch.setattr("autolog._keras.payload.record", moved)
    payload = take(model, flavors={}, texts={"keras_module.txt": "keras"})
    assert not isinstance(payload.source, Recording)
    assert "had to save it while the caller waited: it has moved" in payload.notes[0]
    model.fit(zoo.X, zoo.y, verbose=0)
    draft = payload.source.folder
    payload.write(tmp_path)
    loaded = saving_lib.load_model(tmp_path / "data" / "model.keras")
    assert np.array_equal(loaded.predict(zoo.X, verbose=0), expected)
    del payload
    gc.collect()
    assert not draft.exists()
