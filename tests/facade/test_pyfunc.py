"""Models written in Python: saved, loaded in a fresh process, and asked for predictions."""

import json
import os
import py_compile
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest

import autolog.models
import autolog.pyfunc
from autolog.models import infer_signature
from autolog.pyfunc import PythonModel, load_model, save_model
from autolog_core.errors import InvalidArgument, NotFound, NotSupported, PermissionDenied


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    """Each test is a user of its own."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for name in ("AUTOLOG_TRUST_MODELS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


class Scale(PythonModel):
    def load_context(self, context):
        with open(context.artifacts["factor"]) as file:
            self.factor = float(file.read())

    def predict(self, context, model_input, params=None):
        return model_input["x"].to_numpy() * self.factor + (params or {}).get("shift", 0)

    def predict_stream(self, context, model_input, params=None):
        yield from self.predict(context, model_input, params)


class Plain(PythonModel):
    def predict(self, model_input):
        return len(model_input)


FRAME = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
SIGNATURE = infer_signature(FRAME, np.array([1.0]), {"shift": 0})


@pytest.fixture
def scale(tmp_path):
    (tmp_path / "factor.txt").write_text("3")
    save_model(
        tmp_path / "m",
        python_model=Scale(),
        artifacts={"factor": tmp_path / "factor.txt"},
        signature=SIGNATURE,
        metadata={"owner": "risk"},
    )
    (tmp_path / "factor.txt").unlink()
    return tmp_path / "m"


def test_a_model_finds_its_files_and_params(scale):
    model = load_model(scale)
    assert model.predict(FRAME).tolist() == [3, 6, 9]
    assert model.predict(FRAME, params={"shift": 1}).tolist() == [4, 7, 10]
    assert list(model.predict_stream(FRAME)) == [3, 6, 9]
    assert isinstance(model.unwrap_python_model(), Scale)
    assert model.metadata.metadata == {"owner": "risk"}
    assert model.metadata.get_model_info().signature == SIGNATURE
    assert "loaded by mlflow.pyfunc.model" in repr(model)


def test_params_are_checked(scale, caplog):
    model = load_model(scale)
    with pytest.raises(InvalidArgument, match="param 'shift' must be long, got 'far'"):
        model.predict(FRAME, params={"shift": "far"})
    assert model.predict(FRAME, params={"speed": 1}).tolist() == [3, 6, 9]
    assert "params speed are ignored" in caplog.text


@pytest.mark.parametrize(
    "data",
    [
        FRAME,
        FRAME["x"],
        FRAME.assign(other="text"),
        FRAME.astype("int64"),
        FRAME.astype("float32"),
        FRAME.astype("Int64"),
        pl.DataFrame({"x": [1, 2, 3]}),
        {"x": [1, 2, 3]},
        {"x": np.array([1.0, 2.0, 3.0])},
        [{"x": 1}, {"x": 2}, {"x": 3}],
        [[1], [2], [3]],
        np.array([1.0, 2.0, 3.0]),
        np.array([[1], [2], [3]], dtype=np.int32),
    ],
    ids=lambda data: type(data).__name__,
)
def test_data_of_any_library_is_brought_into_the_models_form(scale, data):
    assert load_model(scale).predict(data).tolist() == [3, 6, 9]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pd.DataFrame({"y": [1.0]}), "column 'x' .double. is missing; the data has .'y'. besides"),
        (pd.DataFrame({"x": ["a"]}), "column 'x': expected double, got str"),
        (pd.DataFrame({"x": [True]}), "column 'x': expected double, got bool"),
        (pd.DataFrame({"x": [2**53 + 1]}), "cannot hold exactly"),
        (pd.DataFrame([[1.0, 2.0]], columns=["x", "x"]), "two columns of the data have the same"),
        (object(), "expected a table, got object"),
    ],
    ids=["missing", "text", "boolean", "too large", "double", "no table"],
)
def test_data_that_does_not_fit_is_refused_with_what_is_wrong(scale, data, said):
    with pytest.raises(InvalidArgument, match=said):
        load_model(scale).predict(data)


FRESH = """
import sys, json, pandas, autolog.pyfunc
model = autolog.pyfunc.load_model(sys.argv[1])
print(json.dumps([float(v) for v in model.predict(pandas.DataFrame({"x": [1.0, 2.0, 3.0]}))]))
"""


def run(program, *arguments, folder, **more):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**os.environ, **more},
    )


def test_a_class_of_a_script_is_loaded_by_a_fresh_process(tmp_path):
    script = """
import sys, math
import numpy as np
import autolog.pyfunc

OFFSET = 2

def help_out(values):
    return np.asarray(values) * OFFSET + math.floor(0.5)

