"""What records of logged models cost: logging them, and finding a few among 100,000."""

from __future__ import annotations

import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from _measure import report

from autolog_core.logged_models import begin_model
from autolog_core.session import Session
from autolog_core.stores.base import Store
from autolog_core.stores.locate import open_store
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateModel,
    CreateRun,
    LogOutputs,
    Operation,
    UpdateModel,
)

MODELS = 100_000
PER_RUN = 20
ROUNDS = 9
ON_IRIS = [{"dataset_name": "iris", "dataset_digest": "d1"}]
BY_ACCURACY = {"field_name": "metrics.acc", "ascending": False}


def main() -> None:
    """Measures and reports all figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        calls(folder)
        searches(folder)


def calls(folder: Path) -> None:
    """What the caller of a logging function waits for."""
    session = Session(f"sqlite:///{folder}/calls/tracking.db")
    session.experiment("0")
    begin_model(session, "0").finish()
    taken = []
    for _ in range(300):
        start = time.perf_counter()
        begin_model(session, "0", name="net", params={"lr": 0.1}).finish()
        taken.append(1e6 * (time.perf_counter() - start))
    session.close()
    report("models: a record begun and finished, time of the caller", taken, None, "us")


def searches(folder: Path) -> None:
    """Five of 100,000 models, each with two metrics on two datasets."""
    with closing(open_store(f"sqlite:///{folder}/search/tracking.db")) as store:
        start = time.perf_counter()
        fill(store)
        speed = MODELS / (time.perf_counter() - start)
        report(
            "models: records with four metrics each, committed",
            [speed],
            None,
            "models/s",
            more_is_better=True,
        )
        on_iris = {"datasets": ON_IRIS, "max_results": 5}
        by_iris = {**BY_ACCURACY, **ON_IRIS[0]}
        worst = {**by_iris, "ascending": True}
        for name, text, options, target in (
            ("metric filter on one dataset, ordered by it", "metrics.acc > 0.9", [by_iris], 30),
            ("the same, worst first", "metrics.acc > 0.9", [worst], 30),
            ("one in a thousand fits, ordered by it", "metrics.acc > 0.999", [by_iris], 30),
            ("metric filter on one dataset, newest first", "metrics.acc > 0.9", None, 30),
            ("one in a thousand fits, newest first", "metrics.acc > 0.999", None, 30),
            ("no filter, ordered by a metric of a dataset", "", [by_iris], None),
            ("no filter, newest first", "", None, None),
            ("two metrics and a param, ordered", BOTH, [by_iris], None),
            ("ordered by another metric", "metrics.acc > 0.9", ["metrics.loss"], None),
        ):

            def find(text: str = text, order: object = options) -> object:
                return store.search_logged_models(["0"], text, order_by=order, **on_iris)

            report(f"models: 5 of 100,000, {name}", times(find), None, "ms", target)


BOTH = "metrics.acc > 0.5 AND metrics.loss < 0.5 AND params.depth = '3'"


def fill(store: Store) -> None:
    """Logs models, in batches of a thousand."""
    rng = np.random.default_rng(0)
    operations: list[Operation] = []
    for index in range(0, MODELS, PER_RUN):
        run_id = uuid.uuid4().hex
        operations.append(CreateRun(run_id, "0", "run", None, index, "/runs", owned=False))
        for step in range(PER_RUN):
            operations += one_model(run_id, step, index + step, rng.random(4))
        if len(operations) > 8000:
            store.apply(operations)
            operations = []
    store.apply(operations)


def one_model(run_id: str, step: int, number: int, scores: np.ndarray) -> list[Operation]:
    """Returns the operations of a checkpoint with two metrics on each of two datasets."""
    model_id = f"m-{uuid.uuid4().hex}"
    params = (("depth", str(number % 10)), ("lr", "0.1"))
    names = [("acc", "d1"), ("acc", "d2"), ("loss", "d1"), ("loss", "d2")]
    made: list[Operation] = [
        CreateModel(model_id, "0", "net", "/models", number, run_id, "net", "PENDING", params),
        LogOutputs(run_id, ((model_id, step),)),
        UpdateModel(model_id, "READY", number),
    ]
    for (key, digest), score in zip(names, scores, strict=True):
        at, when, value = np.array([step]), np.array([number]), np.array([score])
        made.append(AppendMetrics(run_id, key, at, when, value, model_id, "iris", digest))
    return made


def times(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Returns milliseconds of `rounds` calls, after one that is not counted."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return taken[1:]


if __name__ == "__main__":
    main()
