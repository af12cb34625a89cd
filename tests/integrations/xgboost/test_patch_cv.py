"""`xgboost.cv`: one run with every fold, the mean and the deviation."""

import numpy as np
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    BINARY,
    curve,
    datasets,
    models,
    only,
    skipped,
    tumours,
)
from xgboost import cv as earlier_cv

import autolog
from autolog.instrument import ongoing


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


@pytest.fixture
def matrix():
    return xgb.DMatrix(*tumours()[0])


def test_b15_cv_is_one_run_with_folds(matrix):
    found = xgb.cv(BINARY, matrix, 6, nfold=3, metrics=["auc", "logloss"], seed=3)
    run = only()
    assert run.info.status == "FINISHED"
    for key in found.columns:
        assert list(curve(run, key).values()) == list(found[key])
    folds = [list(curve(run, f"fold_{fold}/test-auc").values()) for fold in range(3)]
    assert np.mean(folds, axis=0).tolist() == pytest.approx(list(found["test-auc-mean"]))
    assert np.std(folds, axis=0).tolist() == pytest.approx(list(found["test-auc-std"]))
    assert len(run.data.metrics) == len(found.columns) + 3 * 4
    assert set(datasets(run)) == {("train", "dataset")}
    assert run.data.params["nfold"] == "3"
    assert run.data.params["seed"] == "3"
    assert run.data.params["stratified"] == "False"
    assert models(run) == {}
    assert set(skipped(run)) == {"model"}
    assert not ongoing.any_open()


def test_v22_an_earlier_import_is_watched(matrix):
    earlier_cv(BINARY, matrix, 2)
    assert "test-logloss-mean" in only().data.metrics


@pytest.mark.parametrize("by_callback", [True, False])
def test_early_stopping_of_cv(matrix, by_callback):
    stop = xgb.callback.EarlyStopping(rounds=3)
    asked = {"callbacks": [stop]} if by_callback else {"early_stopping_rounds": 3}
    found = xgb.cv(BINARY, matrix, 90, nfold=3, as_pandas=False, **asked)
    run = only()
    # The library cuts its own result after the best round.
    best = len(found["test-logloss-mean"]) - 1
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["stopped_iteration"] == best + 3
    assert run.data.metrics["best_test-logloss-mean"] == found["test-logloss-mean"][best]
    assert len(curve(run, "test-logloss-mean")) == best + 4


def test_params_as_pairs_and_functions(matrix):
    def mine(predicted, matrix):
        return "mine", 1.0

    params = [*BINARY.items(), ("eval_metric", "auc"), ("eval_metric", "error")]
    xgb.cv(params, matrix, 2, custom_metric=mine, folds=[(range(100), range(100, 200))])
    run = only()
    assert run.data.params["eval_metric"] == "['auc', 'error']"
    assert run.data.params["custom_metric"].endswith("mine")
    assert run.data.params["folds"] == "1 given splits"
    assert run.data.metrics["fold_0/test-mine"] == 1.0


def test_the_result_and_the_random_state_are_the_same(matrix):
    drawn = []
    for on in (True, False):
        autolog.xgboost.autolog(disable=not on)
        np.random.seed(0)
        found = xgb.cv(BINARY, matrix, 3, nfold=3)
        drawn.append((found.to_numpy().tobytes(), np.random.random()))
    assert drawn[0] == drawn[1]


def test_a_failing_cv(matrix):
    with pytest.raises(ValueError, match="fold"):
        xgb.cv(BINARY, matrix, 2, nfold=3, stratified=True, fpreproc=_refuse)
    assert only().info.status == "FAILED"


def _refuse(*_):
    raise ValueError("no fold for you")