class Model(autolog.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return help_out(model_input["x"])

autolog.pyfunc.save_model(sys.argv[1], python_model=Model())
"""
    saved = run(script, tmp_path / "m", folder=tmp_path)
    assert saved.returncode == 0, saved.stderr
    needed = (tmp_path / "m" / "requirements.txt").read_text()
    assert "numpy==" in needed
    assert "autolog-ml==" in needed
    loaded = run(FRESH, tmp_path / "m", folder=tmp_path)
    assert loaded.returncode == 0, loaded.stderr
    assert json.loads(loaded.stdout) == [2, 4, 6]
    foreign = run(FRESH, tmp_path / "m", folder=tmp_path, XDG_DATA_HOME=str(tmp_path / "other"))
    assert "PermissionDenied" in foreign.stderr
    trusted = run(
        FRESH,
        tmp_path / "m",
        folder=tmp_path,
        XDG_DATA_HOME=str(tmp_path / "other"),
        AUTOLOG_TRUST_MODELS="1",
    )
    assert json.loads(trusted.stdout) == [2, 4, 6]


def test_a_function_is_a_model(tmp_path):
    save_model(tmp_path / "m", python_model=lambda data: [value * 2 for value in data])
    assert load_model(tmp_path / "m").predict([1, 2]) == [2, 4]


def test_a_model_without_context_and_signature_gets_the_data_as_it_is(tmp_path):
    save_model(tmp_path / "m", python_model=Plain())
    assert load_model(tmp_path / "m").predict(range(4)) == 4
    with pytest.raises(NotSupported, match="no predict_stream"):
        load_model(tmp_path / "m").predict_stream([1])


def test_values_of_a_model(tmp_path):
    class Configured(PythonModel):
        def load_context(self, context):
            self.config = context.model_config

        def predict(self, context, model_input):
            return self.config

    save_model(tmp_path / "m", python_model=Configured(), model_config={"a": 1, "b": 2})
    assert load_model(tmp_path / "m").predict(0) == {"a": 1, "b": 2}
    (tmp_path / "c.yaml").write_text("b: 3")
    assert load_model(tmp_path / "m", model_config=tmp_path / "c.yaml").predict(0) == {
        "a": 1,
        "b": 3,
    }
    assert load_model(tmp_path / "m").model_config == {"a": 1, "b": 2}


LOADER = """
import helper_of_loader

class Model:
    def __init__(self, word):
        self.word = word

    def predict(self, data):
        import late_helper
        return late_helper.shout(helper_of_loader.join(self.word, data))

def _load_pyfunc(path):
    with open(path) as file:
        return Model(file.read())
"""


def test_a_module_of_the_users_loads_the_model(tmp_path, user):
    code = tmp_path / "sources"
    code.mkdir()
    (code / "loader_of_words.py").write_text(LOADER)
    (code / "helper_of_loader.py").write_text("def join(word, data):\n    return word + data\n")
    (code / "late_helper.py").write_text("def shout(text):\n    return text.upper()\n")
    (tmp_path / "word.txt").write_text("hello ")
    save_model(
        tmp_path / "m",
        loader_module="loader_of_words",
        data_path=tmp_path / "word.txt",
        code_paths=[code / name for name in os.listdir(code)],
    )
    for file in code.iterdir():
        file.unlink()
    before = list(sys.path)
    assert load_model(tmp_path / "m").predict("you") == "HELLO YOU"
    assert sys.path[: len(before)] == before
    assert not list((tmp_path / "m").rglob("__pycache__"))
    assert load_model(tmp_path / "m").predict("again") == "HELLO AGAIN"
    user.setenv("XDG_DATA_HOME", str(tmp_path / "other"))
    with pytest.raises(PermissionDenied, match="its loader 'loader_of_words' may be any code"):
        load_model(tmp_path / "m")


def test_models_with_modules_of_the_same_name_do_not_meet(tmp_path):
    for number in (1, 2):
        source = tmp_path / str(number) / "same_name.py"
        source.parent.mkdir()
        source.write_text(
            f"class M:\n    def predict(self, data):\n        return {number}\n"
            "def _load_pyfunc(path):\n    return M()\n"
        )
        save_model(tmp_path / f"m{number}", loader_module="same_name", code_paths=[source])
    first, second = load_model(tmp_path / "m1"), load_model(tmp_path / "m2")
    assert (first.predict(0), second.predict(0)) == (1, 2)
    assert sys.modules["same_name"].M().predict(0) == 1


def test_compiled_files_in_a_model_are_not_believed(tmp_path):
    source = tmp_path / "compiled_once.py"
    text = "class M:\n    def predict(self, data):\n        return 1\n"
    source.write_text(text + "def _load_pyfunc(path):\n    return M()\n")
    save_model(tmp_path / "m", loader_module="compiled_once", code_paths=[source])
    kept = tmp_path / "m" / "code" / "compiled_once.py"
    told, right = os.stat(kept), kept.read_text()
    # A compiled file of the same time and size stands for the source, as Python sees it.
    kept.write_text(right.replace("return 1", "return 2"))
    os.utime(kept, ns=(told.st_atime_ns, told.st_mtime_ns))
    py_compile.compile(str(kept))
    kept.write_text(right)
    os.utime(kept, ns=(told.st_atime_ns, told.st_mtime_ns))
    assert list((tmp_path / "m" / "code" / "__pycache__").iterdir())
    with pytest.raises(PermissionDenied):
        load_model(tmp_path / "m")
    assert load_model(tmp_path / "m", trust=True).predict(0) == 1


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({}, InvalidArgument, "python_model must be"),
        ({"python_model": 3}, InvalidArgument, "python_model must be"),
        ({"python_model": Plain(), "loader_module": "x"}, InvalidArgument, "give either"),
        ({"python_model": Plain(), "data_path": "x"}, InvalidArgument, "data_path needs"),
        ({"loader_module": "mlflow.sklearn"}, InvalidArgument, "your own module"),
        ({"loader_module": "x", "data_path": "gone"}, NotFound, "data_path names gone"),
        ({"python_model": Plain(), "artifacts": {"a": "gone"}}, NotFound, "artifact 'a' names"),
        ({"python_model": Plain(), "code_paths": ["gone.py"]}, NotFound, "code_paths names"),
        ({"python_model": Plain(), "model_config": [1]}, InvalidArgument, "model_config must be"),
        ({"python_model": Plain(), "pip_requirements": "gone"}, NotFound, "requirements gone"),
        ({"python_model": Plain(), "input_example": object()}, InvalidArgument, "input example"),
    ],
)
def test_a_wrong_argument_is_told_and_nothing_is_written(arguments, error, said, tmp_path):
    with pytest.raises(error, match=said):
        save_model(tmp_path / "m", **arguments)
    assert list(tmp_path.glob("*")) == []


def test_a_model_that_holds_a_lock_is_refused(tmp_path):
    model = Plain()
    model.lock = threading.Lock()
    with pytest.raises(InvalidArgument, match="Plain cannot be saved"):
        save_model(tmp_path / "m", python_model=model)


def test_code_that_would_hide_the_standard_library_is_refused(tmp_path):
    (tmp_path / "json.py").write_text("")
    with pytest.raises(InvalidArgument, match="standard module 'json'"):
        save_model(tmp_path / "m", python_model=Plain(), code_paths=[tmp_path / "json.py"])


def test_a_model_that_was_changed_is_not_trusted(scale):
    (scale / "artifacts" / "factor.txt").write_text("4")
    with pytest.raises(PermissionDenied, match="was changed since"):
        load_model(scale)
    assert load_model(scale, trust=True).predict(FRAME).tolist() == [4, 8, 12]


def test_a_moved_or_copied_model_is_still_trusted(scale, tmp_path):
    import shutil

    shutil.copytree(scale, tmp_path / "deep" / "copy")
    assert load_model(f"file://{tmp_path}/deep/copy").predict(FRAME).tolist() == [3, 6, 9]


def test_another_signature_keeps_the_trust(scale):
    autolog.models.set_signature(scale, infer_signature(pd.DataFrame({"x": [1]}), None))
    with pytest.raises(InvalidArgument, match="expected long, got float64"):
        load_model(scale).predict(FRAME)


def test_the_example_tells_the_signature_and_comes_back(tmp_path):
    save_model(
        tmp_path / "m",
        python_model=lambda data, params=None: data * params["factor"],
        input_example=(np.array([[1.5, 2.0]]), {"factor": 2}),
    )
    model = load_model(tmp_path / "m")
    assert model.params_schema.to_dict()[0]["default"] == 2
    np.testing.assert_array_equal(model.input_example, [[1.5, 2.0]])
    np.testing.assert_array_equal(model.predict(np.array([[1.0, 1.0]])), [[2, 2]])
    with pytest.raises(InvalidArgument, match=r"expected shape \(-1, 2\), got \(1, 3\)"):
        model.predict(np.zeros((1, 3)))


def test_other_versions_are_told(tmp_path, caplog):
    save_model(tmp_path / "m", python_model=Plain(), pip_requirements=["numpy==0.1", "gone-lib"])
    load_model(tmp_path / "m", suppress_warnings=True)
    assert "other versions" not in caplog.text
    load_model(tmp_path / "m")
    assert "numpy==0.1 (installed: " in caplog.text
    assert "gone-lib (installed: not)" in caplog.text


def test_a_model_of_another_library_names_what_is_missing(tmp_path):
    (tmp_path / "MLmodel").write_text(
        "flavors: {python_function: {loader_module: mlflow.no_such_library}}"
    )
    with pytest.raises(PermissionDenied, match=r"mlflow\.no_such_library"):
        load_model(tmp_path)
    with pytest.raises(NotSupported, match="cannot be imported"):
        load_model(tmp_path, trust=True)
