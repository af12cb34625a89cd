"""What becomes a run, and what is in it. The numbers are those of the acceptance scenarios."""

import json
import logging
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import (
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
    StackingClassifier,
    VotingRegressor,
)
from sklearn.feature_selection import SelectFromModel
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.manifold import TSNE
from sklearn.model_selection import (
    GridSearchCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

import autolog
from autolog_core.session import default_session

TRIPLE = {"training_precision_score", "training_recall_score", "training_f1_score"}
CLASSIFIER = TRIPLE | {"training_accuracy_score", "training_score"}
PROBABILITY = {"training_log_loss", "training_roc_auc"}
REGRESSOR = {
    "training_mean_squared_error",
    "training_mean_absolute_error",
    "training_r2_score",
    "training_root_mean_squared_error",
    "training_score",
}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def two():
    features, labels = load_iris(return_X_y=True)
    return features[:100], labels[:100]


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def report(run):
    return json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())


def training(run):
    """Returns the names of the metrics on the training data, without what the fit itself tells."""
    return {name for name in run.data.metrics if name.startswith("training_")}


def skipped(run):
    return {entry["what"] for entry in report(run)["skipped"]}


def test_p1_a_classifier_without_a_run():
    data = load_iris(as_frame=True)
    LogisticRegression(max_iter=500, C=0.5).fit(data.data, data.target)
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params["C"] == "0.5"
    assert training(run) == CLASSIFIER | PROBABILITY
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert run.data.tags["estimator_class"] == "sklearn.linear_model._logistic.LogisticRegression"
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    (use,) = run.inputs.dataset_inputs
    assert use.context == "train"
    assert "sepal length (cm)" in use.dataset.schema
    assert "LogisticRegression" in (Path(run.info.artifact_uri) / "estimator.html").read_text()
    assert skipped(run) == set()
    (model,) = autolog.search_logged_models(output_format="list")
    assert (model.name, model.status, model.source_run_id) == ("model", "READY", run.info.run_id)
    assert autolog.active_run() is None
    assert autolog.last_active_run().info.run_id == run.info.run_id


def test_p1_metrics_are_linked_to_the_dataset(iris):
    LogisticRegression(max_iter=500).fit(*iris)
    run = only()
    (use,) = run.inputs.dataset_inputs
    history = autolog.MlflowClient().get_metric_history(run.info.run_id, "training_score")
    assert [(point.dataset_name, point.dataset_digest) for point in history] == [
        (use.dataset.name, use.dataset.digest)
    ]


def test_p2_in_the_users_run(iris):
    with autolog.start_run() as user:
        LogisticRegression(max_iter=500).fit(*iris)
        assert autolog.active_run().info.run_id == user.info.run_id
    run = only()
    assert training(run) == CLASSIFIER | PROBABILITY
    assert run.data.tags["mlflow.autologging"] == "sklearn"


def test_a_second_training_in_the_users_run_is_a_child(iris):
    with autolog.start_run():
        Ridge(alpha=1).fit(*iris)
        Ridge(alpha=2).fit(*iris)
        autolog.log_metric("own", 1)
    first, second = runs()
    assert first.data.params["alpha"] == "1"
    assert second.data.params["alpha"] == "2"
    assert second.data.tags["mlflow.parentRunId"] == first.info.run_id
    assert second.info.run_name == "Ridge"
    assert "own" in first.data.metrics


@pytest.mark.parametrize("estimator", [Ridge(), RandomForestRegressor(5)])
def test_p3_regressors(estimator, iris):
    estimator.fit(*iris)
    assert training(only()) == REGRESSOR


def test_p4_a_classifier_without_probabilities(iris):
    SVC().fit(*iris)
    assert training(only()) == CLASSIFIER


def test_p5_clusters_without_labels(iris):
    KMeans(3, n_init=1).fit(iris[0])
    run = only()
    assert run.data.params["n_clusters"] == "3"
    assert set(run.data.metrics) == {"inertia", "n_iter"}
    assert "training metrics" in skipped(run)


def test_p6_a_pipeline_is_one_run(iris):
    make_pipeline(StandardScaler(), PCA(2), LogisticRegression(C=3)).fit(*iris)
    run = only()
    assert run.data.params["logisticregression__C"] == "3"
    assert run.data.tags["estimator_name"] == "Pipeline"
    assert training(run) == CLASSIFIER | PROBABILITY


