"""Curves while a fit goes on, what is left of one that fails, and fits that nothing changes."""

import json
import os
import signal
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import catboost as cb
import numpy as np
import pytest
from catboost import _catboost
from tests.integrations.catboost.patched import (
    QUIET,
    SMALL,
    curve,
    diabetes,
    groups,
    irises,
    linked,
    models,
    only,
    report,
    runs,
    skipped,
    trees,
    tumours,
    wines,
)

import autolog
from autolog.catboost import live
from autolog.catboost.extract_files import FILE, Watched
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_on(tracking, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    autolog.catboost.autolog()
    yield
    autolog.catboost.autolog(disable=True)


class Looking:
    """A callback of the user's that looks into the store at each iteration."""

    def __init__(self, stop_at=None):
        self.seen = []
        self.stop_at = stop_at

    def after_iteration(self, info):
        (run,) = default_session().read().search_runs(["0"])
        self.seen.append(len(curve(run, "learn-Logloss")))
        return info.iteration != self.stop_at


class Nothing:
    def after_iteration(self, info):
        return True


def large(rows=30_000):
    """Enough rows for a callback to cost next to nothing in a few iterations."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, 10)).astype(np.float32)
    return features, (features[:, 0] + rng.normal(size=rows) > 0).astype(int)


def test_metrics_are_there_before_the_users_callback():
    train, test = tumours()
    looking = Looking()
    callbacks = [looking]
    model = cb.CatBoostClassifier(**QUIET, iterations=6)
    model.fit(*train, eval_set=test, callbacks=callbacks)
    assert callbacks == [looking]
    assert looking.seen == [1, 2, 3, 4, 5, 6]
    values = model.get_evals_result()["learn"]["Logloss"]
    assert curve(only(), "learn-Logloss") == dict(enumerate(values))
    assert report(only())["cost_ms"]["parts"]["live metrics"] > 0


def test_a_callback_that_stops_the_training():
    train, _ = tumours()
    model = cb.CatBoostClassifier(**QUIET, iterations=20)
    model.fit(*train, callbacks=[Looking(stop_at=4)])
    run = only()
    assert run.info.status == "FINISHED"
    assert sorted(curve(run, "learn-Logloss")) == [0, 1, 2, 3]
    assert models(run)["model"][1] == 3


def test_a_callback_that_raises_keeps_what_there_was():
    class Raising:
        def after_iteration(self, info):
            if info.iteration == 3:
                raise ValueError("that is enough")
            return True

    train, _ = tumours()
    with pytest.raises(cb.CatBoostError, match="that is enough"):
        cb.CatBoostClassifier(**QUIET, iterations=20).fit(*train, callbacks=[Raising()])
    run = only()
    assert run.info.status == "FAILED"
    assert sorted(curve(run, "learn-Logloss")) == [0, 1, 2]


@pytest.mark.parametrize("kind", [tuple, iter])
def test_callbacks_in_other_containers(kind):
    train, _ = tumours()
    with autolog.disabled():
        plain = cb.CatBoostClassifier(**QUIET, iterations=3)
        plain.fit(*train, callbacks=kind([Nothing()]))
    model = cb.CatBoostClassifier(**QUIET, iterations=3)
    model.fit(*train, callbacks=kind([Nothing()]))
    assert model.get_evals_result() == plain.get_evals_result()
    values = model.get_evals_result()["learn"]["Logloss"]
    assert curve(only(), "learn-Logloss") == dict(enumerate(values))


class Watching:
    """A metric of the user's: his code that runs in each iteration, and looks into the store."""

    def __init__(self, act=None):
        self.counts = []
        self.act = act

    def __deepcopy__(self, memo):
        return self

    def is_max_optimal(self):
        return True

    def evaluate(self, approxes, target, weight):
        self.counts.append(len(curve(runs()[-1], "learn-Watching")) if runs() else 0)
        if self.act is not None:
            self.act(len(self.counts))
        return 1.0, 1.0

    def get_final_error(self, error, weight):
        return error


def watched_fit(data, metric, **params):
    model = cb.CatBoostClassifier(**{**QUIET, "depth": 6, **params}, eval_metric=metric)
    with pytest.warns(UserWarning, match="numba"):
        return model.fit(*data)


def test_a_long_fit_is_live():
    metric = Watching()
    model = watched_fit(large(), metric, iterations=6)
    assert metric.counts == [0, 1, 2, 3, 4, 5]
    run = only()
    values = model.get_evals_result()["learn"]
    assert curve(run, "learn-Logloss") == dict(enumerate(values["Logloss"]))
    assert curve(run, "learn-Watching") == dict(enumerate(values["Watching"]))
    assert models(run)["model"][1] == 5


def test_a_short_fit_is_written_at_its_end():
    metric = Watching()
    watched_fit(irises(), metric, iterations=6)
    assert metric.counts == [0] * 6
    assert sorted(curve(only(), "learn-Watching")) == list(range(6))


def test_a_fit_with_a_period_is_written_at_its_end():
    metric = Watching()
    model = watched_fit(large(), metric, iterations=6, metric_period=2)
    assert set(metric.counts) == {0}
    assert sorted(curve(only(), "learn-Watching")) == [0, 2, 4, 5]
    assert len(model.get_evals_result()["learn"]["Logloss"]) == 4


def test_a_gpu_gets_no_callback():
    errors = []
    # The first try of a process fails in another way.
    for on in (False, False, True):
        autolog.catboost.autolog(disable=not on)
        model = cb.CatBoostClassifier(**QUIET, iterations=3, task_type="GPU")
        with pytest.raises(cb.CatBoostError) as caught:
            model.fit(*large())
        errors.append(str(caught.value))
    assert errors[1] == errors[2]
    assert "callback" not in errors[2]


def interrupt():
    os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def interrupted_when(condition):
    """Ctrl-C as soon as a condition holds, seen from another thread."""
    over = threading.Event()

    def watch():
        while not over.wait(0.001):
            if condition():
                interrupt()
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def points(key):
    return curve(only(), key) if runs() else {}


def test_p51_ctrl_c_in_a_live_fit():
    model = cb.CatBoostClassifier(**{**QUIET, "depth": 8}, iterations=20)
    with (
        pytest.raises(KeyboardInterrupt),
        interrupted_when(lambda: len(points("learn-Logloss")) > 3),
    ):
        model.fit(*large(60_000))
    run = only()
    assert run.info.status == "FAILED"
    assert set(range(4)) <= set(curve(run, "learn-Logloss"))
    assert not model.is_fitted()
    assert not models(run)


def test_p51_ctrl_c_in_a_fit_that_is_not_live():
    train, test = tumours()
    params = {**SMALL, "thread_count": 1, "custom_metric": ["Accuracy"], "train_dir": "here"}
    with autolog.disabled():
        plain = cb.CatBoostClassifier(**params, iterations=300).fit(*train, eval_set=test)
    expected = plain.get_evals_result()
    file = Path("here", FILE)
    file.unlink()
    model = cb.CatBoostClassifier(**params, iterations=1_000_000)
    condition = interrupted_when(lambda: file.exists() and file.stat().st_size > 20_000)
    with pytest.raises(KeyboardInterrupt), condition:
        model.fit(*train, eval_set=[test])
    run = only()
    assert run.info.status == "FAILED"
    found = curve(run, "validation-Logloss")
    assert len(found) > 50
    assert list(found) == list(range(len(found)))
    assert linked(run, "validation-Logloss") == {"validation"}
    for step in range(50):
        # CatBoost's file has ten digits.
        assert found[step] == pytest.approx(expected["validation"]["Logloss"][step], rel=1e-9)
    assert curve(run, "learn-Accuracy").keys() == found.keys()


def test_a_failed_fit_that_wrote_nothing():
    class Bad(Watching):
        def is_max_optimal(self):
            raise ValueError("who knows")

    model = cb.CatBoostClassifier(**QUIET, iterations=5, eval_metric=Bad())
    with pytest.raises(cb.CatBoostError), pytest.warns(UserWarning, match="numba"):
        model.fit(*tumours()[0])
    assert skipped(only())["metrics"] == "CatBoost tells none of a fit that failed"


def test_files_of_an_earlier_training_are_not_taken_for_those_of_this():
    train, test = tumours()
    with autolog.disabled():
        cb.CatBoostClassifier(**SMALL, iterations=50).fit(*train, eval_set=test)
    with pytest.raises(cb.CatBoostError):
        cb.CatBoostClassifier(**SMALL, iterations=50, l2_leaf_reg=-1).fit(*train, eval_set=test)
    assert set(only().data.metrics) == set()


@pytest.mark.parametrize(
    ("iterations", "several"), [(50, False), (60, False), (50, True)], ids=["same", "longer", "two"]
)
def test_files_of_another_program_are_not_taken_for_those_of_this(iterations, several):
    """It writes to the same folder, while this one fails."""
    train, test = tumours()
    with autolog.disabled():
        cb.CatBoostClassifier(**SMALL, iterations=50).fit(*train, eval_set=test)
    written = Path("catboost_info", FILE)
    content = written.read_text()

    class Meanwhile(list):
        """Labels that CatBoost refuses, and that something happens meanwhile."""

        def __len__(self):
            written.write_text(content + "\n")
            return 1

    sets = [test, test] if several else test
    with pytest.raises(cb.CatBoostError):
        cb.CatBoostClassifier(**SMALL, iterations=iterations).fit(
            train[0], Meanwhile([0]), eval_set=sets
        )
    # The number of iterations and of evaluation sets tells most of them.
    assert bool(only().data.metrics) == (iterations == 50 and not several)


def test_a_folder_that_two_fits_write_to_tells_of_neither():
    first, other = Watched({"train_dir": "a"}), Watched({"train_dir": "b"})
    assert not first.shared
    second = Watched({"train_dir": "a"})
    assert (first.shared, second.shared, other.shared) == (True, True, False)
    first.end()
    second.end()
    assert not Watched({"train_dir": "a"}).shared
    assert Watched({"allow_writing_files": False}).folder is None


def lose_ctrl_c(monkeypatch, at):
    """Presses Ctrl-C while CatBoost makes the argument of a callback, which drops exceptions."""
    original = _catboost.iteritems
    seen = []

    def iteritems(values, **kwargs):
        if "learn" in values:
            seen.append(values)
            if len(seen) == at:
                interrupt()
        return original(values, **kwargs)

    dropped = []
    monkeypatch.setattr(_catboost, "iteritems", iteritems)
    monkeypatch.setattr(sys, "unraisablehook", lambda told: dropped.append(told.exc_type))
    return dropped


@pytest.mark.parametrize("at", [1, 5])
def test_a_ctrl_c_that_catboost_loses_is_raised(at, monkeypatch):
    features, _ = large()
    model = cb.CatBoostRegressor(**{**QUIET, "depth": 6}, iterations=20)
    dropped = lose_ctrl_c(monkeypatch, at)
    with pytest.raises(KeyboardInterrupt):
        model.fit(features, features[:, 0])
    assert dropped == [KeyboardInterrupt]
    # CatBoost itself took the training for finished.
    assert 0 < model.tree_count_ < 20
    run = only()
    assert run.info.status == "FAILED"
    assert len(curve(run, "learn-RMSE")) == model.tree_count_


def test_a_ctrl_c_that_catboost_loses_by_a_callback_of_the_users(monkeypatch):
    model = cb.CatBoostRegressor(**QUIET, iterations=20)
    dropped = lose_ctrl_c(monkeypatch, 5)
    model.fit(*diabetes(), callbacks=[Nothing()])
    assert dropped == [KeyboardInterrupt]
    assert model.tree_count_ < 20
    assert only().info.status == "FINISHED"


def test_a_ctrl_c_in_our_callback_is_none_of_an_error(monkeypatch):
    monkeypatch.setattr(
        live.LiveCurves, "_write", lambda self, info: info.iteration == 3 and interrupt()
    )
    features, _ = large()
    with pytest.raises(KeyboardInterrupt):
        cb.CatBoostRegressor(**{**QUIET, "depth": 6}, iterations=20).fit(features, features[:, 0])
    assert only().info.status == "FAILED"


def test_a_live_fit_can_be_snapshotted_with_and_without_us():
    data = large()
    params = {**QUIET, "depth": 6, "allow_writing_files": True}
    for turn, on in enumerate((False, True, False, True), 1):
        autolog.catboost.autolog(disable=not on)
        model = cb.CatBoostClassifier(**params, iterations=2 * turn)
        model.fit(*data, save_snapshot=True, snapshot_file="snapshot", snapshot_interval=0)
        values = model.get_evals_result()["learn"]["Logloss"]
        assert len(values) == 2 * turn
        if on:
            run = runs()[-1]
            assert "live metrics" in report(run)["cost_ms"]["parts"]
            assert curve(run, "learn-Logloss") == dict(enumerate(values))


def test_a_model_of_a_live_fit_can_be_trained_anew():
    data = large()
    model = cb.CatBoostClassifier(**{**QUIET, "depth": 6}, iterations=3).fit(*data)
    assert report(only())["captured"]["metrics"] == 3
    kept, _ = models(only())["model"]
    loaded = autolog.catboost.load_model(f"models:/{kept.model_id}")
    assert "callbacks" not in loaded.get_params()
    assert "callbacks" not in model.get_metadata()["params"]
    loaded.fit(*data)


def settings():
    train, test = tumours()
    table, names = wines()
    ranked, relevance, ids = groups()
    numbers = diabetes()
    text = {"text_features": ["words"], "cat_features": ["strength"]}
    yield "plain", cb.CatBoostClassifier, {}, (*train,), {"eval_set": test}
    yield "early", cb.CatBoostClassifier, {"early_stopping_rounds": 2}, train, {"eval_set": test}
    yield "ordered", cb.CatBoostClassifier, {"boosting_type": "Ordered"}, train, {}
    yield "categories", cb.CatBoostClassifier, text, (table, names), {}
    yield "bayesian", cb.CatBoostRegressor, {"bootstrap_type": "Bayesian"}, numbers, {}
    yield "langevin", cb.CatBoostRegressor, {"langevin": True}, numbers, {}
    yield "lossguide", cb.CatBoostRegressor, {"grow_policy": "Lossguide"}, numbers, {}
    yield "quantile", cb.CatBoostRegressor, {"loss_function": "Quantile:alpha=0.3"}, numbers, {}
    yield "multiclass", cb.CatBoostClassifier, {"auto_class_weights": "Balanced"}, irises(), {}
    yield "ranking", cb.CatBoostRanker, {}, (ranked, relevance), {"group_id": ids}
    yield "two threads", cb.CatBoostClassifier, {"thread_count": 2}, train, {"eval_set": test}


def told(model):
    """What a model says of its training, without when and as which it was."""
    kept = model.get_metadata()
    different = ("model_guid", "train_finish_time")
    found = {name: kept[name] for name in kept.keys() if name not in different}  # noqa: SIM118
    # CatBoost's order of params says nothing.
    return found | {"params": json.loads(found["params"])}


@pytest.mark.parametrize(("name", "kind", "params", "data", "passed"), list(settings()))
def test_nothing_changes(name, kind, params, data, passed, tmp_path, monkeypatch):
    """With and without autologging, with and without our callback: the same bits."""
    made = []
    for on, live_share in ((False, 0), (True, 0), (True, 1e9)):
        autolog.catboost.autolog(disable=not on)
        monkeypatch.setattr(live, "_SHARE", live_share)
        model = kind(**{**QUIET, "iterations": 12, **params}).fit(*data, **passed)
        importances = getattr(model, "_prediction_values_change", None)
        made.append((
            trees(model, tmp_path), told(model), model.get_evals_result(), model.get_best_score(),
            model.best_iteration_, model.get_params(), model.get_all_params(), importances,
            sorted(vars(model)), model.predict(data[0]).tolist(),
        ))  # fmt: skip
    plain, after, during = made
    assert plain == after
    assert plain == during
    late, early = (report(run)["cost_ms"]["parts"] for run in runs())
    # The callback did run.
    assert "live metrics" in early
    assert "live metrics" not in late
    first, second = (run.data.metrics for run in runs())
    assert first == second
