"""Estimators for Spark: recorded once, by the driver."""

import json
import os
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    curve,
    datasets,
    load,
    model_metrics,
    models,
    only,
    skipped,
)

import autolog

sql = pytest.importorskip("pyspark.sql")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark runs on Java"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Field featuresCol:UserWarning"),
    # Sockets of py4j are closed when they are collected.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]


@pytest.fixture(scope="module")
def spark():
    before = os.environ.get("PYSPARK_PYTHON")
    os.environ["PYSPARK_PYTHON"] = sys.executable
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()
    if before is None:
        del os.environ["PYSPARK_PYTHON"]
    else:
        os.environ["PYSPARK_PYTHON"] = before


@pytest.fixture
def frame(spark):
    features = np.random.default_rng(0).normal(size=(120, 3))
    table = pd.DataFrame(features, columns=["a", "b", "c"])
    table["label"] = (features[:, 0] > 0).astype(int)
    table["held"] = np.arange(120) % 4 == 0
    return spark.createDataFrame(table)


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.xgboost.autolog()
    yield
    autolog.xgboost.autolog(disable=True)


def test_an_estimator_for_spark(frame):
    from xgboost.spark import SparkXGBClassifier

    estimator = SparkXGBClassifier(
        features_col=["a", "b", "c"],
        label_col="label",
        num_workers=2,
        n_estimators=5,
        max_depth=2,
        validation_indicator_col="held",
        early_stopping_rounds=3,
    )
    fitted = estimator.fit(frame)
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.tags["estimator_name"] == "SparkXGBClassifier"
    assert run.data.params["n_estimators"] == "5"
    assert run.data.params["num_workers"] == "2"
    made = datasets(run)["train", "dataset"]
    assert json.loads(made.profile)["digest_of"] == "plan"
    (model,) = models(run).values()
    booster = fitted.get_booster()
    assert type(load(model)) is xgb.XGBClassifier
    assert load(model).get_booster().num_boosted_rounds() == booster.num_boosted_rounds() == 5
    summary = getattr(fitted, "training_summary", None)
    if summary is None:
        assert "metrics of the rounds" in skipped(run)
        return
    values = summary.validation_objective_history["logloss"]
    assert curve(run, "validation-logloss") == dict(enumerate(values))
    assert run.data.metrics["best_iteration"] == 4
    assert model_metrics(model)["validation-logloss"] == values[4]


def test_a_failing_fit(frame):
    from xgboost.spark import SparkXGBRegressor

    with pytest.raises(Exception, match="nowhere"):
        SparkXGBRegressor(features_col=["nowhere"], label_col="label").fit(frame)
    assert only().info.status == "FAILED"
