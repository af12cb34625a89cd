"""A model of CatBoost is logged, found and loaded by its address."""

import os
import subprocess
import sys

import catboost as cb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import autolog
import autolog.catboost
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
SMALL = {
    "iterations": 3, "depth": 3, "thread_count": 1, "verbose": 0, "allow_writing_files": False,
}  # fmt: skip


def train(**params):
    return cb.CatBoostClassifier(**SMALL, **params).fit(X, y)


def test_a_model_is_logged_and_loaded_by_its_id(tracking):
    model = train()
    with autolog.start_run() as run:
        info = autolog.catboost.log_model(
            cb_model=model, name="clf", step=3, params={"kind": "trees"}, tags={"team": "a"},
            model_type="classifier", input_example=X.head(2), metadata={"note": 1},
        )  # fmt: skip
        autolog.log_metric("accuracy", 0.9, step=3)
    assert info.signature.inputs.input_names() == list(X.columns)
    expected = model.predict_proba(X)
    for address in (info.model_uri, f"runs:/{run.info.run_id}/clf"):
        found = autolog.catboost.load_model(address)
        np.testing.assert_array_equal(found.predict_proba(X), expected)
        loaded = autolog.pyfunc.load_model(address)
        np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    kept = autolog.get_logged_model(info.model_id)
    assert (kept.status, kept.name, kept.model_type) == ("READY", "clf", "classifier")
    assert kept.params == {"kind": "trees"}
    assert kept.tags["team"] == "a"
    assert [(metric.key, metric.value) for metric in kept.metrics] == [("accuracy", 0.9)]
    assert autolog.models.get_model_info(info.model_uri).metadata == {"note": 1}


def test_training_on_does_not_change_what_was_logged(tracking):
    model = train()
    infos, expected = [], []
    for step in range(3):
        infos.append(autolog.catboost.log_model(model, name=f"at-{step}", step=step))
        expected.append(model.predict_proba(X))
        model.fit(X, y, init_model=model)
    for step, info in enumerate(infos):
        found = autolog.catboost.load_model(info.model_uri)
        assert found.tree_count_ == 3 * (step + 1)
        np.testing.assert_array_equal(found.predict_proba(X), expected[step])


def test_a_fresh_process_loads_it(tracking, tmp_path):
    model = train()
    info = autolog.catboost.log_model(model, "trees", input_example=X.head(2))
    default_session().saving.wait()
    default_session().drain()
    code = (
        "import sys, numpy, autolog; from sklearn.datasets import load_breast_cancer\n"
        "X, y = load_breast_cancer(return_X_y=True, as_frame=True)\n"
        "numpy.save(sys.argv[2], autolog.pyfunc.load_model(sys.argv[1]).predict(X))"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code, info.model_uri, tmp_path / "out.npy"],
        env={**os.environ, "AUTOLOG_TRACKING_URI": default_session().address},
        check=True,
    )
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), model.predict(X))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"format": "pickle"}, InvalidArgument),
        ({"name": "a/b"}, InvalidArgument),
        ({"name": "a", "artifact_path": "b"}, InvalidArgument),
        ({"signature": "x"}, InvalidArgument),
        ({"registered_model_name": "prod"}, NotSupported),
        ({"cb_model": cb.CatBoostRegressor()}, InvalidArgument),
    ],
)
def test_mistakes_leave_no_record(tracking, arguments, error):
    with pytest.raises(error):
        autolog.catboost.log_model(**{"cb_model": train(), **arguments})
    assert autolog.search_logged_models(output_format="list") == []


def test_only_what_there_is_can_be_had():
    with pytest.raises(AttributeError, match=r"autolog\.catboost.*no attribute 'log_models'"):
        autolog.catboost.log_models  # noqa: B018
