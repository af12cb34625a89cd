"""What an earlier checkpoint holds is stored once, and every directory is complete by itself."""

import os
import shutil
from pathlib import Path

import torch
from torch import nn

import autolog
import autolog.pytorch


def net() -> nn.Sequential:
    return nn.Sequential(*[nn.Linear(200, 200) for _ in range(20)])


def folder(info) -> Path:
    info.wait()
    return Path(autolog.get_logged_model(info.model_id).artifact_location.removeprefix("file://"))


def stored(root: Path) -> int:
    told = [path.stat() for path in root.rglob("models/**/*") if path.is_file()]
    return sum({(each.st_dev, each.st_ino): each.st_size for each in told}.values())


def test_frozen_weights_are_stored_once(tracking):
    model, kept, infos = net(), [], []
    with autolog.start_run():
        for step in range(20):
            infos.append(autolog.pytorch.log_model(model, name="net", step=step))
            kept.append({name: each.clone() for name, each in model.state_dict().items()})
            if step == 0:
                folder(infos[0])
                first = stored(tracking)
            with torch.no_grad():
                model[-1].weight.add_(1.0)
    autolog.get_logged_model(infos[-1].model_id)
    infos[-1].wait()
    assert stored(tracking) <= 2.1 * first
    for info, expected in zip(infos, kept, strict=True):
        found = autolog.pytorch.load_model(info.model_uri).state_dict()
        assert all(torch.equal(found[name], expected[name]) for name in expected)


def test_a_checkpoint_outlives_the_one_it_shares_with(tracking):
    model = net()
    with autolog.start_run():
        first = folder(autolog.pytorch.log_model(model, name="net", step=0))
        with torch.no_grad():
            model[0].weight.add_(1.0)
        second = autolog.pytorch.log_model(model, name="net", step=1)
        assert any(path.stat().st_nlink == 2 for path in (folder(second) / "data").iterdir())
        shutil.rmtree(first)
        third = autolog.pytorch.log_model(model, name="net", step=2)
    for info in (second, third):
        loaded = autolog.pytorch.load_model(info.model_uri)
        assert torch.equal(loaded[0].weight, model[0].weight)
    assert os.path.samefile(
        folder(second) / "data" / "weights-1.safetensors",
        folder(third) / "data" / "weights-1.safetensors",
    )


def test_a_moved_directory_is_complete(tracking, tmp_path):
    model = net()
    with autolog.start_run():
        autolog.pytorch.log_model(model, name="net", step=0)
        with torch.no_grad():
            model[0].weight.add_(1.0)
        second = folder(autolog.pytorch.log_model(model, name="net", step=1))
    shutil.copytree(second, tmp_path / "copy")
    shutil.rmtree(tracking / "0" / "models", ignore_errors=True)
    assert torch.equal(autolog.pytorch.load_model(tmp_path / "copy")[0].weight, model[0].weight)


def test_what_is_saved_by_path_shares_nothing(tracking, tmp_path):
    model = net()
    autolog.pytorch.save_model(model, tmp_path / "a")
    autolog.pytorch.save_model(model, tmp_path / "b")
    assert (tmp_path / "b" / "data" / "model.safetensors").stat().st_nlink == 1