@pytest.mark.parametrize(
    "transformer",
    [
        StandardScaler(),
        SimpleImputer(),
        OneHotEncoder(),
        ColumnTransformer([("scale", StandardScaler(), [0])]),
        SelectFromModel(RandomForestClassifier(3)),
    ],
)
def test_p7_preparing_data_is_no_training(transformer, iris):
    transformer.fit_transform(*iris)
    transformer.fit(*iris)
    assert runs() == []


@pytest.mark.parametrize("jobs", [None, 2])
def test_p8_a_search_is_one_run(iris, jobs):
    GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}, cv=2, n_jobs=jobs).fit(*iris)
    run, *children = runs()
    assert {child.data.params["C"] for child in children} == {"1", "2"}
    assert run.data.tags["estimator_name"] == "GridSearchCV"
    assert "estimator__C" not in run.data.params
    assert "training_score" in run.data.metrics


def test_p12_the_positive_class(two):
    autolog.sklearn.autolog(pos_label=1)
    KNeighborsClassifier().fit(*two)
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert autolog.status()["sklearn"].options["pos_label"] == 1


@pytest.mark.parametrize("by_name", [True, False])
def test_p13_weights_count(by_name):
    features, labels = [[0.0], [0.0], [1.0]], [0, 1, 1]
    weights = [3.0, 1.0, 1.0]
    if by_name:
        RandomForestClassifier(5, bootstrap=False).fit(features, labels, sample_weight=weights)
    else:
        RandomForestClassifier(5, bootstrap=False).fit(features, labels, weights)
    assert only().data.metrics["training_accuracy_score"] == pytest.approx(0.8)


def test_p13_weights_that_a_pipeline_passes_on():
    features, labels = [[0.0], [0.0], [1.0]], [0, 1, 1]
    pipeline = make_pipeline(StandardScaler(), RandomForestClassifier(5, bootstrap=False))
    pipeline.fit(features, labels, randomforestclassifier__sample_weight=[3.0, 1.0, 1.0])
    assert only().data.metrics["training_accuracy_score"] == pytest.approx(0.8)


def test_p13_labels_as_a_frame_and_sparse_features(iris):
    scipy = pytest.importorskip("scipy.sparse")
    features, labels = iris
    LogisticRegression(max_iter=500).fit(scipy.csr_matrix(features), labels)
    SVC().fit(pd.DataFrame(features), pd.Series(labels, name="kind"))
    first, second = runs()
    assert training(first) == CLASSIFIER | PROBABILITY
    assert training(second) == CLASSIFIER
    assert all(len(run.inputs.dataset_inputs) == 1 for run in (first, second))


@pytest.mark.parametrize("jobs", [None, 2])
def test_p14_cross_validation_is_one_run_each(iris, jobs):
    model = LogisticRegression(max_iter=500)
    cross_val_score(model, *iris, cv=2, n_jobs=jobs)
    cross_val_predict(model, *iris, cv=2, n_jobs=jobs)
    learning_curve(model, *iris, cv=2, train_sizes=[0.5, 1.0], shuffle=True, n_jobs=jobs)
    permutation_test_score(model, *iris, cv=2, n_permutations=2, n_jobs=jobs)
    assert [report(run)["call"].rpartition(".")[2] for run in runs()] == [
        "cross_val_score",
        "cross_val_predict",
        "learning_curve",
        "permutation_test_score",
    ]
    model.fit(*iris)
    assert len(runs()) == 5


@pytest.mark.parametrize("backend", ["threading", "loky", "sequential"])
def test_p14_in_any_backend(iris, backend):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config(backend=backend, n_jobs=2):
        cross_val_score(LogisticRegression(max_iter=500), *iris, cv=2)
        assert len(runs()) == 1
        autolog.sklearn.autolog(max_tuning_runs=0)
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [1, 2]}, cv=2).fit(*iris)
    assert len(runs()) == 2


def test_p15_a_failing_fit(iris):
    with pytest.raises(ValueError, match="alpha"):
        Ridge(alpha=-1).fit(*iris)
    run = only()
    assert run.info.status == "FAILED"
    assert run.data.params["alpha"] == "-1"
    assert run.data.metrics == {}
    assert "alpha" in run.data.tags["autolog.failure.message"]
    stored = (Path(run.info.artifact_uri) / "failure/traceback.txt").read_text()
    assert "InvalidParameterError" in stored
    assert skipped(run) == {"training metrics"}


def test_a_fit_called_wrongly(iris):
    with pytest.raises(TypeError):
        Ridge().fit(iris[0])
    with pytest.raises(TypeError):
        Ridge().fit(*iris, unknown=1)
    assert [run.info.status for run in runs()] == ["FAILED", "FAILED"]


