"""What saving a model costs the training: how long the caller is stopped, and what is stored.

Each figure of PyTorch is taken in processes of its own, because the first snapshot of a process
pays for memory that the later ones find in place.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from _measure import report

MB = 10**6
ROUNDS = 7
PROCESSES = 5


def main() -> None:
    """Measures and reports all figures."""
    hundred()
    gigabyte()
    training()
    forest()
    frozen()


def in_process(name: str) -> dict[str, list[float]]:
    """Returns what a function of this file measures in a fresh process and an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        code = f"import bench_checkpoints as b, json; print(json.dumps(b.{name}()))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
        return found


def timed(work: Callable[[], object]) -> float:
    """Returns the milliseconds of a call."""
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def module(size: int, layers: int = 10) -> object:
    """Returns a module of linear layers with `size` bytes of weights, and a batch for it."""
    import torch

    width = int((size / 4 / layers) ** 0.5)
    parts = [torch.nn.Linear(width, width) for _ in range(layers)]
    return torch.nn.Sequential(*parts), torch.rand(2, width)


def hundred() -> None:
    """A module of 100 MB with an input example."""
    ours = [in_process("hundred_ours") for _ in range(3)]
    theirs = in_process("hundred_theirs") if importlib.util.find_spec("mlflow") else {}
    for figure, key, target in (
        ("`pytorch.log_model`, 100 MB, with input example: the caller is stopped", "caller", 60),
        ("`pytorch.log_model`, 100 MB, with input example: until READY", "ready", 600),
    ):
        taken = [each for run in ours for each in run[key]]
        report(figure, taken, theirs.get("call"), "ms", target)


def hundred_ours() -> dict[str, list[float]]:
    """Models that follow each other, each waited for."""
    import autolog
    import autolog.pytorch

    model, example = module(100 * MB)
    caller, ready = [], []
    with autolog.start_run():
        for step in range(ROUNDS):
            start = time.perf_counter()
            info = autolog.pytorch.log_model(model, name="net", step=step, input_example=example)
            caller.append(1000 * (time.perf_counter() - start))
            info.wait()
            ready.append(1000 * (time.perf_counter() - start))
            # Other weights each time: what is stored already would not be written again.
            change(model)
    return {"caller": caller[1:], "ready": ready[1:]}


def change(model: object) -> None:
    """Changes every weight, as an optimizer step does."""
    import torch

    with torch.no_grad():
        for each in model.parameters():
            each.add_(1.0)


