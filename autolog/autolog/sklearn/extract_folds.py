"""What cross-validation was asked for, and what it found, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autolog.instrument.charts import Chart, Line
from autolog.sklearn.extract import param_text
from autolog.sklearn.extract_tables import Table, Texts, plain_value

# The estimator and the data are recorded as such; what is passed on to fits is named only.
_DATA = frozenset(("estimator", "X", "y"))
_PASSED_ON = frozenset(("params", "fit_params"))
_WITHOUT_MEANING = frozenset(("n_jobs", "verbose", "pre_dispatch"))
_MATRICES = ("train_score", "test_score", "fit_time", "score_time")


@dataclass(frozen=True, slots=True)
class Findings:
    """What there is to log of one call.

    Attributes:
        metrics: Single values.
        curves: (steps, values) by name.
        folds: How many folds the result tells of; None if it does not.
        chart: A picture of the curves, if they have one.
        table: Every fold of every point, if the curves are means over folds.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    curves: dict[str, tuple[Sequence[int], Sequence[float]]] = field(default_factory=dict)
    folds: int | None = None
    chart: Chart | None = None
    table: Table | None = None


def call_params(function: str, passed: Mapping[str, Any]) -> dict[str, str]:
    """Returns what a function of cross-validation was told, as params that begin with ``cv_``.

    Estimators have params named ``cv`` and ``scoring`` of their own. Iterators are not touched.

    Args:
        function: Its name.
        passed: The arguments that it was given.
    """
    found = {"cv_function": function}
    splitter = passed.get("cv")
    found["cv_splitter"] = splitter_text(splitter)
    known = splits_of(splitter)
    if known is not None:
        found["cv_n_splits"] = str(known)
    found["cv_scoring"] = param_text(passed.get("scoring"))
    for key, value in passed.items():
        if key in _DATA or key in _WITHOUT_MEANING or key in ("cv", "scoring"):
            continue
        if key == "groups":
            found["cv_groups"] = str(value is not None)
        elif key in _PASSED_ON:
            if value:
                found[f"cv_{key}"] = ", ".join(map(str, value))
        else:
            found[f"cv_{key}"] = param_text(_listed(value))
    return found


def _listed(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, list):
        return [each.item() if isinstance(each, np.generic) else each for each in value]
    return value


def splitter_text(cv: Any) -> str:
    """Returns the argument `cv` in words: a splitter's own, the kind of an iterable."""
    if cv is None or isinstance(cv, int) or hasattr(cv, "split"):
        return param_text(cv)
    if isinstance(cv, (list, tuple)):
        return f"{len(cv)} given splits"
    return f"splits of a {type(cv).__name__}"


def splits_of(cv: Any) -> int | None:
    """Returns the number of splits, if the argument `cv` tells it without the data."""
    if cv is None:
        return 5
    number = len(cv) if isinstance(cv, (list, tuple)) else getattr(cv, "n_splits", cv)
    return int(number) if isinstance(number, (int, np.integer)) else None


def findings(function: str, passed: Mapping[str, Any], result: Any) -> Findings:
    """Returns what a function of cross-validation found.

    Args:
        function: Its name.
        passed: The arguments that it was given.
        result: What it returned; not changed.
    """
    if function == "cross_validate":
        return _per_fold({key: each for key, each in result.items() if _is_scores(key)})
    if function == "cross_val_score":
        return _per_fold({"test_score": result})
    if function == "permutation_test_score":
        return _permutations(*result)
    if function == "learning_curve":
        sizes = np.asarray(result[0]).tolist()
        steps = [int(size) for size in sizes]
        return _over_points("Learning curve", "train_size", steps, sizes, result[1:])
    if function == "validation_curve":
        values = list(passed["param_range"])
        name = str(passed["param_name"])
        return _over_points("Validation curve", name, range(len(values)), values, result)
    return Findings()


def _is_scores(key: str) -> bool:
    return key.startswith(("test_", "train_")) or key in ("fit_time", "score_time")


def _per_fold(columns: Mapping[str, Any]) -> Findings:
    """Names them as ``cv_results_`` does: ``split_test_score``, ``mean_test_score``, ..."""
    found = Findings(folds=max(map(len, columns.values())))
    for key, column in columns.items():
        values = np.asarray(column, float)
        found.curves[f"split_{key}"] = (range(len(values)), values.tolist())
        found.metrics[f"mean_{key}"] = float(np.mean(values))
        found.metrics[f"std_{key}"] = float(np.std(values))
    return found


def _permutations(score: Any, permuted: Any, pvalue: Any) -> Findings:
    values = np.asarray(permuted, float)
    return Findings(
        metrics={
            "mean_test_score": float(score),
            "permutation_pvalue": float(pvalue),
            "mean_permutation_score": float(np.mean(values)),
            "std_permutation_score": float(np.std(values)),
        },
        curves={"permutation_score": (range(len(values)), values.tolist())},
    )


def _over_points(
    title: str, name: str, steps: Sequence[int], points: Sequence[Any], matrices: Iterable[Any]
) -> Findings:
    """Args: (points, folds) matrices of train scores, test scores and, if asked for, times."""
    named = {
        key: np.asarray(matrix, float) for key, matrix in zip(_MATRICES, matrices, strict=False)
    }
    number, folds = named["test_score"].shape
    curves: dict[str, tuple[Sequence[int], Sequence[float]]] = {}
    for key, matrix in named.items():
        curves[f"mean_{key}"] = (steps, matrix.mean(axis=1).tolist())
        curves[f"std_{key}"] = (steps, matrix.std(axis=1).tolist())
    texts = Texts()
    cells = [plain_value(point, texts) for point in points]
    table: Table = {
        name: [cell for cell in cells for _ in range(folds)],
        "fold": list(range(folds)) * number,
    }
    table |= {key: matrix.ravel().tolist() for key, matrix in named.items()}
    return Findings({}, curves, folds, _chart(title, name, points, named), table)


def _chart(title: str, name: str, points: Sequence[Any], named: Mapping[str, Any]) -> Chart:
    numeric = all(_is_number(point) for point in points)
    x = [float(point) for point in points] if numeric else list(map(float, range(len(points))))
    label = name
    if not numeric:
        texts = (f"{place}: {param_text(point)}" for place, point in enumerate(points))
        label = f"{name} ({', '.join(texts)})"
    lines = [
        Line(key.removesuffix("_score"), x, named[key].mean(axis=1).tolist())
        for key in ("train_score", "test_score")
    ]
    return Chart("lines", title, label, "mean score over the folds", lines)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
