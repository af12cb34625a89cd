"""The estimators of LightGBM: one run for each `fit`, with all of its iterations."""

import inspect
import json
import pickle
from pathlib import Path

import cloudpickle
import lightgbm as lgb
import numpy as np
import pytest
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autolog
from autolog_core.session import default_session

pytestmark = pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
X, number = load_wine(return_X_y=True, as_frame=True)
y = np.array(["Alba", "Barolo", "Canelli"])[number]
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
SMALL = {"n_estimators": 8, "num_leaves": 5, "n_jobs": 1, "verbosity": -1}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)
    autolog.sklearn.autolog(disable=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def report(run):
    return json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    assert [point.step for point in points] == list(range(len(points)))
    return [point.value for point in points]


def model_of(run):
    (output,) = run.outputs.model_outputs
    return autolog.get_logged_model(output.model_id), output.step


def test_v11_the_model_shows_the_last_iteration():
    estimator = lgb.LGBMClassifier(**SMALL)
    estimator.fit(X_train, y_train, eval_set=[(X_test, y_test)], eval_metric="multi_error")
    run = only()
    told = estimator.evals_result_["valid_0"]
    for metric, values in told.items():
        assert curve(run, f"valid_0-{metric}") == values
    model, step = model_of(run)
    assert step == 7
    assert {metric.key: metric.value for metric in model.metrics} == {
        f"valid_0-{metric}": values[-1] for metric, values in told.items()
    }
    loaded = autolog.lightgbm.load_model(f"models:/{model.model_id}")
    assert type(loaded) is lgb.LGBMClassifier
    np.testing.assert_array_equal(loaded.predict(X_test), estimator.predict(X_test))


def test_a_classifier_says_all_that_is_known_of_it():
    estimator = lgb.LGBMClassifier(**SMALL).fit(X_train, y_train)
    run = only()
    assert run.data.tags["estimator_name"] == "LGBMClassifier"
    assert run.data.tags["estimator_class"] == "lightgbm.sklearn.LGBMClassifier"
    params = run.data.params
    assert (params["n_estimators"], params["num_boost_round"]) == ("8", "8")
    assert (params["objective"], params["num_class"]) == ("multiclass", "3")
    assert params["importance_type"] == "split"
    assert set(estimator.get_params()) <= set(params)
    (use,) = run.inputs.dataset_inputs
    assert use.context == "train"
    assert "alcohol" in use.dataset.schema
    assert json.loads(use.dataset.profile)["targets_shape"] == [len(y_train)]
    info = autolog.models.get_model_info(f"models:/{model_of(run)[0].model_id}")
    assert info.signature.inputs.input_names() == list(X.columns)
    assert info.signature == autolog.models.infer_signature(X_train, estimator.predict(X_train))
    gain = json.loads((Path(run.info.artifact_uri) / "feature_importance_gain.json").read_text())
    assert list(gain.values()) == estimator.booster_.feature_importance("gain").tolist()


@pytest.mark.parametrize("how", ["callback", "constructor"])
def test_v20_early_stopping_of_an_estimator(how):
    data, labels = load_breast_cancer(return_X_y=True)
    known, held_out, known_y, held_out_y = train_test_split(data, labels, random_state=0)
    params = SMALL | {"n_estimators": 80}
    callbacks = None
    if how == "callback":
        callbacks = [lgb.early_stopping(3, verbose=False)]
    else:
        params["early_stopping_round"] = 3
    estimator = lgb.LGBMClassifier(**params).fit(
        known, known_y, eval_set=[(held_out, held_out_y)], callbacks=callbacks, eval_metric="auc",
    )  # fmt: skip
    run, best = only(), estimator.best_iteration_
    assert 0 < best < 77
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["stopped_iteration"] == best + 3
    values = estimator.evals_result_["valid_0"]["auc"]
    assert run.data.metrics["best_valid_0-auc"] == values[best - 1]
    assert model_of(run)[1] == best - 1
    assert run.data.params["early_stopping_round"] == "3"
    if how == "callback":
        assert len(callbacks) == 1


def test_p22_a_ranker_with_groups():
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(90, 4)), rng.integers(0, 3, 90)
    estimator = lgb.LGBMRanker(**SMALL, min_child_samples=5)
    estimator.fit(
        features[:60], labels[:60], group=[20, 40], eval_at=[1, 3],
        eval_set=[(features[60:], labels[60:])], eval_group=[[30]], eval_names=["held out"],
    )  # fmt: skip
    run = only()
    for at in (1, 3):
        expected = estimator.evals_result_["held out"][f"ndcg@{at}"]
        assert curve(run, f"held out-ndcg_at_{at}") == expected
    assert run.data.params["eval_at"] == "[1, 3]"
    assert run.data.params["objective"] == "lambdarank"
    contexts = {use.dataset.name: use.context for use in run.inputs.dataset_inputs}
    assert contexts == {"dataset": "train", "held out": "eval"}
    model, _ = model_of(run)
    loaded = autolog.lightgbm.load_model(f"models:/{model.model_id}")
    np.testing.assert_array_equal(loaded.predict(features), estimator.predict(features))


