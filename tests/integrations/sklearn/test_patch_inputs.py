"""Whatever a fit can be given: nothing is made dense, nothing is copied, nothing is changed."""

import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.cluster import (
    DBSCAN,
    HDBSCAN,
    OPTICS,
    AgglomerativeClustering,
    Birch,
    BisectingKMeans,
    KMeans,
    MeanShift,
    MiniBatchKMeans,
    SpectralClustering,
)
from sklearn.compose import ColumnTransformer
from sklearn.covariance import EllipticEnvelope
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier, SGDOneClassSVM
from sklearn.mixture import GaussianMixture
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier, MultiOutputRegressor
from sklearn.naive_bayes import MultinomialNB
from sklearn.neighbors import KNeighborsClassifier, LocalOutlierFactor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import autolog
from autolog_core.data import dataset_of
from autolog_core.session import default_session

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

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
SPARSE = [
    getattr(sparse, f"{form}_{kind}")
    for form in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    for kind in ("matrix", "array")
]


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


@pytest.fixture(scope="module")
def iris():
    features, labels = load_iris(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    return features[order], labels[order]


@pytest.fixture(scope="module")
def frame(iris):
    return pd.DataFrame(iris[0], columns=list("abcd"))


def runs():
    return default_session().read().search_runs(["0"])


def only():
    (run,) = runs()
    return run


def training(run):
    """Returns the names of the metrics on the training data."""
    return {name for name in run.data.metrics if name.startswith("training_")}


def digest(run):
    (use,) = run.inputs.dataset_inputs
    return use.dataset.digest


def signature(run):
    (output,) = run.outputs.model_outputs
    return autolog.models.get_model_info(f"models:/{output.model_id}").signature


@pytest.mark.filterwarnings("ignore:Constructing a DIA matrix:scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("kind", SPARSE, ids=lambda kind: kind.__name__)
def test_p13_no_sparse_matrix_is_made_dense(iris, kind, monkeypatch):
    features, labels = kind(iris[0]), iris[1]
    with autolog.disabled():
        plain = LogisticRegression(max_iter=20).fit(features, labels)
    before = pickle.dumps(features)
    for each in SPARSE:
        for name in ("toarray", "todense"):
            monkeypatch.setattr(each, name, never, raising=False)
    fitted = LogisticRegression(max_iter=20).fit(features, labels)
    assert np.array_equal(fitted.coef_, plain.coef_)
    assert pickle.dumps(features) == before
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert digest(only())
    assert len(only().outputs.model_outputs) == 1


def never(*args, **kwargs):
    raise AssertionError("a sparse matrix was made dense")


def test_p13_sparse_data_has_a_signature(iris):
    LogisticRegression(max_iter=20).fit(sparse.csr_matrix(iris[0]), iris[1])
    assert signature(only()).inputs is not None
    assert signature(only()).outputs is not None


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int32, object])
def test_p13_arrays_of_any_type(iris, kind):
    features = iris[0].astype(kind)
    DecisionTreeClassifier().fit(features, iris[1])
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert digest(only()) == dataset_of(features, iris[1]).digest


@pytest.mark.parametrize("order", ["F", "strided", "read-only"])
def test_p13_arrays_of_any_layout(iris, order):
    features = {
        "F": np.asfortranarray(iris[0]),
        "strided": np.repeat(iris[0], 2, axis=1)[:, ::2],
        "read-only": iris[0].copy(),
    }[order]
    features.flags.writeable = order != "read-only"
    DecisionTreeClassifier().fit(features, iris[1])
    assert digest(only()) == dataset_of(iris[0].copy(), iris[1]).digest


def test_p13_frames(frame, iris):
    labels = pd.Series(iris[1], name="kind", index=frame.index)
    RandomForestClassifier(5).fit(frame, labels)
    run = only()
    assert training(run) == CLASSIFIER | PROBABILITY
    assert [column.name for column in signature(run).inputs] == list("abcd")


@pytest.mark.parametrize("kind", ["frame", "column", "list", "categorical", "text", "bool"])
def test_p13_kinds_of_labels(frame, iris, kind):
    labels = {
        "frame": pd.DataFrame({"kind": iris[1]}),
        "column": iris[1].reshape(-1, 1),
        "list": iris[1].tolist(),
        "categorical": pd.Series(pd.Categorical(iris[1])),
        "text": pd.Series(iris[1]).map({0: "one", 1: "two", 2: "three"}),
        "bool": iris[1] == 0,
    }[kind]
    DecisionTreeClassifier().fit(frame, labels)
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert digest(only())


