"""`xgboost.train`: what is in its run. The numbers are those of the acceptance scenarios."""

import json
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from sklearn.datasets import load_diabetes
from tests.integrations.xgboost.patched import (
    BINARY,
    QUIET,
    artifact,
    curve,
    datasets,
    irises,
    linked,
    load,
    model_metrics,
    models,
    only,
    report,
    runs,
    skipped,
    tumours,
)
from xgboost import train as earlier_train

import autolog


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


@pytest.fixture
def matrices():
    train, valid = tumours()
    return xgb.DMatrix(*train), xgb.DMatrix(*valid)


def test_p16_train_with_early_stopping(matrices):
    train, valid = matrices
    evals: dict = {}
    booster = xgb.train(
        {**BINARY, "eval_metric": ["logloss", "auc"]},
        train,
        60,
        evals=[(train, "train"), (valid, "valid")],
        early_stopping_rounds=4,
        evals_result=evals,
        **QUIET,
    )
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    best, last = booster.best_iteration, booster.num_boosted_rounds() - 1
    assert best < last < 59
    for name, metrics in evals.items():
        for metric, values in metrics.items():
            key = f"{name}-{metric}"
            assert curve(run, key) == dict(enumerate(values))
            assert run.data.metrics[f"best_{key}"] == values[best]
            assert linked(run, key) == linked(run, f"best_{key}") == {name}
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["stopped_iteration"] == last
    assert curve(run, "best_iteration") == {0: best}
    assert artifact(run, "feature_importance_weight.json") == booster.get_score()
    (model,) = models(run).values()
    values = model_metrics(model)
    assert values["valid-auc"] == booster.best_score == evals["valid"]["auc"][best]
    assert values["train-logloss"] == evals["train"]["logloss"][best]
    assert (load(model).predict(valid) == booster.predict(valid)).all()
    assert load(model).best_iteration == best
    signature = autolog.models.get_model_info(f"models:/{model.model_id}").signature
    assert signature.inputs.input_names()[0] == "mean radius"
    assert set(datasets(run)) == {("train", "train"), ("eval", "valid")}
    assert skipped(run) == {}


def test_p16_the_model_is_of_the_last_round_without_early_stopping(matrices):
    train, valid = matrices
    xgb.train(BINARY, train, 5, evals=[(valid, "valid")], **QUIET)
    run = only()
    (model,) = models(run).values()
    assert model_metrics(model) == {"valid-logloss": curve(run, "valid-logloss")[4]}
    assert "best_iteration" not in run.data.metrics


@pytest.mark.parametrize("save_best", [False, True])
def test_v20_early_stopping_by_a_callback(matrices, save_best):
    train, valid = matrices
    stop = xgb.callback.EarlyStopping(rounds=3, metric_name="logloss", save_best=save_best)
    callbacks = [stop]
    booster = xgb.train(
        {**BINARY, "eval_metric": ["logloss", "auc"]},
        train,
        60,
        evals=[(train, "train"), (valid, "valid")],
        callbacks=callbacks,
        **QUIET,
    )
    assert callbacks == [stop]
    run = only()
    best = booster.best_iteration
    assert run.data.metrics["best_iteration"] == best
    # The round in which the callback stops the training is logged too.
    assert run.data.metrics["stopped_iteration"] == best + 3 == max(curve(run, "valid-auc"))
    assert run.data.metrics["best_valid-logloss"] == booster.best_score
    assert run.data.params["early_stopping_rounds"] == "3"
    (model,) = models(run).values()
    assert load(model).num_boosted_rounds() == booster.num_boosted_rounds()
    assert model_metrics(model)["valid-logloss"] == booster.best_score