@pytest.mark.skipif(
    "eval_X" not in inspect.signature(lgb.LGBMModel.fit).parameters, reason="since LightGBM 4.7"
)
@pytest.mark.parametrize("many", [True, False])
def test_evaluation_data_by_their_new_names(many):
    data, labels = load_diabetes(return_X_y=True)
    other, other_labels = data[:50], labels[:50]
    lgb.LGBMRegressor(**SMALL).fit(
        data,
        labels,
        eval_X=(other, data) if many else other,
        eval_y=(other_labels, labels) if many else other_labels,
    )
    run = only()
    names = [use.dataset.name for use in run.inputs.dataset_inputs]
    assert sorted(names) == ["dataset", "valid_0"]
    assert set(run.data.metrics) == ({"valid_0-l2", "training-l2"} if many else {"valid_0-l2"})
    client = autolog.MlflowClient()
    for key in run.data.metrics:
        for point in client.get_metric_history(run.info.run_id, key):
            assert point.dataset_name == ("valid_0" if key == "valid_0-l2" else "dataset")


@pytest.mark.skipif(
    "eval_X" not in inspect.signature(lgb.LGBMModel.fit).parameters, reason="since LightGBM 4.7"
)
def test_a_classifier_does_not_know_its_training_data_by_the_new_names():
    data, labels = load_breast_cancer(return_X_y=True)
    lgb.LGBMClassifier(**SMALL).fit(data, labels, eval_X=data, eval_y=labels)
    run = only()
    assert set(run.data.metrics) == {"valid_0-binary_logloss"}
    contexts = {use.dataset.name: use.context for use in run.inputs.dataset_inputs}
    assert contexts == {"dataset": "train", "valid_0": "eval"}


def test_the_training_data_among_those_that_are_evaluated():
    lgb.LGBMClassifier(**SMALL).fit(
        X_train, y_train, eval_set=[(X_train, y_train), (X_test, y_test)], eval_names=["in", "out"]
    )
    run = only()
    contexts = {use.dataset.name: use.context for use in run.inputs.dataset_inputs}
    assert contexts == {"in": "train", "out": "eval"}
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, "in-multi_logloss")
    assert {point.dataset_name for point in points} == {"in"}


def test_metrics_and_objectives_of_the_user():
    def squares(labels, predicted):
        return predicted - labels, np.ones_like(labels)

    def distance(labels, predicted):
        return "distance", float(np.abs(labels - predicted).mean()), False

    data, labels = load_diabetes(return_X_y=True)
    estimator = lgb.LGBMRegressor(**SMALL, objective=squares)
    estimator.fit(data, labels, eval_set=[(data[:50], labels[:50])], eval_metric=distance)
    run = only()
    assert curve(run, "valid_0-distance") == estimator.evals_result_["valid_0"]["distance"]
    model, _ = model_of(run)
    assert model.status == "READY"
    loaded = autolog.lightgbm.load_model(f"models:/{model.model_id}", trust=True)
    np.testing.assert_array_equal(loaded.predict(data), estimator.predict(data))


