"""The tests that every store passes.

Subclass `StoreContract` in a test module and give it a fixture `store` that yields a fresh store:

    class TestMyStore(StoreContract):
        @pytest.fixture
        def store(self, tmp_path):
            with closing(open_my_store(tmp_path)) as store:
                yield store
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from autolog_core.entities import (
    CONTEXT_TAG,
    Dataset,
    DatasetInput,
    InputTag,
    LifecycleStage,
    RunStatus,
    ViewType,
)
from autolog_core.errors import (
    AlreadyExists,
    InvalidArgument,
    InvalidFilter,
    InvalidState,
    NotFound,
)
from autolog_core.stores.base import Store
from autolog_core.stores.contract_metrics import MetricContract
from autolog_core.stores.contract_models import ModelContract
from autolog_core.stores.contract_tools import begin, create, points
from autolog_core.stores.operations import (
    DeleteTag,
    LogInputs,
    LogParams,
    SetTags,
    UpdateRun,
    WriterMark,
)

NAME_TAG = "mlflow.runName"
CAUSE_TAG = "autolog.end_cause"


class ExperimentContract:
    """What a store does with experiments."""

    def test_a_new_store_has_the_default_experiment(self, store: Store) -> None:
        found = store.get_experiment("0")
        assert (found.name, found.lifecycle_stage) == ("Default", LifecycleStage.ACTIVE)
        assert found.artifact_location == f"{store.artifact_root}/0"

    def test_an_experiment_is_what_it_was_created_as(self, store: Store) -> None:
        number = store.create_experiment("first", tags={"team": "blue"})
        found = store.get_experiment(number)
        assert number.isdecimal()
        assert (found.experiment_id, found.name, found.tags) == (number, "first", {"team": "blue"})
        assert found.artifact_location == f"{store.artifact_root}/{number}"
        assert found.creation_time == found.last_update_time
        assert store.get_experiment_by_name("first") == found
        assert store.get_experiment_by_name("absent") is None

    def test_an_artifact_location_is_kept(self, store: Store) -> None:
        number = store.create_experiment("elsewhere", "s3://bucket/folder")
        assert store.get_experiment(number).artifact_location == "s3://bucket/folder"

    @pytest.mark.parametrize("name", ["", "  ", None, 5, "x" * 501])
    def test_a_bad_name_is_refused(self, store: Store, name: Any) -> None:
        with pytest.raises(InvalidArgument, match="experiment name"):
            store.create_experiment(name)

    def test_a_bad_location_or_tag_is_refused(self, store: Store) -> None:
        with pytest.raises(InvalidArgument, match="artifact_location"):
            store.create_experiment("a", "ftp://host/x")
        with pytest.raises(InvalidArgument, match="experiment tag"):
            store.create_experiment("a", tags={"../k": "v"})
        assert store.get_experiment_by_name("a") is None

    def test_a_name_is_taken_once_deleted_or_not(self, store: Store) -> None:
        number = store.create_experiment("one")
        with pytest.raises(AlreadyExists, match="'one'"):
            store.create_experiment("one")
        store.delete_experiment(number)
        with pytest.raises(AlreadyExists, match="restore"):
            store.create_experiment("one")

    def test_ids_that_are_wrong_or_unknown(self, store: Store) -> None:
        for number in ("999", "9" * 30):
            with pytest.raises(NotFound, match=number):
                store.get_experiment(number)
        for text in ("abc", "-1", "1.0", ""):
            with pytest.raises(InvalidArgument, match="decimal"):
                store.get_experiment(text)

    def test_renaming(self, store: Store) -> None:
        number = store.create_experiment("before")
        store.create_experiment("taken")
        store.rename_experiment(number, "after")
        assert store.get_experiment(number).name == "after"
        with pytest.raises(AlreadyExists):
            store.rename_experiment(number, "taken")
        with pytest.raises(NotFound):
            store.rename_experiment("999", "x")
        store.delete_experiment(number)
        with pytest.raises(InvalidState):
            store.rename_experiment(number, "later")

    def test_deleting_and_restoring_takes_the_runs_along(self, store: Store) -> None:
        number = store.create_experiment("gone")
        before, active = begin(store, number), begin(store, number)
        store.delete_run(before)
        store.delete_experiment(number)
        assert store.get_experiment(number).lifecycle_stage == LifecycleStage.DELETED
        assert store.get_run(active).info.lifecycle_stage == LifecycleStage.DELETED
        with pytest.raises(NotFound):
            store.delete_experiment(number)
        store.restore_experiment(number)
        assert store.get_experiment(number).lifecycle_stage == LifecycleStage.ACTIVE
        assert store.get_run(active).info.lifecycle_stage == LifecycleStage.ACTIVE
        assert store.get_run(before).info.lifecycle_stage == LifecycleStage.DELETED
        with pytest.raises(NotFound):
            store.restore_experiment(number)

    def test_the_default_experiment_can_be_deleted(self, store: Store) -> None:
        store.delete_experiment("0")
        store.restore_experiment("0")

    def test_tags_of_experiments(self, store: Store) -> None:
        number = store.create_experiment("tagged")
        store.set_experiment_tag(number, "k", "1")
        store.set_experiment_tag(number, "k", "2")
        assert store.get_experiment(number).tags == {"k": "2"}
        store.delete_experiment_tag(number, "k")
        assert store.get_experiment(number).tags == {}
        with pytest.raises(NotFound, match="'k'"):
            store.delete_experiment_tag(number, "k")
        with pytest.raises(NotFound):
            store.set_experiment_tag("999", "k", "v")
        with pytest.raises(InvalidArgument):
            store.set_experiment_tag(number, "k", "v" * 20_001)
        store.delete_experiment(number)
        with pytest.raises(InvalidArgument, match="deleted"):
            store.set_experiment_tag(number, "k", "v")

    def test_experiments_are_found_newest_first(self, store: Store) -> None:
        numbers = [store.create_experiment(f"e{index}") for index in range(3)]
        store.delete_experiment(numbers[0])
        found = {item.experiment_id for item in store.search_experiments()}
        assert found == {"0", *numbers[1:]}
        gone = store.search_experiments(view_type=ViewType.DELETED_ONLY)
        assert [item.experiment_id for item in gone] == numbers[:1]
        named = store.search_experiments("name = 'e1'", ViewType.ALL)
        assert [item.name for item in named] == ["e1"]
        with pytest.raises(InvalidFilter):
            store.search_experiments("nonsense ===")
        first = store.search_experiments(max_results=1)
        assert len(first) == 1
        assert first.token is not None
        assert store.search_experiments(max_results=1, page_token=first.token) != first


class RunContract:
    """What a store does with runs."""

    def test_a_run_is_what_was_logged(self, store: Store) -> None:
        run_id = begin(store, tags=(("stage", "dev"),))
        store.apply(
            [
                LogParams(run_id, (("lr", "0.1"), ("text", "größe 😀"))),
                points(run_id, "loss", [3.0, 1.0, 2.0]),
                SetTags(run_id, (("stage", "test"), ("other", ""))),
                UpdateRun(run_id, RunStatus.FINISHED, end_time=5000),
            ]
        )
        run = store.get_run(run_id)
        info = run.info
        assert (info.run_id, info.experiment_id, info.run_name) == (run_id, "0", "calm-fox-1")
        assert (info.user_id, info.status, info.start_time) == ("me", "FINISHED", 1000)
        assert (info.end_time, info.artifact_uri) == (5000, f"/artifacts/{run_id}")
        assert run.data.params == {"lr": "0.1", "text": "größe 😀"}
        assert run.data.tags == {NAME_TAG: "calm-fox-1", "stage": "test", "other": ""}
        assert run.data.metrics == {"loss": 2.0}
        assert run.data.summaries["loss"] == ("loss", 2.0, 1002, 2, 1.0, 1, 3.0, 0, 3)
        assert store.search_runs(["0"]) == [run]

    def test_one_batch_or_many_come_to_the_same(self, store: Store) -> None:
        def operations(run_id: str) -> list[Any]:
            return [
                create(run_id),
                SetTags(run_id, (("a", "1"), ("b", "1"))),
                LogParams(run_id, (("p", "1"),)),
                DeleteTag(run_id, "a"),
                SetTags(run_id, (("b", "2"),)),
                points(run_id, "m", [1.0]),
                LogParams(run_id, (("p", "1"), ("q", "2"))),
                UpdateRun(run_id, name="renamed"),
                UpdateRun(run_id, RunStatus.FAILED, 7),
                DeleteTag(run_id, "absent"),
            ]

        whole, single = uuid.uuid4().hex, uuid.uuid4().hex
        store.apply(operations(whole))
        for operation in operations(single):
            store.apply([operation])
        first, second = store.get_run(whole), store.get_run(single)
        assert first.data == second.data
        assert first.data.tags == {"b": "2", NAME_TAG: "renamed"}
        assert (first.info.status, first.info.end_time) == ("FAILED", 7)
        assert (second.info.status, second.info.end_time) == ("FAILED", 7)

    def test_creating_again_changes_nothing(self, store: Store) -> None:
        run_id = begin(store, tags=(("k", "v"),))
        before = store.get_run(run_id)
        store.apply([create(run_id, name="other", tags=(("k", "w"),))])
        assert store.get_run(run_id) == before

    def test_name_and_name_tag_stay_the_same(self, store: Store) -> None:
        run_id = begin(store, name="one")
        assert store.get_run(run_id).data.tags[NAME_TAG] == "one"
        store.apply([SetTags(run_id, ((NAME_TAG, "two"),))])
        assert store.get_run(run_id).info.run_name == "two"
        store.apply([UpdateRun(run_id, name="three")])
        assert store.get_run(run_id).data.tags[NAME_TAG] == "three"

    def test_the_first_value_of_a_param_stays(self, store: Store) -> None:
        run_id = begin(store)
        report = store.apply([LogParams(run_id, (("a", "1"),)), LogParams(run_id, (("a", "2"),))])
        assert report.param_conflicts == ((run_id, "a", "1", "2"),)
        report = store.apply([LogParams(run_id, (("a", "3"), ("b", "4"), ("a", "1")))])
        assert report.param_conflicts == ((run_id, "a", "1", "3"),)
        assert store.get_run(run_id).data.params == {"a": "1", "b": "4"}
        assert store.apply([LogParams(run_id, (("b", "4"),))]).param_conflicts == ()

    def test_operations_on_unknown_runs_are_told(self, store: Store) -> None:
        run_id = begin(store)
        report = store.apply(
            [
                SetTags("nobody", (("a", "1"),)),
                points("nobody", "m", [1.0]),
                create("homeless", "999"),
                LogParams("homeless", (("p", "1"),)),
                create("lost", "no number"),
                SetTags(run_id, (("a", "1"),)),
            ]
        )
        assert set(report.orphans) == {"nobody", "homeless", "lost"}
        assert store.get_run(run_id).data.tags["a"] == "1"
        with pytest.raises(NotFound, match="nobody"):
            store.get_run("nobody")

    def test_deleting_and_restoring_a_run(self, store: Store) -> None:
        run_id = begin(store)
        for _ in range(2):
            store.delete_run(run_id)
            assert store.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED
        assert store.search_runs(["0"]) == []
        for _ in range(2):
            store.restore_run(run_id)
            assert store.get_run(run_id).info.lifecycle_stage == LifecycleStage.ACTIVE
        for call in (store.delete_run, store.restore_run, store.get_run):
            with pytest.raises(NotFound, match="absent"):
                call("absent")

    def test_a_run_begun_while_its_experiment_goes_follows_it(self, store: Store) -> None:
        number = store.create_experiment("going")
        store.delete_experiment(number)
        run_id = begin(store, number)
        assert store.get_run(run_id).info.lifecycle_stage == LifecycleStage.DELETED
        store.restore_experiment(number)
        assert store.get_run(run_id).info.lifecycle_stage == LifecycleStage.ACTIVE

    def test_datasets_of_a_run(self, store: Store) -> None:
        run_id = begin(store)
        data = Dataset("iris", "d1", "code", "{}", '{"x": 1}', '{"num_rows": 150}')
        train = DatasetInput(data, (InputTag(CONTEXT_TAG, "train"), InputTag("fold", "1")))
        store.apply([LogInputs(run_id, (train, DatasetInput(data)))])
        more = DatasetInput(data, (InputTag(CONTEXT_TAG, "train"), InputTag("seed", "7")))
        store.apply([LogInputs(run_id, (more,))])
        found = store.get_run(run_id).inputs.dataset_inputs
        assert [use.dataset for use in found] == [data, data]
        by_context = {use.context: {tag.key: tag.value for tag in use.tags} for use in found}
        assert by_context == {
            None: {},
            "train": {CONTEXT_TAG: "train", "fold": "1", "seed": "7"},
        }

    def test_runs_are_found_in_pages(self, store: Store) -> None:
        ids = [begin(store, start_time=index) for index in range(5)]
        first = store.search_runs(["0"], max_results=3)
        assert [run.info.run_id for run in first] == ids[:1:-1]
        rest = store.search_runs(["0"], max_results=3, page_token=first.token)
        assert [run.info.run_id for run in rest] == ids[1::-1]
        assert rest.token is None
        with pytest.raises(InvalidArgument):
            store.search_runs(["0"], max_results=0)
        with pytest.raises(InvalidFilter):
            store.search_runs(["0"], "metrics.loss >")


class WriterContract:
    """What a store does for the journals of processes."""

    def test_a_batch_applies_once(self, store: Store) -> None:
        run_id = begin(store)
        batch = [points(run_id, "m", [1.0, 2.0])]
        mark = WriterMark("w1", 10, 5000, "host", 42)
        store.apply(batch, mark)
        assert store.get_position("w1") == 10
        store.apply([SetTags(run_id, (("late", "1"),))], mark)
        store.apply([SetTags(run_id, (("late", "1"),))], WriterMark("w1", 9, 5000))
        run = store.get_run(run_id)
        assert run.data.summaries["m"].points == 2
        assert "late" not in run.data.tags
        store.apply([SetTags(run_id, (("late", "1"),))], WriterMark("w1", 11, 5001))
        assert store.get_run(run_id).data.tags["late"] == "1"
        assert store.get_position("w1") == 11
        assert store.get_position("w2") == 0

    def test_a_writer_that_died_leaves_failed_runs(self, store: Store) -> None:
        ids = [uuid.uuid4().hex for _ in range(4)]
        left, ended, free, resumed = ids
        begin(store, run_id=resumed)
        store.apply([UpdateRun(resumed, RunStatus.FINISHED, 2000)])
        store.apply(
            [
                create(left),
                create(ended),
                create(free, owned=False),
                UpdateRun(ended, RunStatus.FINISHED, 3000),
                UpdateRun(resumed, RunStatus.RUNNING, owned=True),
            ],
            WriterMark("w1", 1, 4000),
        )
        assert store.get_run(resumed).info.end_time is None
        assert store.close_writer("w1", "killed by signal 9") == sorted([left, resumed])
        for run_id in (left, resumed):
            run = store.get_run(run_id)
            assert (run.info.status, run.info.end_time) == ("FAILED", 4000)
            assert run.data.tags[CAUSE_TAG] == "killed by signal 9"
        assert store.get_run(ended).info.status == "FINISHED"
        assert store.get_run(free).info.status == "RUNNING"
        assert store.close_writer("w1", "killed by signal 9") == []

    def test_a_writer_that_closed_leaves_runs_as_they_are(self, store: Store) -> None:
        run_id = uuid.uuid4().hex
        store.apply([create(run_id)], WriterMark("w1", 1, 4000))
        store.close_writer("w1", None)
        run = store.get_run(run_id)
        assert run.info.status == "RUNNING"
        assert CAUSE_TAG not in run.data.tags
        assert store.close_writer("w1", "gone") == []


class StoreContract(ExperimentContract, RunContract, MetricContract, ModelContract, WriterContract):
    """All of it."""
