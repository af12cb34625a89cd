"""Small appends neither leave many chunks nor write much."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from autolog_core.stores.base import Store
from autolog_core.stores.contract_tools import begin, points
from autolog_core.stores.locate import open_store
from autolog_core.stores.operations import UpdateRun
from autolog_core.stores.sql import chunks
from autolog_core.stores.sql.chunks import FULL, SMALL, Chunk, choose


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tracking.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{path}")) as store:
        yield store


def sizes(path: Path, run_id: str) -> list[int]:
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(
            "SELECT points FROM metric_chunks WHERE run_id = ? ORDER BY chunk_id", (run_id,)
        )
        return [row[0] for row in rows]


@pytest.mark.parametrize("size", [1, 3, 50, 700, 9000])
def test_chunks_stay_few_and_points_are_rarely_rewritten(size: int) -> None:
    held: list[int] = []
    written = total = 0
    while total < 200_000:
        taken = choose([Chunk(0, count, None) for count in held if count < FULL], size)
        block = size + sum(chunk.points for chunk in taken)
        held = held[: len(held) - len(taken)]
        held += [FULL] * (block // FULL) + ([block % FULL] if block % FULL else [])
        written += block
        total += size
        assert len([count for count in held if count < FULL]) <= 10
    assert sum(held) == total
    # The last rows of a chunk share its pages: up to SMALL points cost as much as one.
    assert written / total <= SMALL / size / 2 + 16


def test_a_run_that_ends_is_compacted(store: Store, path: Path) -> None:
    run_id = begin(store)
    for step in range(300):
        store.apply([points(run_id, "m", [step / 3], steps=[step])])
    assert 1 < len(sizes(path, run_id)) <= 10
    store.apply([UpdateRun(run_id, "FINISHED", 9)])
    assert sizes(path, run_id) == [300]
    assert store.get_metric_series(run_id, "m").values.tolist() == [n / 3 for n in range(300)]


def test_a_killed_run_is_compacted_too(store: Store, path: Path) -> None:
    from autolog_core.stores.contract_tools import create
    from autolog_core.stores.operations import WriterMark

    for step in range(300):
        mark = WriterMark("w", step + 1, 1000)
        store.apply([create("r"), points("r", "m", [1.0], steps=[step])], mark)
    store.close_writer("w", "killed")
    assert sizes(path, "r") == [300]


def test_full_chunks_are_left_alone(store: Store, path: Path) -> None:
    run_id = begin(store)
    values = np.arange(2.0 * FULL + 5).tolist()
    store.apply([points(run_id, "m", values)])
    assert sizes(path, run_id) == [FULL, FULL, 5]
    store.apply([points(run_id, "m", [1.0], steps=[len(values)])])
    assert sizes(path, run_id) == [FULL, FULL, 6]


def test_down_sampling_reads_only_the_chunks_it_needs(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = begin(store)
    total = 40 * FULL
    values = np.random.default_rng(0).random(total)
    values[7 * FULL + 3], values[29 * FULL + 1] = 50.0, -np.inf
    store.apply([points(run_id, "m", values.tolist())])
    read: list[int] = []
    load = chunks.load_data

    def count(connection, chunk_ids):
        read.extend(chunk_ids)
        return load(connection, chunk_ids)

    monkeypatch.setattr("autolog_core.stores.sql.downsample.load_data", count)
    few = store.downsample_metric(run_id, "m", 2)
    assert len(few) <= 8
    assert len(read) <= 8
    assert {0, 7 * FULL + 3, 29 * FULL + 1, total - 1} <= set(few.steps.tolist())
    for half in (values[: total // 2], values[total // 2 :]):
        assert {half.min(), half.max()} <= set(few.values.tolist())
