"""A model from elsewhere runs no code unasked: lambdas, pickles, programs, names of functions."""

import json
import os
import pickle
import zipfile

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.integrations.keras import zoo  # noqa: E402

import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402
from autolog._keras.survey import read_config, survey  # noqa: E402
from autolog.keras import load_model, save_model  # noqa: E402
from autolog_core.errors import InvalidArgument, PermissionDenied  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:The object being serialized includes a `lambda`"),
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


@pytest.fixture
def forgotten(monkeypatch):
    """Makes what follows run where the classes of the tests are not registered."""

    def forget():
        known = keras.saving.get_custom_objects()
        for name in [each for each in known if each.startswith(zoo.PACKAGE)]:
            monkeypatch.delitem(known, name)

    return forget


def both(path, **options):
    yield lambda: load_model(path, **options)
    yield lambda: autolog.pyfunc.load_model(path, **options)


@pytest.mark.parametrize("name", ["dense", "images", "sequence", "brain", "half"])
def test_models_of_keras_itself_ask_nobody(name, tmp_path, elsewhere):
    save_model(zoo.ALL[name](), tmp_path / "m")
    assert not (tmp_path / "m" / "autolog_seal.json").exists()
    elsewhere()
    for load in both(tmp_path / "m", trust=False):
        load()


def test_a_lambda_asks_for_trust(tmp_path, elsewhere):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x * 3)])
    save_model(model, tmp_path / "m")
    data = np.ones((1, 2), "float32")
    assert load_model(tmp_path / "m").predict(data, verbose=0).tolist() == [[3, 3]]
    elsewhere()
    for load in both(tmp_path / "m"):
        with pytest.raises(PermissionDenied, match=r"holds a lambda as bytes of code.*trust=True"):
            load()
    for options in ({"trust": True}, {"load_model_kwargs": {"safe_mode": False}}):
        loaded = load_model(tmp_path / "m", **options)
        assert loaded.predict(data, verbose=0).tolist() == [[3, 3]]
    with pytest.raises(PermissionDenied):
        load_model(tmp_path / "m", trust=False, load_model_kwargs={"safe_mode": False})


def test_a_lambda_over_a_known_function_asks_nobody(tmp_path, elsewhere):
    layers = [keras.layers.Lambda(zoo.squash), keras.layers.Activation("relu")]
    save_model(keras.Sequential([keras.Input((2,)), *layers]), tmp_path / "m")
    elsewhere()
    load_model(tmp_path / "m")


def test_classes_that_are_known_are_not_unpickled(tmp_path, elsewhere, forgotten):
    model = zoo.tower()
    save_model(model, tmp_path / "m")
    data = tmp_path / "m" / "data"
    assert sorted(os.listdir(data)) == [
        "global_custom_objects.cloudpickle",
        "keras_module.txt",
        "model.keras",
    ]
    assert "cloudpickle" in (tmp_path / "m" / "requirements.txt").read_text()
    forgotten()
    loaded = load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(zoo.X, verbose=0), model.predict(zoo.X, verbose=0))
    elsewhere()
    for load in both(tmp_path / "m"):
        with pytest.raises(PermissionDenied, match=r"cloudpickle file, which holds .*>Tower"):
            load()
    named = {f"{zoo.PACKAGE}>Tower": zoo.Tower, f"{zoo.PACKAGE}>squash": zoo.squash}
    (data / "global_custom_objects.cloudpickle").write_bytes(b"no pickle at all")
    loaded = load_model(tmp_path / "m", custom_objects=named)
    assert type(loaded) is zoo.Tower
    with pytest.raises(InvalidArgument, match="custom_objects must be a mapping"):
        load_model(tmp_path / "m", custom_objects=[zoo.Tower])


def test_classes_that_nobody_knows_are_named(tmp_path, forgotten):
    save_model(zoo.tower(), tmp_path / "m")
    (tmp_path / "m" / "data" / "global_custom_objects.cloudpickle").unlink()
    forgotten()
    for load in both(tmp_path / "m", trust=True):
        with pytest.raises(InvalidArgument, match=rf"{zoo.PACKAGE}>Tower.*custom_objects=") as told:
            load()
    assert zoo.Tower.__module__ in str(told.value)


