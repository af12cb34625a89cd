"""Trainings that nobody says are over: one run each, ended when it shows, taken up again."""

import copy
import gc
import itertools
import json
import pickle
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace

import pytest

import autolog
from autolog.instrument import ongoing
from autolog.instrument.spec import IntegrationSpec, Options
from autolog_core.session import default_session

SPEC = IntegrationSpec(
    name="toy", package="toy", supports=">=1", hooks=("toylib",), patch="toyroom:install"
)


class Model:
    """What is trained; all of them are equal."""

    def __eq__(self, other):
        return isinstance(other, Model)

    def __hash__(self):
        return 1


@pytest.fixture(autouse=True)
def closed(tracking):
    begun.clear()
    yield
    ongoing.close_all()
    ongoing._ended.clear()


begun: dict[str, None] = {}


def switch(**options):
    return SimpleNamespace(spec=SPEC, options=Options(**options))


ends = itertools.count()


def finish(model, recorder):
    # Points that are equal in step and time would count once.
    recorder.metrics({"finished": 1}, step=next(ends))


def begin(model, finish=finish, **options):
    return ongoing.begin(switch(**options), "Model.more", "Model", model, finish)


def train(model, count=1, **options):
    """Trains as a room does, a step for each call."""
    training = None
    for _ in range(count):
        training = ongoing.find(model) or begin(model, **options)
        if training is None:
            return None
        begun.setdefault(training.recorder.run_id)
        assert training.enter()
        training.recorder.metrics({"loss": 1.0 / (training.steps + 1)}, step=training.steps)
        training.steps += 1
        training.leave()
    return training


def runs():
    """Returns the runs in the order in which they were trained in, others last."""
    found = {run.info.run_id: run for run in default_session().read().search_runs(["0"])}
    return [found[run_id] for run_id in {**begun, **dict.fromkeys(found)} if run_id in found]


def only():
    (run,) = runs()
    return run


def history(run, key="loss"):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    return [(point.step, point.value) for point in points]


def finished(run):
    return len(history(run, "finished"))


def test_all_calls_are_one_run():
    model = Model()
    train(model, 3)
    assert only().info.status == "RUNNING"
    assert history(only()) == [(0, 1.0), (1, 0.5), (2, 1 / 3)]
    assert finished(only()) == 0
    ongoing.close_all()
    assert only().info.status == "FINISHED"
    assert finished(only()) == 1


def test_the_run_is_not_the_active_one():
    model = Model()
    training = train(model)
    assert autolog.active_run() is None
    assert autolog.last_active_run().info.run_id == training.recorder.run_id
    with autolog.start_run() as user:
        autolog.log_metric("own", 1)
        train(model)
        assert autolog.active_run().info.run_id == user.info.run_id
    own, users = runs()
    assert [step for step, _ in history(own)] == [0, 1]
    assert set(users.data.metrics) == {"own"}


def test_a_call_after_the_end_takes_the_run_up_again():
    model = Model()
    train(model, 2)
    ongoing.close_all()
    ended = only().info.end_time
    train(model)
    assert only().info.status == "RUNNING"
    assert only().info.end_time is None
    ongoing.close_all()
    assert only().info.status == "FINISHED"
    assert only().info.end_time >= ended
    assert [step for step, _ in history(only())] == [0, 1, 2]
    assert finished(only()) == 2


def test_equal_models_are_not_the_same():
    one, other = Model(), Model()
    assert one == other
    train(one)
    assert ongoing.find(other) is None
    ongoing.close_all()
    assert ongoing.find(other) is None
    train(other)
    assert len(runs()) == 2


def test_copies_are_other_trainings_and_nothing_is_written_into_the_model():
    model = Model()
    train(model)
    assert vars(model) == {}
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert ongoing.find(other) is None
        assert ongoing.step_of(other) is None
    assert b"autolog.instrument" not in pickle.dumps(vars(model))


def test_the_step_of_a_model():
    model = Model()
    assert ongoing.step_of(model) is None
    train(model)
    assert ongoing.step_of(model) == 0
    train(model, 4)
    assert ongoing.step_of(model) == 4
    ongoing.close_all()
    assert ongoing.step_of(model) == 4
    ongoing.close_here(model)
    assert ongoing.step_of(model) is None


def test_in_the_users_run():
    model = Model()
    with autolog.start_run() as user:
        train(model, 2)
        ongoing.close_all()
        assert autolog.active_run().info.run_id == user.info.run_id
        assert only().info.status == "RUNNING"
    assert only().info.status == "FINISHED"
    assert [step for step, _ in history(only())] == [0, 1]


