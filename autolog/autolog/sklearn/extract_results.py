"""What metrics return that are no numbers, as pictures or texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from autolog.instrument.charts import Chart, Line

MOST_LABELS = 200
"""Labels up to which a confusion matrix is kept: it grows with their square."""

_CURVES = {
    "roc_curve": ("ROC curve", "False positive rate", "True positive rate", 0, 1),
    "precision_recall_curve": ("Precision recall curve", "Recall", "Precision", 1, 0),
    "det_curve": ("DET curve", "False positive rate", "False negative rate", 0, 1),
}
"""Title, axes, and which parts of the result lie on them."""


def axes_of(name: str, result: Any) -> tuple[Any, Any] | None:
    """Returns x and y of a curve, each (n,); None if the metric has none.

    Args:
        name: Of the metric, such as "roc_curve".
        result: What it returned.
    """
    if name not in _CURVES:
        return None
    _, _, _, x, y = _CURVES[name]
    return result[x], result[y]


def chart_of(name: str, result: Any, arguments: Mapping[str, Any]) -> Chart | None:
    """Returns the picture of a result; None if it has none.

    Args:
        name: Of the metric, such as "confusion_matrix".
        result: What it returned.
        arguments: Those of its call, by parameter.
    """
    axes = axes_of(name, result)
    if axes is not None:
        title, across, up, _, _ = _CURVES[name]
        return Chart("lines", title, across, up, (Line("", *map(_plain, axes)),))
    if name == "confusion_matrix" and len(result) <= MOST_LABELS:
        return Chart(
            "matrix",
            "Confusion matrix",
            "Predicted label",
            "True label",
            names=[str(label) for label in _labels(arguments)],
            values=result.tolist(),
        )
    return None


def text_of(name: str, result: Any) -> str | None:
    """Returns a report of many metrics as text, or as JSON; None for what is no report."""
    if name != "classification_report":
        return None
    return result if isinstance(result, str) else json.dumps(result, indent=1, default=float)


def _labels(arguments: Mapping[str, Any]) -> list[Any]:
    labels = arguments.get("labels")
    if labels is None:
        from sklearn.utils.multiclass import unique_labels

        labels = unique_labels(arguments["y_true"], arguments["y_pred"])
    return list(labels)


def _plain(values: Any) -> list[float]:
    found: list[float] = values.tolist()
    return found
