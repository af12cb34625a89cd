"""What goes wrong with files and disks is told in words, and nothing is half-written."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from autolog_core.errors import (
    AutologError,
    CorruptStore,
    StorageError,
    StorageFull,
    StorageReadOnly,
)
from autolog_core.stores.contract_tools import begin, create, points
from autolog_core.stores.locate import open_store
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.maintenance import check
from autolog_core.stores.sql.store import SqlStore

NOBODY = 65534


@pytest.fixture
def address(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/mlruns/tracking.db"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("these are my notes\n" * 100)
    with pytest.raises(CorruptStore, match="no SQLite database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text().startswith("these are my notes")


def test_a_database_of_another_program(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE runs (id INTEGER)")
    with pytest.raises(CorruptStore, match="another program"):
        open_store(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT name FROM sqlite_master").fetchall() == [("runs",)]


def test_a_folder_in_place_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="is a folder"):
        open_store(f"sqlite:///{tmp_path}")


def test_a_file_in_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("")
    with pytest.raises(StorageError):
        open_store(f"sqlite:///{tmp_path}/mlruns/tracking.db")


def test_a_database_with_damaged_pages(tmp_path: Path, address: str) -> None:
    with closing(open_store(address)) as store:
        run_id = begin(store)
        values = np.random.default_rng(0).random(100_000).tolist()
        store.apply([points(run_id, "m", values)])
    path = tmp_path / "mlruns" / "tracking.db"
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 9000] = os.urandom(9000)
    path.write_bytes(data)
    with closing(open_store(address)) as store, pytest.raises(CorruptStore) as caught:
        store.get_metric_series(run_id, "m")
    assert "SELECT" not in str(caught.value)
    found = check(address)
    assert not found.ok
    data[100:8000] = os.urandom(7900)
    path.write_bytes(data)
    with pytest.raises(CorruptStore, match="autolog db check"):
        open_store(address)


def test_messages_hold_no_sql(address: str) -> None:
    with closing(open_store(address)) as store:
        with closing(sqlite3.connect(address[len("sqlite:///") :])) as other:
            other.execute("DROP TABLE params")
        store.apply([create("r1")])
        with pytest.raises(AutologError) as caught:
            store.get_run("r1")
    assert address in str(caught.value)
    assert "SELECT" not in str(caught.value)


def test_a_database_that_stays_locked(tmp_path: Path) -> None:
    path = str(tmp_path / "tracking.db")
    address = f"sqlite:///{path}"
    with closing(SqlStore(Database(address, path, patience=0.05), str(tmp_path))) as store:
        run_id = begin(store)
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StorageError, match="locked by another process"):
                begin(store)
            assert store.get_run(run_id).info.run_id == run_id
        begin(store)


def _as_nobody(work: Callable[[str], str], folder: Path) -> str:
    """Returns what `work` says as a user who may read `folder` and not write it."""
    if os.getuid() != 0:
        pytest.skip("needs root, to become another user")
    place = Path("/tmp") / f"autolog-read-only-{os.getpid()}"
    shutil.copytree(folder, place)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def run() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        answers.put(work(f"sqlite:///{place}"))

    try:
        for item in [place, *place.rglob("*")]:
            item.chmod(0o555 if item.is_dir() else 0o444)
        child = context.Process(target=run)
        child.start()
        child.join(60)
    finally:
        shutil.rmtree(place)
    assert child.exitcode == 0
    return answers.get()


def test_a_read_only_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    def work(folder: str) -> str:
        with pytest.raises(StorageReadOnly) as caught:
            open_store(f"{folder}/mlruns/tracking.db")
        return str(caught.value)

    assert "make '/tmp/autolog-read-only" in _as_nobody(work, tmp_path / "empty")


def test_a_read_only_archive_can_be_read(tmp_path: Path, address: str) -> None:
    with closing(open_store(address)) as store:
        begin(store, run_id="kept")

    def work(folder: str) -> str:
        with closing(open_store(f"{folder}/tracking.db")) as store:
            with pytest.raises(StorageReadOnly):
                store.delete_run("kept")
            return store.get_run("kept").info.lifecycle_stage

    assert _as_nobody(work, tmp_path / "mlruns") == "active"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "small"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        pytest.skip(f"no tmpfs can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_keeps_what_was_applied(small_disk: Path) -> None:
    with closing(open_store(f"sqlite:///{small_disk}/mlruns/tracking.db")) as store:
        run_id = begin(store)
        rng = np.random.default_rng(0)
        applied = 0

        def fill() -> None:
            nonlocal applied
            while True:
                steps = range(applied, applied + 5000)
                store.apply([points(run_id, "m", rng.random(5000).tolist(), steps=steps)])
                applied += 5000

        with pytest.raises(StorageFull, match="free space"):
            fill()
        assert applied >= 5000
        assert len(store.get_metric_series(run_id, "m")) == applied
        assert store.get_run(run_id).data.summaries["m"].points == applied


def test_a_full_disk_at_the_start(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(b"x" * (2 * 1024 * 1024 - 8192))
    with pytest.raises(StorageFull):
        open_store(f"sqlite:///{small_disk}/mlruns/tracking.db")


def _read_in_child(store_address: str, queue: multiprocessing.Queue) -> None:
    queue.put(CHILD.get_run("r1").info.run_id)
    CHILD.apply([points("r1", "m", [2.0], steps=[1])])


CHILD = None


def test_a_forked_child_uses_its_own_connections(address: str) -> None:
    global CHILD
    context = multiprocessing.get_context("fork")
    with closing(open_store(address)) as store:
        begin(store, run_id="r1")
        store.apply([points("r1", "m", [1.0])])
        CHILD = store
        queue = context.Queue()
        child = context.Process(target=_read_in_child, args=(address, queue))
        child.start()
        assert queue.get(timeout=60) == "r1"
        child.join()
        assert child.exitcode == 0
        store.apply([points("r1", "m", [3.0], steps=[2])])
        assert store.get_metric_series("r1", "m").values.tolist() == [1.0, 2.0, 3.0]


def test_read_only_is_an_oserror() -> None:
    assert issubclass(StorageReadOnly, OSError)
