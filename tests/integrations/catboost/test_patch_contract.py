import json
import tempfile
from pathlib import Path
from typing import ClassVar

import catboost as cb
import numpy as np
import pytest

from autolog.instrument import control
from autolog.instrument.contract import PatchContract

SMALL = {
    "iterations": 5, "depth": 2, "thread_count": 1, "verbose": 0, "allow_writing_files": False,
}  # fmt: skip


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def table(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(rows, 4))
    return features, (features[:, 0] > 0).astype(int)


def learned(model):
    """All but the id and the time of a model, which differ in each training."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.json")
        model.save_model(str(path), format="json")
        content = json.loads(path.read_text())
    for key in ("model_guid", "train_finish_time"):
        content["model_info"].pop(key)
    attributes = {name: repr(value) for name, value in vars(model).items() if name != "_object"}
    return content, model.get_evals_result(), model.get_best_score(), attributes


class Silent:
    def after_iteration(self, info):
        return True


class TestFit(PatchContract):
    integration = "catboost"
    watched = (
        "catboost.core:CatBoost.fit",
        "catboost.core:CatBoostClassifier.fit",
        "catboost.core:CatBoostRanker.fit",
        "catboost:cv",
    )

    def data(self):
        return table()

    def train(self, data):
        features, labels = data
        return cb.CatBoostClassifier(**SMALL).fit(
            features[:40], labels[:40], eval_set=(features[40:], labels[40:])
        )

    def train_badly(self):
        cb.CatBoostClassifier(**SMALL, loss_function="Nothing").fit(*table())

    def state(self, trained):
        return learned(trained)


class TestCallbacks(PatchContract):
    """A fit with callbacks of the user's, to which ours is added."""

    integration = "catboost"
    watched = ("catboost.core:CatBoostRegressor.fit",)
    orders = ()
    callbacks: ClassVar = [Silent()]

    def data(self):
        return table()

    def train(self, data):
        model = cb.CatBoostRegressor(**SMALL).fit(*data, callbacks=self.callbacks)
        assert len(self.callbacks) == 1
        return model

    def train_badly(self):
        features, labels = table()
        cb.CatBoostRegressor(**SMALL).fit(features, labels[1:], callbacks=self.callbacks)

    def state(self, trained):
        return learned(trained)


class TestWithoutModels(PatchContract):
    """Nothing is predicted on our own where no model is kept."""

    integration = "catboost"
    watched = (
        "catboost.core:Pool.__init__",
        "catboost.core:CatBoost.predict",
        "catboost.core:CatBoostClassifier.predict",
        "catboost.core:CatBoostClassifier.score",
    )
    orders = ()

    def switch(self, on):
        control.configure(self.integration, control.OWN, disable=not on, log_models=False)

    def data(self):
        return table()

    def train(self, data):
        pool = cb.Pool(*data)
        model = cb.CatBoostClassifier(**SMALL).fit(pool)
        model.predict(data[0])
        model.score(pool)
        return model

    def train_badly(self):
        cb.CatBoostClassifier(**SMALL).fit(cb.Pool(table()[0]))

    def state(self, trained):
        return learned(trained)


class TestTrain(PatchContract):
    """The function trains the model that it makes."""

    integration = "catboost"
    watched = ("catboost.core:CatBoost.fit",)
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        return cb.train(cb.Pool(*data), {**SMALL, "loss_function": "Logloss"})

    def train_badly(self):
        cb.train(cb.Pool(*table()), {**SMALL, "loss_function": "Nothing"})

    def state(self, trained):
        return learned(trained)


class TestCv(PatchContract):
    integration = "catboost"
    # Several at once race for CatBoost's folder and its level of logging, with or without us.
    threads = 1
    watched = ("catboost:cv", "catboost.core:cv")
    orders = ()

    def data(self):
        return table()

    def train(self, data):
        params = {**SMALL, "loss_function": "Logloss", "logging_level": "Silent"}
        params.pop("verbose")
        return cb.cv(cb.Pool(*data), params, fold_count=2, as_pandas=False)

    def train_badly(self):
        cb.cv(cb.Pool(*table()), {**SMALL, "loss_function": "Nothing"})


class TestSearch(PatchContract):
    integration = "catboost"
    watched = ("catboost.core:CatBoost.grid_search",)
    orders = ()

    # After a search that may write no files, no other search of the process writes any.
    params: ClassVar = {"iterations": 3, "thread_count": 1, "verbose": 0}

    def switch(self, on):
        control.configure(self.integration, control.OWN, disable=not on, max_tuning_runs=0)

    def data(self):
        return table()

    def train(self, data):
        model = cb.CatBoostRegressor(**self.params)
        model.grid_search({"depth": [1, 2]}, *data, cv=2, verbose=False)
        return model

    def train_badly(self):
        cb.CatBoostRegressor(**self.params).grid_search({"loss_function": ["RMSE"]}, *table())

    def state(self, trained):
        return learned(trained)
