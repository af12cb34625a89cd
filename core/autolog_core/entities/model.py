"""Logged models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from autolog_core.entities.values import Metric
from autolog_core.errors import InvalidArgument

_WORDS = {0: "UNSPECIFIED", 1: "PENDING", 2: "READY", 3: "FAILED"}
_NUMBERS = {
    **{word: number for number, word in _WORDS.items()},
    # The protocol has no number for it; this one keeps its clients from loading the model.
    "PRUNED": 3,
}


class LoggedModelStatus(StrEnum):
    """How far a logged model is; `from_int` and `to_int` use the protocol's numbers.

    PENDING models are being saved, READY ones load, FAILED ones never came to be, and the weights
    of PRUNED ones were deleted to make room. PRUNED has the number of FAILED; from a number one
    gets FAILED.
    """

    UNSPECIFIED = "UNSPECIFIED"
    PENDING = "PENDING"
    READY = "READY"
    FAILED = "FAILED"
    UPLOAD_FAILED = "FAILED"
    PRUNED = "PRUNED"

    @classmethod
    def _missing_(cls, value: object) -> LoggedModelStatus | None:
        if isinstance(value, int) and not isinstance(value, bool):
            word = _WORDS.get(value)
            return None if word is None else cls(word)
        word = str(value).upper().removeprefix("LOGGED_MODEL_")
        word = {"UPLOAD_FAILED": "FAILED", "STATUS_UNSPECIFIED": "UNSPECIFIED"}.get(word, word)
        return cls(word) if word in _NUMBERS and word != value else None

    @classmethod
    def check(cls, status: object) -> LoggedModelStatus:
        """Returns the status that a word, the protocol's word or its number stands for.

        Raises:
            InvalidArgument: It is none.
        """
        try:
            return cls(status)  # type: ignore[arg-type]
        except ValueError:
            raise InvalidArgument(
                f"status must be PENDING, READY or FAILED, got {status!r}"
            ) from None

    @classmethod
    def from_int(cls, status_int: int) -> LoggedModelStatus:
        """Returns the status of the protocol's number."""
        return cls.check(status_int)

    def to_int(self) -> int:
        """Returns the protocol's number."""
        return _NUMBERS[self.value]

    @staticmethod
    def is_finalized(status: object) -> bool:
        """Whether nothing more is expected to happen to a model of `status`."""
        return LoggedModelStatus.check(status) in (
            LoggedModelStatus.READY,
            LoggedModelStatus.FAILED,
            LoggedModelStatus.PRUNED,
        )


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model, such as a checkpoint, with what is known of it; its files lie elsewhere.

    Attributes:
        model_id: ``m-`` and 32 hex digits.
        artifact_location: Address of its files.
        creation_timestamp: Milliseconds since the epoch.
        last_updated_timestamp: When its status last changed, in milliseconds since the epoch.
        source_run_id: The run that made it.
        status_message: Why it failed, or when and why its weights were pruned.
        metrics: The latest point per metric and dataset, by time, step and value.
    """

    experiment_id: str
    model_id: str
    name: str
    artifact_location: str
    creation_timestamp: int
    last_updated_timestamp: int
    model_type: str | None = None
    source_run_id: str | None = None
    status: LoggedModelStatus = LoggedModelStatus.READY
    status_message: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)

    @property
    def model_uri(self) -> str:
        """The address to load it by: ``models:/<model id>``."""
        return f"models:/{self.model_id}"

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data; the status as the protocol's number."""
        return {
            "experiment_id": self.experiment_id,
            "model_id": self.model_id,
            "name": self.name,
            "artifact_location": self.artifact_location,
            "creation_timestamp": self.creation_timestamp,
            "last_updated_timestamp": self.last_updated_timestamp,
            "model_type": self.model_type,
            "source_run_id": self.source_run_id,
            "status": self.status.to_int(),
            "status_message": self.status_message,
            "tags": dict(self.tags),
            "params": dict(self.params),
            "metrics": list(self.metrics),
        }
