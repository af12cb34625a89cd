"""Metrics, params, tags, datasets: what a call keeps and what it refuses."""

import json
import math
import time

import numpy as np
import pandas as pd
import pytest

import autolog
from autolog.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag
from autolog.exceptions import InvalidArgument, MlflowException, NotFound, ParamConflict

pytestmark = pytest.mark.usefixtures("tracking")

DATA = Dataset("iris", "abcd1234", "local", '{"uri": "iris.csv"}', '{"columns": []}', None)


def history(run, key):
    return autolog.MlflowClient().get_metric_history(run.info.run_id, key)


def test_logging_without_a_run_starts_one():
    autolog.log_metric("m", 1)
    run = autolog.active_run()
    autolog.log_param("p", 1)
    autolog.set_tag("t", 1)
    assert autolog.active_run() == run
    autolog.end_run()
    assert run.data.metrics == {"m": 1.0}
    assert run.data.params == {"p": "1"}


def test_missing_step_is_0_and_missing_or_0_timestamp_is_now():
    before = time.time_ns() // 1_000_000
    with autolog.start_run() as run:
        autolog.log_metric("m", 1)
        autolog.log_metric("m", 2, timestamp=0)
        autolog.log_metric("m", 3, step=5, timestamp=77)
    points = {point.value: point for point in history(run, "m")}
    after = time.time_ns() // 1_000_000
    assert [points[value].step for value in (1, 2, 3)] == [0, 0, 5]
    assert before <= points[1].timestamp <= points[2].timestamp <= after
    assert points[3].timestamp == 77


def test_latest_value_is_of_the_highest_step():
    with autolog.start_run() as run:
        for step, value in ((3, 0.3), (9, 0.9), (-4, 0.4)):
            autolog.log_metric("m", value, step=step)
    assert run.data.metrics == {"m": 0.9}
    assert run.data.summaries["m"].minimum == 0.3


@pytest.mark.parametrize(
    "value",
    [1, True, np.float32(0.5), np.int64(3), np.array([2.5]), float("inf"), -float("inf"), 5e-324],
)
def test_numbers_are_kept_to_the_bit(value):
    with autolog.start_run() as run:
        autolog.log_metric("one", value)
        autolog.log_metrics({"many": value})
    expected = float(np.asarray(value).reshape(()))
    assert run.data.metrics == {"one": expected, "many": expected}


def test_nan_is_kept():
    with autolog.start_run() as run:
        autolog.log_metric("m", float("nan"))
    assert math.isnan(run.data.metrics["m"])
    assert math.isnan(history(run, "m")[0].value)


@pytest.mark.parametrize(
    ("key", "value", "step"),
    [
        ("m", "0.5", 0),
        ("m", None, 0),
        ("m", [1, 2], 0),
        ("m", 10**400, 0),
        ("m", 1, 0.5),
        ("m", 1, 2**63),
        ("m", 1, "3"),
        ("", 1, 0),
        ("a//b", 1, 0),
        ("../a", 1, 0),
        ("a" * 251, 1, 0),
        ("a?", 1, 0),
        (None, 1, 0),
    ],
)
def test_bad_points_are_refused_alone_and_in_a_batch(key, value, step):
    with autolog.start_run() as run:
        with pytest.raises(InvalidArgument):
            autolog.log_metric(key, value, step=step)
        with pytest.raises(InvalidArgument):
            autolog.log_metrics({"good": 1.0, key: value}, step=step)
    assert run.data.metrics == {}


def test_bad_timestamp_is_refused():
    with autolog.start_run() as run:
        for timestamp in (-1, 1.5, "now"):
            with pytest.raises(InvalidArgument, match="timestamp"):
                autolog.log_metric("m", 1, timestamp=timestamp)
    assert run.data.metrics == {}


def test_params_are_text_and_written_once():
    with autolog.start_run() as run:
        value = {"a": 1}
        assert autolog.log_param("p", value) is value
        assert autolog.log_param("none", None) is None
        autolog.log_param("p", {"a": 1})
        with pytest.raises(ParamConflict, match="'p'"):
            autolog.log_param("p", "other")
        with pytest.raises(ParamConflict):
            autolog.log_params({"fresh": 1, "p": 2})
        autolog.log_params({"q": 1.5, "r": True})
    assert run.data.params == {"p": "{'a': 1}", "none": "None", "q": "1.5", "r": "True"}


