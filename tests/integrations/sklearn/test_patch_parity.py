"""With autologging on, the user's program computes the same bits."""

import pickle
import random
import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import DBSCAN, KMeans, MiniBatchKMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
    StackingClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Lasso, LogisticRegression, Ridge, SGDClassifier
from sklearn.metrics import accuracy_score
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeRegressor

import autolog


class Drawing(ClassifierMixin, BaseEstimator):
    """Draws and remembers when it predicts."""

    def fit(self, features, labels):
        self.classes_ = np.unique(labels)
        return self

    def predict(self, features):
        self.asked_ = getattr(self, "asked_", 0) + 1
        random.random()
        return np.random.choice(self.classes_, len(features))


MAKERS = {
    "logistic": lambda: LogisticRegression(max_iter=500),
    "ridge": Ridge,
    "forest": lambda: RandomForestClassifier(5, random_state=1),
    "forest without a seed": lambda: RandomForestClassifier(5),
    "forest with a generator": lambda: RandomForestClassifier(
        5, random_state=np.random.RandomState(3)
    ),
    "bagging": lambda: BaggingClassifier(n_estimators=3, random_state=1),
    "boosting": lambda: GradientBoostingRegressor(n_estimators=5, random_state=1),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=3),
    "vectors": lambda: SVC(probability=False),
    "clusters": lambda: KMeans(3, n_init=2, random_state=1),
    "density": DBSCAN,
    "mixture": lambda: GaussianMixture(2, random_state=1),
    "neighbours": KNeighborsClassifier,
    "neighbours in a pipeline": lambda: make_pipeline(
        StandardScaler(), KNeighborsClassifier(algorithm="ball_tree")
    ),
    "bagged neighbours": lambda: BaggingClassifier(
        KNeighborsClassifier(), n_estimators=3, random_state=1
    ),
    "bayes": GaussianNB,
    "process": lambda: GaussianProcessRegressor(random_state=1),
    "network": lambda: MLPClassifier((4,), max_iter=20, random_state=1),
    "descent": lambda: SGDClassifier(random_state=np.random.RandomState(2)),
    "outliers": lambda: IsolationForest(n_estimators=5, random_state=1),
    "components": lambda: PCA(2),
    "random labels": lambda: DummyClassifier(strategy="stratified"),
    "drawing": Drawing,
    "pipeline": lambda: make_pipeline(StandardScaler(), Drawing()),
    "columns": lambda: make_pipeline(
        ColumnTransformer([("scale", StandardScaler(), [0, 1])]), SVC()
    ),
    "search": lambda: GridSearchCV(DummyClassifier(strategy="uniform"), {"constant": [1, 2]}, cv=2),
    "halving": lambda: HalvingGridSearchCV(
        GaussianNB(), {"var_smoothing": [1e-9, 1e-8, 1e-7]}, cv=2, random_state=0
    ),
    "stacking": lambda: StackingClassifier([("bayes", GaussianNB())], GaussianNB(), cv=2),
    "lasso": lambda: Lasso(0.01),
    "linear vectors": lambda: LinearSVC(random_state=1),
    "extra trees": lambda: ExtraTreesClassifier(5, random_state=1),
    "adaptive boosting": lambda: AdaBoostClassifier(n_estimators=3, random_state=1),
    "batches": lambda: MiniBatchKMeans(3, n_init=1, random_state=1),
    "tree": lambda: DecisionTreeRegressor(max_depth=3, random_state=1),
}


def comparable(value):
    """Returns all attributes of an estimator, without the times that a search measures."""
    table = getattr(value, "cv_results_", None)
    if table is not None:
        for name in [name for name in table if "time" in name]:
            del table[name]
    if hasattr(value, "refit_time_"):
        value.refit_time_ = 0
    return pickle.dumps(value)


def program(make):
    """Trains, then draws from each source of random numbers."""
    np.random.seed(7)
    random.seed(7)
    features, labels = load_iris(return_X_y=True)
    before = features.copy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = make()
        returned = model.fit(features, labels)
    assert returned is model
    assert np.array_equal(features, before)
    fitted = comparable(model)
    drawn: tuple[object, ...] = ()
    if hasattr(model, "predict"):
        predicted = model.predict(features)
        drawn = predicted.tobytes(), accuracy_score(labels, np.asarray(predicted, int))
    drawn += np.random.rand(), random.random()
    held = getattr(model, "random_state", None)
    if isinstance(held, np.random.RandomState):
        drawn += (held.rand(),)
    return fitted, drawn, comparable(model)


@pytest.mark.parametrize("name", MAKERS)
def test_the_same_bits(tracking, name):
    plain = program(MAKERS[name])
    autolog.sklearn.autolog()
    try:
        watched = program(MAKERS[name])
        run = autolog.last_active_run()
    finally:
        autolog.sklearn.autolog(disable=True)
    assert watched == plain
    assert run.info.status == "FINISHED"


@pytest.mark.parametrize(
    ("make", "features"),
    [
        (lambda: Ridge(alpha=-1), [[1.0], [2.0]]),
        (Ridge, [[np.nan], [2.0]]),
        (Ridge, "text"),
        (lambda: make_pipeline(StandardScaler(), Ridge(alpha="x")), [[1.0], [2.0]]),
        (lambda: GridSearchCV(Ridge(), {"alpha": [-1]}, cv=2), [[1.0], [2.0]]),
        (lambda: RandomForestClassifier(n_jobs=2), [[np.inf], [2.0]]),
    ],
)
def test_the_same_exception(tracking, make, features):
    def error():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                make().fit(features, [0, 1])
            except Exception as caught:
                return type(caught), str(caught), type(caught.__cause__), type(caught.__context__)
        raise AssertionError("nothing was raised")

    plain = error()
    autolog.sklearn.autolog()
    try:
        assert error() == plain
    finally:
        autolog.sklearn.autolog(disable=True)


def test_the_same_warnings(tracking):
    def warned():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            LogisticRegression(max_iter=1).fit(*load_iris(return_X_y=True))
        return [(each.category, str(each.message), each.filename) for each in caught]

    plain = warned()
    autolog.sklearn.autolog()
    try:
        assert warned() == plain
    finally:
        autolog.sklearn.autolog(disable=True)


def test_an_estimator_that_is_unusual_is_left_in_peace(tracking):
    class Unusual(BaseEstimator):
        def __init__(self, *rows):
            self.rows = rows

        def get_params(self, deep=True):
            return {"rows": self.rows}

        def __getattr__(self, name):
            raise AttributeError(name)

        def fit(self, rows):
            self.rows = rows
            return "not self"

    autolog.sklearn.autolog()
    try:
        assert Unusual().fit([1]) == "not self"
    finally:
        autolog.sklearn.autolog(disable=True)
    assert autolog.last_active_run().data.params == {"rows": "()"}
