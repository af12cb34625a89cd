"""Python models: each side loads what the other saved."""

import importlib.util
import json
import os
import subprocess
import sys

import pytest

import autolog.pyfunc

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="loads models with MLflow too"
)

SAVE = """
import sys
import pandas as pd
import MODULE.pyfunc
from MODULE.models import infer_signature

class Scale(MODULE.pyfunc.PythonModel):
    def load_context(self, context):
        self.factor = float(open(context.artifacts["factor"]).read())

    def predict(self, context, model_input, params=None):
        return (model_input["x"] * self.factor + params["shift"]).tolist()

open("factor.txt", "w").write("3")
frame = pd.DataFrame({"x": [1.0, 2.0]})
MODULE.pyfunc.save_model(
    sys.argv[1], python_model=Scale(), artifacts={"factor": "factor.txt"},
    signature=infer_signature(frame, [1.0], {"shift": 1}), pip_requirements=[],
    code_paths=["helper_code.py"], input_example=frame,
)
"""
LOAD = """
import json, sys
import pandas as pd
import MODULE.pyfunc
model = MODULE.pyfunc.load_model(sys.argv[1])
frame = pd.DataFrame({"extra": ["a", "b"], "x": [1.0, 2.0]})
print(json.dumps([
    model.predict(frame), model.predict(frame, params={"shift": 2}),
    type(model.unwrap_python_model()).__name__,
]))
"""


def run(program, path):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=path.parent,
        env={**os.environ, "XDG_DATA_HOME": str(path.parent), "AUTOLOG_TRUST_MODELS": "true"},
    )


@pytest.mark.parametrize(
    ("writer", "reader"), [("autolog", "mlflow"), ("mlflow", "autolog"), ("autolog", "autolog")]
)
def test_a_python_model_saved_by_one_is_loaded_by_the_other(writer, reader, tmp_path):
    (tmp_path / "helper_code.py").write_text("VALUE = 1\n")
    saved = run(SAVE.replace("MODULE", writer), tmp_path / "m")
    assert saved.returncode == 0, saved.stderr
    loaded = run(LOAD.replace("MODULE", reader), tmp_path / "m")
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout.splitlines()[-1]) == [[4.0, 7.0], [5.0, 8.0], "Scale"]


def test_a_model_of_mlflow_asks_for_trust(tmp_path, monkeypatch):
    (tmp_path / "helper_code.py").write_text("VALUE = 1\n")
    saved = run(SAVE.replace("MODULE", "mlflow"), tmp_path / "m")
    assert saved.returncode == 0, saved.stderr
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    with pytest.raises(autolog.exceptions.AutologError, match="cloudpickle file; it brings Python"):
        autolog.pyfunc.load_model(tmp_path / "m")
