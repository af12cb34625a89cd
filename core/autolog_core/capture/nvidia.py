"""NVIDIA's GPUs, where its management library and Python's binding to it are installed.

Without either there are simply no GPUs to tell of. The library is loaded by the first call, never
on the caller's way, and not carried over a fork.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any


@dataclass(frozen=True, slots=True)
class Gpu:
    """A GPU.

    Attributes:
        memory: Bytes.
        driver: Version of the driver.
    """

    index: int
    name: str
    memory: int | None
    driver: str | None


class GpuReader:
    """Reads the load of each GPU under the names that MLflow gives it."""

    def __init__(self) -> None:
        self._library = load_library()
        self._pid = os.getpid()
        self._handles = _handles(self._library) if self._library else []

    def read(self) -> dict[str, float]:
        """Returns ``gpu_<index>_...`` values; what a GPU does not tell is left out."""
        library = self._library
        if library is None or os.getpid() != self._pid:
            return {}
        values: dict[str, float] = {}
        for index, handle in enumerate(self._handles):
            memory = _ask(library, library.nvmlDeviceGetMemoryInfo, handle)
            if memory is not None and memory.total:
                values[f"gpu_{index}_memory_usage_percentage"] = memory.used / memory.total * 100
                values[f"gpu_{index}_memory_usage_megabytes"] = memory.used / 1e6
            load = _ask(library, library.nvmlDeviceGetUtilizationRates, handle)
            if load is not None:
                values[f"gpu_{index}_utilization_percentage"] = float(load.gpu)
            power = _ask(library, library.nvmlDeviceGetPowerUsage, handle)
            if power is not None:
                values[f"gpu_{index}_power_usage_watts"] = power / 1000
                limit = _ask(library, library.nvmlDeviceGetEnforcedPowerLimit, handle)
                if limit:
                    values[f"gpu_{index}_power_usage_percentage"] = power / limit * 100
        return values


def read_gpus() -> tuple[Gpu, ...]:
    """Returns the GPUs of this machine; none where the library is absent."""
    library = load_library()
    if library is None:
        return ()
    driver = _ask(library, library.nvmlSystemGetDriverVersion)
    gpus = []
    for index, handle in enumerate(_handles(library)):
        memory = _ask(library, library.nvmlDeviceGetMemoryInfo, handle)
        gpus.append(
            Gpu(
                index,
                _text(_ask(library, library.nvmlDeviceGetName, handle)) or "unknown",
                None if memory is None else int(memory.total),
                _text(driver),
            )
        )
    return tuple(gpus)


def load_library() -> ModuleType | None:
    """Returns the initialised library, or None where there is none or it finds no driver."""
    try:
        import pynvml
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except (pynvml.NVMLError, OSError):
        return None
    library: ModuleType = pynvml
    return library


def _handles(library: ModuleType) -> list[Any]:
    count = _ask(library, library.nvmlDeviceGetCount) or 0
    handles = [_ask(library, library.nvmlDeviceGetHandleByIndex, index) for index in range(count)]
    return [handle for handle in handles if handle is not None]


def _ask(library: ModuleType, question: Callable[..., Any], *arguments: object) -> Any:
    try:
        return question(*arguments)
    except library.NVMLError:
        return None


def _text(value: object) -> str | None:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return value if isinstance(value, str) else None
