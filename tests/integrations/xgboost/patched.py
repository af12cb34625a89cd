"""What the tests of autologging XGBoost share."""

import json
from pathlib import Path

from sklearn.datasets import load_breast_cancer, load_iris

import autolog
from autolog_core.session import default_session

BINARY = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1}
QUIET = {"verbose_eval": False}


def tumours(rows=200, as_frame=True):
    """Two classes of real measurements, in two parts: (X, y), (X, y)."""
    features, labels = load_breast_cancer(return_X_y=True, as_frame=as_frame)
    return (features[:rows], labels[:rows]), (features[rows : 2 * rows], labels[rows : 2 * rows])


def irises():
    return load_iris(return_X_y=True)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def report(run):
    return json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())


def skipped(run):
    return {entry["what"]: entry["why"] for entry in report(run)["skipped"]}


def artifact(run, path):
    return json.loads((Path(run.info.artifact_uri) / path).read_text())


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return {point.step: point.value for point in points}


def linked(run, key):
    """Names of the datasets that a metric was computed on."""
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return {point.dataset_name for point in points}


def datasets(run):
    return {(use.context, use.dataset.name): use.dataset for use in run.inputs.dataset_inputs}


def models(run):
    found = autolog.search_logged_models(
        filter_string=f"source_run_id = '{run.info.run_id}'", output_format="list"
    )
    return {model.name: model for model in found}


def model_metrics(model):
    return {metric.key: metric.value for metric in model.metrics}


def load(model):
    return autolog.xgboost.load_model(f"models:/{model.model_id}")
