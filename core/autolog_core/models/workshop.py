"""What the models of a session share while they are saved."""

from __future__ import annotations

import threading

from autolog_core.models.memory import BufferPool, MemoryGate
from autolog_core.models.tensors import SharedTensors


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
        limit: Bytes that models may hold while they wait to be written; None for half of what is
            available.

    Attributes:
        memory: Says when there is memory for another snapshot.
        buffers: Memory to copy models into.
        tensors: Which weights lie in which files.
        tally: How much is written of what is to be.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.memory = MemoryGate(limit)
        self.buffers = BufferPool(self.memory)
        self.tensors = SharedTensors()
        self.tally = Tally()
