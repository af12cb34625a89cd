"""``partial_fit``: one run for all calls, and the same results as without us."""

import copy
import gc
import json
import pickle
import subprocess
import sys
import textwrap
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.cluster import Birch, MiniBatchKMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import (
    IncrementalPCA,
    LatentDirichletAllocation,
    MiniBatchDictionaryLearning,
    MiniBatchNMF,
)
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import Perceptron, Ridge, SGDClassifier, SGDOneClassSVM, SGDRegressor
from sklearn.linear_model._stochastic_gradient import BaseSGDClassifier
from sklearn.model_selection import learning_curve
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier
from sklearn.multioutput import MultiOutputRegressor
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.neural_network import BernoulliRBM, MLPClassifier, MLPRegressor
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import autolog
from autolog.instrument import ongoing
from autolog.instrument.wrapper import Wrapper
from autolog_core.data import dataset_of
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    ongoing.close_all()
    ongoing._ended.clear()
    autolog.sklearn.autolog(disable=True)


@pytest.fixture
def iris():
    features, labels = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return features[order], labels[order]


def batches(data, size=50):
    features, labels = data
    for start in range(0, len(labels), size):
        yield features[start : start + size], labels[start : start + size]


def train(estimator, data, **passed):
    for features, labels in batches(data):
        estimator.partial_fit(features, labels, **passed)
        passed.pop("classes", None)
    return estimator


def runs():
    found = default_session().read_models().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def history(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in points]


def report(run):
    return json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())


def skipped(run):
    return [entry["what"] for entry in report(run)["skipped"]]


def test_b17_v22_all_calls_are_one_run(iris):
    classifier = SGDClassifier(alpha=0.01, random_state=0)
    train(classifier, iris, classes=np.unique(iris[1]))
    run = only()
    assert run.info.status == "RUNNING"
    assert run.data.params["alpha"] == "0.01"
    assert run.data.params["classes"] == "[0, 1, 2]"
    assert run.data.tags["estimator_name"] == "SGDClassifier"
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    ongoing.close_all()
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.metrics["samples_seen"] == 150
    counted = history(run, "samples_seen")
    assert counted[0] == (0, 50)
    assert counted[-1] == (2, 150)
    assert len({step for step, _ in counted}) == len(counted)
    assert run.data.metrics["training_seconds"] > 0
    assert "SGDClassifier" in (Path(run.info.artifact_uri) / "estimator.html").read_text()
    assert report(run)["call"] == "SGDClassifier.partial_fit"
    assert autolog.active_run() is None


def test_the_dataset_is_the_first_batch(iris):
    train(GaussianNB(), iris, classes=[0, 1, 2])
    (use,) = only().inputs.dataset_inputs
    first, labels = next(batches(iris))
    assert use.context == "train"
    assert use.dataset.digest == dataset_of(first, labels).digest


def test_the_model_is_of_the_last_step(iris):
    features, _ = iris
    classifier = train(GaussianNB(), iris, classes=[0, 1, 2])
    expected = classifier.predict_proba(features)
    ongoing.close_all()
    (output,) = only().outputs.model_outputs
    assert output.step == 2
    loaded = autolog.sklearn.load_model(f"models:/{output.model_id}")
    assert np.array_equal(loaded.predict_proba(features), expected)
    logged = autolog.get_logged_model(output.model_id)
    assert {metric.key: metric.value for metric in logged.metrics}["samples_seen"] == 150
    signature = autolog.models.get_model_info(f"models:/{output.model_id}").signature
    assert len(signature.inputs.inputs) == 1
    assert signature.outputs is not None


def test_each_score_is_the_estimators_own(iris):
    classifier = SGDClassifier(random_state=0)
    expected = {}
    for step, (features, labels) in enumerate(batches(iris)):
        classifier.partial_fit(features, labels, classes=[0, 1, 2])
        expected[step] = classifier.score(features, labels)
    ongoing.close_all()
    found = history(only(), "batch_score")
    assert found[0] == (0, expected[0])
    assert all(expected[step] == value for step, value in found)


@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_b17_the_loss_of_each_step_is_the_networks(iris, kind):
    network = kind(hidden_layer_sizes=(4,), random_state=0)
    passed = {"classes": [0, 1, 2]} if kind is MLPClassifier else {}
    for _ in range(3):
        train(network, iris, **passed)
    assert only().info.status == "RUNNING"
    ongoing.close_all()
    assert history(only(), "loss") == list(enumerate(network.loss_curve_))
    assert history(only(), "samples_seen") == [(step, 50 * (step + 1)) for step in range(9)]
    assert only().data.metrics["best_loss"] == network.best_loss_
    assert "n_iter" not in only().data.metrics


