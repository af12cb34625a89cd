"""Logged models: making, finishing, finding them, and what is logged to them."""

import math
import os
import subprocess
import sys
import threading

import pandas as pd
import pytest

import autolog
from autolog.entities import (
    Dataset,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
)
from autolog.exceptions import InvalidArgument, InvalidFilter, NotFound, ParamConflict
from autolog.fluent_models import restore_logged_model

pytestmark = pytest.mark.usefixtures("tracking")

IRIS = Dataset("iris", "d1", "code", "{}")


def values(model_id):
    return {(m.key, m.dataset_name): m.value for m in autolog.get_logged_model(model_id).metrics}


def test_a_model_is_begun_and_finished():
    with autolog.start_run() as run:
        model = autolog.initialize_logged_model(
            "net", tags={"stage": 1}, params={"lr": 0.1}, model_type="torch"
        )
    assert model.status is LoggedModelStatus.PENDING
    assert model.model_id.startswith("m-")
    assert len(model.model_id) == 34
    assert model.source_run_id == run.info.run_id
    assert model.experiment_id == run.info.experiment_id
    assert model.artifact_location.endswith(f"/models/{model.model_id}/artifacts")
    assert autolog.get_logged_model(model.model_id) == model
    ready = autolog.finalize_logged_model(model.model_id, "READY")
    assert ready.status == LoggedModelStatus.READY == "READY"
    assert str(ready.status) == "READY"
    assert ready.tags["stage"] == "1"
    assert "mlflow.source.name" in ready.tags
    assert (ready.params, ready.model_type) == ({"lr": "0.1"}, "torch")
    assert autolog.last_logged_model() == ready
    with pytest.raises(InvalidArgument, match="READY or FAILED"):
        autolog.finalize_logged_model(model.model_id, "PENDING")
    failed = autolog.finalize_logged_model(model.model_id, LoggedModelStatus.UPLOAD_FAILED)
    assert failed.status is LoggedModelStatus.FAILED


def test_statuses_have_the_protocols_words_and_numbers():
    check = LoggedModelStatus.check
    assert check("UPLOAD_FAILED") is check("LOGGED_MODEL_UPLOAD_FAILED") is check(3)
    assert check("ready") is check(2) is LoggedModelStatus.READY
    assert LoggedModelStatus.from_int(1).to_int() == 1
    # The protocol has no number of its own for it, and the number no second word.
    assert check("pruned") is LoggedModelStatus.PRUNED
    assert LoggedModelStatus.PRUNED.to_int() == 3
    assert [check(number).to_int() for number in range(4)] == [0, 1, 2, 3]
    assert LoggedModelStatus.is_finalized("PRUNED")
    for wrong in ("DONE", 9, None, True, 2.5):
        with pytest.raises(InvalidArgument, match="PENDING, READY or FAILED"):
            check(wrong)


def test_external_models_are_ready_at_once():
    assert autolog.last_logged_model() is None
    model = autolog.create_external_model(name="agent", params={"a": 1})
    assert model == autolog.get_logged_model(model.model_id) == autolog.last_logged_model()
    assert model.status is LoggedModelStatus.READY
    assert model.tags["mlflow.model.isExternal"] == "true"
    assert model.source_run_id is None


def test_bad_names_ids_and_experiments_are_refused():
    for name in ("", "a/b", "a:b", "a.b", "50%", "it's", 'say "so"', "x" * 501):
        with pytest.raises(InvalidArgument, match="model name"):
            autolog.initialize_logged_model(name)
    with pytest.raises(NotFound):
        autolog.initialize_logged_model("a", experiment_id="99")
    with pytest.raises(NotFound):
        autolog.get_logged_model("m-none")
    with pytest.raises(InvalidArgument, match="model id"):
        autolog.log_model_params({"a": 1}, "../../etc")
    assert autolog.search_logged_models(output_format="list") == []


