"""References to datasets, and their use by runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autolog_core.entities.values import InputTag

CONTEXT_TAG = "mlflow.data.context"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A reference to data: never the data itself.

    Attributes:
        digest: At most 36 characters, over all the data.
        source_type: Such as "code", "local", "s3", "http".
        source: JSON text that says where the data came from.
        schema: JSON text, or None.
        profile: JSON text such as ``{"num_rows": 150}``, or None.
    """

    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return {
            "name": self.name,
            "digest": self.digest,
            "source_type": self.source_type,
            "source": self.source,
            "schema": self.schema,
            "profile": self.profile,
        }


@dataclass(frozen=True, slots=True)
class DatasetInput:
    """The use of a dataset by a run; the tag `mlflow.data.context` says as what."""

    dataset: Dataset
    tags: tuple[InputTag, ...] = ()

    @property
    def context(self) -> str | None:
        """What the dataset was used as, such as "train"."""
        return next((tag.value for tag in self.tags if tag.key == CONTEXT_TAG), None)
