"""What is recorded around a search over params: one run, and a child run for each good candidate.

CatBoost returns the best params, and a cross-validation of these. What it measured of the others is
in its file alone, which the fit with the best params writes over: it is read before that.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract, extract_params, patch_cv, patch_model, pools
from autolog.catboost.extract_files import Entry, Record, Watched

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

CANDIDATES = "search_results.csv"
_LONGEST_NAME = 120


class SearchObserver:
    """Records one search."""

    def __init__(self, options: CatboostOptions) -> None:
        self._options = options
        self._passed: Mapping[str, Any] = {}
        self._known: dict[str, str] = {}
        self._datasets: dict[str, Dataset] = {}
        self._rows: Any = None
        self._files: Watched | None = None
        self._told: Record | None = None
        self._began = 0

    def wants(self, call: Call) -> bool:
        """Whether the call is a training: each is."""
        return True

    def title(self, call: Call) -> str:
        """Returns a name for the run."""
        return f"{type(call.instance).__name__} search"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags, params and data."""
        self._passed = call.arguments()
        params = call.instance.get_params()
        with recorder.part("tags"):
            recorder.tags(extract_params.model_tags(call.instance))
        with recorder.part("params"):
            self._known = extract_params.fit_params(params, {})
            method = "randomized_search" if "param_distributions" in self._passed else "grid_search"
            recorder.params(self._known | extract_params.search_params(method, self._passed))
        with recorder.part("datasets"):
            self._datasets = pools.log_datasets(self._passed, recorder, self._options)
        with recorder.part("rows"):
            self._rows = pools.rows_of(self._passed.get("X"))
        self._files = Watched(params)
        self._began = round(time.time() * 1000)

    def before_refit(self) -> None:
        """Reads what CatBoost has written of the candidates."""
        if self._files is not None and self._told is None:
            told = self._files.read()
            self._told = told if told is not None and told.searching else None

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the candidates, the table of the best one, and its model."""
        model, best = call.instance, result["params"]
        with recorder.part("candidates"):
            self.before_refit()
            self._log_candidates(recorder, best)
        if self._files is not None:
            self._files.end()
        with recorder.part("best params"):
            recorder.params({f"best_{name}": extract_params.text_of(best[name]) for name in best})
        with recorder.part("metrics"):
            table = result.get("cv_results")
            if table is not None and len(table):
                watched = extract_params.asks_to_stop({}, model.get_params())
                metrics = self._told.metrics if self._told else ()
                patch_cv.log_table(table, recorder, watched, metrics)
        if model.is_fitted() and self._passed.get("refit", True):
            self._log_model(model, recorder)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Records what was tried before the search failed."""
        with recorder.part("candidates"):
            self.before_refit()
            self._log_candidates(recorder, {})
        if self._files is not None:
            self._files.end()
        recorder.skipped("model", "the search failed")

    def _log_model(self, model: Any, recorder: Recorder) -> None:
        resolved = model.get_all_params()
        with recorder.part("resolved params"):
            # Those that were searched are not what the user gave.
            patch_model.log_resolved(resolved, recorder, resolved)
        with recorder.part("metrics of the best model"):
            planned = int(resolved["iterations"])
            period = int(extract_params.setting("metric_period", model.get_params()))
            evals = model.get_evals_result()
            watched = extract_params.watches_overfitting(resolved)
            for curve in extract.curves(evals, planned, period, watched):
                dataset = self._datasets.get(curve.dataset)
                recorder.curve(curve.key, curve.values, curve.steps, dataset)
        with recorder.part("feature importance"):
            patch_model.log_importances(
                model,
                recorder,
                self._options.importance_types,
                lambda: pools.as_pool(model, self._passed),
            )
        with recorder.part("model"):
            step = max(extract.tree_count(model) - 1, 0)
            patch_model.log_model(model, recorder, self._options, self._rows, step=step)

    def _log_candidates(self, recorder: Recorder, best: Mapping[str, Any]) -> None:
        if self._told is None or not self._told.entries:
            recorder.skipped("candidates", "CatBoost has written no file that tells of each")
            return
        ranked = best_first(self._told)
        drawn = [name for name, value in ranked[0].params.items() if is_drawn(value)]
        if drawn:
            recorder.skipped(
                f"{', '.join(drawn)} of the candidates",
                "CatBoost tells what a distribution drew for the best one only",
            )
        ranked = [replace(ranked[0], params=dict(ranked[0].params) | dict(best)), *ranked[1:]]
        recorder.artifact(CANDIDATES, candidates_table(ranked))
        most = self._options.max_tuning_runs
        ended = {entry.number: self._began + round(entry.seconds * 1000) for entry in ranked}
        for entry in ranked[:most]:
            params = known_params(entry)
            words = ", ".join(f"{name}={value}" for name, value in params.items())
            title = words or f"candidate {entry.number}"
            began = ended.get(entry.number - 1, self._began)
            with recorder.child(title[:_LONGEST_NAME], began, ended[entry.number]) as child:
                child.params(self._known | params)
                child.metrics(metrics_of(entry))
        if most is not None and len(ranked) > most:
            recorder.skipped(
                f"child runs of {len(ranked) - most} candidates", f"max_tuning_runs is {most}"
            )


