"""Runs: starting, nesting, ending, resuming, putting away."""

import os
import pickle
import subprocess
import sys

import pytest

import autolog
from autolog.entities import Run, RunStatus
from autolog.exceptions import InvalidArgument, InvalidState, MlflowException, NotFound

pytestmark = pytest.mark.usefixtures("tracking")


def test_run_is_a_context_manager_that_ends_it_finished():
    with autolog.start_run(run_name="first") as run:
        assert autolog.active_run() == run
        assert run.info.status == "RUNNING"
        assert run.info.end_time is None
    assert autolog.active_run() is None
    info = autolog.get_run(run.info.run_id).info
    assert (info.run_name, info.status) == ("first", "FINISHED")
    assert info.start_time <= info.end_time
    assert run.info.status == "FINISHED"


def test_exception_ends_it_failed_with_its_cause_and_goes_on():
    error = ZeroDivisionError("no luck")
    with pytest.raises(ZeroDivisionError) as caught, autolog.start_run() as run:
        raise error
    assert caught.value is error
    stored = autolog.get_run(run.info.run_id)
    assert stored.info.status == "FAILED"
    assert stored.data.tags["autolog.failure.type"].endswith("ZeroDivisionError")
    assert "no luck" in stored.data.tags["autolog.failure.message"]
    traceback = autolog.artifacts.load_text(f"runs:/{run.info.run_id}/failure/traceback.txt")
    assert "raise error" in traceback


def test_second_start_is_refused_and_the_first_goes_on():
    first = autolog.start_run()
    with pytest.raises(InvalidState, match=r"end_run\(\).*nested=True"):
        autolog.start_run()
    assert autolog.active_run() == first
    autolog.end_run()


def test_nested_run_is_a_child():
    with autolog.start_run() as parent:
        with autolog.start_run(nested=True) as child:
            assert autolog.active_run() == child
            with autolog.start_run(nested=True) as grandchild:
                pass
        assert autolog.active_run() == parent
    assert autolog.get_parent_run(parent.info.run_id) is None
    assert autolog.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    assert grandchild.data.tags["mlflow.parentRunId"] == child.info.run_id


def test_nested_without_a_run_has_no_parent():
    with autolog.start_run(nested=True) as run:
        pass
    assert "mlflow.parentRunId" not in run.data.tags


def test_parent_by_id():
    with autolog.start_run() as parent:
        with autolog.start_run(parent_run_id=parent.info.run_id) as inside:
            pass
        with pytest.raises(InvalidState, match="parent_run_id='other'"):
            autolog.start_run(nested=True, parent_run_id="other")
    with autolog.start_run(parent_run_id=parent.info.run_id) as after:
        pass
    for child in (inside, after):
        assert child.data.tags["mlflow.parentRunId"] == parent.info.run_id


def test_parent_must_be_there_and_alive():
    with pytest.raises(NotFound):
        autolog.start_run(parent_run_id="0" * 32)
    with autolog.start_run() as parent:
        pass
    autolog.delete_run(parent.info.run_id)
    with pytest.raises(InvalidArgument, match="deleted"):
        autolog.start_run(parent_run_id=parent.info.run_id)
    assert autolog.active_run() is None


def test_children_left_open_end_with_their_parent():
    with autolog.start_run() as parent:
        child = autolog.start_run(nested=True)
    assert autolog.active_run() is None
    assert child.info.status == parent.info.status == "FINISHED"


def test_run_ended_inside_its_block_stays_as_it_ended():
    with autolog.start_run() as run:
        autolog.end_run("KILLED")
        autolog.start_run()
    assert autolog.get_run(run.info.run_id).info.status == "KILLED"
    assert autolog.active_run() is not None
    autolog.end_run()


def test_end_run_without_a_run_does_nothing():
    autolog.end_run()


@pytest.mark.parametrize("status", ["DONE", "RUNNING", "", None, 7])
def test_end_run_refuses_what_is_no_ending(status):
    with autolog.start_run() as run:
        with pytest.raises(InvalidArgument, match="status"):
            autolog.end_run(status)
        assert autolog.active_run() == run


def test_tags_description_and_name():
    with autolog.start_run(run_name="n", tags={"a": 1, "b": None}, description="**note**") as run:
        pass
    tags = run.data.tags
    assert (tags["a"], tags["b"]) == ("1", "None")
    assert tags["mlflow.note.content"] == "**note**"
    assert tags["mlflow.runName"] == "n"
    with pytest.raises(InvalidArgument, match=r"mlflow\.note\.content"):
        autolog.start_run(description="a", tags={"mlflow.note.content": "b"})
    assert autolog.active_run() is None


def test_run_name_tag_renames():
    with autolog.start_run(run_name="before") as run:
        autolog.set_tag("mlflow.runName", "after")
        assert run.info.run_name == "after"
    assert autolog.get_run(run.info.run_id).info.run_name == "after"


def test_unnamed_run_gets_a_name():
    with autolog.start_run() as one:
        pass
    assert one.info.run_name == one.data.tags["mlflow.runName"]
    assert len(one.info.run_name.split("-")) == 3


