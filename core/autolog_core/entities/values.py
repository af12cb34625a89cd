"""What a run holds: metrics, params, tags.

These are named tuples because histories hold millions of them: a frozen dataclass takes ten times
as long to make.
"""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """One point of a metric.

    Attributes:
        value: Any float, NaN and infinities included.
        timestamp: Milliseconds since the epoch.
        model_id: The logged model that the value belongs to, if any.
        dataset_name: Name of the dataset that it was computed on, if known.
        dataset_digest: Digest of that dataset.
    """

    key: str
    value: float
    timestamp: int
    step: int = 0
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None


class Param(NamedTuple):
    """An input of a run, written once."""

    key: str
    value: str


class RunTag(NamedTuple):
    """A label of a run; may be set again."""

    key: str
    value: str


class ExperimentTag(NamedTuple):
    """A label of an experiment."""

    key: str
    value: str


class InputTag(NamedTuple):
    """A label of the use of a dataset by a run."""

    key: str
    value: str


class LoggedModelParameter(NamedTuple):
    """An input of a logged model, written once."""

    key: str
    value: str


class LoggedModelTag(NamedTuple):
    """A label of a logged model; may be set again."""

    key: str
    value: str


class MetricSummary(NamedTuple):
    """What is kept of a metric of a run without reading its history.

    `value`, `step` and `timestamp` are of the latest point by (step, timestamp, value); `minimum`
    and `maximum` leave NaN out (None when every point is NaN), with the step of their first
    occurrence; `points` is how many there are.
    """

    key: str
    value: float
    timestamp: int
    step: int
    minimum: float | None
    minimum_step: int | None
    maximum: float | None
    maximum_step: int | None
    points: int
