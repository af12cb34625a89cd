"""Checkpoints, signatures and input examples of what is trained."""

import json
import pickle
import threading
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

import autolog
from autolog_core.session import default_session

pytestmark = pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated")
X, y = load_breast_cancer(return_X_y=True, as_frame=True)
PARAMS = {
    "objective": "binary",
    "metric": "auc",
    "num_leaves": 4,
    "num_threads": 1,
    "verbosity": -1,
}
SMALL = {"n_estimators": 6, "num_leaves": 4, "n_jobs": 1, "verbosity": -1}


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)


def only():
    (run,) = default_session().read().search_runs(["0"])
    return run


def skipped(run):
    report = json.loads((Path(run.info.artifact_uri) / "autolog_report.json").read_text())
    return {entry["what"] for entry in report["skipped"]}


def info(run):
    return autolog.models.get_model_info(f"models:/{run.outputs.model_outputs[-1].model_id}")


def sets():
    known = lgb.Dataset(X[:400], y[:400])
    return known, lgb.Dataset(X[400:], y[400:], reference=known)


@pytest.mark.parametrize("boosting", ["gbdt", "dart", "rf"])
def test_checkpoints_are_models_of_their_iteration(boosting):
    autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=2))
    known, held_out = sets()
    told, shots = {}, {}

    def keep(env):
        shots[env.iteration] = env.model.predict(X)

    params = PARAMS | {"boosting": boosting, "bagging_freq": 1, "bagging_fraction": 0.5}
    lgb.train(params, known, 5, [held_out], callbacks=[lgb.record_evaluation(told), keep])
    steps = {}
    for output in only().outputs.model_outputs:
        model = autolog.get_logged_model(output.model_id)
        steps[model.name] = output.step
        assert [metric.value for metric in model.metrics] == [told["valid_0"]["auc"][output.step]]
        loaded = autolog.lightgbm.load_model(f"models:/{output.model_id}")
        np.testing.assert_array_equal(loaded.predict(X), shots[output.step])
        assert autolog.models.get_model_info(f"models:/{output.model_id}").signature is not None
    assert steps == {"model-0": 0, "model-2": 2, "model-4": 4, "model": 4}


def test_checkpoints_do_not_change_the_training():
    known, held_out = sets()
    plain = lgb.train(PARAMS, known, 6, [held_out])
    autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=1))
    known, held_out = sets()
    kept = lgb.train(PARAMS, known, 6, [held_out])
    assert kept.model_to_string() == plain.model_to_string()


def test_the_best_checkpoint_of_an_estimator():
    autolog.set_checkpoint_policy(
        autolog.CheckpointPolicy(save_best_only=True, monitor="valid_0-binary_logloss")
    )
    estimator = lgb.LGBMClassifier(**SMALL).fit(X[:400], y[:400], eval_set=[(X[400:], y[400:])])
    outputs = only().outputs.model_outputs
    values = estimator.evals_result_["valid_0"]["binary_logloss"]
    assert values == sorted(values, reverse=True)
    assert [output.step for output in outputs] == [0, 1, 2, 3, 4, 5, 5]
    loaded = {}
    for output in outputs:
        name = autolog.get_logged_model(output.model_id).name
        loaded[name] = type(autolog.lightgbm.load_model(f"models:/{output.model_id}"))
    assert loaded.pop("model") is lgb.LGBMClassifier
    assert set(loaded.values()) == {lgb.Booster}


def test_p49_no_checkpoints_without_models():
    autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=1))
    autolog.lightgbm.autolog(log_models=False)
    lgb.train(PARAMS, sets()[0], 3)
    assert not only().outputs.model_outputs


@pytest.mark.parametrize("native", [True, False])
def test_p49_input_examples(native):
    autolog.lightgbm.autolog(log_input_examples=True)
    if native:
        lgb.train(PARAMS, lgb.Dataset(X, y), 2)
    else:
        lgb.LGBMClassifier(**SMALL).fit(X, y)
    uri = f"models:/{info(only()).model_id}"
    example = autolog.pyfunc.load_model(uri).input_example
    pd.testing.assert_frame_equal(example, X.head(5))


def test_an_input_example_of_a_file_is_not_known(tmp_path):
    autolog.lightgbm.autolog(log_input_examples=True)
    path = tmp_path / "train.csv"
    np.savetxt(path, np.c_[y, X], delimiter=",")
    lgb.train(PARAMS, lgb.Dataset(path), 2)
    assert skipped(only()) == {"input example"}


def test_p49_no_signature():
    autolog.lightgbm.autolog(log_model_signatures=False)
    lgb.LGBMClassifier(**SMALL).fit(X, y)
    assert info(only()).signature is None


@pytest.mark.parametrize("native", [True, False])
def test_categories_and_missing_values(native):
    data = X.iloc[:, :4].copy()
    data.columns = ["a", "b", "c", "d"]
    data["size"] = pd.cut(X["mean area"], 3, labels=["small", "middle", "large"]).astype("object")
    data["size"] = data["size"].astype("category")
    data.loc[::3, "a"] = np.nan
    if native:
        model = lgb.train(PARAMS, lgb.Dataset(data, y), 3)
    else:
        model = lgb.LGBMClassifier(**SMALL).fit(data, y)
    loaded = autolog.pyfunc.load_model(f"models:/{info(only()).model_id}")
    np.testing.assert_array_equal(loaded.predict(data), model.predict(data))
    assert info(only()).signature.inputs.input_names() == list(data.columns)


def test_rows_as_lists():
    features, labels = load_wine(return_X_y=True)
    lgb.LGBMClassifier(**SMALL).fit(features.tolist(), labels.tolist())
    assert info(only()).signature.inputs.inputs[0].shape == (-1, 13)
    assert len(only().inputs.dataset_inputs) == 1


class Unkept(lgb.LGBMRegressor):
    """Holds what cannot be pickled."""

    def fit(self, X, y):
        super().fit(X, y)
        self.lock_ = threading.Lock()
        return self


def test_an_estimator_that_cannot_be_kept():
    estimator = Unkept(**SMALL).fit(X, y)
    run = only()
    assert run.info.status == "FINISHED"
    assert skipped(run) == {"model"}
    with pytest.raises(TypeError):
        pickle.dumps(estimator)


def test_a_picture_of_the_importances(tracking):
    pytest.importorskip("matplotlib.figure")
    booster = lgb.train(PARAMS, lgb.Dataset(X, y), 2)
    default_session().saving.wait()
    folder = Path(only().info.artifact_uri)
    for kind in ("split", "gain"):
        assert (folder / f"feature_importance_{kind}.png").read_bytes()[:4] == b"\x89PNG"
    kept = json.loads((folder / "feature_importance_split.json").read_text())
    assert kept == dict(
        zip(booster.feature_name(), booster.feature_importance().tolist(), strict=True)
    )
    assert all(isinstance(value, int) for value in kept.values())