def hundred_theirs() -> dict[str, list[float]]:
    """The same with MLflow."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import mlflow
    import mlflow.pytorch

    model, example = module(100 * MB)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    found = []
    with mlflow.start_run():
        for step in range(4):

            def log(step: int = step) -> object:
                return mlflow.pytorch.log_model(
                    model, name="net", step=step, input_example=example.numpy()
                )

            found.append(timed(log))
    return {"call": found[1:]}


def gigabyte() -> None:
    """A module of 1 GB: the snapshot against nothing but the copy of the weights."""
    runs = [in_process("gigabyte_ours") for _ in range(PROCESSES)]
    for figure, key, target in (
        ("`pytorch.log_model`, 1 GB: first snapshot over a clone of the weights", "first", 1.3),
        ("`pytorch.log_model`, 1 GB: later ones over a copy into buffers", "later", 1.5),
    ):
        report(figure, [each for run in runs for each in run[key]], None, "times", target)
    for figure, key in (
        ("`pytorch.log_model`, 1 GB: the caller is stopped, later snapshots", "stopped"),
        ("`pytorch.log_model`, 1 GB: until READY", "ready"),
    ):
        report(figure, [each for run in runs for each in run[key]], None, "ms")


def gigabyte_ours() -> dict[str, list[float]]:
    """The copy alone and the snapshot, in turn."""
    import torch

    import autolog
    import autolog.pytorch

    model, _ = module(1000 * MB)
    weights = [each.detach() for each in model.parameters()]
    small, _ = module(MB)
    with autolog.start_run():
        autolog.pytorch.log_model(small, name="warm").wait()
        cloned = timed(lambda: [each.clone() for each in weights])
        found = {"first": [], "later": [], "stopped": [], "ready": []}
        buffers = [torch.empty_like(each) for each in weights]
        for buffer, each in zip(buffers, weights, strict=True):
            buffer.copy_(each)
        for step in range(5):
            change(model)
            start = time.perf_counter()
            info = autolog.pytorch.log_model(model, name="net", step=step)
            taken = 1000 * (time.perf_counter() - start)
            info.wait()
            if step == 0:
                found["first"].append(taken / cloned)
                continue
            found["ready"].append(1000 * (time.perf_counter() - start))

            def copy() -> None:
                for buffer, each in zip(buffers, weights, strict=True):
                    buffer.copy_(each)

            found["later"].append(taken / timed(copy))
            found["stopped"].append(taken)
    return found


def training() -> None:
    """Steps of training while a checkpoint of 1 GB is written."""
    runs = [in_process("training_ours") for _ in range(PROCESSES)]
    report(
        "training steps per second while 1 GB is written, against none written",
        [each for run in runs for each in run["share"]],
        None,
        "times",
        0.9,
        more_is_better=True,
    )
    report(
        "training: seconds until that 1 GB is READY",
        [each for run in runs for each in run["seconds"]],
        None,
        "s",
    )


def training_ours() -> dict[str, list[float]]:
    """A small transformer trains on all cores; a module of 1 GB is logged beside it."""
    import torch

    import autolog
    import autolog.pytorch

    heavy, _ = module(1000 * MB)
    layer = torch.nn.TransformerEncoderLayer(256, 4, 512, dropout=0.0, batch_first=True)
    net = torch.nn.TransformerEncoder(layer, 2)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    batch = torch.rand(16, 64, 256)

    def step() -> None:
        optimizer.zero_grad()
        net(batch).square().mean().backward()
        optimizer.step()

    def rate(seconds: float) -> float:
        start, steps = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            step()
            steps += 1
        return steps / (time.perf_counter() - start)

    shares, lasted = [], []
    with autolog.start_run():
        autolog.pytorch.log_model(heavy, name="warm").wait()
        rate(2.0)
        for number in range(3):
            change(heavy)
            before = rate(3.0)
            info = autolog.pytorch.log_model(heavy, name="net", step=number)
            start, steps = time.perf_counter(), 0
            while not info.wait(0):
                step()
                steps += 1
            seconds = time.perf_counter() - start
            after = rate(3.0)
            shares.append(steps / seconds / statistics.mean((before, after)))
            lasted.append(seconds)
    return {"share": shares, "seconds": lasted}


def forest() -> None:
    """A random forest of 50 trees."""
    ours = [in_process("forest_ours") for _ in range(3)]
    theirs = in_process("forest_theirs") if importlib.util.find_spec("mlflow") else {}
    for figure, key, target in (
        ("`sklearn.log_model`, a forest of 50 trees: the caller is stopped", "caller", 10),
        ("the same while an earlier one is being written", "busy", None),
    ):
        taken = [each for run in ours for each in run[key]]
        report(figure, taken, theirs.get("call"), "ms", target)


def fitted() -> object:
    """Returns a fitted forest and a few rows."""
    from sklearn.datasets import load_digits
    from sklearn.ensemble import RandomForestClassifier

    features, labels = load_digits(return_X_y=True)
    return RandomForestClassifier(50, random_state=0).fit(features, labels), features[:3]


def forest_ours() -> dict[str, list[float]]:
    """Forests, each waited for; and forests that follow each other."""
    import autolog
    import autolog.sklearn

    model, _ = fitted()
    caller, busy = [], []
    with autolog.start_run():
        for step in range(ROUNDS):
            start = time.perf_counter()
            info = autolog.sklearn.log_model(model, name="forest", step=step)
            caller.append(1000 * (time.perf_counter() - start))
            info.wait()
        for _ in range(ROUNDS):
            busy.append(timed(lambda: autolog.sklearn.log_model(model, name="forest")))
    return {"caller": caller[1:], "busy": busy[1:]}


def forest_theirs() -> dict[str, list[float]]:
    """The same with MLflow."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import mlflow
    import mlflow.sklearn

    model, _ = fitted()
    mlflow.set_tracking_uri("sqlite:///mlflow.db")

    def log() -> object:
        # Its default format, skops, asks the user to list the types of trees.
        return mlflow.sklearn.log_model(model, name="forest", serialization_format="cloudpickle")

    with mlflow.start_run():
        found = [timed(log) for _ in range(4)]
    return {"call": found[1:]}


def frozen() -> None:
    """Twenty checkpoints of a module of which 95% is frozen."""
    found = in_process("frozen_ours")
    theirs = in_process("frozen_theirs") if importlib.util.find_spec("mlflow") else {}
    report(
        "20 checkpoints with 95% frozen weights: bytes stored over bytes of one",
        found["ratio"],
        theirs.get("ratio"),
        "times",
        2.1,
    )


def frozen_ours() -> dict[str, list[float]]:
    """A module of 20 layers, of which the last is trained."""
    import autolog
    import autolog.pytorch

    model, _ = module(40 * MB, layers=20)
    sizes = []
    with autolog.start_run():
        for step in range(20):
            autolog.pytorch.log_model(model, name="net", step=step).wait()
            sizes.append(stored(Path("mlruns")))
            change(model[-1])
    return {"ratio": [sizes[-1] / sizes[0]]}


def frozen_theirs() -> dict[str, list[float]]:
    """The same with MLflow."""
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import mlflow
    import mlflow.pytorch

    model, _ = module(40 * MB, layers=20)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    sizes = []
    with mlflow.start_run():
        for step in range(20):
            mlflow.pytorch.log_model(model, name="net", step=step, serialization_format="pickle")
            sizes.append(stored(Path("mlruns")))
            change(model[-1])
    return {"ratio": [sizes[-1] / sizes[0]]}


def stored(folder: Path) -> int:
    """Returns the bytes of all files of models below a folder, those of one inode once."""
    found = {}
    for path in folder.rglob("models/**/*"):
        if path.is_file():
            told = path.stat()
            found[told.st_dev, told.st_ino] = told.st_size
    return sum(found.values())


if __name__ == "__main__":
    main()