def see_refit(observer: Any, call: Call, recorder: Recorder) -> None:
    """Sees a fit that another watched call makes: that of a search with the best params."""
    if isinstance(observer, SearchObserver):
        with recorder.part("candidates"):
            observer.before_refit()


def best_first(told: Record) -> list[Entry]:
    """Returns candidates by the metric that decides, or in their order if nothing tells of it."""
    metric = told.metrics[0]
    if metric.higher is None:
        return list(told.entries)
    sign = -1 if metric.higher else 1
    return sorted(told.entries, key=lambda entry: sign * _mean(entry, told.tests, metric.name))


def _mean(entry: Entry, tests: Sequence[str], metric: str) -> float:
    values = [entry.values[test][metric] for test in tests if test in entry.values]
    return sum(values) / len(values) if values else float("inf")


def metrics_of(entry: Entry) -> dict[str, float]:
    """Returns what was measured of a candidate, as ``test-Logloss`` or ``fold_0/test-Logloss``."""
    return {
        extract.key_of(_word(dataset), metric): value
        for dataset, metrics in entry.values.items()
        for metric, value in metrics.items()
    }


def _word(dataset: str) -> str:
    # As the tables of cross-validation have it; folds are named fold_0_test.
    fold, _, word = dataset.rpartition("_")
    word = patch_cv.TRAIN if word == extract.LEARN else word
    return f"{fold}/{word}" if fold else word


def is_drawn(value: Any) -> bool:
    """Whether a param of a candidate is what a distribution drew, which the file does not tell."""
    return isinstance(value, str) and value.startswith("CustomRandomDistributionGenerator")


def known_params(entry: Entry) -> dict[str, str]:
    """Returns the params of a candidate as text, as far as they are known."""
    return {
        name: extract_params.text_of(value)
        for name, value in entry.params.items()
        if not is_drawn(value)
    }


def candidates_table(ranked: Sequence[Entry]) -> str:
    """Returns a row for each candidate, in the order in which they were tried, as CSV."""
    places = {entry.number: place for place, entry in enumerate(ranked, 1)}
    entries = sorted(ranked, key=lambda entry: entry.number)
    params = list(dict.fromkeys(name for entry in entries for name in entry.params))
    metrics = list(dict.fromkeys(key for entry in entries for key in metrics_of(entry)))
    rows: list[list[Any]] = [["candidate", "rank", "seconds", *params, *metrics]]
    before = 0.0
    for entry in entries:
        values, known = metrics_of(entry), known_params(entry)
        told = [entry.number, places[entry.number], round(entry.seconds - before, 6)]
        found = [known.get(name, "") for name in params]
        rows.append([*told, *found, *(values.get(key, "") for key in metrics)])
        before = entry.seconds
    return extract.csv_text(rows)