def test_params_tags_and_deletion():
    model_id = autolog.initialize_logged_model(params={"a": 1}).model_id
    autolog.log_model_params({"a": "1", "b": 2}, model_id)
    with pytest.raises(ParamConflict, match="'a'"):
        autolog.log_model_params({"c": 3, "a": 4}, model_id)
    autolog.set_logged_model_tags(model_id, {"x": 1, "y": 2})
    autolog.delete_logged_model_tag(model_id, "x")
    with pytest.raises(NotFound, match="'x'"):
        autolog.delete_logged_model_tag(model_id, "x")
    model = autolog.get_logged_model(model_id)
    assert model.params == {"a": "1", "b": "2"}
    assert model.tags["y"] == "2"
    assert "x" not in model.tags
    autolog.delete_logged_model(model_id)
    for call in (
        lambda: autolog.get_logged_model(model_id),
        lambda: autolog.set_logged_model_tags(model_id, {"z": 1}),
        lambda: autolog.delete_logged_model(model_id),
    ):
        with pytest.raises(NotFound):
            call()
    assert autolog.MlflowClient().restore_logged_model(model_id) == model
    autolog.set_logged_model_tags(model_id, {"z": 1})
    with pytest.raises(NotFound, match="deleted"):
        restore_logged_model(model_id)
    autolog.MlflowClient().delete_logged_model(model_id)
    assert restore_logged_model(model_id).tags["z"] == "1"


def test_a_metric_goes_to_all_models_of_its_step():
    with autolog.start_run() as run:
        models = [autolog.initialize_logged_model(f"net{index}").model_id for index in range(3)]
        autolog.log_metric("before", 1.0, step=7)
        autolog.log_outputs([LoggedModelOutput(model_id, 7) for model_id in models[:2]])
        autolog.log_outputs([LoggedModelOutput(models[2], 8)])
        autolog.log_metric("after", 2.0, step=7, dataset=IRIS)
        autolog.log_metrics({"other": 3.0, "nan": float("nan")}, step=8)
    for model_id in models[:2]:
        assert values(model_id) == {("before", None): 1.0, ("after", "iris"): 2.0}
    found = values(models[2])
    assert found["other", None] == 3.0
    assert math.isnan(found["nan", None])
    assert [made.model_id for made in run.outputs.model_outputs] == [
        *sorted(models[:2]),
        models[2],
    ]
    with pytest.raises(InvalidArgument, match="LoggedModelOutput"):
        autolog.log_outputs([models[0]])


def test_metrics_of_the_active_model():
    first = autolog.create_external_model(name="one")
    second = autolog.create_external_model(name="two")
    assert autolog.get_active_model_id() is None
    with autolog.start_run():
        autolog.set_active_model(name="one")
        autolog.log_metric("a", 1.0)
        with autolog.set_active_model(model_id=second.model_id) as active:
            assert active.model_id == autolog.get_active_model_id() == second.model_id
            assert active.model_uri == second.model_uri
            autolog.log_metrics({"b": 2.0})
            autolog.log_metric("c", 3.0, model_id=first.model_id)
            seen = []
            thread = threading.Thread(target=lambda: seen.append(autolog.get_active_model_id()))
            thread.start()
            thread.join()
            assert seen == [None]
        assert autolog.get_active_model_id() == first.model_id
        autolog.log_model_params({"p": 1})
        autolog.clear_active_model()
        autolog.log_metric("d", 4.0)
    assert values(first.model_id) == {("a", None): 1.0, ("c", None): 3.0}
    assert values(second.model_id) == {("b", None): 2.0}
    assert autolog.get_logged_model(first.model_id).params == {"p": "1"}
    with pytest.raises(InvalidArgument, match="model_id"):
        autolog.log_model_params({"p": 1})
    with pytest.raises(InvalidArgument, match="name or a model_id"):
        autolog.set_active_model()
    with pytest.raises(InvalidArgument, match="is named 'one'"):
        autolog.set_active_model(name="two", model_id=first.model_id)
    made = autolog.set_active_model(name="new")
    assert autolog.get_logged_model(made.model_id).name == "new"


