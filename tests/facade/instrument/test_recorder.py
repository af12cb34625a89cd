"""What is written to a run, by whom it is opened and ended, and what the report says."""

import json
import math
import sys
from pathlib import Path

import pytest

import autolog
from autolog.instrument import registry
from autolog.instrument.charts import Chart, Line
from autolog.instrument.recorder import Recorder
from autolog.instrument.spec import Options
from autolog_core.entities import Dataset


@pytest.fixture
def record(toy):
    made = []

    def start(**options):
        made.append(
            Recorder.open(registry.find("toy"), Options(**options), "Model.fit", "Model", 0)
        )
        return made[-1]

    yield start
    assert autolog.active_run() is None


def artifact(run, path):
    return json.loads((Path(run.info.artifact_uri) / path).read_text())


def test_a_run_of_its_own(record, runs):
    recorder = record(extra_tags={"team": "a", "mlflow.autologging": "me"})
    assert recorder.owned
    assert autolog.active_run().info.run_id == recorder.run_id
    recorder.params({"C": 1.0})
    recorder.tags({"estimator_name": "Ridge"})
    recorder.metrics({"loss": 0.5}, step=2, dataset=Dataset("table", "abc", "code", "{}"))
    recorder.dataset(Dataset("table", "abc", "code", "{}"), "train")
    recorder.artifact("notes/a.txt", "text")
    recorder.skipped("model", "not asked for")
    recorder.close("FINISHED")
    (run,) = runs()
    assert run.data.params == {"C": "1.0"}
    assert run.data.metrics == {"loss": 0.5}
    assert run.data.tags["team"] == "a"
    assert run.data.tags["mlflow.autologging"] == "toy"
    assert run.inputs.dataset_inputs[0].context == "train"
    assert (Path(run.info.artifact_uri) / "notes/a.txt").read_text() == "text"
    report = artifact(run, "autolog_report.json")
    assert report["captured"] == {
        "params": 1, "tags": 1, "metrics": 1, "datasets": 1, "artifacts": 1,
    }  # fmt: skip
    assert report["skipped"] == [{"what": "model", "why": "not asked for"}]
    assert autolog.last_active_run().info.run_id == run.info.run_id


def test_the_users_run_is_joined_once_and_then_gets_children(record, runs):
    with autolog.start_run() as user:
        for number in range(3):
            recorder = record()
            assert recorder.owned is (number > 0)
            recorder.params({"C": number})
            recorder.close("FINISHED")
        assert autolog.active_run().info.run_id == user.info.run_id
    first, *children = sorted(runs(), key=lambda run: run.data.params["C"])
    assert first.info.run_id == user.info.run_id
    assert [run.data.params for run in children] == [{"C": "1"}, {"C": "2"}]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {user.info.run_id}
    assert [run.info.run_name for run in children] == ["Model", "Model"]


def test_params_that_the_run_cannot_hold(record, runs):
    with autolog.start_run():
        autolog.log_param("C", 5)
        recorder = record()
        recorder.params({"C": 1, "long": "x" * 7000, "(odd) key!": 1, "kept": 2})
        recorder.close("FINISHED")
    (run,) = runs()
    assert run.data.params == {
        "C": "5", "long": "x" * 5997 + "...", "_odd_ key_": "1", "kept": "2",
    }  # fmt: skip
    assert artifact(run, "autolog_long_params.json") == {"long": "x" * 7000}
    skipped = artifact(run, "autolog_report.json")["skipped"]
    assert sorted(entry["what"] for entry in skipped) == [
        "end of param long",
        "name of param '(odd) key!'",
        "param C",
    ]


def test_two_names_that_are_one_are_told(record, runs):
    recorder = record()
    recorder.params({"a?": 1, "a!": 2})
    recorder.close("FINISHED")
    (run,) = runs()
    assert run.data.params == {"a_": "1"}
    told = artifact(run, "autolog_report.json")["skipped"]
    assert "the run holds '1' under that name" in [entry["why"] for entry in told]


@pytest.mark.parametrize("key", ["", "..", "a//b", "/x", "ü€", "k" * 300, "\ud800", "a/../b"])
def test_any_name_finds_a_legal_one(record, runs, key):
    recorder = record()
    recorder.metrics({key: 1.0})
    recorder.close("FINISHED")
    assert list(runs()[0].data.metrics.values()) == [1.0]


