"""What tests of searches and of cross-validation look at."""

import json
from pathlib import Path

import autolog
from autolog_core.session import default_session


def runs():
    """Returns all runs that there are."""
    return default_session().read().search_runs(["0"])


def parent_and_children():
    """Returns the one run that is no child, and the child runs by rank."""
    found = runs()
    (parent,) = (run for run in found if "mlflow.parentRunId" not in run.data.tags)
    children = [run for run in found if run is not parent]
    assert all(run.data.tags["mlflow.parentRunId"] == parent.info.run_id for run in children)
    return parent, sorted(children, key=row_of)


def row_of(run):
    return int(run.data.tags["autolog.candidate"])


def history(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in points]


def artifact(run, name):
    default_session().saving.wait()
    return Path(run.info.artifact_uri) / name


def skipped(run):
    report = json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())
    return {entry["what"] for entry in report["skipped"]}
