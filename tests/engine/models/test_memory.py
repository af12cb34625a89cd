"""Memory for snapshots: used again, bounded, and never given away while somebody looks at it."""

import threading

import numpy as np
import pytest

from autolog_core.errors import StorageError
from autolog_core.models import memory
from autolog_core.models.memory import BufferPool, MemoryGate, available_memory, bytes_text

MB = 2**20


def test_a_released_buffer_is_used_again():
    pool = BufferPool(MemoryGate())
    first = pool.take(4 * MB)
    first.memory[:3] = b"abc"
    del first
    assert pool.take(4 * MB).memory[:3] == b"abc"


def test_a_buffer_that_is_looked_at_is_not_given_away():
    pool = BufferPool(MemoryGate())
    first = pool.take(4 * MB)
    seen = np.frombuffer(first.memory, dtype=np.uint8)
    before = seen.copy()
    first.release()
    second = pool.take(4 * MB)
    second.memory[:3] = b"abc"
    assert np.array_equal(seen, before)


def test_a_buffer_of_another_size_is_not_kept_for_long():
    pool = BufferPool(MemoryGate())
    pool.take(64 * MB).release()
    small = pool.take(MB)
    assert len(small.memory) < 2 * MB
    assert not pool._idle


def test_a_buffer_may_be_released_twice():
    gate = MemoryGate()
    pool = BufferPool(gate)
    buffer = pool.take(MB)
    buffer.release()
    buffer.release()
    assert gate.held == 0
    assert len(pool._idle) == 1


def test_trim_gives_idle_memory_back():
    pool = BufferPool(MemoryGate())
    pool.take(MB).release()
    pool.trim()
    assert not pool._idle


def test_one_snapshot_is_always_let_in():
    gate = MemoryGate(limit=10)
    held = gate.reserve(1000)
    assert gate.held == 1000
    held.release()
    assert gate.held == 0


def test_the_next_snapshot_waits_until_there_is_room(caplog):
    gate = MemoryGate(limit=100)
    first = gate.reserve(80)
    came = threading.Event()

    def second() -> None:
        held = gate.reserve(80)
        came.set()
        held.release()

    thread = threading.Thread(target=second)
    thread.start()
    # Whoever waits says so, after a while.
    while not any("waits" in record.message for record in caplog.records):
        assert not came.is_set()
        assert thread.is_alive()
    first.release()
    thread.join(60)
    assert came.is_set()
    assert gate.held == 0


def test_small_ones_fit_beside_each_other():
    gate = MemoryGate(limit=100)
    held = [gate.reserve(40), gate.reserve(40)]
    assert gate.held == 80
    del held
    assert gate.held == 0


def test_by_itself_two_large_models_or_a_gigabyte_are_let_in(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 100 * 2**30)
    gate, large = MemoryGate(), 2**30
    held = [gate.reserve(large), gate.reserve(large)]
    assert gate._is_full(large)
    del held
    held = [gate.reserve(large // 4) for _ in range(4)]
    assert gate._is_full(large // 4)
    del held
    monkeypatch.setattr(memory, "available_memory", lambda: 2**30)
    held = [gate.reserve(large)]
    assert gate._is_full(large)
    del held
    assert not gate._is_full(large)


def test_what_no_machine_holds_is_refused():
    with pytest.raises(StorageError, match="no memory"):
        BufferPool(MemoryGate()).take(2**62)
    assert not BufferPool(MemoryGate()).fits(2**62)


def test_available_memory_is_told():
    assert 0 < available_memory() < 2**50


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 bytes"), (1500, "1.5 KB"), (2.5e6, "2.5 MB"), (3e12, "3000.0 GB")]
)
def test_bytes_are_readable(count, text):
    assert bytes_text(int(count)) == text
