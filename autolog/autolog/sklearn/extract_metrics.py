"""Training metrics of an estimator, under MLflow's names, from one look at the training data."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autolog.sklearn import extract_scores as scores
from autolog.sklearn.extract_predictions import Predictions, origin
from autolog.sklearn.extract_random import kept_random_state

PREFIX = "training_"
_TRIPLE = ("precision_score", "recall_score", "f1_score")
_COPYING = ("copy", "copy_X", "copy_x")
_ACCURACY = frozenset(
    (
        "sklearn.base.ClassifierMixin.score",
        "sklearn.neighbors._classification.KNeighborsClassifier.score",
        "sklearn.neighbors._classification.RadiusNeighborsClassifier.score",
        "sklearn.dummy.DummyClassifier.score",
    )
)
_R2 = frozenset(("sklearn.base.RegressorMixin.score", "sklearn.dummy.DummyRegressor.score"))


@dataclass(frozen=True, slots=True)
class Labelled:
    """True and predicted labels of a classifier, one per row.

    Attributes:
        labels: (k,) the labels in order.
        truth: (n,) positions among them.
        predicted: (n,) positions among them.
        weight: (n,) weights, or None.
        scores: (n,) how much each row looks like the second of two labels; None for more labels,
            or where the estimator does not tell.
    """

    labels: Any
    truth: Any
    predicted: Any
    weight: Any
    scores: Any


class Metrics(dict[str, float]):
    """Metrics by name.

    Attributes:
        skipped: What could not be computed, and why.
        answer: (n, ...) what the estimator predicted; None if it was not asked.
        labelled: What the pictures of a classifier are made of; None for others.
    """

    def __init__(self) -> None:
        super().__init__()
        self.skipped: dict[str, str] = {}
        self.answer: Any = None
        self.labelled: Labelled | None = None

    def attempt(self, what: str, compute: Callable[[], float]) -> None:
        """Keeps the value of `compute` under a name, or why it has none."""
        try:
            self[PREFIX + what] = float(compute())
        except Exception as error:
            self.skipped[PREFIX + what] = reason(error)


def reason(error: Exception) -> str:
    """Returns an error as one short line."""
    lines = str(error).strip().splitlines() or [""]
    text = (
        lines[0] if isinstance(error, scores.Undefined) else f"{type(error).__name__}: {lines[0]}"
    )
    return text[:300]


def training_metrics(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    pos_label: Any = None,
) -> Metrics:
    """Returns the metrics of a fitted estimator on the data that it was fitted with.

    Classifiers: ``training_precision_score``, ``training_recall_score``, ``training_f1_score``
    (weighted by class, or of `pos_label`), ``training_accuracy_score``, and with probabilities
    ``training_log_loss`` and ``training_roc_auc`` (weighted, one against one). Regressors:
    ``training_mean_squared_error``, ``training_mean_absolute_error``, ``training_r2_score``,
    ``training_root_mean_squared_error``. Anything with a ``score``: ``training_score``.

    The estimator predicts once, and estimates probabilities once. `estimator`, `X`, `y` and all
    random states are as before when this returns.

    Args:
        estimator: Fitted.
        X: What it was fitted with.
        y: Labels or targets; without them there is no metric.
        sample_weight: (n,) weights, or None.
        pos_label: The positive one of two labels, for precision, recall and F1.
    """
    found = Metrics()
    if y is None:
        return found
    with kept_random_state(estimator):
        try:
            weight = None if sample_weight is None else np.asarray(sample_weight, float).reshape(-1)
            said = Predictions(estimator, _own_copy(estimator, X))
            if _is("classifier", estimator):
                _classification(found, said, y, weight, pos_label)
            elif _is("regressor", estimator):
                _regression(found, said, y, weight)
            found.answer = said.answer
        except Exception as error:
            found.skipped["training metrics"] = reason(error)
            return found
        if hasattr(estimator, "score"):
            _score(found, said, y, sample_weight)
    return found


def _own_copy(estimator: Any, X: Any) -> Any:
    """Returns X, or a copy when a step was allowed to write over what it gets."""
    try:
        params = estimator.get_params(deep=True)
    except Exception:
        # Without params nothing is known of copying, and X is used as it is.
        return X
    if any(
        value is False and key.rpartition("__")[2] in _COPYING for key, value in params.items()
    ) and hasattr(X, "copy"):
        return X.copy()
    return X


def _is(kind: str, estimator: Any) -> bool:
    import sklearn.base

    try:
        return bool(getattr(sklearn.base, f"is_{kind}")(estimator))
    except AttributeError:
        # scikit-learn 1.7 and later refuse to ask what does not derive from BaseEstimator.
        return getattr(estimator, "_estimator_type", None) == kind


def _classification(found: Metrics, said: Predictions, y: Any, weight: Any, pos_label: Any) -> None:
    if hasattr(y, "tocsr") or (np.ndim(y) > 1 and np.shape(y)[1] > 1):
        _several_outputs(found, said, y, weight, pos_label)
        return
    truth = np.asarray(y).reshape(-1)
    predicted = np.asarray(said.labels).reshape(-1)
    if len(truth) != len(predicted):
        raise scores.Undefined(f"{len(truth)} labels, but {len(predicted)} predictions")
    classes = getattr(said.estimator, "classes_", None)
    labels, true, made = scores.encode(truth, predicted, classes)
    hits, given, occurring, seen = scores.counts(true, made, len(labels), weight)
    try:
        if pos_label is None:
            triple = scores.precision_recall_f1(hits[seen], given[seen], occurring[seen])
        else:
            place = _position(labels, seen, pos_label)
            triple = scores.precision_recall_f1(
                hits[place], given[place], occurring[place], average=False
            )
        found.update(zip((PREFIX + name for name in _TRIPLE), triple, strict=True))
    except (ValueError, ZeroDivisionError) as error:
        found.skipped |= {PREFIX + name: reason(error) for name in _TRIPLE}
    found.attempt("accuracy_score", lambda: scores.accuracy(true, made, weight))
    _probabilistic(found, said, truth, labels, true, weight)
    found.labelled = Labelled(labels, true, made, weight, _leaning(said, len(labels)))


def _leaning(said: Predictions, count: int) -> Any:
    if count != 2:
        return None
    try:
        table = said.probabilities
        if table is not None:
            return np.asarray(table)[:, 1]
        decide = getattr(said.estimator, "decision_function", None)
        found = None if decide is None else np.asarray(decide(said.X))
    except Exception:
        # Pictures are worth no error; the metrics above say what is wrong.
        return None
    return found if found is not None and found.ndim == 1 else None


def _position(labels: Any, seen: Any, pos_label: Any) -> list[int]:
    present = labels[seen].tolist()
    if len(present) > 2:
        raise scores.Undefined(f"pos_label needs two classes, there are {len(present)}")
    if pos_label not in present:
        raise scores.Undefined(f"pos_label {pos_label!r} is no label; they are {present}")
    return [labels.tolist().index(pos_label)]


def _probabilistic(
    found: Metrics, said: Predictions, truth: Any, labels: Any, true: Any, weight: Any
) -> None:
    try:
        given = said.probabilities
    except Exception as error:
        found.skipped |= {PREFIX + name: reason(error) for name in ("log_loss", "roc_auc")}
        return
    if given is None:
        return
    table = np.asarray(given)

    def columns() -> Any:
        """Returns the truth as positions among the columns of probabilities."""
        if table.ndim != 2 or table.dtype.kind != "f":
            raise scores.Undefined("predict_proba returns no table of floats")
        classes = labels if len(labels) == table.shape[1] else np.unique(truth)
        if len(classes) != table.shape[1]:
            raise scores.Undefined(
                f"{table.shape[1]} columns of probabilities for {len(classes)} classes"
            )
        return true if classes is labels else np.searchsorted(classes, truth)

    found.attempt("log_loss", lambda: scores.log_loss(columns(), table, weight))
    found.attempt("roc_auc", lambda: scores.roc_auc(columns(), table, weight))


def _several_outputs(
    found: Metrics, said: Predictions, y: Any, weight: Any, pos_label: Any
) -> None:
    """Several labels per row: rare enough to leave to `sklearn.metrics`."""
    from sklearn import metrics

    predicted = said.labels
    try:
        if pos_label is not None:
            raise scores.Undefined("pos_label needs one label per row")
        triple = metrics.precision_recall_fscore_support(
            y, predicted, average="weighted", sample_weight=weight, zero_division=0
        )[:3]
        found.update({PREFIX + name: float(v) for name, v in zip(_TRIPLE, triple, strict=True)})
    except ValueError as error:
        found.skipped |= {PREFIX + name: reason(error) for name in _TRIPLE}
    found.attempt(
        "accuracy_score", lambda: metrics.accuracy_score(y, predicted, sample_weight=weight)
    )
    if hasattr(said.estimator, "predict_proba"):
        why = "not defined for several outputs"
        found.skipped |= {PREFIX + name: why for name in ("log_loss", "roc_auc")}


def _regression(found: Metrics, said: Predictions, y: Any, weight: Any) -> None:
    truth = np.asarray(y, float)
    predicted = np.asarray(said.labels, float)
    rows = len(truth)
    truth, predicted = truth.reshape(rows, -1), predicted.reshape(len(predicted), -1)
    if truth.shape != predicted.shape:
        raise scores.Undefined(f"targets have shape {truth.shape}, predictions {predicted.shape}")
    values = scores.regression(truth, predicted, weight)
    found.update({PREFIX + name: value for name, value in values.items()})
    if "r2_score" not in values:
        found.skipped[PREFIX + "r2_score"] = "needs two rows at least"


def _score(found: Metrics, said: Predictions, y: Any, sample_weight: Any) -> None:
    """Adds ``training_score``, from the metrics at hand where it is one of them."""
    estimator = said.estimator
    defined = origin(estimator, "score")
    if said.search is not None:
        found.attempt("score", lambda: _searched_score(said, y))
        return
    weight = None if said.searched else sample_weight
    same = "accuracy_score" if defined in _ACCURACY else "r2_score" if defined in _R2 else None
    if same is not None and (weight is None) == (sample_weight is None):
        if PREFIX + same in found:
            found[PREFIX + "score"] = found[PREFIX + same]
        else:
            found.skipped[PREFIX + "score"] = found.skipped.get(PREFIX + same, "it is undefined")
        return
    weighted = weight is not None and "sample_weight" in _arguments(estimator.score)
    passed = {"sample_weight": weight} if weighted else {}
    found.attempt("score", lambda: estimator.score(said.X, y, **passed))


def _searched_score(said: Predictions, y: Any) -> float:
    assert said.search is not None
    search, asked = said.search
    scorer = search.scorer_
    if isinstance(scorer, dict):
        scorer = scorer.get(search.refit) if isinstance(search.refit, str) else None
    if type(scorer).__name__ == "_Scorer" and scorer._response_method == "predict":
        return float(scorer._sign * scorer._score_func(y, said.labels, **scorer._kwargs))
    return float(search.score(asked, y))


def _arguments(method: Callable[..., Any]) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(method).parameters)
    except (TypeError, ValueError):
        return frozenset()
