"""Trainings that several workers do together, put together by hand: the first worker records."""

import gc
import threading
import weakref

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import BINARY, QUIET, curve, models, only, runs
from xgboost import collective
from xgboost.tracker import RabitTracker

import autolog


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


def numbers(rows=60):
    features = np.random.default_rng(0).normal(size=(rows, 3))
    return features, (features[:, 0] > 0).astype(int)


def test_the_first_worker_records():
    tracker = RabitTracker(n_workers=2, host_ip="127.0.0.1")
    tracker.start()
    features, labels = numbers()
    made, errors = [], []

    def work(part):
        try:
            with collective.CommunicatorContext(**tracker.worker_args()):
                matrix = xgb.DMatrix(features[part::2], labels[part::2])
                evals = [(matrix, "train")]
                made.append(xgb.train(BINARY, matrix, 3, evals=evals, **QUIET))
        except Exception as error:
            errors.append(error)

    workers = [threading.Thread(target=work, args=(part,)) for part in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert errors == []
    assert bytes(made[0].save_raw()) == bytes(made[1].save_raw())
    run = only()
    assert list(curve(run, "train-logloss")) == [0, 1, 2]
    assert set(models(run)) == {"model"}


def is_held(how):
    """Whether the data are in memory after a training that the program holds no part of."""
    features, labels = numbers()
    frame = pd.DataFrame(features, columns=["a", "b", "c"])
    gone = weakref.ref(frame)
    model = xgb.XGBClassifier(n_estimators=2, n_jobs=1)
    gc.collect()
    gc.disable()
    try:
        if how == "fit":
            model.fit(frame, labels)
        elif how == "train":
            xgb.train(BINARY, xgb.DMatrix(frame, labels), 2)
        else:
            with pytest.raises(ValueError, match="Invalid classes"):
                model.fit(frame, labels + 5)
        del frame
        return gone() is not None
    finally:
        gc.enable()


@pytest.mark.parametrize("how", ["fit", "failing fit", "train"])
def test_data_are_let_go_of_at_once(how):
    held = is_held(how)
    autolog.xgboost.autolog(disable=True)
    # XGBoost 2 itself holds what an estimator is fitted with, until rubbish is collected.
    assert held == is_held(how)
    assert len(runs()) == 1
