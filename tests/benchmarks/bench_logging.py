"""What logging costs the caller, and how fast the store takes it; MLflow beside it in one run.

Both write to a new SQLite database in the same temporary folder. Per call figures are taken call by
call, in rounds that alternate between the two; medians and quantiles are over all calls of a round.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from time import perf_counter_ns

from _measure import quantile, report

ROUNDS = 7
CALLS = 50_000
POINTS = 1_000_000
SLICE = 1000


def main() -> None:
    """Measures and reports the figures of the write path."""
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"] = "false"
    os.environ["AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING"] = "false"
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        ours = _autolog()
        theirs = _mlflow() if importlib.util.find_spec("mlflow") else None
        _per_call(ours, theirs)
        _whole_runs(ours, theirs)
        _batches(ours, theirs)
        ours.end_run()
        if theirs:
            theirs.end_run()


def _autolog():
    import autolog

    autolog.set_tracking_uri("sqlite:///ours/tracking.db")
    return autolog


def _mlflow():
    import mlflow

    mlflow.set_tracking_uri("sqlite:///theirs.db")
    mlflow.set_experiment("bench")
    return mlflow


def _per_call(ours, theirs) -> None:
    metric: list[float] = []
    tail: list[float] = []
    param: list[float] = []
    their_metric: list[float] = []
    their_tail: list[float] = []
    their_param: list[float] = []
    for _ in range(ROUNDS):
        with ours.start_run():
            _calls(ours, CALLS, 5000, metric, tail, param)
        if theirs:
            with theirs.start_run():
                _calls(theirs, 100, 60, their_metric, their_tail, their_param)
    report("`log_metric`, median call", metric, their_metric or None, "us", 1.5)
    report("`log_metric`, 99th percentile", tail, their_tail or None, "us", 10.0)
    report("`log_param`, median call", param, their_param or None, "us", 4.0)


def _calls(
    module, metrics: int, params: int, median: list[float], tail: list[float], param: list[float]
) -> None:
    log_metric, log_param = module.log_metric, module.log_param
    times = _each(lambda step: log_metric("loss", 0.5, step=step), metrics)
    median.append(statistics.median(times) / 1e3)
    tail.append(quantile(times, 0.99) / 1e3)
    times = _each(lambda number: log_param(f"p{number}", number), params)
    param.append(statistics.median(times) / 1e3)


def _each(call: Callable[[int], object], count: int) -> list[int]:
    times = []
    for number in range(count):
        begun = perf_counter_ns()
        call(number)
        times.append(perf_counter_ns() - begun)
    return times


def _whole_runs(ours, theirs) -> None:
    mine: list[float] = []
    other: list[float] = []
    for _ in range(ROUNDS):
        mine.append(_runs(ours, 200, ours.flush_async_logging))
        if theirs:
            other.append(_runs(theirs, 20, lambda: None))
    figure = "start, log one metric, end: a run, until all are in the store"
    report(figure, mine, other or None, "ms", 1.5)


def _runs(module, count: int, settle: Callable[[], object]) -> float:
    begun = time.perf_counter()
    for number in range(count):
        with module.start_run(run_name=f"run {number}"):
            module.log_metric("loss", 0.5, step=1)
    settle()
    return (time.perf_counter() - begun) / count * 1e3


def _batches(ours, theirs) -> None:
    rates: list[float] = []
    their_rates: list[float] = []
    client = ours.MlflowClient()
    entity = ours.entities.Metric
    moment = time.time_ns() // 1_000_000
    points = [entity("loss", number * 0.37, moment + number, number) for number in range(POINTS)]
    for _ in range(ROUNDS):
        run = client.create_run("0")
        begun = time.perf_counter()
        for start in range(0, POINTS, SLICE):
            client.log_batch(run.info.run_id, points[start : start + SLICE])
        ours.flush_async_logging()
        rates.append(POINTS / (time.perf_counter() - begun))
        assert len(client.get_metric_history(run.info.run_id, "loss")) == POINTS
        client.set_terminated(run.info.run_id)
    if theirs:
        their_client = theirs.MlflowClient()
        their_entity = theirs.entities.Metric
        some = [their_entity("loss", n * 0.37, moment + n, n) for n in range(10_000)]
        for _ in range(ROUNDS):
            run = their_client.create_run("0")
            begun = time.perf_counter()
            for start in range(0, len(some), SLICE):
                their_client.log_batch(run.info.run_id, some[start : start + SLICE])
            their_rates.append(len(some) / (time.perf_counter() - begun))
    figure = "`log_batch` of a million points, until all are in the store"
    report(figure, rates, their_rates or None, "points/s", 700_000, more_is_better=True)


if __name__ == "__main__":
    main()
