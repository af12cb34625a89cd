"""What the store on SQLite costs, below the journal; MLflow's where it can do the same.

Ours is measured through `Store`, MLflow's through `MlflowClient` on a database of its own, both in
one folder of the same disk.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
from _measure import report

from autolog_core.stores.base import Store
from autolog_core.stores.locate import open_store
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateRun,
    LogParams,
    Operation,
    SetTags,
    UpdateRun,
    WriterMark,
)

ROUNDS = 7
MILLION = 1_000_000
HISTORY = 100_000
THEIR_POINTS = 10_000
TINY = 2000
THEIR_TINY = 50
ONE = np.zeros(1, np.int64)


def main() -> None:
    """Measures and reports all figures."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        theirs = Theirs(folder / "mlflow.db") if importlib.util.find_spec("mlflow") else None
        points(folder, theirs)
        histories(folder, theirs)
        many_runs(folder, theirs)
        flushes(folder)


class Theirs:
    """The same work on MLflow's store."""

    def __init__(self, path: Path) -> None:
        logging.disable(logging.WARNING)
        import mlflow
        from mlflow.entities import Metric

        self.metric = Metric
        self.path = path
        self.client = mlflow.MlflowClient(f"sqlite:///{path}")
        self.run_id = self.client.create_run("0").info.run_id

    def append(self, key: str, count: int) -> None:
        steps, times, values = series(count)
        rows = zip(values.tolist(), times.tolist(), steps.tolist(), strict=True)
        metrics = [self.metric(key, value, stamp, step) for value, stamp, step in rows]
        for start in range(0, count, 1000):
            self.client.log_batch(self.run_id, metrics[start : start + 1000])

    def tiny_runs(self, count: int) -> None:
        for number in range(count):
            run = self.client.create_run("0", tags={f"tag{index}": "v" for index in range(7)})
            self.client.log_metric(run.info.run_id, "m", number)
            self.client.set_terminated(run.info.run_id)


def points(folder: Path, theirs: Theirs | None) -> None:
    """A million points in one batch, and what they take on disk."""
    speeds, sizes = [], []
    for number in range(ROUNDS):
        path = folder / f"points{number}" / "tracking.db"
        with closing(open_store(f"sqlite:///{path}")) as store:
            begin(store, "r")
            before = path.stat().st_size
            batch = [AppendMetrics("r", "loss", *series(MILLION))]
            speeds.append(MILLION / seconds(lambda: store.apply(batch)))  # noqa: B023
        sizes.append((path.stat().st_size - before) / MILLION)
    other, other_size = None, None
    if theirs is not None:
        before = on_disk(theirs.path)
        other = [THEIR_POINTS / seconds(lambda: theirs.append("speed", THEIR_POINTS))]
        other_size = [(on_disk(theirs.path) - before) / THEIR_POINTS]
    report(
        "store: a million points in one batch, committed",
        speeds,
        other,
        "points/s",
        1_000_000,
        more_is_better=True,
    )
    report("store: bytes on disk per point, regular series", sizes, other_size, "bytes", 10)


def histories(folder: Path, theirs: Theirs | None) -> None:
    """Reading 100,000 points."""
    with closing(open_store(f"sqlite:///{folder}/history/tracking.db")) as store:
        begin(store, "r")
        for start in range(0, HISTORY, 1000):
            columns = (column[start : start + 1000] for column in series(HISTORY))
            store.apply([AppendMetrics("r", "loss", *columns)])
        arrays = times(lambda: store.get_metric_series("r", "loss"))
        entities = times(lambda: store.get_metric_series("r", "loss").to_metrics())
        few = times(lambda: store.downsample_metric("r", "loss", 500))
    other = None
    if theirs is not None:
        theirs.append("history", HISTORY)
        run_id = theirs.run_id
        other = times(lambda: theirs.client.get_metric_history(run_id, "history"), 2)
    report("store: history of 100,000 points as entities", entities, other, "ms", 100)
    report("store: history of 100,000 points as arrays", arrays, None, "ms", 15)
    report("store: 100,000 points down-sampled to 500 buckets", few, None, "ms")