def test_over_long_text_is_refused_never_cut():
    with autolog.start_run() as run:
        autolog.log_param("p", "x" * 6000)
        autolog.set_tag("t", "x" * 8000)
        with pytest.raises(InvalidArgument, match="log_text"):
            autolog.log_param("q", "x" * 6001)
        with pytest.raises(InvalidArgument):
            autolog.set_tags({"good": 1, "u": "x" * 8001})
    assert set(run.data.params) == {"p"}
    assert run.data.tags.keys().isdisjoint({"good", "u"})


def test_tags_are_set_again_and_deleted():
    with autolog.start_run() as run:
        autolog.set_tag("a", 1)
        autolog.set_tag("a", 2)
        autolog.set_tags({"b": True, "c": None})
        assert run.data.tags.items() >= {"a": "2", "b": "True", "c": "None"}.items()
        autolog.delete_tag("a")
        assert "a" not in run.data.tags
        with pytest.raises(NotFound, match="'a'"):
            autolog.delete_tag("a")


def test_values_for_another_run_by_id():
    with autolog.start_run() as other:
        pass
    with autolog.start_run() as run:
        run_id = other.info.run_id
        autolog.log_metric("m", 1, run_id=run_id)
        autolog.log_metrics({"n": 2}, step=3, run_id=run_id)
        autolog.log_params({"p": 1}, run_id=run_id)
    stored = autolog.get_run(run_id).data
    assert (stored.metrics, stored.params) == ({"m": 1.0, "n": 2.0}, {"p": "1"})
    assert (run.data.metrics, run.data.params) == ({}, {})
    with pytest.raises(NotFound):
        autolog.log_metric("m", 1, run_id="0" * 32)


def test_metric_with_model_and_dataset():
    with autolog.start_run() as run:
        autolog.log_metric("m", 0.5, step=2, dataset=DATA, model_id="m-" + "a" * 32)
        autolog.log_metrics({"n": 1}, dataset=DATA)
    (point,) = history(run, "m")
    assert (point.dataset_name, point.dataset_digest) == ("iris", "abcd1234")
    assert point.model_id == "m-" + "a" * 32
    assert [use.dataset for use in run.inputs.dataset_inputs] == [DATA]


def test_inputs_keep_context_and_tags():
    with autolog.start_run() as run:
        autolog.log_input(DATA, context="training", tags={"k": "v"})
        autolog.log_inputs([DATA, DATA], contexts=["test", None], tags_list=[None, {"k": "w"}])
    uses = run.inputs.dataset_inputs
    assert {use.context for use in uses} == {"training", "test", None}
    training = next(use for use in uses if use.context == "training")
    assert InputTag("k", "v") in training.tags
    assert training.dataset == DATA


def test_datasets_of_autolog():
    dataset = autolog.data.from_pandas(
        pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1]}), targets="label", name="d"
    )
    with autolog.start_run() as run:
        autolog.log_input(dataset, context="training")
        for step in range(3):
            autolog.log_metric("m", 1, step=step, dataset=dataset)
    (use,) = run.inputs.dataset_inputs
    assert (use.dataset.name, use.dataset.digest, use.context) == ("d", dataset.digest, "training")
    links = {(point.dataset_name, point.dataset_digest) for point in history(run, "m")}
    assert links == {("d", dataset.digest)}


@pytest.mark.filterwarnings("ignore")
def test_datasets_of_mlflow():
    module = pytest.importorskip("mlflow.data")
    frame = pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1]})
    dataset = module.from_pandas(frame, source="b.csv", name="theirs")
    with autolog.start_run() as run:
        autolog.log_input(dataset, context="training")
        autolog.log_metric("m", 1, dataset=dataset)
    (use,) = run.inputs.dataset_inputs
    assert (use.dataset.name, use.dataset.source_type) == ("theirs", "local")
    assert json.loads(use.dataset.profile) == {"num_rows": 2, "num_elements": 4}


def test_inputs_refuse_what_is_no_dataset():
    with autolog.start_run() as run:
        for call in (
            autolog.log_input,
            lambda: autolog.log_input("iris.csv"),
            lambda: autolog.log_input({"name": "x"}),
            lambda: autolog.log_inputs([]),
            lambda: autolog.log_inputs([DATA], contexts=["a", "b"]),
            lambda: autolog.log_metric("m", 1, dataset="iris"),
            lambda: autolog.MlflowClient().log_inputs(run.info.run_id, [DATA]),
            lambda: autolog.MlflowClient().log_inputs(run.info.run_id),
        ):
            with pytest.raises(InvalidArgument):
                call()
    assert run.inputs.dataset_inputs == ()
    assert run.data.metrics == {}


