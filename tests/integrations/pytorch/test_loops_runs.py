"""Which run a loop is recorded in, when it begins and ends, and what options do."""

import argparse
import math
import os
import subprocess
import sys
import threading

import pytest
import torch
from sklearn.linear_model import LogisticRegression, SGDClassifier
from tests.integrations.pytorch import zoo, zoo_more
from tests.integrations.pytorch.watched import models, only, runs, turn_off, turn_on
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

import autolog
from autolog.instrument import control, registry
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def watched(monkeypatch, tracking):
    monkeypatch.setitem(registry.BUILTIN, "pytorch", "autolog.pytorch.spec:SPEC")
    turn_on()
    yield
    turn_off()


def loader_of(n=40, **options):
    X, y = zoo.make_blobs(n)
    return DataLoader(TensorDataset(X, y), batch_size=10, **options)


def start():
    model = nn.Linear(6, 3)
    return model, torch.optim.SGD(model.parameters(), lr=0.1)


def train(model, optimizer, loader, epochs=1):
    for _ in range(epochs):
        for xb, yb in loader:
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(xb), yb)
            loss.backward()
            optimizer.step()


def test_two_trainings_are_two_runs():
    for _ in range(2):
        train(*start(), loader_of())
    assert [each.steps["loss"] for each in runs()] == [[0, 1, 2, 3]] * 2


def test_two_trainings_whose_optimizers_were_there_from_the_start():
    first, second = start(), start()
    train(*first, loader_of())
    train(*second, loader_of(30))
    assert [len(each.steps["loss"]) for each in runs()] == [4, 3]


def test_another_optimizer_of_the_same_model_goes_on():
    model, optimizer = start()
    train(model, optimizer, loader_of())
    finer = torch.optim.Adam(model.parameters(), lr=0.01)
    train(model, finer, loader_of())
    found = only()
    assert found.steps["loss"] == list(range(8))
    assert found.steps["epoch"] == [3, 7]


