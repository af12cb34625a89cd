"""The estimators of XGBoost, and those of users, with and without scikit-learn's integration."""

import pickle
import threading

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from sklearn.datasets import load_diabetes
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.integrations.xgboost.patched import (
    artifact,
    curve,
    datasets,
    irises,
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

SMALL = {"n_estimators": 5, "max_depth": 2, "n_jobs": 1}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)
    autolog.sklearn.autolog(disable=True)


def test_p17_a_classifier_with_evaluation_sets():
    train, valid = tumours()
    model = xgb.XGBClassifier(**SMALL, eval_metric=["auc", "logloss"])
    model.fit(*train, eval_set=[train, valid], verbose=False)
    run = only()
    assert run.info.status == "FINISHED"
    for name, metrics in model.evals_result().items():
        for metric, values in metrics.items():
            assert curve(run, f"{name}-{metric}") == dict(enumerate(values))
    assert linked(run, "validation_0-auc") == {"dataset"}
    assert linked(run, "validation_1-auc") == {"validation_1"}
    assert set(datasets(run)) == {("train", "dataset"), ("eval", "validation_1")}
    assert run.data.tags["estimator_name"] == "XGBClassifier"
    assert run.data.tags["estimator_class"] == "xgboost.sklearn.XGBClassifier"
    assert run.data.params["max_depth"] == "2"
    assert run.data.params["num_boost_round"] == run.data.params["n_estimators"] == "5"
    assert artifact(run, "feature_importance_weight.json") == model.get_booster().get_score()
    assert skipped(run) == {}
    (kept,) = models(run).values()
    loaded = load(kept)
    assert type(loaded) is xgb.XGBClassifier
    assert (loaded.predict_proba(valid[0]) == model.predict_proba(valid[0])).all()


def test_v11_the_model_shows_the_last_round():
    train, valid = tumours()
    model = xgb.XGBClassifier(**SMALL).fit(*train, eval_set=[valid], verbose=False)
    (kept,) = models(only()).values()
    last = model.evals_result()["validation_0"]["logloss"][-1]
    assert model_metrics(kept) == {"validation_0-logloss": last}


def test_v11_the_model_shows_the_best_round():
    train, valid = tumours()
    model = xgb.XGBClassifier(n_estimators=60, max_depth=2, n_jobs=1, early_stopping_rounds=4)
    model.fit(*train, eval_set=[valid], verbose=False)
    run = only()
    best = model.best_iteration
    assert best < 55
    assert run.data.metrics["best_iteration"] == best
    assert run.data.metrics["stopped_iteration"] == best + 4
    assert run.data.metrics["best_validation_0-logloss"] == model.best_score
    (kept,) = models(run).values()
    assert model_metrics(kept)["validation_0-logloss"] == model.best_score
    # An estimator predicts with its best round.
    chances = load(kept).predict_proba(valid[0])
    loss = -np.log(chances[np.arange(len(valid[1])), valid[1]]).mean()
    assert loss == pytest.approx(model.best_score, abs=1e-5)


def test_v20_early_stopping_by_a_callback_of_the_estimator():
    train, valid = tumours()
    stop = xgb.callback.EarlyStopping(rounds=3)
    model = xgb.XGBClassifier(n_estimators=60, max_depth=2, n_jobs=1, callbacks=[stop])
    model.fit(*train, eval_set=[valid], verbose=False)
    assert model.callbacks == [stop]
    run = only()
    assert run.data.metrics["best_iteration"] == model.best_iteration
    assert run.data.metrics["stopped_iteration"] == model.best_iteration + 3