def test_v4_a_list_of_callbacks_is_used_twice(matrices):
    train, _ = matrices
    seen = []

    class Watching(xgb.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            seen.append(epoch)
            return False

    callbacks = [Watching()]
    for _ in range(2):
        xgb.train(BINARY, train, 3, evals=[(train, "train")], callbacks=callbacks, **QUIET)
    assert len(callbacks) == 1
    assert seen == [0, 1, 2] * 2
    assert [len(curve(run, "train-logloss")) for run in runs()] == [3, 3]


@pytest.mark.parametrize("wrong", [5, "stop", [object()]])
def test_wrong_callbacks_raise_as_without_us(matrices, wrong):
    train, _ = matrices
    with pytest.raises(TypeError) as ours:
        xgb.train(BINARY, train, 2, callbacks=wrong)
    with autolog.disabled(), pytest.raises(TypeError) as plain:
        xgb.train(BINARY, train, 2, callbacks=wrong)
    assert ours.value.args == plain.value.args
    assert only().info.status == "FAILED"


def test_callbacks_from_a_generator(matrices):
    train, _ = matrices
    xgb.train(
        BINARY,
        train,
        3,
        evals=[(train, "train")],
        callbacks=(each for each in [xgb.callback.EarlyStopping(rounds=2)]),
        **QUIET,
    )
    assert only().data.metrics["best_iteration"] == 2


def test_p18_importances_and_format(matrices):
    autolog.xgboost.autolog(importance_types=["gain", "cover"], model_format="json")
    train, _ = matrices
    booster = xgb.train(BINARY, train, 5)
    run = only()
    for kind in ("gain", "cover"):
        found = artifact(run, f"feature_importance_{kind}.json")
        assert found == booster.get_score(importance_type=kind)
    (model,) = models(run).values()
    assert (load(model).predict(train) == booster.predict(train)).all()
    assert json.loads((Path(model.artifact_location) / "model.json").read_text())


def test_p18_a_linear_model_has_weights_only(matrices):
    autolog.xgboost.autolog(importance_types=["weight", "gain"])
    features, labels = irises()
    booster = xgb.train(
        {"booster": "gblinear", "objective": "multi:softprob", "num_class": 3, "nthread": 1},
        xgb.DMatrix(features, labels),
        3,
    )
    run = only()
    assert artifact(run, "feature_importance_weight.json") == booster.get_score()
    assert "feature_importance_gain" in skipped(run)


def test_p19_names_with_at():
    features, _ = irises()
    labels = np.arange(150) % 2
    train = xgb.DMatrix(features, labels, qid=np.repeat(np.arange(15), 10))
    evals: dict = {}
    xgb.train(
        {"objective": "rank:ndcg", "eval_metric": ["ndcg@3", "map@2-"], "nthread": 1},
        train,
        3,
        evals=[(train, "train")],
        evals_result=evals,
        **QUIET,
    )
    run = only()
    assert set(run.data.metrics) == {"train-ndcg_at_3", "train-map_at_2-"}
    assert list(curve(run, "train-ndcg_at_3").values()) == evals["train"]["ndcg@3"]
    assert skipped(run) == {}


def test_params_are_those_of_mlflow(matrices):
    train, _ = matrices
    xgb.train({**BINARY, "eval_metric": ["auc", "error"]}, train, num_boost_round=2)
    params = only().data.params
    assert params == {
        "objective": "binary:logistic",
        "max_depth": "2",
        "nthread": "1",
        "eval_metric": "['auc', 'error']",
        "num_boost_round": "2",
        "maximize": "None",
        "early_stopping_rounds": "None",
        "verbose_eval": "True",
        "custom_metric": "None",
    }


def squared(predicted, matrix):
    return predicted - matrix.get_label(), np.ones_like(predicted)


def mean_error(predicted, matrix):
    return "mean_error", float(np.abs(predicted - matrix.get_label()).mean())


def test_custom_objective_and_metric(matrices):
    features, labels = load_diabetes(return_X_y=True)
    train = xgb.DMatrix(features, labels)
    evals: dict = {}
    xgb.train(
        {"max_depth": 2, "nthread": 1, "base_score": 0.0},
        train,
        4,
        evals=[(train, "learn")],
        obj=squared,
        custom_metric=mean_error,
        evals_result=evals,
        **QUIET,
    )
    run = only()
    assert list(curve(run, "learn-mean_error").values()) == evals["learn"]["mean_error"]
    assert list(curve(run, "learn-rmse").values()) == evals["learn"]["rmse"]
    assert run.data.params["obj"].endswith("test_patch_train.squared")
    assert run.data.params["custom_metric"].endswith("test_patch_train.mean_error")


def test_continued_training_goes_on_with_the_steps(matrices):
    train, valid = matrices
    first = xgb.train(BINARY, train, 30, evals=[(valid, "valid")], early_stopping_rounds=2, **QUIET)
    begun = first.num_boosted_rounds()
    second = xgb.train(BINARY, train, 4, evals=[(valid, "valid")], xgb_model=first, **QUIET)
    run = runs()[1]
    steps = range(begun, begun + 4)
    assert list(curve(run, "valid-logloss")) == list(steps)
    # What the first training found best is of the first training.
    assert second.attr("best_iteration") is not None
    assert "best_iteration" not in run.data.metrics
    assert load(models(run)["model"]).num_boosted_rounds() == begun + 4
    third = xgb.train(
        BINARY,
        train,
        4,
        evals=[(valid, "valid")],
        xgb_model=first,
        early_stopping_rounds=10,
        **QUIET,
    )
    run = runs()[2]
    assert run.data.metrics["best_iteration"] == third.best_iteration >= begun
    assert run.data.metrics["best_valid-logloss"] == third.best_score


def test_an_earlier_import_is_watched(matrices):
    # `earlier_train` was imported when this module was, before autologging began.
    earlier_train(BINARY, matrices[0], 2)
    assert only().data.params["num_boost_round"] == "2"


def test_arguments_by_position(matrices):
    train, valid = matrices
    with pytest.warns(FutureWarning, match="Pass `evals` as keyword args"):
        xgb.train(BINARY, train, 3, [(valid, "valid")])
    run = only()
    assert list(curve(run, "valid-logloss")) == [0, 1, 2]
    assert run.data.params["num_boost_round"] == "3"
    assert ("eval", "valid") in datasets(run)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), {}),
        ((BINARY,), {"wrong": 1}),
        ((BINARY, "no matrix"), {}),
        (("no params", None), {}),
    ],
)
def test_wrong_calls_raise_as_without_us(arguments, named):
    errors = []
    for _ in range(2):
        with pytest.raises(Exception) as raised:
            xgb.train(*arguments, **named)
        errors.append((type(raised.value), str(raised.value).partition("\n")[0]))
        autolog.xgboost.autolog(disable=True)
    assert errors[0] == errors[1]
    assert only().info.status == "FAILED"