def test_trainings_that_take_turns_have_a_run_each():
    holder = [[[start()]], [[start()]]]
    X, y = zoo.make_blobs(10)
    for _ in range(3):
        for nested in holder:
            model, optimizer = nested[0][0]
            loss = functional.cross_entropy(model(X), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            del model, optimizer
    found = runs()
    assert [each.steps["loss"] for each in found] == [[0, 1, 2]] * 2


def test_it_joins_the_user_s_run_and_ends_with_it():
    with autolog.start_run() as run:
        model, optimizer = start()
        train(model, optimizer, loader_of())
        autolog.log_metric("mine", 1.0)
    found = only()
    assert found.run.info.run_id == run.info.run_id
    assert found.steps["train_loss"] == [3]
    assert found.values["mine"] == [1.0]
    assert found.run.info.status == "FINISHED"
    assert [each.source_run_id for each in models()] == [run.info.run_id]


def test_the_same_optimizer_in_a_later_run_goes_on_there():
    model, optimizer = start()
    for _ in range(2):
        with autolog.start_run():
            train(model, optimizer, loader_of())
    first, second = runs()
    assert first.steps["loss"] == [0, 1, 2, 3]
    assert second.steps["loss"] == [4, 5, 6, 7]
    assert second.run.data.tags["autolog.continues"] == first.run.info.run_id


def test_two_trainings_in_one_run_of_the_user():
    with autolog.start_run() as run:
        for _ in range(2):
            train(*start(), loader_of())
    first, second = runs()
    assert first.run.info.run_id == run.info.run_id
    assert second.run.data.tags["mlflow.parentRunId"] == run.info.run_id
    assert second.steps["loss"] == [0, 1, 2, 3]


def test_sklearn_in_the_midst_of_a_loop():
    control.configure("sklearn", control.OWN, log_models=False)
    try:
        X, y = zoo.make_blobs(40)
        model, optimizer = start()
        for _ in range(2):
            train(model, optimizer, loader_of())
            LogisticRegression().fit(X.numpy(), y.numpy())
    finally:
        control.configure("sklearn", control.OWN, disable=True)
    found = runs()
    kinds = sorted(each.run.data.tags["mlflow.autologging"] for each in found)
    assert kinds == ["pytorch", "sklearn", "sklearn"]
    (torch_run,) = [each for each in found if "loss" in each.steps]
    assert torch_run.steps["loss"] == list(range(8))
    assert torch_run.steps["epoch"] == [3, 7]


class Wrapped(SGDClassifier):
    """An estimator that trains a network, as skorch does."""

    def fit(self, X, y):
        model, optimizer = start()
        train(model, optimizer, loader_of())
        return super().fit(X, y)


def test_a_loop_inside_an_estimator_belongs_to_it():
    control.configure("sklearn", control.OWN, log_models=False)
    try:
        X, y = zoo.make_blobs(40)
        Wrapped().fit(X.numpy(), y.numpy())
    finally:
        control.configure("sklearn", control.OWN, disable=True)
    assert only().run.data.tags["mlflow.autologging"] == "sklearn"


def test_what_is_not_a_number_is_recorded():
    model, optimizer = start()
    X, y = zoo.make_blobs(10)
    for factor in (1.0, float("nan")):
        loss = functional.cross_entropy(model(X * factor), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    values = only().values
    assert math.isfinite(values["loss"][0])
    assert math.isnan(values["loss"][1])
    assert math.isnan(values["train_loss"][0])


def script():
    args = argparse.Namespace(epochs=1, layers=[4, 5], out="here", verbose=None)
    train(*start(), loader_of(), args.epochs)


def test_arguments_of_the_command_line():
    script()
    wanted = {"epochs": "1", "layers": "[4, 5]", "out": "here", "verbose": "None"}
    assert wanted.items() <= only().params.items()


def test_options_are_honoured():
    turn_on(log_models=False, log_datasets=False, extra_tags={"team": "a"}, log_every_n_step=3)
    train(*start(), loader_of(), epochs=2)
    found = only()
    assert found.steps["loss"] == [2, 5]
    assert found.steps["train_loss"] == [3, 7]
    assert found.contexts == []
    assert found.run.data.tags["team"] == "a"
    assert models() == []


def test_no_values_of_steps_and_every_other_epoch():
    turn_on(log_every_n_step=None, log_every_n_epoch=2, checkpoint=False)
    model, optimizer = start()
    train(model, optimizer, loader_of(), epochs=3)
    found = only()
    assert "loss" not in found.steps
    assert found.steps["train_loss"] == [7]
    assert [each.name for each in models()] == ["model"]


def test_the_option_exclusive():
    turn_on(exclusive=True)
    with autolog.start_run():
        train(*start(), loader_of())
    assert "loss" not in only().steps


def test_the_best_and_the_last_checkpoint_keep_their_weights():
    turn_on(checkpoint_monitor="train_loss", checkpoint_mode="max")
    model, optimizer = start()
    train(model, optimizer, loader_of(), epochs=4)
    found = only()
    assert default_session().saving.wait(60)
    best = max(range(4), key=lambda place: found.values["train_loss"][place])
    made = models()
    kept = [each.name for each in made if each.status == "READY"]
    assert {f"model-{best * 4 + 3}", "model-15"} == {*kept}


def test_a_module_s_autolog():
    autolog.pytorch.autolog(disable=True)
    train(*start(), loader_of())
    assert runs() == []
    with pytest.raises(autolog.exceptions.MlflowException, match="log_every_n_step"):
        autolog.pytorch.autolog(log_every_n_step=0)


def test_threads_have_a_run_each():
    def work():
        train(*start(), loader_of())

    threads = [threading.Thread(target=work) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert [each.steps["loss"] for each in runs()] == [[0, 1, 2, 3]] * 2


def test_a_frozen_teacher_is_no_validation():
    """Figures of the training batch that need no gradient are none of the validation."""
    model, optimizer = start()
    for xb, yb in loader_of():
        loss = functional.cross_entropy(model(xb), yb)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            functional.cross_entropy(model(xb), yb)
    assert not [name for name in only().steps if name.startswith("val")]


def test_saving_by_hand_is_left_alone(tmp_path):
    (model,) = zoo_more.early_stopping(tmp_path)
    kept = torch.load(tmp_path / "best.pt")
    assert set(kept) == {"model", "epoch"}
    assert kept["model"].keys() == model.state_dict().keys()
    assert only().steps["epoch"] == [2, 5, 8]


FAILING = """
import autolog
from autolog.instrument import registry
registry.BUILTIN["pytorch"] = "autolog.pytorch.spec:SPEC"
autolog.set_tracking_uri({uri!r})
autolog.autolog()

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

train_loader = DataLoader(TensorDataset(torch.randn(40, 6)), batch_size=10)
autoencoder = nn.Linear(6, 6)
optimizer = torch.optim.Adam(autoencoder.parameters(), lr=0.001)
for epoch in range(3):
    for (x,) in train_loader:
        optimizer.zero_grad()
        reconstruction_loss = nn.functional.mse_loss(autoencoder(x), x)
        reconstruction_loss.backward()
        optimizer.step()
    if epoch == 1:
        raise RuntimeError("the disk is full")
"""


def test_a_script_that_fails(tmp_path, tracking):
    script = tmp_path / "script.py"
    script.write_text(FAILING.format(uri=str(tracking)))
    ended = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr.rstrip().endswith("RuntimeError: the disk is full")
    found = only()
    assert found.run.info.status == "FAILED"
    assert found.steps["reconstruction_loss"] == list(range(8))
    assert found.steps["train_reconstruction_loss"] == [3, 7]
    assert found.params["model"] == "Linear"
    assert [each.name for each in models()] == ["autoencoder-3", "autoencoder-7"]