class Plain(keras.layers.Layer):
    def call(self, x):
        return x + 1


def test_classes_that_the_caller_gives_are_kept(tmp_path, elsewhere):
    model = keras.Sequential([keras.Input((2,)), Plain()])
    save_model(model, tmp_path / "m", custom_objects={"Plain": Plain})
    assert (tmp_path / "m" / "data" / "custom_objects.cloudpickle").is_file()
    served = autolog.pyfunc.load_model(tmp_path / "m")
    assert served.predict(np.zeros((1, 2), "float32")).tolist() == [[1, 1]]
    elsewhere()
    with pytest.raises(PermissionDenied, match="which holds Plain that are not known here"):
        autolog.pyfunc.load_model(tmp_path / "m")
    loaded = load_model(tmp_path / "m", custom_objects={"Plain": Plain})
    assert type(loaded.layers[0]) is Plain


def test_what_cannot_be_pickled_is_left_to_the_loader(tmp_path, caplog, monkeypatch):
    class Stuck(keras.layers.Layer):
        lock = __import__("threading").Lock()

        def call(self, x):
            return x

    name = f"{zoo.PACKAGE}>Stuck"
    known = keras.saving.get_custom_objects()
    keras.saving.register_keras_serializable(zoo.PACKAGE)(Stuck)
    try:
        save_model(keras.Sequential([keras.Input((2,)), Stuck()]), tmp_path / "m")
        assert "Stuck are not kept with it, give custom_objects to load it" in caplog.text
        load_model(tmp_path / "m", trust=False)
    finally:
        known.pop(name)
    with pytest.raises(InvalidArgument, match=r">Stuck.*custom_objects="):
        load_model(tmp_path / "m")
    assert load_model(tmp_path / "m", custom_objects={name: Stuck}).built


def rewrite(path, change):
    """Changes the config of a saved model, as somebody else could."""
    file = path / "data" / "model.keras"
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    members["config.json"] = json.dumps(change(config) or config).encode()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def layer(config, number=1):
    return config["config"]["layers"][number]


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


