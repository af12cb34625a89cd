"""The specification of a store. `contract.py` holds the tests that every store passes."""

from __future__ import annotations

import gc
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, Any

from autolog_core.entities import Experiment, LoggedModel, Metric, Page, Run, ViewType
from autolog_core.stores.operations import ApplyReport, Operation, OwnedModel, WriterMark

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class MetricSeries:
    """The whole history of a metric of a run as arrays.

    Attributes:
        steps: int64, shape (n,), ordered by (timestamp, step, value) like the REST protocol; the
            same point (step, timestamp, value, model, dataset) logged twice counts once.
        timestamps: int64 milliseconds, shape (n,).
        values: float64, shape (n,).
        links: Distinct (model_id, dataset_name, dataset_digest) of the points.
        link: Index into `links` per point, int32, shape (n,).
    """

    run_id: str
    key: str
    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    links: tuple[tuple[str | None, str | None, str | None], ...]
    link: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.steps)

    def to_metrics(self) -> list[Metric]:
        """Returns the points as entities."""
        if len(self.links) == 1:
            links: list[Iterable[str | None]] = [repeat(part) for part in self.links[0]]
        else:
            which = self.link.tolist()
            links = [[self.links[index][part] for index in which] for part in range(3)]
        rows = zip(
            repeat(self.key),
            self.values.tolist(),
            self.timestamps.tolist(),
            self.steps.tolist(),
            *links,
            repeat(self.run_id),
        )
        # None of the points can be part of a cycle, and there may be millions: without a pause the
        # collector walks over all objects of the process once per 100,000 of them.
        collecting = gc.isenabled()
        gc.disable()
        try:
            return list(map(partial(tuple.__new__, Metric), rows))
        finally:
            if collecting:
                gc.enable()


