"""Metrics that are computed after the training: what they are called and where they go."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Ridge
from sklearn.metrics import accuracy_score as earlier
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KernelDensity, KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autolog
from autolog.instrument import lineage
from autolog_core.session import default_session

FEATURES, LABELS = load_iris(return_X_y=True)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    lineage.forget()
    autolog.sklearn.autolog(log_models=False)
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    X_train, X_test, y_train, y_test = train_test_split(FEATURES, LABELS, random_state=0)
    return X_train, X_test, y_train, y_test


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def measured(run=None):
    """Returns the metrics of the only run, without those of the training."""
    if run is None:
        (run,) = runs()
    return {
        key: value
        for key, value in run.data.metrics.items()
        if not key.startswith("training_") and key != "n_iter"
    }


def point(key):
    (run,) = runs()
    (found,) = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return found


def artifact(name):
    (run,) = runs()
    return (Path(run.info.artifact_uri) / name).read_text()


def test_p10_a_metric_of_a_prediction(iris):
    autolog.sklearn.autolog()
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    p = model.predict(X_test)
    accuracy = metrics.accuracy_score(y_test, p)
    f1 = metrics.f1_score(y_test, p, average="macro")
    assert measured() == {"accuracy_score_X_test": accuracy, "f1_score_X_test": f1}
    (run,) = runs()
    found = point("accuracy_score_X_test")
    (made,) = run.outputs.model_outputs
    (train, test) = run.inputs.dataset_inputs
    assert found.model_id == made.model_id
    assert (found.dataset_name, found.dataset_digest) == ("X_test", test.dataset.digest)
    assert (train.context, test.context) == ("train", "eval")
    assert json.loads(artifact("metric_info.json")) == {
        "accuracy_score_X_test": "accuracy_score(y_true=y_test, y_pred=p)",
        "f1_score_X_test": "f1_score(y_true=y_test, y_pred=p, average='macro')",
    }
    model = autolog.MlflowClient().get_logged_model(made.model_id)
    assert {"accuracy_score_X_test", "f1_score_X_test"} <= {one.key for one in model.metrics}


def test_p11_scores_on_two_sets(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    train, test = model.score(X_train, y_train), model.score(X_test, y_test)
    assert measured() == {"GaussianNB_score_X_train": train, "GaussianNB_score-2_X_test": test}
    assert json.loads(artifact("metric_info.json")) == {
        "GaussianNB_score_X_train": "GaussianNB.score(X=X_train, y=y_train)",
        "GaussianNB_score-2_X_test": "GaussianNB.score(X=X_test, y=y_test)",
    }


def test_repeated_calls_are_counted(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    for _ in range(3):
        metrics.accuracy_score(y_test, model.predict(X_test))
    metrics.recall_score(y_test, model.predict(X_test), average="micro")
    assert list(measured()) == [
        "accuracy_score-2_X_test",
        "accuracy_score-3_X_test",
        "accuracy_score_X_test",
        "recall_score_X_test",
    ]


def test_other_data_of_the_same_name_is_told_apart(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    model.score(X_test, y_test)
    X_test = X_test.copy()
    model.score(X_test, y_test)
    assert set(measured()) == {"GaussianNB_score_X_test", "GaussianNB_score-2_X_test-2"}


def test_the_run_has_ended_and_stays_so(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    (before,) = runs()
    metrics.accuracy_score(y_test, model.predict(X_test))
    (after,) = runs()
    assert after.info == before.info
    assert after.info.status == "FINISHED"


def test_metrics_go_to_the_run_that_trained_the_model(iris):
    X_train, X_test, y_train, y_test = iris
    with autolog.start_run(run_name="a"):
        first = GaussianNB().fit(X_train, y_train)
    second = KNeighborsClassifier().fit(X_train, y_train)
    with autolog.start_run(run_name="b"):
        metrics.accuracy_score(y_test, first.predict(X_test))
        metrics.f1_score(y_test, second.predict(X_test), average="macro")
    assert [set(measured(run)) for run in runs()] == [
        {"accuracy_score_X_test"},
        {"f1_score_X_test"},
        set(),
    ]


def test_regression_with_weights():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X, y)
    p = model.predict(X)
    weights = np.linspace(1, 2, len(y))
    metrics.mean_squared_error(y, p, sample_weight=weights)
    metrics.r2_score(y, list(p))
    assert set(measured()) == {"mean_squared_error_X", "r2_score_X"}
    stored = json.loads(artifact("metric_info.json"))
    assert stored["mean_squared_error_X"] == (
        "mean_squared_error(y_true=y, y_pred=p, sample_weight=weights)"
    )


def test_data_of_the_training_keeps_its_reference():
    X, y = load_diabetes(return_X_y=True)
    model = Ridge().fit(X, y)
    model.score(X, y)
    metrics.r2_score(y, model.predict(X))
    (run,) = runs()
    (train,) = run.inputs.dataset_inputs
    for key in measured():
        assert point(key).dataset_digest == train.dataset.digest
        assert point(key).dataset_name == train.dataset.name
    X[0] = 0
    model.score(X, y)
    (run,) = runs()
    assert [use.context for use in run.inputs.dataset_inputs] == ["train", "eval"]


def test_a_dataset_is_an_input_once(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    for _ in range(3):
        model.score(X_test, y_test)
    (run,) = runs()
    assert [use.context for use in run.inputs.dataset_inputs] == ["train", "eval"]


def test_no_digest_is_made_before_a_metric_needs_it(iris, monkeypatch):
    import autolog_core.data

    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    made = []
    real = autolog_core.data.dataset_of
    monkeypatch.setattr(
        autolog_core.data, "dataset_of", lambda *args, **more: made.append(args) or real(*args)
    )
    p = model.predict(X_test)
    assert not made
    metrics.accuracy_score(y_test, p)
    metrics.f1_score(y_test, p, average="macro")
    assert len(made) == 1


def test_named_scorers(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    f1 = metrics.get_scorer("f1_macro")(model, X_test, y_test)
    loss = metrics.get_scorer("neg_log_loss")(model, X_test, y_test)
    assert measured() == {"f1_score_X_test": f1, "log_loss_X_test": -loss}
    stored = json.loads(artifact("metric_info.json"))
    assert stored["f1_score_X_test"].startswith("make_scorer(f1_score")
    assert stored["f1_score_X_test"].endswith("(estimator=model, X=X_test, y_true=y_test)")


def test_scorers_of_the_user(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)

    def half_right(y_true, y_pred):
        return metrics.accuracy_score(y_true, y_pred) / 2

    scorer = metrics.make_scorer(half_right)
    value = scorer(model, X_test, y_test)
    odd = metrics.make_scorer(lambda y_true, y_pred: 1.0)(model, X_test, y_test)
    assert measured() == {"half_right_X_test": value, "_lambda__X_test": odd}


def test_many_scorers_at_once(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    scorer = metrics.check_scoring(model, scoring=["accuracy", "f1_macro"])
    values = scorer(model, X_test, y_test)
    metrics.check_scoring(model)(model, X_test, y_test)
    assert measured() == {
        "accuracy_score_X_test": values["accuracy"],
        "f1_score_X_test": values["f1_macro"],
        "GaussianNB_score_X_test": values["accuracy"],
    }


def test_scoring_within_other_functions_is_no_metric_of_the_model(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    permutation_importance(model, X_test, y_test, n_repeats=2, scoring="accuracy")
    permutation_importance(model, X_test, y_test, n_repeats=2, n_jobs=2)
    cross_val_score(model, X_test, y_test, cv=2, scoring="accuracy")
    assert measured(runs()[0]) == {}


def test_a_search_and_its_best_estimator(iris):
    X_train, X_test, y_train, y_test = iris
    search = GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-3]}, cv=2, scoring="f1_macro")
    search.fit(X_train, y_train)
    score = search.score(X_test, y_test)
    accuracy = metrics.accuracy_score(y_test, search.predict(X_test))
    parent = next(run for run in runs() if "mlflow.parentRunId" not in run.data.tags)
    found = measured(parent)
    assert found["GridSearchCV_score_X_test"] == score
    assert found["accuracy_score_X_test"] == accuracy


def test_pipelines(iris):
    X_train, X_test, y_train, y_test = iris
    model = make_pipeline(StandardScaler(), GaussianNB()).fit(X_train, y_train)
    metrics.accuracy_score(y_test, model.predict(X_test))
    metrics.log_loss(y_test, model.predict_proba(X_test))
    model.score(X_test, y_test)
    assert set(measured()) == {
        "accuracy_score_X_test",
        "log_loss_X_test",
        "Pipeline_score_X_test",
    }


def test_clusters():
    X = FEATURES
    model = KMeans(3, n_init=1, random_state=0).fit(X)
    metrics.silhouette_score(X, model.labels_)
    metrics.adjusted_rand_score(LABELS, model.predict(X))
    clusters = DBSCAN().fit_predict(X)
    metrics.homogeneity_score(LABELS, clusters)
    first, second = (measured(run) for run in runs())
    assert set(first) - {"inertia"} >= {"silhouette_score_X", "adjusted_rand_score_X"}
    assert set(second) >= {"homogeneity_score_X"}


def test_models_without_labels():
    X = FEATURES
    PCA(2).fit(X).score(X)
    KernelDensity().fit(X).score(X)
    first, second = (measured(run) for run in runs())
    assert set(first) >= {"PCA_score_X"}
    assert set(second) >= {"KernelDensity_score_X"}


def test_estimators_of_the_user(iris):
    class Mixin:
        def predict(self, X):
            return np.full(len(X), self.mean_)

    class Mean(Mixin, RegressorMixin, BaseEstimator):
        def fit(self, X, y):
            self.mean_ = y.mean() + 0.125
            return self

    X_train, X_test, y_train, y_test = iris
    model = Mean().fit(X_train, y_train)
    metrics.mean_absolute_error(y_test, model.predict(X_test))
    model.score(X_test, y_test)
    assert set(measured()) == {"mean_absolute_error_X_test", "Mean_score_X_test"}


def test_functions_that_were_imported_before(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    earlier(y_test, model.predict(X_test))
    assert set(measured()) == {"accuracy_score_X_test"}
    autolog.sklearn.autolog(disable=True)
    assert earlier is metrics.accuracy_score
    assert not hasattr(earlier, "_self_wrapper")


def test_pictures_and_reports(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    p, proba = model.predict(X_test), model.predict_proba(X_test)
    matrix = metrics.confusion_matrix(y_test, p)
    text = metrics.classification_report(y_test, p)
    metrics.classification_report(y_test, p, output_dict=True)
    false, true, _ = metrics.roc_curve(y_test == 1, proba[:, 1])
    area = metrics.auc(false, true)
    metrics.precision_recall_curve(y_test == 1, proba[:, 1])
    metrics.precision_recall_fscore_support(y_test, p)
    metrics.f1_score(y_test, p, average=None)
    assert measured() == {"auc_X_test": area}
    kept = json.loads(artifact("confusion_matrix_X_test.json"))
    assert kept["values"] == matrix.tolist()
    assert kept["names"] == ["0", "1", "2"]
    assert artifact("classification_report_X_test.txt") == text
    assert "macro avg" in json.loads(artifact("classification_report-2_X_test.json"))
    (line,) = json.loads(artifact("roc_curve_X_test.json"))["lines"]
    assert (line["x"], line["y"]) == (false.tolist(), true.tolist())
    assert json.loads(artifact("precision_recall_curve_X_test.json"))["x_label"] == "Recall"


def test_post_training_metrics_can_be_left_out(iris):
    autolog.sklearn.autolog(log_post_training_metrics=False, log_models=False)
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    metrics.accuracy_score(y_test, model.predict(X_test))
    metrics.confusion_matrix(y_test, model.predict(X_test))
    metrics.get_scorer("accuracy")(model, X_test, y_test)
    model.score(X_test, y_test)
    assert measured() == {}
    autolog.sklearn.autolog(log_models=False)
    model.score(X_test, y_test)
    assert set(measured()) == {"GaussianNB_score_X_test"}


def test_datasets_can_be_left_out(iris):
    autolog.sklearn.autolog(log_datasets=False, log_models=False)
    X_train, X_test, y_train, y_test = iris
    GaussianNB().fit(X_train, y_train).score(X_test, y_test)
    assert point("GaussianNB_score_X_test").dataset_digest is None
    assert runs()[0].inputs.dataset_inputs == ()


def test_p45_exclusive(iris):
    autolog.sklearn.autolog(exclusive=True, log_models=False)
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    with autolog.start_run():
        model.score(X_test, y_test)
        metrics.accuracy_score(y_test, model.predict(X_test))
        metrics.confusion_matrix(y_test, model.predict(X_test))
    assert [measured(run) for run in runs()] == [{}, {}]
    model.score(X_test, y_test)
    assert set(measured(runs()[0])) == {"GaussianNB_score_X_test"}


def test_p46_nothing_after_autologging_is_off(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    autolog.sklearn.autolog(disable=True)
    model.score(X_test, y_test)
    metrics.accuracy_score(y_test, model.predict(X_test))
    assert measured() == {}


def test_nothing_while_it_is_disabled(iris):
    X_train, X_test, y_train, y_test = iris
    model = GaussianNB().fit(X_train, y_train)
    with autolog.disabled():
        model.score(X_test, y_test)
        p = model.predict(X_test)
    metrics.accuracy_score(y_test, p)
    assert measured() == {}


def test_p53_threads(iris):
    X_train, X_test, y_train, y_test = iris
    barrier = threading.Barrier(4)

    def work(number):
        model = GaussianNB(var_smoothing=10.0**-number).fit(X_train, y_train)
        barrier.wait()
        for _ in range(20):
            metrics.accuracy_score(y_test, model.predict(X_test))
            metrics.accuracy_score(y_test, model.predict_proba(X_test).argmax(axis=1))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = [measured(run) for run in runs()]
    assert [len(each) for each in found] == [40] * 4
    assert all(key.endswith("_X_test") for each in found for key in each)
