"""What is recorded of a search over params: a run for the search, a child run for a candidate."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autolog.sklearn import extract, extract_search, extract_tables

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.sklearn.extract_search import Candidate
    from autolog.sklearn.spec import SklearnOptions
    from autolog_core.entities import Dataset

TABLE = "cv_results"
CANDIDATE_TAG = "autolog.candidate"
"""Row of the table that a child run is of."""
BEST_TAG = "autolog.best_candidate"
"""On the child run of the candidate that the search chose."""


def now() -> int:
    """Returns milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def record_search(
    search: Any,
    recorder: Recorder,
    options: SklearnOptions,
    *,
    started: int,
    dataset: Dataset | None = None,
) -> None:
    """Records what a fitted search found, right after its fit.

    Args:
        search: Fitted; derives from ``BaseSearchCV``.
        recorder: Of its training.
        options: The integration's.
        started: When the fit began, in milliseconds since the epoch.
        dataset: What it was fitted with.
    """
    ended = now()
    if not hasattr(search, "cv_results_"):
        recorder.skipped("results of the search", "it has no cv_results_")
        return
    with recorder.part("the best candidate"):
        _record_best(search, recorder, dataset)
    with recorder.part("table of candidates"):
        table = extract_tables.plain_table(search.cv_results_)
        recorder.artifact_later(f"{TABLE}.csv", lambda: extract_tables.to_csv(table))
        recorder.artifact_later(f"{TABLE}.json", lambda: extract_tables.to_json(table))
    with recorder.part("child runs"):
        found = extract_search.candidates(search)
        kept = extract_search.best_first(search, found)[: options.max_tuning_runs]
        if len(kept) < len(found):
            recorder.skipped(
                f"child runs of {len(found) - len(kept)} candidates",
                f"max_tuning_runs is {options.max_tuning_runs}; {TABLE}.csv has all of them",
            )
        if kept:
            _Children(search, recorder, found, dataset, started, ended).record(kept)


def _record_best(search: Any, recorder: Recorder, dataset: Dataset | None) -> None:
    best = getattr(search, "best_params_", None)
    if best is not None:
        recorder.params({f"best_{key}": extract.param_text(value) for key, value in best.items()})
    metrics: dict[str, float] = {}
    if hasattr(search, "best_score_"):
        metrics["best_cv_score"] = search.best_score_
    row = getattr(search, "best_index_", None)
    if row is not None and getattr(search, "multimetric_", False):
        for key, column in search.cv_results_.items():
            if key.startswith(extract_search.SCORE):
                metrics[f"best_cv_{key[len(extract_search.SCORE) :]}"] = column[row]
    recorder.metrics(metrics, dataset=dataset)
    if hasattr(search, "refit_time_"):
        recorder.metrics({"refit_time": search.refit_time_})


class _Children:
    """Writes the child runs of one search."""

    def __init__(
        self,
        search: Any,
        recorder: Recorder,
        found: Sequence[Candidate],
        dataset: Dataset | None,
        started: int,
        ended: int,
    ) -> None:
        self._results = search.cv_results_
        self._recorder = recorder
        self._dataset = dataset
        self._scorer = extract_search.ranking_scorer(search)
        self._chosen = getattr(search, "best_index_", None)
        self._params = extract_search.CandidateParams(search.estimator)
        self._names = extract_search.CandidateNames(found, getattr(search, "resource", None))
        self._tags = extract.estimator_tags(search.estimator)
        self._columns = extract_search.numeric_columns(self._results)
        self._folds = extract_search.fold_columns(self._results)
        refit = round(1e3 * getattr(search, "refit_time_", 0.0))
        self._clock = _Clock(search, started, max(started, ended - refit))

    def record(self, candidates: Sequence[Candidate]) -> None:
        """Writes a child run for each of the candidates."""
        for candidate in candidates:
            self._record(candidate)

    def _record(self, candidate: Candidate) -> None:
        failed = extract_search.has_failed(self._results, candidate, self._scorer)
        start, end = self._clock.times(candidate)
        with self._recorder.child(
            self._names.of(candidate), start, end, status="FAILED" if failed else "FINISHED"
        ) as child:
            tags = {**self._tags, CANDIDATE_TAG: str(candidate.row)}
            if self._chosen in candidate.rows:
                tags[BEST_TAG] = "true"
            child.tags(tags)
            child.params(self._params.texts(candidate.params))
            if self._dataset is not None:
                child.dataset(self._dataset, "train")
            for row in candidate.rows:
                turn = int(self._results["iter"][row]) if "iter" in self._results else 0
                values = {key: float(column[row]) for key, column in self._columns.items()}
                child.metrics(values, step=turn, dataset=self._dataset)
            for key, columns in self._folds.items():
                scores = [float(column[candidate.row]) for column in columns]
                child.curve(key, scores, dataset=self._dataset)


class _Clock:
    """Tells when the candidates of a search were tried.

    Their lengths are what the search measured; their starts are spread over the time that it took.
    """

    def __init__(self, search: Any, started: int, ended: int) -> None:
        self._started = started
        self._ended = ended
        self._stretch = 1.0
        folds = getattr(search, "n_splits_", None)
        if folds is None:
            folds = max(
                map(len, extract_search.fold_columns(search.cv_results_).values()), default=1
            )
        self._rows: list[tuple[float, float]] | None = None
        found = extract_search.timings(search.cv_results_, folds, _workers(search))
        if found is not None:
            self._rows, whole = found
            if whole > 0:
                self._stretch = (ended - started) / (1e3 * whole)

    def times(self, candidate: Candidate) -> tuple[int, int]:
        """Returns start and end in milliseconds since the epoch."""
        if self._rows is None:
            return self._started, self._ended
        begin, _ = self._rows[candidate.rows[0]]
        last_begin, last_end = self._rows[candidate.row]
        start = self._started + 1e3 * begin * self._stretch
        end = self._started + 1e3 * (last_begin * self._stretch + last_end - last_begin)
        return round(start), min(round(end), max(self._ended, round(start)))


def _workers(search: Any) -> int:
    from joblib import effective_n_jobs

    try:
        return max(1, int(effective_n_jobs(getattr(search, "n_jobs", None))))
    except Exception:
        # A backend that is not there; the fit had one.
        return 1