class Store(ABC):
    """A tracking store. Every method is safe to call from any thread.

    Attributes:
        address: The URI that the store was opened with.
        artifact_root: Address under which new experiments keep their artifacts.
    """

    address: str
    artifact_root: str

    # experiments

    @abstractmethod
    def create_experiment(
        self,
        name: str,
        artifact_location: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Creates an experiment and returns its id.

        Raises:
            InvalidArgument: The name, location or a tag breaks a limit.
            AlreadyExists: The name is taken, deleted experiments included.
        """

    @abstractmethod
    def get_experiment(self, experiment_id: str) -> Experiment:
        """Returns an experiment, deleted ones included.

        Raises:
            InvalidArgument: The id is no decimal number.
            NotFound: There is none.
        """

    @abstractmethod
    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Returns the experiment of that name, deleted ones included, or None."""

    @abstractmethod
    def rename_experiment(self, experiment_id: str, name: str) -> None:
        """Renames an active experiment.

        Raises:
            NotFound: There is none.
            InvalidState: It is deleted.
            AlreadyExists: The name is taken.
        """

    @abstractmethod
    def delete_experiment(self, experiment_id: str) -> None:
        """Puts an active experiment and its active runs away.

        Raises:
            NotFound: There is no active experiment of that id.
        """

    @abstractmethod
    def restore_experiment(self, experiment_id: str) -> None:
        """Brings back a deleted experiment and the runs that were deleted with it.

        Raises:
            NotFound: There is no deleted experiment of that id.
        """

    @abstractmethod
    def set_experiment_tag(self, experiment_id: str, key: str, value: str) -> None:
        """Sets a tag.

        Raises:
            NotFound: There is no such experiment.
            InvalidArgument: It is deleted, or key or value break a limit.
        """

    @abstractmethod
    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        """Removes a tag.

        Raises:
            NotFound: There is no such experiment or tag.
        """

    @abstractmethod
    def search_experiments(
        self,
        filter_string: str | None = None,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Experiment]:
        """Returns a page of experiments; default order is newest first.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
            InvalidArgument: `max_results` or `page_token` is off.
        """

    # runs

    @abstractmethod
    def get_run(self, run_id: str) -> Run:
        """Returns a run with all that was logged, deleted ones included.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def delete_run(self, run_id: str) -> None:
        """Puts a run away; twice is no error.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def restore_run(self, run_id: str) -> None:
        """Brings a run back; twice is no error.

        Raises:
            NotFound: There is none.
        """

    @abstractmethod
    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> Page[Run]:
        """Returns a page of runs with all their data.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
            InvalidArgument: `max_results` or `page_token` is off.
        """

    @abstractmethod
    def get_metric_series(self, run_id: str, key: str) -> MetricSeries:
        """Returns the whole history of a metric, empty if there is none."""

    @abstractmethod
    def downsample_metric(self, run_id: str, key: str, buckets: int) -> MetricSeries:
        """Returns at most ``4 * buckets`` points of a metric's history, ordered by step.

        Each bucket of steps yields its first, true minimum, true maximum and last point, so every
        spike is kept.
        """

    # logged models

    @abstractmethod
    def get_logged_model(self, model_id: str, allow_deleted: bool = False) -> LoggedModel:
        """Returns a logged model with all that is known of it.

        Raises:
            NotFound: There is none, or it is deleted and `allow_deleted` is not set.
        """

    @abstractmethod
    def delete_logged_model(self, model_id: str) -> None:
        """Puts a logged model away.

        Raises:
            NotFound: There is none that is not deleted.
        """

    @abstractmethod
    def restore_logged_model(self, model_id: str) -> None:
        """Brings a logged model back.

        Raises:
            NotFound: There is none that is deleted.
        """

    @abstractmethod
    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        datasets: Sequence[Mapping[str, Any]] | None = None,
        max_results: int = 50,
        order_by: Sequence[Mapping[str, Any] | str] | None = None,
        page_token: str | None = None,
    ) -> Page[LoggedModel]:
        """Returns a page of logged models, newest first by default; deleted ones are left out.

        Args:
            experiment_ids: Where to look.
            filter_string: Such as ``"metrics.acc > 0.9 AND params.lr = '0.1'"``. A metric fits when
                any of the values logged to the model does.
            datasets: Mappings with ``dataset_name`` and perhaps ``dataset_digest``: metrics in the
                filter count on these only, and models without any metric on them are left out.
            max_results: Size of the page.
            order_by: Mappings with ``field_name`` and perhaps ``ascending``, ``dataset_name`` and
                ``dataset_digest``, or text such as ``"metrics.acc DESC"``. A metric's latest value
                counts.
            page_token: `token` of the page before, of the same search.

        Raises:
            InvalidFilter: The filter or ordering cannot be read.
            InvalidArgument: An experiment id, `datasets`, `max_results` or `page_token` is off.
        """

    # the write path

    @abstractmethod
    def apply(self, operations: Iterable[Operation], mark: WriterMark | None = None) -> ApplyReport:
        """Applies operations in one transaction, with the writer's position.

        A `mark` at or before the position that the store holds for its writer makes the call do
        nothing: the batch was applied before.

        Raises:
            StorageFull: No space is left; nothing was applied.
            StorageError: The store is busy, gone or damaged; nothing was applied.
        """

    @abstractmethod
    def get_position(self, writer_id: str) -> int:
        """Returns the position up to which a writer's journal is applied; 0 if never."""

    @abstractmethod
    def list_owned_models(self, writer_id: str) -> list[OwnedModel]:
        """Returns what a writer has in hand: models that it left PENDING, and those it PRUNED.

        Deleted ones are included. Once the writer is closed there are none.
        """

    @abstractmethod
    def close_writer(self, writer_id: str, cause: str | None) -> list[str]:
        """Forgets a writer that is gone and returns the ids of the runs that it left open.

        Those runs become FAILED, end at the writer's `last_time`, and carry `cause` in the tag
        ``autolog.end_cause``. Logged models that it left PENDING become FAILED as well, with
        `cause` in their message. With `cause` None the writer closed them itself.
        """

    @abstractmethod
    def sync(self) -> None:
        """Returns when what was applied would survive a power loss.

        Raises:
            StorageError: The system cannot write it.
        """

    @abstractmethod
    def close(self) -> None:
        """Gives back connections. The store is not used afterwards."""