def many_runs(folder: Path, theirs: Theirs | None) -> None:
    """Many runs of which each logs little, and reading runs back."""
    speeds = []
    with closing(open_store(f"sqlite:///{folder}/tiny/tracking.db")) as store:
        for _ in range(ROUNDS):
            batch = [item for _ in range(TINY) for item in tiny_run()]
            speeds.append(TINY / seconds(lambda: store.apply(batch)))  # noqa: B023
    other = None
    if theirs is not None:
        other = [THEIR_TINY / seconds(lambda: theirs.tiny_runs(THEIR_TINY))]
    report("store: tiny runs", speeds, other, "runs/s", 2000, more_is_better=True)
    with closing(open_store(f"sqlite:///{folder}/page/tracking.db")) as store:
        store.apply([item for _ in range(3000) for item in usual_run()])
        pages = times(lambda: store.search_runs(["0"], max_results=1000))
    report("store: a page of 1,000 runs (10 params, 5 metrics, 8 tags)", pages, None, "ms", 30)


def flushes(folder: Path) -> None:
    """A point of each of 100 metrics, again and again."""
    with closing(open_store(f"sqlite:///{folder}/flush/tracking.db")) as store:
        begin(store, "r")
        taken = []
        for step in range(300):
            stamp, value = ONE + step * 250, np.full(1, step / 3)
            batch = [AppendMetrics("r", f"m{key}", ONE + step, stamp, value) for key in range(100)]
            mark = WriterMark("w", step + 1, step)
            taken.append(1000 * seconds(lambda: store.apply(batch, mark)))  # noqa: B023
    report("store: one point of each of 100 metrics, committed", taken, None, "ms")


def series(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns steps, times that grow by a few milliseconds irregularly, and random values."""
    rng = np.random.default_rng(0)
    times = 1_700_000_000_000 + np.cumsum(rng.integers(0, 12, count))
    return np.arange(count, dtype=np.int64), times, rng.random(count)


def begin(store: Store, run_id: str) -> None:
    """Creates a run."""
    store.apply([CreateRun(run_id, "0", "name", None, 5, f"/artifacts/{run_id}")])


def tiny_run() -> list[Operation]:
    """Returns a run with seven tags and one point."""
    run_id = uuid.uuid4().hex
    tags = tuple((f"tag{index}", "v") for index in range(7))
    return [
        CreateRun(run_id, "0", "name", "me", 5, f"/artifacts/{run_id}", tags),
        AppendMetrics(run_id, "m", ONE, ONE + 5, np.full(1, 0.5)),
        UpdateRun(run_id, "FINISHED", 9),
    ]


def usual_run() -> list[Operation]:
    """Returns a run with 10 params, 5 metrics and 8 tags, the name's included."""
    create, _, end = tiny_run()
    run_id = create.run_id
    return [
        create,
        SetTags(run_id, (("stage", "dev"),)),
        LogParams(run_id, tuple((f"param{index}", str(index / 7)) for index in range(10))),
        *(
            AppendMetrics(run_id, f"metric{index}", ONE, ONE + 5, np.full(1, index / 3))
            for index in range(5)
        ),
        end,
    ]


def times(work: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Returns milliseconds of `rounds` calls, after one that is not counted."""
    work()
    return [1000 * seconds(work) for _ in range(rounds)]


def seconds(work: Callable[[], object]) -> float:
    """Returns the seconds that `work` takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def on_disk(path: Path) -> int:
    """Returns the bytes of a database and what lies beside it."""
    return sum(
        os.path.getsize(name)
        for name in (f"{path}", f"{path}-wal", f"{path}-journal")
        if os.path.exists(name)
    )


if __name__ == "__main__":
    main()
