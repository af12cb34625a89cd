"""Estimators of users and of other libraries, whenever they are defined."""

import gc
import inspect
import pickle
import subprocess
import sys
import textwrap
import weakref

import cloudpickle
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.linear_model import Ridge
from sklearn.utils.metaestimators import available_if

import autolog
from autolog.instrument.wrapper import Wrapper
from autolog_core.session import default_session


@pytest.fixture
def on(tracking):
    autolog.sklearn.autolog()
    yield
    autolog.sklearn.autolog(disable=True)


def runs():
    return default_session().read().search_runs(["0"])


class Early(ClassifierMixin, BaseEstimator):
    def __init__(self, depth=1):
        self.depth = depth

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        autolog.log_metric("inside", 1)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


DATA = [[0.0], [1.0], [2.0]], [0, 0, 1]


def test_a_class_from_before_and_one_from_after(on):
    class Late(Early):
        def fit(self, X, y):
            return super().fit(X, y)

    Early(depth=2).fit(*DATA)
    Late(depth=3).fit(*DATA)
    second, first = sorted(runs(), key=lambda run: run.data.params["depth"], reverse=True)
    assert first.data.tags["estimator_name"] == "Early"
    assert second.data.tags["estimator_name"] == "Late"
    for run in (first, second):
        assert run.data.metrics["training_accuracy_score"] == pytest.approx(2 / 3)
        assert run.data.metrics["inside"] == 1


@pytest.mark.parametrize(
    "bases", [(TransformerMixin, BaseEstimator), (BaseEstimator, TransformerMixin)]
)
def test_sklearns_own_wrapping_of_fit_transform_stays_inside_ours(on, bases):
    class Table(*bases):
        def fit(self, X, y=None):
            return self

        def transform(self, X):
            return np.asarray(X)

        def fit_transform(self, X, y=None):
            return np.asarray(X)

        def get_feature_names_out(self, names=None):
            return ["a"]

    assert type(Table.__dict__["fit_transform"]) is Wrapper
    assert list(Table().set_output(transform="pandas").fit_transform([[1.0]]).columns) == ["a"]
    autolog.sklearn.autolog(disable=True)
    assert type(Table.__dict__["fit_transform"]) is type(
        test_a_class_from_before_and_one_from_after
    )
    assert list(Table().set_output(transform="pandas").fit_transform([[1.0]]).columns) == ["a"]


def test_arguments_of_a_class_statement_pass(on):
    class Plain(TransformerMixin, BaseEstimator, auto_wrap_output_keys=None):
        def fit(self, X, y=None):
            return self

    assert Plain._sklearn_auto_wrap_output_keys == set()


def test_methods_that_are_there_only_sometimes(on):
    class Sometimes(BaseEstimator):
        def __init__(self, able=True):
            self.able = able

        @available_if(lambda self: self.able)
        def fit(self, X, y=None):
            return self

    assert hasattr(Sometimes(), "fit")
    assert not hasattr(Sometimes(able=False), "fit")
    model = Sometimes()
    assert model.fit([[1.0]]) is model
    assert len(runs()) == 1


def test_what_is_no_method_is_left_alone(on):
    class Odd(BaseEstimator):
        fit = None
        fit_predict = property(lambda self: "value")

    assert Odd.fit is None
    assert Odd().fit_predict == "value"


def test_a_class_can_go_away(on):
    def define():
        class Passing(BaseEstimator):
            def fit(self, X, y=None):
                return super().__repr__()

        return weakref.ref(Passing)

    gone = define()
    gc.collect()
    assert gone() is None


def test_sklearn_sees_the_signature(on):
    from sklearn.utils.validation import has_fit_parameter

    assert has_fit_parameter(Ridge(), "sample_weight")
    assert "sample_weight" in inspect.signature(Ridge.fit).parameters
    assert list(inspect.signature(Early().fit).parameters) == ["X", "y"]
    with pytest.raises(RuntimeError):
        Ridge().set_fit_request(sample_weight=True)


def test_copies_and_pickles(on):
    model = Early(depth=5).fit(*DATA)
    assert clone(model).depth == 5
    for dump in (pickle.dumps, cloudpickle.dumps):
        stored = dump(model)
        assert b"autolog.instrument" not in stored
        assert pickle.loads(stored).classes_.tolist() == [0, 1]


def test_switching_on_again_adds_nothing(on):
    before = BaseEstimator.__dict__["__init_subclass__"]
    patches = autolog.status()["sklearn"].patches
    autolog.sklearn.autolog(log_datasets=False)
    autolog.autolog()
    assert BaseEstimator.__dict__["__init_subclass__"] is before
    assert autolog.status()["sklearn"].patches == patches
    autolog.autolog(disable=True)


def test_everything_comes_back_pristine(tracking):
    def entries():
        found = {}
        stack = [BaseEstimator]
        while stack:
            owner = stack.pop()
            stack += owner.__subclasses__()
            for name in ("fit", "fit_transform", "fit_predict", "__init_subclass__"):
                if name in owner.__dict__:
                    found[owner, name] = owner.__dict__[name]
        return found

    autolog.sklearn.autolog(disable=True)
    before = entries()
    autolog.sklearn.autolog()
    assert sum(type(raw) is Wrapper for raw in entries().values()) > 20
    autolog.sklearn.autolog(disable=True)
    after = entries()
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before)


SCRIPT = """
    import autolog
    autolog.set_tracking_uri({folder!r})
    autolog.autolog()

    import numpy as np
    from joblib import Parallel, delayed
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.datasets import load_iris
    from sklearn.ensemble import BaggingClassifier
    from sklearn.model_selection import GridSearchCV, cross_val_score

    class Own(ClassifierMixin, BaseEstimator):
        def __init__(self, kind=0):
            self.kind = kind

        def fit(self, X, y):
            super().__repr__()
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.kind)

    if __name__ == "__main__":
        X, y = load_iris(return_X_y=True)
        Own(1).fit(X, y)
        cross_val_score(Own(), X, y, cv=2, n_jobs=2)
        GridSearchCV(Own(), {{"kind": [0, 1, 2]}}, cv=2, n_jobs=2).fit(X, y)
        BaggingClassifier(Own(), n_estimators=4, n_jobs=2).fit(X, y)
        models = Parallel(n_jobs=2)(delayed(Own(kind).fit)(X, y) for kind in range(2))
        print(sorted(run.data.tags["estimator_name"]
                     for run in autolog.search_runs(output_format="list")))
        print([model.kind for model in models])
        errors = autolog.status()["sklearn"].errors
        print(errors)
"""


def test_a_script_with_a_class_of_its_own_and_worker_processes(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(SCRIPT).format(folder=str(tmp_path / "mlruns")))
    done = subprocess.run(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, cwd=tmp_path, check=True
    )
    names, kinds, errors = done.stdout.splitlines()[-3:]
    # The fit, the cross-validation, the three candidates of the search, the two of the workers.
    assert names == str(["BaggingClassifier", "GridSearchCV", *["Own"] * 7])
    assert kinds == "[0, 1]"
    assert errors == "0"


def test_a_class_whose_fit_is_asynchronous_hinders_no_other(tracking):
    from sklearn.base import BaseEstimator

    class Slow(BaseEstimator):
        async def fit(self, X, y=None):
            return self

    class Plain(BaseEstimator):
        def fit(self, X, y=None):
            self.seen_ = len(X)
            return self

    autolog.sklearn.autolog()
    try:
        Plain().fit([[1.0], [2.0]])
        assert autolog.last_active_run().info.status == "FINISHED"
        Slow().fit([[1.0]]).close()
    finally:
        autolog.sklearn.autolog(disable=True)