def test_an_error_in_one_part_leaves_the_others(record, runs, swallowed):
    recorder = record()
    with recorder.part("one"):
        raise ValueError("lost")
    with recorder.part("two"):
        recorder.params({"C": 1})
    recorder.close("FINISHED")
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params == {"C": "1"}
    assert run.data.tags["autolog.error"] == "ValueError: lost"
    assert artifact(run, "autolog_report.json")["errors"] == [
        {"what": "one", "error": "ValueError: lost"}
    ]


def test_child_runs(record, runs):
    recorder = record()
    with recorder.child("candidate 1") as child:
        child.params({"C": 1})
    with pytest.raises(ValueError, match="stop"), recorder.child("candidate 2") as child:
        raise ValueError("stop")
    recorder.close("FINISHED")
    found = {run.info.run_name: run for run in runs()}
    first, second = found.pop("candidate 1"), found.pop("candidate 2")
    (parent,) = found.values()
    assert first.data.params == {"C": "1"}
    assert first.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert [run.info.status for run in (parent, first, second)] == [
        "FINISHED", "FINISHED", "FAILED",
    ]  # fmt: skip
    assert artifact(parent, "autolog_report.json")["captured"] == {"child runs": 1}


def test_a_child_of_the_past_has_its_own_times(record, runs):
    recorder = record()
    with recorder.child("candidate", start_time=1_000, end_time=3_000) as child:
        child.metrics({"score": 1.0})
        assert autolog.active_run().info.run_id == recorder.run_id
    recorder.close("FINISHED")
    child = next(run for run in runs() if run.info.run_name == "candidate")
    assert (child.info.start_time, child.info.end_time) == (1_000, 3_000)


def test_curves(record, runs):
    recorder = record()
    recorder.curve("loss@1", [3.0, math.nan, 1.0])
    recorder.curve("late", [5.0], [7], Dataset("table", "abc", "code", "{}"))
    recorder.curve("empty", [])
    recorder.close("FINISHED")
    (run,) = runs()
    client = autolog.MlflowClient()
    history = client.get_metric_history(run.info.run_id, "loss_1")
    assert [(point.step, point.value) for point in history if point.step != 1] == [(0, 3), (2, 1)]
    assert math.isnan(history[1].value)
    (late,) = client.get_metric_history(run.info.run_id, "late")
    assert (late.step, late.value, late.dataset_name) == (7, 5, "table")
    assert set(run.data.metrics) == {"loss_1", "late"}


CHART = Chart("lines", "Loss $ per step", lines=[Line("train", range(3000), range(3000))])


def test_a_chart_is_data(record, runs, monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.figure", raising=False)
    recorder = record()
    recorder.chart("curves/loss", CHART)
    recorder.chart("bars", Chart("bars", "Bars", names=["a", "b"], values=[[1, 2]]), {"a": 1})
    recorder.close("FINISHED")
    (run,) = runs()
    (line,) = artifact(run, "curves/loss.json")["lines"]
    assert (line["x"][0], line["x"][-1], len(line["x"])) == (0, 2999, 1000)
    assert artifact(run, "bars.json") == {"a": 1}
    paths = [file.path for file in autolog.MlflowClient().list_artifacts(run.info.run_id)]
    assert {"bars.json", "curves"} <= set(paths)
    assert not any(path.endswith(".png") for path in paths)


@pytest.mark.parametrize(
    "chart",
    [
        CHART,
        Chart("bars", "Bars", names=[f"name {n}" for n in range(99)], values=[range(99)]),
        Chart("matrix", "Matrix", names=["a", "$b"], values=[[0.5, 0.5], [0, 1]]),
        Chart("matrix", "Large", names=list(map(str, range(30))), values=[[1.0] * 30] * 30),
    ],
)
def test_a_chart_is_drawn_where_matplotlib_is_in_use(record, runs, chart):
    image = pytest.importorskip("PIL.Image")
    pytest.importorskip("matplotlib.figure")
    recorder = record()
    recorder.chart("picture", chart)
    recorder.close("FINISHED")
    (run,) = runs()
    paths = [file.path for file in autolog.MlflowClient().list_artifacts(run.info.run_id)]
    assert {"picture.json", "picture.png"} <= set(paths)
    with image.open(Path(run.info.artifact_uri) / "picture.png") as picture:
        assert picture.format == "PNG"
        assert len(picture.getcolors(1 << 20)) > 5


def test_costs_are_in_the_report(toy, runs):
    toy.on()
    toy.lib().Model().fit([1])
    report = artifact(runs()[0], "autolog_report.json")
    assert report["call"] == "Model.fit"
    assert set(report["cost_ms"]) == {"before the call", "after the call", "parts"}
    assert report["call_ms"] >= 0
