"""Trainings in processes of `concurrent.futures` and `multiprocessing`, whatever starts them."""

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.pool import Pool, ThreadPool
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

import autolog
from autolog.instrument import control, faults, registry, worker_tasks
from autolog_core.session import default_session

# Of Python, where a process that has threads forks.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

METHODS = ("fork", "forkserver", "spawn")

if multiprocessing.parent_process() or hasattr(multiprocessing.current_process(), "_inheriting"):
    # A worker imports this module to get at its task: the fixture is not there.
    registry.BUILTIN["toy"] = "toyroom:SPEC"


@pytest.fixture(autouse=True)
def alone():
    """Tasks carry the state as long as anything is on."""
    before = control.snapshot()
    control.restore({})
    yield
    control.restore(before)


def train(rate):
    import toylib

    return toylib.Model(rate).fit([1]).rate, faults.recent()


def train_badly(rows):
    import toylib

    return toylib.Model(0.5).fit(rows)


def train_in_a_pool(rate):
    with multiprocessing.get_context("fork").Pool(1) as pool:
        return pool.map(train, [rate])


def train_with_own_options(rate):
    control.configure("toy", control.OWN, extra_tags={"who": "worker"})
    return train(rate)


def train_in_own_run(rate):
    with autolog.start_run():
        return train(rate)


def begin_a_run(name):
    with autolog.start_run(run_name=name) as run:
        return run.data.tags.get("mlflow.parentRunId")


def save_for_long(path):
    def save():
        sum(range(5_000_000))
        Path(path).touch()

    default_session().saving.submit(save)


def callers(_):
    frames = []
    frame = sys._getframe()
    while (frame := frame.f_back) is not None:
        frames.append(Path(frame.f_code.co_filename).name)
    return frames


def log_a_metric(value):
    autolog.log_metric("own", value)


def configure_own():
    control.configure("toy", control.OWN, extra_tags={"who": "initializer"})


class Deadly:
    """Rows that kill the process in the midst of the fit."""

    def __eq__(self, other):
        if other == "bad":
            os.kill(os.getpid(), signal.SIGKILL)
        return False

    __hash__ = None


class Trainer(multiprocessing.get_context("spawn").Process):
    """A process that trains in a ``run`` of its own."""

    def run(self):
        train(0.75)


def in_executor(method, function, values):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
        yield list(executor.map(function, values))


def in_pool(method, function, values):
    with multiprocessing.get_context(method).Pool(1) as pool:
        yield pool.map(function, values)


def in_pool_lazily(method, function, values):
    with multiprocessing.get_context(method).Pool(1) as pool:
        yield list(pool.imap(function, values))


def in_pool_one_by_one(method, function, values):
    with multiprocessing.get_context(method).Pool(1) as pool:
        yield [pool.apply(func=function, args=(value,)) for value in values]


def in_processes(method, function, values):
    context = multiprocessing.get_context(method)
    processes = [context.Process(target=function, args=(value,)) for value in values]
    for process in processes:
        process.start()
        assert "run" not in process.__dict__
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * len(processes)
    yield None


# Each way once with each kind of pickling: a fork pickles no process, and the others alike.
WAYS = [
    (in_executor, "fork"),
    (in_executor, "forkserver"),
    (in_executor, "spawn"),
    (in_pool, "fork"),
    (in_pool, "spawn"),
    (in_pool_lazily, "fork"),
    (in_pool_one_by_one, "fork"),
    (in_processes, "fork"),
    (in_processes, "forkserver"),
    (in_processes, "spawn"),
]


def found():
    """Returns the runs of trainings, as their rates say."""
    runs = default_session().read().search_runs(["0"])
    return sorted(
        (run for run in runs if "rate" in run.data.params), key=lambda run: run.data.params["rate"]
    )


def check_whole(run):
    assert run.info.status == "FINISHED"
    assert run.data.metrics == {"loss": 0.25}
    assert run.data.tags["mlflow.autologging"] == "toy"
    assert (Path(run.info.artifact_uri) / "autolog_report.json").exists()


