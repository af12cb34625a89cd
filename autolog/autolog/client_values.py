"""Client methods for what is logged to a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from autolog import operations
from autolog.client_base import ClientBase
from autolog.fluent_values import check_tag, model_inputs
from autolog_core.entities import DatasetInput, LoggedModelInput, Metric, Param, RunTag
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.operations import RunOperations


class ValueMethods(ClientBase):
    """Metrics, params, tags, datasets.

    With ``synchronous=True`` a call returns when the store has its record, with False it returns a
    handle to wait with, and without either when the record is in this process's journal.
    """

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Logs one point of a metric.

        Args:
            run_id: The run.
            key: Name of the metric.
            value: A number; NaN and infinities are kept.
            timestamp: Milliseconds since the epoch; now if absent or 0.
            step: Any 64-bit integer; 0 if absent.
            synchronous: See the class.
            dataset_name: Name of the dataset that it was computed on.
            dataset_digest: Digest of that dataset.
            model_id: The logged model that the value belongs to.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, or an argument breaks a rule.
        """
        session = self._session
        number = 0 if step is None else step
        live = session.live(run_id)
        live.log_metric(key, value, number, timestamp, model_id, dataset_name, dataset_digest)
        return operations.done(synchronous, session.drain)

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Logs a param, as text, and returns its value, or a handle with ``synchronous=False``.

        Raises:
            ParamConflict: The run has the param with another value.
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, or the key or value breaks a limit.
        """
        session = self._session
        session.live(run_id).log_param(key, value)
        return operations.done(synchronous, session.drain) or value

    def set_tag(
        self, run_id: str, key: str, value: Any, synchronous: bool | None = None
    ) -> RunOperations | None:
        """Sets a tag, as text.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, or the key or value breaks a limit.
        """
        session = self._session
        session.live(run_id).set_tags({key: value})
        return operations.done(synchronous, session.drain)

    def delete_tag(self, run_id: str, key: str) -> None:
        """Removes a tag.

        Raises:
            NotFound: There is no such run or tag.
        """
        session = self._session
        live = session.live(run_id)
        check_tag(session, live, key)
        live.delete_tag(key)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Logs points, params and tags; all are checked before any is written.

        There is no limit to how many.

        Raises:
            ParamConflict: The run has one of the params with another value.
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, or something breaks a rule.
        """
        session = self._session
        session.live(run_id).log_batch(metrics, params, tags)
        return operations.done(synchronous, session.drain)

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Records that a run used datasets or logged models.

        Args:
            run_id: The run.
            datasets: `entities.DatasetInput` records.
            models: `entities.LoggedModelInput` records.

        Raises:
            NotFound: There is no such run.
            InvalidArgument: The run is deleted, there is nothing to log, or an entry is no record.
        """
        used = model_inputs(models or ())
        if not datasets and not used:
            raise InvalidArgument("log_inputs() needs datasets or models, got none")
        for use in datasets or ():
            if not isinstance(use, DatasetInput):
                raise InvalidArgument(
                    f"datasets must hold DatasetInput records, got {type(use).__name__}; wrap a "
                    "Dataset as DatasetInput(dataset, tags)"
                )
        live = self._session.live(run_id)
        live.log_inputs(datasets or ())
        live.log_model_inputs(used)

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Returns all points of a metric by (timestamp, step, value); none if there is no such.

        Raises:
            StorageError: The store cannot be read.
        """
        return self._session.read().get_metric_series(run_id, key).to_metrics()
