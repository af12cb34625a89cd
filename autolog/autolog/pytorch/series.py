"""Values of a training that stay where they are until nobody has to wait for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

_MOST = 256
"""Values that are kept at most before they are read."""
_PERIOD = 0.25
"""Seconds after which they are read."""

Sink = Callable[[str, Sequence[int], Sequence[float]], None]
"""Gets the values of a series: ``sink(name, steps, values)``."""


@dataclass(slots=True)
class _Reading:
    """Values on their way from a device.

    Attributes:
        entries: (series, step) of each value.
        held: (n,) tensor with the values.
        event: Says whether they are there; None where reading them waits by itself.
    """

    entries: list[tuple[str, int]]
    held: Any
    event: Any = None

    def is_there(self, wait: bool) -> bool:
        """Whether the values can be read; with `wait` once they can."""
        if self.event is None:
            return True
        if wait:
            self.event.synchronize()
        return bool(self.event.query())


@dataclass(slots=True)
class Series:
    """Collects scalars of many series, and reads them together.

    A tensor is kept as it is and is stacked with others on its device; the copy to the host is
    asked for and looked at later. So nothing waits for a device, and on the processor one read
    serves many values.

    Attributes:
        sink: Gets the values, in the order in which they were added.
    """

    sink: Sink
    _waiting: list[tuple[str, int, Any]] = field(default_factory=list)
    _since: float = field(default_factory=perf_counter)
    _readings: list[_Reading] = field(default_factory=list)

    def add(self, name: str, step: int, value: Any) -> None:
        """Adds a scalar tensor of a series."""
        self._waiting.append((name, step, value))

    def read_if_due(self) -> None:
        """Reads if many values are waiting, or some of them long."""
        count = len(self._waiting)
        if count >= _MOST or (count > 0 and perf_counter() - self._since > _PERIOD):
            self.read()

    def read(self, wait: bool = False) -> None:
        """Reads what was added.

        Args:
            wait: Whether to wait for devices; else what is not there yet is read by a later call.
        """
        import torch

        self._since = perf_counter()
        waiting, self._waiting = self._waiting, []
        groups: dict[Any, tuple[list[tuple[str, int]], list[Any]]] = {}
        for name, step, value in waiting:
            entries, values = groups.setdefault((value.device, value.dtype), ([], []))
            entries.append((name, step))
            values.append(value if value.dim() == 0 else value.reshape(()))
        for (device, _), (entries, values) in groups.items():
            with torch.no_grad():
                stacked = torch.stack(values).double()
            self._readings.append(_send(device, entries, stacked))
        while self._readings and self._readings[0].is_there(wait):
            self._deliver(self._readings.pop(0))

    def _deliver(self, reading: _Reading) -> None:
        grouped: dict[str, tuple[list[int], list[float]]] = {}
        for (name, step), value in zip(reading.entries, reading.held.tolist(), strict=True):
            steps, values = grouped.setdefault(name, ([], []))
            steps.append(step)
            values.append(value)
        for name, (steps, values) in grouped.items():
            self.sink(name, steps, values)


def _send(device: Any, entries: list[tuple[str, int]], stacked: Any) -> _Reading:
    if device.type != "cuda":
        return _Reading(entries, stacked)
    import torch

    host = torch.empty(stacked.shape, dtype=stacked.dtype, device="cpu", pin_memory=True)
    host.copy_(stacked, non_blocking=True)
    event = torch.cuda.Event()
    event.record(torch.cuda.current_stream(device))
    return _Reading(entries, host, event)
