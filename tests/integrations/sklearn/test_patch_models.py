"""The model of a run, and the pictures of a classifier."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import DBSCAN, KMeans
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier

import autolog
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def frame():
    return load_breast_cancer(return_X_y=True, as_frame=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def models():
    found = autolog.search_logged_models(output_format="list")
    return {model.name: model for model in found}


def artifact(run, path):
    return json.loads((Path(run.info.artifact_uri) / path).read_text())


def skipped(run):
    return {
        entry["what"]: entry["why"] for entry in artifact(run, "autolog_report.json")["skipped"]
    }


@pytest.mark.parametrize(
    "estimator",
    [DecisionTreeClassifier(max_depth=3), RandomForestRegressor(3), KMeans(2, n_init=1), PCA(2)],
)
def test_what_the_address_of_the_model_loads_is_the_model(estimator, frame):
    estimator.fit(*frame)
    (run,) = runs()
    model = models()["model"]
    assert model.status == "READY"
    assert model.source_run_id == run.info.run_id
    assert [made.model_id for made in run.outputs.model_outputs] == [model.model_id]
    loaded = autolog.sklearn.load_model(f"models:/{model.model_id}")
    ask = "predict" if hasattr(estimator, "predict") else "transform"
    expected = getattr(estimator, ask)(frame[0])
    assert np.array_equal(getattr(loaded, ask)(frame[0]), expected)
    assert loaded.get_params() == estimator.get_params()


def test_the_metrics_of_the_model_are_those_of_the_run(frame):
    RandomForestClassifier(3, random_state=0).fit(*frame)
    (run,) = runs()
    own = {metric.key: metric.value for metric in models()["model"].metrics}
    assert own == run.data.metrics
    assert {metric.dataset_digest for metric in models()["model"].metrics} == {
        run.inputs.dataset_inputs[0].dataset.digest
    }


def test_the_models_params_are_the_estimators(frame):
    Ridge(alpha=3).fit(*frame)
    assert models()["model"].params["alpha"] == "3"


def test_the_signature_names_columns_and_types(frame):
    DecisionTreeClassifier(max_depth=2).fit(*frame)
    info = autolog.models.get_model_info(f"models:/{models()['model'].model_id}")
    assert info.signature.inputs.input_names() == list(frame[0].columns)
    assert [spec.type.name for spec in info.signature.outputs] == ["long"] or (
        info.signature.outputs.to_dict()[0]["tensor-spec"]["dtype"] == "int64"
    )
    assert info.saved_input_example_info is None


def test_no_signature_when_it_is_not_wanted(frame):
    autolog.sklearn.autolog(log_model_signatures=False)
    Ridge().fit(*frame)
    info = autolog.models.get_model_info(f"models:/{models()['model'].model_id}")
    assert info.signature is None


def test_an_input_example_on_request(frame):
    autolog.sklearn.autolog(log_input_examples=True)
    Ridge().fit(*frame)
    address = f"models:/{models()['model'].model_id}"
    assert autolog.models.get_model_info(address).saved_input_example_info is not None
    loaded = autolog.pyfunc.load_model(address)
    assert loaded.input_example.equals(frame[0].head(5))


def test_no_model_when_it_is_not_wanted(frame):
    autolog.sklearn.autolog(log_models=False)
    Ridge().fit(*frame)
    assert models() == {}
    assert skipped(runs()[0])["model"] == "log_models is False"


@pytest.mark.parametrize("form", ["skops", "pickle", "cloudpickle"])
def test_the_format_is_the_one_that_was_asked_for(frame, form):
    if form == "skops":
        pytest.importorskip("skops")
    autolog.sklearn.autolog(serialization_format=form)
    model = LogisticRegression(max_iter=5000).fit(*frame)
    found = autolog.models.get_model_info(f"models:/{models()['model'].model_id}")
    assert found.flavors["sklearn"]["serialization_format"] == form
    loaded = autolog.sklearn.load_model(found.model_uri)
    assert np.array_equal(loaded.coef_, model.coef_)


class Locked(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        self.lock_ = threading.Lock()
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def test_an_estimator_that_cannot_be_pickled_has_a_run_and_no_model(frame):
    Locked().fit(*frame)
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert "pickle" in skipped(run)["model"]
    assert models() == {}


def test_outliers_and_clusters_that_cannot_predict(frame):
    LocalOutlierFactor().fit(frame[0])
    DBSCAN().fit(frame[0])
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"]
    assert all("model" not in skipped(run) for run in runs())


def test_a_search_keeps_itself_and_the_best_it_found(frame):
    search = GridSearchCV(DecisionTreeClassifier(random_state=0), {"max_depth": [1, 4]}, cv=2)
    search.fit(*frame)
    found = models()
    assert set(found) == {"model", "best_estimator"}
    assert found["best_estimator"].params["max_depth"] == str(search.best_params_["max_depth"])
    best = autolog.sklearn.load_model(f"models:/{found['best_estimator'].model_id}")
    assert isinstance(best, DecisionTreeClassifier)
    assert np.array_equal(best.predict(frame[0]), search.predict(frame[0]))
    loaded = autolog.sklearn.load_model(f"models:/{found['model'].model_id}")
    assert loaded.best_params_ == search.best_params_


def test_a_search_without_a_refit(frame):
    GridSearchCV(Ridge(), {"alpha": [1, 2]}, cv=2, refit=False).fit(*frame)
    assert set(models()) == {"model"}
    assert runs()[0].info.status == "FINISHED"


def test_lists_of_text(tracking):
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    model.fit(["good film", "bad film", "good play", "bad play"], [1, 0, 1, 0])
    (run,) = runs()
    assert skipped(run) == {"signature": "texts are no table"}
    loaded = autolog.pyfunc.load_model(f"models:/{models()['model'].model_id}")
    assert list(loaded.predict(["good"])) == [1]


def test_sparse_features_stay_sparse(monkeypatch):
    scipy = pytest.importorskip("scipy.sparse")
    features, labels = load_iris(return_X_y=True)
    matrix = scipy.csr_matrix(features)
    monkeypatch.setattr(
        scipy.csr_matrix, "toarray", lambda *_, **__: pytest.fail("it was made dense")
    )
    SVC(kernel="linear").fit(matrix, labels)
    assert models()["model"].status == "READY"


def test_the_curves_are_those_of_scikit_learn(frame):
    features, labels = frame
    model = DecisionTreeClassifier(max_depth=3, random_state=0).fit(features, labels)
    (run,) = runs()
    scores = model.predict_proba(features)[:, 1]
    false, true, _ = metrics.roc_curve(labels, scores, drop_intermediate=False)
    (line,) = artifact(run, "training_roc_curve.json")["lines"]
    assert line["label"] == "label 1"
    np.testing.assert_allclose(line["x"], false)
    np.testing.assert_allclose(line["y"], true)
    precision, recall, _ = metrics.precision_recall_curve(labels, scores)
    (line,) = artifact(run, "training_precision_recall_curve.json")["lines"]
    np.testing.assert_allclose(line["x"], recall[::-1])
    np.testing.assert_allclose(line["y"], precision[::-1])


def test_the_curves_have_weights(frame):
    features, labels = frame
    weights = np.where(labels == 1, 3.0, 1.0)
    weights[:20] = 0
    model = DecisionTreeClassifier(max_depth=2, random_state=0)
    model.fit(features, labels, sample_weight=weights)
    (run,) = runs()
    kept = weights > 0
    false, true, _ = metrics.roc_curve(
        labels[kept],
        model.predict_proba(features)[kept, 1],
        sample_weight=weights[kept],
        drop_intermediate=False,
    )
    (line,) = artifact(run, "training_roc_curve.json")["lines"]
    np.testing.assert_allclose(np.unique([line["x"], line["y"]], axis=1),
                               np.unique([false, true], axis=1))  # fmt: skip


def test_the_confusion_matrix_is_counted_and_in_shares():
    features, labels = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[labels]
    model = DecisionTreeClassifier(max_depth=2, random_state=0).fit(features, names)
    (run,) = runs()
    found = artifact(run, "training_confusion_matrix.json")
    assert found["names"] == ["setosa", "versicolor", "virginica"]
    expected = metrics.confusion_matrix(names, model.predict(features))
    assert found["counts"] == expected.tolist()
    shares = metrics.confusion_matrix(names, model.predict(features), normalize="true")
    np.testing.assert_allclose(found["values"], shares)
    files = {file.path for file in autolog.MlflowClient().list_artifacts(run.info.run_id)}
    assert not any("roc" in name or "precision" in name for name in files)


def test_a_classifier_that_decides_without_probabilities_has_curves(frame):
    model = LinearSVC(max_iter=20000, random_state=0, dual=False).fit(*frame)
    (line,) = artifact(runs()[0], "training_roc_curve.json")["lines"]
    area = metrics.auc(line["x"], line["y"])
    expected = metrics.roc_auc_score(frame[1], model.decision_function(frame[0]))
    assert area == pytest.approx(expected, abs=1e-3)


def test_many_labels_have_no_matrix():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(600, 3))
    DecisionTreeClassifier(max_depth=2).fit(features, np.arange(600) % 300)
    assert "300 labels" in skipped(runs()[0])["training_confusion_matrix"]


def test_pictures_are_drawn_where_matplotlib_is_in_use(frame):
    pytest.importorskip("matplotlib.figure")
    DecisionTreeClassifier(max_depth=3).fit(*frame)
    (run,) = runs()
    files = {file.path for file in autolog.MlflowClient().list_artifacts(run.info.run_id)}
    assert {
        "training_confusion_matrix.png",
        "training_roc_curve.png",
        "training_precision_recall_curve.png",
    } <= files
