"""How busy the machine is, under the names that MLflow gives it."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from autolog_core.capture.nvidia import GpuReader

DISK = "/"


@dataclass(frozen=True, slots=True)
class Counters:
    """What only grows; a run's figures are differences of two of these.

    Attributes:
        busy: Seconds that all processors together were busy.
        total: Seconds that all processors together existed.
        received: Bytes from the network.
        sent: Bytes to the network.
    """

    busy: float
    total: float
    received: int | None
    sent: int | None


def read_counters() -> Counters:
    """Returns the machine's counters of now."""
    times = psutil.cpu_times()
    fields = times._asdict()
    # Linux counts the time of guests in `user` and `nice` as well.
    total = sum(fields.values()) - fields.get("guest", 0.0) - fields.get("guest_nice", 0.0)
    idle = times.idle + fields.get("iowait", 0.0)
    network = _network()
    return Counters(total - idle, total, *network)


def differences(now: Counters, last: Counters, first: Counters) -> dict[str, float]:
    """Returns the processors' load since `last`, in percent, and the traffic since `first`."""
    values: dict[str, float] = {}
    elapsed = now.total - last.total
    if elapsed > 0:
        share = (now.busy - last.busy) / elapsed * 100
        values["cpu_utilization_percentage"] = min(max(share, 0.0), 100.0)
    if now.received is not None and first.received is not None:
        values["network_receive_megabytes"] = (now.received - first.received) / 1e6
    if now.sent is not None and first.sent is not None:
        values["network_transmit_megabytes"] = (now.sent - first.sent) / 1e6
    return values


class GaugeReader:
    """Reads memory, disk and GPUs. What the machine does not tell is left out."""

    def __init__(self) -> None:
        self._gpus = GpuReader()

    def read(self) -> dict[str, float]:
        """Returns the values of now."""
        memory = psutil.virtual_memory()
        values = {
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
        }
        return values | _disk() | self._gpus.read()


def _network() -> tuple[int | None, int | None]:
    try:
        found = psutil.net_io_counters()
    except OSError:
        return None, None
    # None where there is no network device, as in some containers.
    return (found.bytes_recv, found.bytes_sent) if found else (None, None)


def _disk() -> dict[str, float]:
    try:
        usage = psutil.disk_usage(DISK)
    except OSError:
        return {}
    return {
        "disk_usage_percentage": usage.percent,
        "disk_usage_megabytes": usage.used / 1e6,
        "disk_available_megabytes": usage.free / 1e6,
    }
