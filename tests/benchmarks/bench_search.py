"""What a search costs in one experiment of many runs; MLflow's beside it, with fewer runs.

Both databases are filled below their APIs, with 10 params, 5 metrics and 3 tags per run, and are
searched through `Store` and `MlflowClient`, 50 rows a page, the runs' own data included. How many
runs fit is varied from most to none, because a plan that is good for the one is bad for the other:
the slowest is a figure of its own.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from _measure import report

ROUNDS = 15
PAGE = 50
EXPERIMENT = "1"
ORDER = ["metrics.m0 DESC"]
CUTS = (0.2, 0.5, 0.8, 0.9, 0.95, 0.97, 0.99, 0.999)
OPTIMIZERS = ("adam", "sgd", "rmsprop", "lion", "adagrad")
TYPICAL = "metrics.m1 > 0.9 AND params.p0 = 'adam'"
PARAMS = ("params.p0 = 'adam'", "params.p2 = '7'", "params.p4 = 'value-7'")
NUMERIC = ("params.p3 > 0.5", "params.p3 > 0.9", "params.p3 < 0.01")

Search = Callable[[str | None, list[str] | None], Sequence[Any]]


def main() -> None:
    """Measures and reports the figures of search."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100_000, help="runs in our database")
    parser.add_argument("--mlflow-runs", type=int, default=2000, help="runs in MLflow's")
    options = parser.parse_args()
    logging.getLogger("alembic").setLevel(logging.ERROR)
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    with tempfile.TemporaryDirectory() as folder:
        ours = _ours(Path(folder), options.runs)
        theirs = None
        if importlib.util.find_spec("mlflow") is not None:
            theirs = _theirs(Path(folder), options.mlflow_runs)
        _report(ours, theirs, options.runs, options.mlflow_runs)


def _report(ours: Search, theirs: Search | None, runs: int, their_runs: int) -> None:
    scale = f"{runs:,} runs" + (f" (MLflow: {their_runs:,})" if theirs else "")

    def figure(
        what: str, text: str | None, order_by: list[str] | None, target: float | None
    ) -> None:
        mine, other = _alternate(ours, theirs, text, order_by)
        report(f"{scale}: {what}", mine, other, "ms", target)

    figure("filter on a metric and a param, order by another metric", TYPICAL, ORDER, 25.0)
    grid = [f"metrics.m1 > {cut} AND {param}" for cut in CUTS for param in (*PARAMS, *NUMERIC)]
    slowest, times = _slowest(ours, grid)
    report(
        f"{scale}: the slowest of {len(grid)} such filters, `{slowest}`", times, None, "ms", 25.0
    )
    figure("order by a metric only", None, ORDER, 10.0)
    figure("order by start time, the default", None, None, 10.0)
    figure("default order, filter on a metric and a param", TYPICAL, None, 25.0)
    either = "metrics.m1 > 0.99 OR params.p2 = '7'"
    for what, text, order_by in (
        ("either of two conditions, order by a metric", either, ORDER),
        ("a param that contains a text, order by a metric", "params.p4 LIKE '%77%'", ORDER),
        ("order by a param", None, ["params.p4"]),
        ("order by the smallest value of a metric", None, ["min(metrics.m0)"]),
    ):
        report(f"{scale}: {what}", _times(ours, text, order_by), None, "ms")


def _alternate(
    ours: Search, theirs: Search | None, text: str | None, order_by: list[str] | None
) -> tuple[list[float], list[float] | None]:
    mine: list[float] = []
    other: list[float] = []
    for number in range(ROUNDS + 1):
        began = time.perf_counter()
        ours(text, order_by)
        mine.append((time.perf_counter() - began) * 1e3)
        if theirs is not None and number < 6:
            began = time.perf_counter()
            theirs(text, order_by)
            other.append((time.perf_counter() - began) * 1e3)
    # The first search fills caches on either side.
    return mine[1:], other[1:] or None


def _times(ours: Search, text: str | None, order_by: list[str] | None) -> list[float]:
    return _alternate(ours, None, text, order_by)[0]


def _slowest(ours: Search, texts: Sequence[str]) -> tuple[str, list[float]]:
    times = {text: _times(ours, text, ORDER) for text in texts}
    slowest = max(times, key=lambda text: statistics.median(times[text]))
    return slowest, times[slowest]


