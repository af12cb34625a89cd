"""Loops over `Booster.update`: one run for each booster, open while the loop goes on."""

import json
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import autolog
from autolog.instrument import ongoing
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True)
PARAMS = {
    "objective": "binary",
    "metric": "auc",
    "num_leaves": 4,
    "num_threads": 1,
    "verbosity": -1,
}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    ongoing.close_all()
    autolog.lightgbm.autolog(disable=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def points(run, key):
    found = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in found]


def loop(rounds, params=PARAMS):
    known = lgb.Dataset(X[:400], y[:400])
    booster = lgb.Booster(params, known)
    booster.add_valid(lgb.Dataset(X[400:], y[400:], reference=known), "held out")
    values = []
    for _ in range(rounds):
        booster.update()
        values.append(booster.eval_valid()[0][2])
    return booster, values


def test_a_loop_is_one_run():
    booster, values = loop(4)
    assert only().info.status == "RUNNING"
    assert autolog.active_run() is None
    assert points(only(), "held out-auc") == list(enumerate(values))
    ongoing.close_all()
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params["num_leaves"] == "4"
    contexts = {use.dataset.name: use.context for use in run.inputs.dataset_inputs}
    assert contexts == {"dataset": "train", "held out": "eval"}
    (output,) = run.outputs.model_outputs
    assert output.step == 3
    model = autolog.get_logged_model(output.model_id)
    assert {metric.key: metric.value for metric in model.metrics} == {"held out-auc": values[-1]}
    loaded = autolog.lightgbm.load_model(f"models:/{output.model_id}")
    np.testing.assert_array_equal(loaded.predict(X), booster.predict(X))
    kept = json.loads((Path(run.info.artifact_uri) / "feature_importance_split.json").read_text())
    assert list(kept.values()) == booster.feature_importance().tolist()


def test_the_booster_is_as_without_us():
    booster, values = loop(4)
    ongoing.close_all()
    autolog.lightgbm.autolog(disable=True)
    plain, expected = loop(4)
    assert booster.model_to_string() == plain.model_to_string()
    assert values == expected


def test_only_what_the_loop_asks_for_is_evaluated():
    asked = []

    def measure(predicted, data):
        asked.append(len(predicted))
        return "share", float(predicted.mean()), True

    booster = lgb.Booster(PARAMS, lgb.Dataset(X, y))
    for step in range(4):
        booster.update()
        if step % 2:
            booster.eval_train(measure)
            booster.eval_train(measure)
    assert len(asked) == 4
    ongoing.close_all()
    assert [step for step, _ in points(only(), "training-share")] == [1, 3]
    text = (Path(only().info.artifact_uri) / "autolog_report.json").read_text()
    assert json.loads(text)["captured"]["metrics"] == 4


def test_a_set_that_is_added_by_evaluating_it():
    known = lgb.Dataset(X[:400], y[:400])
    booster = lgb.Booster(PARAMS, known)
    held_out = lgb.Dataset(X[400:], y[400:], reference=known)
    booster.update()
    (result,) = booster.eval(held_out, "late")
    assert points(only(), "late-auc") == [(0, result[2])]
    assert {use.dataset.name for use in only().inputs.dataset_inputs} == {"dataset", "late"}


def test_a_booster_that_goes_on_goes_on_in_its_run():
    booster, _ = loop(2)
    lgb.train(PARAMS, lgb.Dataset(X, y), 1)
    assert {run.info.status for run in runs()} == {"FINISHED"}
    booster.update()
    booster.eval_valid()
    ongoing.close_all()
    first = runs()[0]
    assert len(runs()) == 2
    assert [step for step, _ in points(first, "held out-auc")] == [0, 1, 2]
    assert [output.step for output in first.outputs.model_outputs] == [1, 2]


def test_boosters_in_turn():
    boosters = [lgb.Booster(PARAMS, lgb.Dataset(X, y)) for _ in range(2)]
    for _ in range(3):
        for booster in boosters:
            booster.update()
            booster.eval_train()
    assert [len(points(run, "training-auc")) for run in runs()] == [3, 3]


def test_training_on_after_train():
    known = lgb.Dataset(X, y)
    booster = lgb.train(PARAMS, known, 3, keep_training_booster=True)
    booster.update()
    booster.eval_train()
    first, second = runs()
    assert first.info.status == "FINISHED"
    assert [step for step, _ in points(second, "training-auc")] == [3]
    assert first.inputs.dataset_inputs[0].dataset == second.inputs.dataset_inputs[0].dataset


def test_taken_back_iterations():
    booster, _ = loop(3)
    booster.rollback_one_iter()
    ongoing.close_all()
    (output,) = only().outputs.model_outputs
    assert output.step == 1
    assert autolog.lightgbm.load_model(f"models:/{output.model_id}").current_iteration() == 2


def test_nothing_to_split_any_more():
    booster = lgb.Booster(PARAMS | {"min_data_in_leaf": 10_000}, lgb.Dataset(X, y))
    for _ in range(3):
        booster.update()
        booster.eval_train()
    ongoing.close_all()
    assert only().info.status == "FINISHED"


def test_an_objective_of_the_user():
    booster = lgb.Booster(PARAMS | {"objective": "none"}, lgb.Dataset(X, y))
    for _ in range(2):
        booster.update(fobj=lambda predicted, data: (predicted - y, np.ones_like(predicted)))
    ongoing.close_all()
    assert only().outputs.model_outputs[0].step == 1


def test_checkpoints_of_a_loop_have_the_metrics_of_their_step():
    autolog.set_checkpoint_policy(
        autolog.CheckpointPolicy(save_best_only=True, monitor="held out-auc")
    )
    booster, values = loop(5)
    ongoing.close_all()
    best = [step for step, value in enumerate(values) if step == 0 or value > max(values[:step])]
    outputs = only().outputs.model_outputs
    assert [output.step for output in outputs] == [*best, 4]
    for output in outputs:
        model = autolog.get_logged_model(output.model_id)
        assert model.metrics[0].value == values[output.step]
        loaded = autolog.lightgbm.load_model(f"models:/{output.model_id}")
        expected = booster.predict(X, num_iteration=output.step + 1)
        np.testing.assert_array_equal(loaded.predict(X), expected)


def test_no_checkpoints_of_dart():
    autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=1))
    booster = lgb.Booster(PARAMS | {"boosting": "dart"}, lgb.Dataset(X, y))
    for _ in range(3):
        booster.update()
    ongoing.close_all()
    assert len(only().outputs.model_outputs) == 1
    text = (Path(only().info.artifact_uri) / "autolog_report.json").read_text()
    assert "dart changes the trees" in text
