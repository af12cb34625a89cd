"""Loops of joblib that the user writes, and those that scikit-learn makes of its own."""

import json
import multiprocessing
import os
import pickle
import signal
import threading
from pathlib import Path

import cloudpickle
import joblib
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_backend
from joblib._parallel_backends import LokyBackend, MultiprocessingBackend
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.process_executor import ProcessPoolExecutor, TerminatedWorkerError
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score, permutation_test_score

import autolog
from autolog.instrument import control, faults
from autolog_core.session import default_session

# Of Python, where a process that has threads forks.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")

CLASSIFIER = {
    "training_accuracy_score",
    "training_f1_score",
    "training_log_loss",
    "training_precision_score",
    "training_recall_score",
    "training_roc_auc",
    "training_score",
}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    before = control.snapshot()
    # Tasks carry the state as long as anything is on.
    control.restore({})
    autolog.sklearn.autolog()
    yield
    control.restore(before)


@pytest.fixture(scope="module", autouse=True)
def last_workers():
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


def train(number):
    model = LogisticRegression(C=number + 1.0, max_iter=500).fit(*load_iris(return_X_y=True))
    return model, faults.recent()


def train_badly(number):
    LogisticRegression(C=-1.0).fit(*load_iris(return_X_y=True))


def train_by_parts(number):
    features, labels = load_iris(return_X_y=True)
    model = SGDClassifier(alpha=0.001 * (number + 1), random_state=0)
    for _ in range(3):
        model.partial_fit(features, labels, classes=np.unique(labels))
    return faults.recent()


def search(number):
    model = LogisticRegression(max_iter=500)
    GridSearchCV(model, {"C": [1.0, 2.0]}, cv=2, n_jobs=2).fit(*load_iris(return_X_y=True))


def train_in_threads(number):
    Parallel(n_jobs=2)(delayed(train)(each) for each in (number, number + 1))


class Deadly(LogisticRegression):
    """An estimator that kills its process in the midst of the fit."""

    def fit(self, X, y):
        os.kill(os.getpid(), signal.SIGKILL)


def train_deadly(number):
    Deadly(C=number).fit(*load_iris(return_X_y=True))


class Looping(ClassifierMixin, BaseEstimator):
    """An estimator with a loop of its own, most of it sent from a thread of joblib."""

    def fit(self, X, y):
        calls = (delayed(pow)(number, 2) for number in range(12))
        self.squares_ = Parallel(n_jobs=2, batch_size=1, pre_dispatch=2)(calls)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Committee(Looping):
    """An estimator that trains others in a loop of its own."""

    def fit(self, X, y):
        models = [LogisticRegression(C=c, max_iter=500) for c in (1.0, 2.0)]
        self.models_ = Parallel(n_jobs=2)(delayed(model.fit)(X, y) for model in models)
        self.classes_ = np.unique(y)
        return self


def runs(key="C"):
    """Returns the runs of trainings, as their params say."""
    found = default_session().read_models().search_runs(["0"])
    trained = [run for run in found if key in run.data.params]
    return sorted(trained, key=lambda run: float(run.data.params[key]))


def estimators():
    """Returns the names of what was trained, those within a search aside."""
    found = default_session().read().search_runs(["0"])
    names = {run.info.run_id: run.data.tags.get("estimator_name", "") for run in found}
    searches = {run_id for run_id, name in names.items() if name == "GridSearchCV"}
    return sorted(
        names[run.info.run_id]
        for run in found
        if run.data.tags.get("mlflow.parentRunId") not in searches
    )


def check_whole(run):
    """Checks that a run of `train` holds what a fit in this process leaves."""
    assert run.info.status == "FINISHED"
    assert set(run.data.metrics) >= CLASSIFIER
    assert run.data.tags["mlflow.autologging"] == "sklearn"
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    assert [use.context for use in run.inputs.dataset_inputs] == ["train"]
    report = json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())
    assert report["errors"] == []
    (output,) = run.outputs.model_outputs
    model = default_session().store().get_logged_model(output.model_id)
    assert model.status == "READY"
    assert model.source_run_id == run.info.run_id


def test_a_task_is_a_method_of_an_estimator(iris):
    # Fresh workers meet the method before they run the task.
    get_reusable_executor().shutdown(wait=True)
    models = [LogisticRegression(C=c, max_iter=500) for c in (1.0, 2.0)]
    Parallel(n_jobs=2)(delayed(model.fit)(*iris) for model in models)
    found = runs()
    assert [run.data.params["C"] for run in found] == ["1.0", "2.0"]
    for run in found:
        check_whole(run)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading", "sequential"])
