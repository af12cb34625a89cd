"""Options, pictures, and what is followed after a training."""

import logging
import pickle
from pathlib import Path

import numpy as np
import pytest
import xgboost as xgb
from tests.integrations.xgboost.patched import (
    BINARY,
    QUIET,
    artifact,
    datasets,
    load,
    models,
    only,
    runs,
    skipped,
    tumours,
)

import autolog
from autolog.instrument import control, lineage
from autolog_core.errors import InvalidArgument
from autolog_core.session import default_session


@pytest.fixture(autouse=True)
def switched_off(tracking):
    yield
    autolog.xgboost.autolog(disable=True)


def train(**others):
    part, valid = tumours()
    evals = [(xgb.DMatrix(*valid), "valid")]
    return xgb.train(BINARY, xgb.DMatrix(*part), 3, evals=evals, **QUIET, **others)


def fit():
    part, valid = tumours()
    model = xgb.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1)
    return model.fit(*part, eval_set=[valid], verbose=False)


@pytest.mark.parametrize("run_it", [train, fit])
def test_p49_log_models_false(run_it):
    autolog.xgboost.autolog(log_models=False)
    run_it()
    run = only()
    assert models(run) == {}
    assert skipped(run) == {"model": "log_models is False"}
    assert run.data.metrics


@pytest.mark.parametrize("run_it", [train, fit])
def test_p49_log_datasets_false(run_it):
    autolog.xgboost.autolog(log_datasets=False)
    run_it()
    run = only()
    assert datasets(run) == {}
    assert skipped(run) == {"dataset": "log_datasets is False"}
    (model,) = models(run).values()
    assert autolog.models.get_model_info(f"models:/{model.model_id}").signature is not None


@pytest.mark.parametrize("run_it", [train, fit])
def test_p49_examples_and_no_signature(run_it):
    autolog.xgboost.autolog(log_input_examples=True, log_model_signatures=False)
    run_it()
    (model,) = models(only()).values()
    loaded = autolog.pyfunc.load_model(f"models:/{model.model_id}")
    assert loaded.metadata.signature is None
    example = loaded.input_example
    assert list(example.columns) == list(tumours()[0][0].columns)
    assert len(example) == 5
    assert len(loaded.predict(example)) == 5


def test_p45_exclusive():
    autolog.xgboost.autolog(exclusive=True)
    with autolog.start_run():
        train()
        fit()
    assert only().data.params == {}
    train()
    assert len(runs()) == 2


def test_p46_disabled_is_pristine():
    before = {name: vars(xgb)[name] for name in ("train", "cv", "DMatrix", "Booster")}
    own = [vars(kind).copy() for kind in (xgb.DMatrix, xgb.Booster, xgb.XGBModel)]
    autolog.xgboost.autolog()
    assert xgb.train is not before["train"]
    autolog.xgboost.autolog(disable=True)
    train()
    assert runs() == []
    assert {name: vars(xgb)[name] for name in before} == before
    assert [vars(kind) for kind in (xgb.DMatrix, xgb.Booster, xgb.XGBModel)] == own


def test_p48_extra_tags():
    autolog.xgboost.autolog(extra_tags={"team": "pathology"})
    train()
    assert only().data.tags["team"] == "pathology"


def test_p47_silent(caplog):
    autolog.xgboost.autolog(silent=True, registered_model_name="tumours")
    with caplog.at_level(logging.DEBUG, "autolog"):
        train(callbacks=None)
        fit()
    assert caplog.records == []


def test_a_name_for_the_registry_has_no_effect_yet(caplog):
    autolog.xgboost.autolog(registered_model_name="tumours")
    assert "registered_model_name has no effect yet" in caplog.text
    assert "registered_model_name" in control.status()["xgboost"].without_effect


@pytest.mark.parametrize(
    "wrong",
    [
        {"importance_types": "gain"},
        {"importance_types": ["height"]},
        {"model_format": "pickle"},
        {"log_models": 1},
    ],
)
def test_wrong_options(wrong):
    with pytest.raises(InvalidArgument, match=next(iter(wrong))):
        autolog.xgboost.autolog(**wrong)
    train()
    assert runs() == []