def test_an_error_of_the_users_metric_leaves_what_was_logged(matrices):
    train, _ = matrices
    error = ZeroDivisionError("mine")

    def failing(predicted, matrix):
        failing.calls += 1
        if failing.calls == 3:
            raise error
        return "mine", 1.0

    failing.calls = 0
    with pytest.raises(ZeroDivisionError) as raised:
        xgb.train(BINARY, train, 5, evals=[(train, "train")], custom_metric=failing, **QUIET)
    assert raised.value is error
    run = only()
    assert run.info.status == "FAILED"
    assert list(curve(run, "train-logloss")) == [0, 1]
    assert models(run) == {}


def test_the_values_are_there_while_it_trains(matrices):
    train, _ = matrices
    seen = []

    class Reading(xgb.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            run = autolog.active_run()
            seen.append(dict(autolog.get_run(run.info.run_id).data.metrics))
            return False

    xgb.train(BINARY, train, 3, evals=[(train, "train")], callbacks=[Reading()], **QUIET)
    run = only()
    assert [each["train-logloss"] for each in seen] == list(curve(run, "train-logloss").values())


def test_in_the_users_run(matrices):
    train, valid = matrices
    with autolog.start_run() as user:
        xgb.train(BINARY, train, 2, evals=[(valid, "valid")], **QUIET)
        xgb.train(BINARY, train, 3, evals=[(valid, "valid")], **QUIET)
        assert autolog.active_run().info.run_id == user.info.run_id
    first, second = runs()
    assert first.data.params["num_boost_round"] == "2"
    assert second.data.params["num_boost_round"] == "3"
    assert second.data.tags["mlflow.parentRunId"] == first.info.run_id
    assert second.info.run_name == "xgboost.train"


def test_no_round_is_no_error(matrices):
    xgb.train(BINARY, matrices[0], 0)
    run = only()
    assert run.info.status == "FINISHED"
    assert report(run)["errors"] == []


def test_a_model_in_the_best_round_predicts_what_its_metrics_say(matrices):
    train, valid = matrices
    booster = xgb.train(
        BINARY, train, 60, evals=[(valid, "valid")], early_stopping_rounds=4, **QUIET
    )
    (model,) = models(only()).values()
    rounds = (0, load(model).best_iteration + 1)
    predicted = load(model).predict(valid, iteration_range=rounds)
    labels = valid.get_label()
    loss = -np.log(np.where(labels == 1, predicted, 1 - predicted)).mean()
    assert loss == pytest.approx(model_metrics(model)["valid-logloss"], abs=1e-5)
    assert booster.best_score == pytest.approx(loss, abs=1e-5)