def test_the_inertia_of_each_step(iris):
    clusters = MiniBatchKMeans(3, n_init=1, random_state=0)
    seen = []
    for features, _ in batches(iris):
        seen.append(clusters.partial_fit(features).inertia_)
    ongoing.close_all()
    assert history(only(), "inertia") == list(enumerate(seen))
    assert "batch_score" not in only().data.metrics
    assert only().data.metrics["n_steps"] == 3


ALL = [
    SGDClassifier(random_state=0),
    Perceptron(random_state=0),
    MLPClassifier(hidden_layer_sizes=(4,), random_state=0),
    GaussianNB(),
    MultinomialNB(),
    OneVsRestClassifier(SGDClassifier(random_state=0)),
    OneVsOneClassifier(SGDClassifier(random_state=0)),
    SGDRegressor(random_state=0),
    MLPRegressor(hidden_layer_sizes=(4,), random_state=0),
    MiniBatchKMeans(3, n_init=1, random_state=0),
    Birch(n_clusters=3),
    IncrementalPCA(2),
    LatentDirichletAllocation(2, random_state=0),
    MiniBatchDictionaryLearning(2, random_state=0),
    MiniBatchNMF(2, random_state=0),
    BernoulliRBM(2, random_state=0),
    SGDOneClassSVM(random_state=0),
]


@pytest.mark.parametrize("estimator", ALL, ids=lambda each: type(each).__name__)
def test_the_same_is_learned(estimator, iris):
    def learn():
        np.random.seed(7)
        passed = {"classes": [0, 1, 2]} if is_classifier(estimator) else {}
        trained = train(clone(estimator), iris, **passed)
        return pickle.dumps(trained), np.random.random()

    watched = learn()
    ongoing.close_all()
    assert only().info.status == "FINISHED"
    assert len(only().outputs.model_outputs) == 1
    autolog.sklearn.autolog(disable=True)
    assert learn() == watched
    assert len(runs()) == 1


@pytest.mark.parametrize("estimator", [StandardScaler(), MinMaxScaler(), HashingVectorizer()])
def test_preparing_data_is_no_training(estimator, iris):
    estimator.partial_fit(["a text"] if isinstance(estimator, HashingVectorizer) else iris[0])
    assert runs() == []


def test_a_fit_that_calls_it_is_one_training(iris):
    IncrementalPCA(2, batch_size=30).fit(iris[0])
    BernoulliRBM(2, n_iter=2).fit(iris[0])
    assert [report(run)["call"] for run in runs()] == ["IncrementalPCA.fit", "BernoulliRBM.fit"]


def test_meta_estimators_are_one_run(iris):
    features, labels = iris
    targets = np.c_[labels, -labels].astype(float)
    model = MultiOutputRegressor(SGDRegressor(random_state=0), n_jobs=2)
    for _ in range(2):
        model.partial_fit(features, targets)
    train(OneVsRestClassifier(SGDClassifier()), iris, classes=[0, 1, 2])
    ongoing.close_all()
    assert [run.data.tags["estimator_name"] for run in runs()] == [
        "MultiOutputRegressor",
        "OneVsRestClassifier",
    ]


def test_threads_of_a_fit_make_no_runs(iris):
    joblib = pytest.importorskip("joblib")

    class Committee(BaseEstimator):
        def fit(self, X, y):
            one = joblib.delayed(lambda member: member.partial_fit(X, y, classes=[0, 1, 2]))
            members = [SGDClassifier() for _ in range(4)]
            joblib.Parallel(n_jobs=2, prefer="threads")(one(member) for member in members)
            return self

    Committee().fit(*iris)
    assert only().data.tags["estimator_name"] == "Committee"


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky"])
def test_v22_learning_curves_with_it_make_no_run_for_each_fold(iris, backend):
    joblib = pytest.importorskip("joblib")
    with joblib.parallel_config(backend=backend, n_jobs=2):
        learning_curve(
            SGDClassifier(),
            *iris,
            cv=2,
            train_sizes=[0.5, 1.0],
            exploit_incremental_learning=True,
        )
    assert not any("samples_seen" in run.data.metrics for run in runs())
    assert len(runs()) <= 1
    assert not ongoing.any_open()


