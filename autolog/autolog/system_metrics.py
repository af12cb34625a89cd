"""Whether and how runs sample CPU, memory, disk, network and GPU."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from autolog_core import config
from autolog_core.errors import InvalidArgument
from autolog_core.session import default_session


def enable_system_metrics_logging() -> None:
    """Makes runs that start from now on sample the system, unless they say otherwise."""
    _change("ENABLE_SYSTEM_METRICS_LOGGING", "true", system_metrics=True)


def disable_system_metrics_logging() -> None:
    """Makes runs that start from now on leave the system alone, unless they say otherwise."""
    _change("ENABLE_SYSTEM_METRICS_LOGGING", "false", system_metrics=False)


def set_system_metrics_sampling_interval(interval: float | None) -> None:
    """Sets how many seconds lie between samples.

    Args:
        interval: Above 0; None for the default of 10.

    Raises:
        InvalidArgument: It is no number above 0.
    """
    _change(
        "SYSTEM_METRICS_SAMPLING_INTERVAL",
        None if interval is None else repr(_positive(interval, "interval")),
        system_metrics_interval=10.0 if interval is None else float(interval),
    )


def set_system_metrics_samples_before_logging(samples: int | None) -> None:
    """Sets how many samples are averaged into one logged point.

    Args:
        samples: From 1; None for the default of 1.

    Raises:
        InvalidArgument: It is no whole number from 1.
    """
    if samples is not None and int(_positive(samples, "samples")) != samples:
        raise InvalidArgument(f"samples must be a whole number from 1, got {samples!r}")
    _change(
        "SYSTEM_METRICS_SAMPLES_BEFORE_LOGGING",
        None if samples is None else str(int(samples)),
        system_metrics_samples=1 if samples is None else int(samples),
    )


def set_system_metrics_node_id(node_id: str | None) -> None:
    """Sets the name of this machine in the metrics' names: ``system/<node_id>/...``.

    Args:
        node_id: The name; None for no name.
    """
    name = None if node_id is None else str(node_id)
    _change("SYSTEM_METRICS_NODE_ID", name, system_metrics_node=name)


def _positive(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise InvalidArgument(f"{what} must be a number above 0, got {value!r}")
    return float(value)


def _change(name: str, value: str | None, **changes: Any) -> None:
    session = default_session()
    session.settings = replace(session.settings, **changes)
    config.export(name, value)
