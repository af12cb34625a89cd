"""The tests of `contract.py` that are about logged models."""

# ruff: noqa: D102 - the names of tests say what they hold.
from __future__ import annotations

import math
import uuid
from typing import Any

import pytest

from autolog_core.entities import (
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
)
from autolog_core.errors import InvalidArgument, InvalidFilter, NotFound
from autolog_core.stores.base import Store
from autolog_core.stores.contract_tools import begin, create, create_model, points
from autolog_core.stores.operations import (
    DeleteModelTag,
    LogModelInputs,
    LogModelParams,
    LogOutputs,
    SetModelTags,
    UpdateModel,
    WriterMark,
)

NAN = float("nan")
INF = float("inf")


def begin_model(store: Store, experiment_id: str = "0", **fields: Any) -> str:
    """Creates a logged model and returns its id."""
    model_id: str = fields.pop("model_id", f"m-{uuid.uuid4().hex}")
    store.apply([create_model(model_id, experiment_id, **fields)])
    return model_id


def values(store: Store, model_id: str) -> dict[tuple[str, str | None], float]:
    """Returns the metrics of a model by key and dataset."""
    metrics = store.get_logged_model(model_id).metrics
    return {(metric.key, metric.dataset_name): metric.value for metric in metrics}


class ModelContract:
    """What a store does with logged models."""

    def test_a_model_is_what_was_logged(self, store: Store) -> None:
        run_id = begin(store)
        model_id = begin_model(
            store, source_run_id=run_id, model_type="net", tags=(("a", "1"),), params=(("p", "1"),)
        )
        store.apply(
            [
                SetModelTags(model_id, (("a", "2"), ("gone", "x"), ("größe", "😀"))),
                DeleteModelTag(model_id, "gone"),
                LogModelParams(model_id, (("q", "2"),)),
                points(run_id, "acc", [0.5], model_id=model_id),
            ]
        )
        model = store.get_logged_model(model_id)
        assert model.model_uri == f"models:/{model_id}"
        assert (model.experiment_id, model.name, model.model_type) == ("0", "net", "net")
        assert (model.source_run_id, model.creation_timestamp) == (run_id, 1000)
        assert model.artifact_location == f"/artifacts/models/{model_id}"
        assert (model.status, model.status_message) == (LoggedModelStatus.PENDING, None)
        assert model.tags == {"a": "2", "größe": "😀"}
        assert model.params == {"p": "1", "q": "2"}
        assert model.metrics == [Metric("acc", 0.5, 1000, 0, model_id, run_id=run_id)]
        store.apply([UpdateModel(model_id, "READY", 5000)])
        ready = store.get_logged_model(model_id)
        assert (ready.status, ready.last_updated_timestamp) == (LoggedModelStatus.READY, 5000)

    def test_creating_a_model_again_changes_nothing(self, store: Store) -> None:
        model_id = begin_model(store)
        before = store.get_logged_model(model_id)
        store.apply([create_model(model_id, name="other", tags=(("k", "w"),))])
        assert store.get_logged_model(model_id) == before

    def test_the_first_value_of_a_model_param_stays(self, store: Store) -> None:
        model_id = begin_model(store, params=(("a", "1"),))
        report = store.apply([LogModelParams(model_id, (("a", "2"), ("b", "3"), ("b", "4")))])
        assert set(report.model_param_conflicts) == {
            (model_id, "a", "1", "2"),
            (model_id, "b", "3", "4"),
        }
        assert store.get_logged_model(model_id).params == {"a": "1", "b": "3"}

    def test_operations_on_unknown_models_are_told(self, store: Store) -> None:
        report = store.apply(
            [
                SetModelTags("m-none", (("a", "1"),)),
                UpdateModel("m-none", "READY", 1),
                create_model("m-homeless", "999"),
                create_model("m-lost", "no number"),
            ]
        )
        assert set(report.model_orphans) == {"m-none", "m-homeless", "m-lost"}
        with pytest.raises(NotFound, match="m-none"):
            store.get_logged_model("m-none")

    def test_deleting_and_restoring_a_model(self, store: Store) -> None:
        model_id = begin_model(store)
        store.delete_logged_model(model_id)
        with pytest.raises(NotFound, match="deleted"):
            store.get_logged_model(model_id)
        assert store.get_logged_model(model_id, allow_deleted=True).model_id == model_id
        assert store.search_logged_models(["0"]) == []
        with pytest.raises(NotFound):
            store.delete_logged_model(model_id)
        store.restore_logged_model(model_id)
        assert [m.model_id for m in store.search_logged_models(["0"])] == [model_id]
        with pytest.raises(NotFound):
            store.restore_logged_model(model_id)

    def test_metrics_of_a_model_are_the_latest_per_dataset(self, store: Store) -> None:
        run_id, other, model_id = begin(store), begin(store), begin_model(store)
        train: dict[str, Any] = {"dataset_name": "iris", "dataset_digest": "d1"}
        store.apply(
            [
                points(run_id, "acc", [0.9, 0.8], model_id=model_id),
                points(run_id, "acc", [0.5], model_id=model_id, **train),
                points(run_id, "acc", [0.4], model_id=model_id, dataset_name="iris"),
                points(run_id, "odd", [INF, NAN], model_id=model_id),
            ]
        )
        store.apply([points(other, "acc", [0.7], times=[900], model_id=model_id)])
        found = store.get_logged_model(model_id).metrics
        assert [metric[:7] for metric in found[:3]] == [
            ("acc", 0.8, 1001, 1, model_id, None, None),
            ("acc", 0.4, 1000, 0, model_id, "iris", None),
            ("acc", 0.5, 1000, 0, model_id, "iris", "d1"),
        ]
        assert math.isnan(found[3].value)
        store.apply([points(other, "acc", [0.1], times=[2000], model_id=model_id)])
        assert values(store, model_id)["acc", None] == 0.1

    @pytest.mark.parametrize("together", [True, False])
    @pytest.mark.parametrize("order", ["metric last", "metric first", "model last"])
    def test_a_metric_at_a_models_step_is_the_models(
        self, store: Store, together: bool, order: str
    ) -> None:
        run_id = uuid.uuid4().hex
        first, second, later = (f"m-{uuid.uuid4().hex}" for _ in range(3))
        metrics = [
            points(run_id, "acc", [0.1, 0.2, 0.3]),
            points(run_id, "acc", [0.9], steps=[1], model_id="m-another"),
            points(run_id, "loss", [5.0], steps=[1], dataset_name="test", dataset_digest="d"),
        ]
        models = [create_model(first), create_model(second), create_model(later)]
        outputs = [LogOutputs(run_id, ((first, 1), (second, 1), (later, 2)))]
        parts: list[Any] = {
            "metric last": [*models, *outputs, *metrics],
            "metric first": [*models, *metrics, *outputs],
            "model last": [*metrics, *outputs, *models],
        }[order]
        operations = [create(run_id), *parts]
        for batch in [operations] if together else [[one] for one in operations]:
            store.apply(batch)
        for model_id in (first, second):
            assert values(store, model_id) == {("acc", None): 0.2, ("loss", "test"): 5.0}
        assert values(store, later) == {("acc", None): 0.3}
        assert len(store.get_metric_series(run_id, "acc")) == 4

    def test_a_metric_that_came_before_its_model_is_kept(self, store: Store) -> None:
        run_id, model_id = begin(store), f"m-{uuid.uuid4().hex}"
        store.apply([points(run_id, "acc", [0.5], model_id=model_id)])
        begin_model(store, model_id=model_id)
        assert values(store, model_id) == {("acc", None): 0.5}

    def test_models_of_a_run(self, store: Store) -> None:
        run_id = begin(store)
        made, used = begin_model(store), begin_model(store)
        for _ in range(2):
            store.apply(
                [LogOutputs(run_id, ((made, 3), (used, 1))), LogModelInputs(run_id, (used,))]
            )
        for run in (store.get_run(run_id), store.search_runs(["0"])[0]):
            assert run.inputs.model_inputs == (LoggedModelInput(used),)
            assert run.outputs.model_outputs == (
                LoggedModelOutput(used, 1),
                LoggedModelOutput(made, 3),
            )

    def test_a_writer_that_died_leaves_failed_models(self, store: Store) -> None:
        left, ready, free = (f"m-{uuid.uuid4().hex}" for _ in range(3))
        store.apply(
            [
                create_model(left),
                create_model(ready),
                create_model(free, owned=False),
                UpdateModel(ready, "READY", 3000),
            ],
            WriterMark("w1", 1, 4000),
        )
        store.close_writer("w1", "killed by signal 9")
        model = store.get_logged_model(left)
        assert (model.status, model.last_updated_timestamp) == (LoggedModelStatus.FAILED, 4000)
        assert "killed by signal 9" in (model.status_message or "")
        assert store.get_logged_model(ready).status == LoggedModelStatus.READY
        assert store.get_logged_model(free).status == LoggedModelStatus.PENDING
        store.apply([UpdateModel(left, "READY", 5000)])
        again = store.get_logged_model(left)
        assert (again.status, again.status_message) == (LoggedModelStatus.READY, None)

    def test_a_writer_that_closed_leaves_models_as_they_are(self, store: Store) -> None:
        model_id = f"m-{uuid.uuid4().hex}"
        store.apply([create_model(model_id)], WriterMark("w1", 1, 4000))
        store.close_writer("w1", None)
        store.close_writer("w1", "gone")
        assert store.get_logged_model(model_id).status == LoggedModelStatus.PENDING

    def test_a_pruned_model_is_its_writers_until_that_is_closed(self, store: Store) -> None:
        run_id, model_id, other = begin(store), begin_model(store), f"m-{uuid.uuid4().hex}"
        store.apply([points(run_id, "acc", [0.5], model_id=model_id)])
        store.apply(
            [
                create_model(other),
                UpdateModel(model_id, "READY", 4000),
                UpdateModel(model_id, "PRUNED", 5000, "no room"),
            ],
            WriterMark("w1", 1, 5000),
        )
        model = store.get_logged_model(model_id)
        assert (model.status, model.status_message) == (LoggedModelStatus.PRUNED, "no room")
        assert values(store, model_id) == {("acc", None): 0.5}
        store.delete_logged_model(other)
        owned = {one.model_id: one for one in store.list_owned_models("w1")}
        assert {key: one.status for key, one in owned.items()} == {
            model_id: "PRUNED",
            other: "PENDING",
        }
        assert owned[model_id].artifact_location == f"/artifacts/models/{model_id}"
        assert store.list_owned_models("w2") == []
        store.close_writer("w1", "killed by signal 9")
        assert store.list_owned_models("w1") == []
        assert store.get_logged_model(model_id).status == LoggedModelStatus.PRUNED
        assert store.get_logged_model(model_id).status_message == "no room"

    def test_models_are_found_by_what_was_logged(self, store: Store) -> None:
        run_id = begin(store)
        good, bad = begin_model(store, name="good"), begin_model(store, name="bad")
        iris: dict[str, Any] = {"dataset_name": "iris", "dataset_digest": "d1"}
        store.apply(
            [
                points(run_id, "acc", [0.2, 0.9], model_id=good, **iris),
                points(run_id, "acc", [0.95], model_id=bad, dataset_name="other"),
                points(run_id, "acc", [0.1], model_id=bad, **iris),
                points(run_id, "nan", [NAN], model_id=bad),
                UpdateModel(good, "READY", 5),
            ]
        )

        def find(text: str, **options: Any) -> list[str]:
            found = store.search_logged_models(["0"], text, **options)
            return sorted(model.name for model in found)

        assert find("metrics.acc > 0.85") == ["bad", "good"]
        on_iris = {"datasets": [{"dataset_name": "iris"}]}
        assert find("metrics.acc > 0.85", **on_iris) == ["good"]
        digest = {"datasets": [{"dataset_name": "iris", "dataset_digest": "d1"}]}
        assert find("metrics.acc < 0.15", **digest) == ["bad"]
        assert find("", datasets=[{"dataset_name": "other"}]) == ["bad"]
        assert find("metrics.acc = 0.2") == ["good"]
        store.apply([points(run_id, "loss", [1.0, 0.5, 2.0, 3.0], model_id=good)])
        assert find("metrics.loss = 0.5") == find("metrics.loss IN (9, 2)") == ["good"]
        assert find("metrics.loss NOT IN (0.5, 3)") == ["good"]
        assert find("metrics.loss NOT IN (0.5, 1, 2, 3) OR metrics.loss = 0.7") == []
        assert find("NOT metrics.loss = 2") == []
        assert find("metrics.nan = 0") == []
        assert find("metrics.nan != 0") == ["bad"]
        assert find("metrics.nan IS NULL OR name = 'none'") == ["good"]
        assert find("status = 'READY'") == find("status = 2") == ["good"]
        gone = begin_model(store, name="gone")
        store.apply([UpdateModel(gone, "PRUNED", 6)])
        assert find("status = 'PRUNED'") == ["gone"]
        assert find("status IN ('READY', 'PRUNED')") == ["gone", "good"]
        assert find("status = 'UPLOAD_FAILED'") == find("status = 3") == []
        store.delete_logged_model(gone)
        assert find('name = "bad" AND NOT status IN ("READY", "UPLOAD_FAILED")') == ["bad"]
        for wrong in ("creator = 'me'", "metrics.acc >", "min(metrics.acc) < 1"):
            with pytest.raises(InvalidFilter):
                find(wrong)
        with pytest.raises(InvalidArgument, match="dataset_name"):
            find("", datasets=[{"dataset_digest": "d1"}])

    def test_models_are_ordered_and_paged(self, store: Store) -> None:
        run_id = begin(store)
        ids = [begin_model(store, creation_timestamp=index) for index in range(5)]
        scores = [0.3, NAN, 0.1, 0.2]
        store.apply(
            [
                points(run_id, "acc", [score], model_id=model_id, dataset_name="iris")
                for model_id, score in zip(ids, scores, strict=False)
            ]
        )

        def names(order: list[Any], **options: Any) -> list[int]:
            found = store.search_logged_models(["0"], order_by=order, **options)
            return [ids.index(model.model_id) for model in found]

        by_acc = {"field_name": "metrics.acc", "dataset_name": "iris"}
        assert names([]) == [4, 3, 2, 1, 0]
        assert names([by_acc, by_acc]) == [2, 3, 0, 1, 4]
        assert names([{**by_acc, "ascending": False}]) == [0, 3, 2, 1, 4]
        assert names([{"field_name": "creation_time"}]) == [0, 1, 2, 3, 4]
        assert names([{"field_name": "metrics.acc", "dataset_name": "x"}]) == [4, 3, 2, 1, 0]
        first = store.search_logged_models(["0"], max_results=3, order_by=[by_acc])
        rest = store.search_logged_models(
            ["0"], max_results=3, order_by=[by_acc], page_token=first.token
        )
        assert [ids.index(m.model_id) for m in [*first, *rest]] == [2, 3, 0, 1, 4]
        assert rest.token is None
        with pytest.raises(InvalidArgument, match="page_token"):
            store.search_logged_models(["0"], page_token=first.token)
        with pytest.raises(InvalidArgument):
            store.search_logged_models(["0"], max_results=0)
        with pytest.raises(InvalidFilter):
            names([{"field": "metrics.acc"}])