def test_a_classifier_with_an_objective_of_the_user_is_not_asked_to_predict(capfd):
    def loss(labels, predicted):
        chance = 1 / (1 + np.exp(-predicted))
        return chance - labels, chance * (1 - chance)

    data, labels = load_breast_cancer(return_X_y=True)
    lgb.LGBMClassifier(**SMALL, objective=loss).fit(data, labels)
    info = autolog.models.get_model_info(f"models:/{model_of(only())[0].model_id}")
    assert info.signature.outputs.inputs[0].type == np.dtype(float)
    assert "Returning raw scores" not in "".join(capfd.readouterr())


class Scaled(lgb.LGBMRegressor):
    """Does something before and after the fit of LightGBM, and predicts in its own way."""

    def fit(self, X, y):
        self.scale_ = float(np.abs(y).max())
        half = len(X) // 2
        super().fit(X[:half], y[:half] / self.scale_, eval_set=[(X[half:], y[half:] / self.scale_)])
        self.done_ = True
        return self

    def predict(self, X, **kwargs):
        self.asked_ = len(X)
        return (super().predict(X, **kwargs) * self.scale_).astype(np.float32)


class Twice(lgb.LGBMRegressor):
    """Learns how many iterations are good, then trains on everything."""

    def fit(self, X, y):
        super().fit(X[::2], y[::2], eval_set=[(X[1::2], y[1::2])])
        return super().fit(X, y, eval_set=[(X, y)])


def test_a_class_of_the_user():
    data, labels = load_diabetes(return_X_y=True)
    estimator = Scaled(**SMALL).fit(data, labels)
    run = only()
    assert run.data.tags["estimator_name"] == "Scaled"
    assert len(curve(run, "valid_0-l2")) == 8
    contexts = {use.dataset.name: use.context for use in run.inputs.dataset_inputs}
    assert contexts == {"dataset": "train", "valid_0": "eval"}
    model, _ = model_of(run)
    info = autolog.models.get_model_info(f"models:/{model.model_id}")
    assert info.signature.outputs.inputs[0].type == np.dtype(np.float32)
    assert not hasattr(estimator, "asked_")
    loaded = autolog.lightgbm.load_model(f"models:/{model.model_id}", trust=True)
    assert loaded.done_
    np.testing.assert_array_equal(loaded.predict(data), estimator.predict(data))


def test_a_class_defined_after_autologging_began():
    class Late(lgb.LGBMRegressor):
        def fit(self, X, y):
            super().fit(X, y)
            self.done_ = True
            return self

    Late(**SMALL).fit(*load_diabetes(return_X_y=True))
    run = only()
    assert run.data.tags["estimator_name"] == "Late"
    uri = f"models:/{model_of(run)[0].model_id}"
    assert autolog.lightgbm.load_model(uri, trust=True).done_
    autolog.lightgbm.autolog(disable=True)
    assert "__init_subclass__" not in vars(lgb.LGBMModel)
    assert inspect.isfunction(vars(Late)["fit"])


def test_two_trainings_in_one_fit_do_not_share_a_curve():
    data, labels = load_diabetes(return_X_y=True)
    Twice(**SMALL).fit(data, labels)
    run = only()
    assert len(curve(run, "valid_0-l2")) == 8
    assert len(curve(run, "training-l2-2")) == 8
    assert "training-l2" not in run.data.metrics


class Several(lgb.LGBMRegressor):
    """Has others train in its place."""

    def fit(self, X, y):
        self.parts_ = [lgb.LGBMRegressor(**SMALL).fit(X[start::2], y[start::2]) for start in (0, 1)]
        return self


def test_an_estimator_that_has_others_train():
    Several(**SMALL).fit(*load_diabetes(return_X_y=True))
    run = only()
    assert run.info.status == "FINISHED"
    assert [entry["what"] for entry in report(run)["skipped"]][-1] == "model"


def test_a_second_fit_in_a_run_is_a_child():
    with autolog.start_run() as parent:
        lgb.LGBMClassifier(**SMALL).fit(X_train, y_train)
        first = autolog.get_run(parent.info.run_id)
    lgb.LGBMClassifier(**SMALL | {"num_leaves": 3}).fit(X_train, y_train)
    assert first.data.params["num_leaves"] == "5"
    assert {run.data.params["num_leaves"] for run in runs()} == {"3", "5"}


