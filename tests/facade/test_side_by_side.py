"""One script, written for MLflow, run by MLflow and by autolog: the same is found afterwards."""

import importlib.util
import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("mlflow") is None, reason="runs the script with MLflow too"
)

SCRIPT = """
import json, math, sys
import MODULE as mlflow
from MODULE import MlflowClient
from MODULE.entities import Metric, Param, RunTag, ViewType
from MODULE.exceptions import MlflowException

mlflow.set_tracking_uri("sqlite:///" + sys.argv[1])
experiment = mlflow.set_experiment("compared")

labels = {"team": "risk", "n": 3}
with mlflow.start_run(run_name="parent", tags=labels, description="# note") as run:
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"depth": 3, "flag": True, "none": None, "list": [1, 2]})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"acc": 0.5, "f1": 0.25}, step=2)
    mlflow.log_metric("acc", 0.75, step=1)
    mlflow.log_metric("nan", float("nan"))
    mlflow.set_tags({"a": 1, "gone": 2})
    mlflow.delete_tag("gone")
    with mlflow.start_run(run_name="child", nested=True) as child:
        mlflow.log_metric("loss", 0.125)
        assert mlflow.active_run().info.run_id == child.info.run_id

try:
    with mlflow.start_run(run_name="failed"):
        mlflow.log_param("lr", 0.2)
        raise RuntimeError
except RuntimeError:
    pass

with mlflow.start_run(run_id=run.info.run_id):
    mlflow.log_metric("loss", 9, step=9)
    refused = 0
    for attempt in (
        lambda: mlflow.log_param("lr", 0.3),
        lambda: mlflow.log_metric("loss", "high"),
        lambda: mlflow.log_param("bad?key", 1),
        lambda: mlflow.set_tag("x" * 251, 1),
    ):
        try:
            attempt()
        except MlflowException:
            refused += 1

client = MlflowClient()
made = client.create_run(experiment.experiment_id, run_name="client", tags={"k": "v"})
client.log_batch(
    made.info.run_id,
    metrics=[Metric("b", float(step), 1000 + step, step) for step in range(3)],
    params=[Param("p", "1")],
    tags=[RunTag("t", "2")],
)
client.set_terminated(made.info.run_id, "KILLED")
deleted = client.create_run(experiment.experiment_id, run_name="deleted").info.run_id
mlflow.delete_run(deleted)

def plain(run):
    tags = {k: v for k, v in run.data.tags.items() if not k.startswith(("mlflow.", "autolog."))}
    tags["note"] = run.data.tags.get("mlflow.note.content")
    tags["parent"] = "mlflow.parentRunId" in run.data.tags
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "metrics": {k: str(v) for k, v in run.data.metrics.items()},
        "params": run.data.params,
        "tags": tags,
    }

def names(**arguments):
    found = mlflow.search_runs(output_format="list", **arguments)
    return sorted(run.info.run_name for run in found)

everything = mlflow.search_runs(output_format="list", run_view_type=ViewType.ALL)
frame = mlflow.search_runs(order_by=["metrics.loss ASC"])
columns = [c for c in frame if not c.startswith(("tags.mlflow.", "tags.autolog."))]
history = client.get_metric_history(run.info.run_id, "loss")
print(json.dumps({
    "runs": sorted((plain(run) for run in everything), key=lambda run: run["name"]),
    "refused": refused,
    "order": frame["tags.mlflow.runName"].tolist()[:2],
    "columns": sorted(columns),
    "times": [str(frame[c].dt.tz) for c in ("start_time", "end_time")],
    "absent": [math.isnan(v) for v in frame["metrics.acc"]],
    "history": [(m.key, m.value, m.step) for m in history],
    "filters": [
        names(filter_string=text)
        for text in (
            "metrics.loss > 1",
            "params.lr = '0.1'",
            "params.lr LIKE '0.%'",
            "tags.team ILIKE 'RISK' and metrics.acc >= 0.5",
            "attributes.status = 'FAILED'",
            "run_name != 'parent'",
            "params.depth IS NULL",
            "metrics.nan != 0",
        )
    ],
    "parent": client.get_parent_run(child.info.run_id).info.run_name,
    "experiments": sorted(e.name for e in mlflow.search_experiments()),
}, sort_keys=True))
"""


def result(module, tmp_path):
    script = tmp_path / f"{module}_script.py"
    script.write_text(SCRIPT.replace("MODULE", module))
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), str(tmp_path / f"{module}.db")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_same_script_finds_the_same(tracking, tmp_path):
    ours, theirs = result("autolog", tmp_path), result("mlflow", tmp_path)
    assert ours.keys() == theirs.keys()
    for part, expected in theirs.items():
        assert ours[part] == expected, part
