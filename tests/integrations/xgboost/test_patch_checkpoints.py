"""Models of the rounds in between, each with its own metrics, from one training."""

import numpy as np
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    BINARY,
    QUIET,
    curve,
    irises,
    load,
    model_metrics,
    models,
    only,
    tumours,
)

import autolog
from autolog import CheckpointPolicy
from autolog.instrument import ongoing
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    autolog.set_checkpoint_policy(CheckpointPolicy(every_n_epochs=2))
    yield
    ongoing.close_all()
    autolog.xgboost.autolog(disable=True)


@pytest.fixture
def matrices():
    train, valid = tumours()
    return xgb.DMatrix(*train), xgb.DMatrix(*valid)


def test_checkpoints_of_a_training(matrices):
    train, valid = matrices
    booster = xgb.train(BINARY, train, 6, evals=[(valid, "valid")], **QUIET)
    run = only()
    losses = curve(run, "valid-logloss")
    kept = models(run)
    steps = [int(name.removeprefix("model-")) for name in kept if name != "model"]
    assert sorted(steps) == [0, 2, 4]
    for step in steps:
        model = kept[f"model-{step}"]
        assert model_metrics(model) == {"valid-logloss": losses[step]}
        loaded = load(model)
        assert loaded.num_boosted_rounds() == step + 1
        expected = booster[: step + 1].predict(valid)
        assert (loaded.predict(valid) == expected).all()


def test_checkpoints_change_nothing(matrices):
    train, valid = matrices
    made = []
    for policy in (CheckpointPolicy(), None):
        autolog.set_checkpoint_policy(policy)
        params = {**BINARY, "subsample": 0.5, "booster": "dart", "rate_drop": 0.3}
        booster = xgb.train(params, train, 8, evals=[(valid, "valid")], **QUIET)
        made.append(bytes(booster.save_raw()))
    assert made[0] == made[1]


def test_trees_that_are_weighed_anew_are_kept_as_they_were(matrices):
    """What `booster[:n]` of the last booster would not give back."""
    train, valid = matrices
    seen = {}

    class Predicting(xgb.callback.TrainingCallback):
        def after_iteration(self, model, epoch, evals_log):
            seen[epoch] = model.predict(valid)
            return False

    params = {**BINARY, "booster": "dart", "rate_drop": 0.9, "one_drop": 1}
    xgb.train(params, train, 6, callbacks=[Predicting()])
    kept = {name: model for name, model in models(only()).items() if name != "model"}
    assert kept
    for name, model in kept.items():
        step = int(name.removeprefix("model-"))
        assert load(model).predict(valid) == pytest.approx(seen[step], abs=1e-6)


def test_checkpoints_of_an_estimator_are_estimators():
    features, labels = irises()
    model = xgb.XGBClassifier(n_estimators=6, max_depth=2, n_jobs=1, early_stopping_rounds=3)
    model.fit(features[::2], labels[::2], eval_set=[(features, labels)], verbose=False)
    run = only()
    losses = curve(run, "validation_0-mlogloss")
    kept = {name: each for name, each in models(run).items() if name != "model"}
    assert len(kept) == 3
    for name, each in kept.items():
        step = int(name.removeprefix("model-"))
        loaded = load(each)
        assert type(loaded) is xgb.XGBClassifier
        assert loaded.objective == model.objective == "multi:softprob"
        # All its rounds count, not the best of those before.
        chances = loaded.predict_proba(features)
        loss = -np.log(chances[np.arange(len(labels)), labels]).mean()
        assert loss == pytest.approx(losses[step], abs=1e-5)
        assert model_metrics(each)["validation_0-mlogloss"] == losses[step]


def test_only_the_best_are_kept(matrices):
    train, valid = matrices
    autolog.set_checkpoint_policy(
        CheckpointPolicy(save_best_only=True, monitor="valid-logloss", keep_best=1)
    )
    xgb.train(BINARY, train, 30, evals=[(train, "train"), (valid, "valid")], **QUIET)
    default_session().saving.wait()
    run = only()
    losses = curve(run, "valid-logloss")
    best = min(losses, key=losses.get)
    alive = {name for name, model in models(run).items() if model.status.value == "READY"} - {
        "model"
    }
    assert alive == {f"model-{best}"}


def test_checkpoints_of_a_loop_have_the_scores_of_their_round(matrices):
    train, valid = matrices
    autolog.set_checkpoint_policy(CheckpointPolicy(every_n_epochs=1))
    booster = xgb.Booster(BINARY, [train])
    for step in range(4):
        booster.update(train, step)
        booster.eval(train, "train", step)
        booster.eval(valid, "valid", step)
    ongoing.close_all()
    run = only()
    losses = curve(run, "valid-logloss")
    kept = models(run)
    assert set(kept) == {"model", "model-0", "model-1", "model-2", "model-3"}
    for step in range(4):
        assert load(kept[f"model-{step}"]).num_boosted_rounds() == step + 1
        assert model_metrics(kept[f"model-{step}"])["valid-logloss"] == losses[step]


def test_the_best_checkpoint_of_a_loop_waits_for_its_score(matrices):
    train, valid = matrices
    autolog.set_checkpoint_policy(
        CheckpointPolicy(save_best_only=True, monitor="valid-logloss", keep_best=1)
    )
    booster = xgb.Booster(BINARY, [train])
    for step in range(30):
        booster.update(train, step)
        booster.eval(train, "train", step)
        booster.eval(valid, "valid", step)
    ongoing.close_all()
    default_session().saving.wait()
    run = only()
    losses = curve(run, "valid-logloss")
    best = min(losses, key=losses.get)
    kept = models(run)
    alive = {name for name, model in kept.items() if model.status.value == "READY"}
    assert alive == {"model", f"model-{best}"}
    assert load(kept[f"model-{best}"]).num_boosted_rounds() == best + 1


def test_no_checkpoints_where_no_models_are_kept(matrices):
    autolog.xgboost.autolog(log_models=False)
    xgb.train(BINARY, matrices[0], 4)
    assert models(only()) == {}
