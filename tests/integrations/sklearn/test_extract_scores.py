"""Scores against `sklearn.metrics`, for any labels, predictions and weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from autolog.sklearn import extract_scores as scores

LABELS = {
    "numbers": np.array([-3, 0, 1, 2, 7, 11]),
    "text": np.array(["", "a", "b", "ba", "ü", "z"]),
    "objects": np.array(["", "a", "b", "ba", "ü", "z"], dtype=object),
    "floats": np.array([-1.0, 0.0, 1.0, 2.0, 3.0, 9.0]),
}


@st.composite
def labelled(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    rows = draw(st.integers(1, 60))
    size = draw(st.integers(1, 6))
    codes = st.lists(st.integers(0, size - 1), min_size=rows, max_size=rows)
    names = LABELS[draw(st.sampled_from(sorted(LABELS)))]
    weight = draw(
        st.none()
        | hnp.arrays(np.float64, rows, elements=st.floats(0.001, 1e4))
        | hnp.arrays(np.int64, rows, elements=st.integers(1, 9))
    )
    return names[draw(codes)], names[draw(codes)], weight


@settings(deadline=None, max_examples=300)
@given(labelled(), st.booleans())
def test_counted_scores_are_exactly_those_of_sklearn(case: Any, known: bool) -> None:
    truth, predicted, weight = case
    classes = np.unique(np.concatenate([truth, predicted])) if known else None
    labels, true, made = scores.encode(truth, predicted, classes)
    hits, given_, occurring, seen = scores.counts(true, made, len(labels), weight)
    ours = scores.precision_recall_f1(hits[seen], given_[seen], occurring[seen])
    theirs = metrics.precision_recall_fscore_support(
        truth, predicted, average="weighted", sample_weight=weight, zero_division=0
    )[:3]
    assert ours == theirs
    assert scores.accuracy(true, made, weight) == metrics.accuracy_score(
        truth, predicted, sample_weight=weight
    )


@st.composite
def probabilities(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    size = draw(st.integers(2, 5))
    rows = draw(st.integers(size, 40))
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    truth = np.concatenate([np.arange(size), seed.integers(0, size, rows - size)])
    # Coarse values make ties.
    table = seed.integers(0 if draw(st.booleans()) else 1, 9, (rows, size)) + 1e-3
    weight = seed.random(rows) + 0.01 if draw(st.booleans()) else None
    return truth, table / table.sum(axis=1, keepdims=True), weight


@settings(deadline=None, max_examples=200)
@given(probabilities())
def test_scores_of_probabilities_are_those_of_sklearn(case: Any) -> None:
    truth, table, weight = case
    assert scores.log_loss(truth, table, weight) == pytest.approx(
        metrics.log_loss(truth, table, sample_weight=weight), rel=1e-12
    )
    if table.shape[1] == 2:
        expected = metrics.roc_auc_score(truth, table[:, 1], sample_weight=weight)
    elif weight is None:
        expected = metrics.roc_auc_score(truth, table, average="weighted", multi_class="ovo")
    else:
        with pytest.raises(scores.Undefined, match="weights"):
            scores.roc_auc(truth, table, weight)
        return
    assert scores.roc_auc(truth, table, weight) == pytest.approx(expected, rel=1e-12, abs=1e-14)


@settings(deadline=None, max_examples=200)
@given(st.integers(1, 40), st.integers(1, 3), st.booleans(), st.integers(0, 2**32 - 1))
def test_errors_of_regression_are_those_of_sklearn(
    rows: int, outputs: int, weighted: bool, seed: int
) -> None:
    drawn = np.random.default_rng(seed)
    truth = drawn.normal(size=(rows, outputs)).round(1)
    predicted = truth + drawn.normal(size=(rows, outputs)).round(1) * drawn.integers(0, 2)
    weight = drawn.random(rows) + 0.01 if weighted else None
    found = scores.regression(truth, predicted, weight)
    assert found["mean_squared_error"] == metrics.mean_squared_error(
        truth, predicted, sample_weight=weight
    )
    assert found["mean_absolute_error"] == metrics.mean_absolute_error(
        truth, predicted, sample_weight=weight
    )
    if rows > 1:
        assert found["r2_score"] == pytest.approx(
            metrics.r2_score(truth, predicted, sample_weight=weight), rel=1e-12, abs=1e-13
        )
    else:
        assert "r2_score" not in found


def test_text_and_numbers_do_not_mix() -> None:
    with pytest.raises(scores.Undefined, match="mix"):
        scores.encode(np.array(["a"]), np.array([1]))


def test_one_class_has_no_roc_auc() -> None:
    with pytest.raises(scores.Undefined, match="every class"):
        scores.roc_auc(np.zeros(3, int), np.array([[0.5, 0.5]] * 3), None)
    with pytest.raises(scores.Undefined, match="weight"):
        scores.roc_auc(np.array([0, 1]), np.array([[0.5, 0.5]] * 2), np.array([1.0, 0.0]))
