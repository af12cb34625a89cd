"""What the models of a session share while they are saved."""

from __future__ import annotations

from autolog_core.models.memory import BufferPool, MemoryGate
from autolog_core.models.tensors import SharedTensors


class Workshop:
    """Memory for snapshots, and what was written before.

    Args:
        limit: Bytes that models may hold while they wait to be written; None for half of what is
            available.

    Attributes:
        memory: Says when there is memory for another snapshot.
        buffers: Memory to copy models into.
        tensors: Which weights lie in which files.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.memory = MemoryGate(limit)
        self.buffers = BufferPool(self.memory)
        self.tensors = SharedTensors()
