"""What it costs to get 1,000 runs as a pandas frame; MLflow beside it, on runs like ours."""

from __future__ import annotations

import importlib.util
import logging
import os
import tempfile
import time

from _measure import report

RUNS = 1000
PARAMS = 10
METRICS = 5
ROUNDS = 9


def main() -> None:
    """Measures and reports the figure."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["AUTOLOG_ENABLE_SYSTEM_METRICS_LOGGING"] = "false"
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        modules = [_autolog()]
        if importlib.util.find_spec("mlflow"):
            modules.append(_mlflow())
        for module in modules:
            _fill(module)
        taken: list[list[float]] = [[] for _ in modules]
        for _ in range(ROUNDS):
            for module, times in zip(modules, taken, strict=True):
                begun = time.perf_counter()
                frame = module.search_runs(["0"])
                times.append((time.perf_counter() - begun) * 1e3)
                assert len(frame) == RUNS
        report("`search_runs` to pandas, 1,000 runs", taken[0], (*taken, None)[1], "ms", 60.0)


def _autolog():
    import autolog

    autolog.set_tracking_uri("sqlite:///ours/tracking.db")
    return autolog


def _mlflow():
    import mlflow

    mlflow.set_tracking_uri("sqlite:///theirs.db")
    return mlflow


def _fill(module) -> None:
    client = module.MlflowClient()
    metric, param = module.entities.Metric, module.entities.Param
    for number in range(RUNS):
        run_id = client.create_run("0").info.run_id
        client.log_batch(
            run_id,
            [metric(f"m{index}", number * 0.1 + index, 1, 0) for index in range(METRICS)],
            [param(f"p{index}", str(number + index)) for index in range(PARAMS)],
        )


if __name__ == "__main__":
    main()
