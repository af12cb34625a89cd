"""`lightgbm.cv` is one run: the mean over the folds, its deviation, and each fold."""

import json
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import KFold

import autolog
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True)
PARAMS = {
    "objective": "binary",
    "metric": "auc",
    "num_leaves": 7,
    "num_threads": 1,
    "verbosity": -1,
}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)


def only():
    (run,) = default_session().read().search_runs(["0"])
    return run


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    assert [point.step for point in points] == list(range(len(points)))
    return [point.value for point in points]


def test_b15_cv_is_one_run_with_folds():
    found = lgb.cv(PARAMS, lgb.Dataset(X, y), 5, nfold=3, eval_train_metric=True)
    run = only()
    assert run.info.status == "FINISHED"
    for dataset in ("train", "valid"):
        for word in ("mean", "stdv"):
            assert curve(run, f"{dataset}-auc-{word}") == found[f"{dataset} auc-{word}"]
        folds = [curve(run, f"fold_{place}/{dataset}-auc") for place in range(3)]
        np.testing.assert_allclose(np.mean(folds, axis=0), found[f"{dataset} auc-mean"])
        np.testing.assert_allclose(np.std(folds, axis=0), found[f"{dataset} auc-stdv"])
    assert run.data.params["nfold"] == "3"
    assert run.data.params["num_leaves"] == "7"
    (use,) = run.inputs.dataset_inputs
    assert use.context == "train"
    report = json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())
    assert [entry["what"] for entry in report["skipped"]] == ["model"]


@pytest.mark.parametrize("returned", [True, False])
def test_v22_cv_with_early_stopping(returned):
    found = lgb.cv(
        PARAMS, lgb.Dataset(X, y), 60, nfold=3, return_cvbooster=returned,
        callbacks=[lgb.early_stopping(3, verbose=False)],
    )  # fmt: skip
    run, best = only(), len(found["valid auc-mean"])
    assert run.data.metrics["best_iteration"] == best
    stopped = run.data.metrics["stopped_iteration"]
    assert stopped == best + 3 == len(curve(run, "valid-auc-mean"))
    assert curve(run, "valid-auc-mean")[:best] == found["valid auc-mean"]
    for word in ("mean", "stdv"):
        assert run.data.metrics[f"best_valid-auc-{word}"] == found[f"valid auc-{word}"][-1]
    assert run.data.params["early_stopping_round"] == "3"


def test_folds_of_the_user_are_not_used_up():
    def pairs():
        yield from KFold(4).split(X)

    lgb.cv(PARAMS, lgb.Dataset(X, y), 2, folds=pairs())
    run = only()
    assert len(curve(run, "fold_3/valid-auc")) == 2
    assert run.data.params["nfold"] == "4"
    assert "stratified" not in run.data.params


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored by KFold")
def test_a_splitter_is_named():
    lgb.cv(PARAMS, lgb.Dataset(X, y), 2, folds=KFold(2))
    assert only().data.params["folds"].startswith("KFold(n_splits=2")


def test_folds_are_evaluated_as_often_as_without_us():
    autolog.lightgbm.autolog(disable=True)
    counted = []

    def measure(predicted, data):
        counted.append(len(predicted))
        return "share", float((predicted > 0.5).mean()), True

    lgb.cv(PARAMS, lgb.Dataset(X, y), 3, nfold=2, feval=measure)
    plain, counted[:] = list(counted), []
    autolog.lightgbm.autolog()
    lgb.cv(PARAMS, lgb.Dataset(X, y), 3, nfold=2, feval=measure)
    assert counted == plain
    assert len(counted) == 6
    assert len(curve(only(), "fold_1/valid-share")) == 3


def test_a_list_of_callbacks_is_as_before():
    callbacks = [lgb.early_stopping(2, verbose=False)]
    for _ in range(2):
        lgb.cv(PARAMS, lgb.Dataset(X, y), 2, nfold=2, callbacks=callbacks)
    assert len(callbacks) == 1


def test_an_error_of_the_users_metric():
    def fail(predicted, data):
        raise ZeroDivisionError("the user's")

    with pytest.raises(ZeroDivisionError, match="the user's"):
        lgb.cv(PARAMS, lgb.Dataset(X, y), 2, nfold=2, feval=fail)
    assert only().info.status == "FAILED"
