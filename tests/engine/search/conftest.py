import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from autolog_core.entities import CONTEXT_TAG, Dataset, DatasetInput, InputTag
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateRun,
    LogInputs,
    LogParams,
    Operation,
    UpdateRun,
)
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.store import SqlStore


@dataclass(frozen=True)
class Draft:
    """A run to be stored.

    Attributes:
        metrics: Values per key, one per step.
        datasets: (name, digest, context).
    """

    run_id: str
    start_time: int = 0
    end_time: int | None = None
    status: str = "FINISHED"
    name: str = "run"
    user_id: str | None = None
    metrics: Mapping[str, Sequence[float]] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    datasets: Sequence[tuple[str, str, str | None]] = ()

    def operations(self, experiment_id: str) -> Iterator[Operation]:
        yield CreateRun(
            self.run_id,
            experiment_id,
            self.name,
            self.user_id,
            self.start_time,
            f"/runs/{self.run_id}",
            tuple(self.tags.items()),
            owned=False,
        )
        if self.params:
            yield LogParams(self.run_id, tuple(self.params.items()))
        for key, values in self.metrics.items():
            steps = np.arange(len(values), dtype=np.int64)
            yield AppendMetrics(self.run_id, key, steps, steps, np.array(values, dtype=np.float64))
        if self.datasets:
            uses = [
                DatasetInput(
                    Dataset(name, digest, "code", "{}"),
                    () if context is None else (InputTag(CONTEXT_TAG, context),),
                )
                for name, digest, context in self.datasets
            ]
            yield LogInputs(self.run_id, tuple(uses))
        yield UpdateRun(self.run_id, status=self.status, end_time=self.end_time)


class Shelf:
    """A store with a database, filled experiment by experiment."""

    def __init__(self, folder: Path) -> None:
        path = folder / "tracking.db"
        self.database = Database(f"sqlite:///{path}", str(path))
        self.store = SqlStore(self.database, str(folder))
        self._numbers = itertools.count()

    def fill(self, *drafts: Draft) -> str:
        """Puts runs into a new experiment and returns its id."""
        experiment_id = self.store.create_experiment(f"experiment {next(self._numbers)}")
        self.store.apply([op for draft in drafts for op in draft.operations(experiment_id)])
        return experiment_id


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    shelf = Shelf(tmp_path_factory.mktemp("search"))
    yield shelf
    shelf.store.close()


@pytest.fixture(scope="session")
def draft() -> Callable[..., Draft]:
    return Draft
