"""What a fitted search over params says: its candidates, their params, scores and times.

A search is anything that derives from scikit-learn's ``BaseSearchCV``. Its results are rows of
``cv_results_``; a search by halving has a row for each iteration that a candidate lived to see.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autolog.sklearn.extract import is_search, param_text
from autolog.sklearn.extract_tables import Texts

Results = Mapping[str, Any]

SCORE = "mean_test_"
_RANK = "rank_test_"
_SPLIT = re.compile(r"split(\d+)_(.+)")
_LONGEST_NAME = 120
_LONGEST_VALUE = 40


@dataclass(frozen=True, slots=True)
class Candidate:
    """One combination of params.

    Attributes:
        rows: Its rows of the results; several for halving, one for each iteration.
        params: What the search set.
    """

    rows: tuple[int, ...]
    params: Mapping[str, Any]

    @property
    def row(self) -> int:
        """The last of its rows."""
        return self.rows[-1]


def candidates(search: Any) -> list[Candidate]:
    """Returns the candidates of a fitted search in the order in which they were tried."""
    results: Results = search.cv_results_
    if "iter" not in results:
        return [Candidate((row,), params) for row, params in enumerate(results["params"])]
    resource, texts = getattr(search, "resource", None), Texts()
    found: dict[object, list[int]] = {}
    met: dict[object, int] = {}
    for row, (params, turn) in enumerate(zip(results["params"], results["iter"], strict=True)):
        said = tuple((key, texts.of(params[key])) for key in params if key != resource)
        # Random draws can repeat themselves: those are told apart by their place.
        number = met[said, turn] = met.get((said, turn), 0) + 1
        found.setdefault((said, number), []).append(row)
    return [Candidate(tuple(rows), results["params"][rows[-1]]) for rows in found.values()]


def ranking_scorer(search: Any) -> str | None:
    """Returns the name of the scorer that ranks the candidates; None if nothing does.

    It is the only scorer, else the one that ``refit`` names, else the first, as in MLflow.
    """
    ranked = [key[len(_RANK) :] for key in search.cv_results_ if key.startswith(_RANK)]
    refit = getattr(search, "refit", None)
    if isinstance(refit, str) and refit in ranked:
        return refit
    return "score" if "score" in ranked else next(iter(ranked), None)


def best_first(search: Any, found: Sequence[Candidate]) -> list[Candidate]:
    """Returns the candidates by rank: that of the last iteration which they lived to see.

    The one that the search itself chose comes first, even if ``refit`` is a function with reasons
    of its own.
    """
    results: Results = search.cv_results_
    scorer, chosen = ranking_scorer(search), getattr(search, "best_index_", None)
    if scorer is None:
        return list(found)
    rank, turn = results[_RANK + scorer], results.get("iter")

    def place(candidate: Candidate) -> tuple[bool, int, int]:
        last = 0 if turn is None else -int(turn[candidate.row])
        return chosen not in candidate.rows, last, int(rank[candidate.row])

    return sorted(found, key=place)


def has_failed(results: Results, candidate: Candidate, scorer: str | None) -> bool:
    """Whether a candidate has no score, because a fit or the scorer failed."""
    return scorer is not None and bool(np.isnan(results[SCORE + scorer][candidate.row]))


def numeric_columns(results: Results) -> dict[str, Any]:
    """Returns the columns of numbers, without those of params and of single folds."""
    return {
        key: column
        for key, column in results.items()
        if not key.startswith("param") and not _SPLIT.fullmatch(key) and _is_numeric(column)
    }


def _is_numeric(column: Any) -> bool:
    values = np.asarray(column)
    return values.ndim == 1 and values.dtype.kind in "iuf"


def fold_columns(results: Results) -> dict[str, list[Any]]:
    """Returns the columns of each fold in order, such as ``split_test_score`` of ``split0_...``."""
    numbered: dict[str, dict[int, Any]] = {}
    for key, column in results.items():
        found = _SPLIT.fullmatch(key)
        if found is not None:
            numbered.setdefault(f"split_{found[2]}", {})[int(found[1])] = column
    return {key: [columns[fold] for fold in sorted(columns)] for key, columns in numbered.items()}


class CandidateParams:
    """Tells the params that the estimator of a search has as one of its candidates.

    Args:
        seed: The estimator that the search was given.
    """

    def __init__(self, seed: Any) -> None:
        self._seed = seed
        self._deep = not is_search(seed)
        self._values = seed.get_params(deep=self._deep)
        self._make = Texts()
        self._texts = {key: self._make.of(value) for key, value in self._values.items()}

    def texts(self, chosen: Mapping[str, Any]) -> dict[str, str]:
        """Returns all params of the candidate as text.

        Args:
            chosen: What the search set.
        """
        own = {key: self._make.of(value) for key, value in chosen.items()}
        if not any(self._is_nested(key, value) for key, value in chosen.items()):
            return {**self._texts, **own}
        from sklearn.base import clone

        # As the search does it: what contains a changed estimator changes with it.
        made = clone(self._seed).set_params(**clone(dict(chosen), safe=False))
        values = made.get_params(deep=self._deep)
        texts = {
            key: self._texts[key] if self._is_untouched(key, value, chosen) else param_text(value)
            for key, value in values.items()
        }
        return {**own, **texts}

    def _is_nested(self, key: str, value: Any) -> bool:
        before = self._values.get(key)
        return "__" in key or hasattr(value, "get_params") or hasattr(before, "get_params")

    def _is_untouched(self, key: str, value: Any, chosen: Mapping[str, Any]) -> bool:
        # Only the text of an estimator takes long to make.
        return (
            key in self._texts
            and hasattr(value, "get_params")
            and not any(f"{key}__".startswith(f"{other}__") for other in chosen)
            and not any(other.startswith(f"{key}__") for other in chosen)
        )


class CandidateNames:
    """Names candidates by the params in which they differ, such as "C=0.1, kernel=rbf".

    Args:
        found: All candidates of the search.
        resource: Param by which a search by halving gives resources; no name has it.
    """

    def __init__(self, found: Sequence[Candidate], resource: object = None) -> None:
        keys = {key: None for candidate in found for key in candidate.params if key != resource}
        varying = [key for key in keys if _varies(key, found)] or list(keys)
        short = [key.rpartition("__")[2] for key in varying]
        plain = len(set(short)) == len(short)
        self._labels = dict(zip(varying, short if plain else varying, strict=True))

    def of(self, candidate: Candidate) -> str:
        """Returns the name of a candidate."""
        name = ", ".join(
            f"{label}={_short(candidate.params[key])}"
            for key, label in self._labels.items()
            if key in candidate.params
        )
        return _cut(name, _LONGEST_NAME) or "candidate"


def _varies(key: str, found: Sequence[Candidate]) -> bool:
    if any(key not in candidate.params for candidate in found):
        return True
    first, texts = found[0].params[key], Texts()
    return any(
        candidate.params[key] is not first and texts.of(candidate.params[key]) != texts.of(first)
        for candidate in found
    )


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if hasattr(value, "get_params"):
        return type(value).__name__
    return _cut(" ".join(Texts().of(value).split()), _LONGEST_VALUE)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3] + "..."


def timings(
    results: Results, folds: int, workers: int
) -> tuple[list[tuple[float, float]], float] | None:
    """Returns when the fits of each row began and ended, and when the last of all ended.

    How long a fit and its scoring took is measured by the search, as a mean over the folds of a
    row. When they began is not: they are taken to have begun in the order of the rows, each as
    soon as a worker was free, and those of an iteration of halving when the one before was over.

    Args:
        results: Of the search.
        folds: How many fits a row stands for.
        workers: How many fits ran at the same time.

    Returns:
        (start, end) of each row, and the end of all, in seconds since the first fit began; None if
        the results have no times.
    """
    if "mean_fit_time" not in results:
        return None
    spent = np.asarray(results["mean_fit_time"], float)
    if "mean_score_time" in results:
        spent = spent + np.asarray(results["mean_score_time"], float)
    spent = np.where(np.isfinite(spent), np.maximum(spent, 0.0), 0.0)
    free = [0.0] * max(1, workers)
    turns = results.get("iter", [0] * len(spent))
    placed: list[tuple[float, float]] = []
    last = turns[0] if len(spent) else 0
    for turn, each in zip(turns, spent.tolist(), strict=True):
        if turn != last:
            free, last = [max(free)] * len(free), turn
        begins, ends = zip(*_worked(free, each, folds), strict=True)
        placed.append((min(begins), max(ends)))
    return placed, max(free)


def _worked(free: list[float], spent: float, times: int) -> Iterator[tuple[float, float]]:
    for _ in range(max(1, times)):
        begin = free[0]
        heapq.heapreplace(free, begin + spent)
        yield begin, begin + spent
