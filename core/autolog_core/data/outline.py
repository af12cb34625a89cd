"""What can be told of data without reading all of it: the parts that were read, and the rest."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from autolog_core.data.arrays import Array
from autolog_core.data.columns import Column, Tensor
from autolog_core.data.source import DatasetSource

# What a digest covers, from most to least.
DATA = "data"
ITEMS = "items"
ATTRIBUTES = "attributes"
PIPELINE = "pipeline"
PLAN = "plan"
DESCRIPTION = "description"
_ORDER = (DATA, ITEMS, ATTRIBUTES, PIPELINE, PLAN, DESCRIPTION)


@dataclass(frozen=True, slots=True)
class Outline:
    """Data as a reference sees it.

    Attributes:
        covers: What the digest covers; kept as ``digest_of`` in the profile.
        parts: What the digest is made from: data, text, numbers, other outlines.
        label: Tells this outline from others of the same parts; None if the parts are all there
            is, so that the digest is that of the parts.
        profile: What goes into the profile.
        tensors: The schema, for tensors.
        columns: The schema, for a table.
        opaque: How many Python objects among the parts were told by their class only.
    """

    covers: str
    parts: tuple[Any, ...]
    label: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] = ()
    columns: tuple[Column, ...] = ()
    opaque: int = 0


@dataclass(frozen=True, slots=True)
class Picked:
    """Rows of an array or tensor.

    Attributes:
        data: See `autolog_core.data.tensors.can_pick`.
        rows: Places, from 0; int64.
    """

    data: Any
    rows: Array


def least(*covers: str) -> str:
    """Returns the one that covers least."""
    return max(covers, key=_ORDER.index, default=DATA)


def with_profile(outline: Outline, **profile: Any) -> Outline:
    """Returns an outline with more in its profile."""
    return replace(outline, profile={**outline.profile, **profile})


def outline_of_source(source: DatasetSource, columns: Sequence[Any] | None) -> Outline:
    """Returns the outline of data that are known by their source and schema alone."""
    schema = json.dumps(columns, sort_keys=True)
    return Outline(DESCRIPTION, (source.source_type, source.to_json(), schema), "source")
