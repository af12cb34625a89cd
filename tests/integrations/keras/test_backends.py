"""Each backend of Keras saves what the others load."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

keras = pytest.importorskip("keras")

from tests.integrations.keras import zoo  # noqa: E402

import autolog.keras  # noqa: E402
import autolog.models  # noqa: E402
import autolog.pyfunc  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
    pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer"),
]

NAMES = [name for name in zoo.ANY_BACKEND if name not in ("noisy", "never_called", "images")]
PROGRAM = """
import sys
import keras, numpy
from autolog.keras import flavor, load_model
from autolog_core.models.snapshot import write
from autolog._keras.recording import Recording
from tests.integrations.keras import zoo

for name in sys.argv[1:]:
    model = zoo.ANY_BACKEND[name]()
    data = zoo.inputs(name)
    expected = model.predict(data, verbose=0)
    example = data if isinstance(data, list) else data[:2]
    taken = flavor.snapshot(model, input_example=example)
    assert isinstance(taken.payload.source, Recording)
    for variable in model.variables:
        variable.assign(numpy.zeros(variable.shape))
    write(taken, name)
    again = load_model(name).predict(data, verbose=0)
    several = expected if isinstance(expected, list) else [expected]
    for left, right in zip(several, again if isinstance(again, list) else [again], strict=True):
        assert numpy.array_equal(left, right), name
    numpy.savez(name + ".npz", *[numpy.asarray(each, "float32") for each in several])
"""


@pytest.mark.parametrize("backend", ["torch", "jax"])
def test_another_backend_saves_what_this_one_loads(backend, tmp_path, monkeypatch):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    if keras.config.backend() == backend:
        pytest.skip(f"{backend} is the backend of this process")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    root = Path(zoo.__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *NAMES],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        info = autolog.models.get_model_info(tmp_path / name)
        assert info.flavors["keras"]["keras_backend"] == backend
        assert info.signature.inputs is not None
        assert backend in (tmp_path / name / "requirements.txt").read_text()
        loaded = autolog.keras.load_model(tmp_path / name)
        found = loaded.predict(zoo.inputs(name), verbose=0)
        expected = np.load(tmp_path / f"{name}.npz")
        several = found if isinstance(found, list) else [found]
        for left, right in zip(several, expected.values(), strict=True):
            # Both round to the dtype of the model.
            loose = 0.05 if name in ("half", "brain") else 1e-4
            np.testing.assert_allclose(left, right, rtol=loose, atol=loose)
