"""A fitted estimator is logged, found and loaded by its address; what fails is told."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import autolog
from autolog.exceptions import MlflowException
from autolog_core.errors import InvalidArgument, InvalidState, NotFound, NotSupported
from autolog_core.session import default_session


@pytest.fixture
def data():
    return load_iris(return_X_y=True, as_frame=True)


def test_a_model_is_logged_and_loaded_by_its_id(tracking, data):
    X, y = data
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, y)
    with autolog.start_run() as run:
        autolog.log_params({"C": 1.0})
        info = autolog.sklearn.log_model(
            model, name="clf", step=3, params={"kind": "linear"}, tags={"team": "a"},
            input_example=X.head(2),
        )  # fmt: skip
        autolog.log_metric("accuracy", 0.9, step=3)
        autolog.log_metric("accuracy", 0.5, step=4)
    assert info.model_uri == f"models:/{info.model_id}"
    assert info.signature is not None
    loaded = autolog.pyfunc.load_model(info.model_uri)
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert np.array_equal(
        autolog.sklearn.load_model(info.model_uri).predict_proba(X), model.predict_proba(X)
    )
    assert np.array_equal(
        autolog.sklearn.load_model(f"runs:/{run.info.run_id}/clf").predict(X), model.predict(X)
    )
    kept = autolog.get_logged_model(info.model_id)
    assert kept.status == "READY"
    assert kept.name == "clf"
    assert kept.source_run_id == run.info.run_id
    assert kept.params == {"C": "1.0", "kind": "linear"}
    assert kept.tags["team"] == "a"
    assert int(kept.tags["autolog.model.bytes"]) > 1000
    assert {metric.key: metric.value for metric in kept.metrics} == {"accuracy": 0.9}
    best = autolog.search_logged_models(
        filter_string="metrics.accuracy > 0.8 AND params.kind = 'linear'", output_format="list"
    )
    assert [each.model_id for each in best] == [info.model_id]
    assert autolog.models.get_model_info(info.model_uri).flavors["sklearn"]
    assert autolog.last_logged_model().model_id == info.model_id


def test_what_is_done_to_the_estimator_afterwards_does_not_show(tracking, data):
    X, y = data
    model = Ridge().fit(X, y)
    before = model.predict(X)
    info = autolog.sklearn.log_model(model, name="ridge")
    model.fit(X, -y)
    assert np.array_equal(autolog.sklearn.load_model(info.model_uri).predict(X), before)
    assert autolog.get_logged_model(info.model_id).source_run_id is None


def test_a_fresh_process_loads_it(tracking, data):
    X, y = data
    info = autolog.sklearn.log_model(Ridge().fit(X, y), name="ridge")
    address = default_session().address
    default_session().saving.wait()
    default_session().drain()
    code = (
        "import sys, autolog; from sklearn.datasets import load_iris\n"
        "X, y = load_iris(return_X_y=True, as_frame=True)\n"
        "print(len(autolog.pyfunc.load_model(sys.argv[1]).predict(X)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, info.model_uri],
        env={**os.environ, "AUTOLOG_TRACKING_URI": address},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "150"


def test_files_that_cannot_be_written_make_it_failed(tracking, data, caplog):
    X, y = data
    session = default_session()
    root = session.experiment("0").artifact_location
    os.makedirs(root, exist_ok=True)
    with open(os.path.join(root, "models"), "w") as file:
        file.write("in the way")
    info = autolog.sklearn.log_model(Ridge().fit(X, y), name="ridge")
    with pytest.raises(InvalidState, match="is FAILED, not READY"):
        autolog.sklearn.load_model(info.model_uri)
    kept = autolog.get_logged_model(info.model_id)
    assert kept.status == "FAILED"
    assert kept.status_message
    assert "could not be saved" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"serialization_format": "joblib"}, InvalidArgument),
        ({"name": "a/b"}, InvalidArgument),
        ({"name": "a", "artifact_path": "b"}, InvalidArgument),
        ({"signature": "x"}, InvalidArgument),
        ({"registered_model_name": "prod"}, NotSupported),
        ({"params": {"a": "x" * 7000}}, InvalidArgument),
    ],
)
def test_mistakes_leave_no_record(tracking, data, arguments, error):
    with pytest.raises(error):
        autolog.sklearn.log_model(Ridge().fit(*data), **arguments)
    assert autolog.search_logged_models(output_format="list") == []


@pytest.mark.parametrize(
    ("uri", "error"),
    [
        ("models:/m-" + "0" * 32, NotFound),
        ("models:/prod/1", NotSupported),
        ("models:/prod@best", NotSupported),
        ("runs:/" + "0" * 32 + "/model", NotFound),
        ("runs:/abc", InvalidArgument),
    ],
)
def test_addresses_of_no_model(tracking, uri, error):
    with pytest.raises(error) as raised:
        autolog.pyfunc.load_model(uri)
    assert isinstance(raised.value, MlflowException)


def test_a_python_model_is_logged(tracking, tmp_path):
    weights = tmp_path / "weights.txt"
    weights.write_text("3")

    class Scale(autolog.pyfunc.PythonModel):
        def load_context(self, context):
            self.factor = float(Path(context.artifacts["weights"]).read_text())

        def predict(self, context, model_input, params=None):
            return model_input * self.factor

    info = autolog.pyfunc.log_model(
        name="scale", python_model=Scale(), artifacts={"weights": str(weights)}
    )
    weights.unlink()
    loaded = autolog.pyfunc.load_model(info.model_uri)
    assert loaded.predict(np.array([1.0, 2.0])).tolist() == [3.0, 6.0]
