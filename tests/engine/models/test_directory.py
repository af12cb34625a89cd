"""The model directory: whole or not at all, sealed, described, and never leading out of itself."""

import json
import os
import stat
import subprocess
import sys
import threading

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from autolog_core.config import read_settings
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    StorageReadOnly,
)
from autolog_core.models import environment, pickles, seal
from autolog_core.models.code import check_code_paths, importable
from autolog_core.models.directory import new_directory
from autolog_core.models.environment import make_environment, mismatches, requirements_of
from autolog_core.models.example import make_example, read_example, read_example_params
from autolog_core.models.infer import infer_signature
from autolog_core.models.manifest import Model, read_manifest
from autolog_core.models.saving import SaveOptions, prepare
from autolog_core.models.snapshot import Parts, write
from autolog_core.models.trust import is_trusted, require_trust


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for name in ("AUTOLOG_TRUST_MODELS", "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


class Payload:
    def __init__(self, fails=None, runs_code=("it is a test",)):
        self.fails, self.runs_code = fails, runs_code

    def write(self, folder):
        (folder / "weights").mkdir()
        (folder / "weights" / "w.bin").write_bytes(b"12345")
        if self.fails:
            raise self.fails
        flavors = {"test": {"data": "weights/w.bin"}}
        return Parts(flavors, frozenset(("numpy.linalg",)), ("pyyaml",), self.runs_code)


def save(path, payload=None, **options):
    return write(prepare(payload or Payload(), SaveOptions(**options)), path)


def test_what_is_written_is_described(tmp_path):
    written = save(tmp_path / "m", metadata={"a": (1, 2)}, mlflow_model=Model(model_id="m-1"))
    model = read_manifest(tmp_path / "m")
    assert model == written.model
    assert model.metadata == {"a": [1, 2]}
    assert model.model_id == "m-1"
    files = {p.name for p in (tmp_path / "m").rglob("*") if p.is_file()}
    assert files >= {"MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml", "w.bin"}
    sizes = [p.stat().st_size for p in (tmp_path / "m").rglob("*") if p.is_file()]
    assert written.size == sum(sizes)
    assert str(tmp_path) not in (tmp_path / "m" / "MLmodel").read_text()
    assert {
        line.partition("==")[0]
        for line in (tmp_path / "m" / "requirements.txt").read_text().split()
    } == {"numpy", "pyyaml"}
    assert mismatches(tmp_path / "m") == []
    assert written.digest == seal.content_digest(tmp_path / "m")


@pytest.mark.parametrize("error", [RuntimeError("no"), KeyboardInterrupt(), OSError(5, "input")])
def test_a_save_that_fails_leaves_nothing(error, tmp_path):
    with pytest.raises((type(error), Exception)):
        save(tmp_path / "m", Payload(error))
    assert list(tmp_path.glob("**/*")) == []


def test_a_folder_that_fills_meanwhile_is_not_replaced(tmp_path):
    def fill(folder):
        (folder / "a").write_text("mine")
        (tmp_path / "m").mkdir()
        (tmp_path / "m" / "b").write_text("theirs")

    with pytest.raises(AlreadyExists), new_directory(tmp_path / "m") as folder:
        fill(folder)
    assert [p.name for p in tmp_path.glob("**/*") if p.is_file()] == ["b"]


@pytest.mark.skipif(os.getuid() == 0, reason="the superuser may write anywhere")
def test_a_place_that_cannot_be_written(tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StorageReadOnly):
            save(tmp_path / "m")
    finally:
        tmp_path.chmod(0o700)


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[2])
from test_directory import Payload, save
class Dies(Payload):
    def write(self, folder):
        super().write(folder)
        os.kill(os.getpid(), 9)
