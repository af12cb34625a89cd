"""The user's call is made once, whatever happens on our side."""

import os
import traceback
from pathlib import Path

import pytest

import autolog
from autolog.instrument import control, faults
from autolog.instrument.call import Call


def fit(toy, rows=(1, 2), **arguments):
    return toy.lib().Model().fit(list(rows) if isinstance(rows, tuple) else rows, **arguments)


def test_a_training_becomes_a_run(toy, runs):
    toy.on()
    model = fit(toy, weight=2)
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.params == {"rate": "0.5"}
    assert run.data.metrics == {"loss": 0.25}
    assert run.data.tags["mlflow.autologging"] == "toy"
    assert model.seen == ([1, 2], 2, {})
    assert toy.flags.seen == [("before", {"rows": [1, 2], "weight": 2}), ("after", model)]


def test_a_training_inside_a_training_is_part_of_it(toy, runs):
    toy.on()
    fit(toy, "inner")
    assert len(runs()) == 1


def test_calls_that_are_not_wanted_make_no_run_and_nothing_inside_does(toy, runs):
    toy.on()
    fit(toy, "boring")
    assert runs() == []


@pytest.mark.parametrize("broken", ["wants", "before", "after"])
def test_our_errors_stay_with_us(toy, runs, swallowed, broken):
    toy.on()
    toy.flags.broken = broken
    assert fit(toy).seen == ([1, 2], None, {})
    assert f"RuntimeError: {broken}" in swallowed.texts()
    assert [run.info.status for run in runs()] == ([] if broken == "wants" else ["FINISHED"])
    if broken != "wants":
        assert runs()[0].data.tags["autolog.error"] == f"RuntimeError: {broken}"


def test_our_errors_are_logged_once_and_counted(toy, swallowed, caplog):
    toy.on()
    toy.flags.broken = "after"
    for _ in range(3):
        fit(toy)
    assert len(caplog.records) == 1
    assert "Model.fit" in caplog.text
    assert autolog.status()["toy"].errors == 3


def test_silence_holds_for_errors(toy, swallowed, caplog, capfd):
    toy.on(silent=True)
    toy.flags.broken = "after"
    fit(toy)
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")
    assert swallowed.phases() == ["the result"]


def test_the_users_error_goes_on_untouched(toy, runs):
    toy.on()
    with pytest.raises(ValueError, match="bad rows") as caught:
        fit(toy, "bad")
    frames = traceback.extract_tb(caught.value.__traceback__)
    # wrapt without its C extension is in the traceback too.
    names = [frame.name for frame in frames if "wrapt" not in Path(frame.filename).parts]
    assert names[1:] == ["fit", "__call__", "fit"]
    assert caught.value.__context__ is None
    (run,) = runs()
    assert run.info.status == "FAILED"
    assert ("failed", ValueError) in toy.flags.seen


def test_an_error_of_ours_on_top_does_not_hide_the_users(toy, swallowed, runs):
    toy.on()
    toy.flags.broken = "failed"
    with pytest.raises(ValueError, match="bad rows"):
        fit(toy, "bad")
    assert swallowed.phases() == ["the failure"]
    assert [run.info.status for run in runs()] == ["FAILED"]


def test_ctrl_c_in_the_training(toy, runs):
    toy.on()
    with pytest.raises(KeyboardInterrupt):
        fit(toy, "stop")
    assert [run.info.status for run in runs()] == ["FAILED"]
    fit(toy)
    assert len(runs()) == 2


def test_ctrl_c_while_we_work_reaches_the_user(toy, runs):
    toy.on()
    toy.flags.broken = "interrupt"
    with pytest.raises(KeyboardInterrupt):
        fit(toy)
    assert [run.info.status for run in runs()] == ["FAILED"]
    assert autolog.active_run() is None
    toy.flags.broken = None
    fit(toy)
    assert sorted(run.info.status for run in runs()) == ["FAILED", "FINISHED"]


def test_a_failure_in_the_users_run_leaves_it_open(toy, runs):
    toy.on()
    with autolog.start_run():
        with pytest.raises(ValueError, match="bad rows"):
            fit(toy, "bad")
        assert autolog.active_run() is not None
    (run,) = runs()
    assert run.info.status == "FINISHED"
    assert run.data.tags["autolog.failure.type"] == "ValueError"
    assert run.data.tags["autolog.failure.message"] == "bad rows"


def test_arguments_can_be_changed_and_containers_are_not(toy):
    toy.on()
    toy.flags.change = {"weight": 7, "more": 1}
    passed = {"less": 2}
    model = toy.lib().Model().fit([1], **passed)
    assert model.seen == ([1], 7, {"less": 2, "more": 1})
    assert passed == {"less": 2}


def test_a_change_that_does_not_fit_leaves_the_call_as_it_was(toy, swallowed):
    toy.on()
    toy.flags.change = {"weight": 7}
    with pytest.raises(TypeError):
        toy.lib().Model().fit([1], [2], [3])
    assert swallowed.phases() == ["the start"]


def test_arguments_are_bound_however_they_were_passed():
    def fit(rows, weight=None, *rest, scale=1, **extra): ...

    by_place = Call(fit, None, ([1], 2, 3), {"more": 4})
    by_name = Call(fit, None, (), {"rows": [1], "weight": 2, "scale": 5})
    assert by_place.arguments() == {"rows": [1], "weight": 2, "rest": (3,), "more": 4}
    assert by_name.arguments() == {"rows": [1], "weight": 2, "scale": 5}
    assert by_name.get("more", "none") == "none"
    changed = by_place.replace(scale=9, weight=0, other=1)
    assert (changed.args, changed.kwargs) == (([1], 0, 3), {"scale": 9, "more": 4, "other": 1})
    assert Call(fit, None, (), {}).arguments() == {}
    with pytest.raises(TypeError, match="no parameter 'other'"):
        Call(len, None, ([],), {}).replace(other=1)


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_goes_on_logging(toy, runs):
    toy.on()
    fit(toy)
    child = os.fork()
    if child == 0:
        try:
            fit(toy, weight=3)
            autolog.flush_async_logging()
        finally:
            os._exit(0)
    assert os.waitpid(child, 0) == (child, 0)
    assert [run.info.status for run in runs()] == ["FINISHED", "FINISHED"]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_fork_while_an_error_of_ours_is_written(toy, swallowed):
    toy.on()
    toy.lib()
    with faults._lock, control._lock:
        child = os.fork()
        if child == 0:
            # Another thread of the parent could hold the locks: here it is this one.
            toy.flags.broken = "after"
            fit(toy)
            os._exit(0 if faults.count() else 2)
    assert os.waitpid(child, 0)[1] == 0