def test_the_environment_names_the_active_model():
    program = (
        "import autolog\n"
        "print(autolog.get_active_model_id())\n"
        "autolog.clear_active_model()\n"
        "print(autolog.get_active_model_id())\n"
    )
    env = {**os.environ, "MLFLOW_ACTIVE_MODEL_ID": "m-abc"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env, check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == ["m-abc", "None"]


def test_models_as_inputs():
    model = autolog.create_external_model()
    with autolog.start_run() as run:
        autolog.log_input(IRIS, "train", model=LoggedModelInput(model.model_id))
        autolog.log_input(model=LoggedModelInput(model.model_id))
        with pytest.raises(InvalidArgument, match="datasets or models"):
            autolog.log_input()
        with pytest.raises(InvalidArgument, match="LoggedModelInput"):
            autolog.log_input(model=model.model_id)
    assert run.inputs.model_inputs == (LoggedModelInput(model.model_id),)
    assert [use.context for use in run.inputs.dataset_inputs] == ["train"]


def test_searching_to_a_frame_and_a_list():
    with autolog.start_run():
        for index in range(3):
            model = autolog.create_external_model(name=f"net{index}", params={"depth": index})
            autolog.log_metric("acc", index / 2, model_id=model.model_id, dataset=IRIS)
    on_iris = [{"dataset_name": "iris"}]
    best = {"field_name": "metrics.acc", "ascending": False, "dataset_name": "iris"}
    found = autolog.search_logged_models(
        filter_string="metrics.acc > 0.1 AND params.depth IN ('0', '1', '2')",
        datasets=on_iris,
        order_by=[best],
        output_format="list",
    )
    assert [model.name for model in found] == ["net2", "net1"]
    frame = autolog.search_logged_models(order_by=["name ASC"], max_results=2)
    assert list(frame["name"]) == ["net0", "net1"]
    assert sorted(frame.columns) == list(frame.columns)
    assert frame["status"][0] is LoggedModelStatus.READY
    assert frame["params"][1] == {"depth": "1"}
    empty = autolog.search_logged_models(filter_string="name = 'none'")
    assert isinstance(empty, pd.DataFrame)
    assert list(empty.columns) == list(frame.columns)
    with pytest.raises(InvalidFilter):
        autolog.search_logged_models(filter_string="metric.acc >")
    with pytest.raises(InvalidArgument, match="list"):
        autolog.search_logged_models(experiment_ids="0")
    with pytest.raises(InvalidArgument, match="output_format"):
        autolog.search_logged_models(output_format="json")


def test_the_client_by_ids(tmp_path):
    client = autolog.MlflowClient()
    experiment = client.create_experiment("models")
    run = client.create_run(experiment)
    model = client.create_logged_model(experiment, "net", run.info.run_id, {"a": 1}, {"b": 2})
    assert (model.tags, model.params, model.name) == ({"a": "1"}, {"b": "2"}, "net")
    client.log_model_params(model.model_id, {"c": 3})
    client.set_logged_model_tags(model.model_id, {"d": 4})
    client.delete_logged_model_tag(model.model_id, "a")
    client.log_metric(run.info.run_id, "acc", 0.5, step=2, model_id=model.model_id)
    client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 3)])
    client.log_inputs(run.info.run_id, models=[LoggedModelInput(model.model_id)])
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.bin").write_bytes(b"123")
    client.log_model_artifact(model.model_id, tmp_path / "weights" / "w.bin")
    client.log_model_artifact(model.model_id, tmp_path / "weights", "more")
    client.log_model_artifacts(model.model_id, tmp_path / "weights", "all")
    listed = client.list_logged_model_artifacts(model.model_id)
    assert [(one.path, one.is_dir) for one in listed] == [
        ("all", True),
        ("more", True),
        ("w.bin", False),
    ]
    inside = client.list_logged_model_artifacts(model.model_id, "more/weights")
    assert [one.path for one in inside] == ["more/weights/w.bin"]
    ready = client.finalize_logged_model(model.model_id, "READY")
    assert (ready.params, ready.tags) == ({"b": "2", "c": "3"}, {"d": "4"})
    assert [metric.value for metric in ready.metrics] == [0.5]
    page = client.search_logged_models([experiment], max_results=1)
    assert list(page) == [ready]
    assert page.token is None
    stored = client.get_run(run.info.run_id)
    assert stored.outputs.model_outputs == (LoggedModelOutput(model.model_id, 3),)
    assert stored.to_dictionary()["outputs"]["model_outputs"][0]["step"] == 3
    client.delete_logged_model(model.model_id)
    assert client.search_logged_models([experiment]) == []
    with pytest.raises(NotFound):
        client.finalize_logged_model(model.model_id, "READY")