@pytest.mark.parametrize("kind", ["Float64", "Int64"])
def test_p13_nullable_columns(frame, iris, kind):
    features = frame.round().astype(kind)
    features.iloc[3, 0] = pd.NA
    HistGradientBoostingClassifier(max_iter=2).fit(features, iris[1])
    assert training(only()) == CLASSIFIER | PROBABILITY


def test_p13_categories_and_text_in_a_frame(frame, iris):
    features = frame.assign(
        kind=pd.Categorical(np.where(iris[1] == 0, "x", "y")),
        text=np.where(iris[1] == 1, "u", "v"),
        when=pd.Timestamp("2024-01-01"),
    )
    columns = ColumnTransformer([("one-hot", OneHotEncoder(), ["kind", "text"])])
    make_pipeline(columns, LogisticRegression()).fit(features, iris[1])
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert len(list(signature(only()).inputs)) == 7


def test_p13_polars(iris):
    polars = pytest.importorskip("polars")
    features = polars.DataFrame(iris[0], schema=list("abcd"))
    labels = polars.Series("kind", iris[1])
    RandomForestClassifier(5).fit(features, labels)
    run = only()
    assert training(run) == CLASSIFIER | PROBABILITY
    assert [column.name for column in signature(run).inputs] == list("abcd")


def test_p13_rows_as_lists(iris):
    LogisticRegression(max_iter=20).fit(iris[0].tolist(), iris[1].tolist())
    assert training(only()) == CLASSIFIER | PROBABILITY
    assert len(only().inputs.dataset_inputs) == 1


TEXTS = ["good movie", "bad movie", "good play", "bad play"] * 3
MOODS = [1, 0, 1, 0] * 3


@pytest.mark.parametrize("kind", [list, np.array, pd.Series, tuple])
def test_p13_texts(kind):
    make_pipeline(TfidfVectorizer(), MultinomialNB()).fit(kind(TEXTS), MOODS)
    run = only()
    assert training(run) == CLASSIFIER | PROBABILITY
    assert run.data.metrics["training_accuracy_score"] == 1
    assert len(run.outputs.model_outputs) == 1


def test_p13_no_text_is_made_dense(monkeypatch):
    for each in SPARSE:
        for name in ("toarray", "todense"):
            monkeypatch.setattr(each, name, never, raising=False)
    make_pipeline(CountVectorizer(), TruncatedSVD(2), SGDClassifier()).fit(TEXTS, MOODS)
    assert training(only()) == CLASSIFIER


@pytest.mark.parametrize("weights", ["array", "list", "series"])
@pytest.mark.parametrize("by_name", [True, False])
def test_p13_weights(iris, weights, by_name):
    values = np.where(iris[1] == 0, 5.0, 0.5)
    passed = {"array": values, "list": values.tolist(), "series": pd.Series(values)}[weights]
    model = DecisionTreeClassifier(max_depth=1)
    if by_name:
        model.fit(*iris, sample_weight=passed)
    else:
        model.fit(*iris, passed)
    expected = model.score(*iris, sample_weight=values)
    assert only().data.metrics["training_accuracy_score"] == pytest.approx(expected)
    assert expected != pytest.approx(model.score(*iris))


def test_p13_weights_through_pipelines_in_pipelines(iris):
    values = np.where(iris[1] == 0, 5.0, 0.5)
    inner = make_pipeline(StandardScaler(), DecisionTreeClassifier(max_depth=1))
    outer = make_pipeline(StandardScaler(), inner)
    outer.fit(*iris, pipeline__decisiontreeclassifier__sample_weight=values)
    expected = inner[-1].score(StandardScaler().fit_transform(iris[0]), iris[1], values)
    plain = outer.score(*iris)
    found = only().data.metrics["training_accuracy_score"]
    assert found == pytest.approx(expected) != pytest.approx(plain)


def test_p13_weights_of_a_regression(iris):
    values = np.where(iris[1] == 0, 5.0, 0.5)
    model = Ridge().fit(*iris, sample_weight=values)
    found = only().data.metrics
    assert found["training_r2_score"] == pytest.approx(model.score(*iris, values))
    errors = (model.predict(iris[0]) - iris[1]) ** 2
    assert found["training_mean_squared_error"] == pytest.approx(np.average(errors, weights=values))


