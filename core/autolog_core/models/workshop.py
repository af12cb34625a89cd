"""What the models of a session share while they are saved."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from autolog_core.models.memory import BufferPool, MemoryGate
from autolog_core.models.tensors import SharedTensors

_LONGEST = 0.05
"""Seconds of rest at most: whoever begins to wait waits for that."""


class Tally:
    """Counts the bytes of models, for whoever waits for their files.

    Attributes:
        asked: Bytes of all models that were logged.
        done: Bytes of these that are written.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.asked = self.done = 0

    def ask(self, size: int) -> None:
        """Counts a model that is to be written."""
        with self._lock:
            self.asked += size

    def advance(self, count: int) -> None:
        """Counts bytes that are written."""
        with self._lock:
            self.done += count


class Workshop:
    """Memory for snapshots, and what was written before.

    Args:
        limit: Bytes that models may hold while they wait to be written; None for what `MemoryGate`
            lets in by itself.
        is_awaited: Whether somebody waits for models to be written.

    Attributes:
        memory: Says when there is memory for another snapshot.
        buffers: Memory to copy models into.
        tensors: Which weights lie in which files.
        tally: How much is written of what is to be.
    """

    def __init__(
        self, limit: int | None = None, is_awaited: Callable[[], bool] = lambda: True
    ) -> None:
        self._is_awaited = is_awaited
        self._since = time.perf_counter()
        self.memory = MemoryGate(limit)
        self.buffers = BufferPool(self.memory)
        self.tensors = SharedTensors()
        self.tally = Tally()

    def breathe(self, count: int) -> None:
        """Counts bytes that were written, and rests for as long as that took.

        So half of the time is left to the training. Where somebody waits, there is no rest.

        Args:
            count: Bytes since the last call.
        """
        self.tally.advance(count)
        if not self._is_awaited() and not self.memory.is_awaited:
            time.sleep(min(_LONGEST, time.perf_counter() - self._since))
        self._since = time.perf_counter()
