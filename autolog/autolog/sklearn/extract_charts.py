"""What there is to see of a classifier on the data that it was trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from autolog.instrument.charts import Chart, Line
from autolog.sklearn.extract_metrics import Labelled

Array = np.ndarray[Any, Any]

MOST_LABELS = 200
"""Labels up to which a confusion matrix is kept: it grows with their square."""


def confusion(found: Labelled) -> tuple[Chart, dict[str, Any]]:
    """Returns the confusion matrix, rows of true labels, as picture and as data.

    The picture shows each row divided by its sum, as MLflow's does; the data also has the counts,
    or sums of weights.
    """
    size = len(found.labels)
    counted = np.bincount(found.truth * size + found.predicted, found.weight, size * size)
    table = counted.reshape(size, size)
    sums = table.sum(axis=1, keepdims=True)
    shares = np.divide(table, sums, out=np.zeros(table.shape), where=sums != 0)
    names = [str(label) for label in found.labels.tolist()]
    chart = Chart(
        "matrix",
        "Normalized confusion matrix",
        "Predicted label",
        "True label",
        names=names,
        values=shares.tolist(),
    )
    return chart, {**chart.to_dict(), "counts": table.tolist()}


def roc_curve(found: Labelled) -> Chart:
    """Returns the ROC curve of two labels, which needs rows of both."""
    true, false = _cumulated(found)
    return Chart(
        "lines",
        "ROC curve",
        "False positive rate",
        "True positive rate",
        (Line(_second(found), [0.0, *false / false[-1]], [0.0, *true / true[-1]]),),
    )


def precision_recall_curve(found: Labelled) -> Chart:
    """Returns precision over recall of two labels, which needs rows of both."""
    true, false = _cumulated(found)
    return Chart(
        "lines",
        "Precision recall curve",
        "Recall",
        "Precision",
        (Line(_second(found), [0.0, *true / true[-1]], [1.0, *true / (true + false)]),),
    )


def has_both(found: Labelled) -> bool:
    """Whether there are scores, and rows of both labels, with weight."""
    if found.scores is None:
        return False
    sums = np.bincount(found.truth, found.weight, 2)
    return bool(sums[0] > 0 and sums[1] > 0)


def _cumulated(found: Labelled) -> tuple[Array, Array]:
    """Returns true and false positives at each threshold, from the highest score down."""
    order = np.argsort(found.scores, kind="stable")[::-1]
    ranked = found.scores[order]
    weight = np.ones(len(order)) if found.weight is None else found.weight[order]
    hit = found.truth[order] == 1
    last = np.append(ranked[1:] != ranked[:-1], True)
    true, false = np.cumsum(weight * hit)[last], np.cumsum(weight * ~hit)[last]
    # Rows without weight would divide by nothing.
    some = true + false > 0
    return true[some], false[some]


def _second(found: Labelled) -> str:
    return f"label {found.labels.tolist()[1]}"
