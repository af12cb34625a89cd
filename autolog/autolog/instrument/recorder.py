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
from typing import TYPE_CHECKING, Any

from autolog.instrument import faults
from autolog_core import limits
from autolog_core.entities import CONTEXT_TAG, Dataset, DatasetInput, InputTag
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.faults import Fault
    from autolog.instrument.spec import IntegrationSpec, Options
    from autolog_core.live import LiveRun

AUTOLOGGING_TAG = "mlflow.autologging"
ERROR_TAG = "autolog.error"
REPORT = "autolog_report.json"
LONG_PARAMS = "autolog_long_params.json"


class Recorder:
    """Writes one training to its run. Made by `open`, ended by `close`.

    Attributes:
        run_id: Of the run that is written to.
        owned: Whether the recorder opened the run and will end it.
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
        self._spec = spec
        self._options = options
        self._site = site
        self._live = live
        self._captured: dict[str, int] = {}
        self._skipped: list[dict[str, str]] = []
        self._errors: list[dict[str, str]] = []
        self._long: dict[str, str] = {}
        self._spent: dict[str, float] = {}
        self._began = started
        self._cost = {"before": 0.0, "after": 0.0}
        self._called: float | None = None
        self._call_ms = 0.0

    @classmethod
    def open(
        cls, spec: IntegrationSpec, options: Options, site: str, title: str, started: float
    ) -> Recorder:
        """Joins the active run, or opens one.

        Args:
            spec: The integration.
            options: Its options.
            site: The watched call, such as "Ridge.fit".
            title: Name for a child run.
            started: `time.perf_counter` when the call came in, for the report of costs.
        """
        from autolog import _active

        live = _active.current()
        owned = live is None or AUTOLOGGING_TAG in live.tags
        if owned:
            live = _open_run(None if live is None else title)
        assert live is not None
        try:
            live.set_tags({AUTOLOGGING_TAG: spec.name, **_extra_tags(options)})
        except BaseException as error:
            # Without a recorder nobody else would end it.
            if owned:
                _close_run(live, "FAILED", error)
            raise
        return cls(spec, options, site, live, owned, started)

    def params(self, values: Mapping[str, object]) -> None:
        """Logs params; what the run cannot hold is left out, or kept as a file, and reported."""
        known = self._live.params
        fresh: dict[str, str] = {}
        for key, value in values.items():
            name = self._legal(key, "param")
            text = str(value)
            if len(text) > limits.PARAM_VALUE_LENGTH:
                self._long[name] = text
                text = text[: limits.PARAM_VALUE_LENGTH - 3] + "..."
                self.skipped(f"end of param {name}", f"too long; all of it is in {LONG_PARAMS}")
            before = known.get(name, fresh.get(name))
            if before is not None and before != text:
                self.skipped(f"param {name}", f"the run holds {before[:100]!r} under that name")
            else:
                fresh[name] = text
        self._live.log_params(fresh)
        self._count("params", len(fresh))

    def tags(self, values: Mapping[str, object]) -> None:
        """Sets tags."""
        self._live.set_tags(values)
        self._count("tags", len(values))

    def dataset(self, dataset: Dataset, context: str) -> None:
        """Logs that the training used `dataset` as `context`, such as "train"."""
        self._live.log_inputs([DatasetInput(dataset, (InputTag(CONTEXT_TAG, context),))])
        self._count("datasets", 1)

    def metrics(
        self,
        values: Mapping[str, float],
        step: int = 0,
        model: str | None = None,
        dataset: Dataset | None = None,
    ) -> None:
        """Logs metrics of one step, linked to a logged model and a dataset if given."""
        self._live.log_metrics(
            {self._legal(key, "metric"): value for key, value in values.items()},
            step=step,
            model_id=model,
            dataset_name=None if dataset is None else dataset.name,
            dataset_digest=None if dataset is None else dataset.digest,
        )
        self._count("metrics", len(values))

    def artifact(self, path: str, content: str | bytes) -> None:
        """Writes a file of the run.

        Args:
            path: Under the run's artifacts, with forward slashes.
            content: Text is written as UTF-8.
        """
        from autolog_core.artifacts import open_repository

        data = content.encode() if isinstance(content, str) else content
        open_repository(self._live.artifact_uri).write_bytes(path, data)
        self._count("artifacts", 1)

    @contextmanager
    def child(self, name: str) -> Iterator[Recorder]:
        """Opens a child run for a part of the training, and ends it.

        Args:
            name: Of the child run.
        """
        live = _open_run(name)
        child = Recorder(self._spec, self._options, self._site, live, True, perf_counter())
        live.set_tags({AUTOLOGGING_TAG: self._spec.name, **_extra_tags(self._options)})
        try:
            yield child
        except BaseException as error:
            child.close("FAILED", error)
            raise
        child.close("FINISHED")
        self._count("child runs", 1)

    def skipped(self, what: str, why: str) -> None:
        """Puts into the report that `what` was not captured."""
        self._skipped.append({"what": what, "why": why})

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
                faults.record(self._spec.name, self._site, name, error, silent=self._options.silent)
            )
        finally:
            self._spent[name] = self._spent.get(name, 0.0) + perf_counter() - began

    def fault(self, fault: Fault) -> None:
        """Puts an error of ours into the report."""
        last = fault.text.strip().rpartition("\n")[2]
        self._errors.append({"what": fault.phase, "error": last})
        self.skipped(fault.phase, "an error of autolog; see errors")

    def pause(self) -> None:
        """Takes the time when our part before the call is over."""
        now = perf_counter()
        self._cost["before"] = now - self._began
        self._called = now

    def resume(self) -> None:
        """Takes the time when the call is over."""
        now = perf_counter()
        if self._called is not None:
            self._call_ms = (now - self._called) * 1e3
        self._began = now

    def close(self, status: str, error: BaseException | None = None) -> None:
        """Writes the report, and ends the run if it was opened here.

        Args:
            status: How the training ended: FINISHED or FAILED.
            error: What it raised, which is kept with the run. A run of the user stays open.
        """
        self._cost["after"] = perf_counter() - self._began if self._called is not None else 0.0
        try:
            with self.part("the report"):
                if self._long:
                    self.artifact(LONG_PARAMS, json.dumps(self._long, indent=1))
                if self._errors:
                    self._live.set_tags({ERROR_TAG: self._errors[0]["error"][:1000]})
                if error is not None and not self.owned:
                    _note_failure(self._live, error)
                self.artifact(REPORT, json.dumps(self._report(), indent=1))
        finally:
            if self.owned:
                _close_run(self._live, status, error)

    def _report(self) -> dict[str, Any]:
        return {
            "integration": self._spec.name,
            "call": self._site,
            "captured": self._captured,
            "skipped": self._skipped,
            "errors": self._errors,
            "call_ms": round(self._call_ms, 3),
            "cost_ms": {
                "before the call": round(self._cost["before"] * 1e3, 3),
                "after the call": round(self._cost["after"] * 1e3, 3),
                "parts": {name: round(spent * 1e3, 3) for name, spent in self._spent.items()},
            },
        }

    def _count(self, what: str, number: int) -> None:
        if number:
            self._captured[what] = self._captured.get(what, 0) + number

    def _legal(self, key: object, what: str) -> str:
        try:
            return limits.check_key(key, what)
        except InvalidArgument:
            legal = _plain_key(str(key))
            self.skipped(f"name of {what} {str(key)[:100]!r}", f"not allowed; kept as {legal!r}")
            return legal


def _plain_key(key: str) -> str:
    import re

    plain = re.sub(r"[^/\w.\- :]", "_", key)
    plain = "/".join(part for part in plain.split("/") if part.strip(".")) or "_"
    return plain[: limits.KEY_LENGTH].rstrip("/")


def _extra_tags(options: Options) -> dict[str, str]:
    tags = {key: str(value) for key, value in (options.extra_tags or {}).items()}
    tags.pop(AUTOLOGGING_TAG, None)
    return tags


def _open_run(name: str | None) -> LiveRun:
    """Begins a run as the fluent API does, so that the two agree on everything about runs."""
    from autolog import _active, fluent_runs

    fluent_runs.start_run(run_name=name, nested=_active.current() is not None)
    return _active.stack.get()[-1]


def _note_failure(live: LiveRun, error: BaseException) -> None:
    from autolog_core.runs import record_failure

    record_failure(live, error)


def _close_run(live: LiveRun, status: str, error: BaseException | None) -> None:
    from autolog import fluent_runs

    fluent_runs.close_run(live, status, error)
