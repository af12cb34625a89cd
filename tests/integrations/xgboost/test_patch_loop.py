"""Boosters that the program trains round by round: one run, ended by itself."""

import gc
import weakref

import numpy as np
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    BINARY,
    artifact,
    curve,
    datasets,
    linked,
    load,
    model_metrics,
    models,
    only,
    runs,
    skipped,
    tumours,
)

import autolog
from autolog.instrument import ongoing


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    ongoing.close_all()
    autolog.xgboost.autolog(disable=True)


@pytest.fixture
def matrices():
    train, valid = tumours()
    return xgb.DMatrix(*train), xgb.DMatrix(*valid)


def numbers(text):
    return {part.split(":")[0]: float(part.split(":")[1]) for part in text.split()[1:]}


def test_a_loop_is_one_run(matrices):
    train, valid = matrices
    booster = xgb.Booster({**BINARY, "eval_metric": ["logloss", "ndcg@3"]}, [train])
    booster.set_param("eta", 0.2)
    booster.set_param({"subsample": 0.9})
    told = []
    for step in range(4):
        booster.update(train, step)
        told.append(numbers(booster.eval_set([(train, "train"), (valid, "valid")], step)))
    assert runs()[0].info.status == "RUNNING"
    assert autolog.active_run() is None
    ongoing.close_all()
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params == {
        **{key: str(value) for key, value in BINARY.items()},
        "eval_metric": "['logloss', 'ndcg@3']",
        "eta": "0.2",
        "subsample": "0.9",
    }
    for key in ("train-logloss", "valid-logloss", "valid-ndcg@3"):
        logged = curve(run, key.replace("@", "_at_"))
        assert logged == dict(enumerate(each[key] for each in told))
    assert set(datasets(run)) == {("train", "dataset"), ("eval", "valid")}
    assert linked(run, "valid-logloss") == {"valid"}
    assert linked(run, "train-logloss") == {"dataset"}
    assert artifact(run, "feature_importance_weight.json") == booster.get_score()
    (model,) = models(run).values()
    assert model_metrics(model)["valid-logloss"] == told[-1]["valid-logloss"]
    assert (load(model).predict(valid) == booster.predict(valid)).all()
    assert skipped(run) == {}


def test_a_loop_with_an_objective_of_the_user(matrices):
    train, valid = matrices
    booster = xgb.Booster(BINARY, [train, valid])
    labels = train.get_label()

    def gradient(predicted, matrix):
        return predicted - labels, np.ones_like(predicted)

    booster.update(train, 0, gradient)
    predicted = booster.predict(train, output_margin=True)
    booster.boost(train, 1, grad=predicted - labels, hess=np.ones_like(predicted))
    booster.eval(valid, "valid", 1)
    ongoing.close_all()
    run = only()
    assert list(curve(run, "valid-logloss")) == [1]
    assert load(models(run)["model"]).num_boosted_rounds() == 2


def test_scores_without_a_step_belong_to_the_last_round(matrices):
    train, valid = matrices
    booster = xgb.Booster(BINARY, [train])
    for step in range(2):
        booster.update(train, iteration=step)
    booster.eval(valid)
    ongoing.close_all()
    assert list(curve(only(), "eval-logloss")) == [1]


def test_the_next_training_ends_it_and_a_later_round_takes_it_up(matrices):
    train, _ = matrices
    booster = xgb.Booster(BINARY, [train])
    booster.update(train, 0)
    xgb.train(BINARY, train, 2)
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"]
    booster.update(train, 1)
    ongoing.close_all()
    assert len(runs()) == 2
    loop = next(run for run in runs() if "num_boost_round" not in run.data.params)
    kept = autolog.search_logged_models(
        filter_string=f"source_run_id = '{loop.info.run_id}'", output_format="list"
    )
    assert sorted(load(model).num_boosted_rounds() for model in kept) == [1, 2]


def test_in_the_users_run(matrices):
    train, _ = matrices
    with autolog.start_run() as user:
        booster = xgb.Booster(BINARY, [train])
        booster.update(train, 0)
        booster.eval(train, "train", 0)
        autolog.log_metric("own", 1)
        ongoing.close_all()
    run = only()
    assert run.info.run_id == user.info.run_id
    assert {"own", "train-logloss"} <= set(run.data.metrics)


def test_a_loop_goes_on_after_the_users_run(matrices):
    train, valid = matrices
    booster = xgb.Booster(BINARY, [train])
    with autolog.start_run():
        booster.update(train, 0)
    booster.update(train, 1)
    booster.eval(valid, "valid", 1)
    ongoing.close_all()
    first, second = runs()
    assert second.data.tags["autolog.continues"] == first.info.run_id
    assert first.data.params == second.data.params
    assert list(curve(second, "valid-logloss")) == [1]
    assert load(models(first)["model"]).num_boosted_rounds() == 1
    assert load(models(second)["model"]).num_boosted_rounds() == 2


def test_exclusive_loops_leave_the_users_run_alone(matrices):
    autolog.xgboost.autolog(exclusive=True)
    train, _ = matrices
    with autolog.start_run():
        booster = xgb.Booster(BINARY, [train])
        booster.update(train, 0)
        booster.eval(train, "train", 0)
    assert only().data.params == only().data.metrics == {}


def test_scores_of_a_booster_that_is_not_in_a_loop_are_none_of_ours(matrices):
    train, valid = matrices
    booster = xgb.train(BINARY, train, 2)
    booster.eval(valid)
    assert only().data.metrics == {}


def test_the_booster_is_the_same(matrices):
    train, valid = matrices
    made = []
    for on in (True, False):
        autolog.xgboost.autolog(disable=not on)
        booster = xgb.Booster(BINARY, [train])
        for step in range(3):
            booster.update(train, step)
            booster.eval_set([(valid, "valid")], step)
        ongoing.close_all()
        made.append(bytes(booster.save_raw()))
    assert made[0] == made[1]


def test_an_error_in_the_loop_is_the_users(matrices):
    train, _ = matrices
    booster = xgb.Booster(BINARY, [train])
    booster.update(train, 0)
    with pytest.raises(TypeError, match="matrix"):
        booster.update("no matrix", 1)
    ongoing.close_all()
    assert only().info.status == "FINISHED"


def test_matrices_are_not_held_by_the_loop(matrices):
    train, _ = matrices
    valid = xgb.DMatrix(*tumours()[1])
    booster = xgb.Booster(BINARY, [train])
    booster.update(train, 0)
    booster.eval(valid, "valid", 0)
    gone = weakref.ref(valid)
    del valid
    gc.collect()
    assert gone() is None
