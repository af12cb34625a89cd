"""Experiments, and the words for what is alive and what is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autolog_core.errors import InvalidArgument


class LifecycleStage:
    """Whether a thing is shown (`ACTIVE`) or put away (`DELETED`)."""

    ACTIVE = "active"
    DELETED = "deleted"


class ViewType:
    """Which lifecycle stages a search covers; the numbers are the protocol's."""

    ACTIVE_ONLY = 1
    DELETED_ONLY = 2
    ALL = 3

    @classmethod
    def stages(cls, view_type: int) -> tuple[str, ...]:
        """Returns the lifecycle stages of `view_type`.

        Raises:
            InvalidArgument: It is none of the three.
        """
        try:
            return {
                1: (LifecycleStage.ACTIVE,),
                2: (LifecycleStage.DELETED,),
                3: (LifecycleStage.ACTIVE, LifecycleStage.DELETED),
            }[int(view_type)]
        except (KeyError, TypeError, ValueError):
            raise InvalidArgument(
                f"view_type must be ViewType.ACTIVE_ONLY, DELETED_ONLY or ALL, got {view_type!r}"
            ) from None


@dataclass(frozen=True, slots=True)
class Experiment:
    """A group of runs and models.

    Attributes:
        experiment_id: Decimal digits; "0" is the default experiment.
        artifact_location: Address under which the experiment's artifacts are kept.
        creation_time: Milliseconds since the epoch.
        last_update_time: Milliseconds since the epoch.
    """

    experiment_id: str
    name: str
    artifact_location: str
    lifecycle_stage: str = LifecycleStage.ACTIVE
    tags: Mapping[str, str] = field(default_factory=dict)
    creation_time: int | None = None
    last_update_time: int | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return {
            "experiment_id": self.experiment_id,
            "name": self.name,
            "artifact_location": self.artifact_location,
            "lifecycle_stage": self.lifecycle_stage,
            "tags": dict(self.tags),
            "creation_time": self.creation_time,
            "last_update_time": self.last_update_time,
        }
