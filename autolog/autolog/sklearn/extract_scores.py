"""Scores of predictions, with scikit-learn's definitions, from one count of the labels.

Precision, recall, F1 and accuracy are bit for bit those of `sklearn.metrics`: the same counts go
through the same divisions and sums. Log loss, ROC AUC and the errors of regression may differ in
the last digits, where sums run in another order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Undefined(ValueError):
    """The score has no value for these data; the message says why."""


def encode(truth: Array, predicted: Array, classes: Any = None) -> tuple[Array, Array, Array]:
    """Returns the labels in order, and truth and prediction as positions among them.

    Args:
        truth: (n,) labels.
        predicted: (n,) labels.
        classes: Sorted labels that are expected to cover both; found by sorting otherwise.

    Raises:
        Undefined: Text and numbers are mixed.
    """
    if _is_text(truth) != _is_text(predicted):
        raise Undefined("labels and predictions mix text and numbers")
    if isinstance(classes, np.ndarray) and classes.ndim == 1 and classes.size:
        codes = [_positions(values, classes) for values in (truth, predicted)]
        if codes[0] is not None and codes[1] is not None:
            return classes, codes[0], codes[1]
    labels, found = np.unique(np.concatenate([truth, predicted]), return_inverse=True)
    return labels, found[: len(truth)], found[len(truth) :]


def _is_text(values: Array) -> bool:
    if values.dtype.kind == "O":
        return bool(values.size) and isinstance(values[0], str)
    return values.dtype.kind in "UST"


def _positions(values: Array, classes: Array) -> Array | None:
    if _is_text(values) != _is_text(classes):
        return None
    found = np.minimum(np.searchsorted(classes, values), classes.size - 1)
    return found if bool(np.all(classes[found] == values)) else None


def counts(
    truth: Array, predicted: Array, size: int, weight: Array | None
) -> tuple[Array, Array, Array, Array]:
    """Returns hits, predictions and occurrences of each label, and which labels occur at all.

    Args:
        truth: (n,) positions.
        predicted: (n,) positions.
        size: How many labels there are.
        weight: (n,) weights, or None.
    """
    hit = truth == predicted
    hits = np.bincount(truth[hit], None if weight is None else weight[hit], size)
    made = np.bincount(predicted, weight, size)
    occurring = np.bincount(truth, weight, size)
    seen = (np.bincount(truth, None, size) + np.bincount(predicted, None, size)) > 0
    # The detour over false positives and negatives is scikit-learn's, and rounds with it.
    return hits, hits + (made - hits), hits + (occurring - hits), seen


def precision_recall_f1(
    hits: Array, made: Array, occurring: Array, average: bool = True
) -> tuple[float, float, float]:
    """Returns precision, recall and F1, where 0/0 is 0.

    Args:
        hits: (k,) right predictions of each label.
        made: (k,) predictions.
        occurring: (k,) true occurrences.
        average: Over the labels, weighted by their occurrences; otherwise `k` is one.
    """
    scores = (
        _ratio(hits, made),
        _ratio(hits, occurring),
        _ratio(2.0 * hits, occurring.astype(float) + made.astype(float)),
    )
    weights = occurring if average else None
    precision, recall, f1 = (float(np.average(score, weights=weights)) for score in scores)
    return precision, recall, f1


def _ratio(numerator: Array, denominator: Array) -> Array:
    empty = denominator == 0
    result = np.asarray(numerator, float) / np.where(empty, 1, denominator)
    result[empty] = 0.0
    return result


def accuracy(truth: Array, predicted: Array, weight: Array | None) -> float:
    """Returns the share of rows, by weight, where the prediction is right."""
    return float(np.average(truth == predicted, weights=weight))


def log_loss(truth: Array, probabilities: Array, weight: Array | None) -> float:
    """Returns the mean negative logarithm of the probability of the true label.

    Args:
        truth: (n,) positions among the columns.
        probabilities: (n, k).
        weight: (n,) weights, or None.

    Raises:
        Undefined: The probabilities are none.
    """
    check_probabilities(probabilities)
    epsilon = np.finfo(probabilities.dtype).eps
    given = np.clip(probabilities[np.arange(len(truth)), truth], epsilon, 1 - epsilon)
    return float(np.average(-np.log(given), weights=weight))


def check_probabilities(probabilities: Array) -> None:
    """Checks that rows are probabilities that sum to one.

    Raises:
        Undefined: They are not.
    """
    if not np.all((probabilities >= -1e-6) & (probabilities <= 1 + 1e-6)):
        raise Undefined("predict_proba returns values outside of 0 to 1")
    if not np.allclose(probabilities.sum(axis=1), 1):
        raise Undefined("predict_proba returns rows that do not sum to one")


def roc_auc(truth: Array, probabilities: Array, weight: Array | None) -> float:
    """Returns the area under the ROC curve.

    For two classes that of the second; for more the mean over all pairs of classes, weighted by
    how many rows a pair has (Hand and Till, 2001, as in scikit-learn).

    Args:
        truth: (n,) positions among the columns.
        probabilities: (n, k).
        weight: (n,) weights, or None.

    Raises:
        Undefined: A class has no row, or there are weights and more than two classes.
    """
    sizes = np.bincount(truth, None, probabilities.shape[1])
    if len(sizes) < 2 or np.any(sizes == 0):
        raise Undefined("ROC AUC needs rows of every class, and of two at least")
    if len(sizes) == 2:
        if weight is None:
            return float(_pairwise(truth, probabilities[:, 1], sizes, 1)[0])
        return _weighted_auc(truth == 1, probabilities[:, 1], weight)
    if weight is not None:
        raise Undefined("ROC AUC of more than two classes takes no sample weights")
    check_probabilities(probabilities)
    area = np.array(
        [_pairwise(truth, probabilities[:, one], sizes, one) for one in range(len(sizes))]
    )
    first, second = np.triu_indices(len(sizes), 1)
    pairs = (area[first, second] + area[second, first]) / 2
    return float(np.average(pairs, weights=(sizes[first] + sizes[second]) / len(truth)))


def _pairwise(truth: Array, scores: Array, sizes: Array, one: int) -> Any:
    """Returns for each class how often a row of class `one` scores above a row of it."""
    order = np.argsort(scores, kind="stable")
    ranked, labels = scores[order], truth[order]
    own = ranked[labels == one]
    below = np.searchsorted(own, ranked, "left")
    upto = np.searchsorted(own, ranked, "right")
    # Twice the wins, so that ties stay whole numbers and the sum is exact.
    wins = 2 * (len(own) - upto) + (upto - below)
    total = np.bincount(labels, wins, len(sizes))
    return total / (2.0 * sizes[one] * sizes)


def _weighted_auc(positive: Array, scores: Array, weight: Array) -> float:
    _, place = np.unique(scores, return_inverse=True)
    ours = np.bincount(place, np.where(positive, weight, 0.0))
    others = np.bincount(place, np.where(positive, 0.0, weight))
    if not ours.sum() or not others.sum():
        raise Undefined("ROC AUC needs weight on both classes")
    below = np.cumsum(others) - others
    return float((ours * (below + others / 2)).sum() / (ours.sum() * others.sum()))


def regression(truth: Array, predicted: Array, weight: Array | None) -> dict[str, float]:
    """Returns the errors of a regression, means over the outputs.

    Args:
        truth: (n, outputs) floats.
        predicted: (n, outputs) floats.
        weight: (n,) weights, or None.
    """
    error = truth - predicted
    squared = np.average(error**2, axis=0, weights=weight)
    absolute = np.average(np.abs(error), axis=0, weights=weight)
    mean_squared = float(np.average(squared))
    values = {
        "mean_squared_error": mean_squared,
        "mean_absolute_error": float(np.average(absolute)),
        "root_mean_squared_error": float(np.sqrt(mean_squared)),
    }
    if len(truth) > 1:
        values["r2_score"] = _r2(truth, error, weight)
    return values


def _r2(truth: Array, error: Array, weight: Array | None) -> float:
    rows: Any = 1.0 if weight is None else weight[:, None]
    residual = np.sum(rows * error**2, axis=0)
    spread = np.sum(rows * (truth - np.average(truth, axis=0, weights=weight)) ** 2, axis=0)
    scores = np.ones(len(residual))
    whole = (spread != 0) & (residual != 0)
    scores[whole] = 1 - residual[whole] / spread[whole]
    scores[(residual != 0) & (spread == 0)] = 0.0
    return float(np.average(scores))
