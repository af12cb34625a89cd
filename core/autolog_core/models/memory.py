"""How much memory models may hold while they wait to be written, and buffers to copy them into.

A snapshot is a copy of a model. Where they come faster than the disk takes them, the next one waits
until an earlier one is written, instead of filling the memory of the machine. A buffer is kept for
the next snapshot, whose copy then finds its pages in place.
"""

from __future__ import annotations

import logging
import mmap
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from autolog_core.errors import StorageError

_logger = logging.getLogger("autolog")

_SMALL = 2 * 2**20
_LITTLE = 64 * 2**20
"""Bytes that are let in unasked: to read what is available would stop the caller for longer."""
_MUCH = 2**30
"""Bytes that may wait, unless two models have more: what waits is lost if the process is killed."""
_SPARE = 256 * 2**20
"""Bytes that are left to the rest of the machine."""
_PATIENCE = 2.0
"""Seconds after which whoever waits for memory is told so."""
_CGROUPS = (
    # Limit and use of memory, version 2 and version 1.
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


def available_memory() -> int:
    """Returns how many bytes can be had without swapping, within the limits of a container."""
    import psutil

    found = int(psutil.virtual_memory().available)
    for limit, used in _CGROUPS:
        with suppress(OSError, ValueError):
            return max(0, min(found, int(Path(limit).read_text()) - int(Path(used).read_text())))
    return found


class Reservation:
    """A right to hold some bytes; it ends with `release`, or when nobody holds it any more."""

    __slots__ = ("_gate", "size")

    def __init__(self, gate: MemoryGate, size: int) -> None:
        self._gate: MemoryGate | None = gate
        self.size = size

    def release(self) -> None:
        """Gives the bytes back; a second time does nothing."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate._end(self.size)

    def __del__(self) -> None:
        self.release()


class MemoryGate:
    """Lets snapshots in as long as there is memory for them.

    Args:
        limit: Bytes that all of them may hold together. Absent, two models or 1 GiB of smaller
            ones, and never more than half of what is available. A single one is always let in.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        # A reservation may end in the middle of a call of the same thread, by the collector.
        self._changed = threading.Condition(threading.RLock())
        self._held = self._waiting = 0

    @property
    def is_awaited(self) -> bool:
        """Whether somebody waits for memory."""
        return self._waiting > 0

    @property
    def held(self) -> int:
        """Bytes that are reserved now."""
        return self._held

    def reserve(self, size: int) -> Reservation:
        """Returns once `size` bytes may be held, in addition to what is held already."""
        with self._changed:
            if self._is_full(size):
                self._waiting += 1
                try:
                    self._wait(size)
                finally:
                    self._waiting -= 1
            self._held += size
        return Reservation(self, size)

    def _wait(self, size: int) -> None:
        told = False
        while self._is_full(size):
            if not self._changed.wait(_PATIENCE) and not told:
                told = True
                _logger.warning(
                    "autolog waits before it copies a model of %s: earlier ones hold %s and are "
                    "being written",
                    bytes_text(size),
                    bytes_text(self._held),
                )

    def _is_full(self, size: int) -> bool:
        together = self._held + size
        if not self._held:
            return False
        if self._limit is not None:
            return together > self._limit
        if together > max(2 * size, _MUCH):
            return True
        return together > _LITTLE and together > (available_memory() + self._held) // 2

    def _end(self, size: int) -> None:
        with self._changed:
            self._held -= size
            self._changed.notify_all()


class Buffer:
    """Memory to copy a model into; given back to its pool by `release`, or when it is forgotten.

    Attributes:
        memory: The memory itself.
    """

    __slots__ = ("_back", "_reservation", "memory")

    def __init__(
        self, memory: mmap.mmap, reservation: Reservation, back: Callable[[mmap.mmap], None]
    ) -> None:
        self.memory = memory
        self._reservation = reservation
        self._back: Callable[[mmap.mmap], None] | None = back

    def release(self) -> None:
        """Gives the memory back; nobody may use it afterwards."""
        back, self._back = self._back, None
        if back is not None:
            memory, self.memory = self.memory, _NOTHING
            self._reservation.release()
            back(memory)

    def __del__(self) -> None:
        self.release()


_NOTHING = mmap.mmap(-1, mmap.PAGESIZE)


class BufferPool:
    """Buffers that are used again, so that only the first snapshot pays for its pages.

    Args:
        gate: Says when there is memory for another one.
    """

    def __init__(self, gate: MemoryGate) -> None:
        self._gate = gate
        self._lock = threading.RLock()
        self._idle: list[mmap.mmap] = []

    def take(self, size: int) -> Buffer:
        """Returns a buffer of at least `size` bytes, whose content is whatever it was.

        Raises:
            StorageError: The system has no memory for it.
        """
        reservation = self._gate.reserve(size)
        with self._lock:
            fitting = [each for each in self._idle if size <= len(each) <= 2 * size + _SMALL]
            if fitting:
                memory = min(fitting, key=len)
                self._idle = [each for each in self._idle if each is not memory]
                return Buffer(memory, reservation, self._keep)
            # Buffers of other sizes belong to models that are no longer logged.
            self._idle.clear()
        return Buffer(_new_memory(size), reservation, self._keep)

    def fits(self, size: int) -> bool:
        """Whether there is memory for one buffer of `size` bytes, were it the only one."""
        idle = sum(map(len, self._idle))
        return size <= _SMALL or size <= available_memory() + idle + self._gate.held - _SPARE

    def trim(self) -> None:
        """Gives idle memory back to the system."""
        with self._lock:
            self._idle.clear()

    def _keep(self, memory: mmap.mmap) -> None:
        # One reference is ours and one that of the call: any other still looks into the memory.
        if sys.getrefcount(memory) > _ALONE:
            return
        with self._lock:
            if len(self._idle) < 2:
                self._idle.append(memory)


def _measure_alone() -> int:
    found: list[int] = []

    def back(memory: mmap.mmap) -> None:
        found.append(sys.getrefcount(memory))

    Buffer(mmap.mmap(-1, mmap.PAGESIZE), Reservation(MemoryGate(), 0), back).release()
    return found[0]


_ALONE = _measure_alone()


def _new_memory(size: int) -> mmap.mmap:
    try:
        return mmap.mmap(-1, max(1, size), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    except (OSError, ValueError, OverflowError) as error:
        raise StorageError(f"no memory to copy a model of {bytes_text(size)}: {error}") from error


def bytes_text(count: int) -> str:
    """Returns a number of bytes for people."""
    size = float(count)
    for unit in ("bytes", "KB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