def test_resumed_run_is_running_again():
    with autolog.start_run(tags={"a": "1"}) as run:
        autolog.log_param("p", 1)
        autolog.end_run("FAILED")
    run_id = run.info.run_id
    with autolog.start_run(run_id=run_id, run_name="again", tags={"b": 2}, description="d"):
        assert autolog.get_run(run_id).info.status == "RUNNING"
        assert autolog.get_run(run_id).info.end_time is None
        autolog.log_metric("m", 1)
        with pytest.raises(MlflowException, match="'p'"):
            autolog.log_param("p", 2)
    stored = autolog.get_run(run_id)
    assert stored.info.status == "FINISHED"
    assert stored.info.run_name == "again"
    assert stored.data.tags.items() >= {"a": "1", "b": "2", "mlflow.note.content": "d"}.items()
    assert stored.data.metrics == {"m": 1.0}


def test_resume_refuses_a_deleted_run_and_a_missing_one():
    with autolog.start_run() as run:
        pass
    autolog.delete_run(run.info.run_id)
    with pytest.raises(InvalidArgument, match="deleted"):
        autolog.start_run(run_id=run.info.run_id)
    with pytest.raises(NotFound):
        autolog.start_run(run_id="f" * 32)
    with pytest.raises(InvalidArgument, match="run id"):
        autolog.start_run(run_id="../up")
    autolog.restore_run(run.info.run_id)
    with autolog.start_run(run_id=run.info.run_id):
        pass


def test_resume_in_another_experiment_is_refused():
    other = autolog.create_experiment("other")
    with autolog.start_run() as run:
        pass
    with pytest.raises(InvalidArgument, match="experiment_id"):
        autolog.start_run(run_id=run.info.run_id, experiment_id=other)
    with autolog.start_run(run_id=run.info.run_id, experiment_id=0):
        pass


@pytest.mark.parametrize("name", ["AUTOLOG_RUN_ID", "MLFLOW_RUN_ID"])
def test_run_id_of_the_environment_counts_once(name):
    with autolog.start_run() as run:
        pass
    os.environ[name] = run.info.run_id
    with autolog.start_run() as again:
        pass
    assert again.info.run_id == run.info.run_id
    with autolog.start_run() as other:
        pass
    assert other.info.run_id != run.info.run_id


def test_argument_wins_over_the_environment():
    with autolog.start_run() as one, autolog.start_run(nested=True) as two:
        pass
    os.environ["MLFLOW_RUN_ID"] = one.info.run_id
    with autolog.start_run(run_id=two.info.run_id) as run:
        assert run.info.run_id == two.info.run_id


def test_last_active_run():
    assert autolog.last_active_run() is None
    with autolog.start_run() as run:
        assert autolog.last_active_run() == run
    last = autolog.last_active_run()
    assert isinstance(last, Run)
    assert last.info.run_id == run.info.run_id
    assert last.info.status == "FINISHED"


def test_run_objects_compare_by_id_and_pickle_as_records():
    with autolog.start_run() as run:
        autolog.log_metric("m", 2)
        assert run == autolog.active_run()
        assert hash(run) == hash(autolog.active_run())
        assert isinstance(run, Run)
        assert run.info.run_id in repr(run)
        copy = pickle.loads(pickle.dumps(run))
    assert type(copy) is Run
    assert copy.info.run_id == run.info.run_id
    assert copy.data.metrics == {"m": 2.0}


def test_active_run_reads_what_was_logged():
    with autolog.start_run() as run:
        autolog.log_metric("m", 1)
        autolog.log_param("p", "x")
        assert run.data.metrics == {"m": 1.0}
        assert run.data.params == {"p": "x"}
        assert run.inputs.dataset_inputs == ()
        assert run.outputs.model_outputs == ()
        assert run.to_dictionary()["info"]["run_id"] == run.info.run_id


def test_delete_and_restore_twice_is_no_error():
    with autolog.start_run() as run:
        pass
    for _ in range(2):
        autolog.delete_run(run.info.run_id)
        assert autolog.get_run(run.info.run_id).info.lifecycle_stage == "deleted"
    with pytest.raises(InvalidArgument, match="deleted"):
        autolog.log_metrics({"m": 1}, run_id=run.info.run_id)
    for _ in range(2):
        autolog.restore_run(run.info.run_id)
    autolog.log_metrics({"m": 1}, run_id=run.info.run_id)
    for call in (autolog.delete_run, autolog.restore_run, autolog.get_run, autolog.get_parent_run):
        with pytest.raises(NotFound):
            call("0" * 32)


def test_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError):
        autolog.start_run(name="x")


ENDINGS = {
    "": "FINISHED",
    "raise RuntimeError('lost')": "FAILED",
    "import sys; sys.exit(0)": "FINISHED",
}


@pytest.mark.parametrize(("last_line", "status"), ENDINGS.items())
def test_run_left_open_ends_with_the_process(tracking, last_line, status):
    program = f"import autolog; print(autolog.start_run().info.run_id, flush=True)\n{last_line}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    stored = autolog.get_run(done.stdout.strip())
    assert stored.info.status == status
    assert stored.info.end_time is not None
    if status == "FAILED":
        assert "lost" in stored.data.tags["autolog.failure.message"]


def test_status_words_and_numbers():
    assert RunStatus.is_terminated("FAILED")
    assert not RunStatus.is_terminated("RUNNING")
