"""Each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

import autolog
import autolog.models
import autolog.pyfunc
import autolog.pytorch
from autolog_core.errors import PermissionDenied

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

# MLflow is run in a process of its own: it changes warnings, logging and the environment.
THEIRS = """
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy, torch, mlflow, mlflow.pytorch
X = numpy.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)
what, *paths = sys.argv[1:]
if what == "load":
    out = {}
    for path in paths:
        loaded = mlflow.pyfunc.load_model(path)
        module = mlflow.pytorch.load_model(path)
        info = mlflow.models.Model.load(path)
        out[path] = {
            "pyfunc": loaded.predict(X).tolist(),
            "module": module(torch.from_numpy(X)).detach().numpy().tolist(),
            "training": module.training,
            "signature": info.signature.to_dict(),
            "example": numpy.asarray(loaded.input_example).tolist(),
        }
    print(json.dumps(out))
else:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.ReLU())
    for form in ("pickle", "pt2"):
        mlflow.pytorch.save_model(
            model, paths[0] + "/" + form, serialization_format=form, input_example=X
        )
    print(json.dumps(model(torch.from_numpy(X)).detach().numpy().tolist()))
"""
X = np.linspace(-1, 1, 12, dtype="float32").reshape(4, 3)


def mlflow(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, *map(str, arguments)],
        cwd=folder, env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# A class of a script: no module holds it that the other process could import.
MINE = """
class Mine(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(3, 3)
        self.tied = nn.Linear(3, 3)
        self.tied.weight = self.inner.weight

    def forward(self, x):
        return self.tied(torch.relu(self.inner(x)))
"""


def mine() -> nn.Module:
    names = {"__name__": "__main__", "nn": nn, "torch": torch}
    exec(MINE, names)
    return names["Mine"]()


def test_mlflow_loads_what_we_saved(tracking, tmp_path):
    models = {"plain": nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), "mine": mine()}
    expected = {}
    for name, model in models.items():
        for form in ("safetensors", "pickle"):
            path = tmp_path / f"{name}-{form}"
            autolog.pytorch.save_model(model, path, input_example=X, serialization_format=form)
            expected[str(path)] = model.eval()(torch.from_numpy(X)).detach().numpy()
    found = mlflow(tmp_path, "load", *expected)
    for path, values in expected.items():
        assert np.allclose(found[path]["pyfunc"], values, atol=1e-6)
        assert np.allclose(found[path]["module"], values, atol=1e-6)
        assert found[path]["training"] is False
        ours = autolog.models.get_model_info(path).signature
        assert autolog.models.ModelSignature.from_dict(found[path]["signature"]) == ours
        assert np.allclose(found[path]["example"], X)


def test_mlflow_loads_a_checkpoint_that_shares_its_weights(tracking):
    model = nn.Sequential(*[nn.Linear(3, 3) for _ in range(3)], nn.Linear(3, 9000))
    with autolog.start_run():
        autolog.pytorch.log_model(model, name="net", step=0)
        with torch.no_grad():
            model[0].weight.add_(1.0)
        info = autolog.pytorch.log_model(model, name="net", step=1, input_example=X)
    info.wait()
    path = autolog.get_logged_model(info.model_id).artifact_location
    found = mlflow(tracking.parent, "load", path)[path]
    assert np.allclose(found["pyfunc"], model(torch.from_numpy(X)).detach().numpy(), atol=1e-5)


def test_we_load_what_mlflow_saved(tmp_path):
    values = mlflow(tmp_path, "save", tmp_path)
    for form in ("pickle", "pt2"):
        with pytest.raises(PermissionDenied):
            autolog.pytorch.load_model(tmp_path / form)
        module = autolog.pytorch.load_model(tmp_path / form, trust=True)
        assert np.allclose(module(torch.from_numpy(X)).detach().numpy(), values)
        loaded = autolog.pyfunc.load_model(tmp_path / form, trust=True, suppress_warnings=True)
        assert np.allclose(loaded.predict(X), values)