def test_the_users_run_ends_with_all_of_it():
    model, seen = Model(), []

    def look(model, recorder):
        seen.append(autolog.get_run(recorder.run_id).info.status)

    with autolog.start_run():
        begin(model, look)
    assert seen == ["RUNNING"]
    assert only().info.status == "FINISHED"
    report = Path(only().info.artifact_uri) / "autolog_report.json"
    assert json.loads(report.read_text())["call"] == "Model.more"


def test_a_users_run_that_fails_keeps_it_too():
    model = Model()

    def fail():
        train(model, 2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), autolog.start_run():
        fail()
    assert only().info.status == "FAILED"
    assert finished(only()) == 1


def test_a_second_model_in_the_users_run_is_a_child_and_ends_with_it():
    one, other = Model(), Model()
    with autolog.start_run() as user:
        for _ in range(3):
            train(one)
            train(other)
    first, second = runs()
    assert second.data.tags["mlflow.parentRunId"] == user.info.run_id == first.info.run_id
    assert second.info.run_name == "Model"
    for run in (first, second):
        assert run.info.status == "FINISHED"
        assert [step for step, _ in history(run)] == [0, 1, 2]
        assert finished(run) == 1


def test_a_training_goes_on_in_the_next_run_of_the_user():
    one, other = Model(), Model()
    for _ in range(2):
        with autolog.start_run():
            for model in (one, other):
                train(model, 2).state = "kept"
    first, child, second, second_child = runs()
    assert [history(run)[0][0] for run in (first, child, second, second_child)] == [0, 0, 2, 2]
    assert second.data.tags["autolog.continues"] == first.info.run_id
    assert second_child.data.tags["autolog.continues"] == child.info.run_id
    assert all(finished(run) == 1 for run in runs())
    with autolog.start_run():
        assert train(one).state == "kept"
    assert ongoing.step_of(one) == 4


def test_a_run_that_the_user_takes_up_again_goes_on():
    model = Model()
    with autolog.start_run() as user:
        train(model)
    with autolog.start_run(run_id=user.info.run_id):
        train(model)
    assert [step for step, _ in history(only())] == [0, 1]
    assert finished(only()) == 2


def test_a_run_that_another_has_ended_gets_no_more_steps():
    model = Model()
    user = autolog.start_run()
    train(model)
    autolog.MlflowClient().set_terminated(user.info.run_id)
    train(model)
    first, second = runs()
    assert [step for step, _ in history(first)] == [0]
    assert [step for step, _ in history(second)] == [1]


def test_without_a_run_after_one_of_the_user():
    model = Model()
    with autolog.start_run():
        train(model, 2)
    train(model)
    first, second = runs()
    assert [step for step, _ in history(first)] == [0, 1]
    assert [step for step, _ in history(second)] == [2]


def test_another_training_ends_it_but_not_when_they_take_turns():
    model = Model()
    train(model)
    ongoing.close_here(object())
    assert only().info.status == "FINISHED"
    for _ in range(3):
        train(model)
        ongoing.close_here(object())
    assert only().info.status == "RUNNING"
    assert finished(only()) == 1
    ongoing.close_all()
    assert [step for step, _ in history(only())] == [0, 1, 2, 3]
    assert finished(only()) == 2


@pytest.mark.parametrize("ended", [True, False])
def test_a_model_that_is_fitted_anew_begins_anew(ended):
    model = Model()
    train(model, 2)
    if ended:
        ongoing.close_all()
    assert ongoing.any_open()
    ongoing.close_here(model)
    assert ongoing.find(model) is None
    train(model)
    first, second = runs()
    assert first.info.status == "FINISHED"
    assert finished(first) == 1
    assert [step for step, _ in history(second)] == [0]
    assert "autolog.continues" not in second.data.tags


def test_fitting_one_model_anew_leaves_the_others_memory_alone():
    one, other = Model(), Model()
    train(one)
    train(other)
    ongoing.close_here(one)
    train(other)
    assert len(runs()) == 2


def test_another_thread_is_left_alone():
    model = Model()
    train(model)
    other = threading.Thread(target=ongoing.close_here)
    other.start()
    other.join()
    assert only().info.status == "RUNNING"


def test_it_belongs_to_the_thread_that_trained_last():
    model = Model()
    train(model)
    other = threading.Thread(target=train, args=(model,))
    other.start()
    other.join()
    ongoing.close_here()
    assert only().info.status == "RUNNING"
    assert [step for step, _ in history(only())] == [0, 1]


def test_what_the_program_lets_go_of_ends_with_the_next():
    model = Model()
    seen = weakref.ref(model)
    train(model, 2)
    del model
    assert only().info.status == "RUNNING"
    other = Model()
    train(other)
    assert seen() is None
    assert [run.info.status for run in runs()] == ["FINISHED", "RUNNING"]
    assert finished(runs()[0]) == 1


def test_what_the_program_holds_does_not():
    models = [Model(), Model(), Model()]
    for model in models:
        train(model)
    assert [run.info.status for run in runs()] == ["RUNNING"] * 3


