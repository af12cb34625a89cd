"""What the tests of autologging CatBoost share."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris, load_wine

import autolog
from autolog_core.session import default_session

SMALL = {"depth": 2, "thread_count": 1, "verbose": 0, "learning_rate": 0.4}
QUIET = {**SMALL, "allow_writing_files": False}
BINARY = {**QUIET, "loss_function": "Logloss"}


def tumours(rows=200, as_frame=True):
    """Two classes of real measurements, in two parts: (X, y), (X, y)."""
    features, labels = load_breast_cancer(return_X_y=True, as_frame=as_frame)
    return (features[:rows], labels[:rows]), (features[rows : 2 * rows], labels[rows : 2 * rows])


def irises():
    return load_iris(return_X_y=True)


def diabetes():
    return load_diabetes(return_X_y=True)


def wines():
    """Numbers and two columns of text, of which one is words: a frame and names of kinds."""
    features, labels = load_wine(return_X_y=True, as_frame=True)
    strength = pd.cut(features["alcohol"], 3, labels=["light", "middle", "strong"]).astype(str)
    hue = pd.cut(features["hue"], 2, labels=["pale", "deep"]).astype(str)
    words = strength + " wine of " + hue + " colour"
    table = features[["flavanoids", "proline"]].assign(strength=strength, words=words)
    return table, labels.map({0: "Alba", 1: "Barolo", 2: "Canelli"})


def groups():
    """Queries of ten documents each."""
    features, labels = load_diabetes(return_X_y=True)
    return features[:400], np.argsort(np.argsort(labels[:400])) / 400, np.repeat(np.arange(40), 10)


def runs():
    found = default_session().read().search_runs(["0"])
    return sorted(found, key=lambda run: run.info.start_time)


def only():
    (run,) = runs()
    return run


def report(run):
    return json.loads(text(run, "autolog_report.json"))


def skipped(run):
    return {entry["what"]: entry["why"] for entry in report(run)["skipped"]}


def text(run, path):
    return (Path(run.info.artifact_uri) / path).read_text()


def rows(run, path):
    return list(csv.DictReader(io.StringIO(text(run, path))))


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    assert len({point.step for point in points}) == len(points)
    return {point.step: point.value for point in points}


def linked(run, key):
    """Names of the datasets that a metric was computed on."""
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return {point.dataset_name for point in points}


def datasets(run):
    return {(use.context, use.dataset.name): use.dataset for use in run.inputs.dataset_inputs}


def models(run):
    """The run's logged models by name, each with its step."""
    made = {output.model_id: output.step for output in run.outputs.model_outputs}
    found = [autolog.get_logged_model(model_id) for model_id in made]
    return {model.name: (model, made[model.model_id]) for model in found}


def model_metrics(model):
    return {metric.key: metric.value for metric in model.metrics}


def load(model):
    return autolog.catboost.load_model(f"models:/{model.model_id}")


def trees(model, tmp_path):
    """All that a model has learned, without when it was."""
    if model.get_text_feature_indices():
        # Such a model is written as cbm only.
        return model.get_leaf_values().tolist()
    path = tmp_path / "model.json"
    model.save_model(str(path), format="json")
    content = json.loads(path.read_text())
    content["model_info"] = {
        key: value
        for key, value in content["model_info"].items()
        if key not in ("model_guid", "train_finish_time")
    }
    return content
