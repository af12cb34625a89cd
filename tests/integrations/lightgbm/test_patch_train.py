"""`lightgbm.train`: what becomes of it in a run. The numbers are those of the scenarios."""

import json
import logging
import threading
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest
from lightgbm import train as early_train
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import train_test_split

import autolog
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
PARAMS = {
    "objective": "binary",
    "metric": ["binary_logloss", "auc"],
    "num_leaves": 7,
    "num_threads": 1,
    "verbosity": -1,
}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)


def sets():
    known = lgb.Dataset(X_train, y_train)
    return known, lgb.Dataset(X_test, y_test, reference=known)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def folder(run):
    return Path(run.info.artifact_uri)


def report(run):
    return json.loads((folder(run) / "autolog_report.json").read_text())


def skipped(run):
    return {entry["what"] for entry in report(run)["skipped"]}


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    assert [point.step for point in points] == list(
        range(points[0].step, points[0].step + len(points))
    )
    return [point.value for point in points]


def model_of(run):
    (output,) = run.outputs.model_outputs
    return autolog.get_logged_model(output.model_id), output.step


@pytest.mark.parametrize("how", ["callback", "params", "alias"])
def test_p21_train_with_early_stopping(how):
    known, held_out = sets()
    told = {}
    callbacks = [lgb.record_evaluation(told)]
    params = dict(PARAMS)
    if how == "callback":
        callbacks.append(lgb.early_stopping(3, verbose=False))
    else:
        params["early_stopping_round" if how == "params" else "n_iter_no_change"] = 3
    booster = lgb.train(
        params, known, 60, [known, held_out], ["train", "test"], callbacks=callbacks
    )
    run, best = only(), booster.best_iteration
    assert 0 < best < 58
    assert run.info.status == "FINISHED"
    for dataset, metrics in told.items():
        for metric, values in metrics.items():
            assert curve(run, f"{dataset}-{metric}") == values
            assert run.data.metrics[f"best_{dataset}-{metric}"] == values[best - 1]
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["stopped_iteration"] == len(told["test"]["auc"]) == best + 3
    assert run.data.params["num_boost_round"] == "60"
    assert run.data.params["num_leaves"] == "7"
    assert run.data.params["metric"] == "['binary_logloss', 'auc']"
    assert run.data.params["n_iter_no_change" if how == "alias" else "early_stopping_round"] == "3"
    for kind in ("split", "gain"):
        kept = json.loads((folder(run) / f"feature_importance_{kind}.json").read_text())
        assert kept == dict(
            zip(booster.feature_name(), booster.feature_importance(kind).tolist(), strict=True)
        )
    model, step = model_of(run)
    assert (model.name, step) == ("model", best - 1)
    assert {metric.key: metric.value for metric in model.metrics} == {
        f"{dataset}-{metric}": values[best - 1]
        for dataset, metrics in told.items()
        for metric, values in metrics.items()
    }
    loaded = autolog.lightgbm.load_model(f"models:/{model.model_id}")
    np.testing.assert_array_equal(loaded.predict(X_test), booster.predict(X_test))
    assert not skipped(run)


def test_p21_values_are_linked_to_the_data_that_they_are_of():
    known, held_out = sets()
    lgb.train(PARAMS, known, 3, [known, held_out])
    run = only()
    uses = {use.dataset.name: use for use in run.inputs.dataset_inputs}
    contexts = {name: use.context for name, use in uses.items()}
    assert contexts == {"dataset": "train", "valid_1": "eval"}
    client = autolog.MlflowClient()
    for key, name in (("training-auc", "dataset"), ("valid_1-auc", "valid_1")):
        for point in client.get_metric_history(run.info.run_id, key):
            assert point.dataset_name == name
            assert point.dataset_digest == uses[name].dataset.digest


def test_v20_early_stopping_that_did_not_stop_is_told_too():
    known, held_out = sets()
    booster = lgb.train(
        PARAMS, known, 4, [held_out], callbacks=[lgb.early_stopping(50, verbose=False)]
    )
    metrics = only().data.metrics
    assert metrics["best_iteration"] == booster.best_iteration == 4
    assert metrics["stopped_iteration"] == 4


def test_without_early_stopping_nothing_is_told_of_it():
    known, held_out = sets()
    lgb.train(PARAMS, known, 4, [held_out])
    run = only()
    assert set(run.data.metrics) == {"valid_0-auc", "valid_0-binary_logloss"}
    assert model_of(run)[1] == 3


