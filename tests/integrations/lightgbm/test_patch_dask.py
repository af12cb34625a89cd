"""The estimators of `lightgbm.dask`: one run, on the driver, wherever the workers are."""

import json
import pickle
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pytest

import autolog
from autolog.lightgbm import patch
from autolog_core.session import default_session

distributed = pytest.importorskip("distributed")
array = pytest.importorskip("dask.array")

pytestmark = [
    pytest.mark.filterwarnings("ignore:Parameter n_jobs will be ignored"),
    pytest.mark.filterwarnings("ignore:The argument 'eval_set' is deprecated"),
]
SMALL = {"n_estimators": 4, "num_leaves": 4, "verbosity": -1}


@pytest.fixture(scope="module", params=[False, True], ids=["threads", "processes"])
def client(request):
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=request.param,
            dashboard_address=":0",
        ) as cluster,
        distributed.Client(cluster) as found,
    ):
        yield found


@pytest.fixture(autouse=True)
def switched_on(tracking):
    autolog.lightgbm.autolog()
    yield
    autolog.lightgbm.autolog(disable=True)


def only():
    (run,) = default_session().read().search_runs(["0"])
    return run


def curve(run, key):
    points = autolog.MlflowClient().get_metric_history(run.info.run_id, key)
    assert [point.step for point in points] == list(range(len(points)))
    return [point.value for point in points]


def table(rows=200):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(rows, 4))
    return features, (features[:, 0] > 0).astype(int)


def chunks(*arrays):
    return [array.from_array(each, chunks=(50, *each.shape[1:])) for each in arrays]


def test_one_run_on_the_driver(client):
    plain, answers = table()
    features, labels = chunks(plain, answers)
    estimator = lgb.DaskLGBMClassifier(client=client, **SMALL)
    estimator.fit(features, labels, eval_set=[(features, labels)], eval_metric="auc")
    run = only()
    assert run.info.status == "FINISHED"
    assert run.data.tags["estimator_name"] == "DaskLGBMClassifier"
    assert run.data.params["num_leaves"] == "4"
    assert "client" not in run.data.params
    for metric, values in estimator.evals_result_["valid_0"].items():
        assert curve(run, f"valid_0-{metric}") == values
    (use,) = {use.dataset.digest: use for use in run.inputs.dataset_inputs}.values()
    assert json.loads(use.dataset.profile)["digest_of"] == "pipeline"
    (output,) = run.outputs.model_outputs
    assert output.step == 3
    model = autolog.get_logged_model(output.model_id)
    assert {metric.key for metric in model.metrics} == set(run.data.metrics)
    loaded = autolog.lightgbm.load_model(f"models:/{output.model_id}")
    assert type(loaded) is lgb.LGBMClassifier
    np.testing.assert_array_equal(loaded.predict(plain), estimator.predict(features).compute())
    kept = json.loads((Path(run.info.artifact_uri) / "feature_importance_gain.json").read_text())
    assert list(kept.values()) == estimator.booster_.feature_importance("gain").tolist()


def test_predictions_make_no_run(client):
    plain, answers = table()
    features, labels = chunks(plain, answers)
    estimator = lgb.DaskLGBMRegressor(client=client, **SMALL).fit(features, labels)
    estimator.predict(features).compute()
    assert only().data.tags["estimator_name"] == "DaskLGBMRegressor"


def test_frames(client):
    frames = pytest.importorskip("dask.dataframe")
    pandas = pytest.importorskip("pandas")
    plain, answers = table()
    table_ = pandas.DataFrame(plain, columns=list("abcd")).assign(y=answers)
    data = frames.from_pandas(table_, npartitions=4)
    lgb.DaskLGBMClassifier(client=client, **SMALL).fit(data[list("abcd")], data["y"])
    run = only()
    assert len(run.inputs.dataset_inputs) == 1
    info = autolog.models.get_model_info(f"models:/{run.outputs.model_outputs[0].model_id}")
    assert info.signature.inputs.inputs[0].shape == (-1, 4)


def test_what_is_sent_to_the_workers_holds_nothing_of_us():
    for name in patch._WORK:
        assert b"autolog" not in pickle.dumps(getattr(lgb.dask, name))


def test_a_failure_is_the_users(client):
    features, labels = chunks(*table())
    with pytest.raises(Exception, match="objective") as caught:
        lgb.DaskLGBMRegressor(client=client, objective="nothing", **SMALL).fit(features, labels)
    assert only().info.status == "FAILED"
    assert "autolog" not in str(caught.value)


def test_no_checkpoints_of_what_trains_elsewhere(client):
    autolog.set_checkpoint_policy(autolog.CheckpointPolicy(every_n_steps=1))
    lgb.DaskLGBMRegressor(client=client, **SMALL).fit(*chunks(*table()))
    run = only()
    assert len(run.outputs.model_outputs) == 1
    assert (
        "on the workers of dask"
        in (Path(run.info.artifact_uri) / "autolog_report.json").read_text()
    )
