"""A model of XGBoost is logged, found and loaded by its address."""

import os
import subprocess
import sys

import numpy as np
import pytest
import xgboost as xgb
from sklearn.datasets import load_breast_cancer

import autolog
import autolog.xgboost
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
DATA = xgb.DMatrix(X, y)


def train(rounds=3, **params):
    return xgb.train({"max_depth": 3, "nthread": 1, **params}, DATA, rounds)


def test_a_model_is_logged_and_loaded_by_its_id(tracking):
    model = xgb.XGBClassifier(n_estimators=3, n_jobs=1).fit(X, y)
    with autolog.start_run() as run:
        info = autolog.xgboost.log_model(
            xgb_model=model, name="clf", step=3, params={"kind": "trees"}, tags={"team": "a"},
            model_type="classifier", input_example=X.head(2), metadata={"note": 1},
        )  # fmt: skip
        autolog.log_metric("accuracy", 0.9, step=3)
    assert info.signature.inputs.input_names() == list(X.columns)
    expected = model.predict_proba(X)
    for address in (info.model_uri, f"runs:/{run.info.run_id}/clf"):
        found = autolog.xgboost.load_model(address)
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
    model = train(2)
    infos, expected = [], []
    for step in range(4):
        infos.append(autolog.xgboost.log_model(model, name=f"at-{step}", step=step))
        expected.append(model.predict(DATA))
        model.update(DATA, 2 + step)
    for step, info in enumerate(infos):
        found = autolog.xgboost.load_model(info.model_uri)
        assert found.num_boosted_rounds() == 2 + step
        np.testing.assert_array_equal(found.predict(DATA), expected[step])


def test_a_fresh_process_loads_it(tracking, tmp_path):
    model = train(objective="binary:logistic")
    info = autolog.xgboost.log_model(model, "native", input_example=X.head(2))
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
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), model.predict(DATA))


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"model_format": "pickle"}, InvalidArgument),
        ({"name": "a/b"}, InvalidArgument),
        ({"name": "a", "artifact_path": "b"}, InvalidArgument),
        ({"signature": "x"}, InvalidArgument),
        ({"registered_model_name": "prod"}, NotSupported),
        ({"xgb_model": xgb.XGBRegressor()}, InvalidArgument),
    ],
)
def test_mistakes_leave_no_record(tracking, arguments, error):
    with pytest.raises(error):
        autolog.xgboost.log_model(**{"xgb_model": train(), **arguments})
    assert autolog.search_logged_models(output_format="list") == []


def test_only_what_there_is_can_be_had():
    with pytest.raises(AttributeError, match=r"autolog\.xgboost.*no attribute 'log_models'"):
        autolog.xgboost.log_models  # noqa: B018