def test_client_inputs():
    with autolog.start_run() as run:
        use = DatasetInput(DATA, (InputTag("mlflow.data.context", "eval"),))
        autolog.MlflowClient().log_inputs(run.info.run_id, [use])
    assert run.inputs.dataset_inputs == (use,)


def test_synchronous_true_waits_and_false_gives_a_handle(tracking):
    from autolog_core.session import default_session

    store = default_session().store()
    with autolog.start_run() as run:
        run_id = run.info.run_id
        assert autolog.log_metric("a", 1, synchronous=True) is None
        assert store.get_run(run_id).data.metrics == {"a": 1.0}
        handles = [
            autolog.log_metric("b", 1, synchronous=False),
            autolog.log_metrics({"c": 1}, synchronous=False),
            autolog.log_param("d", 1, synchronous=False),
            autolog.log_params({"e": 1}, synchronous=False),
            autolog.set_tag("f", 1, synchronous=False),
            autolog.set_tags({"g": 1}, synchronous=False),
        ]
        for handle in handles:
            handle.wait()
            handle.wait()
        data = store.get_run(run_id).data
        assert set(data.metrics) == {"a", "b", "c"}
        assert set(data.params) == {"d", "e"}
        assert {"f", "g"} <= set(data.tags)


def test_async_by_default():
    autolog.config.enable_async_logging()
    with autolog.start_run() as run:
        autolog.log_metric("m", 1).wait()
        autolog.log_param("p", 1).wait()
        autolog.set_tag("t", 1).wait()
        assert autolog.log_metric("m", 2, synchronous=True) is None
        autolog.config.enable_async_logging(False)
        assert autolog.log_metric("m", 3) is None
        assert autolog.log_param("q", 7) == 7
    assert run.data.summaries["m"].points == 3


def test_flush_brings_everything_to_the_store():
    from autolog_core.session import default_session

    with autolog.start_run() as run:
        autolog.log_metric("m", 1)
        autolog.flush_async_logging()
        stored = default_session().store().get_run(run.info.run_id)
        assert stored.data.metrics == {"m": 1.0}


def test_client_values_match_the_fluent_ones():
    client = autolog.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_metric(run_id, "m", 1.5, 42, 7)
    client.log_metric(run_id, "n", 1, dataset_name="d", dataset_digest="e", model_id="f")
    assert client.log_param(run_id, "p", 3) == 3
    client.set_tag(run_id, "t", 4)
    client.log_batch(
        run_id,
        metrics=[Metric("b", 1.0, 1, 0), Metric("b", 2.0, 2, 1)],
        params=[Param("q", "1")],
        tags=[RunTag("u", "2")],
    )
    client.log_batch(run_id)
    data = client.get_run(run_id).data
    assert data.metrics == {"m": 1.5, "n": 1.0, "b": 2.0}
    assert data.params == {"p": "3", "q": "1"}
    assert data.tags.items() >= {"t": "4", "u": "2"}.items()
    (point,) = client.get_metric_history(run_id, "m")
    assert (point.timestamp, point.step) == (42, 7)
    (point,) = client.get_metric_history(run_id, "n")
    assert (point.dataset_name, point.dataset_digest, point.model_id) == ("d", "e", "f")
    assert client.get_metric_history(run_id, "absent") == []
    client.delete_tag(run_id, "t")
    with pytest.raises(NotFound):
        client.delete_tag(run_id, "t")


def test_batch_with_one_conflict_writes_nothing():
    client = autolog.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_param(run_id, "p", 1)
    for params in ([Param("q", "1"), Param("p", "2")], [Param("r", "1"), Param("r", "2")]):
        with pytest.raises(MlflowException):
            client.log_batch(
                run_id, metrics=[Metric("m", 1.0, 1, 0)], params=params, tags=[RunTag("t", "1")]
            )
    data = client.get_run(run_id).data
    assert (data.metrics, data.params) == ({}, {"p": "1"})
    assert "t" not in data.tags


def test_batch_of_more_than_mlflow_takes_at_once():
    client = autolog.MlflowClient()
    run_id = client.create_run("0").info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("m", float(step), 1, step) for step in range(5000)],
        params=[Param(f"p{number}", "1") for number in range(300)],
    )
    assert len(client.get_metric_history(run_id, "m")) == 5000
    assert len(client.get_run(run_id).data.params) == 300
