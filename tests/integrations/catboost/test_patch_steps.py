"""At which iteration a value is, which one is the best, and where a training stopped."""

import catboost as cb
import pytest
from tests.integrations.catboost.patched import (
    QUIET,
    curve,
    diabetes,
    groups,
    models,
    only,
    runs,
    skipped,
    tumours,
)

import autolog

IMPORTANCE = "feature_importance_PredictionValuesChange.json"


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


def reported(model):
    """What CatBoost says of each iteration, under the names of the run's metrics."""
    return {
        f"{dataset}-{metric}": dict(enumerate(values))
        for dataset, metrics in model.get_evals_result().items()
        for metric, values in metrics.items()
    }


@pytest.mark.parametrize(
    ("params", "passed"),
    [
        ({}, {"early_stopping_rounds": 3}),
        ({"early_stopping_rounds": 3}, {}),
        ({"od_wait": 3}, {}),
        ({"od_type": "Iter", "od_wait": 3}, {}),
    ],
)
def test_early_stopping_however_it_is_asked_for(params, passed):
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=200, **params)
    model.fit(*train, eval_set=test, **passed)
    run = only()
    done = len(model.get_evals_result()["learn"]["Logloss"])
    assert done < 200
    assert run.data.metrics["stopped_iteration"] == done - 1
    assert run.data.metrics["best_iteration"] == model.best_iteration_ == done - 1 - 3
    best = model.best_score_["validation"]["Logloss"]
    assert run.data.metrics["best_validation-Logloss"] == best
    assert max(curve(run, "validation-Logloss")) == done - 1
    assert models(run)["model"][1] == model.best_iteration_


def test_a_detector_that_did_not_stop():
    train, test = tumours()
    cb.CatBoostClassifier(**QUIET, iterations=6, od_pval=0.01).fit(*train, eval_set=test)
    assert only().data.metrics["stopped_iteration"] == 5


def test_without_best_model_the_step_is_the_last():
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=60, use_best_model=False)
    model.fit(*train, eval_set=test)
    run = only()
    assert model.best_iteration_ < 59
    assert run.data.metrics["best_iteration"] == model.best_iteration_
    assert models(run)["model"][1] == 59


def test_several_evaluation_sets_and_a_single_one_in_a_list():
    train, test = tumours()
    cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train, eval_set=[test, cb.Pool(*test)])
    cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train, eval_set=[test])
    two, one = runs()
    assert {"validation_0-Logloss", "validation_1-Logloss"} < two.data.metrics.keys()
    assert curve(two, "validation_0-Logloss") == curve(two, "validation_1-Logloss")
    assert "validation-Logloss" in one.data.metrics


@pytest.mark.parametrize("period", [3, 7, 100])
def test_steps_with_a_metric_period(period):
    train, test = tumours()
    plain = cb.CatBoostClassifier(**QUIET, iterations=20)
    with autolog.disabled():
        plain.fit(*train, eval_set=test)
    every = reported(plain)
    model = cb.CatBoostClassifier(**QUIET, iterations=20)
    model.fit(*train, eval_set=test, metric_period=period)
    steps = sorted({*range(0, 20, period), 19})
    for key, values in every.items():
        assert curve(only(), key) == {step: values[step] for step in steps}


def test_steps_with_a_metric_period_and_early_stopping():
    train, test = tumours()
    params = {**QUIET, "iterations": 200, "eval_metric": "AUC", "early_stopping_rounds": 4}
    plain = cb.CatBoostClassifier(**params, custom_metric=["Accuracy"])
    with autolog.disabled():
        plain.fit(*train, eval_set=test)
    every = reported(plain)
    model = cb.CatBoostClassifier(**params, custom_metric=["Accuracy"], metric_period=3)
    model.fit(*train, eval_set=test)
    run = only()
    done = len(every["validation-AUC"])
    # What the detector watches is computed at each iteration.
    assert curve(run, "validation-AUC") == every["validation-AUC"]
    for key in ("learn-Logloss", "validation-Logloss", "validation-Accuracy"):
        expected = {step: every[key][step] for step in range(0, done, 3)}
        assert curve(run, key) == expected
    assert run.data.metrics["stopped_iteration"] == done - 1


def test_names_of_metrics_are_legal():
    features, labels, ids = groups()
    model = cb.CatBoostRanker(**QUIET, iterations=4, custom_metric=["NDCG:top=3;type=Base"])
    pool = cb.Pool(features, labels, group_id=ids)
    model.fit(pool, eval_set=pool)
    run = only()
    key = "validation-NDCG_top_3_type_Base"
    values = model.get_evals_result()["validation"]["NDCG:top=3;type=Base"]
    assert list(curve(run, key).values()) == values
    assert not [name for name in run.data.metrics if set(name) & set(":;=@")]
    assert skipped(run) == {}


def test_custom_objective_and_metric():
    class Squares:
        def calc_ders_range(self, approxes, targets, weights):
            return [
                (target - approx, -1.0) for approx, target in zip(approxes, targets, strict=True)
            ]

    class Far:
        def is_max_optimal(self):
            return False

        def evaluate(self, approxes, target, weight):
            pairs = zip(approxes[0], target, strict=True)
            return sum(abs(approx - each) for approx, each in pairs), len(target)

        def get_final_error(self, error, weight):
            return error / weight

    features, labels = diabetes()
    model = cb.CatBoostRegressor(
        **QUIET, iterations=4, loss_function=Squares(), eval_metric=Far(), boost_from_average=False
    )
    with pytest.warns(UserWarning, match="numba"):
        model.fit(features, labels, eval_set=(features, labels))
    run = only()
    assert curve(run, "validation-Far") == reported(model)["validation-Far"]
    assert run.data.params["eval_metric"].endswith("Far object>")
    assert " at 0x" not in run.data.params["loss_function"]
    kept, _ = models(run)["model"]
    loaded = autolog.catboost.load_model(f"models:/{kept.model_id}")
    assert loaded.tree_count_ == model.tree_count_


def test_continued_training_counts_its_own_iterations(tmp_path):
    train, test = tumours()
    first = cb.CatBoostClassifier(**QUIET, iterations=7).fit(*train)
    more = cb.CatBoostClassifier(**QUIET, iterations=20)
    more.fit(*train, eval_set=test, init_model=first)
    first.save_model(str(tmp_path / "first.cbm"))
    again = cb.CatBoostClassifier(**QUIET, iterations=20)
    again.fit(*train, eval_set=test, init_model=str(tmp_path / "first.cbm"))
    _, second, third = runs()
    assert second.data.params["init_model"] == "CatBoostClassifier"
    assert third.data.params["init_model"].endswith("first.cbm")
    for run, model in ((second, more), (third, again)):
        assert curve(run, "validation-Logloss") == reported(model)["validation-Logloss"]
        kept, step = models(run)["model"]
        assert step == model.best_iteration_ == model.tree_count_ - 7 - 1
        loaded = autolog.catboost.load_model(f"models:/{kept.model_id}")
        assert loaded.tree_count_ == model.tree_count_


def test_a_model_that_is_trained_on():
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=3)
    for _ in range(2):
        model.fit(*train, init_model=model if model.is_fitted() else None)
    assert [models(run)["model"][1] for run in runs()] == [2, 2]
    assert model.tree_count_ == 6