def test_p53_four_workers_have_a_whole_run_each(backend, iris):
    with parallel_backend(backend):
        results = Parallel(n_jobs=4)(delayed(train)(number) for number in range(4))
    found = runs()
    assert [run.data.params["C"] for run in found] == ["1.0", "2.0", "3.0", "4.0"]
    for run, (model, errors) in zip(found, results, strict=True):
        check_whole(run)
        assert errors == ()
        assert run.data.metrics["training_score"] == model.score(*iris)
        kept = autolog.sklearn.load_model(f"models:/{run.outputs.model_outputs[0].model_id}")
        assert np.array_equal(kept.coef_, model.coef_)


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_the_active_run_is_the_parent(backend):
    with autolog.start_run() as active:
        Parallel(n_jobs=2, backend=backend)(delayed(train)(number) for number in range(2))
        # Through the same workers, before the run is over.
        assert [run.data.tags["mlflow.parentRunId"] for run in runs()] == [active.info.run_id] * 2
    Parallel(n_jobs=2, backend=backend)(delayed(train)(number) for number in range(2, 4))
    found = runs()
    for run in found:
        check_whole(run)
    assert ["mlflow.parentRunId" in run.data.tags for run in found] == [True, True, False, False]
    assert autolog.get_run(active.info.run_id).data.params == {}


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_process_is_a_method_of_an_estimator(method, iris):
    context = multiprocessing.get_context(method)
    process = context.Process(target=LogisticRegression(max_iter=500).fit, args=iris)
    process.start()
    process.join()
    (run,) = runs()
    check_whole(run)


def test_many_batches_and_a_generator():
    options = {} if joblib.__version__ < "1.3" else {"return_as": "generator"}
    calls = (delayed(train)(number) for number in range(8))
    found = list(Parallel(n_jobs=2, pre_dispatch=2, batch_size=1, **options)(calls))
    assert len(found) == len(runs()) == 8


def test_changes_reach_workers_that_are_used_again(tmp_path):
    with Parallel(n_jobs=2) as parallel:

        def turn(number):
            parallel(delayed(train)(each) for each in (number, number + 1))

        autolog.sklearn.autolog(extra_tags={"turn": "first"}, log_models=False)
        turn(0)
        autolog.sklearn.autolog(extra_tags={"turn": "second"}, log_datasets=False)
        turn(2)
        autolog.sklearn.autolog(disable=True)
        turn(4)
        autolog.sklearn.autolog()
        autolog.set_tracking_uri(tmp_path / "elsewhere")
        turn(6)
        elsewhere = runs()
        autolog.set_tracking_uri(tmp_path / "mlruns")
    found = runs()
    assert [run.data.params["C"] for run in found] == ["1.0", "2.0", "3.0", "4.0"]
    assert [run.data.tags["turn"] for run in found] == ["first"] * 2 + ["second"] * 2
    assert [len(run.outputs.model_outputs) for run in found] == [0, 0, 1, 1]
    assert [len(run.inputs.dataset_inputs) for run in found] == [1, 1, 0, 0]
    assert [run.data.params["C"] for run in elsewhere] == ["7.0", "8.0"]
    for run in elsewhere:
        assert set(run.data.metrics) >= CLASSIFIER


def test_p8_p14_workers_of_a_watched_call_make_no_runs(iris):
    # They were turned on a moment ago.
    Parallel(n_jobs=2)(delayed(train)(number) for number in range(2))
    with parallel_backend("loky", n_jobs=2):
        RandomForestClassifier(4).fit(*iris)
        BaggingClassifier(LogisticRegression(max_iter=500), 4, n_jobs=2).fit(*iris)
        GridSearchCV(LogisticRegression(max_iter=500), {"C": [1.0, 2.0]}, cv=2).fit(*iris)
        Committee().fit(*iris)
        before = estimators()
        with autolog.disabled():
            cross_val_score(LogisticRegression(max_iter=500), *iris, cv=2)
            permutation_test_score(LogisticRegression(), *iris, cv=2, n_permutations=2)
    assert before.count("LogisticRegression") == 2
    assert before.count("DecisionTreeClassifier") == before.count("DecisionTreeRegressor") == 0
    assert before.count("RandomForestClassifier") == before.count("BaggingClassifier") == 1
    assert before.count("GridSearchCV") == before.count("Committee") == 1
    assert estimators() == before


@pytest.fixture
def sent(monkeypatch):
    """Collects the tasks that are sent to loky's workers."""
    tasks = []
    submit = ProcessPoolExecutor.submit

    def spy(self, fn, *args, **kwargs):
        # Its arrays are pickled as they are now: those that are estimated go on meanwhile.
        tasks.append(cloudpickle.dumps(fn))
        return submit(self, fn, *args, **kwargs)

    autolog.sklearn.autolog(disable=True)
    monkeypatch.setattr(ProcessPoolExecutor, "submit", spy)
    autolog.sklearn.autolog()
    yield tasks
    # Ours lies over the spy.
    autolog.sklearn.autolog(disable=True)


def test_p52_what_a_watched_call_sends_is_what_joblib_sends(sent, iris):
    def fit():
        sent.clear()
        Looping().fit(*iris)
        return list(sent)

    watched = fit()
    autolog.sklearn.autolog(disable=True)
    assert fit() == watched
    autolog.sklearn.autolog()
    GridSearchCV(LogisticRegression(max_iter=500), {"C": [1.0, 2.0]}, cv=2, n_jobs=2).fit(*iris)
    assert len(watched) == 12
    assert len(sent) > 12
    assert not any(b"autolog" in data for data in sent)
    Parallel(n_jobs=2)(delayed(train)(number) for number in range(2))
    assert b"autolog" in sent[-1]


