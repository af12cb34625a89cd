"""A model from elsewhere runs no code unasked; what is damaged is told."""

import json
import os
import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

import autolog
import autolog.models
import autolog.pyfunc
import autolog.pytorch
from autolog_core.errors import InvalidArgument, NotFound, PermissionDenied


class Evil:
    """Makes a folder when it is loaded."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "me"))
    folder = tmp_path / "model"
    autolog.pytorch.save_model(nn.Linear(300, 200), folder, input_example=torch.ones(1, 300))
    return folder


def become_another(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "another"))


def test_ones_own_model_loads_without_a_word(own):
    autolog.pytorch.load_model(own)
    autolog.pyfunc.load_model(own)


def test_a_model_of_another_asks_for_trust(own, monkeypatch, tmp_path):
    become_another(monkeypatch, tmp_path)
    (own / "data" / "architecture.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    for load in (autolog.pytorch.load_model, autolog.pyfunc.load_model):
        with pytest.raises(PermissionDenied, match="trust=True"):
            load(own)
    assert autolog.models.get_model_info(own).signature is not None
    assert autolog.pytorch.load_state_dict(own)["weight"].shape == (200, 300)
    assert not (tmp_path / "ran").exists()


def test_trust_is_said(own, monkeypatch, tmp_path):
    become_another(monkeypatch, tmp_path)
    assert type(autolog.pytorch.load_model(own, trust=True)) is nn.Linear


@pytest.mark.parametrize("name", ["data/architecture.pkl", "data/weights.json", "data/model.pth"])
def test_a_changed_file_asks_for_trust(own, name):
    with open(own / name, "ab") as stream:
        stream.write(b" ")
    with pytest.raises(PermissionDenied):
        autolog.pytorch.load_model(own)


def test_changed_weights_are_told(own):
    file = own / "data" / "model.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.unlink()
    file.write_bytes(data)
    for load in (autolog.pytorch.load_model, autolog.pytorch.load_state_dict):
        with pytest.raises(InvalidArgument, match="was changed since it was saved"):
            load(own)


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda data: (data / "model.safetensors").unlink(), NotFound),
        (lambda data: replace(data / "model.safetensors", b"no file of weights"), InvalidArgument),
        (lambda data: replace(data / "weights.json", b"{"), InvalidArgument),
        (lambda data: replace(data / "weights.json", b'{"version": 99}'), InvalidArgument),
        (lambda data: edit(data, lambda told: told["tensors"][0].pop("shape")), InvalidArgument),
        (
            lambda data: edit(data, lambda told: told["tensors"][0].update(shape=[])),
            InvalidArgument,
        ),
        (
            lambda data: edit(
                data,
                lambda told: told["tensors"][0].update(offset=10**6, shape=[2], stride=[1]),
            ),
            InvalidArgument,
        ),
        (
            lambda data: edit(
                data, lambda told: told["tensors"][0].update(offset=-5, shape=[2], stride=[1])
            ),
            InvalidArgument,
        ),
        (lambda data: edit(data, lambda told: told["state_dict"].update(x=77)), InvalidArgument),
        (
            lambda data: edit(data, lambda told: told["entries"]["weight"].update(file="../../x")),
            InvalidArgument,
        ),
        (
            lambda data: edit(data, lambda told: told["tensors"][0].update(dtype="load")),
            InvalidArgument,
        ),
        (lambda data: replace(data / "architecture.pkl", b"junk"), InvalidArgument),
    ],
    ids=["missing", "junk", "json", "version", "field", "shape", "beyond", "before", "state",
         "traversal", "dtype", "pickle"],
)  # fmt: skip
def test_damage_is_told(own, damage, error):
    damage(own / "data")
    with pytest.raises(error):
        autolog.pytorch.load_model(own, trust=True)


def replace(file: Path, data: bytes) -> None:
    file.unlink()
    file.write_bytes(data)


def edit(data: Path, change) -> None:
    told = json.loads((data / "weights.json").read_text())
    change(told)
    (data / "weights.json").write_text(json.dumps(told))


def test_nobody_leaves_more_out_of_a_seal(own, tmp_path):
    seal = json.loads((own / "autolog_seal.json").read_text())
    assert seal["apart"] == ["data/model.safetensors"]
    seal["apart"].append("data/architecture.pkl")
    (own / "autolog_seal.json").write_text(json.dumps(seal))
    (own / "data" / "architecture.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    with pytest.raises(PermissionDenied):
        autolog.pytorch.load_model(own)
    assert not (tmp_path / "ran").exists()


def test_state_dicts_are_kept_and_loaded(tracking, tmp_path):
    model = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    both = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "epoch": 3}
    with autolog.start_run() as run:
        autolog.pytorch.log_state_dict(both, "checkpoint")
    found = autolog.pytorch.load_state_dict(f"runs:/{run.info.run_id}/checkpoint")
    assert found["epoch"] == 3
    assert torch.equal(found["model"]["weight"], model.weight)
    moments = found["optimizer"]["state"][0]["exp_avg"]
    assert torch.equal(moments, optimizer.state[model.weight]["exp_avg"])
    optimizer.load_state_dict(found["optimizer"])


def test_a_state_dict_that_runs_code_asks_for_trust(tracking, tmp_path):
    os.makedirs(tmp_path / "state")
    torch.save({"a": Evil(tmp_path / "ran")}, tmp_path / "state" / "state_dict.pth")
    with pytest.raises(PermissionDenied, match="more than tensors"):
        autolog.pytorch.load_state_dict(tmp_path / "state")
    assert not (tmp_path / "ran").exists()
    autolog.pytorch.load_state_dict(tmp_path / "state", trust=True)
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize("wrong", [3, nn.Linear(1, 1)])
def test_what_is_no_state_dict_is_refused(tracking, wrong):
    with autolog.start_run(), pytest.raises(InvalidArgument, match="state_dict must be a mapping"):
        autolog.pytorch.log_state_dict(wrong, "checkpoint")


def test_there_is_no_such_state_dict(tracking, tmp_path):
    with pytest.raises(NotFound):
        autolog.pytorch.load_state_dict(tmp_path / "nowhere")


def test_a_model_of_another_library_is_named(tracking, tmp_path):
    autolog.pyfunc.save_model(tmp_path / "m", python_model=lambda data: data)
    with pytest.raises(autolog.exceptions.MlflowException, match="no model of PyTorch"):
        autolog.pytorch.load_model(tmp_path / "m")
