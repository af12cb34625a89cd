"""What every integration must keep, for each kind of call that is watched."""

import numpy as np
import xgboost as xgb

from autolog.instrument.contract import PatchContract

PARAMS = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    return features, (features[:, 0] > 0).astype(int)


def refuse(*_):
    raise ValueError("mine")


class TestTrain(PatchContract):
    integration = "xgboost"
    watched = (
        "xgboost.training:train",
        "xgboost.training:cv",
        "xgboost:train",
        "xgboost.core:DMatrix.__init__",
        "xgboost.core:Booster.update",
        "xgboost.sklearn:XGBClassifier.fit",
    )

    def data(self):
        return table()

    def train(self, data):
        matrix = xgb.DMatrix(*data)
        return xgb.train(
            PARAMS,
            matrix,
            6,
            evals=[(matrix, "train")],
            early_stopping_rounds=2,
            verbose_eval=False,
        )

    def state(self, trained):
        return bytes(trained.save_raw()), trained.attributes(), trained.save_config()

    def train_badly(self):
        matrix = xgb.DMatrix(*table())
        xgb.train(PARAMS, matrix, 2, evals=[(matrix, "train")], custom_metric=refuse)


class TestEstimator(PatchContract):
    integration = "xgboost"
    watched = (
        "xgboost.sklearn:XGBClassifier.fit",
        "xgboost.sklearn:XGBModel.fit",
        "xgboost.sklearn:XGBRanker.fit",
        "xgboost.sklearn:train",
    )
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        model = xgb.XGBClassifier(n_estimators=6, max_depth=2, n_jobs=1, early_stopping_rounds=2)
        return model.fit(*data, eval_set=[data], verbose=False)

    def train_badly(self):
        xgb.XGBClassifier(n_jobs=1).fit(np.zeros((4, 1)), [0, 2, 0, 2])


class TestCv(PatchContract):
    integration = "xgboost"
    watched = ("xgboost.training:cv", "xgboost:cv")
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        return xgb.cv(PARAMS, xgb.DMatrix(*data), 4, nfold=2, early_stopping_rounds=2)

    def train_badly(self):
        xgb.cv(PARAMS, xgb.DMatrix(*table()), 2, fpreproc=refuse)
