"""What is recorded around a cross-validation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract, extract_params, flavor, patch_model, pools
from autolog.catboost.extract_files import Metric, Record, Watched

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder

TABLE = "cv_results.csv"
TEST, TRAIN = "test", "train"


class CvObserver:
    """Records one cross-validation: one run for all folds."""

    def __init__(self, options: CatboostOptions) -> None:
        self._options = options
        self._pool: Any = None
        self._params: Mapping[str, Any] = {}
        self._watched = False
        self._files: Watched | None = None

    def wants(self, call: Call) -> bool:
        """Whether the call is a training: each is."""
        return True

    def title(self, call: Call) -> str:
        """Returns a name for the run."""
        return "cv"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records params and data."""
        passed = call.arguments()
        self._params = passed.get("params") or {}
        with recorder.part("params"):
            recorder.params(extract_params.cv_params(passed))
        with recorder.part("dataset"):
            first = passed.get("pool")
            self._pool = passed.get("dtrain") if first is None else first
            pools.log_datasets({"X": self._pool}, recorder, self._options)
        self._watched = extract_params.asks_to_stop(passed, self._params)
        self._files = Watched(self._params)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the means and deviations of all iterations, the folds, and their models."""
        if self._files is not None:
            self._files.end()
        table, models = result if isinstance(result, tuple) else (result, ())
        ids: list[str | None] = []
        with recorder.part("models of the folds"):
            rows = pools.rows_of(self._pool)
            for number, model in enumerate(models):
                step = max(extract.tree_count(model) - 1, 0)
                name = f"fold_{number}"
                ids.append(
                    patch_model.log_model(
                        model, recorder, self._options, rows, step=step, name=name
                    )
                )
        told: list[Record] = []
        with recorder.part("folds"):
            told = self._told(table)
            if not told:
                recorder.skipped("folds", "CatBoost has written no file that tells of each")
            for number, record in enumerate(told):
                log_fold(record, number, recorder, ids[number] if ids else None)
        with recorder.part("metrics"):
            log_table(table, recorder, self._watched, told[0].metrics if told else ())

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is nothing to tell."""
        if self._files is not None:
            self._files.end()
        recorder.skipped("metrics", "the cross-validation failed")

    def _told(self, table: Any) -> list[Record]:
        """Returns what CatBoost has written of each fold, if that is what it returned the means of.

        Several programs may write to one folder.
        """
        found: list[Record] = []
        while self._files is not None:
            record = self._files.read(f"fold-{len(found)}")
            if record is None:
                break
            found.append(record)
        return found if found and _has_means(found, table) else []


def _has_means(records: Sequence[Record], table: Any) -> bool:
    metric = records[0].metrics[0].name
    steps, means = table["iterations"], table[f"{TEST}-{metric}-mean"]
    folds = [
        {entry.number: entry.values.get(TEST, {}).get(metric) for entry in record.entries}
        for record in records
    ]
    for step, mean in zip(steps, means, strict=True):
        values = [fold.get(int(step)) for fold in folds]
        known = [value for value in values if value is not None]
        if len(known) < len(folds):
            return False
        if not math.isclose(sum(known) / len(known), mean, rel_tol=1e-6, abs_tol=1e-9):
            return False
    return True


def log_fold(told: Record, number: int, recorder: Recorder, model_id: str | None) -> None:
    """Logs the curves of one fold, as ``fold_0/test-Logloss``.

    Args:
        told: What CatBoost has written of the fold.
        number: Of the fold, from 0.
        recorder: Of the training.
        model_id: The fold's model, whose metrics the last values are; None if it is not kept.
    """
    names = {extract.LEARN: f"fold_{number}/{TRAIN}"}
    names |= {test: f"fold_{number}/{test}" for test in told.tests}
    for curve in extract.told_curves(told, names):
        recorder.curve(curve.key, curve.values[:-1], curve.steps[:-1])
        recorder.metrics({curve.key: curve.values[-1]}, curve.steps[-1], model=model_id)


def log_table(
    table: Any, recorder: Recorder, watched: bool, metrics: Sequence[Metric] = ()
) -> None:
    """Logs a table of cross-validation: its columns as curves, itself as a file.

    Args:
        table: A frame or a mapping, with a column ``iterations``.
        recorder: Of the training.
        watched: Whether the overfitting detector was on.
        metrics: Those of the evaluation sets, as far as they are known.
    """
    curves = extract.cv_curves(table)
    for curve in curves:
        recorder.curve(curve.key, curve.values, curve.steps)
    recorder.artifact(TABLE, extract.csv_of(table))
    first = next((str(column) for column in table if column != "iterations"), None)
    if first is None:
        return
    facts: dict[str, float] = {}
    higher = metrics[0].higher if metrics else _higher(first)
    if higher is not None:
        values = curves[0].values
        place = (max if higher else min)(range(len(values)), key=values.__getitem__)
        facts |= extract.facts(curves[0].steps[place], curves)
    if watched:
        facts["stopped_iteration"] = curves[0].steps[-1]
    recorder.metrics(facts)


def _higher(column: str) -> bool | None:
    """Whether more is better of the metric that decides: the first of a table."""
    from catboost.core import is_maximizable_metric, is_minimizable_metric

    metric = column.removeprefix(f"{TEST}-").removesuffix("-mean")
    try:
        if is_maximizable_metric(metric):
            return True
        return False if is_minimizable_metric(metric) else None
    except flavor.library().CatBoostError:
        # It is one of the user's own.
        return None
