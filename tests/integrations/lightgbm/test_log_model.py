"""A model of LightGBM is logged, found and loaded by its address."""

import os
import subprocess
import sys

import lightgbm as lgb
import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer

import autolog
import autolog.lightgbm
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.session import default_session

X, y = load_breast_cancer(return_X_y=True, as_frame=True)
PARAMS = {"num_leaves": 7, "num_threads": 1, "verbosity": -1}
SMALL = {"n_estimators": 3, "num_leaves": 7, "n_jobs": 1, "verbosity": -1}


def train(rounds=3, **params):
    return lgb.train({**PARAMS, **params}, lgb.Dataset(X, y), rounds)


def test_a_model_is_logged_and_loaded_by_its_id(tracking):
    model = lgb.LGBMClassifier(**SMALL).fit(X, y)
    with autolog.start_run() as run:
        info = autolog.lightgbm.log_model(
            lgb_model=model, name="clf", step=3, params={"kind": "trees"}, tags={"team": "a"},
            model_type="classifier", input_example=X.head(2), metadata={"note": 1},
        )  # fmt: skip
        autolog.log_metric("accuracy", 0.9, step=3)
    assert info.signature.inputs.input_names() == list(X.columns)
    expected = model.predict_proba(X)
    for address in (info.model_uri, f"runs:/{run.info.run_id}/clf"):
        found = autolog.lightgbm.load_model(address)
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
    model = lgb.Booster(PARAMS, lgb.Dataset(X, y))
    model.update()
    infos, expected = [], []
    for step in range(4):
        infos.append(autolog.lightgbm.log_model(model, name=f"at-{step}", step=step))
        expected.append(model.predict(X))
        model.update()
    for step, info in enumerate(infos):
        found = autolog.lightgbm.load_model(info.model_uri)
        assert found.current_iteration() == 1 + step
        np.testing.assert_array_equal(found.predict(X), expected[step])


@pytest.mark.parametrize("native", [True, False])
def test_a_fresh_process_loads_it(native, tracking, tmp_path):
    model = train(objective="binary") if native else lgb.LGBMClassifier(**SMALL).fit(X, y)
    info = autolog.lightgbm.log_model(model, "trees", input_example=X.head(2))
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
        ({"serialization_format": "joblib"}, InvalidArgument),
        ({"name": "a/b"}, InvalidArgument),
        ({"name": "a", "artifact_path": "b"}, InvalidArgument),
        ({"signature": "x"}, InvalidArgument),
        ({"registered_model_name": "prod"}, NotSupported),
        ({"lgb_model": lgb.LGBMRegressor()}, InvalidArgument),
    ],
)
def test_mistakes_leave_no_record(tracking, arguments, error):
    with pytest.raises(error):
        autolog.lightgbm.log_model(**{"lgb_model": train(), **arguments})
    assert autolog.search_logged_models(output_format="list") == []


def test_only_what_there_is_can_be_had():
    with pytest.raises(AttributeError, match=r"autolog\.lightgbm.*no attribute 'log_models'"):
        autolog.lightgbm.log_models  # noqa: B018