@pytest.mark.filterwarnings("ignore:Early stopping is not available in dart mode")
def test_dart_goes_to_the_end():
    known, held_out = sets()
    params = PARAMS | {"boosting": "dart", "verbosity": -1}
    lgb.train(params, known, 4, [held_out], callbacks=[lgb.early_stopping(2, verbose=False)])
    run = only()
    assert "best_iteration" not in run.data.metrics
    assert len(curve(run, "valid_0-auc")) == 4


def test_a_function_imported_before_autologging():
    known, held_out = sets()
    early_train(PARAMS, known, 3, [held_out])
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params["num_boost_round"] == "3"
    assert len(curve(run, "valid_0-auc")) == 3


def test_users_callbacks_are_as_without_us():
    seen = []

    def own(env):
        seen.append((env.iteration, len(env.evaluation_result_list)))

    known, held_out = sets()
    callbacks = [own, lgb.early_stopping(2, verbose=False)]
    before = list(callbacks)
    lgb.train(PARAMS, known, 3, [held_out], callbacks=callbacks)
    assert callbacks == before
    assert own.order == -2
    assert seen == [(0, 2), (1, 2), (2, 2)]
    known, held_out = sets()
    lgb.train(PARAMS, known, 3, [held_out], callbacks=callbacks)
    for run in runs():
        assert len(curve(run, "valid_0-auc")) == 3


def test_the_last_iteration_counts_when_a_users_callback_ends_the_training():
    def stop(env):
        if env.iteration == 2:
            raise lgb.callback.EarlyStopException(1, env.evaluation_result_list)

    known, held_out = sets()
    lgb.train(PARAMS, known, 10, [held_out], callbacks=[stop])
    run = only()
    assert len(curve(run, "valid_0-auc")) == 3
    assert run.data.metrics["best_iteration"] == 2
    assert run.data.metrics["stopped_iteration"] == 3
    assert model_of(run)[1] == 1


def test_training_goes_on_from_a_model():
    known, held_out = sets()
    first = lgb.train(PARAMS, known, 5, [held_out])
    known, held_out = sets()
    second = lgb.train(
        PARAMS, known, 30, [held_out], init_model=first,
        callbacks=[lgb.early_stopping(2, verbose=False)],
    )  # fmt: skip
    run = runs()[1]
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, "valid_0-auc")
    assert points[0].step == 5
    assert run.data.metrics["best_iteration"] == second.best_iteration
    assert model_of(run)[1] == second.best_iteration - 1
    by_step = {point.step: point.value for point in points}
    assert run.data.metrics["best_valid_0-auc"] == by_step[second.best_iteration - 1]


def test_objectives_and_metrics_of_the_user():
    def log_loss(predicted, data):
        chance = 1 / (1 + np.exp(-predicted))
        return chance - data.get_label(), chance * (1 - chance)

    def mistakes(predicted, data):
        wrong = (predicted > 0) != data.get_label()
        one = np.array([wrong.mean()])
        return [
            ("mistakes @ 0 (share)", wrong.mean(), False),
            ("one", one, False),
            ("text", "no number", False),
        ]

    known, held_out = sets()
    params = PARAMS | {"objective": log_loss, "metric": "None"}
    booster = lgb.train(params, known, 3, [held_out], feval=mistakes)
    run = only()
    assert curve(run, "valid_0-mistakes _at_ 0 _share_")[-1] == pytest.approx(
        ((booster.predict(X_test) > 0) != y_test).mean()
    )
    assert curve(run, "valid_0-one") == curve(run, "valid_0-mistakes _at_ 0 _share_")
    assert "valid_0-text" not in run.data.metrics
    assert run.data.params["objective"].endswith("log_loss")
    assert " at 0x" not in run.data.params["objective"]
    assert model_of(run)[0].status == "READY"


def test_names_of_ranking_metrics():
    rng = np.random.default_rng(0)
    data = lgb.Dataset(rng.normal(size=(60, 3)), rng.integers(0, 3, 60), group=[20, 20, 20])
    params = {"objective": "lambdarank", "eval_at": [1, 3], "verbosity": -1, "num_threads": 1}
    lgb.train(params, data, 2, [data], ["ours"])
    run = only()
    assert set(run.data.metrics) == {"ours-ndcg_at_1", "ours-ndcg_at_3"}
    assert run.inputs.dataset_inputs[0].dataset.name == "ours"