def test_p15_a_fit_fails():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        lgb.LGBMClassifier(**SMALL).fit(X_train.to_numpy(), y_train[:5])
    run = only()
    assert run.info.status == "FAILED"
    assert run.data.params["num_leaves"] == "5"
    assert not run.outputs.model_outputs


@pytest.mark.parametrize("both", [True, False])
def test_p8_a_search_has_no_inner_runs(both):
    if both:
        autolog.sklearn.autolog(log_models=False)
    search = GridSearchCV(lgb.LGBMClassifier(**SMALL), {"num_leaves": [3, 4]}, cv=2)
    search.fit(X_train, y_train)
    parents = [run for run in runs() if "mlflow.parentRunId" not in run.data.tags]
    (run,) = parents
    # Without scikit-learn's integration it is the fit of the best params on all the data.
    expected = "GridSearchCV" if both else "LGBMClassifier"
    assert run.data.tags["estimator_name"] == expected


def test_p14_cross_validation_has_no_inner_runs():
    cross_val_score(lgb.LGBMClassifier(**SMALL), X, y, cv=2)
    assert not runs()


@pytest.mark.parametrize("both", [True, False])
def test_meta_estimators(both):
    data, labels = load_diabetes(return_X_y=True)
    if both:
        autolog.sklearn.autolog(log_models=False)
    make_pipeline(StandardScaler(), lgb.LGBMRegressor(**SMALL)).fit(data, labels)
    MultiOutputRegressor(lgb.LGBMRegressor(**SMALL)).fit(data, np.c_[labels, -labels])
    names = [run.data.tags["estimator_name"] for run in runs()]
    # LightGBM alone sees a training for each output.
    assert names == (["Pipeline", "MultiOutputRegressor"] if both else ["LGBMRegressor"] * 3)


def test_p52_what_was_fitted_holds_nothing_of_us():
    callback = lgb.early_stopping(2, verbose=False)
    estimator = lgb.LGBMClassifier(**SMALL)
    estimator.fit(X_train, y_train, eval_set=[(X_test, y_test)], callbacks=[callback])
    for dump in (pickle.dumps, cloudpickle.dumps):
        for each in (estimator, callback, lgb.LGBMClassifier, estimator.fit, lgb.train):
            assert b"autolog" not in dump(each)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict(X_test), estimator.predict(X_test))


def test_predictions_are_followed(monkeypatch):
    from autolog.instrument import lineage

    seen = []
    monkeypatch.setattr(lineage, "follow_prediction", lambda call, result: seen.append("array"))
    monkeypatch.setattr(lineage, "follow_score", lambda call, result: seen.append("score"))
    autolog.lightgbm.autolog(disable=True)
    autolog.lightgbm.autolog()
    estimator = lgb.LGBMClassifier(**SMALL).fit(X_train, y_train)
    estimator.predict(X_test)
    estimator.predict_proba(X_test)
    estimator.score(X_test, y_test)
    estimator.booster_.predict(X_test)
    assert seen == ["array", "array", "score", "array"]
    assert len(runs()) == 1


def test_p11_scores_belong_to_the_model_and_its_run():
    estimator = lgb.LGBMClassifier(**SMALL).fit(X_train, y_train)
    expected = estimator.score(X_test, y_test)
    run = only()
    assert run.data.metrics["LGBMClassifier_score_X_test"] == expected
    model, _ = model_of(run)
    assert {metric.key for metric in model.metrics} == {"LGBMClassifier_score_X_test"}


def test_p10_measured_predictions_belong_to_the_model_and_its_run():
    autolog.sklearn.autolog()
    estimator = lgb.LGBMClassifier(**SMALL).fit(X_train, y_train)
    expected = metrics.accuracy_score(y_test, estimator.predict(X_test))
    loss = metrics.log_loss(y_test, estimator.predict_proba(X_test))
    found = only().data.metrics
    assert found == {"accuracy_score_X_test": expected, "log_loss_X_test": loss}
