"""The store on a SQL database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from autolog_core.entities import Experiment, LoggedModel, Page, Run, ViewType
from autolog_core.stores.base import MetricSeries, Store
from autolog_core.stores.operations import ApplyReport, Operation, OwnedModel, WriterMark
from autolog_core.stores.sql import (
    downsample,
    experiments,
    metrics,
    models,
    runs,
    versions,
    writers,
)
from autolog_core.stores.sql.apply import apply
from autolog_core.stores.sql.engine import Database
from autolog_core.stores.sql.search_experiments import search_experiments
from autolog_core.stores.sql.search_models import search_logged_models
from autolog_core.stores.sql.search_runs import search_runs


class SqlStore(Store):
    """A tracking store in a SQL database.

    Args:
        database: The open database; its tables are made if it has none.
        artifact_root: Address under which new experiments keep their artifacts.

    Raises:
        SchemaMismatch: The schema is older or newer than this version's.
        CorruptStore: The database is damaged, or another program's.
        StorageError: It cannot be reached, made or read.
    """

    def __init__(self, database: Database, artifact_root: str) -> None:
        self.address = database.address
        self.artifact_root = artifact_root
        self._database = database
        versions.prepare(database, artifact_root)

    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """See `Store`."""
        return self._database.write(
            lambda c: experiments.create(c, self.artifact_root, name, artifact_location, tags)
        )

    def get_experiment(self, experiment_id: str) -> Experiment:
        """See `Store`."""
        return self._database.read(lambda c: experiments.get(c, experiment_id))

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """See `Store`."""
        return self._database.read(lambda c: experiments.get_by_name(c, name))

    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: experiments.rename(c, experiment_id, name))

    def delete_experiment(self, experiment_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: experiments.remove(c, experiment_id))

    def restore_experiment(self, experiment_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: experiments.restore(c, experiment_id))

    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: experiments.set_tag(c, experiment_id, key, value))

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: experiments.delete_tag(c, experiment_id, key))

    def search_experiments(
        self,
        filter_string: str | None = None,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """See `Store`."""
        return self._database.read(
            lambda c: search_experiments(
                c, filter_string, view_type, max_results, order_by, page_token
            )
        )

    def get_run(self, run_id: str) -> Run:
        """See `Store`."""
        return self._database.read(lambda c: runs.get(c, run_id))

    def delete_run(self, run_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: runs.remove(c, run_id))

    def restore_run(self, run_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: runs.restore(c, run_id))

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Run]:
        """See `Store`."""
        return self._database.read(
            lambda c: search_runs(
                c, experiment_ids, filter_string, view_type, max_results, order_by, page_token
            )
        )

    def get_metric_series(self, run_id: str, key: str) -> MetricSeries:
        """See `Store`."""
        return self._database.read(lambda c: metrics.get_series(c, run_id, key))

    def downsample_metric(self, run_id: str, key: str, buckets: int) -> MetricSeries:
        """See `Store`."""
        return self._database.read(lambda c: downsample.get_series(c, run_id, key, buckets))

    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        """See `Store`."""
        return self._database.read(lambda c: models.get(c, model_id, allow_deleted))

    def delete_logged_model(self, model_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: models.remove(c, model_id))

    def restore_logged_model(self, model_id: str) -> None:
        """See `Store`."""
        self._database.write(lambda c: models.restore(c, model_id))

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int = 50,
        order_by: Sequence[Mapping[str, Any] | str] | None = None,
        page_token: str | None = None,
    ) -> Page[LoggedModel]:
        """See `Store`."""
        return self._database.read(
            lambda c: search_logged_models(
                c, experiment_ids, filter_string, datasets, max_results, order_by, page_token
            )
        )

    def apply(self, operations: Iterable[Operation], mark: WriterMark | None = None) -> ApplyReport:
        """See `Store`."""
        batch = list(operations)
        return self._database.write(lambda c: apply(c, batch, mark))

    def get_position(self, writer_id: str) -> int:
        """See `Store`."""
        return self._database.read(lambda c: writers.get_position(c, writer_id))

    def list_owned_models(self, writer_id: str) -> list[OwnedModel]:
        """See `Store`."""
        return self._database.read(lambda c: writers.list_owned_models(c, writer_id))

    def close_writer(self, writer_id: str, cause: str | None) -> list[str]:
        """See `Store`."""
        return self._database.write(lambda c: writers.close(c, writer_id, cause))

    def sync(self) -> None:
        """See `Store`."""
        self._database.sync()

    def close(self) -> None:
        """See `Store`."""
        self._database.close()