def test_importances_as_data_and_picture():
    from matplotlib.figure import Figure

    assert Figure
    autolog.xgboost.autolog(importance_types=["total_gain"])
    booster = train()
    default_session().saving.wait()
    run = only()
    scores = artifact(run, "feature_importance_total_gain.json")
    assert scores == booster.get_score(importance_type="total_gain")
    picture = Path(run.info.artifact_uri) / "feature_importance_total_gain.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_no_importances():
    autolog.xgboost.autolog(importance_types=[])
    train()
    files = [each.path for each in autolog.artifacts.list_artifacts(run_id=only().info.run_id)]
    assert not [path for path in files if "importance" in path]


def test_importances_of_a_model_without_splits():
    autolog.xgboost.autolog()
    booster = xgb.train({"nthread": 1}, xgb.DMatrix(np.zeros((9, 2)), np.zeros(9)), 2)
    assert artifact(only(), "feature_importance_weight.json") == booster.get_score() == {}


def test_p52_trained_objects_are_pickled_without_us():
    autolog.xgboost.autolog()
    for trained in (train(), fit()):
        stored = pickle.dumps(trained)
        assert b"autolog" not in stored
        assert type(pickle.loads(stored)) is type(trained)
    for function in (xgb.train, xgb.cv, xgb.XGBClassifier.fit, xgb.Booster.predict):
        assert pickle.loads(pickle.dumps(function)).__name__ == function.__name__


def test_p44_an_import_after_switching_on(tmp_path):
    import subprocess
    import sys

    program = f"""
import autolog
autolog.set_tracking_uri({str(tmp_path / "runs")!r})
autolog.autolog()
import numpy as np
from xgboost import DMatrix, XGBRegressor, cv, train
X = np.arange(40.0).reshape(20, 2)
train({{}}, DMatrix(X, X[:, 0]), 2)
cv({{}}, DMatrix(X, X[:, 0]), 2)
XGBRegressor(n_estimators=2).fit(X, X[:, 0])
found = autolog.search_runs()
assert len(found) == 3 and set(found["status"]) == {{"FINISHED"}}, found
assert set(found["tags.mlflow.autologging"]) == {{"xgboost"}}
from autolog.instrument import faults
assert not faults.recent(), faults.recent()
"""
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)


@pytest.fixture
def followed(monkeypatch):
    """What is given to the module that knows what came from where."""
    seen = {"trained": [], "used": [], "predicted": [], "scored": []}

    def trained(subject, *_):
        seen["trained"].append(subject)

    def used(data, dataset, context, *_):
        seen["used"].append((data, dataset.name, context))

    monkeypatch.setattr(lineage, "trained", trained)
    monkeypatch.setattr(lineage, "used", used)
    for name, kind in (("follow_prediction", "predicted"), ("follow_score", "scored")):
        monkeypatch.setattr(
            lineage, name, lambda call, result, kind=kind: seen[kind].append((call, result))
        )
    return seen


def test_predictions_and_scores_are_followed(followed):
    autolog.xgboost.autolog()
    part, valid = tumours()
    matrix = xgb.DMatrix(*part)
    booster = xgb.train(BINARY, matrix, 2)
    model = fit()
    ranker = xgb.XGBRanker(n_estimators=1, n_jobs=1).fit(*part, qid=np.zeros(len(part[1]), int))
    assert followed["trained"] == [booster, model, ranker]
    assert followed["used"][0] == (matrix, "dataset", "train")
    results = [
        booster.predict(matrix),
        booster.inplace_predict(valid[0]),
        model.predict(valid[0]),
        model.predict_proba(valid[0]),
        ranker.predict(valid[0]),
    ]
    seen = followed["predicted"]
    assert [call.instance for call, _ in seen] == [booster, booster, model, model, ranker]
    assert all(one is other for one, (_, other) in zip(results, seen, strict=True))
    score = model.score(*valid)
    assert [(call.instance, result) for call, result in followed["scored"]] == [(model, score)]
    assert len(runs()) == 3
    assert load(models(runs()[0])["model"])
