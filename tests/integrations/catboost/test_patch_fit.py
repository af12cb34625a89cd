"""A fit becomes a run: params, curves, best iteration, importances."""

import json
import logging
import os
import threading

import catboost as cb
import cloudpickle
import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.integrations.catboost.patched import (
    BINARY,
    QUIET,
    curve,
    diabetes,
    groups,
    irises,
    linked,
    models,
    only,
    report,
    runs,
    skipped,
    text,
    tumours,
    wines,
)

import autolog
from autolog_core.errors import InvalidArgument

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


def test_b12_fit_with_evaluation_set():
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=15, custom_metric=["AUC", "Accuracy"])
    model.fit(*train, eval_set=test)
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.tags["mlflow.autologging"] == "catboost"
    assert run.data.tags["estimator_name"] == "CatBoostClassifier"
    assert run.data.tags["estimator_class"] == "catboost.core.CatBoostClassifier"
    curves = reported(model)
    assert len(curves) == 5
    assert {key: curve(run, key) for key in curves} == curves
    best = model.best_iteration_
    assert run.data.metrics["best_iteration"] == best
    for key, values in curves.items():
        assert run.data.metrics[f"best_{key}"] == values[best]
    assert "stopped_iteration" not in run.data.metrics
    assert linked(run, "learn-Logloss") == {"learn"}
    assert linked(run, "validation-AUC") == {"validation"}
    assert skipped(run) == {}
    assert autolog.active_run() is None


def test_params_are_those_given_and_those_chosen():
    train, _ = tumours()
    model = cb.CatBoostClassifier(iterations=5, max_depth=3, verbose=0, allow_writing_files=False)
    model.fit(*train, early_stopping_rounds=3, use_best_model=False)
    run = only()
    resolved = model.get_all_params()
    assert run.data.params == {
        "iterations": "5",
        "max_depth": "3",
        "verbose": "0",
        "allow_writing_files": "False",
        "early_stopping_rounds": "3",
        "use_best_model": "False",
        # What CatBoost chose; the depth was given under another name.
        "learning_rate": str(resolved["learning_rate"]),
        "loss_function": "Logloss",
        "l2_leaf_reg": "3",
        "random_seed": "0",
    }
    assert json.loads(text(run, "catboost_params.json")) == resolved


def test_a_ranker_has_importances_and_is_left_as_it_was():
    features, labels, ids = groups()
    model = cb.CatBoostRanker(**QUIET, iterations=4).fit(features, labels, group_id=ids)
    importances = json.loads(text(only(), IMPORTANCE))
    assert not hasattr(model, "_prediction_values_change")
    assert "_prediction_values_change" not in model.__getstate__()
    with autolog.disabled():
        expected = model.get_feature_importance(type="PredictionValuesChange")
    assert list(importances.values()) == expected.tolist()


def test_importances_by_the_names_of_features():
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=5).fit(*train)
    importances = json.loads(text(only(), IMPORTANCE))
    assert importances == dict(zip(train[0].columns, model.feature_importances_, strict=True))


def test_importances_as_asked_for():
    autolog.catboost.autolog(importance_types=["PredictionValuesChange", "LossFunctionChange"])
    (features, labels), _ = tumours()
    cb.CatBoostClassifier(**QUIET, iterations=5).fit(features, labels, sample_weight=labels + 1)
    pool = cb.Pool(features, labels, weight=labels + 1)
    model = cb.CatBoostClassifier(**QUIET, iterations=5).fit(pool)
    name = "feature_importance_LossFunctionChange.json"
    first, second = (json.loads(text(run, name)) for run in runs())
    assert first == second
    assert not hasattr(model, "_loss_value_change")
    with autolog.disabled():
        expected = model.get_feature_importance(pool, type="LossFunctionChange")
    assert list(second.values()) == expected.tolist()
    autolog.catboost.autolog(importance_types=[])
    cb.CatBoostClassifier(**QUIET, iterations=5).fit(pool)
    assert not os.path.exists(os.path.join(runs()[-1].info.artifact_uri, IMPORTANCE))


@pytest.mark.parametrize(
    "values",
    [
        {"importance_types": "PredictionValuesChange"},
        {"importance_types": ["ShapValues"]},
        {"max_tuning_runs": -1},
        {"max_tuning_runs": True},
    ],
)
def test_a_wrong_option_is_told(values):
    with pytest.raises(InvalidArgument, match=next(iter(values))):
        autolog.catboost.autolog(**values)


