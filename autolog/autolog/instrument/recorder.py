"""What an integration may write: the words between it and the engine.

A recorder belongs to one training. It writes to the run that is active in the thread, or opens one
and ends it. A run holds one training: params are written once and metrics of one key are one
series, so a second training in the same run gets a child run of its own, where MLflow mixes the
params of the first with the metrics of the second.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from autolog.instrument import faults
from autolog.instrument.report import REPORT, Report
from autolog.instrument.runs import (
    AUTOLOGGING_TAG,
    begin_child,
    close_run,
    extra_tags,
    fitting_params,
    open_run,
    plain_key,
    take_up,
)
from autolog_core import limits
from autolog_core.entities import CONTEXT_TAG, Dataset, DatasetInput, InputTag
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autolog.instrument.charts import Chart
    from autolog.instrument.spec import IntegrationSpec, Options
    from autolog_core.artifacts import ArtifactRepository
    from autolog_core.live import LiveRun
    from autolog_core.models.manifest import Model
    from autolog_core.models.policy import CheckpointPolicy
    from autolog_core.models.snapshot import Snapshot
    from autolog_core.session import Session

ERROR_TAG = "autolog.error"
LONG_PARAMS = "autolog_long_params.json"


class Recorder:
    """Writes one training to its run. Made by `open`, ended by `close`.

    Attributes:
        run_id: Of the run that is written to.
        owned: Whether the recorder opened the run and will end it.
        integration: Who writes, such as "sklearn".
        site: The watched call, such as "Ridge.fit".
        model_id: Of the training's final model, once it is logged.
        pause: Takes the time when our part before the call is over.
        resume: Takes the time when the call is over.
        fault: Puts an error of ours into the report.
    """

    def __init__(
        self,
        spec: IntegrationSpec,
        options: Options,
        site: str,
        live: LiveRun,
        owned: bool,
        started: float,
    ) -> None:
        self.run_id = live.run_id
        self.owned = owned
        self.integration = spec.name
        self.site = site
        self.model_id: str | None = None
        self._files: ArtifactRepository | None = None
        self._spec = spec
        self._options = options
        self._live = live
        self._long: dict[str, str] = {}
        self._report = Report(spec.name, site, started)
        self.pause, self.resume = self._report.pause, self._report.resume
        self.fault = self._report.fault

    @classmethod
    def open(
        cls,
        spec: IntegrationSpec,
        options: Options,
        site: str,
        title: str,
        started: float,
        *,
        detached: bool = False,
    ) -> Recorder:
        """Joins the active run, or opens one.

        Args:
            spec: The integration.
            options: Its options.
            site: The watched call, such as "Ridge.fit".
            title: Name for a child run.
            started: `time.perf_counter` when the call came in, for the report of costs.
            detached: Whether a run that is opened is not to be the active one.
        """
        from autolog import _active

        live = _active.current()
        owned = live is None or AUTOLOGGING_TAG in live.tags
        if owned:
            live = open_run(None if live is None else title)
            if detached:
                _active.pop(live)
        assert live is not None
        try:
            live.set_tags({AUTOLOGGING_TAG: spec.name, **extra_tags(options)})
        except BaseException as error:
            # Without a recorder nobody else would end it.
            if owned:
                close_run(live, "FAILED", error)
            raise
        return cls(spec, options, site, live, owned, started)

    def params(self, values: Mapping[str, object]) -> None:
        """Logs params; what the run cannot hold is left out, or kept as a file, and reported."""
        fresh, long, left_out = fitting_params(
            [(self._legal(key, "param"), value) for key, value in values.items()],
            self._live.params,
        )
        for name in long:
            self.skipped(f"end of param {name}", f"too long; all of it is in {LONG_PARAMS}")
        for name, held in left_out.items():
            self.skipped(f"param {name}", f"the run holds {held[:100]!r} under that name")
        self._long |= long
        self._live.log_params(fresh)
        self._report.count("params", len(fresh))

    def tags(self, values: Mapping[str, object]) -> None:
        """Sets tags."""
        self._live.set_tags(values)
        self._report.count("tags", len(values))

    def dataset(self, dataset: Dataset, context: str, data: object = None) -> None:
        """Logs that the training used a dataset.

        Args:
            dataset: The reference to it.
            context: What it was used as, such as "train".
            data: The features themselves, so that they are known when they are met again.
        """
        self._live.log_inputs([DatasetInput(dataset, (InputTag(CONTEXT_TAG, context),))])
        self._report.count("datasets", 1)
        if data is not None:
            from autolog.instrument import lineage

            lineage.used(data, dataset, context, self._live)

    def metrics(
        self,
        values: Mapping[str, float],
        step: int = 0,
        model: str | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        """Logs metrics of one step, linked to a logged model and a dataset if given."""
        if model is None and dataset is None:
            # A loop's callback comes here: one by one is the fast way.
            for key, value in values.items():
                self._live.log_metric(self._legal(key, "metric"), value, step)
        else:
            self._live.log_metrics(
                {self._legal(key, "metric"): value for key, value in values.items()},
                step=step,
                model_id=model,
                dataset_name=None if dataset is None else dataset.name,
                dataset_digest=None if dataset is None else dataset.digest,
            )
        self._report.count("metrics", len(values))

    def curve(
        self,
        key: str,
        values: Sequence[float],
        steps: Sequence[int] | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        """Logs the values of one metric at many steps.

        Args:
            key: Name of the metric.
            values: (n,) numbers.
            steps: (n,) steps; absent, 0 to n - 1.
            dataset: What they were computed on.
        """
        number = len(values)
        if not number:
            return
        from autolog_core.live import now

        self._live.append_series(
            self._legal(key, "metric"),
            range(number) if steps is None else steps,
            [now()] * number,
            values,
            dataset_name=None if dataset is None else dataset.name,
            dataset_digest=None if dataset is None else dataset.digest,
        )
        self._report.count("metrics", number)

    def model(
        self,
        make: Callable[[Model], Snapshot],
        *,
        name: str = "model",
        step: int = 0,
        params: Mapping[str, object] | None = None,
        subject: object = None,
    ) -> str:
        """Logs the model that the training made; its files are written in the background.

        Args:
            make: Takes the snapshot, as the room's ``flavor.snapshot`` does, given the manifest.
            name: Of the logged model.
            step: Step that it is of: what the run logs at that step is the model's as well.
            params: Of the model, besides those of the run.
            subject: The model itself, so that it is known when it predicts.

        Returns:
            The model's id.
        """
        from autolog.instrument import lineage
        from autolog.instrument.models import log_model

        info = log_model(make, name=name, step=step, params=params, run=self._live)
        assert info.model_id is not None
        self._report.count("models", 1)
        if name == "model":
            self.model_id = info.model_id
        if subject is not None:
            lineage.trained(subject, self._live, info.model_id)
        return info.model_id

    def trained(
        self, subject: object, model_id: str | None = None, *, step: int | None = None
    ) -> None:
        """Remembers which run trained `subject`, for what is measured of it later.

        Args:
            subject: The model.
            model_id: The logged model that it was kept as; absent, the run's final one.
            step: The step that a training which goes on is at.
        """
        from autolog.instrument import lineage

        lineage.trained(subject, self._live, model_id or self.model_id, step=step)

    def keeps_models(self) -> bool:
        """Whether models are to be kept."""
        return self._options.log_models

    def wants_checkpoints(self) -> bool:
        """Whether the user has set a policy for checkpoints and models are kept."""
        from autolog.instrument.checkpoints import chosen_policy

        return self._options.log_models and chosen_policy() is not None

    def checkpoint(
        self,
        make: Callable[[Model], Snapshot],
        *,
        step: int,
        epoch: int | None = None,
        metrics: Mapping[str, float] | None = None,
        group: str = "model",
        policy: CheckpointPolicy | None = None,
    ) -> str | None:
        """Logs a model in the midst of the training, if the user's policy says that it is due.

        Args:
            make: Takes the snapshot; called only if it is due.
            step: Step of the training.
            epoch: Its epoch; where it is absent, a step is an epoch.
            metrics: Values at this step, among which the policy finds the one that it monitors.
            group: What is counted by itself, such as the class of the model.
            policy: The policy where the user has set none.

        Returns:
            The checkpoint's id; None if none is due.
        """
        from autolog.instrument.checkpoints import save_due

        if not self._options.log_models:
            return None
        info = save_due(
            self._session(),
            self._live,
            make,
            group=group,
            step=step,
            epoch=step if epoch is None else epoch,
            metrics=metrics,
            default=policy,
        )
        self._report.count("checkpoints", info is not None)
        return None if info is None else info.model_id

    def chart(self, path: str, chart: Chart, data: object = None) -> None:
        """Keeps a picture as data that is drawn later, and as PNG where matplotlib is in use.

        Args:
            path: Of the files, without ``.json`` and ``.png``.
            chart: What is to be seen.
            data: What the JSON file holds, where others expect something else than the chart.
        """
        from autolog.instrument.charts import can_draw, draw

        content = chart.to_dict() if data is None else data
        self.artifact(f"{path}.json", json.dumps(content, separators=(",", ":")))
        if can_draw():
            self.artifact_later(f"{path}.png", lambda: draw(chart))

    def artifact(self, path: str, content: str | bytes) -> None:
        """Writes a file of the run; `path` has forward slashes, text becomes UTF-8."""
        data = content.encode() if isinstance(content, str) else content
        self._repository().write_bytes(path, data)
        self._report.count("artifacts", 1)

    def artifact_later(self, path: str, make: Callable[[], bytes]) -> None:
        """Writes a file of the run in the background, where it takes long to make.

        Args:
            path: As for `artifact`.
            make: Returns its bytes; may look at nothing that the program can change meanwhile.
        """
        repository = self._repository()
        self._session().saving.submit(lambda: repository.write_bytes(path, make()), self.run_id)
        self._report.count("artifacts", 1)

    @contextmanager
    def child(
        self,
        name: str,
        start_time: int | None = None,
        end_time: int | None = None,
        status: str = "FINISHED",
    ) -> Iterator[Recorder]:
        """Opens a child run for a part of the training, and ends it; it has no report of its own.

        Args:
            name: Of the child run.
            start_time: Milliseconds since the epoch, if the part began earlier.
            end_time: The same, if it is over.
            status: How it ended, unless the block raises.
        """
        from autolog_core.runs import finish_run

        session = self._session()
        live = begin_child(session, self._live, name, extra_tags(self._options), start_time)
        try:
            child = Recorder(self._spec, self._options, self.site, live, True, perf_counter())
            yield child
            if child._long:
                child.artifact(LONG_PARAMS, json.dumps(child._long, indent=1))
        except BaseException as error:
            finish_run(live, "FAILED", session=session, exception=error)
            raise
        finish_run(live, status, session=session, end_time=end_time)
        self._report.count("child runs", 1)

    def skipped(self, what: str, why: str) -> None:
        """Puts into the report that `what` was not captured."""
        self._report.skip(what, why)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Keeps an error in one part of the capture from the other parts, and takes its time.

        Args:
            name: Such as "training metrics", for the log and the report.
        """
        began = perf_counter()
        try:
            yield
        except Exception as error:
            self.fault(
                faults.record(self._spec.name, self.site, name, error, silent=self._options.silent)
            )
        finally:
            self._report.spend(name, perf_counter() - began)

    def close(self, status: str, error: BaseException | None = None) -> None:
        """Writes the report, and ends the run if it was opened here.

        Args:
            status: How the training ended: FINISHED or FAILED.
            error: What it raised, which is kept with the run. A run of the user stays open.
        """
        self._report.close()
        try:
            with self.part("the report"):
                if self._long:
                    self.artifact(LONG_PARAMS, json.dumps(self._long, indent=1))
                if self._report.errors:
                    self._live.set_tags({ERROR_TAG: self._report.errors[0]["error"][:1000]})
                if error is not None and not self.owned:
                    from autolog_core.runs import record_failure

                    record_failure(self._live, error)
                self.artifact(REPORT, json.dumps(self._report.to_dict(), indent=1))
        finally:
            if self.owned:
                close_run(self._live, status, error)

    def resume_run(self) -> bool:
        """Takes the run up again after `close`; False if it is over for good."""
        if not self.owned:
            return self._live.status == "RUNNING"
        return take_up(self._session(), self._live)

    def _repository(self) -> ArtifactRepository:
        if self._files is None:
            from autolog_core.artifacts import open_repository

            self._files = open_repository(self._live.artifact_uri)
        return self._files

    def _session(self) -> Session:
        from autolog.fluent_runs import session_of

        return session_of(self._live)

    def _legal(self, key: object, what: str) -> str:
        try:
            return limits.check_key(key, what)
        except InvalidArgument:
            legal = plain_key(str(key))
            named = f"name of {what} {str(key)[:100]!r}"
            self._report.skip(named, f"not allowed; kept as {legal!r}", once=True)
            return legal
