"""Checks and packs what a run logs, before any of it is written."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any, TypeAlias

from autolog_core import limits
from autolog_core.entities import DatasetInput, Metric

Link: TypeAlias = tuple[str | None, str | None, str | None]
"""Model id, dataset name and dataset digest of a series."""
Columns: TypeAlias = tuple[
    list[tuple[str, str | None, str | None, str | None]],
    "array[int]",
    "array[int]",
    "array[int]",
    "array[float]",
]


def checked_link(model_id: str | None, name: str | None, digest: str | None) -> Link:
    """Returns what a series belongs to, within the limits."""
    if model_id is not None:
        limits.check_text(model_id, 36, "model_id")
    if name is not None:
        limits.check_text(name, limits.DATASET_NAME_LENGTH, "dataset name")
    if digest is not None:
        limits.check_text(digest, limits.DATASET_DIGEST_LENGTH, "dataset digest")
    return model_id or None, name or None, digest or None


def checked_input(use: DatasetInput) -> tuple[list[str | None], list[list[str]]]:
    """Returns the fields of a dataset and its tags, within the limits."""
    data = use.dataset
    check = limits.check_text
    fields: list[str | None] = [
        check(data.name, limits.DATASET_NAME_LENGTH, "dataset name"),
        check(data.digest, limits.DATASET_DIGEST_LENGTH, "dataset digest"),
        check(data.source_type, limits.DATASET_DIGEST_LENGTH, "dataset source type"),
        check(data.source, limits.DATASET_SOURCE_LENGTH, "dataset source"),
        None
        if data.schema is None
        else check(data.schema, limits.DATASET_SCHEMA_LENGTH, "dataset schema"),
        None
        if data.profile is None
        else check(data.profile, limits.DATASET_PROFILE_LENGTH, "dataset profile"),
    ]
    tags = [
        [
            check(tag.key, limits.INPUT_TAG_KEY_LENGTH, "input tag key"),
            check(tag.value, limits.INPUT_TAG_VALUE_LENGTH, "input tag value"),
        ]
        for tag in use.tags
    ]
    return fields, tags


def int64_column(column: Any) -> Any:
    """Returns integers as something with `tobytes`, 8 bytes each."""
    if hasattr(column, "dtype"):
        import numpy as np

        if column.dtype.kind not in "iu":
            raise TypeError(f"got {column.dtype}")
        return np.ascontiguousarray(column, np.int64)
    return array("q", column)


def float64_column(column: Any) -> Any:
    """Returns numbers as something with `tobytes`, 8 bytes each."""
    if hasattr(column, "dtype"):
        import numpy as np

        return np.ascontiguousarray(column, np.float64)
    return array("d", column)


def point_columns(metrics: Sequence[Metric]) -> Columns:
    """Returns (series, which, steps, timestamps, values) of checked points."""
    keys = [metric.key for metric in metrics]
    try:
        values = array("d", [metric.value for metric in metrics])
        steps = array("q", [metric.step for metric in metrics])
        times = array("q", [metric.timestamp for metric in metrics])
    except (TypeError, OverflowError, ValueError):
        values = array("d", [limits.check_metric_value(m.key, m.value) for m in metrics])
        steps = array("q", [limits.check_int64(m.step, f"step of {m.key!r}") for m in metrics])
        times = array("q", [limits.check_timestamp(m.timestamp) for m in metrics])
    if min(times) < 0:
        limits.check_timestamp(min(times))
    names = set(keys)
    if len(names) == 1 and all(
        metric.model_id is None and metric.dataset_name is None for metric in metrics
    ):
        key = limits.check_key(keys[0], "metric")
        return [(key, None, None, None)], array("I"), steps, times, values
    for key in names:
        limits.check_key(key, "metric")
    links = [checked_link(m.model_id, m.dataset_name, m.dataset_digest) for m in metrics]
    series: dict[tuple[str, str | None, str | None, str | None], int] = {}
    which = array(
        "I",
        [
            series.setdefault((key, *link), len(series))
            for key, link in zip(keys, links, strict=True)
        ],
    )
    return list(series), which, steps, times, values
