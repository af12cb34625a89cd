"""The logged model of a fit: its step, its metrics, its signature, its checkpoints."""

import catboost as cb
import numpy as np
import pytest
from catboost import Pool
from tests.integrations.catboost.patched import (
    QUIET,
    curve,
    diabetes,
    irises,
    load,
    model_metrics,
    models,
    only,
    skipped,
    tumours,
    wines,
)

import autolog
from autolog import CheckpointPolicy
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


def info_of(model):
    return autolog.models.get_model_info(f"models:/{model.model_id}")


def test_metrics_of_the_model_are_those_of_its_best_iteration():
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=60, custom_metric=["AUC"])
    model.fit(*train, eval_set=test)
    kept, step = models(only())["model"]
    assert 0 < step == model.best_iteration_ < 59
    evals = model.get_evals_result()
    assert model_metrics(kept) == {
        "learn-Logloss": evals["learn"]["Logloss"][step],
        "validation-Logloss": evals["validation"]["Logloss"][step],
        "validation-AUC": evals["validation"]["AUC"][step],
    }
    assert {(metric.key, metric.dataset_name) for metric in kept.metrics} == {
        ("learn-Logloss", "learn"),
        ("validation-Logloss", "validation"),
        ("validation-AUC", "validation"),
    }


def test_the_model_is_what_was_fitted():
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=10).fit(*train)
    kept, step = models(only())["model"]
    assert (kept.status, step) == ("READY", 9)
    assert kept.params["iterations"] == "10"
    loaded = load(kept)
    assert type(loaded) is cb.CatBoostClassifier
    assert (loaded.predict_proba(test[0]) == model.predict_proba(test[0])).all()
    found = autolog.pyfunc.load_model(f"runs:/{only().info.run_id}/model")
    assert (found.predict(test[0]) == model.predict(test[0])).all()


def test_signature_without_an_example():
    table, names = wines()
    cb.CatBoostClassifier(**QUIET, iterations=2, cat_features=["strength"]).fit(
        table.drop(columns="words"), names
    )
    found = info_of(models(only())["model"][0])
    assert found.signature.inputs.input_names() == ["flavanoids", "proline", "strength"]
    assert found.signature.outputs.to_dict()[0]["tensor-spec"]["shape"] == [-1, 1]
    assert found.saved_input_example_info is None


def test_input_example():
    autolog.catboost.autolog(log_input_examples=True)
    train, _ = tumours()
    cb.CatBoostClassifier(**QUIET, iterations=2).fit(Pool(*train))
    kept, _ = models(only())["model"]
    loaded = autolog.pyfunc.load_model(f"models:/{kept.model_id}")
    example = loaded.input_example
    assert np.array_equal(np.asarray(example), train[0].head(5).to_numpy())


def test_without_a_signature():
    autolog.catboost.autolog(log_model_signatures=False)
    cb.CatBoostClassifier(**QUIET, iterations=2).fit(*irises())
    assert info_of(models(only())["model"][0]).signature is None


def test_checkpoints_are_what_the_model_was():
    train, test = tumours()
    autolog.set_checkpoint_policy(CheckpointPolicy(every_n_steps=4))
    model = cb.CatBoostClassifier(**QUIET, iterations=12, use_best_model=False)
    model.fit(*train, eval_set=test)
    run = only()
    found = models(run)
    steps = {name: step for name, (_, step) in found.items()}
    assert set(steps) > {"model"}
    staged = list(model.staged_predict_proba(test[0]))
    for name, (kept, step) in found.items():
        loaded = load(kept)
        assert loaded.tree_count_ == step + 1, name
        assert (loaded.predict_proba(test[0]) == staged[step]).all(), name
        expected = curve(run, "validation-Logloss")[step]
        assert model_metrics(kept)["validation-Logloss"] == expected
        assert info_of(kept).signature is not None
    assert len(found) == 4
    assert model.tree_count_ == 12


def test_checkpoints_of_continued_training_that_kept_the_best():
    train, test = tumours()
    with autolog.disabled():
        first = cb.CatBoostClassifier(**QUIET, iterations=5).fit(*train)
    autolog.set_checkpoint_policy(CheckpointPolicy(monitor="validation-Logloss", keep_best=1))
    model = cb.CatBoostClassifier(**QUIET, iterations=60)
    model.fit(*train, eval_set=test, init_model=first)
    run = only()
    best = model.best_iteration_
    default_session().saving.wait()
    kept = {name: (each, step) for name, (each, step) in models(run).items() if name != "model"}
    ready = [pair for pair in kept.values() if pair[0].status == "READY"]
    assert ready
    for each, step in ready:
        assert load(each).tree_count_ == 5 + step + 1
    assert max(step for _, step in kept.values()) <= best
    assert f"checkpoints of iterations {best + 1} to 59" in skipped(run)


def test_no_checkpoints_unless_asked_for():
    cb.CatBoostClassifier(**QUIET, iterations=5).fit(*irises())
    assert set(models(only())) == {"model"}


def test_predictions_are_followed_to_the_model():
    (features, labels), test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=5).fit(features, labels)
    value = model.score(*test)
    run = only()
    with autolog.disabled():
        assert value == model.score(*test)
    kept, _ = models(run)["model"]
    scores = {key: found for key, found in run.data.metrics.items() if "score" in key}
    assert list(scores.values()) == [value]
    assert set(scores) <= set(model_metrics(autolog.get_logged_model(kept.model_id)))


@pytest.mark.parametrize("kind", [cb.CatBoost, cb.CatBoostRegressor])
def test_other_classes(kind):
    features, labels = diabetes()
    model = kind({**QUIET, "iterations": 3}) if kind is cb.CatBoost else kind(**QUIET, iterations=3)
    model.fit(features, labels)
    loaded = load(models(only())["model"][0])
    assert type(loaded) is kind
    assert np.array_equal(loaded.predict(features), model.predict(features))