@pytest.mark.parametrize(("way", "method"), WAYS)
def test_p53_each_training_is_a_whole_run_at_once(toy, way, method):
    toy.on()
    for results in way(method, train, [0.25, 0.5]):
        # Read while the workers live: nothing is left for their end.
        runs = found()
        assert [run.data.params["rate"] for run in runs] == ["0.25", "0.5"]
        for run in runs:
            check_whole(run)
            assert "mlflow.parentRunId" not in run.data.tags
        assert results is None or results == [(0.25, ()), (0.5, ())]


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.parametrize("way", [in_executor, in_processes])
def test_the_run_that_is_active_is_the_parent(toy, way, method):
    toy.on()
    with autolog.start_run() as active:
        for _ in way(method, train, [0.25, 0.5]):
            pass
        for run in found():
            check_whole(run)
            assert run.data.tags["mlflow.parentRunId"] == active.info.run_id
    assert len(found()) == 2
    user = autolog.get_run(active.info.run_id)
    assert user.info.status == "FINISHED"
    assert user.data.params == {}
    assert "mlflow.autologging" not in user.data.tags


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_parent_is_the_run_of_the_submission(toy, method):
    toy.on()
    with autolog.start_run() as first:
        executor = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method))
        executor.submit(train, 0.125).result()
    executor.submit(train, 0.25).result()
    with autolog.start_run() as second:
        executor.submit(train, 0.5).result()
    executor.shutdown()
    parents = [run.data.tags.get("mlflow.parentRunId") for run in found()]
    assert parents == [first.info.run_id, None, second.info.run_id]


def test_a_run_that_the_worker_begins_itself_is_a_child_too(toy):
    toy.on()
    with autolog.start_run() as active:
        for _ in in_executor("spawn", train_in_own_run, [0.5]):
            pass
    (run,) = found()
    check_whole(run)
    assert run.data.tags["mlflow.parentRunId"] == active.info.run_id


def test_a_forked_process_logs_to_the_active_run_as_ever(toy):
    toy.on()
    with autolog.start_run() as active:
        for _ in in_processes("fork", log_a_metric, [7.0]):
            pass
    assert autolog.get_run(active.info.run_id).data.metrics == {"own": 7.0}


def test_a_bare_fork_that_leaves_at_once(toy):
    toy.on()
    toy.lib()
    process = os.fork()
    if process == 0:
        train(0.5)
        os._exit(0)
    assert os.waitpid(process, 0)[1] == 0
    (run,) = found()
    check_whole(run)


def test_workers_of_workers(toy):
    toy.on()
    with autolog.start_run() as active:
        for (result,) in in_executor("spawn", train_in_a_pool, [0.5]):
            assert result == [(0.5, ())]
    (run,) = found()
    check_whole(run)
    assert run.data.tags["mlflow.parentRunId"] == active.info.run_id


def test_a_process_with_a_run_of_its_own(toy):
    toy.on()
    process = Trainer()
    process.start()
    process.join()
    assert process.exitcode == 0
    (run,) = found()
    check_whole(run)


def test_changes_reach_a_worker_that_is_used_again(toy, tmp_path):
    toy.on(extra_tags={"turn": "first"})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:

        def turn(rate):
            assert executor.submit(train, rate).result() == (rate, ())

        turn(0.1)
        control.configure("toy", control.OWN, extra_tags={"turn": "second"})
        turn(0.2)
        autolog.set_experiment("other")
        turn(0.3)
        toy.off()
        turn(0.4)
        toy.on(exclusive=True)
        with autolog.start_run():
            turn(0.5)
        with autolog.disabled():
            turn(0.6)
        first = found()
        other = autolog.search_runs(experiment_names=["other"], output_format="list")
        autolog.set_tracking_uri(tmp_path / "elsewhere")
        turn(0.7)
        elsewhere = autolog.search_runs(experiment_names=["other"], output_format="list")
    assert [(run.data.params["rate"], run.data.tags.get("turn")) for run in first] == [
        ("0.1", "first"),
        ("0.2", "second"),
    ]
    assert [run.data.params.get("rate") for run in other] == [None, "0.3"]
    assert [run.data.params["rate"] for run in elsewhere] == ["0.7"]