@pytest.mark.parametrize("own", [True, False], ids=["both on", "xgboost alone"])
@pytest.mark.parametrize(
    "estimator",
    [
        xgb.XGBRegressor(**SMALL),
        xgb.XGBRFRegressor(**SMALL),
        xgb.XGBModel(**SMALL, objective="reg:squarederror"),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_regressors(estimator, own):
    if own:
        autolog.sklearn.autolog()
    data = load_diabetes(return_X_y=True)
    estimator.fit(*data)
    run = only()
    assert run.data.tags["mlflow.autologging"] == "xgboost"
    assert run.info.status == "FINISHED"
    (kept,) = models(run).values()
    assert (load(kept).predict(data[0]) == estimator.predict(data[0])).all()


def test_a_random_forest_of_three_classes():
    features, labels = irises()
    model = xgb.XGBRFClassifier(n_estimators=7, max_depth=2, n_jobs=1).fit(features, labels)
    run = only()
    assert run.data.tags["estimator_name"] == "XGBRFClassifier"
    assert run.data.params["n_estimators"] == run.data.params["num_parallel_tree"] == "7"
    assert run.data.params["num_boost_round"] == "1"
    assert run.data.params["objective"] == "multi:softprob"
    (kept,) = models(run).values()
    assert (load(kept).predict_proba(features) == model.predict_proba(features)).all()


def test_a_ranker():
    features, _ = irises()
    labels, queries = np.arange(150) % 3, np.repeat(np.arange(15), 10)
    model = xgb.XGBRanker(**SMALL, objective="rank:ndcg", eval_metric=["ndcg@3", "map"])
    model.fit(
        features,
        labels > 0,
        qid=queries,
        eval_set=[(features, labels > 0)],
        eval_qid=[queries],
        verbose=False,
    )
    run = only()
    evals = model.evals_result()["validation_0"]
    assert list(curve(run, "validation_0-ndcg_at_3").values()) == evals["ndcg@3"]
    assert list(curve(run, "validation_0-map").values()) == evals["map"]
    (kept,) = models(run).values()
    assert (load(kept).predict(features) == model.predict(features)).all()


def test_a_callable_metric():
    train, valid = tumours()

    def wrong(labels, predicted):
        return float(((predicted > 0.5) != labels).mean())

    model = xgb.XGBClassifier(**SMALL, eval_metric=wrong)
    model.fit(*train, eval_set=[valid], verbose=False)
    run = only()
    evals = model.evals_result()["validation_0"]
    assert list(curve(run, "validation_0-wrong").values()) == evals["wrong"]
    assert run.data.params["eval_metric"].endswith("wrong")
    assert " at 0x" not in run.data.params["eval_metric"]


class Shifted(xgb.XGBRegressor):
    """An estimator of a user."""

    def fit(self, X, target, **others):
        self.shift_ = float(np.mean(target))
        return super().fit(X, target - self.shift_, **others)

    def predict(self, X, **others):
        return super().predict(X, **others) + self.shift_


def test_a_class_of_the_user():
    features, labels = load_diabetes(return_X_y=True)
    Shifted(**SMALL).fit(features, labels)
    run = only()
    assert run.data.tags["estimator_name"] == "Shifted"
    assert run.data.params["max_depth"] == "2"
    assert set(models(run)) == {"model"}
    assert set(datasets(run)) == {("train", "dataset")}


def test_a_class_that_is_defined_later():
    features, labels = load_diabetes(return_X_y=True)

    class Twice(xgb.XGBRegressor):
        def fit(self, X, y):
            super().fit(X, y, eval_set=[(X, y)], verbose=False)
            return super().fit(X, y, eval_set=[(X, y)], verbose=False)

    Twice(**SMALL).fit(features, labels)
    run = only()
    assert run.data.tags["estimator_name"] == "Twice"
    assert curve(run, "validation_0-rmse") == curve(run, "validation_0-rmse-2")
    assert list(curve(run, "validation_0-rmse")) == [0, 1, 2, 3, 4]
    assert set(models(run)) == {"model"}


def test_a_class_that_trains_by_itself():
    features, labels = load_diabetes(return_X_y=True)

    class Own(xgb.XGBRegressor):
        def fit(self, X, y):
            self._Booster = xgb.train({"max_depth": 1}, xgb.DMatrix(X, y), 3)
            return self

    class Never(xgb.XGBRegressor):
        def fit(self, X, y):
            return self

    Own(**SMALL).fit(features, labels)
    Never(**SMALL).fit(features, labels)
    own, never = runs()
    assert own.data.params["num_boost_round"] == "3"
    assert never.data.params["max_depth"] == "2"
    assert skipped(never)["model"] == "the estimator is not fitted"


def test_p20_a_search_is_one_run_without_inner_ones():
    autolog.sklearn.autolog(max_tuning_runs=0)
    data = load_diabetes(return_X_y=True)
    search = GridSearchCV(xgb.XGBRegressor(**SMALL), {"max_depth": [1, 2]}, cv=2)
    search.fit(*data)
    assert only().data.tags["mlflow.autologging"] == "sklearn"


def test_p20_a_pipeline_and_folds_have_no_inner_runs():
    autolog.sklearn.autolog()
    data = load_diabetes(return_X_y=True)
    make_pipeline(StandardScaler(), xgb.XGBRegressor(**SMALL)).fit(*data)
    assert [run.data.tags["mlflow.autologging"] for run in runs()] == ["sklearn"]
    before = len(runs())
    cross_val_score(xgb.XGBRegressor(**SMALL), *data, cv=2)
    assert all(run.data.tags["mlflow.autologging"] == "sklearn" for run in runs()[before:])


@pytest.mark.parametrize(
    "make", [lambda: np.random.RandomState(3), lambda: np.random.default_rng(3)]
)
def test_a_random_generator_is_not_drawn_from(make):
    data = load_diabetes(return_X_y=True)
    drawn = []
    for on in (True, False):
        autolog.xgboost.autolog(disable=not on)
        random = make()
        model = xgb.XGBRegressor(**SMALL, subsample=0.5, random_state=random).fit(*data)
        drawn.append((model.predict(data[0]).tobytes(), repr(random.bytes(8))))
    assert drawn[0] == drawn[1]
    assert only().data.params["random_state"].isdigit()


def test_sample_weights_and_margins_change_nothing():
    train, valid = tumours()
    weights = np.linspace(0.5, 1.5, len(train[1]))
    fitted = []
    for on in (True, False):
        autolog.xgboost.autolog(disable=not on)
        model = xgb.XGBClassifier(**SMALL, early_stopping_rounds=2)
        model.fit(*train, sample_weight=weights, eval_set=[valid], verbose=False)
        fitted.append(pickle.dumps(model))
    assert fitted[0] == fitted[1]


def test_arguments_by_position():
    train, _ = tumours()
    weights = np.ones(len(train[1]))
    with pytest.warns(FutureWarning, match="Pass `sample_weight` as keyword args"):
        xgb.XGBClassifier(**SMALL).fit(*train, weights)
    assert set(datasets(only())) == {("train", "dataset")}


def test_the_same_data_have_the_same_digest_everywhere():
    train, _ = tumours()
    xgb.XGBClassifier(**SMALL).fit(*train)
    xgb.train({"nthread": 1}, xgb.DMatrix(*train), 1)
    first, second = runs()
    assert datasets(first)["train", "dataset"] == datasets(second)["train", "dataset"]


def test_metrics_after_the_training_are_of_the_model():
    autolog.sklearn.autolog()
    train, valid = tumours()
    X_test, y_test = valid
    held_out = xgb.DMatrix(*valid)
    booster = xgb.train(
        {"objective": "binary:logistic", "nthread": 1},
        xgb.DMatrix(*train),
        3,
        evals=[(held_out, "held")],
        verbose_eval=False,
    )
    log_loss(y_test, booster.predict(held_out))
    model = xgb.XGBClassifier(**SMALL).fit(*train)
    score = model.score(X_test, y_test)
    accuracy_score(y_test, model.predict(X_test))
    first, second = runs()
    loss = curve(first, "held-logloss")[2]
    assert first.data.metrics["log_loss_held_out"] == pytest.approx(loss, abs=1e-5)
    assert linked(first, "log_loss_held_out") == {"held"}
    assert second.data.metrics["XGBClassifier_score_X_test"] == score
    assert second.data.metrics["accuracy_score_X_test"] == score


def test_categories_and_missing_values():
    frame = pd.DataFrame(
        {
            "size": np.where(np.arange(60) % 7, np.linspace(0, 1, 60), np.nan),
            "kind": pd.Categorical(np.array(["a", "b", "c"])[np.arange(60) % 3]),
        }
    )
    model = xgb.XGBClassifier(**SMALL, tree_method="hist", enable_categorical=True)
    model.fit(frame, np.arange(60) % 2)
    run = only()
    (kept,) = models(run).values()
    signature = autolog.models.get_model_info(f"models:/{kept.model_id}").signature
    assert signature.inputs.input_names() == ["size", "kind"]
    assert (load(kept).predict(frame) == model.predict(frame)).all()


def test_continued_training_of_an_estimator():
    train, valid = tumours()
    first = xgb.XGBClassifier(**SMALL).fit(*train)
    second = xgb.XGBClassifier(**SMALL)
    second.fit(*train, xgb_model=first, eval_set=[valid], verbose=False)
    run = runs()[1]
    assert list(curve(run, "validation_0-logloss")) == [5, 6, 7, 8, 9]
    assert load(models(run)["model"]).get_booster().num_boosted_rounds() == 10


def test_a_failing_fit():
    with pytest.raises(ValueError, match="Invalid classes"):
        xgb.XGBClassifier(**SMALL).fit(np.zeros((4, 1)), [0, 2, 0, 2])
    run = only()
    assert run.info.status == "FAILED"
    assert models(run) == {}


def test_threads_have_a_whole_run_each():
    train, valid = tumours()

    def work(depth):
        model = xgb.XGBClassifier(n_estimators=4, max_depth=depth, n_jobs=1)
        model.fit(*train, eval_set=[valid], verbose=False)

    threads = [threading.Thread(target=work, args=(depth,)) for depth in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {run.data.params["max_depth"] for run in runs()} == {"1", "2", "3", "4"}
    assert all(len(curve(run, "validation_0-logloss")) == 4 for run in runs())
    assert all(set(models(run)) == {"model"} for run in runs())
