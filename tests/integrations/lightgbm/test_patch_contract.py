"""The patch contract, for each way to train."""

import lightgbm as lgb
import numpy as np

from autolog.instrument.contract import PatchContract

PARAMS = {
    "objective": "binary",
    "num_leaves": 4,
    "min_data_in_leaf": 5,
    "num_threads": 1,
    "verbosity": -1,
}
ORDERS = (("on", "import"), ("import", "on", "off"), ("on", "import", "off", "on"))


def table(rows=80, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    return features, (features[:, 0] > 0).astype(int)


class TestTrain(PatchContract):
    integration = "lightgbm"
    watched = ("lightgbm.engine:train", "lightgbm.engine:cv", "lightgbm.basic:Booster.update")

    def data(self):
        return table()

    def train(self, data):
        known = lgb.Dataset(*data)
        return lgb.train(
            PARAMS,
            known,
            4,
            valid_sets=[known, lgb.Dataset(*table(seed=1), reference=known)],
            callbacks=[lgb.early_stopping(2, verbose=False)],
        )

    def train_badly(self):
        lgb.train(PARAMS | {"objective": "nothing"}, lgb.Dataset(*table()), 2)

    def state(self, trained):
        return trained.model_to_string(), trained.best_iteration, dict(trained.best_score)


class TestFit(PatchContract):
    integration = "lightgbm"
    watched = (
        "lightgbm.sklearn:LGBMModel.fit",
        "lightgbm.sklearn:LGBMClassifier.fit",
        "lightgbm.sklearn:LGBMClassifier.predict_proba",
    )
    orders = ORDERS

    def data(self):
        return table()

    def train(self, data):
        return lgb.LGBMClassifier(n_estimators=3, num_leaves=4, n_jobs=1, verbosity=-1).fit(*data)

    def train_badly(self):
        lgb.LGBMClassifier(n_jobs=1).fit(np.zeros((4, 2)), [0, 1, 0])


class TestCv(PatchContract):
    integration = "lightgbm"
    watched = ("lightgbm.engine:cv", "lightgbm.engine:_agg_cv_result")
    orders = ORDERS

    def data(self):
        return table()

    def train(self, data):
        return lgb.cv(PARAMS, lgb.Dataset(*data), 3, nfold=3, eval_train_metric=True)

    def train_badly(self):
        lgb.cv(PARAMS, lgb.Dataset(*table()), -1)