def test_nothing_is_remembered_of_what_is_gone():
    model = Model()
    train(model)
    ongoing.close_all()
    assert len(ongoing._ended) == 1
    del model
    gc.collect()
    assert not ongoing.any_open()


def test_what_cannot_be_referred_to_weakly_begins_anew():
    model = [1]
    train(model)
    ongoing.close_all()
    train(model)
    assert len(runs()) == 2


def test_p45_exclusive():
    model = Model()
    with autolog.start_run():
        assert train(model, exclusive=True) is None
    train(model, exclusive=True)
    with autolog.start_run():
        assert train(model, exclusive=True) is None
    train(model, exclusive=True)
    own, users, users_too = runs()
    assert [step for step, _ in history(own)] == [0, 1]
    assert users.data.metrics == users_too.data.metrics == {}


def test_p45_exclusive_after_the_end():
    model = Model()
    train(model, exclusive=True)
    ongoing.close_all()
    with autolog.start_run():
        assert train(model, exclusive=True) is None
    own, _ = runs()
    assert own.info.status == "FINISHED"


def test_turning_an_integration_off_ends_its_trainings():
    model = Model()
    train(model)
    ongoing.close_integration("other")
    assert only().info.status == "RUNNING"
    ongoing.close_integration("toy")
    assert only().info.status == "FINISHED"


def test_a_first_call_that_fails():
    model = Model()
    training = begin(model)
    training.enter()
    ongoing.discard(training, ValueError("bad rows"))
    assert only().info.status == "FAILED"
    assert "bad rows" in only().data.tags["autolog.failure.message"]
    assert finished(only()) == 0
    assert ongoing.find(model) is None
    assert not ongoing.any_open()


def test_an_error_at_the_end_does_not_fail_the_run(swallowed):
    model = Model()

    def broken(model, recorder):
        raise RuntimeError("ours")

    begin(model, broken)
    ongoing.close_all()
    assert only().info.status == "FINISHED"
    assert swallowed.phases() == ["the end of the training"]


def test_it_is_not_ended_in_the_midst_of_a_call():
    model = Model()
    training = train(model)
    training.enter()
    other = threading.Thread(target=ongoing.close_all)
    other.start()
    other.join()
    assert only().info.status == "RUNNING"
    training.leave()
    assert only().info.status == "FINISHED"
    assert finished(only()) == 1
    assert not training.enter()


def test_a_call_of_ours_at_the_end_is_not_seen():
    from autolog.instrument.scope import outermost

    model, seen = Model(), []
    begin(model, lambda model, recorder: seen.append(outermost.get()))
    ongoing.close_all()
    assert seen == [False]
    assert outermost.get()


def test_the_report_covers_all_of_it():
    model = Model()
    train(model, 2)
    ongoing.close_all()
    train(model, 2)
    ongoing.close_all()
    report = json.loads((Path(only().info.artifact_uri) / "autolog_report.json").read_text())
    assert report["captured"]["metrics"] == 6
    assert report["call_ms"] > 0


def test_the_program_tracks_elsewhere_by_now(tmp_path):
    model = Model()
    train(model, 2)
    run_id = only().info.run_id
    autolog.set_tracking_uri(tmp_path / "elsewhere")
    train(model)
    assert runs() == []
    ongoing.close_all()
    there = autolog.MlflowClient(str(tmp_path / "mlruns")).get_run(run_id)
    assert there.info.status == "FINISHED"
    train(model)
    assert [step for step, _ in history(only())] == [3]
    assert only().data.tags["autolog.continues"] == run_id


def test_threads_have_a_whole_run_each():
    models = [Model() for _ in range(6)]
    barrier = threading.Barrier(len(models))

    def work(model):
        barrier.wait()
        train(model, 50)

    threads = [threading.Thread(target=work, args=(model,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ongoing.close_all()
    assert len(runs()) == len(models)
    for run in runs():
        assert run.info.status == "FINISHED"
        assert [step for step, _ in history(run)] == list(range(50))
        assert finished(run) == 1


def test_threads_that_end_one_training_end_it_once():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(20):
            model = Model()
            training = train(model)
            threads = [threading.Thread(target=ongoing.close_all) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert not training.enter()
    finally:
        sys.setswitchinterval(interval)
    assert [finished(run) for run in runs()] == [1] * 20


def test_threads_that_train_one_model_lose_no_step():
    model = Model()
    training = train(model)

    def work(place):
        for number in range(200):
            training = ongoing.find(model)
            assert training.enter()
            training.recorder.metrics({"loss": 1.0}, step=1 + 200 * place + number)
            training.leave()

    threads = [threading.Thread(target=work, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert training._busy == 0
    ongoing.close_all()
    assert len(history(only())) == 801
