"""``search_runs``: where it looks, its frame, its pages."""

import logging

import numpy as np
import pandas as pd
import pytest

import autolog
from autolog.entities import Run, ViewType
from autolog.exceptions import InvalidArgument

pytestmark = pytest.mark.usefixtures("tracking")


@pytest.fixture
def runs(tracking):
    # Runs that start in the same millisecond are ordered by their random ids.
    client = autolog.MlflowClient()
    first = client.create_run("0", start_time=1000, run_name="one").info.run_id
    second = client.create_run("0", start_time=2000, run_name="two").info.run_id
    with autolog.start_run(first) as one:
        autolog.log_metrics({"b": 1.0, "a": 0.5})
        autolog.log_param("lr", 0.1)
    with autolog.start_run(second) as two:
        autolog.log_metric("a", float("inf"))
        autolog.set_tag("only", "two")
    return one, two


def test_frame_has_mlflows_columns_types_and_gaps(runs):
    open_run = autolog.start_run()
    frame = autolog.search_runs()
    assert list(frame)[:6] == [
        "run_id",
        "experiment_id",
        "status",
        "artifact_uri",
        "start_time",
        "end_time",
    ]
    groups = [name.split(".")[0] for name in list(frame)[6:]]
    assert groups == sorted(groups, key=["metrics", "params", "tags"].index)
    assert list(frame.run_id) == [run.info.run_id for run in (open_run, runs[1], runs[0])]
    assert list(frame.status) == ["RUNNING", "FINISHED", "FINISHED"]
    for column in ("start_time", "end_time"):
        assert frame[column].dtype == "datetime64[ns, UTC]"
    assert frame.end_time.isna().tolist() == [True, False, False]
    assert frame.start_time[2] == pd.Timestamp(runs[0].info.start_time, unit="ms", tz="UTC")
    assert frame["metrics.a"].dtype == frame["metrics.b"].dtype == np.float64
    assert frame["metrics.a"].tolist()[1:] == [float("inf"), 0.5]
    assert frame["metrics.b"].isna().tolist() == [True, True, False]
    assert frame["params.lr"].tolist() == [None, None, "0.1"]
    assert frame["tags.only"].tolist() == [None, "two", None]
    assert frame["params.lr"].dtype == frame["run_id"].dtype == object
    autolog.end_run()


def test_empty_frame_has_the_fixed_columns():
    frame = autolog.search_runs()
    assert frame.shape == (0, 6)
    assert frame.start_time.dtype == "datetime64[ns, UTC]"


def test_list_of_entities(runs):
    found = autolog.search_runs(output_format="list", order_by=["attribute.start_time ASC"])
    assert all(type(run) is Run for run in found)
    assert [run.info.run_name for run in found] == ["one", "two"]
    assert found[0].data.metrics == {"a": 0.5, "b": 1.0}
    with pytest.raises(InvalidArgument, match="output_format"):
        autolog.search_runs(output_format="polars")


def test_filter_order_view_and_limit(runs):
    def names(**arguments):
        found = autolog.search_runs(output_format="list", **arguments)
        return [run.info.run_name for run in found]

    assert names(filter_string="metrics.a < 1 AND params.lr = '0.1'") == ["one"]
    assert names(filter_string="tags.only = 'two' OR metrics.b = 1") == ["two", "one"]
    assert names(order_by=["metrics.a DESC"]) == ["two", "one"]
    assert names(max_results=1) == ["two"]
    autolog.delete_run(runs[0].info.run_id)
    assert names() == ["two"]
    assert names(run_view_type=ViewType.DELETED_ONLY) == ["one"]
    assert names(run_view_type=ViewType.ALL) == ["two", "one"]
    with pytest.raises(InvalidArgument):
        names(filter_string="metrics.a ~ 1")


def test_where_it_looks(runs, caplog):
    other = autolog.set_experiment("other").experiment_id
    with autolog.start_run(run_name="three"):
        pass

    def names(*arguments, **options):
        found = autolog.search_runs(*arguments, output_format="list", **options)
        return {run.info.run_name for run in found}

    assert names() == {"three"}
    assert names(["0"]) == names([0]) == {"one", "two"}
    assert names(["0", other]) == {"one", "two", "three"}
    assert names(search_all_experiments=True) == {"one", "two", "three"}
    assert names(["0"], search_all_experiments=True) == {"one", "two"}
    with caplog.at_level(logging.WARNING):
        assert names(experiment_names=["other", "absent"]) == {"three"}
    assert "absent" in caplog.text
    assert names(experiment_names=["absent"]) == set()
    with pytest.raises(InvalidArgument, match="not both"):
        names(["0"], experiment_names=["other"])
    with pytest.raises(InvalidArgument, match="list"):
        names("0")


def test_client_pages():
    client = autolog.MlflowClient()
    made = [client.create_run("0", start_time=number + 1).info.run_id for number in range(7)]
    seen, token = [], None
    while True:
        page = client.search_runs(["0"], max_results=3, page_token=token)
        seen += [run.info.run_id for run in page]
        token = page.token
        if token is None:
            break
    assert seen == made[::-1]


def test_all_pages_are_fetched(monkeypatch):
    from autolog import _paging

    monkeypatch.setattr(_paging, "PAGE_SIZE", 4)
    client = autolog.MlflowClient()
    for _ in range(10):
        client.create_run("0")
    assert len(autolog.search_runs()) == 10
    assert len(autolog.search_runs(max_results=9)) == 9
    assert len(autolog.search_runs(max_results=4)) == 4


def test_read_sees_what_was_just_logged():
    with autolog.start_run():
        for step in range(20):
            autolog.log_metric("m", step, step=step)
            assert autolog.search_runs()["metrics.m"][0] == step