def test_classes_and_their_signature():
    features, labels = load_wine(return_X_y=True)
    params = {"objective": "multiclass", "num_class": 3, "verbosity": -1, "num_threads": 1}
    booster = lgb.train(params, lgb.Dataset(features, labels), 3)
    info = autolog.models.get_model_info(f"models:/{model_of(only())[0].model_id}")
    (output,) = info.signature.outputs.inputs
    assert output.shape == (-1, 3)
    assert booster.predict(features).shape[1:] == output.shape[1:]
    assert info.signature.inputs.inputs[0].shape == (-1, 13)


@pytest.mark.filterwarnings("ignore:Found `num_trees` in params")
def test_rounds_by_another_name():
    features, labels = load_diabetes(return_X_y=True)
    lgb.train({"num_trees": 2, "verbosity": -1}, lgb.Dataset(features, labels))
    params = only().data.params
    assert params["num_trees"] == "2"
    assert "num_boost_round" not in params


def test_metrics_can_be_read_while_it_trains():
    found = []

    def look(env):
        history = autolog.MlflowClient().get_metric_history(
            autolog.active_run().info.run_id, "valid_0-auc"
        )
        found.append(len(history))

    known, held_out = sets()
    lgb.train(PARAMS, known, 3, [held_out], callbacks=[look])
    assert found == [1, 2, 3]


def test_p2_in_the_users_run():
    known, held_out = sets()
    with autolog.start_run() as user:
        lgb.train(PARAMS, known, 2, [held_out])
        assert autolog.active_run().info.run_id == user.info.run_id
    assert only().info.run_id == user.info.run_id
    assert only().data.tags["mlflow.autologging"] == "lightgbm"


def test_p15_the_training_fails():
    known, _ = sets()

    def fail(env):
        if env.iteration == 1:
            raise ZeroDivisionError("the user's")

    with pytest.raises(ZeroDivisionError, match="the user's") as caught:
        lgb.train(PARAMS, known, 5, [known], callbacks=[fail])
    assert caught.value.__context__ is None
    run = only()
    assert run.info.status == "FAILED"
    assert len(curve(run, "training-auc")) == 2
    assert run.data.params["num_leaves"] == "7"
    assert not run.outputs.model_outputs


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"params": PARAMS},
        {"params": PARAMS, "train_set": X},
        {"params": 3, "train_set": None},
        {"params": PARAMS, "train_set": None, "valid_sets": [X], "valid_names": 3},
        {"params": PARAMS, "train_set": None, "callbacks": 3},
        {"params": PARAMS, "train_set": None, "nonsense": 3},
    ],
)
def test_calls_that_make_no_sense_raise_what_they_did(arguments):
    autolog.lightgbm.autolog(disable=True)
    with pytest.raises(Exception) as plain:
        lgb.train(**arguments)
    autolog.lightgbm.autolog()
    with pytest.raises(type(plain.value)) as ours:
        lgb.train(**arguments)
    assert ours.value.args == plain.value.args
    assert only().info.status == "FAILED"


def test_p45_exclusive():
    autolog.lightgbm.autolog(exclusive=True)
    with autolog.start_run():
        lgb.train(PARAMS, sets()[0], 2)
        booster = lgb.Booster(PARAMS, sets()[0])
        booster.update()
    assert not only().data.params


def test_p47_silent(caplog, capfd):
    autolog.lightgbm.autolog(silent=True)
    with caplog.at_level(logging.DEBUG):
        lgb.train(PARAMS, sets()[0], 2)
    assert not [record for record in caplog.records if record.name.startswith("autolog")]
    assert capfd.readouterr() == ("", "")


def test_p48_tags_and_a_name_that_there_is_no_registry_for(caplog):
    autolog.lightgbm.autolog(extra_tags={"team": "a"}, registered_model_name="best")
    assert "registered_model_name has no effect" in caplog.text
    lgb.train(PARAMS, sets()[0], 2)
    assert only().data.tags["team"] == "a"


def test_p49_nothing_that_was_not_asked_for():
    autolog.lightgbm.autolog(log_models=False, log_datasets=False)
    known, held_out = sets()
    lgb.train(PARAMS, known, 2, [held_out])
    run = only()
    assert not run.outputs.model_outputs
    assert not run.inputs.dataset_inputs
    assert skipped(run) == {"model", "dataset"}
    assert len(curve(run, "valid_0-auc")) == 2


def test_p53_threads_have_a_whole_run_each():
    def work():
        known, held_out = sets()
        lgb.train(PARAMS, known, 3, [held_out])

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for run in runs():
        assert len(curve(run, "valid_0-auc")) == 3
        assert model_of(run)[0].status == "READY"
    assert len(runs()) == 4
