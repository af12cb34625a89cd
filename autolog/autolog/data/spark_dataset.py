"""Datasets of Spark data frames."""

from __future__ import annotations

import os
import re
from typing import Any

from autolog.data._check import check_kind
from autolog_core.data import DatasetSource, FrameReference, kinds
from autolog_core.errors import InvalidArgument

__all__ = ["SparkDataset", "from_spark"]

_COMMIT = re.compile(r"(\d{20})\.json")


class SparkDataset(FrameReference):
    """A Spark data frame with what identifies it; nothing of it is computed."""


def from_spark(
    df: Any,
    path: str | None = None,
    table_name: str | None = None,
    version: str | int | None = None,
    sql: str | None = None,
    targets: str | None = None,
    name: str | None = None,
    digest: str | None = None,
    predictions: str | None = None,
) -> SparkDataset:
    """Returns a dataset of a Spark data frame, without running a job.

    The digest is made from the schema, the plan, and path and size of the files that it reads, and
    ``digest_of`` in the profile is ``plan``: two frames of one digest are computed in the same way
    from files of the same names and sizes. Give a `digest` of your own to say more.

    Args:
        df: The data frame.
        path: Where it was read from: a folder of Parquet or of a Delta table.
        table_name: The table that it was read from.
        version: The version of the Delta table that `path` or `table_name` names; of a Delta table
            in a local folder, the latest when absent.
        sql: The statement that it came from.
        targets: The column of labels.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters.
        predictions: The column of predictions.

    Raises:
        InvalidArgument: `df` is no Spark data frame or lacks a named column, more than one of
            `path`, `table_name` and `sql` is given, `version` is not that of a Delta table, or
            another argument is not legal.
    """
    check_kind(df, (kinds.SPARK_FRAME,), "df", "a Spark data frame (to_spark() of pandas on Spark)")
    places = {"path": path, "table_name": table_name, "sql": sql}
    given = {name: place for name, place in places.items() if place is not None}
    if len(given) > 1:
        raise InvalidArgument(f"give one of path, table_name and sql, got {', '.join(given)}")
    if version is not None and not given.keys() & {"path", "table_name"}:
        raise InvalidArgument(
            f"version ({version!r}) is that of the table at path or table_name; give one of them"
        )
    source = None
    if path is not None:
        source = _at_path(str(path), version)
    elif table_name is not None and version is not None:
        fields = {"delta_table_name": table_name, "delta_table_version": version}
        source = DatasetSource("delta_table", fields)
    elif given:
        source = DatasetSource("spark", given)
    return SparkDataset(df, source, targets, name, digest, predictions)


def _at_path(path: str, version: str | int | None) -> DatasetSource:
    folder = path.removeprefix("file://")
    log = os.path.join(folder, "_delta_log")
    if version is not None and os.path.isdir(folder) and not os.path.isdir(log):
        raise InvalidArgument(
            f"version is {version!r}, but there is no Delta table at {path!r}; leave version out"
        )
    if version is None and os.path.isdir(log):
        commits = [found for entry in os.listdir(log) if (found := _COMMIT.fullmatch(entry))]
        version = max((int(commit[1]) for commit in commits), default=None)
    if version is None:
        return DatasetSource("spark", {"path": path})
    return DatasetSource("delta_table", {"path": path, "delta_table_version": version})
