"""`MlflowClient`: runs by id, other stores, and the tracking address."""

import subprocess
import sys

import pytest

import autolog
from autolog.exceptions import InvalidArgument, NotFound

pytestmark = pytest.mark.usefixtures("tracking")


def test_create_run_goes_on_until_it_is_terminated():
    client = autolog.MlflowClient()
    run = client.create_run("0", start_time=1234, tags={"a": 1}, run_name="n")
    assert (run.info.status, run.info.start_time, run.info.run_name) == ("RUNNING", 1234, "n")
    assert run.data.tags["a"] == "1"
    assert autolog.active_run() is None
    client.update_run(run.info.run_id, status="SCHEDULED", name="m")
    info = client.get_run(run.info.run_id).info
    assert (info.status, info.run_name, info.end_time) == ("SCHEDULED", "m", None)
    client.set_terminated(run.info.run_id)
    assert client.get_run(run.info.run_id).info.status == "FINISHED"
    client.set_terminated(run.info.run_id, "KILLED", end_time=5000)
    info = client.get_run(run.info.run_id).info
    assert (info.status, info.end_time) == ("KILLED", 5000)


def test_run_of_a_client_outlives_its_process():
    program = "import autolog; print(autolog.MlflowClient().create_run('0').info.run_id)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert autolog.get_run(done.stdout.strip()).info.status == "RUNNING"


def test_create_run_names():
    client = autolog.MlflowClient()
    named = client.create_run("0", tags={"mlflow.runName": "t"})
    assert named.info.run_name == "t"
    assert client.create_run("0").info.run_name
    with pytest.raises(InvalidArgument, match="disagree"):
        client.create_run("0", tags={"mlflow.runName": "t"}, run_name="n")
    with pytest.raises(NotFound):
        client.create_run("77")


def test_bad_arguments_change_nothing():
    client = autolog.MlflowClient()
    run_id = client.create_run("0").info.run_id
    before = client.get_run(run_id)
    for call in (
        lambda: client.set_terminated(run_id, "DONE"),
        lambda: client.set_terminated(run_id, end_time=-1),
        lambda: client.update_run(run_id, status="DONE"),
        lambda: client.update_run(run_id, name="x" * 8001),
        lambda: client.log_metric(run_id, "m", "one"),
    ):
        with pytest.raises(InvalidArgument):
            call()
    assert client.get_run(run_id) == before
    with pytest.raises(NotFound):
        client.set_terminated("0" * 32)


def test_deleted_run_takes_nothing():
    client = autolog.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.delete_run(run_id)
    for call in (
        lambda: client.log_metric(run_id, "m", 1),
        lambda: client.log_param(run_id, "p", 1),
        lambda: client.set_tag(run_id, "t", 1),
        lambda: client.log_text(run_id, "x", "x.txt"),
        lambda: client.update_run(run_id, name="n"),
    ):
        with pytest.raises(InvalidArgument, match="deleted"):
            call()
    client.restore_run(run_id)
    client.log_metric(run_id, "m", 1)
    assert client.get_run(run_id).data.metrics == {"m": 1.0}


def test_parent_of_a_run():
    client = autolog.MlflowClient()
    parent = client.create_run("0").info.run_id
    child = client.create_run("0", tags={"mlflow.parentRunId": parent}).info.run_id
    assert client.get_parent_run(child).info.run_id == parent
    assert client.get_parent_run(parent) is None


def test_client_of_another_store(tracking, tmp_path):
    other = autolog.MlflowClient(tracking_uri=tmp_path / "other")
    same = autolog.MlflowClient(f"sqlite:///{tmp_path}/other/tracking.db")
    assert other.tracking_uri == same.tracking_uri
    run_id = other.create_run("0").info.run_id
    other.log_metric(run_id, "m", 1)
    assert same.get_run(run_id).data.metrics == {"m": 1.0}
    with pytest.raises(NotFound):
        autolog.get_run(run_id)
    assert autolog.search_runs().empty
    assert autolog.get_tracking_uri() == f"sqlite:///{tracking}/tracking.db"
    text = autolog.artifacts.list_artifacts(run_id=run_id, tracking_uri=tmp_path / "other")
    assert text == []


def test_client_stays_where_it_was_made(tracking, tmp_path):
    client = autolog.MlflowClient()
    autolog.set_tracking_uri(tmp_path / "other")
    assert client.tracking_uri == f"sqlite:///{tracking}/tracking.db"
    run_id = client.create_run("0").info.run_id
    autolog.set_tracking_uri(tracking)
    client.log_metric(run_id, "m", 1)
    assert autolog.get_run(run_id).data.metrics == {"m": 1.0}


def test_active_run_goes_on_in_its_store(tracking, tmp_path):
    with autolog.start_run() as run:
        autolog.set_tracking_uri(tmp_path / "other")
        autolog.log_metric("m", 1)
        autolog.log_text("x", "x.txt")
        assert autolog.active_run().data.metrics == {"m": 1.0}
    with autolog.start_run() as other:
        autolog.log_metric("m", 2)
    assert autolog.search_runs().run_id.tolist() == [other.info.run_id]
    autolog.set_tracking_uri(tracking)
    stored = autolog.get_run(run.info.run_id)
    assert (stored.info.status, stored.data.metrics) == ("FINISHED", {"m": 1.0})


def test_tracking_uri(tracking, tmp_path):
    assert autolog.is_tracking_uri_set()
    for uri in (tmp_path / "p", str(tmp_path / "p"), f"sqlite:///{tmp_path}/p/tracking.db"):
        autolog.set_tracking_uri(uri)
        assert autolog.get_tracking_uri() == f"sqlite:///{tmp_path}/p/tracking.db"
    assert autolog.tracking.get_tracking_uri() == autolog.config.get_tracking_uri()
    for bad in ("s3://bucket/x", "sqlite://", 5):
        with pytest.raises(InvalidArgument, match="tracking"):
            autolog.set_tracking_uri(bad)
    assert autolog.get_tracking_uri() == f"sqlite:///{tmp_path}/p/tracking.db"


def test_children_track_to_the_same_store(tracking):
    program = "import autolog\nwith autolog.start_run() as run: print(run.info.run_id)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True
    )
    assert autolog.get_run(done.stdout.strip()).info.status == "FINISHED"


@pytest.mark.parametrize("uri", [None, ""])
def test_no_tracking_uri_is_the_working_folder(tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    autolog.set_tracking_uri(uri)
    with autolog.start_run():
        pass
    assert (tmp_path / "mlruns" / "tracking.db").exists()