def test_a_first_call_that_fails(iris):
    features, labels = iris
    classifier = SGDClassifier()
    with pytest.raises(ValueError, match="classes must be passed"):
        classifier.partial_fit(features, labels)
    run = only()
    assert run.info.status == "FAILED"
    assert "classes must be passed" in run.data.tags["autolog.failure.message"]
    assert run.outputs.model_outputs == ()
    classifier.partial_fit(features, labels, classes=[0, 1, 2])
    ongoing.close_all()
    assert [run.info.status for run in runs()] == ["FAILED", "FINISHED"]


def test_a_call_that_does_not_fit_the_signature(iris):
    with pytest.raises(TypeError):
        SGDClassifier().partial_fit(*iris, unknown=1)
    with pytest.raises(TypeError):
        SGDClassifier().partial_fit()
    assert [run.info.status for run in runs()] == ["FAILED"] * 2


def test_a_later_call_that_fails_is_no_step(iris):
    features, labels = iris
    classifier = train(SGDClassifier(), iris, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="3 features"):
        classifier.partial_fit(features[:, :3], labels)
    classifier.partial_fit(features, labels)
    assert ongoing.step_of(classifier) == 3
    ongoing.close_all()
    assert only().info.status == "FINISHED"
    assert only().data.metrics["samples_seen"] == 300
    assert "steps of failed calls" in skipped(only())


def test_the_same_error_as_without(iris):
    def provoke():
        with pytest.raises(ValueError, match="classes must be passed") as caught:
            SGDClassifier().partial_fit(*iris)
        return caught.value

    watched = provoke()
    autolog.sklearn.autolog(disable=True)
    plain = provoke()
    assert watched.args == plain.args
    assert watched.__context__ is None


def test_a_fit_in_between_begins_anew(iris):
    classifier = train(SGDClassifier(), iris, classes=[0, 1, 2])
    classifier.fit(*iris)
    assert ongoing.step_of(classifier) is None
    classifier.partial_fit(*iris)
    ongoing.close_all()
    assert [report(run)["call"] for run in runs()] == [
        "SGDClassifier.partial_fit",
        "SGDClassifier.fit",
        "SGDClassifier.partial_fit",
    ]
    assert [run.info.status for run in runs()] == ["FINISHED"] * 3


def test_a_fit_of_something_else_in_between(iris):
    classifier = SGDClassifier()
    for features, labels in batches(iris):
        classifier.partial_fit(features, labels, classes=[0, 1, 2])
        Ridge().fit(features, labels)
        StandardScaler().fit(features)
    ongoing.close_all()
    (run,) = [each for each in runs() if each.data.tags["estimator_name"] == "SGDClassifier"]
    assert len(runs()) == 4
    assert run.data.metrics["samples_seen"] == 150
    assert [output.step for output in run.outputs.model_outputs] == [0, 2]


def test_copies_and_clones_are_other_trainings(iris):
    classifier = train(SGDClassifier(random_state=0), iris, classes=[0, 1, 2])
    stored = pickle.dumps(classifier)
    assert b"autolog" not in stored
    pickle.loads(stored).partial_fit(*iris)
    copy.deepcopy(classifier).partial_fit(*iris)
    clone(classifier).partial_fit(*iris, classes=[0, 1, 2])
    classifier.partial_fit(*iris)
    ongoing.close_all()
    assert sorted(run.data.metrics["samples_seen"] for run in runs()) == [150, 150, 150, 300]


def test_in_the_users_run_it_ends_with_it(iris):
    with autolog.start_run() as user:
        train(SGDClassifier(), iris, classes=[0, 1, 2])
        autolog.log_metric("own", 1)
    run = only()
    assert run.info.run_id == user.info.run_id
    assert run.info.status == "FINISHED"
    assert {"own", "samples_seen", "training_seconds"} <= set(run.data.metrics)
    assert len(run.outputs.model_outputs) == 1


def test_scores_between_the_calls_are_a_curve(iris):
    features, labels = iris
    X_val, y_val = features[100:], labels[100:]
    classifier = SGDClassifier(random_state=0)
    expected = []
    for _ in range(3):
        train(classifier, (features[:100], labels[:100]), classes=[0, 1, 2])
        expected.append(classifier.score(X_val, y_val))
    ongoing.close_all()
    run = only()
    (key,) = [name for name in run.data.metrics if name.endswith("_X_val")]
    assert history(run, key) == list(zip([1, 3, 5], expected, strict=True))


def test_v17_two_in_the_users_run(iris):
    with autolog.start_run():
        one, other = SGDClassifier(alpha=1.0), SGDClassifier(alpha=2.0)
        for features, labels in batches(iris):
            one.partial_fit(features, labels, classes=[0, 1, 2])
            other.partial_fit(features, labels, classes=[0, 1, 2])
    assert sorted(run.data.params["alpha"] for run in runs()) == ["1.0", "2.0"]
    assert [run.data.metrics["samples_seen"] for run in runs()] == [150, 150]


