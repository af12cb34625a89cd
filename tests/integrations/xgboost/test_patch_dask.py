"""Trainings on dask: recorded once, by the program that asks for them, and never by a worker."""

import json

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    BINARY,
    curve,
    datasets,
    load,
    model_metrics,
    models,
    only,
    runs,
    skipped,
)

import autolog

arrays = pytest.importorskip("dask.array")
frames = pytest.importorskip("dask.dataframe")
distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    # Sockets and files of a cluster are closed when they are collected.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


@pytest.fixture(params=[False, True], ids=["threads", "processes"])
def client(request, tracking, switched_on):
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with (
        distributed.LocalCluster(processes=request.param, **settings) as cluster,
        distributed.Client(cluster) as made,
    ):
        if request.param:
            made.run(prepare, str(tracking))
        yield made
        # What went wrong on our side there; threads share our own list.
        faults = made.run(
            lambda: [
                each.text
                for each in __import__("autolog.instrument.faults", fromlist=["faults"]).recent()
            ]
        )
        assert not any(faults.values()), faults


def prepare(folder):
    """Makes a worker process log as the program does: what it logs then is seen."""
    import autolog

    autolog.set_tracking_uri(folder)
    autolog.xgboost.autolog()


def settle(client):
    """Has the workers write what they have logged."""

    def drain():
        from autolog_core.session import default_session

        default_session().drain()

    client.run(drain)


def numbers():
    features = np.random.default_rng(0).normal(size=(200, 3))
    return features, (features[:, 0] > 0).astype(int)


def collections():
    features, labels = numbers()
    return arrays.from_array(features, chunks=(100, 3)), arrays.from_array(labels, chunks=100)


def test_train_on_dask(client):
    from xgboost import dask

    matrix = dask.DaskDMatrix(client, *collections())
    result = dask.train(
        client, BINARY, matrix, 5, evals=[(matrix, "train")], early_stopping_rounds=2
    )
    settle(client)
    run = only()
    assert run.info.status == "FINISHED"
    values = result["history"]["train"]["logloss"]
    assert curve(run, "train-logloss") == dict(enumerate(values))
    assert run.data.metrics["best_iteration"] == result["booster"].best_iteration
    assert run.data.params["num_boost_round"] == "5"
    made = datasets(run)["train", "train"]
    profile = json.loads(made.profile)
    assert profile["digest_of"] == "pipeline"
    assert profile["num_partitions"] == 2
    (model,) = models(run).values()
    plain = xgb.DMatrix(numbers()[0])
    assert (load(model).predict(plain) == result["booster"].predict(plain)).all()
    assert model_metrics(model)["train-logloss"] == values[-1]
    assert set(skipped(run)) == {"signature"}


def test_estimators_on_dask(client):
    from xgboost import dask

    features, labels = collections()
    model = dask.DaskXGBClassifier(n_estimators=4, max_depth=2)
    model.fit(features, labels, eval_set=[(features, labels)])
    model.predict(features).compute()
    settle(client)
    run = only()
    assert run.data.tags["estimator_name"] == "DaskXGBClassifier"
    values = model.evals_result()["validation_0"]["logloss"]
    assert curve(run, "validation_0-logloss") == dict(enumerate(values))
    assert run.data.params["n_estimators"] == "4"
    assert set(datasets(run)) == {("train", "dataset")}
    assert set(models(run)) == {"model"}


def test_frames_on_dask(client):
    from xgboost import dask

    features, labels = numbers()
    table = frames.from_pandas(pd.DataFrame(features, columns=["a", "b", "c"]), npartitions=2)
    target = frames.from_pandas(pd.Series(labels, name="y"), npartitions=2)
    dask.DaskXGBRegressor(n_estimators=2, max_depth=2).fit(table, target)
    settle(client)
    profile = json.loads(datasets(only())["train", "dataset"].profile)
    assert profile["num_columns"] == 3


def test_a_training_in_a_task_is_one_of_its_own(client):
    def task(params):
        import numpy
        import xgboost

        data = xgboost.DMatrix(numpy.eye(6), numpy.arange(6) % 2)
        xgboost.train(params, data, 2)

    client.submit(task, BINARY).result()
    settle(client)
    assert only().data.params["num_boost_round"] == "2"


def test_a_failing_training(client):
    from xgboost import dask

    matrix = dask.DaskDMatrix(client, *collections())
    with pytest.raises(ValueError, match="mine"):
        dask.train(client, BINARY, matrix, 2, evals=[(matrix, "train")], custom_metric=refuse)
    settle(client)
    assert only().info.status == "FAILED"


def refuse(*_):
    raise ValueError("mine")


def test_an_asynchronous_client_is_left_alone():
    from xgboost import dask

    async def work():
        async with (
            distributed.LocalCluster(
                n_workers=1, processes=False, asynchronous=True, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster, asynchronous=True) as client,
        ):
            matrix = await dask.DaskDMatrix(client, *collections())
            result = await dask.train(client, BINARY, matrix, 2)
            model = dask.DaskXGBClassifier(n_estimators=2)
            model.client = client
            await model.fit(*collections())
            return result["booster"].num_boosted_rounds()

    import asyncio

    assert asyncio.run(work()) == 2
    assert runs() == []