HOSTILE = {
    "a function of Keras": (
        lambda config: layer(config)["config"].update(
            activation=function("keras.utils", "get_file")
        ),
        "it calls keras.utils.get_file",
    ),
    "a class that is a function": (
        lambda config: layer(config)["config"].update(
            activation={
                "module": "keras.saving",
                "class_name": "load_model",
                "config": {},
                "registered_name": None,
            }
        ),
        "it calls keras.saving.load_model",
    ),
    "a function of Python": (
        lambda config: layer(config)["config"].update(activation=function("builtins", "exec")),
        "made of exec, which this process does not know",
    ),
    "a function of a module": (
        lambda config: layer(config)["config"].update(activation=function("os", "system")),
        "made of system",
    ),
    "a class of a module": (
        lambda config: layer(config).update(module="trap", class_name="Trap", registered_name=None),
        r"made of Trap.*import the module \(trap\)",
    ),
    "a pickled module": (
        lambda config: layer(config).update(class_name="TorchModuleWrapper"),
        "pickled module of PyTorch",
    ),
    "a SavedModel": (
        lambda config: layer(config).update(class_name="TFSMLayer", config={"filepath": "x"}),
        "runs a SavedModel",
    ),
    "a lambda": (
        lambda config: layer(config).update(
            class_name="Lambda", config={"function": ["marshal", None, None]}
        ),
        "lambda as bytes of code",
    ),
    "a file": (
        lambda config: layer(config).update(
            class_name="StringLookup", config={"vocabulary": "/etc/passwd"}
        ),
        "it reads the file '/etc/passwd'",
    ),
    "a name that is none": (
        lambda config: layer(config).update(class_name=["Dense"]),
        r"it names \['Dense'\]",
    ),
    "a list": (lambda config: [config], "no JSON object"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_config_that_was_made_up_runs_nothing(name, tmp_path, user):
    change, said = HOSTILE[name]
    save_model(zoo.dense("sgd"), tmp_path / "m", input_example=zoo.X[:2])
    rewrite(tmp_path / "m", change)
    (tmp_path / "trap.py").write_text(f"open({str(tmp_path / 'trapped')!r}, 'w')")
    user.syspath_prepend(tmp_path)
    autolog.models.get_model_info(tmp_path / "m")
    for load in both(tmp_path / "m"):
        with pytest.raises((PermissionDenied, InvalidArgument), match=said):
            load()
    assert not (tmp_path / "trapped").exists()


def test_pickles_and_code_that_were_planted_run_nothing(tmp_path, forgotten):
    class Planted:
        def __reduce__(self):
            return (open, (str(tmp_path / "trapped"), "w"))

    save_model(zoo.tower(), tmp_path / "m")
    data = tmp_path / "m" / "data"
    for name in ("global_custom_objects.cloudpickle", "custom_objects.cloudpickle"):
        (data / name).write_bytes(pickle.dumps(Planted()))
    (data / "keras_module.txt").write_text("trap")
    manifest = autolog.models.Model.load(tmp_path / "m").to_dict()
    manifest["flavors"]["keras"]["code"] = "code"
    (tmp_path / "m" / "MLmodel").write_text(autolog.models.Model.from_dict(manifest).to_yaml())
    (tmp_path / "m" / "code").mkdir()
    (tmp_path / "m" / "code" / "trap.py").write_text(f"open({str(tmp_path / 'trapped')!r}, 'w')")
    assert type(load_model(tmp_path / "m")) is zoo.Tower
    forgotten()
    for load in both(tmp_path / "m"):
        with pytest.raises(PermissionDenied, match="brings Python files in code/"):
            load()
    assert not (tmp_path / "trapped").exists()


@pytest.mark.parametrize("name", ["../outside", "/etc", None, 3])
def test_a_manifest_cannot_lead_out_of_its_folder(name, tmp_path):
    save_model(zoo.dense("sgd"), tmp_path / "m")
    (tmp_path / "outside").mkdir()
    manifest = autolog.models.Model.load(tmp_path / "m").to_dict()
    manifest["flavors"]["keras"]["data"] = name
    (tmp_path / "m" / "MLmodel").write_text(autolog.models.Model.from_dict(manifest).to_yaml())
    with pytest.raises(InvalidArgument, match="data of a model"):
        load_model(tmp_path / "m", trust=True)


def test_code_that_travels_with_the_model_is_imported_when_it_is_trusted(tmp_path, user, elsewhere):
    source = tmp_path / "source"
    source.mkdir()
    (source / "shifted_layers.py").write_text(
        "import keras\n\n\n"
        "@keras.saving.register_keras_serializable('shifted')\n"
        "class Shifted(keras.layers.Layer):\n"
        "    def call(self, x):\n"
        "        return x + 5\n"
    )
    user.syspath_prepend(source)
    import shifted_layers

    model = keras.Sequential([keras.Input((2,)), shifted_layers.Shifted()])
    save_model(model, tmp_path / "m", code_paths=[source / "shifted_layers.py"])
    import sys

    keras.saving.get_custom_objects().pop("shifted>Shifted")
    user.delitem(sys.modules, "shifted_layers")
    (source / "shifted_layers.py").unlink()
    served = autolog.pyfunc.load_model(tmp_path / "m")
    assert served.predict(np.zeros((1, 2), "float32")).tolist() == [[5, 5]]
    keras.saving.get_custom_objects().pop("shifted>Shifted", None)
    elsewhere()
    with pytest.raises(PermissionDenied, match="brings Python files in code/"):
        autolog.pyfunc.load_model(tmp_path / "m")


def test_a_config_is_read_without_building_anything(tmp_path):
    save_model(zoo.two_inputs(), tmp_path / "m")
    found = survey(read_config(tmp_path / "m" / "data" / "model.keras"))
    assert {name.rpartition(">")[2] for name in found.custom} == {"squash"}
    assert found.code == ()
    deep = json.dumps({"class_name": "Sequential", "config": None})
    nested = '{"module": "keras", "config": ' * 90_000 + deep + "}" * 90_000
    with pytest.raises(InvalidArgument, match="config of the model cannot be read"):
        survey(nested)
    with pytest.raises(InvalidArgument, match=r"is no \.keras file"):
        read_config(tmp_path / "m" / "MLmodel")
