"""Runs and logged models as a pandas frame, built column by column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from autolog_core.entities import LoggedModel, Run


def runs_frame(runs: Sequence[Run]) -> pd.DataFrame:
    """Returns one row per run, in their order.

    Columns are run_id, experiment_id, status, artifact_uri, start_time, end_time, then
    ``metrics.*``, ``params.*`` and ``tags.*``, each group in alphabetical order.
    """
    infos = [run.info for run in runs]
    columns: dict[str, Any] = {
        name: _objects([getattr(info, name) for info in infos])
        for name in ("run_id", "experiment_id", "status", "artifact_uri")
    }
    columns["start_time"] = _times([info.start_time for info in infos])
    columns["end_time"] = _times([info.end_time for info in infos])
    metrics = [run.data.metrics for run in runs]
    for key in _keys(metrics):
        values = [row.get(key, np.nan) for row in metrics]
        columns[f"metrics.{key}"] = np.array(values, dtype=np.float64)
    for prefix, rows in (
        ("params.", [run.data.params for run in runs]),
        ("tags.", [run.data.tags for run in runs]),
    ):
        for key in _keys(rows):
            columns[prefix + key] = _objects([row.get(key) for row in rows])
    return pd.DataFrame(columns, copy=False)


def models_frame(models: Sequence[LoggedModel]) -> pd.DataFrame:
    """Returns one row per logged model, in their order, with a column per field as MLflow has it.

    Params and tags are dictionaries, metrics a list of `Metric`, times milliseconds.
    """
    rows = [{**model.to_dictionary(), "status": model.status} for model in models]
    names = sorted(LoggedModel.__dataclass_fields__)
    columns: dict[str, Any] = {name: _objects([row[name] for row in rows]) for name in names}
    for name in ("creation_timestamp", "last_updated_timestamp"):
        columns[name] = np.array([row[name] for row in rows], dtype=np.int64)
    return pd.DataFrame(columns, copy=False)


def _keys(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    found: set[str] = set()
    for row in rows:
        found.update(row)
    return sorted(found)


def _objects(values: list[Any]) -> pd.Series[Any]:
    # An object column keeps None as None whatever string type pandas would guess.
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return pd.Series(column, dtype=object)


def _times(values: list[int | None]) -> pd.Series[Any]:
    stamps = np.array([np.iinfo(np.int64).min if v is None else v for v in values], dtype=np.int64)
    return pd.Series(pd.to_datetime(stamps.view("datetime64[ms]"), utc=True).as_unit("ns"))