def test_p49_options(iris):
    autolog.sklearn.autolog(log_models=False, log_datasets=False, extra_tags={"team": "a"})
    train(SGDClassifier(), iris, classes=[0, 1, 2])
    ongoing.close_all()
    run = only()
    assert run.outputs.model_outputs == ()
    assert run.inputs.dataset_inputs == ()
    assert run.data.tags["team"] == "a"
    assert {"dataset", "model"} <= set(skipped(run))


def test_p49_an_input_example_is_of_the_first_batch(iris):
    autolog.sklearn.autolog(log_input_examples=True, log_model_signatures=False)
    buffer = np.empty((50, 4))
    classifier = GaussianNB()
    for features, labels in batches(iris):
        buffer[:] = features
        classifier.partial_fit(buffer, labels, classes=[0, 1, 2])
    ongoing.close_all()
    (output,) = only().outputs.model_outputs
    loaded = autolog.models.get_model_info(f"models:/{output.model_id}")
    assert loaded.signature is None
    example = autolog.pyfunc.load_model(f"models:/{output.model_id}").input_example
    assert np.array_equal(example, iris[0][:5])


def test_p45_exclusive(iris):
    autolog.sklearn.autolog(exclusive=True)
    with autolog.start_run():
        train(SGDClassifier(), iris, classes=[0, 1, 2])
    assert only().data.metrics == {}


def test_p46_disabled_while_it_is_open(iris):
    classifier = train(SGDClassifier(), iris, classes=[0, 1, 2])
    autolog.sklearn.autolog(disable=True)
    assert only().info.status == "FINISHED"
    classifier.partial_fit(*iris)
    assert only().data.metrics["samples_seen"] == 150
    assert type(BaseSGDClassifier.__dict__["partial_fit"]) is not Wrapper
    autolog.sklearn.autolog()
    assert type(BaseSGDClassifier.__dict__["partial_fit"]) is Wrapper
    classifier.partial_fit(*iris)
    ongoing.close_all()
    assert only().data.metrics["samples_seen"] == 300


def test_p47_silent(iris, caplog, capfd):
    autolog.sklearn.autolog(silent=True)
    train(SGDClassifier(), iris, classes=[0, 1, 2])
    ongoing.close_all()
    default_session().read_models()
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


def test_inside_disabled(iris):
    with autolog.disabled():
        train(SGDClassifier(), iris, classes=[0, 1, 2])
    assert runs() == []


def test_through_the_class_and_by_keyword(iris):
    features, labels = iris
    classifier = SGDClassifier()
    SGDClassifier.partial_fit(classifier, features, labels, [0, 1, 2])
    classifier.partial_fit(y=labels, X=features)
    ongoing.close_all()
    assert only().data.metrics["samples_seen"] == 300
    assert only().data.params["classes"] == "[0, 1, 2]"


