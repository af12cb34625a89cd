"""What is exported: runs as flat rows, histories as points, page by page."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from autolog_core.entities import Run

if TYPE_CHECKING:
    from autolog_core.stores.base import MetricSeries, Store

RUN_COLUMNS = (
    "run_id",
    "name",
    "experiment_id",
    "experiment",
    "status",
    "start_time",
    "end_time",
    "user",
    "artifact_uri",
    "lifecycle_stage",
)
TIME_COLUMNS = frozenset(("start_time", "end_time", "timestamp"))
POINT_COLUMNS = (
    "run_id",
    "name",
    "key",
    "step",
    "timestamp",
    "value",
    "model_id",
    "dataset_name",
    "dataset_digest",
)
_PAGE = 500
_GROUPS = ("params", "metrics", "tags")


def fetch(
    store: Store,
    experiment_ids: Sequence[str],
    filter_string: str,
    view_type: int,
    order_by: Sequence[str],
    advance: Callable[[int], None],
) -> Iterator[Run]:
    """Yields runs page by page, and tells `advance` how many each page held."""
    token: str | None = None
    while True:
        page = store.search_runs(
            experiment_ids, filter_string, view_type, _PAGE, list(order_by), token
        )
        yield from page
        advance(len(page))
        token = page.token
        if token is None:
            return


def flatten(run: Run, experiments: Mapping[str, str]) -> dict[str, Any]:
    """Returns a run as one row; params, metrics and tags are named with their group first.

    Args:
        run: The run.
        experiments: Name per experiment id.
    """
    info, data = run.info, run.data
    fixed = (
        info.run_id,
        info.run_name,
        info.experiment_id,
        experiments.get(info.experiment_id),
        info.status,
        info.start_time,
        info.end_time,
        info.user_id,
        info.artifact_uri,
        info.lifecycle_stage,
    )
    row: dict[str, Any] = dict(zip(RUN_COLUMNS, fixed, strict=True))
    for group in _GROUPS:
        row.update((f"{group}.{key}", value) for key, value in getattr(data, group).items())
    return row


def point_columns(run: Run, series: MetricSeries) -> dict[str, Any]:
    """Returns the points of a series as columns of equal length, by the names `POINT_COLUMNS`."""
    size = len(series)
    links = [series.links[link] for link in series.link.tolist()]
    models, names, digests = zip(*links, strict=True) if links else ((), (), ())
    return {
        "run_id": [run.info.run_id] * size,
        "name": [run.info.run_name] * size,
        "key": [series.key] * size,
        "step": series.steps,
        "timestamp": series.timestamps,
        "value": series.values,
        "model_id": list(models),
        "dataset_name": list(names),
        "dataset_digest": list(digests),
    }


class Spool(AbstractContextManager["Spool"]):
    """Rows kept on disk until their columns are known: a table needs its heading first."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        self._keys: dict[str, set[str]] = {group: set() for group in _GROUPS}

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Keeps a row."""
        for name in row:
            group, dot, _ = name.partition(".")
            if dot:
                self._keys[group].add(name)
        self._file.write(json.dumps(row) + "\n")

    def columns(self) -> list[str]:
        """Returns the names of all columns: the fixed ones, params, metrics, tags."""
        return [*RUN_COLUMNS, *(name for group in _GROUPS for name in sorted(self._keys[group]))]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yields the rows as they were added."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)