def test_categories_and_texts():
    table, names = wines()
    model = cb.CatBoostClassifier(**QUIET, iterations=5, text_features=["words"])
    model.fit(table, names, cat_features=["strength"])
    run = only()
    assert run.data.params["cat_features"] == "['strength']"
    assert run.data.params["text_features"] == "['words']"
    assert (
        list(curve(run, "learn-MultiClass").values())
        == (model.get_evals_result()["learn"]["MultiClass"])
    )
    assert set(json.loads(text(run, IMPORTANCE))) == set(table.columns)
    model, _ = models(run)["model"]
    found = autolog.pyfunc.load_model(f"models:/{model.model_id}")
    assert found.metadata.signature.inputs.input_names() == list(table.columns)
    assert found.predict(table.head(3)).ravel().tolist() == names.head(3).tolist()


def test_train_however_it_was_imported():
    train, test = tumours()
    model = cb.train(cb.Pool(*train), {**BINARY, "iterations": 4}, eval_set=cb.Pool(*test))
    run = only()
    assert run.data.tags["estimator_class"] == "catboost.core.CatBoost"
    assert run.data.params["iterations"] == "4"
    assert curve(run, "validation-Logloss") == reported(model)["validation-Logloss"]


def test_a_class_of_the_users():
    class Steady(cb.CatBoostClassifier):
        predicted = 0

        def fit(self, X, y):
            return super().fit(X, y, verbose=0)

        def predict(self, data):
            self.predicted += 1
            return super().predict(data)

    train, _ = tumours()
    model = Steady(**QUIET, iterations=3).fit(*train)
    run = only()
    assert run.data.tags["estimator_name"] == "Steady"
    assert model.predicted == 0
    assert "will be loaded as CatBoostClassifier" in skipped(run)["class of the model"]
    kept, _ = models(run)["model"]
    assert type(autolog.catboost.load_model(f"models:/{kept.model_id}")) is cb.CatBoostClassifier


def test_a_fit_that_raises():
    with pytest.raises(cb.CatBoostError, match="y may be None only when"):
        cb.CatBoostClassifier(**QUIET, iterations=3).fit(irises()[0])
    run = only()
    assert run.info.status == "FAILED"
    assert run.data.params["iterations"] == "3"
    assert skipped(run)["model"] == "the fit failed"


def test_in_a_run_of_the_users():
    train, _ = tumours()
    with autolog.start_run() as user:
        cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train)
        cb.CatBoostClassifier(**QUIET, iterations=4).fit(*train)
        assert autolog.active_run().info.run_id == user.info.run_id
    first, second = runs()
    assert first.info.run_id == user.info.run_id
    assert first.data.params["iterations"] == "3"
    assert second.data.params["iterations"] == "4"
    assert second.data.tags["mlflow.parentRunId"] == user.info.run_id


def test_options_are_honoured():
    train, _ = tumours()
    autolog.catboost.autolog(log_models=False, log_datasets=False, extra_tags={"team": "a"})
    cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train)
    run = only()
    assert run.data.tags["team"] == "a"
    assert not run.inputs.dataset_inputs
    assert not run.outputs.model_outputs
    assert skipped(run) == {
        "datasets": "log_datasets is False",
        "model": "log_models is False",
    }
    autolog.catboost.autolog(exclusive=True)
    with autolog.start_run():
        cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train)
    assert "learn-Logloss" not in runs()[-1].data.metrics
    with autolog.disabled():
        cb.CatBoostClassifier(**QUIET, iterations=3).fit(*train)
    assert len(runs()) == 2


def test_silent_says_nothing(caplog, capfd):
    class Own(cb.CatBoostRegressor):
        pass

    autolog.catboost.autolog(silent=True, registered_model_name="none")
    with caplog.at_level(logging.DEBUG):
        Own(**QUIET, iterations=3).fit(*diabetes())
        models(only())
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("also_sklearn", [True, False])
def test_inside_a_search_of_scikit_learn(also_sklearn):
    autolog.sklearn.autolog(disable=not also_sklearn)
    try:
        model = cb.CatBoostClassifier(**QUIET, iterations=3)
        search = GridSearchCV(model, {"depth": [1, 2]}, cv=2).fit(*irises())
        assert search.best_estimator_.is_fitted()
        roots = [run for run in runs() if "mlflow.parentRunId" not in run.data.tags]
        kind = "sklearn" if also_sklearn else "catboost"
        assert {run.data.tags["mlflow.autologging"] for run in runs()} == {kind}
        # Without scikit-learn's integration, the fit with the best params is a training.
        assert len(roots) == 1
    finally:
        autolog.sklearn.autolog(disable=True)