@pytest.mark.parametrize("method", METHODS)
def test_a_pool_does_not_go_on_by_itself(toy, method):
    toy.on()
    toy.lib()
    with multiprocessing.get_context(method).Pool(1) as pool:
        with autolog.disabled():
            pool.map(train, [0.25])
        pool.map(train, [0.5])
        with autolog.disabled():
            pool.map(train, [0.625])
        toy.off()
        pool.map(train, [0.75])
    assert [run.data.params["rate"] for run in found()] == ["0.5"]


def test_a_worker_forgets_the_run_of_its_last_task(toy):
    toy.on()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        with autolog.start_run() as active:
            assert executor.submit(begin_a_run, "one").result() == active.info.run_id
        toy.off()
        assert executor.submit(begin_a_run, "two").result() is None


def test_files_are_written_when_the_task_is_over(toy, tmp_path):
    toy.on()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("fork")) as executor:
        executor.submit(save_for_long, tmp_path / "file").result()
        assert (tmp_path / "file").exists()


def test_settings_and_policy_come_along(toy):
    policy = autolog.CheckpointPolicy(keep_last=3)
    look = (
        "__import__('autolog').instrument.checkpoints.chosen_policy(), "
        "__import__('autolog_core.session').session.default_session().settings"
    )
    toy.on()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert executor.submit(eval, look).result() == (None, default_session().settings)
        autolog.set_checkpoint_policy(policy)
        autolog.set_system_metrics_node_id("node-7")
        assert executor.submit(eval, look).result() == (policy, default_session().settings)
        autolog.set_checkpoint_policy(None)
        assert executor.submit(eval, look).result() == (None, default_session().settings)


@pytest.mark.parametrize("on", [True, False])
def test_options_that_the_worker_sets_itself_stay(toy, on):
    if on:
        toy.on()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, initializer=configure_own) as executor:
        executor.submit(train, 0.25).result()
        executor.submit(train, 0.5).result()
        if on:
            executor.submit(train_with_own_options, 0.75).result()
    runs = found()
    assert [run.data.tags["who"] for run in runs[:2]] == ["initializer", "initializer"]
    assert [run.data.tags["who"] for run in runs[2:]] == ["worker"] * on


def test_a_task_that_turns_it_on_itself(toy):
    toy.on()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        executor.submit(train_with_own_options, 0.25).result()
        executor.submit(train, 0.5).result()
        toy.off()
        executor.submit(train_with_own_options, 0.75).result()
    assert [run.data.tags.get("who") for run in found()] == ["worker", None, "worker"]


def test_threads_have_a_run_each_and_carry_nothing(toy):
    toy.on()
    toy.lib()
    with ThreadPool(4) as pool, ThreadPoolExecutor(4) as executor:
        pool.map(train, [0.1, 0.2, 0.3, 0.4])
        list(executor.map(train, [0.5, 0.6, 0.7, 0.8]))
        assert "worker_tasks.py" not in pool.apply(callers, (1,))
        assert "worker_tasks.py" not in executor.submit(callers, 1).result()
    runs = found()
    assert len(runs) == 8
    for run in runs:
        check_whole(run)


def test_nothing_of_us_is_sent_where_nothing_is_to_log(toy):
    loaded = "any(name.startswith('autolog') for name in __import__('sys').modules)"
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert not executor.submit(eval, loaded).result()
        toy.on(exclusive=True)
        with autolog.disabled():
            assert not executor.submit(eval, loaded).result()
        with autolog.start_run():
            assert not executor.submit(eval, loaded).result()
        assert executor.submit(eval, loaded).result()


