"""The writing handle of one run."""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from autolog_core import limits
from autolog_core.entities import DatasetInput, Metric, Param, RunStatus, RunTag
from autolog_core.errors import InvalidArgument, ParamConflict
from autolog_core.journal.format import (
    CREATE_RUN,
    DELETE_TAG,
    FIELD,
    LOG_INPUTS,
    LOG_MODEL_INPUTS,
    LOG_OUTPUTS,
    LOG_PARAMS,
    SET_TAGS,
    UPDATE_RUN,
)
from autolog_core.journal.writer import JournalWriter, SeriesTable
from autolog_core.points import (
    checked_input,
    checked_link,
    float64_column,
    int64_column,
    point_columns,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_time_ns = time.time_ns
_PART = 1 << 17
"""Points in one journal record at most."""


def now() -> int:
    """Returns milliseconds since the epoch."""
    return _time_ns() // 1_000_000


class LiveRun:
    """Writes to one run; there is one per run id and session, shared by threads.

    Attributes:
        params: What this process knows of the run's params, to tell conflicts at the call.
        tags: What this process knows of the run's tags.
        owned: Whether the run ends with this process.
        status: As last set through this handle.
        system_step: Step of the next sample of the system's metrics, when they are taken up again.
        watched: Whether the system's metrics are sampled into the run.
    """

    __slots__ = (
        "__weakref__",
        "_append",
        "_keys",
        "_table",
        "_writer",
        "artifact_uri",
        "end_time",
        "experiment_id",
        "name",
        "owned",
        "params",
        "run_id",
        "start_time",
        "status",
        "system_step",
        "tags",
        "user_id",
        "watched",
    )

    def __init__(
        self,
        writer: Callable[[], JournalWriter],
        *,
        run_id: str,
        experiment_id: str,
        name: str,
        artifact_uri: str,
        start_time: int,
        user_id: str | None,
        status: str = RunStatus.RUNNING,
        end_time: int | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        owned: bool = False,
    ) -> None:
        self._writer = writer
        self.run_id = run_id
        self.experiment_id = experiment_id
        self.name = name
        self.artifact_uri = artifact_uri
        self.start_time = start_time
        self.end_time = end_time
        self.user_id = user_id
        self.status = status
        self.params: dict[str, str] = dict(params or {})
        self.tags: dict[str, str] = dict(tags or {})
        self.owned = owned
        self.watched = False
        self.system_step = 0
        self._keys: set[str] = set()
        self.attach()

    def announce(self, writer: JournalWriter) -> None:
        """Tells a journal that the run exists."""
        fields = [self.run_id, self.experiment_id, self.name, self.user_id or ""]
        fields += [str(self.start_time), self.artifact_uri, self.status, "1" if self.owned else "0"]
        fields.extend(text for pair in self.tags.items() for text in pair)
        writer.append(CREATE_RUN, self.start_time, FIELD.join(fields))

    def attach(self) -> None:
        """Takes up the session's present journal, as after a fork."""
        self._table = SeriesTable(self.run_id)
        self._append = self._first_append

    def log_metric(
        self,
        key: str,
        value: float,
        step: int = 0,
        timestamp: int | None = None,
        model_id: str | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
    ) -> None:
        """Logs one point.

        Args:
            key: Name of the metric.
            value: A number, or an array or tensor of one element.
            step: Any 64-bit integer.
            timestamp: Milliseconds since the epoch; now if absent or 0.
            model_id: Logged model that the value belongs to.
            dataset_name: Dataset that it was computed on.
            dataset_digest: Digest of that dataset.

        Raises:
            InvalidArgument: An argument breaks a limit; nothing was logged.
            StorageFull: There is no room for the journal.
        """
        try:
            known = key in self._keys
        except TypeError:
            known = False
        if not known:
            self._keys.add(limits.check_key(key, "metric"))
        if type(value) is not float:
            value = limits.check_metric_value(key, value)
        if type(step) is not int:
            step = limits.check_int64(step, f"step of metric {key!r}")
        if not timestamp:
            timestamp = _time_ns() // 1_000_000
        elif type(timestamp) is not int or timestamp < 0:
            timestamp = limits.check_timestamp(timestamp)
        if model_id is None and dataset_name is None:
            self._append(self._table, key, step, timestamp, value)
        else:
            self.append_series(
                key, [step], [timestamp], [value], model_id, dataset_name, dataset_digest
            )

    def log_metrics(
        self,
        metrics: Mapping[str, float],
        step: int = 0,
        timestamp: int | None = None,
        model_id: str | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
    ) -> None:
        """Logs several metrics at one step and time; all are checked before any is written.

        Raises:
            InvalidArgument: A key, value, the step or the timestamp breaks a limit.
            StorageFull: There is no room for the journal.
        """
        if not metrics:
            return
        moment = limits.check_timestamp(timestamp) if timestamp else now()
        number = limits.check_int64(step, "step")
        values = [
            limits.check_metric_value(limits.check_key(key, "metric"), value)
            for key, value in metrics.items()
        ]
        link = checked_link(model_id, dataset_name, dataset_digest)
        count = len(values)
        columns = array("q", [number]) * count + array("q", [moment]) * count
        self._writer().append_points(
            self._table,
            [(key, *link) for key in metrics],
            array("I", range(count)),
            count,
            columns.tobytes() + array("d", values).tobytes(),
        )

    def log_batch(
        self,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
    ) -> None:
        """Logs points, params and tags; all are checked before any is written.

        Raises:
            InvalidArgument: Something breaks a limit.
            ParamConflict: A param was logged before with another value.
            StorageFull: There is no room for the journal.
        """
        points = point_columns(metrics) if metrics else None
        fresh = self._fresh_params([(param.key, param.value) for param in params])
        labels = _checked_tags([(tag.key, tag.value) for tag in tags])
        if points is not None:
            series, which, steps, times, values = points
            writer = self._writer()
            for start in range(0, len(values), _PART):
                stop = start + _PART
                count = len(values[start:stop])
                writer.append_points(
                    self._table,
                    series,
                    None if len(series) == 1 else which[start:stop],
                    count,
                    steps[start:stop].tobytes()
                    + times[start:stop].tobytes()
                    + values[start:stop].tobytes(),
                )
        self._write_params(fresh)
        self._write_tags(labels)

    def append_series(
        self,
        key: str,
        steps: NDArray[np.int64] | Sequence[int],
        timestamps: NDArray[np.int64] | Sequence[int],
        values: NDArray[np.float64] | Sequence[float],
        model_id: str | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
    ) -> None:
        """Logs many points of one metric, as arrays of shape (n,).

        Raises:
            InvalidArgument: The key breaks a limit, or the columns differ in length or type.
            StorageFull: There is no room for the journal.
        """
        limits.check_key(key, "metric")
        link = checked_link(model_id, dataset_name, dataset_digest)
        try:
            moments = int64_column(timestamps)
            columns = (int64_column(steps), moments, float64_column(values))
        except (TypeError, ValueError, OverflowError) as error:
            raise InvalidArgument(
                f"metric {key!r}: steps and timestamps must be 64-bit integers and values numbers: "
                f"{error}"
            ) from None
        count = len(moments)
        if any(len(column) != count for column in columns):
            raise InvalidArgument(f"metric {key!r}: steps, timestamps and values differ in length")
        if count and min(moments) < 0:
            raise InvalidArgument(f"metric {key!r}: timestamps must be milliseconds since 1970")
        for start in range(0, count, _PART):
            parts = [column[start : start + _PART] for column in columns]
            self._writer().append_points(
                self._table,
                [(key, *link)],
                None,
                len(parts[0]),
                b"".join(part.tobytes() for part in parts),
            )

    def log_params(self, params: Mapping[str, object]) -> None:
        """Logs params; all are checked before any is written.

        Raises:
            InvalidArgument: A key or value breaks a limit.
            ParamConflict: One was logged before with another value.
            StorageFull: There is no room for the journal.
        """
        self._write_params(self._fresh_params(list(params.items())))

    def log_param(self, key: str, value: object) -> None:
        """Logs one param; see `log_params`."""
        limits.check_key(key, "param")
        text = limits.check_text(value, limits.PARAM_VALUE_LENGTH, f"value of param {key!r}")
        if key in self.params:
            if self.params[key] != text:
                raise _conflict(self.run_id, key, self.params[key], text)
            return
        moment = _time_ns() // 1_000_000
        self._writer().append(LOG_PARAMS, moment, f"{self.run_id}\0{key}\0{text}")
        self.params[key] = text

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Sets tags; all are checked before any is written. ``mlflow.runName`` renames the run.

        Raises:
            InvalidArgument: A key or value breaks a limit.
            StorageFull: There is no room for the journal.
        """
        self._write_tags(_checked_tags(list(tags.items())))

    def delete_tag(self, key: str) -> None:
        """Removes a tag, if it is there."""
        limits.check_key(key, "tag")
        self._writer().append(DELETE_TAG, now(), f"{self.run_id}\0{key}")
        self.tags.pop(key, None)

    def log_inputs(self, inputs: Sequence[DatasetInput]) -> None:
        """Logs the use of datasets.

        Raises:
            InvalidArgument: A field breaks a limit.
            StorageFull: There is no room for the journal.
        """
        if not inputs:
            return
        uses = [checked_input(use) for use in inputs]
        self._writer().append(LOG_INPUTS, now(), json.dumps([self.run_id, uses]))

    def log_outputs(self, models: Sequence[tuple[str, int]]) -> None:
        """Records that the run made logged models.

        Args:
            models: (model id, step). What the run logs, or has logged, at that step without naming
                a model is the model's as well.

        Raises:
            InvalidArgument: An id or step breaks a limit.
            StorageFull: There is no room for the journal.
        """
        made = [
            (limits.check_model_id(model_id), str(limits.check_int64(step, "step")))
            for model_id, step in models
        ]
        if made:
            fields = (self.run_id, *(text for pair in made for text in pair))
            self._writer().append(LOG_OUTPUTS, now(), FIELD.join(fields))

    def log_model_inputs(self, models: Sequence[str]) -> None:
        """Records that the run used logged models, by their ids.

        Raises:
            InvalidArgument: An id breaks a limit.
            StorageFull: There is no room for the journal.
        """
        used = [limits.check_model_id(model_id) for model_id in models]
        if used:
            self._writer().append(LOG_MODEL_INPUTS, now(), FIELD.join((self.run_id, *used)))

    def update(self, *, status: str | None = None, name: str | None = None) -> None:
        """Changes status or name without ending the run."""
        if status is not None:
            status = RunStatus.check(status)
        if name is not None:
            name = limits.check_text(name, limits.TAG_VALUE_LENGTH, "run name")
        self._writer().append(UPDATE_RUN, now(), _update(self.run_id, status, None, name, False))
        if status is not None:
            self.status = status
        if name is not None:
            self.name = name
            self.tags["mlflow.runName"] = name

    def resume(self) -> None:
        """Makes an ended run RUNNING again, owned by this process."""
        self._writer().append(
            UPDATE_RUN, now(), _update(self.run_id, RunStatus.RUNNING, None, None, True)
        )
        self.status, self.end_time, self.owned = RunStatus.RUNNING, None, True

    def end(self, status: str = RunStatus.FINISHED, end_time: int | None = None) -> None:
        """Ends the run.

        Args:
            status: How it ended.
            end_time: Milliseconds since the epoch; now if absent.

        Raises:
            InvalidArgument: The status or time is none.
        """
        word = RunStatus.check(status)
        moment = now() if end_time is None else limits.check_timestamp(end_time)
        self._writer().append(UPDATE_RUN, moment, _update(self.run_id, word, moment, None, False))
        self.status, self.end_time, self.owned = word, moment, False

    def _first_append(
        self, table: SeriesTable, key: str, step: int, timestamp: int, value: float
    ) -> None:
        append = self._writer().append_metric
        append(table, key, step, timestamp, value)
        self._append = append

    def _fresh_params(self, pairs: Sequence[tuple[str, object]]) -> dict[str, str]:
        fresh: dict[str, str] = {}
        known = self.params
        for key, value in pairs:
            limits.check_key(key, "param")
            text = limits.check_text(value, limits.PARAM_VALUE_LENGTH, f"value of param {key!r}")
            before = known.get(key, fresh.get(key))
            if before is None:
                fresh[key] = text
            elif before != text:
                raise _conflict(self.run_id, key, before, text)
        return fresh

    def _write_params(self, params: dict[str, str]) -> None:
        if params:
            self._writer().append(LOG_PARAMS, now(), _joined(self.run_id, params))
            self.params.update(params)

    def _write_tags(self, tags: dict[str, str]) -> None:
        if tags:
            self._writer().append(SET_TAGS, now(), _joined(self.run_id, tags))
            self.tags.update(tags)
            self.name = self.tags.get("mlflow.runName", self.name)


def _conflict(run_id: str, key: str, before: str, after: str) -> ParamConflict:
    return ParamConflict(
        f"param {key!r} of run {run_id} is {before[:200]!r} and cannot become {after[:200]!r}: "
        "params are written once; use another key, a tag, or a new (child) run"
    )


def _joined(run_id: str, pairs: Mapping[str, str]) -> str:
    return FIELD.join((run_id, *(text for pair in pairs.items() for text in pair)))


def _update(run_id: str, status: str | None, end: int | None, name: str | None, owned: bool) -> str:
    ending = "" if end is None else str(end)
    return FIELD.join((run_id, status or "", ending, name or "", "1" if owned else ""))


def _checked_tags(pairs: Sequence[tuple[str, object]]) -> dict[str, str]:
    return {
        limits.check_key(key, "tag"): limits.check_text(
            value, limits.TAG_VALUE_LENGTH, f"value of tag {key!r}"
        )
        for key, value in pairs
    }