def test_scikit_learns_integration_leaves_a_fit_alone():
    autolog.sklearn.autolog()
    try:
        cb.CatBoostClassifier(**QUIET, iterations=3).fit(*irises())
        assert only().data.tags["mlflow.autologging"] == "catboost"
        make_pipeline(StandardScaler(), cb.CatBoostClassifier(**QUIET, iterations=3)).fit(*irises())
        assert runs()[-1].data.tags["mlflow.autologging"] == "sklearn"
        assert len(runs()) == 2
    finally:
        autolog.sklearn.autolog(disable=True)


def test_inside_a_cross_validation_of_scikit_learn():
    model = cb.CatBoostClassifier(**QUIET, iterations=3)
    assert len(cross_val_score(model, *irises(), cv=2)) == 2
    assert runs() == []


def test_what_was_fitted_can_be_stored(tmp_path):
    model = cb.CatBoostClassifier(**QUIET, iterations=3).fit(*irises())
    stored = cloudpickle.dumps(model)
    assert b"autolog" not in stored
    again = cloudpickle.loads(stored)
    assert (again.predict_proba(irises()[0]) == model.predict_proba(irises()[0])).all()
    assert again == model.copy()


def test_threads_each_have_their_own_numbers():
    train, test = tumours()
    fitted = {}

    def work(rounds):
        model = cb.CatBoostClassifier(**QUIET, iterations=rounds)
        fitted[rounds] = model.fit(*train, eval_set=test)

    workers = [threading.Thread(target=work, args=(rounds,)) for rounds in (3, 4, 5, 6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(runs()) == 4
    for run in runs():
        model = fitted[int(run.data.params["iterations"])]
        assert curve(run, "validation-Logloss") == reported(model)["validation-Logloss"]


def test_the_librarys_files_are_as_without(tmp_path, monkeypatch):
    train, test = tumours()
    params = {name: value for name, value in QUIET.items() if name != "allow_writing_files"}
    names = []
    for on in (False, True):
        folder = tmp_path / str(on)
        folder.mkdir()
        monkeypatch.chdir(folder)
        autolog.catboost.autolog(disable=not on)
        cb.CatBoostClassifier(**params, iterations=3).fit(*train, eval_set=test)
        names.append(sorted(str(path.relative_to(folder)) for path in folder.rglob("*")))
    assert names[0] == names[1]


def test_features_are_selected():
    train, test = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=6)
    summary = model.select_features(
        *train, eval_set=test, features_for_select="0-29", num_features_to_select=4, steps=2,
        algorithm="RecursiveByShapValues", logging_level="Silent",
    )  # fmt: skip
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params["select_num_features_to_select"] == "4"
    assert json.loads(text(run, "feature_selection.json")) == json.loads(json.dumps(summary))
    assert curve(run, "validation-Logloss") == reported(model)["validation-Logloss"]
    assert models(run)["model"][1] == model.tree_count_ - 1
    other = cb.CatBoostClassifier(**QUIET, iterations=6)
    other.select_features(
        *train, features_for_select=[0, 1, 2], num_features_to_select=2, train_final_model=False,
        logging_level="Silent",
    )  # fmt: skip
    assert not other.is_fitted()
    assert skipped(runs()[-1])["model"] == "train_final_model is False"


def test_samples_of_a_gaussian_process_are_one_run():
    features, labels = diabetes()
    samples = cb.sample_gaussian_process(
        features[:60], labels[:60], samples=2, posterior_iterations=3, prior_iterations=3
    )
    run = only()
    assert run.data.params["samples"] == "2"
    kept = models(run)
    assert sorted(kept) == ["sample_0", "sample_1"]
    loaded = autolog.catboost.load_model(f"models:/{kept['sample_1'][0].model_id}")
    assert np.array_equal(loaded.predict(features), samples[1].predict(features))


def test_the_report_tells_what_it_cost():
    cb.CatBoostClassifier(**QUIET, iterations=3).fit(*irises())
    found = report(only())
    assert found["call"] == "CatBoostClassifier.fit"
    assert found["captured"]["models"] == 1
    assert found["errors"] == []
    assert {"params", "datasets", "metrics", "model"} <= found["cost_ms"]["parts"].keys()