def test_p52_turning_it_off_restores_everything(toy):
    places = [
        (ProcessPoolExecutor, "submit"),
        (Pool, "apply_async"),
        (Pool, "_guarded_task_generation"),
        (BaseProcess, "start"),
    ]
    before = [owner.__dict__[name] for owner, name in places]
    toy.on()
    during = [owner.__dict__[name] for owner, name in places]
    assert not any(one is other for one, other in zip(before, during, strict=True))
    toy.off()
    assert [owner.__dict__[name] for owner, name in places] == before


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_an_error_is_the_users(toy, method):
    toy.on()
    context = multiprocessing.get_context(method)
    with (
        ProcessPoolExecutor(1, mp_context=context) as executor,
        pytest.raises(ValueError, match="bad rows") as caught,
    ):
        executor.submit(train_badly, "bad").result()
    assert type(caught.value.__cause__).__name__ == "_RemoteTraceback"
    assert "in train_badly" in str(caught.value.__cause__)
    with context.Pool(1) as pool, pytest.raises(ValueError, match="bad rows") as caught:
        pool.map(train_badly, ["bad"])
    assert type(caught.value.__cause__).__name__ == "RemoteTraceback"
    assert [run.info.status for run in found()] == ["FAILED", "FAILED"]


def error_of(action):
    with pytest.raises(Exception) as caught:
        action()
    return type(caught.value), str(caught.value)


def test_what_cannot_be_pickled_fails_as_ever(toy):
    def send_to_executor():
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
            executor.submit(train, threading.Lock()).result()

    def send_to_pool():
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            pool.apply(train, (threading.Lock(),))

    def start():
        multiprocessing.get_context("spawn").Process(target=train, args=(threading.Lock(),)).start()

    for action in (send_to_executor, send_to_pool, start):
        toy.off()
        without = error_of(action)
        toy.on()
        assert error_of(action) == without


def test_options_that_cannot_be_pickled_do_not_harm_the_task(toy, swallowed):
    class Text(str):
        pass

    toy.on(extra_tags={"tag": Text("local")})
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert executor.submit(train, 0.5).result() == (0.5, ())
    assert swallowed.phases() == ["the sending of a task"]
    assert found() == []


def test_a_state_that_cannot_be_read_does_not_harm_the_task(toy, swallowed):
    toy.on()
    assert worker_tasks.Carried(abs, b"no pickle")(-3) == 3
    assert swallowed.phases() == ["the start of a task"]


def test_a_task_that_stays_in_this_process_is_just_called(toy):
    from autolog.instrument.worker_state import freeze

    toy.on()
    state = freeze()
    assert worker_tasks.Carried(abs, state)(-3) == 3
    assert worker_tasks._scope is None
    copied = pickle.loads(pickle.dumps(worker_tasks.Carried(abs, state)))
    assert (copied.function, copied.state) == (abs, state)


@pytest.mark.parametrize("method", METHODS)
def test_p53_what_a_killed_worker_has_logged_is_there(toy, method):
    toy.on()
    context = multiprocessing.get_context(method)
    with autolog.start_run() as active, ProcessPoolExecutor(1, mp_context=context) as executor:
        executor.submit(train, 0.25).result()
        with pytest.raises(BrokenProcessPool):
            executor.submit(train_badly, Deadly()).result()
    whole, cut = found()
    check_whole(whole)
    assert cut.info.status == "FAILED"
    assert cut.data.params == {"rate": "0.5"}
    assert cut.data.tags["mlflow.parentRunId"] == active.info.run_id
    assert autolog.get_run(active.info.run_id).info.status == "FINISHED"


SCRIPT = """
import multiprocessing, sys
sys.path[:0] = {path!r}
from autolog.instrument import control, registry
registry.BUILTIN["toy"] = "toyroom:SPEC"
control.configure("toy", control.OWN, extra_tags={{"turn": "script"}})

def train(rate):
    import toylib
    toylib.Model(rate).fit([1])

if __name__ == "__main__":
    with multiprocessing.get_context({method!r}).Pool(1) as pool:
        pool.map(train, [0.25])
        control.configure("toy", control.OWN, extra_tags={{"turn": "main"}})
        pool.map(train, [0.5])
    with multiprocessing.get_context({method!r}).Pool(1) as pool:
        pool.map(train, [0.75])
"""


@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_a_script_that_workers_import_again(toy, tmp_path, method):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(path=[str(toy.folder)], method=method))
    program = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False
    )
    assert program.returncode == 0, program.stderr
    assert program.stderr == ""
    runs = found()
    assert [run.data.tags["turn"] for run in runs] == ["script", "main", "main"]
    for run in runs:
        check_whole(run)
        assert run.data.tags["mlflow.source.name"] == str(script)
