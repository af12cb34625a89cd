"""The same data has the same signature as with MLflow, and each reads the other's JSON."""

import importlib.util
import json
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from autolog_core.models.enforce import fit_input
from autolog_core.models.infer import infer_schema, infer_signature
from autolog_core.models.signature import ModelSignature

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="compares with MLflow"
)

DATA = {
    "frame": pd.DataFrame(
        {
            "a": [1, 2],
            "b": [1.5, np.nan],
            "c": ["x", "y"],
            "d": [True, False],
            "e": pd.to_datetime(["2020-01-01", "2021-01-01"]),
            "f": np.array([1, 2], "float32"),
            "g": np.array([1, 2], "int8"),
            "h": [b"x", b"y"],
            "i": [["x"], ["y", "z"]],
            "j": [{"k": 1}, {"k": 2, "l": 1.5}],
            "k": ["x", None],
        }
    ),
    "numbered": pd.DataFrame(np.zeros((2, 3))),
    "series": pd.Series([1, 2], name="y"),
    "array": np.zeros((3, 2, 4), "float32"),
    "text array": np.array(["a", "bc"]),
    "arrays": {"x": np.zeros((2, 2)), "y": np.zeros(2, "int32")},
    "rows": [{"a": 1, "b": None}, {"a": 2, "b": "x", "c": [1.0]}],
    "mapping": {"q": "a", "n": [1, 2], "m": {"z": True}},
    "list": ["a", "b"],
    "numbers": [1.5, 2.5],
    "empty": [],
    "text": "a",
}
CASES = {
    "long to double": (["a"], [("a", [1, 0], "int64")], {"a": [0.5]}),
    "int32 to double": (["a"], [("a", [7, 8], "int32")], {"a": [0.5]}),
    "int32 to long": (["a"], [("a", [7, 8], "int32")], {"a": [1]}),
    "float32 to double": (["a"], [("a", [0.5], "float32")], {"a": [0.25]}),
    "double to long": (["a"], [("a", [0.5], "float64")], {"a": [1]}),
    "text to long": (["a"], [("a", ["x"], "object")], {"a": [1]}),
    "bool to long": (["a"], [("a", [True], "bool")], {"a": [1]}),
    "long to text": (["a"], [("a", [1], "int64")], {"a": ["x"]}),
    "missing": (["b"], [("b", [1], "int64")], {"a": [1]}),
    "extra and order": (["c", "b", "a"], [("c", [1], "int64"), ("b", ["x"], "object"),
                        ("a", [1.5], "float64")], {"a": [0.5], "b": ["y"]}),
    "nanoseconds": (["a"], [("a", ["2020-01-01"], "datetime64[s]")],
                    {"a": pd.to_datetime(["2021-01-01"])}),
}  # fmt: skip

THEIRS = """
import pickle, sys, json, warnings, logging
warnings.simplefilter("ignore")
from mlflow.models import ModelSignature, infer_signature
from mlflow.models.utils import _enforce_schema
data, ours, cases = pickle.load(open(sys.argv[1], "rb"))
out = {"theirs": {}, "read": {}, "fit": {}}
for name, value in data.items():
    out["theirs"][name] = infer_signature(value, value).to_dict()
    out["read"][name] = ModelSignature.from_dict(ours[name]).to_dict()
for name, (given, like) in cases.items():
    try:
        found = _enforce_schema(given, infer_signature(like).inputs)
        out["fit"][name] = {column: str(found[column].dtype) for column in found}
    except Exception as error:
        out["fit"][name] = None
print(json.dumps(out))
"""


@pytest.fixture(scope="module")
def mlflow_says(tmp_path_factory):
    file = tmp_path_factory.mktemp("signatures") / "data.pickle"
    ours = {name: infer_signature(value, value).to_dict() for name, value in DATA.items()}
    file.write_bytes(pickle.dumps((DATA, ours, frames())))
    done = subprocess.run(
        [sys.executable, "-c", THEIRS, str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def frames():
    return {
        name: (pd.DataFrame({c: np.array(v, dtype) for c, v, dtype in parts}), pd.DataFrame(like))
        for name, (_, parts, like) in CASES.items()
    }


def plain(signature):
    found = {
        part: None if signature[part] is None else json.loads(signature[part])
        for part in ("inputs", "outputs")
    }
    for specs in found.values():
        for spec in specs:
            # MLflow leaves out that a composite column is required, or says null.
            spec["required"] = spec.get("required") is not False
    return found


@pytest.mark.parametrize("name", DATA)
def test_the_same_data_has_the_same_signature(name, mlflow_says):
    assert plain(infer_signature(DATA[name], DATA[name]).to_dict()) == plain(
        mlflow_says["theirs"][name]
    )


@pytest.mark.parametrize("name", DATA)
def test_each_reads_the_others_json(name, mlflow_says):
    ours = infer_signature(DATA[name], DATA[name])
    assert plain(mlflow_says["read"][name]) == plain(ours.to_dict())
    theirs = ModelSignature.from_dict(mlflow_says["theirs"][name])
    assert plain(theirs.to_dict()) == plain(ours.to_dict())


@pytest.mark.parametrize("name", CASES)
def test_data_is_converted_or_refused_as_by_mlflow(name, mlflow_says):
    given, like = frames()[name]
    try:
        found = fit_input(given, infer_schema(like))
        ours = {column: str(found[column].dtype) for column in found}
    except ValueError:
        ours = None
    theirs = mlflow_says["fit"][name]
    assert ours == theirs
