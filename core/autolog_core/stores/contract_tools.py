"""What the tests of `contract.py` write to a store."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import numpy as np

from autolog_core.stores.base import Store
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateModel,
    CreateRun,
)


def begin(store: Store, experiment_id: str = "0", **fields: Any) -> str:
    """Creates a run and returns its id."""
    run_id: str = fields.pop("run_id", uuid.uuid4().hex)
    store.apply([create(run_id, experiment_id, **fields)])
    return run_id


def create(run_id: str, experiment_id: str = "0", **fields: Any) -> CreateRun:
    """Returns the operation that begins a run."""
    values: dict[str, Any] = {
        "name": "calm-fox-1",
        "user_id": "me",
        "start_time": 1000,
        "artifact_uri": f"/artifacts/{run_id}",
    }
    return CreateRun(run_id, experiment_id, **{**values, **fields})


def create_model(model_id: str, experiment_id: str = "0", **fields: Any) -> CreateModel:
    """Returns the operation that begins a logged model."""
    values: dict[str, Any] = {
        "name": "net",
        "artifact_location": f"/artifacts/models/{model_id}",
        "creation_timestamp": 1000,
    }
    return CreateModel(model_id, experiment_id, **{**values, **fields})


def points(
    run_id: str,
    key: str,
    values: Sequence[float],
    steps: Sequence[int] | None = None,
    times: Sequence[int] | None = None,
    **links: str,
) -> AppendMetrics:
    """Returns the operation that appends points; steps count from 0, times are 1000 ms later."""
    numbers = np.arange(len(values)) if steps is None else np.array(steps, np.int64)
    clock = numbers + 1000 if times is None else np.array(times, np.int64)
    return AppendMetrics(
        run_id,
        key,
        numbers.astype(np.int64),
        clock.astype(np.int64),
        np.array(values, np.float64),
        **links,
    )