def test_p52_what_a_worker_returns_holds_nothing_of_us():
    ((model, _), _) = Parallel(n_jobs=2)(delayed(train)(number) for number in range(2))
    assert b"autolog" not in pickle.dumps(model)
    assert "autolog" not in " ".join(vars(model))


def test_p52_turning_it_off_restores_joblib():
    owners = (LokyBackend, MultiprocessingBackend, ProcessPoolExecutor)
    names = ("start_call", "submit", "apply_async")

    def raw():
        return [owner.__dict__.get(name) for owner in owners for name in names]

    during = raw()
    autolog.sklearn.autolog(disable=True)
    before = raw()
    changed = [one is not other for one, other in zip(before, during, strict=True)]
    assert sum(changed) == 5
    autolog.sklearn.autolog()
    autolog.sklearn.autolog(disable=True)
    assert raw() == before


def test_searches_in_workers(iris):
    Parallel(n_jobs=2)(delayed(search)(number) for number in range(2))
    assert estimators().count("GridSearchCV") == 2
    assert "LogisticRegression" not in estimators()


def test_loops_in_workers():
    Parallel(n_jobs=2)(delayed(train_in_threads)(10 * number) for number in range(2))
    found = runs()
    assert [run.data.params["C"] for run in found] == ["1.0", "2.0", "11.0", "12.0"]
    for run in found:
        check_whole(run)


def test_a_training_by_parts_is_over_with_its_task():
    results = Parallel(n_jobs=2)(delayed(train_by_parts)(number) for number in range(2))
    assert results == [(), ()]
    found = runs("alpha")
    assert [run.info.status for run in found] == ["FINISHED", "FINISHED"]
    for run in found:
        assert (Path(run.info.artifact_uri) / "autolog_report.json").exists()
        assert len(run.outputs.model_outputs) == 1


@pytest.mark.parametrize("backend", ["loky", "multiprocessing"])
def test_p15_a_failing_fit(backend):
    with pytest.raises(ValueError, match="'C' parameter") as caught:
        Parallel(n_jobs=2, backend=backend)(delayed(train_badly)(number) for number in range(2))
    if backend == "loky":
        assert type(caught.value.__cause__).__name__ == "_RemoteTraceback"
        assert "in train_badly" in str(caught.value.__cause__)
    assert {run.info.status for run in runs()} == {"FAILED"}


def test_what_cannot_be_pickled_fails_as_ever():
    def send():
        with pytest.raises(pickle.PicklingError) as caught:
            Parallel(n_jobs=2)(delayed(train)(threading.Lock()) for _ in range(2))
        return str(caught.value), type(caught.value.__cause__).__name__

    ours = send()
    autolog.sklearn.autolog(disable=True)
    assert send() == ours


def test_p53_what_a_killed_worker_has_logged_is_there():
    with autolog.start_run() as active, pytest.raises(TerminatedWorkerError):
        Parallel(n_jobs=2)(delayed(train_deadly)(number) for number in (3.0, 4.0))
    found = runs()
    assert found
    for run in found:
        assert run.info.status == "FAILED"
        assert run.data.tags["estimator_name"] == "Deadly"
        assert run.data.tags["mlflow.parentRunId"] == active.info.run_id


def test_a_loop_in_a_thread_of_the_user():
    from concurrent.futures import ThreadPoolExecutor

    def loop():
        Parallel(n_jobs=2, backend="multiprocessing")(delayed(train)(each) for each in range(2))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop).result()
    assert len(runs()) == 2


def test_tasks_of_an_executor_of_loky():
    loaded = "'autolog.instrument.worker_tasks' in __import__('sys').modules"
    executor = get_reusable_executor(max_workers=1)
    with autolog.disabled():
        assert not executor.submit(eval, loaded).result()
    assert executor.submit(eval, loaded).result()


def make_estimator(name):
    """Returns a class that is pickled by value, as those of a notebook are."""

    class Own(ClassifierMixin, BaseEstimator):
        def __init__(self, C=1.0):
            self.C = C

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    Own.__name__ = Own.__qualname__ = name
    return Own


def test_classes_of_a_notebook_that_are_defined_anew(iris):
    # What another test has left is none of joblib's own.
    get_reusable_executor().shutdown(wait=True)
    for turn in range(3):
        own = make_estimator(f"Own{turn}")
        if turn == 1:
            # Workers meet the class in a task that is none of the user's.
            GridSearchCV(own(), {"C": [1.0, 2.0]}, cv=2, n_jobs=2).fit(*iris)
        Parallel(n_jobs=2)(delayed(own(C=c).fit)(*iris) for c in (turn + 0.0, turn + 0.5))
    made = [name for name in estimators() if name.startswith("Own")]
    assert made == ["Own0", "Own0", "Own1", "Own1", "Own2", "Own2"]
