"""The tests of `contract.py` that are about metrics."""

# ruff: noqa: D102 - the names of tests say what they hold.
from __future__ import annotations

import math
import struct

import numpy as np
import pytest

from autolog_core.entities import (
    RunStatus,
)
from autolog_core.errors import (
    InvalidArgument,
)
from autolog_core.stores.base import Store
from autolog_core.stores.contract_tools import begin, points
from autolog_core.stores.operations import (
    UpdateRun,
)

NAN = float("nan")
INF = float("inf")


class MetricContract:
    """What a store does with metrics."""

    def test_special_values_come_back_bit_for_bit(self, store: Store) -> None:
        odd = struct.unpack("<d", struct.pack("<Q", 0x7FF8_0000_0000_BEEF))[0]
        values = [NAN, odd, INF, -INF, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 0.1]
        for copies in (1, 10):
            run_id = begin(store)
            store.apply([points(run_id, "m", values * copies)])
            series = store.get_metric_series(run_id, "m")
            assert series.values.tobytes() == np.array(values * copies).tobytes()

    def test_latest_is_by_step_then_time_then_value(self, store: Store) -> None:
        run_id = begin(store)
        store.apply([points(run_id, "m", [1.0, 9.0], steps=[5, 4], times=[10, 99])])
        assert store.get_run(run_id).data.metrics == {"m": 1.0}
        store.apply([points(run_id, "m", [0.5], steps=[5], times=[10])])
        assert store.get_run(run_id).data.metrics == {"m": 1.0}
        store.apply([points(run_id, "m", [0.25, NAN], steps=[5, 5], times=[11, 11])])
        assert store.get_run(run_id).data.summaries["m"] == ("m", 0.25, 11, 5, 0.25, 5, 9.0, 4, 5)

    def test_summaries_of_special_values(self, store: Store) -> None:
        run_id = begin(store)
        store.apply([points(run_id, "n", [NAN, NAN]), points(run_id, "i", [-INF, 2.0, INF])])
        data = store.get_run(run_id).data
        assert math.isnan(data.metrics["n"])
        assert data.summaries["n"][2:] == (1001, 1, None, None, None, None, 2)
        assert data.summaries["i"] == ("i", INF, 1002, 2, -INF, 0, INF, 2, 3)

    def test_the_same_point_counts_once(self, store: Store) -> None:
        run_id = begin(store)
        batch = points(run_id, "m", [1.0, 2.0, 1.0, NAN], steps=[0, 0, 0, 1], times=[5, 5, 5, 6])
        for _ in range(3):
            store.apply([batch])
        store.apply([points(run_id, "m", [NAN, 3.0], steps=[1, 1], times=[6, 6])])
        series = store.get_metric_series(run_id, "m")
        assert series.steps.tolist() == [0, 0, 1, 1]
        assert store.get_run(run_id).data.summaries["m"].points == 4

    def test_histories_are_ordered_by_time_step_value(self, store: Store) -> None:
        run_id = begin(store)
        store.apply([points(run_id, "m", [3.0, 1.0, 2.0], steps=[9, 1, 1], times=[5, 7, 7])])
        store.apply([points(run_id, "m", [0.0], steps=[4], times=[6])])
        series = store.get_metric_series(run_id, "m")
        assert series.values.tolist() == [3.0, 0.0, 1.0, 2.0]
        assert [metric.step for metric in series.to_metrics()] == [9, 4, 1, 1]

    def test_links_to_models_and_datasets_are_kept(self, store: Store) -> None:
        run_id = begin(store)
        store.apply(
            [
                points(run_id, "m", [1.0], times=[5]),
                points(run_id, "m", [1.0], times=[5], model_id="m-1"),
                points(run_id, "m", [2.0], times=[4], dataset_name="d", dataset_digest="x"),
            ]
        )
        found = store.get_metric_series(run_id, "m").to_metrics()
        assert [metric.value for metric in found] == [2.0, 1.0, 1.0]
        assert (found[0].dataset_name, found[0].dataset_digest) == ("d", "x")
        assert {metric.model_id for metric in found[1:]} == {None, "m-1"}
        assert {metric.run_id for metric in found} == {run_id}

    def test_an_unknown_history_is_empty(self, store: Store) -> None:
        for run_id in ("absent", begin(store)):
            assert len(store.get_metric_series(run_id, "m")) == 0
            assert store.get_metric_series(run_id, "m").to_metrics() == []
            assert len(store.downsample_metric(run_id, "m", 10)) == 0

    @pytest.mark.parametrize("size", [1, 7, 100, 5000])
    def test_a_long_history_survives_any_cut(self, store: Store, size: int) -> None:
        run_id = begin(store)
        total = min(40_000, size * 150)
        values = np.random.default_rng(size).random(total)
        for start in range(0, total, size):
            stop = min(total, start + size)
            numbers = range(start, stop)
            store.apply([points(run_id, "m", values[start:stop].tolist(), steps=numbers)])
        for _ in range(2):
            series = store.get_metric_series(run_id, "m")
            assert series.steps.tolist() == list(range(total))
            assert series.values.tobytes() == values.tobytes()
            assert store.get_run(run_id).data.summaries["m"].points == total
            store.apply([UpdateRun(run_id, RunStatus.FINISHED, 9)])

    def test_down_sampling_keeps_every_spike(self, store: Store) -> None:
        run_id = begin(store)
        total, buckets = 50_000, 20
        values = np.sin(np.arange(total) / 50)
        values[12_345], values[31_000], values[31_001] = 99.0, -99.0, NAN
        store.apply([points(run_id, "m", values.tolist())])
        few = store.downsample_metric(run_id, "m", buckets)
        assert len(few) <= 4 * buckets
        assert few.steps.tolist() == sorted(few.steps.tolist())
        assert {12_345, 31_000, 0, total - 1} <= set(few.steps.tolist())
        assert (values[few.steps] == few.values).all()
        for bucket in range(buckets):
            part = values[bucket * total // buckets : (bucket + 1) * total // buckets]
            inside = few.values[few.steps * buckets // total == bucket]
            assert np.nanmin(part) in inside
            assert np.nanmax(part) in inside
        assert len(store.downsample_metric(run_id, "m", total)) == total
        with pytest.raises(InvalidArgument, match="buckets"):
            store.downsample_metric(run_id, "m", 0)
