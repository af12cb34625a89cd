"""Kills a process that saves and prunes checkpoints at full speed, and looks at what is left.

Run it by itself for the whole experiment:

    python tests/engine/crash/pruning.py --rounds 100
"""

from __future__ import annotations

import argparse
import math
import mmap
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SAVERS = ("sklearn", "pyfunc", *(("pytorch",) if find_spec("torch") else ()))
AIMS = ("", ".partial", ".pruned")
CHILD = """
import mmap, random, sys
import numpy as np
import autolog
from autolog.checkpoints import CheckpointPolicy, checkpoint
from autolog_core.session import default_session

address, board_path, saver, seed = sys.argv[1:]
autolog.set_tracking_uri(address)
with open(board_path, "r+b") as file:
    board = memoryview(mmap.mmap(file.fileno(), 0)).cast("Q")

class Constant(autolog.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return self.value

def sklearn(step):
    from sklearn.linear_model import Ridge
    model = Ridge().fit(np.eye(3), np.arange(3.0))
    model.coef_ = np.full(100_000, float(step))
    return model

def pyfunc(step):
    model = Constant()
    model.value = np.full(100_000, float(step))
    return model

def pytorch(step):
    import torch
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(400, 400), torch.nn.Linear(10, 4))
    torch.nn.init.constant_(model[1].weight, step)
    return model

chance = random.Random(seed)
policy = CheckpointPolicy(monitor="loss", keep_best=2, keep_last=2, max_bytes="3 MB")
run = autolog.start_run()
print(run.info.run_id, flush=True)
step = 0
while True:
    loss = float("nan") if step % 7 == 3 else round(chance.random(), 1)
    checkpoint(globals()[saver](step), step=step, metrics={"loss": loss}, policy=policy)
    board[0] = step = step + 1
    if step == 1:
        default_session().saving.wait()
        print("begun", flush=True)
    # In between the caller is ahead of what is written, as in training.
    if chance.random() < 0.4:
        default_session().saving.wait()
"""
QUIET = {
    "AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING": "false",
    "AUTOLOG_CAPTURE_CODE": "false",
    "AUTOLOG_CAPTURE_PACKAGES": "false",
}


@dataclass(frozen=True)
class Outcome:
    """What was found after a kill; all but the first four must be nothing.

    Attributes:
        acknowledged: Checkpoints that the process was told are logged.
        statuses: How many models have which status.
        drafts: Folders that were half written when the process died.
        remains: Folders that were half deleted then.
        faults: What is wrong.
    """

    acknowledged: int
    statuses: Counter[str]
    drafts: int
    remains: int
    faults: tuple[str, ...]


def kill_once(
    folder: Path, delay: float, saver: str = "sklearn", aim: str = "", seed: int = 0
) -> Outcome:
    """Starts the child, kills it `delay` seconds after its first checkpoint, and recovers.

    Writing and deleting are short: with `aim` it is killed while there is a folder with that
    ending, if one is seen in time.
    """
    from autolog_core.session import Session

    address = f"sqlite:///{folder}/tracking.db"
    board = folder / "board"
    board.write_bytes(bytes(4096))
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, address, str(board), saver, str(seed)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **QUIET, "XDG_DATA_HOME": str(folder / "home")},
    )
    assert child.stdout is not None
    run_id, begun = child.stdout.readline().strip(), child.stdout.readline().strip()
    assert begun == "begun", "the child could not save its first checkpoint"
    time.sleep(delay)
    end = time.monotonic() + 2.0
    while aim and time.monotonic() < end and not is_there(folder / "0" / "models", aim):
        pass
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()
    with board.open("r+b") as file, mmap.mmap(file.fileno(), 0) as told:
        (acknowledged,) = struct.unpack_from("=Q", told, 0)
    drafts, remains = (len(leftovers(folder, ending)) for ending in (".partial", ".pruned"))
    session = Session(address)
    try:
        faults, statuses = examine(session, run_id, acknowledged, saver)
        left = leftovers(folder, ".partial") + leftovers(folder, ".pruned")
    finally:
        session.close()
    faults += [f"{each} is left" for each in left]
    return Outcome(acknowledged, statuses, drafts, remains, tuple(faults))


