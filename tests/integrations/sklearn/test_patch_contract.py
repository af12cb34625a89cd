import numpy as np
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.svm import SVC

from autolog.instrument.contract import PatchContract


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    return features, (features[:, 0] > 0).astype(int)


class TestLinearModel(PatchContract):
    integration = "sklearn"
    watched = (
        "sklearn.linear_model:Ridge.fit",
        "sklearn.linear_model:LogisticRegression.fit",
        "sklearn.decomposition:PCA.fit_transform",
        "sklearn.neighbors:LocalOutlierFactor.fit_predict",
    )

    def data(self):
        return table()

    def train(self, data):
        return LogisticRegression().fit(*data)

    def train_badly(self):
        Ridge(alpha=-1).fit(*table())


class TestForestOfThreads(PatchContract):
    """Its trees are fitted in worker threads, which must not make runs of their own."""

    integration = "sklearn"
    watched = (
        "sklearn.ensemble._forest:BaseForest.fit",
        "sklearn.tree:DecisionTreeClassifier.fit",
    )
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        return RandomForestClassifier(5, random_state=0, n_jobs=2).fit(*data)

    def train_badly(self):
        RandomForestClassifier(5).fit(np.full((4, 2), np.inf), [0, 1, 0, 1])


class TestInheritedMethod(PatchContract):
    integration = "sklearn"
    watched = ("sklearn.svm._base:BaseLibSVM.fit",)
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        return SVC(random_state=0).fit(*data)

    def train_badly(self):
        SVC().fit(*table(), sample_weight=[1.0])
