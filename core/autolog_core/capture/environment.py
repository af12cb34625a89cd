"""The machine and the interpreter that a run uses."""

from __future__ import annotations

import contextlib
import os
import platform
import sys
from dataclasses import asdict, dataclass
from typing import Any

from autolog_core.capture.nvidia import Gpu, read_gpus
from autolog_core.capture.text import clean


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run is made.

    Attributes:
        python: Version, such as "3.12.1".
        implementation: Such as "CPython".
        executable: Path of the interpreter.
        system: Such as "Linux 6.1.0 x86_64".
        distribution: Such as "Debian GNU/Linux 12 (bookworm)"; None where there is none.
        host: Name of the machine.
        cpu: Model of the processor, or None.
        cores: Logical processors of the machine.
        usable_cores: Those that this process may run on.
        memory: Bytes of main memory, or None.
        gpus: NVIDIA's GPUs, where their library is installed.
    """

    python: str
    implementation: str
    executable: str
    system: str
    distribution: str | None
    host: str
    cpu: str | None
    cores: int
    usable_cores: int
    memory: int | None
    gpus: tuple[Gpu, ...]

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return asdict(self)


def read_machine() -> Machine:
    """Returns what this process runs on; no program is started for it on Linux."""
    system = os.uname()
    return Machine(
        python=platform.python_version(),
        implementation=platform.python_implementation(),
        executable=clean(sys.executable or ""),
        system=f"{system.sysname} {system.release} {system.machine}",
        distribution=_distribution(),
        host=clean(system.nodename),
        cpu=_cpu_model(),
        cores=os.cpu_count() or 1,
        usable_cores=_usable_cores(),
        memory=_memory(),
        gpus=read_gpus(),
    )


def read_user(named: str | None = None) -> str:
    """Returns the user's name: the one that the environment names, or the account's."""
    if named:
        return clean(named)
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        # Containers often run under a number that has no account.
        return str(os.getuid())


def _distribution() -> str | None:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME")
    except OSError:
        return None


def _cpu_model() -> str | None:
    with (
        contextlib.suppress(OSError),
        open("/proc/cpuinfo", encoding="utf-8", errors="replace") as lines,
    ):
        for line in lines:
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model", "cpu model"):
                return value.strip()
    return platform.processor() or None


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