def test_where_the_estimator_has_none():
    network = MLPClassifier(solver="lbfgs")
    assert not hasattr(network, "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        _ = network.partial_fit


@pytest.mark.parametrize(
    "kind", [pd.DataFrame, sparse.csr_matrix, sparse.csr_array, sparse.coo_matrix, list]
)
def test_p13_kinds_of_batches(iris, kind, monkeypatch):
    def never(self, *args, **kwargs):
        raise AssertionError("made dense")

    features, labels = iris
    if kind is not list:
        for sparse_kind in (sparse.csr_matrix, sparse.csr_array, sparse.coo_matrix):
            monkeypatch.setattr(sparse_kind, "toarray", never)
            monkeypatch.setattr(sparse_kind, "todense", never)
    classifier = SGDClassifier(random_state=0)
    for _ in range(2):
        classifier.partial_fit(
            features.tolist() if kind is list else kind(features), labels, classes=[0, 1, 2]
        )
    ongoing.close_all()
    run = only()
    assert run.data.metrics["samples_seen"] == 300
    assert len(run.inputs.dataset_inputs) == 1
    assert len(run.outputs.model_outputs) == 1
    assert "batch_score" in run.data.metrics


def test_p13_polars(iris):
    polars = pytest.importorskip("polars")
    features, labels = iris
    frame = polars.DataFrame(features, schema=list("abcd"))
    classifier = SGDClassifier(random_state=0)
    for _ in range(2):
        classifier.partial_fit(frame, labels, classes=[0, 1, 2])
    ongoing.close_all()
    assert only().data.metrics["samples_seen"] == 300
    assert len(only().outputs.model_outputs) == 1


def test_p13_weights_count(iris):
    features, labels = iris
    weights = np.where(labels == 0, 5.0, 1.0)
    classifier = GaussianNB().partial_fit(features, labels, [0, 1, 2], weights)
    ongoing.close_all()
    expected = classifier.score(features, labels, sample_weight=weights)
    assert history(only(), "batch_score") == [(0, expected)]


def test_the_batch_is_not_held(iris):
    features, labels = iris
    batch = features.copy()
    seen, before = weakref.ref(batch), sys.getrefcount(batch)
    classifier = SGDClassifier()
    classifier.partial_fit(batch, labels, classes=[0, 1, 2])
    classifier.partial_fit(batch, labels)
    assert sys.getrefcount(batch) == before
    del batch
    gc.collect()
    assert seen() is None


def test_a_dropped_estimator_is_let_go_of(iris):
    classifier = train(SGDClassifier(), iris, classes=[0, 1, 2])
    seen = weakref.ref(classifier)
    del classifier
    train(SGDClassifier(), iris, classes=[0, 1, 2])
    gc.collect()
    assert seen() is None
    ended = min(runs(), key=lambda run: run.info.status == "RUNNING")
    assert ended.info.status == "FINISHED"
    assert len(ended.outputs.model_outputs) == 1


class Counting(BaseEstimator):
    """An estimator of a user."""

    def __init__(self, score=None):
        self.score_of = score
        self.asked = 0

    def get_params(self, deep=True):
        return {}

    def partial_fit(self, X, y=None):
        time.sleep(0.005)
        self.loss_ = 1.0 / (getattr(self, "n_", 0) + 1)
        self.n_ = getattr(self, "n_", 0) + 1
        autolog.log_metric("inside", 1)
        return self

    def score(self, X, y):
        Counting.calls += 1
        return self.score_of()


def test_b16_an_estimator_of_the_users(iris):
    class Derived(Counting):
        def partial_fit(self, X, y=None):
            return super().partial_fit(X, y)

    Counting.calls = 0
    model = Derived(lambda: 0.5)
    for _ in range(3):
        model.partial_fit(*iris)
    ongoing.close_all()
    with_loss = [run for run in runs() if "loss" in run.data.metrics]
    assert [run.data.tags["estimator_name"] for run in with_loss] == ["Derived"]
    assert history(with_loss[0], "loss") == [(0, 1.0), (1, 0.5), (2, 1 / 3)]


def test_a_slow_score_is_asked_once(iris):
    Counting.calls = 0
    model = Counting(lambda: time.sleep(0.2) or 0.5)
    for _ in range(10):
        model.partial_fit(*iris)
    assert Counting.calls == 1
    ongoing.close_all()
    run = next(run for run in runs() if "loss" in run.data.metrics)
    assert history(run, "batch_score") == [(0, 0.5)]
    assert "batch_score of 9 steps of 10" in skipped(run)


def test_a_score_that_fails_is_not_asked_again(iris):
    Counting.calls = 0
    model = Counting(lambda: 1 / 0)
    for _ in range(10):
        model.partial_fit(*iris)
    assert Counting.calls == 1
    ongoing.close_all()
    run = next(run for run in runs() if "loss" in run.data.metrics)
    assert "batch_score" not in run.data.metrics
    assert "batch_score" in skipped(run)


@pytest.mark.parametrize("batch", [[[1.0, 2.0]], iter([[1.0]])])
def test_what_has_no_score_of_its_batch(batch):
    Counting.calls = 0
    Counting(lambda: 0.5).partial_fit(batch, [1])
    assert Counting.calls == 0


def test_the_end_of_a_process_keeps_the_model(tmp_path):
    program = """
    import sys
    import autolog
    autolog.set_tracking_uri(sys.argv[1])
    autolog.autolog()
    from sklearn.datasets import load_iris
    from sklearn.naive_bayes import GaussianNB
    features, labels = load_iris(return_X_y=True)
    model = GaussianNB()
    for _ in range(3):
        model.partial_fit(features, labels, classes=[0, 1, 2])
    """
    folder = tmp_path / "mlruns"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), folder],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert done.stderr == ""
    autolog.set_tracking_uri(folder)
    (output,) = only().outputs.model_outputs
    assert only().info.status == "FINISHED"
    assert output.step == 2
    loaded = autolog.sklearn.load_model(f"models:/{output.model_id}")
    assert loaded.class_count_.sum() == 450
