"""Runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autolog_core.entities.dataset import DatasetInput
from autolog_core.entities.experiment import LifecycleStage
from autolog_core.entities.values import MetricSummary
from autolog_core.errors import InvalidArgument


class RunStatus:
    """How far a run is; `from_string` and `to_string` use the protocol's numbers."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    _NUMBERS = {"RUNNING": 1, "SCHEDULED": 2, "FINISHED": 3, "FAILED": 4, "KILLED": 5}  # noqa: RUF012

    @classmethod
    def check(cls, status: object) -> str:
        """Returns `status` as its word.

        Raises:
            InvalidArgument: It is neither a word nor a number of a status.
        """
        if isinstance(status, str) and status.upper() in cls._NUMBERS:
            return status.upper()
        for word, number in cls._NUMBERS.items():
            if status == number and not isinstance(status, bool):
                return word
        raise InvalidArgument(f"status must be one of {', '.join(cls._NUMBERS)}, got {status!r}")

    @classmethod
    def from_string(cls, status: str) -> int:
        """Returns the protocol's number of `status`."""
        return cls._NUMBERS[cls.check(status)]

    @classmethod
    def to_string(cls, status: int) -> str:
        """Returns the word of the protocol's number `status`."""
        return cls.check(status)

    @classmethod
    def is_terminated(cls, status: object) -> bool:
        """Whether a run of `status` is over."""
        return cls.check(status) in (cls.FINISHED, cls.FAILED, cls.KILLED)


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What identifies a run. Times are milliseconds since the epoch."""

    run_id: str
    experiment_id: str
    run_name: str | None
    user_id: str | None
    status: str
    start_time: int
    end_time: int | None
    artifact_uri: str | None
    lifecycle_stage: str = LifecycleStage.ACTIVE

    @property
    def run_uuid(self) -> str:
        """The run id under its old name."""
        return self.run_id

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class RunData:
    """What was logged to a run.

    Attributes:
        metrics: Latest value per key.
        summaries: Latest, minimum, maximum and count per key.
    """

    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    summaries: Mapping[str, MetricSummary] = field(default_factory=dict)

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return {
            "metrics": dict(self.metrics),
            "params": dict(self.params),
            "tags": dict(self.tags),
        }


@dataclass(frozen=True, slots=True)
class LoggedModelInput:
    """The use of a logged model by a run."""

    model_id: str


@dataclass(frozen=True, slots=True)
class LoggedModelOutput:
    """A logged model that a run made, at a step."""

    model_id: str
    step: int = 0


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What went into a run."""

    dataset_inputs: tuple[DatasetInput, ...] = ()
    model_inputs: tuple[LoggedModelInput, ...] = ()


@dataclass(frozen=True, slots=True)
class RunOutputs:
    """What came out of a run."""

    model_outputs: tuple[LoggedModelOutput, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """A run with what was logged to it."""

    info: RunInfo
    data: RunData = field(default_factory=RunData)
    inputs: RunInputs = field(default_factory=RunInputs)
    outputs: RunOutputs = field(default_factory=RunOutputs)

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the run as plain data."""
        return {
            "info": self.info.to_dictionary(),
            "data": self.data.to_dictionary(),
            "inputs": {
                "dataset_inputs": [
                    {"dataset": use.dataset.to_dictionary(), "tags": dict(use.tags)}
                    for use in self.inputs.dataset_inputs
                ],
                "model_inputs": [{"model_id": use.model_id} for use in self.inputs.model_inputs],
            },
            "outputs": {
                "model_outputs": [
                    {"model_id": made.model_id, "step": made.step}
                    for made in self.outputs.model_outputs
                ]
            },
        }
