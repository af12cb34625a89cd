"""A model of Keras is logged while it trains on, found and loaded by its address."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.integrations.keras import zoo  # noqa: E402

import autolog  # noqa: E402
import autolog.keras  # noqa: E402
import autolog.pyfunc  # noqa: E402
from autolog_core.errors import InvalidArgument, InvalidState, NotSupported  # noqa: E402
from autolog_core.session import default_session  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    """Each test is a user of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def test_a_model_is_logged_and_loaded_by_its_id(tracking):
    model = zoo.dense()
    expected = model.predict(zoo.X, verbose=0)
    with autolog.start_run() as run:
        autolog.log_params({"width": 16})
        info = autolog.keras.log_model(
            model, name="digits", step=3, params={"kind": "dense"}, tags={"team": "vision"},
            input_example=zoo.X[:2],
        )  # fmt: skip
        autolog.log_metric("accuracy", 0.9, step=3)
    assert info.model_uri == f"models:/{info.model_id}"
    for address in (info.model_uri, f"runs:/{run.info.run_id}/digits"):
        loaded = autolog.keras.load_model(address)
        assert np.array_equal(loaded.predict(zoo.X, verbose=0), expected)
        assert np.array_equal(autolog.pyfunc.load_model(address).predict(zoo.X), expected)
    kept = autolog.get_logged_model(info.model_id)
    assert kept.status == "READY"
    assert kept.params == {"width": "16", "kind": "dense"}
    assert kept.tags["team"] == "vision"
    assert {metric.key: metric.value for metric in kept.metrics} == {"accuracy": 0.9}
    assert autolog.models.get_model_info(info.model_uri).flavors["keras"]["keras_backend"]


def test_a_model_that_was_begun_gets_its_files(tracking):
    begun = autolog.initialize_logged_model(name="digits")
    model = zoo.dense()
    info = autolog.keras.log_model(model, model_id=begun.model_id)
    assert info.model_id == begun.model_id
    loaded = autolog.keras.load_model(info.model_uri)
    assert np.array_equal(loaded.predict(zoo.X, verbose=0), model.predict(zoo.X, verbose=0))
    with pytest.raises(InvalidState, match="has its files"):
        autolog.keras.log_model(model, model_id=begun.model_id)


@pytest.mark.parametrize("name", ["dense", "tower"])
def test_what_is_logged_is_the_model_at_that_moment(tracking, name):
    model = zoo.ALL[name]()
    # What is submitted waits until the model has been trained on.
    trained = threading.Event()
    default_session().saving.submit(trained.wait)
    expected = []
    infos = []
    try:
        for epoch in range(3):
            expected.append(
                (
                    model.predict(zoo.X, verbose=0),
                    [variable.numpy() for variable in model.optimizer.variables],
                )
            )
            infos.append(autolog.keras.log_model(model, name=name, step=epoch))
            model.fit(zoo.X, zoo.y, verbose=0)
    finally:
        trained.set()
    for info, (predicted, state) in zip(infos, expected, strict=True):
        loaded = autolog.keras.load_model(info.model_uri)
        assert np.array_equal(loaded.predict(zoo.X, verbose=0), predicted)
        for left, right in zip(loaded.optimizer.variables, state, strict=True):
            assert np.array_equal(left.numpy(), right)
    assert not np.array_equal(expected[0][0], expected[1][0])


def test_training_goes_the_same_with_and_without(tracking):
    def train(log):
        keras.utils.set_random_seed(3)
        model = zoo.dense()
        for _ in range(3):
            model.fit(zoo.X, zoo.y, verbose=0)
            if log:
                autolog.keras.log_model(model, name="digits", input_example=zoo.X[:2])
        default_session().saving.wait()
        return [variable.numpy() for variable in model.variables]

    for left, right in zip(train(False), train(True), strict=True):
        assert np.array_equal(left, right)


def test_a_fresh_process_loads_it(tracking):
    model = zoo.dense()
    info = autolog.keras.log_model(model, name="digits")
    expected = model.predict(zoo.X, verbose=0)
    address = default_session().address
    default_session().saving.wait()
    default_session().drain()
    np.save(tracking.parent / "data.npy", zoo.X)
    code = (
        "import sys, numpy, autolog\n"
        "data = numpy.load(sys.argv[2])\n"
        "found = autolog.pyfunc.load_model(sys.argv[1]).predict(data)\n"
        "numpy.save(sys.argv[3], found)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, info.model_uri, "data.npy", "found.npy"],
        env={**os.environ, "AUTOLOG_TRACKING_URI": address},
        capture_output=True,
        text=True,
        check=False,
        cwd=tracking.parent,
    )
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tracking.parent / "found.npy"), expected, atol=1e-6)


def test_files_that_cannot_be_written_make_it_failed(tracking, caplog):
    root = default_session().experiment("0").artifact_location
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "models"), "w") as file:
        file.write("in the way")
    info = autolog.keras.log_model(zoo.dense(), name="digits")
    with pytest.raises(InvalidState, match="is FAILED, not READY"):
        autolog.keras.load_model(info.model_uri)
    assert "could not be saved" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"name": "a/b"}, InvalidArgument),
        ({"name": "a", "artifact_path": "b"}, InvalidArgument),
        ({"signature": "x"}, InvalidArgument),
        ({"save_model_kwargs": {"unheard": 1}}, InvalidArgument),
        ({"registered_model_name": "prod"}, NotSupported),
        ({"params": {"a": "x" * 7000}}, InvalidArgument),
    ],
)
def test_mistakes_leave_no_record(tracking, arguments, error):
    with pytest.raises(error):
        autolog.keras.log_model(zoo.dense("sgd"), **arguments)
    assert autolog.search_logged_models(output_format="list") == []


def test_importing_the_room_imports_no_framework():
    code = (
        "import sys, autolog.keras, autolog.tensorflow\n"
        "import autolog.keras.flavor, autolog.tensorflow.flavor\n"
        "print([name for name in ('keras', 'tensorflow', 'torch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