def test_p13_weights_that_are_routed(iris):
    import sklearn

    values = np.where(iris[1] == 0, 5.0, 0.5)
    with sklearn.config_context(enable_metadata_routing=True):
        tree = DecisionTreeClassifier(max_depth=1).set_fit_request(sample_weight=True)
        tree.set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=False)
        model = make_pipeline(scaler, tree).fit(*iris, sample_weight=values)
        expected = model.score(*iris, sample_weight=values)
    assert only().data.metrics["training_accuracy_score"] == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["array", "frame"])
@pytest.mark.parametrize(
    "model", [DecisionTreeRegressor(max_depth=2), MultiOutputRegressor(Ridge())]
)
def test_several_targets(iris, frame, kind, model):
    targets = np.c_[iris[1], -iris[1] * 2.0]
    passed = pd.DataFrame(targets, columns=["one", "two"]) if kind == "frame" else targets
    model.fit(frame, passed)
    with autolog.disabled():
        expected = model.score(frame, targets)
    assert training(only()) == REGRESSOR
    assert only().data.metrics["training_r2_score"] == pytest.approx(expected)
    assert digest(only()) == dataset_of(frame, passed).digest


def test_several_labels_per_row():
    features, labels = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    for model in (
        KNeighborsClassifier(3),
        ClassifierChain(LogisticRegression()),
        RandomForestClassifier(5, random_state=0),
    ):
        model.fit(features, labels)
    assert [training(run) for run in runs()] == [CLASSIFIER] * 3


def test_several_labels_per_row_as_sparse_matrix():
    features, labels = make_multilabel_classification(60, 5, n_classes=3, random_state=0)
    OneVsRestClassifier(LogisticRegression()).fit(features, sparse.csr_matrix(labels))
    assert training(only()) == CLASSIFIER


def test_several_classes_per_output(iris):
    targets = np.c_[iris[1], (iris[1] + 1) % 3]
    model = MultiOutputClassifier(LogisticRegression(max_iter=20)).fit(iris[0], targets)
    assert only().data.metrics["training_score"] == model.score(iris[0], targets)


CLUSTERS = [
    KMeans(3, n_init=1),
    MiniBatchKMeans(3, n_init=1),
    BisectingKMeans(3),
    DBSCAN(),
    HDBSCAN(copy=False),
    OPTICS(),
    AgglomerativeClustering(3),
    Birch(),
    MeanShift(),
    SpectralClustering(3),
    GaussianMixture(3),
]
OUTLIERS = [
    IsolationForest(n_estimators=5),
    LocalOutlierFactor(),
    OneClassSVM(),
    SGDOneClassSVM(),
    EllipticEnvelope(),
]


@pytest.mark.parametrize("model", CLUSTERS + OUTLIERS, ids=lambda model: type(model).__name__)
def test_p5_without_labels(iris, model):
    model.fit(iris[0])
    run = only()
    assert run.info.status == "FINISHED"
    assert training(run) == set()
    assert run.data.params
    assert digest(run) == dataset_of(iris[0]).digest
    assert len(run.outputs.model_outputs) == 1


@pytest.mark.parametrize("model", [*CLUSTERS[:6], *OUTLIERS[:3]], ids=lambda m: type(m).__name__)
def test_p5_fit_predict(iris, model):
    assert len(model.fit_predict(iris[0])) == 150
    assert training(only()) == set()


@pytest.mark.parametrize("model", [*CLUSTERS[:4], *OUTLIERS[:2]], ids=lambda m: type(m).__name__)
def test_p5_labels_that_do_not_count(iris, model):
    model.fit(*iris)
    assert training(only()) <= {"training_score"}


@pytest.mark.parametrize("name", ["KMeans", "DBSCAN"])
def test_p5_sparse_clusters(iris, name):
    model = {"KMeans": KMeans(3, n_init=1), "DBSCAN": DBSCAN()}[name]
    model.fit(sparse.csr_matrix(iris[0]))
    assert digest(only())