def test_meta_estimators_are_one_run(iris):
    StackingClassifier(
        [("forest", RandomForestClassifier(3)), ("vectors", SVC())], LogisticRegression(), cv=2
    ).fit(*iris)
    OneVsRestClassifier(LogisticRegression(), n_jobs=2).fit(*iris)
    VotingRegressor([("a", Ridge()), ("b", RandomForestRegressor(3))], n_jobs=2).fit(*iris)
    assert [run.data.tags["estimator_name"] for run in runs()] == [
        "StackingClassifier",
        "OneVsRestClassifier",
        "VotingRegressor",
    ]


def test_fit_predict_and_fit_transform(iris):
    IsolationForest(n_estimators=5).fit_predict(iris[0])
    KMeans(2, n_init=1).fit_predict(iris[0])
    LocalOutlierFactor().fit_predict(iris[0])
    TSNE(init="random", perplexity=5, max_iter=250).fit_transform(iris[0][:20])
    PCA(2).fit_transform(iris[0])
    make_pipeline(StandardScaler(), PCA(2)).fit_transform(iris[0])
    make_pipeline(StandardScaler(), KMeans(2, n_init=1)).fit_predict(iris[0])
    assert [report(run)["call"] for run in runs()] == [
        "IsolationForest.fit",
        "KMeans.fit_predict",
        "LocalOutlierFactor.fit_predict",
        "TSNE.fit_transform",
        "PCA.fit_transform",
        "Pipeline.fit_transform",
        "Pipeline.fit_predict",
    ]


def test_what_a_fit_may_overwrite_is_not_measured_as_if_it_were_whole():
    features = np.array([[0.0, 5.0], [1.0, 9.0], [2.0, 1.0]])
    Ridge(copy_X=False).fit(features, [0.0, 1.0, 2.0])
    run = only()
    if np.array_equal(features, [[0.0, 5.0], [1.0, 9.0], [2.0, 1.0]]):
        assert training(run) == REGRESSOR
    else:
        assert run.data.metrics == {}
        assert "training metrics" in skipped(run)


def test_p53_threads_have_a_whole_run_each(iris):
    def work(number):
        LogisticRegression(max_iter=500, C=number + 1).fit(*iris)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = runs()
    assert {run.data.params["C"] for run in found} == {"1", "2", "3", "4"}
    assert all(training(run) == CLASSIFIER | PROBABILITY for run in found)
    assert all(run.info.status == "FINISHED" for run in found)


def test_threads_of_a_fit_make_no_runs_while_other_threads_do(iris):
    def work():
        RandomForestClassifier(20, n_jobs=2).fit(*iris)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run.data.tags["estimator_name"] for run in runs()] == ["RandomForestClassifier"] * 3


def test_p49_datasets_can_be_left_out(iris):
    autolog.sklearn.autolog(log_datasets=False, log_models=False)
    Ridge().fit(*iris)
    run = only()
    assert run.inputs.dataset_inputs == ()
    assert skipped(run) == {"dataset", "model"}


def test_p49_options_without_effect_are_named(caplog):
    with caplog.at_level(logging.WARNING, "autolog"):
        autolog.sklearn.autolog(registered_model_name="churn")
    assert "registered_model_name has no effect yet" in caplog.text
    assert set(autolog.status()["sklearn"].without_effect) == {"registered_model_name"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tuning_runs": -1}, "max_tuning_runs must be None or a number from 0"),
        ({"serialization_format": "onnx"}, "serialization_format must be one of"),
        ({"disable": 1}, "disable must be True or False"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(autolog.AutologError, match=message):
        autolog.sklearn.autolog(**options)


def test_a_list_of_texts(iris):
    from sklearn.feature_extraction.text import TfidfVectorizer

    texts = ["good movie", "bad movie", "good play", "bad play"]
    make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, [1, 0, 1, 0])
    run = only()
    assert training(run) == CLASSIFIER | PROBABILITY
    assert len(run.inputs.dataset_inputs) == 1


def test_the_arguments_are_mlflows():
    import inspect

    mlflow = pytest.importorskip("mlflow.sklearn")
    theirs = inspect.signature(mlflow.autolog).parameters
    ours = inspect.signature(autolog.sklearn.autolog).parameters
    assert {name: each.default for name, each in ours.items()} == {
        name: each.default for name, each in theirs.items()
    }