def is_there(root: Path, ending: str) -> bool:
    """Whether a model has a folder with that ending now."""
    for model in os.listdir(root):
        try:
            if any(name.endswith(ending) for name in os.listdir(root / model)):
                return True
        except FileNotFoundError:
            continue
    return False


def leftovers(folder: Path, ending: str) -> list[Path]:
    return list(folder.rglob(f".*{ending}"))


def examine(
    session: Any, run_id: str, acknowledged: int, saver: str
) -> tuple[list[str], Counter[str]]:
    """Returns what is wrong with the models of a run, and their statuses."""
    store = session.read()
    models = store.search_logged_models(["0"], f"source_run_id = '{run_id}'", max_results=50_000)
    faults = []
    steps = Counter(int(model.tags["autolog.checkpoint.step"]) for model in models)
    if set(steps.values()) - {1}:
        faults.append(f"models are doubled: {steps}")
    faults += [f"checkpoint {step} is lost" for step in range(acknowledged) if step not in steps]
    outputs = Counter(each.step for each in store.get_run(run_id).outputs.model_outputs)
    faults += [f"output {step} is lost" for step in range(acknowledged) if outputs[step] != 1]
    points = store.get_metric_series(run_id, "loss")
    for step in range(acknowledged - 1):
        if points.steps.tolist().count(step) != 1:
            faults.append(f"metric {step} is lost or doubled")
    for model in models:
        step = int(model.tags["autolog.checkpoint.step"])
        there = Path(model.artifact_location).exists()
        if model.status == "READY":
            try:
                right = value_of(model.artifact_location, saver) == step
            except Exception as error:
                faults.append(f"{step} is READY and does not load: {error!r}")
            else:
                if not right:
                    faults.append(f"{step} is READY with other weights")
        elif model.status == "PRUNED" and there:
            faults.append(f"{step} is PRUNED and has files")
        elif model.status == "PENDING":
            faults.append(f"{step} is PENDING")
        if step < acknowledged - 1 and len(model.metrics) != 1:
            faults.append(f"{step} has the metrics {model.metrics}")
    once = [model for model in models if model.status in ("READY", "PRUNED")]
    scores = [(float(model.tags["autolog.checkpoint.score"]), model) for model in once]
    known = [(score, age(model), model) for score, model in scores if not math.isnan(score)]
    best = [min(known, key=lambda each: each[:2])[2]] if known else []
    last = [max(once, key=age)] if once else []
    wrong = [model for model in best + last if model.status != "READY"]
    faults += [f"the best or last one is {model.status}" for model in wrong]
    return faults, Counter(model.status.value for model in models)


def age(model: Any) -> tuple[int, int]:
    return model.creation_timestamp, int(model.tags["autolog.checkpoint.step"])


def value_of(location: str, saver: str) -> float:
    """Loads a model, and returns the step that its weights are of."""
    if saver == "sklearn":
        import autolog.sklearn

        return float(autolog.sklearn.load_model(location).coef_[-1])
    if saver == "pyfunc":
        import autolog.pyfunc

        loaded = autolog.pyfunc.load_model(location, trust=True)
        return float(loaded.predict(None)[-1])
    import autolog.pytorch

    return autolog.pytorch.load_model(location, trust=True)[1].weight[-1, -1].item()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--saver", choices=SAVERS, action="append")
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    savers = arguments.saver or SAVERS
    outcomes = []
    for number in range(arguments.rounds):
        with tempfile.TemporaryDirectory() as folder:
            saver = savers[number % len(savers)]
            aim = AIMS[number // len(savers) % len(AIMS)]
            delay = chance.uniform(0.0, 0.6)
            outcomes.append(kill_once(Path(folder), delay, saver, aim, number))
        for fault in outcomes[-1].faults:
            print(f"round {number} ({saver}): {fault}")
        print(f"\r{number + 1} of {arguments.rounds}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    statuses = sum((each.statuses for each in outcomes), Counter())
    print(
        f"{len(outcomes)} kills, {sum(each.acknowledged for each in outcomes)} checkpoints "
        f"({', '.join(f'{count} {word}' for word, count in sorted(statuses.items()))}), "
        f"{sum(each.drafts > 0 for each in outcomes)} while files were written, "
        f"{sum(each.remains > 0 for each in outcomes)} while they were deleted: "
        f"{sum(len(each.faults) for each in outcomes)} faults"
    )


if __name__ == "__main__":
    main()
