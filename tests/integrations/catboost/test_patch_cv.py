"""A cross-validation is one run, with means, deviations and folds."""

import catboost as cb
import numpy as np
import pytest
from catboost import Pool, cv
from sklearn.model_selection import KFold
from tests.integrations.catboost.patched import (
    BINARY,
    SMALL,
    curve,
    datasets,
    load,
    model_metrics,
    models,
    only,
    rows,
    runs,
    skipped,
    tumours,
)

import autolog
from autolog.catboost import extract_files, patch_cv

PARAMS = {**BINARY, "logging_level": "Silent", "iterations": 8}
del PARAMS["verbose"]
WRITING = {name: value for name, value in PARAMS.items() if name != "allow_writing_files"}


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


@pytest.fixture
def pool():
    return Pool(*tumours(400)[0])


def test_b12_cv_is_one_run(pool):
    table = cb.cv(pool, {**WRITING, "custom_metric": ["AUC"]}, nfold=4, shuffle=False)
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params["iterations"] == "8"
    assert run.data.params["nfold"] == "4"
    assert run.data.params["shuffle"] == "False"
    for column in table.columns[1:]:
        assert curve(run, column) == dict(zip(table.iterations, table[column], strict=True))
    best = int(table["test-Logloss-mean"].argmin())
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["best_test-AUC-mean"] == table["test-AUC-mean"][best]
    assert "stopped_iteration" not in run.data.metrics
    for word in ("train-Logloss", "test-Logloss", "test-AUC"):
        folds = np.array([list(curve(run, f"fold_{n}/{word}").values()) for n in range(4)])
        assert folds.shape == (4, 8)
        assert np.allclose(folds.mean(0), table[f"{word}-mean"], rtol=1e-8)
    assert [float(row["test-Logloss-mean"]) for row in rows(run, "cv_results.csv")] == list(
        table["test-Logloss-mean"]
    )
    assert set(datasets(run)) == {("train", "learn")}
    assert skipped(run) == {}
    assert models(run) == {}


def test_a_mapping_and_a_period(pool):
    found = cv(pool, {**PARAMS, "eval_metric": "AUC"}, metric_period=3, as_pandas=False)
    run = only()
    assert found["iterations"] == [0, 3, 6, 7]
    for key, values in found.items():
        if key != "iterations":
            assert curve(run, key) == dict(zip([0, 3, 6, 7], values, strict=True))
    best = found["iterations"][int(np.argmax(found["test-AUC-mean"]))]
    assert run.data.metrics["best_iteration"] == best
    assert skipped(run) == {"folds": "CatBoost has written no file that tells of each"}


@pytest.mark.parametrize(
    ("params", "passed"), [({}, {"early_stopping_rounds": 3}), ({"od_wait": 3}, {})]
)
def test_early_stopping(pool, params, passed):
    table = cv(pool, {**PARAMS, "iterations": 200, **params}, **passed)
    assert len(table) < 200
    metrics = only().data.metrics
    assert metrics["stopped_iteration"] == len(table) - 1
    assert metrics["best_iteration"] == table["test-Logloss-mean"].argmin()


def test_models_of_the_folds(pool):
    _, made = cv(pool, WRITING, fold_count=3, return_models=True)
    run = only()
    kept = models(run)
    assert sorted(kept) == ["fold_0", "fold_1", "fold_2"]
    (features, _), _ = tumours(400)
    for number, model in enumerate(made):
        each, step = kept[f"fold_{number}"]
        assert step == 7
        assert (load(each).predict(features) == model.predict(features)).all()
        values = model_metrics(each)
        assert values[f"fold_{number}/test-Logloss"] == curve(run, f"fold_{number}/test-Logloss")[7]
        other = (number + 1) % 3
        assert f"fold_{other}/test-Logloss" not in values


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
def test_given_folds_are_not_walked(pool):
    splits = iter(list(KFold(2).split(np.zeros(400))))
    cv(pool, PARAMS, folds=splits)
    assert only().data.params["folds"] == "splits of a list_iterator"
    cv(pool, PARAMS, folds=KFold(2))
    assert autolog.last_active_run().data.params["folds"].startswith("KFold(n_splits=2")


def test_files_of_an_earlier_training_are_not_taken_for_folds(pool):
    with autolog.disabled():
        cv(pool, WRITING, fold_count=3)
    with pytest.raises(cb.CatBoostError):
        cv(pool, {**WRITING, "l2_leaf_reg": -1}, fold_count=3)
    assert not [key for run in runs() for key in run.data.metrics if key.startswith("fold")]


def test_files_of_another_program_are_not_taken_for_folds(pool, monkeypatch):
    with autolog.disabled():
        cv(pool, {**WRITING, "learning_rate": 0.01, "train_dir": "other"}, fold_count=3)
    plain = extract_files.read
    monkeypatch.setattr(
        extract_files, "read", lambda folder: plain(folder.replace("catboost_info", "other"))
    )
    cv(pool, WRITING, fold_count=3)
    assert "folds" in skipped(only())
    assert not [key for key in only().data.metrics if key.startswith("fold")]


def test_means_decide_whether_files_are_of_this_training(pool):
    table = cv(pool, WRITING, fold_count=3)
    told = [extract_files.read(f"catboost_info/fold-{number}") for number in range(3)]
    assert patch_cv._has_means(told, table)
    assert not patch_cv._has_means(told[:2], table)
    table.loc[3, "test-Logloss-mean"] *= 1.001
    assert not patch_cv._has_means(told, table)


def test_a_metric_of_the_users_own(pool):
    class Share:
        def is_max_optimal(self):
            return True

        def evaluate(self, approxes, target, weight):
            pairs = zip(approxes[0], target, strict=True)
            return sum((approx > 0) == each for approx, each in pairs), len(target)

        def get_final_error(self, error, weight):
            return error / weight

    with pytest.warns(UserWarning, match="numba"):
        table = cv(pool, {**PARAMS, "eval_metric": Share()}, fold_count=2)
    metrics = only().data.metrics
    assert metrics["test-Share-mean"] == table["test-Share-mean"].iloc[-1]
    # CatBoost does not tell which way is better.
    assert "best_iteration" not in metrics


def test_a_cv_that_fails(pool):
    with pytest.raises(cb.CatBoostError):
        cv(pool, {**SMALL, "loss_function": "Nothing"})
    run = only()
    assert run.info.status == "FAILED"
    assert skipped(run)["metrics"] == "the cross-validation failed"


def test_imported_before_autologging_and_called_by_another_name(pool, monkeypatch):
    autolog.catboost.autolog(disable=True)
    import sys
    import types

    mine = types.ModuleType("mine")
    mine.validate = cb.cv
    monkeypatch.setitem(sys.modules, "mine", mine)
    autolog.catboost.autolog()
    mine.validate(pool, PARAMS, fold_count=2)
    assert only().data.metrics["test-Logloss-mean"] > 0