def _run_ids(count: int) -> list[str]:
    order = random.Random(0)
    return [f"{order.getrandbits(128):032x}" for _ in range(count)]


def _params(run_ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """Yields (run id, key, value): few words, few numbers, any number, many words."""
    order = random.Random(1)
    for run_id in run_ids:
        yield run_id, "p0", order.choice(OPTIMIZERS)
        yield run_id, "p1", str(order.choice((1e-4, 3e-4, 1e-3, 3e-3, 1e-2)))
        yield run_id, "p2", str(order.randrange(100))
        yield run_id, "p3", repr(order.random())
        for number in range(4, 10):
            yield run_id, f"p{number}", f"value-{order.randrange(1000)}"


def _metrics(run_ids: Sequence[str]) -> Iterator[tuple[str, str, float]]:
    order = random.Random(2)
    for run_id in run_ids:
        for number in range(5):
            yield run_id, f"m{number}", order.random()


def _tags(run_ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    for number, run_id in enumerate(run_ids):
        yield run_id, "mlflow.runName", f"run-{number}"
        yield run_id, "mlflow.user", "ann"
        yield run_id, "mlflow.source.name", "train.py"


def _ours(folder: Path, count: int) -> Search:
    from autolog_core.search.values import parse_number
    from autolog_core.stores.sql.engine import Database
    from autolog_core.stores.sql.schema import HEAD
    from autolog_core.stores.sql.store import SqlStore

    path = folder / "ours.db"
    store = SqlStore(Database(f"sqlite:///{path}", str(path)), str(folder))
    store.create_experiment("bench")
    run_ids = _run_ids(count)
    experiment = int(EXPERIMENT)
    with closing(sqlite3.connect(path)) as connection, connection:
        _insert(
            connection,
            "runs (run_id, experiment_id, name, user_id, status, start_time, end_time,"
            " artifact_uri, lifecycle_stage, deleted_with_experiment)",
            (
                (r, experiment, f"run-{n}", "ann", "FINISHED", n, n + 9, f"/a/{r}", "active", 0)
                for n, r in enumerate(run_ids)
            ),
        )
        _insert(
            connection,
            "params (run_id, key, experiment_id, value, head, number)",
            ((r, k, experiment, v, v[:HEAD], parse_number(v)) for r, k, v in _params(run_ids)),
        )
        _insert(
            connection,
            "tags (run_id, key, experiment_id, value, head)",
            ((r, k, experiment, v, v[:HEAD]) for r, k, v in _tags(run_ids)),
        )
        _insert(
            connection,
            "latest_metrics (run_id, key, experiment_id, value, special, step, timestamp,"
            " minimum, minimum_step, maximum, maximum_step, points)",
            ((r, k, experiment, v, 0, 9, 9, v - 1, 0, v, 9, 10) for r, k, v in _metrics(run_ids)),
        )
    return lambda text, order_by: store.search_runs([EXPERIMENT], text, 1, PAGE, order_by)


def _theirs(folder: Path, count: int) -> Search:
    from mlflow import MlflowClient

    path = folder / "theirs.db"
    client = MlflowClient(f"sqlite:///{path}")
    client.create_experiment("bench")
    run_ids = _run_ids(count)
    with closing(sqlite3.connect(path)) as connection, connection:
        _insert(
            connection,
            "runs (run_uuid, name, source_type, user_id, status, start_time, end_time,"
            " lifecycle_stage, artifact_uri, experiment_id)",
            (
                (r, f"run-{n}", "LOCAL", "ann", "FINISHED", n, n + 9, "active", f"/a/{r}", 1)
                for n, r in enumerate(run_ids)
            ),
        )
        _insert(connection, "params (run_uuid, key, value)", _params(run_ids))
        _insert(connection, "tags (run_uuid, key, value)", _tags(run_ids))
        _insert(
            connection,
            "latest_metrics (run_uuid, key, value, timestamp, step, is_nan)",
            ((r, k, v, 9, 9, False) for r, k, v in _metrics(run_ids)),
        )
    return lambda text, order_by: client.search_runs([EXPERIMENT], text or "", 1, PAGE, order_by)


def _insert(connection: sqlite3.Connection, table: str, rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join("?" * (table.count(",") + 1))
    connection.executemany(f"INSERT INTO {table} VALUES ({places})", rows)


if __name__ == "__main__":
    main()
