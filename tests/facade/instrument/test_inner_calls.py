"""Calls inside a watched one, results that are followed, and functions that others hold."""

import sys
import threading
import types
from types import SimpleNamespace

import pytest

from autolog.instrument import faults
from autolog.instrument.patcher import PatchSet
from autolog.instrument.scope import outermost, suppress
from autolog.instrument.spec import Options

SOURCE = """
def engine(rows, callbacks=None):
    for each in callbacks or ():
        each(rows)
    return list(rows)

def fit(rows, callbacks=None):
    return engine(rows, callbacks)

def predict(rows):
    if rows == "bad":
        raise ValueError("bad rows")
    return helper(rows)

def helper(rows):
    return [row + 1 for row in rows]
"""


class Fit:
    def __init__(self, options):
        self.seen = []

    def wants(self, call):
        return True

    def title(self, call):
        return "Fit"

    def before(self, call, recorder):
        return None

    def after(self, call, recorder, result):
        recorder.metrics({"rows": len(self.seen)})

    def failed(self, call, recorder, error): ...


def watch_rows(observer, call, recorder):
    if call.get("rows") == "broken":
        raise RuntimeError("ours")
    return call.replace(callbacks=[*(call.get("callbacks") or ()), observer.seen.append])


@pytest.fixture
def lib(monkeypatch):
    module = types.ModuleType("inner_lib")
    exec(compile(SOURCE, "inner_lib.py", "exec"), module.__dict__)
    monkeypatch.setitem(sys.modules, "inner_lib", module)
    return module


@pytest.fixture
def patches(tracking):
    from autolog.instrument.spec import IntegrationSpec

    spec = IntegrationSpec(name="inner", package="inner", supports="", hooks=(), patch="")
    made = PatchSet(SimpleNamespace(spec=spec, options=Options()))
    yield made
    made.undo()


def test_a_callback_reaches_the_inner_call_and_the_users_list_is_left_alone(lib, patches, runs):
    patches.observe(lib, "fit", Fit)
    patches.observe(lib, "engine", Fit, inside=watch_rows)
    mine = []
    callbacks = [mine.append]
    assert lib.fit([1, 2], callbacks) == [1, 2]
    assert mine == [[1, 2]]
    assert len(callbacks) == 1
    (run,) = runs()
    assert run.data.metrics == {"rows": 1}


def test_the_same_function_called_by_the_user_is_a_training(lib, patches, runs):
    patches.observe(lib, "fit", Fit)
    patches.observe(lib, "engine", Fit, inside=watch_rows)
    lib.engine([1])
    assert [run.data.metrics for run in runs()] == [{"rows": 0}]


def test_calls_inside_another_integrations_training_are_not_seen(lib, patches, runs):
    patches.observe(lib, "fit", Fit)
    other = PatchSet(patches.switch)
    other.observe(lib, "engine", Fit, inside=watch_rows)
    lib.fit([1])
    with suppress():
        assert lib.engine([1]) == [1]
    assert [run.data.metrics for run in runs()] == [{"rows": 0}]
    other.undo()


def test_our_error_inside_leaves_the_call_as_it_was(lib, patches, runs, swallowed):
    patches.observe(lib, "fit", Fit)
    patches.observe(lib, "engine", Fit, inside=watch_rows)
    assert lib.fit("broken") == list("broken")
    assert swallowed.phases() == ["an inner call"]
    assert [run.info.status for run in runs()] == ["FINISHED"]


def test_results_are_followed_once_and_only_the_outermost(lib, patches):
    seen = []
    patches.follow(lib, "predict", lambda call, result: seen.append((call.get("rows"), result)))
    patches.follow(lib, "helper", lambda call, result: seen.append("helper"))
    assert lib.predict([1]) == [2]
    assert seen == [([1], [2])]
    assert outermost.get()
    assert lib.helper([1]) == [2]
    assert seen[1:] == ["helper"]


def test_a_followed_error_is_the_users_and_a_follower_s_is_ours(lib, patches, swallowed):
    def broken(call, result):
        raise RuntimeError("ours")

    patches.follow(lib, "predict", broken)
    with pytest.raises(ValueError, match="bad rows"):
        lib.predict("bad")
    assert faults.recent() == ()
    assert lib.predict([1]) == [2]
    assert swallowed.phases() == ["the result"]
    assert outermost.get()


def test_a_function_that_others_hold_is_watched_there_too(lib, patches, runs):
    user = types.ModuleType("inner_user")
    user.renamed = user.fit = lib.fit
    user.other = lib.engine
    sys.modules["inner_user"] = user
    raw = lib.fit
    try:
        patches.observe(lib, "fit", Fit, everywhere=True)
        assert user.fit is raw
        patches.spread()
        assert user.fit([1]) == [1]
        assert user.renamed([1]) == [1]
        assert len(runs()) == 2
        assert user.other is lib.engine
        patches.undo()
        assert user.fit is user.renamed is lib.fit is raw
    finally:
        del sys.modules["inner_user"]


def test_a_wrapper_that_another_module_imported_lives_again(lib, patches, runs):
    patches.observe(lib, "fit", Fit, everywhere=True)
    patches.spread()
    user = types.ModuleType("inner_user")
    user.fit = lib.fit
    sys.modules["inner_user"] = user
    try:
        patches.live = False
        user.fit([1])
        assert runs() == []
        lib.fit = user.fit.__wrapped__
        again = PatchSet(patches.switch)
        again.observe(lib, "fit", Fit, everywhere=True)
        again.spread()
        user.fit([1])
        assert len(runs()) == 1
        again.undo()
        assert user.fit is lib.fit
    finally:
        del sys.modules["inner_user"]


def test_a_module_that_imported_the_wrapper_gets_the_function_back(lib, patches):
    raw = lib.fit
    patches.observe(lib, "fit", Fit, everywhere=True)
    patches.spread()
    user = types.ModuleType("inner_user")
    user.fit = lib.fit
    sys.modules["inner_user"] = user
    try:
        patches.undo()
        assert user.fit is lib.fit is raw
    finally:
        del sys.modules["inner_user"]


def test_a_module_that_is_gone_is_no_hindrance_to_undoing(lib, patches):
    user = types.ModuleType("inner_user")
    user.fit = lib.fit
    sys.modules["inner_user"] = user
    patches.observe(lib, "fit", Fit, everywhere=True)
    patches.spread()
    del sys.modules["inner_user"], user
    assert patches.undo() == []


def test_threads_of_the_users_do_not_see_the_training(lib, patches, runs):
    patches.observe(lib, "engine", Fit, inside=watch_rows)
    results = []

    class Spawning(Fit):
        def before(self, call, recorder):
            thread = threading.Thread(target=lambda: results.append(lib.engine([1])))
            thread.start()
            thread.join()

    patches.observe(lib, "fit", Spawning)
    lib.fit([1, 2])
    assert results == [[1]]
    assert sorted(run.data.metrics["rows"] for run in runs()) == [0, 1]