save(sys.argv[1], Dies())
"""


def test_a_process_that_is_killed_leaves_no_model(tmp_path):
    here = os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", KILLED, tmp_path / "m", here], check=False)
    assert done.returncode == -9
    assert not (tmp_path / "m").exists()
    save(tmp_path / "m")


def test_fields_that_are_not_known_are_kept(tmp_path):
    fields = {
        "flavors": {"x": {"deep": {"er": [1, {"a": None}]}}},
        "databricks_runtime": "15.4",
        "resources": {"api_version": "1"},
        "mlflow_version": "3.17.2",
        "is_signature_from_type_hint": True,
        "signature": infer_signature([1.5]).to_dict(),
        "utc_time_created": "2020-01-01 00:00:00",
        "prompts": None,
    }
    (tmp_path / "MLmodel").write_text(yaml.safe_dump(fields))
    model = Model.load(tmp_path)
    assert model.is_signature_from_type_hint
    written = yaml.safe_load(model.to_yaml())
    del fields["prompts"]
    assert {k: v for k, v in written.items() if k != "type_hint_from_example"} == fields
    assert Model.from_dict(written) == model
    assert Model.load(tmp_path / "MLmodel") == model
    assert model.get_model_info().flavors == model.flavors


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.booleans())))
def test_metadata_comes_back(metadata):
    model = Model(metadata=metadata)
    assert Model.from_dict(yaml.safe_load(model.to_yaml())) == model


@pytest.mark.parametrize(
    "text",
    ["", "[1]", "{", "flavors: 3", "flavors: {a: 1}", "a: !!python/object/apply:os.getcwd []",
     "signature: {inputs: '{'}", "x: &a [*a]\nflavors: [", "\x00", "flavors: {a: {b: 2020-99-99}"],
)  # fmt: skip
def test_what_is_no_manifest_is_refused(text, tmp_path):
    (tmp_path / "MLmodel").write_text(text)
    with pytest.raises(InvalidArgument):
        read_manifest(tmp_path)


def test_a_manifest_that_is_far_too_large_is_not_read(tmp_path):
    with open(tmp_path / "MLmodel", "wb") as stream:
        stream.truncate(2**30)
    with pytest.raises(InvalidArgument, match="larger than"):
        read_manifest(tmp_path)


EXAMPLES = {
    "frame": pd.DataFrame({"a": [1, 2], "b": [1.5, None], "c": ["x", "y"]}),
    "numbered": pd.DataFrame([[1.5, 2.5]]),
    "times": pd.DataFrame({"t": pd.to_datetime(["2020-01-01", "2021-01-01"]).as_unit("ns")}),
    "bytes": pd.DataFrame({"b": [b"\x00\xff", b"x"]}),
    "array": np.arange(6, dtype="float32").reshape(2, 3),
    "arrays": {"x": np.ones((2, 2)), "y": np.arange(2)},
    "csr": sparse.csr_matrix(np.eye(3)),
    "csc": sparse.csc_matrix(np.eye(3)),
    "list": ["a", "b"],
    "mapping": {"q": "a", "n": [1, 2]},
    "text": "a",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_comes_back_as_it_was(name, tmp_path):
    data = EXAMPLES[name]
    save(tmp_path / "m", input_example=(data, {"p": 1}))
    model = read_manifest(tmp_path / "m")
    found = read_example(model, tmp_path / "m")
    assert read_example_params(model, tmp_path / "m") == {"p": 1}
    if isinstance(data, pd.DataFrame):
        pd.testing.assert_frame_equal(found, data)
    elif sparse.issparse(data):
        assert (found != data).nnz == 0
        assert found.format == data.format
    elif isinstance(data, np.ndarray):
        assert found.dtype == data.dtype
        np.testing.assert_array_equal(found, data)
    elif name == "arrays":
        assert all(np.array_equal(found[key], data[key]) for key in data)
    else:
        assert found == data
    json.loads((tmp_path / "m" / "serving_input_example.json").read_text())


def test_an_example_cannot_lead_out_of_its_folder(tmp_path):
    save(tmp_path / "m")
    model = Model(saved_input_example_info={"artifact_path": "../secret", "type": "json_object"})
    (tmp_path / "secret").write_text("{}")
    with pytest.raises(InvalidArgument, match="leads out"):
        read_example(model, tmp_path / "m")
    with pytest.raises(InvalidArgument, match="format csr or csc"):
        make_example(sparse.coo_matrix(np.eye(2)))


def test_the_key_is_this_users_alone(tmp_path):
    save(tmp_path / "m")
    key = tmp_path / "home" / "autolog" / "model.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert len(key.read_bytes()) == 32
    assert [p.name for p in key.parent.iterdir()] == ["model.key"]


def test_a_key_that_others_can_read_is_not_used(tmp_path, caplog, user):
    user.setenv("XDG_DATA_HOME", str(tmp_path / "open"))
    key = tmp_path / "open" / "autolog" / "model.key"
    key.parent.mkdir(parents=True)
    key.write_bytes(b"k" * 32)
    key.chmod(0o644)
    save(tmp_path / "m")
    assert "is not this user's alone" in caplog.text
    # Known as one's own as long as the process lives.
    assert seal.is_sealed(tmp_path / "m", read_manifest(tmp_path / "m"))
    seal._read_key.cache_clear()
    assert not seal.is_sealed(tmp_path / "m", read_manifest(tmp_path / "m"))


def test_threads_that_make_the_key_at_once_agree(tmp_path, user):
    path = str(tmp_path / "race" / "model.key")
    found = []
    start = threading.Barrier(8)

    def make():
        start.wait()
        found.append(seal._read_key.__wrapped__(path))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1


@pytest.mark.parametrize("change", ["content", "added", "removed", "renamed", "loading", "link"])
def test_a_changed_model_has_no_seal(change, tmp_path):
    save(tmp_path / "m")
    file = tmp_path / "m" / "weights" / "w.bin"
    model = read_manifest(tmp_path / "m")
    assert seal.is_sealed(tmp_path / "m", model)
    if change == "content":
        file.write_bytes(b"1234!")
    elif change == "added":
        (tmp_path / "m" / "more.py").write_text("")
    elif change == "removed":
        file.unlink()
    elif change == "renamed":
        file.rename(file.with_name("v.bin"))
    elif change == "link":
        file.rename(tmp_path / "w.bin")
        file.symlink_to(tmp_path / "w.bin")
    else:
        model = Model(flavors={"test": {"data": "weights/w.bin", "loader_module": "os"}})
    assert not seal.is_sealed(tmp_path / "m", model)
    with pytest.raises(PermissionDenied, match="it is a test"):
        require_trust(tmp_path / "m", model, ["it is a test"])


def test_a_safe_model_has_no_seal_and_asks_nobody(tmp_path, user):
    save(tmp_path / "m", Payload(runs_code=()))
    assert not (tmp_path / "m" / seal.SEAL).exists()
    user.setenv("AUTOLOG_TRUST_MODELS", "false")
    require_trust(tmp_path / "m", read_manifest(tmp_path / "m"), [])


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [(None, None, None), ("true", None, True), ("false", "true", False), (None, "false", False),
     (None, "true", True)],
)  # fmt: skip
def test_settings_of_trust(ours, theirs, said, user, tmp_path):
    for name, value in (
        ("AUTOLOG_TRUST_MODELS", ours),
        ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", theirs),
    ):
        if value is not None:
            user.setenv(name, value)
    assert read_settings().trust_models is said
    assert is_trusted(tmp_path, Model()) is bool(said)
    assert is_trusted(tmp_path, Model(), trust=True)


def test_requirements_of_modules():
    found = requirements_of(["numpy.linalg", "pandas", "json", "__main__", "no_such_module"])
    assert [line.partition("==")[0] for line in found] == ["numpy", "pandas"]
    assert requirements_of([], ["no-such-lib"]) == ["no-such-lib"]


def test_requirements_that_the_user_gives(tmp_path):
    (tmp_path / "base.txt").write_text("numpy>=1  # why\n\n# note\n-r more.txt\n-c limits.txt\n")
    (tmp_path / "more.txt").write_text("pandas\n")
    (tmp_path / "limits.txt").write_text("scipy<2\n")
    made = make_environment(["x==1"], tmp_path / "base.txt")
    assert made.requirements == ("numpy>=1", "pandas", "-c constraints.txt")
    assert made.constraints == ("scipy<2",)
    made = make_environment(["x==1", "y==1"], None, ["x==2"])
    assert made.requirements == ("y==1", "x==2")
    conda = {"name": "n", "dependencies": ["python=3.11", {"pip": ["z==1"]}]}
    made = make_environment(["x==1"], conda_env=conda)
    assert (made.requirements, made.conda) == (("z==1",), conda)
    with pytest.raises(InvalidArgument, match="must be text"):
        make_environment([], [1])
    with pytest.raises(NotFound):
        make_environment([], ["-r gone.txt"])


def test_modules_that_a_pickle_comes_from():
    found = pickles.dump({"a": np.arange(3), "b": pd.Series([1])}, "it")
    assert {name.partition(".")[0] for name in found.modules} >= {"numpy", "pandas"}
    with pytest.raises(InvalidArgument, match=r"it cannot be saved.*lock"):
        pickles.dump(threading.Lock(), "it")


def test_a_module_of_the_process_is_back_after_loading(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "twice_named.py").write_text("WHO = 'model'\n")
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / "twice_named.py").write_text("WHO = 'user'\n")
    monkeypatch.syspath_prepend(tmp_path / "user")
    import importlib

    users = importlib.import_module("twice_named")
    with importable(tmp_path / "code"):
        assert importlib.import_module("twice_named").WHO == "model"
    assert sys.modules["twice_named"] is users
    assert importlib.import_module("twice_named").WHO == "user"
    with pytest.raises(ZeroDivisionError), importable(tmp_path / "code"):
        raise ZeroDivisionError
    assert sys.modules["twice_named"] is users


def test_code_that_cannot_travel(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.py").write_text("")
    with pytest.raises(InvalidArgument, match="different names"):
        check_code_paths([tmp_path / "a" / "same.py", tmp_path / "b" / "same.py"])


@pytest.mark.parametrize(
    ("wanted", "there", "found"),
    [
        ("tensorflow", {"tensorflow-cpu": "2.21"}, "2.21"),
        ("xgboost-cpu", {"xgboost": "3.2"}, "3.2"),
        ("tensorflow-intel", {"tensorflow-cpu": "2.21"}, "2.21"),
        ("tensorflow", {"tensorflow": "2.20", "tensorflow-cpu": "2.21"}, "2.20"),
        ("tensorflow", {"xgboost-cpu": "3.2"}, None),
    ],
)
def test_any_build_of_a_library_counts(wanted, there, found):
    assert environment._version_of(wanted, there) == found
