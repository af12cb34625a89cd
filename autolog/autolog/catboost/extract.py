"""What CatBoost's models and results say, as plain values. Pure functions."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from autolog.catboost.extract_files import Record

LEARN, VALIDATION = "learn", "validation"
Evals = Mapping[str, Mapping[str, Sequence[float]]]
"""Values of all iterations, by evaluation set and metric, as ``get_evals_result`` gives them."""

_ILLEGAL = re.compile(r"[^\w.\-/ ]+")


class Curve(NamedTuple):
    """The values of one metric.

    Attributes:
        dataset: The evaluation set, by CatBoost's name.
        key: Name of the run's metric, such as ``validation-AUC``.
        steps: (n,) iterations, from 0.
        values: (n,) values.
    """

    dataset: str
    key: str
    steps: Sequence[int]
    values: Sequence[float]


def key_of(dataset: str, metric: str) -> str:
    """Returns the name of a run's metric: ``NDCG:top=3`` of learn is ``learn-NDCG_top_3``."""
    return _ILLEGAL.sub("_", f"{dataset}-{metric}".replace("@", "_at_"))


def eval_sets(value: Any) -> list[tuple[str, Any]]:
    """Returns the evaluation sets that a fit is given, by CatBoost's names for them."""
    items = [each for each in (value if isinstance(value, list) else [value]) if each is not None]
    if len(items) == 1:
        return [(VALIDATION, items[0])]
    return [(f"{VALIDATION}_{place}", item) for place, item in enumerate(items)]


def tree_count(model: Any) -> int:
    """Returns the number of trees; 0 of None and of a model that is not fitted."""
    return int(model.tree_count_) if model is not None and model.is_fitted() else 0


def iterations_done(evals: Evals) -> int:
    """Returns how many iterations a training has made that reports values of each."""
    return max((len(values) for _, _, values in _series(evals)), default=0)


def curves(evals: Evals, planned: int, period: int, watched: bool) -> Iterator[Curve]:
    """Yields what a training reports.

    CatBoost tells values, not steps: with a period of n it computes metrics at every n-th iteration
    and at the last one that was planned. While the overfitting detector is on, it computes what the
    detector watches at each.

    Args:
        evals: The values.
        planned: Iterations that were asked for.
        period: The param ``metric_period``.
        watched: Whether the overfitting detector is on.
    """
    done = iterations_done(evals)
    sparse: Sequence[int] = range(done)
    if period > 1:
        sparse = [step for step in range(planned) if step % period == 0 or step == planned - 1]
    for dataset, metric, values in _series(evals):
        every = watched and len(values) == done
        steps = range(done) if every else sparse[: len(values)]
        if len(steps) == len(values):
            yield Curve(dataset, key_of(dataset, metric), steps, values)


def _series(evals: Evals) -> Iterator[tuple[str, str, Sequence[float]]]:
    for dataset, metrics in evals.items():
        for metric, values in metrics.items():
            if values:
                yield dataset, metric, values


def unplaced(evals: Evals, found: Sequence[Curve]) -> list[str]:
    """Returns the names of metrics that have values, but none whose iterations are known."""
    placed = {curve.key for curve in found}
    names = [key_of(dataset, metric) for dataset, metric, _ in _series(evals)]
    return [name for name in names if name not in placed]


def values_at(found: Sequence[Curve], step: int) -> dict[str, float]:
    """Returns the values of those curves that have one at a step, by key."""
    values = {}
    for curve in found:
        place = _place(curve.steps, step)
        if place is not None:
            values[curve.key] = curve.values[place]
    return values


def facts(best: int | None, found: Sequence[Curve]) -> dict[str, float]:
    """Returns the best iteration and the values of that iteration, as metrics of the run."""
    if best is None:
        return {}
    values = {f"best_{key}": value for key, value in values_at(found, best).items()}
    return {"best_iteration": best, **values}


def _place(steps: Sequence[int], step: int) -> int | None:
    try:
        return steps.index(step)
    except ValueError:
        return None


def told_curves(told: Record, names: Mapping[str, str]) -> list[Curve]:
    """Returns the curves that a file tells of.

    Args:
        told: Its content.
        names: What to call the evaluation sets, by the file's words for them.
    """
    points: dict[tuple[str, str], tuple[list[int], list[float]]] = {}
    for entry in told.entries:
        for dataset, metrics in entry.values.items():
            for metric, value in metrics.items():
                steps, values = points.setdefault((dataset, metric), ([], []))
                steps.append(entry.number)
                values.append(value)
    return [
        Curve(name := names.get(dataset, dataset), key_of(name, metric), steps, values)
        for (dataset, metric), (steps, values) in points.items()
    ]


def cv_curves(table: Any) -> list[Curve]:
    """Returns the columns of a table of cross-validation as curves over its iterations.

    Args:
        table: A frame or a mapping, with a column ``iterations``.
    """
    steps = [int(step) for step in table["iterations"]]
    found = []
    for column in table:
        if column != "iterations":
            dataset, _, metric = str(column).partition("-")
            values = [float(value) for value in table[column]]
            found.append(Curve(dataset, key_of(dataset, metric), steps, values))
    return found


def csv_of(table: Any) -> str:
    """Returns a frame, or a mapping of columns, as CSV."""
    columns = list(table)
    return csv_text([columns, *zip(*(list(table[column]) for column in columns), strict=True)])


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Returns rows as CSV."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()
