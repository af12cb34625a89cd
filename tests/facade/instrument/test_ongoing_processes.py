"""How a process ends, and what is then in the runs of its trainings."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

import autolog
from autolog_core.session import default_session

PREPARED = """
import os, sys, threading
from types import SimpleNamespace
import autolog
from autolog.instrument import faults, ongoing
from autolog.instrument.spec import IntegrationSpec, Options

SPEC = IntegrationSpec(
    name="toy", package="toy", supports=">=1", hooks=("toylib",), patch="toyroom:install"
)

class Model:
    pass

def finish(model, recorder):
    recorder.metrics({"finished": 1}, step=model.steps)
    recorder.artifact_later("late.txt", lambda: b"written")

def train(model, count):
    for step in range(count):
        training = ongoing.find(model) or ongoing.begin(
            SimpleNamespace(spec=SPEC, options=Options()), "Model.more", "Model", model, finish
        )
        training.enter()
        model.steps = step
        training.recorder.metrics({"loss": 1.0}, step=training.steps)
        training.steps += 1
        training.leave()
    return training

autolog.set_tracking_uri(sys.argv[1])
model = Model()
"""


def run(tmp_path, program):
    """Runs a program and returns how it ended, and the runs that it left."""
    script = tmp_path / "program.py"
    script.write_text(PREPARED + textwrap.dedent(program))
    folder = tmp_path / "mlruns"
    done = subprocess.run(
        [sys.executable, "-W", "ignore:This process:DeprecationWarning", script, folder],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    autolog.set_tracking_uri(folder)
    return done, default_session().read().search_runs(["0"])


def steps(run, key="loss"):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return [point.step for point in points]


def late(run):
    return (os.path.join(run.info.artifact_uri, "late.txt"), "written")


@pytest.mark.usefixtures("tracking")
class TestTheEndOfAProcess:
    @pytest.mark.parametrize("end", ["", "sys.exit(3)", "print(model)"])
    def test_ends_the_training(self, tmp_path, end):
        done, (left,) = run(tmp_path, f"train(model, 3)\n{end}")
        assert done.stderr == ""
        assert left.info.status == "FINISHED"
        assert steps(left) == [0, 1, 2]
        assert steps(left, "finished") == [2]
        path, text = late(left)
        with open(path) as file:
            assert file.read() == text

    def test_by_an_error_fails_the_run_and_keeps_the_model(self, tmp_path):
        done, (left,) = run(tmp_path, "train(model, 3)\nopen('nowhere')")
        assert done.returncode == 1
        assert done.stderr.count("Traceback") == 1
        assert left.info.status == "FAILED"
        assert "nowhere" in left.data.tags["autolog.failure.message"]
        assert steps(left, "finished") == [2]
        assert os.path.exists(late(left)[0])

    def test_by_an_error_in_the_run_of_the_user(self, tmp_path):
        program = "with autolog.start_run():\n    train(model, 3)\n    open('nowhere')"
        _, (left,) = run(tmp_path, program)
        assert left.info.status == "FAILED"
        assert steps(left, "finished") == [2]

    def test_ends_a_training_in_a_run_that_was_left_open(self, tmp_path):
        done, (left,) = run(tmp_path, "autolog.start_run()\ntrain(model, 3)")
        assert done.stderr == ""
        assert left.info.status == "FINISHED"
        assert steps(left, "finished") == [2]

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_by_a_signal_keeps_every_step(self, tmp_path, number):
        program = f"train(model, 3)\nos.kill(os.getpid(), {int(number)})"
        done, (left,) = run(tmp_path, program)
        assert done.returncode == -number
        assert left.info.status == "FAILED"
        assert steps(left) == [0, 1, 2]
        assert "finished" not in left.data.metrics

    def test_in_the_midst_of_a_call_keeps_no_model(self, tmp_path):
        program = """
        training = train(model, 3)
        entered = threading.Event()

        def never():
            training.enter()
            entered.set()
            threading.Event().wait()

        threading.Thread(target=never, daemon=True).start()
        entered.wait()
        """
        done, (left,) = run(tmp_path, program)
        assert done.stderr == ""
        assert left.info.status == "FINISHED"
        assert "finished" not in left.data.metrics
        with open(os.path.join(left.info.artifact_uri, "autolog_report.json")) as file:
            assert "in the midst of a call" in file.read()

    def test_what_trains_on_after_it_is_not_followed(self, tmp_path):
        program = """
        import atexit

        def more():
            assert ongoing.find(model) is None
            assert ongoing.begin(
                SimpleNamespace(spec=SPEC, options=Options()), "Model.more", "Model", model, finish
            ) is None
            print("looked")

        # Before the first training: so it runs after its end.
        atexit.register(more)
        train(model, 3)
        """
        done, (left,) = run(tmp_path, program)
        assert done.stdout == "looked\n"
        assert left.info.status == "FINISHED"
        assert steps(left, "finished") == [2]


@pytest.mark.usefixtures("tracking")
class TestAFork:
    def test_the_parent_goes_on_and_the_child_begins_anew(self, tmp_path):
        program = """
        train(model, 2)
        child = os.fork()
        if not child:
            assert not ongoing.any_open()
            assert ongoing.step_of(model) is None
            train(model, 5)
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        train(model, 1)
        """
        done, found = run(tmp_path, program)
        assert done.stderr == ""
        parent, child = sorted(found, key=lambda each: len(steps(each)))
        assert steps(parent) == [0, 1, 2]
        assert steps(child) == [0, 1, 2, 3, 4]
        assert [each.info.status for each in (parent, child)] == ["FINISHED"] * 2
        assert steps(parent, "finished") == [0]
        assert steps(child, "finished") == [4]

    def test_while_another_thread_holds_the_lock(self, tmp_path):
        program = """
        train(model, 1)
        held, free = threading.Event(), threading.Event()

        def hold():
            with ongoing._lock:
                held.set()
                free.wait()

        other = threading.Thread(target=hold)
        other.start()
        held.wait()
        child = os.fork()
        if not child:
            train(model, 2)
            ongoing.close_all()
            os._exit(0)
        code = os.waitpid(child, 0)[1]
        free.set()
        other.join()
        assert code == 0
        """
        done, found = run(tmp_path, program)
        assert done.stderr == ""
        assert len(found) == 2

    @pytest.mark.parametrize("method", ["fork", "spawn"])
    def test_workers_of_multiprocessing_end_theirs(self, tmp_path, method):
        program = f"""
        import multiprocessing

        def work(count):
            train(Model(), count)

        if __name__ == "__main__":
            train(model, 1)
            context = multiprocessing.get_context({method!r})
            workers = [context.Process(target=work, args=(count,)) for count in (2, 3)]
            for worker in workers:
                worker.start()
            for worker in workers:
                worker.join()
                assert worker.exitcode == 0
        """
        done, found = run(tmp_path, program)
        assert done.stderr == ""
        assert sorted(len(steps(each)) for each in found) == [1, 2, 3]
        assert {each.info.status for each in found} == {"FINISHED"}
        assert sorted(steps(each, "finished")[0] for each in found) == [0, 1, 2]