class Majority(ClassifierMixin, BaseEstimator):
    """An estimator of a user, which asks for nothing that scikit-learn would convert."""

    def __init__(self, bias=0.0):
        self.bias = bias

    def fit(self, X, y, sample_weight=None):
        self.classes_, counts = np.unique(y, return_counts=True)
        self.majority_ = self.classes_[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(X.shape[0] if hasattr(X, "shape") else len(X), self.majority_)


class Mean(RegressorMixin, BaseEstimator):
    """Another."""

    def fit(self, X, y):
        self.mean_ = np.mean(y)
        return self

    def predict(self, X):
        return np.full(X.shape[0], self.mean_)


def test_b16_an_estimator_of_the_users(frame, iris):
    Majority(bias=0.5).fit(frame, iris[1])
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.params == {"bias": "0.5"}
    assert run.data.tags["estimator_name"] == "Majority"
    assert training(run) == CLASSIFIER
    assert [column.name for column in signature(run).inputs] == list("abcd")
    (output,) = run.outputs.model_outputs
    loaded = autolog.sklearn.load_model(f"models:/{output.model_id}")
    assert loaded.majority_ == 0


def test_b16_estimators_of_the_users_in_a_pipeline(iris):
    make_pipeline(StandardScaler(), Majority()).fit(
        *iris, majority__sample_weight=np.ones(len(iris[1]))
    )
    assert training(only()) == CLASSIFIER


@pytest.mark.parametrize("X", [{"rows": 3}, "text", 7, None, object()], ids=repr)
def test_b16_what_only_the_users_estimator_understands(X):
    class Odd(BaseEstimator):
        def fit(self, X, y=None):
            return self

    Odd().fit(X)
    assert only().info.status == "FINISHED"


def test_b16_an_estimator_without_params():
    class Odd(BaseEstimator):
        def __init__(self, *args):
            self.args = args

        def fit(self, X, y=None):
            return self

    with pytest.raises(RuntimeError, match="varargs"):
        Odd(1).get_params()


ROWS, COLUMNS = 40_000, 100


@pytest.mark.parametrize("kind", ["array", "frame", "csr"])
@pytest.mark.parametrize("estimator", [Majority(), Mean()], ids=["classifier", "regressor"])
def test_p13_x_is_not_copied(kind, estimator):
    dense = np.ones((ROWS, COLUMNS), np.float64)
    if kind == "array":
        features, size = dense, dense.nbytes
    elif kind == "frame":
        features, size = pd.DataFrame(dense, copy=False), dense.nbytes
    else:
        features = sparse.csr_matrix(dense)
        size = features.data.nbytes
    labels = np.arange(ROWS) % 2
    estimator.fit(features, labels)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        estimator.fit(features, labels)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < size / 3
    assert all(run.info.status == "FINISHED" for run in runs())


@pytest.mark.parametrize("kind", ["array", "frame", "csr", "list"])
def test_what_is_passed_is_not_changed(iris, kind):
    features = {
        "array": iris[0].copy(),
        "frame": pd.DataFrame(iris[0], columns=list("abcd")),
        "csr": sparse.csr_matrix(iris[0]),
        "list": iris[0].tolist(),
    }[kind]
    labels, weights = iris[1].copy(), np.ones(len(iris[1]))
    with autolog.disabled():
        # What a sparse matrix has found out about itself stays in it.
        SVC().fit(features, labels, weights)
    before = pickle.dumps((features, labels, weights))
    SVC().fit(features, labels, weights)
    RandomForestRegressor(3).fit(features, labels, sample_weight=weights)
    assert pickle.dumps((features, labels, weights)) == before


@pytest.mark.parametrize("pos_label", ["yes", "no"])
@pytest.mark.parametrize("kind", ["array", "series", "list", "frame"])
def test_p12_the_positive_label(iris, pos_label, kind):
    from sklearn import metrics

    autolog.sklearn.autolog(pos_label=pos_label)
    truth = np.where(iris[1] == 0, "yes", "no")
    labels = {
        "array": truth,
        "series": pd.Series(truth),
        "list": truth.tolist(),
        "frame": pd.DataFrame({"answer": truth}),
    }[kind]
    model = DecisionTreeClassifier(max_depth=1, max_features=1, random_state=1)
    predicted = model.fit(iris[0][:, 1:2], labels).predict(iris[0][:, 1:2])
    found = only().data.metrics
    for name in ("precision", "recall", "f1"):
        expected = getattr(metrics, f"{name}_score")(truth, predicted, pos_label=pos_label)
        assert found[f"training_{name}_score"] == expected
