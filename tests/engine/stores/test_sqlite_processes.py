"""Many processes make, write and read one database at once."""

from __future__ import annotations

import multiprocessing
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import numpy as np
import pytest

from autolog_core.stores.contract_tools import begin, create, points
from autolog_core.stores.locate import open_store
from autolog_core.stores.operations import UpdateRun, WriterMark
from autolog_core.stores.sql.maintenance import check

PROCESSES = 4
ROUNDS = 40


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlruns/tracking.db"


def run_all(target, *arguments) -> None:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    workers = [
        context.Process(target=target, args=(barrier, index, *arguments))
        for index in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES


def make_many(barrier: Barrier, index: int, folder: str) -> None:
    for number in range(10):
        barrier.wait(60)
        with closing(open_store(f"sqlite:///{folder}/{number}/tracking.db")) as store:
            begin(store, run_id=f"run-{index}")


def test_a_new_database_is_made_once(tmp_path: Path) -> None:
    run_all(make_many, str(tmp_path))
    for number in range(10):
        with closing(open_store(f"sqlite:///{tmp_path}/{number}/tracking.db")) as store:
            assert [item.name for item in store.search_experiments()] == ["Default"]
            assert len(store.search_runs(["0"])) == PROCESSES


def log_to_shared(barrier: Barrier, index: int, address: str) -> None:
    with closing(open_store(address)) as store:
        barrier.wait(60)
        for number in range(ROUNDS):
            first = number * PROCESSES + index
            mark = WriterMark(f"writer-{index}", number + 1, 1000 + number)
            batch = [
                create(f"own-{index}-{number}"),
                points(f"own-{index}-{number}", "m", [1.0]),
                points("shared", "m", [float(first)], steps=[first], times=[5]),
                points("shared", "same", [float(number)], steps=[0], times=[number]),
                UpdateRun(f"own-{index}-{number}", "FINISHED", 9),
            ]
            store.apply(batch, mark)
            # A crash after the commit would send the same batch again.
            store.apply(batch, mark)
            assert store.get_run("shared").data.summaries["m"].points > number


def test_writers_to_one_run_lose_nothing(address: str) -> None:
    with closing(open_store(address)) as store:
        begin(store, run_id="shared")
        run_all(log_to_shared, address)
        total = PROCESSES * ROUNDS
        series = store.get_metric_series("shared", "m")
        assert series.steps.tolist() == list(range(total))
        assert series.values.tolist() == np.arange(float(total)).tolist()
        summary = store.get_run("shared").data.summaries["m"]
        assert (summary.points, summary.value) == (total, total - 1)
        assert (summary.minimum, summary.maximum) == (0.0, total - 1)
        same = store.get_metric_series("shared", "same")
        assert same.values.tolist() == np.arange(float(ROUNDS)).tolist()
        assert store.get_run("shared").data.summaries["same"].points == ROUNDS
        assert len(store.search_runs(["0"], "attributes.status = 'FINISHED'")) == total
    assert check(address).problems == ()
