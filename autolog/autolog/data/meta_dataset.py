"""Datasets that are told only by where they are."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

from autolog_core.data import DataReference, outline_of_source
from autolog_core.errors import InvalidArgument

__all__ = ["MetaDataset"]


class MetaDataset(DataReference):
    """A dataset that is told by its source, without data at hand.

    Args:
        source: A path, an address or a `DatasetSource`.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from source and schema when absent.
        schema: A `Schema` of ``models`` or MLflow, or the list of its columns.

    Raises:
        InvalidArgument: An argument is not legal.
    """

    def __init__(
        self,
        source: Any,
        name: str | None = None,
        digest: str | None = None,
        schema: Any = None,
    ) -> None:
        super().__init__(None, source, None, name, digest)
        self._columns = _columns(schema)
        self._seen = outline_of_source(self.source, self._columns)

    @cached_property
    def schema(self) -> dict[str, Any] | None:
        """The schema, keyed `mlflow_colspec`."""
        return None if self._columns is None else {"mlflow_colspec": self._columns}


def _columns(schema: Any) -> list[Any] | None:
    if schema is None:
        return None
    plain = schema.to_dict() if callable(getattr(schema, "to_dict", None)) else schema
    try:
        found = json.loads(json.dumps(plain))
    except (TypeError, ValueError):
        found = None
    if not isinstance(found, list) or not all(isinstance(column, dict) for column in found):
        raise InvalidArgument(
            f"schema must be a Schema or the list of its columns, got {schema!r:.80} of type "
            f"{type(schema).__name__}"
        )
    return found
