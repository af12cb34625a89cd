"""What a batch of operations comes to, run by run, before anything is written: no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from autolog_core.entities import DatasetInput, LifecycleStage, RunStatus
from autolog_core.stores.operations import (
    AppendMetrics,
    CreateRun,
    DeleteTag,
    LogInputs,
    LogModelInputs,
    LogOutputs,
    LogParams,
    RunOperation,
    SetTags,
    UpdateRun,
)

NAME_TAG = "mlflow.runName"


@dataclass(slots=True)
class RunState:
    """What a run is after the operations so far."""

    run_id: str
    experiment_id: int
    name: str
    status: str
    end_time: int | None
    owner: str | None
    created: CreateRun | None = None
    stage: str = LifecycleStage.ACTIVE
    changed: bool = False
    ended: bool = False


@dataclass(slots=True)
class Batch:
    """The outcome of operations.

    Attributes:
        runs: By id: those stored before, and those that the batch creates.
        experiments: Lifecycle stage of each experiment that a new run names and that exists.
        writer_id: Owner of the runs that the batch creates or takes over.
        tags: Last value by (run id, key), None where the tag goes.
        params: First value by (run id, key).
        refused: (run id, key, refused value) of params that came later with another value.
        model_inputs: (run id, model id) of models that runs used.
        model_outputs: (run id, model id, step) of models that runs made.
    """

    runs: dict[str, RunState]
    experiments: Mapping[int, str]
    writer_id: str | None
    tags: dict[tuple[str, str], str | None] = field(default_factory=dict)
    params: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    inputs: list[tuple[str, DatasetInput]] = field(default_factory=list)
    model_inputs: dict[tuple[str, str], None] = field(default_factory=dict)
    model_outputs: dict[tuple[str, str, int], None] = field(default_factory=dict)
    metrics: list[AppendMetrics] = field(default_factory=list)
    orphans: dict[str, None] = field(default_factory=dict)

    def take(self, operations: Iterable[RunOperation]) -> None:
        """Works the operations in, in their order."""
        for item in operations:
            if type(item) is CreateRun:
                self._create(item)
                continue
            state = self.runs.get(item.run_id)
            if state is None:
                self.orphans[item.run_id] = None
            elif type(item) is AppendMetrics:
                self.metrics.append(item)
            elif type(item) is LogParams:
                self._log_params(item)
            elif type(item) is SetTags:
                self._set_tags(state, item.tags)
            elif type(item) is UpdateRun:
                self._update(state, item)
            elif type(item) is LogInputs:
                self.inputs.extend((item.run_id, use) for use in item.datasets)
            elif type(item) is LogOutputs:
                for model_id, step in item.models:
                    self.model_outputs[item.run_id, model_id, step] = None
            elif type(item) is LogModelInputs:
                for model_id in item.models:
                    self.model_inputs[item.run_id, model_id] = None
            elif type(item) is DeleteTag:
                self.tags[item.run_id, item.key] = None

    def _create(self, item: CreateRun) -> None:
        known = self.runs.get(item.run_id)
        if known is not None:
            # A forked child, which tells of its parent's run without owning it, may be first.
            if item.owned and known.owner is None and not RunStatus.is_terminated(known.status):
                known.owner = self.writer_id
                known.changed = True
            return
        number = as_number(item.experiment_id)
        stage = self.experiments.get(number)
        if stage is None:
            self.orphans[item.run_id] = None
            return
        terminal = RunStatus.is_terminated(item.status)
        state = RunState(
            item.run_id,
            number,
            item.name,
            item.status,
            None,
            self.writer_id if item.owned and not terminal else None,
            created=item,
            stage=stage,
        )
        self.runs[item.run_id] = state
        self._set_tags(state, item.tags)
        if item.name:
            self._rename(state, item.name)

    def _update(self, state: RunState, item: UpdateRun) -> None:
        state.changed = True
        if item.status is not None:
            state.status = item.status
            if RunStatus.is_terminated(item.status):
                state.owner = None
                state.ended = True
            elif item.owned:
                state.owner = self.writer_id
                state.end_time = None
        if item.end_time is not None:
            state.end_time = item.end_time
        if item.name is not None:
            self._rename(state, item.name)

    def _rename(self, state: RunState, name: str) -> None:
        state.name = self.tags[state.run_id, NAME_TAG] = name

    def _set_tags(self, state: RunState, tags: Iterable[tuple[str, str]]) -> None:
        run_id = state.run_id
        for key, value in tags:
            self.tags[run_id, key] = value
            if key == NAME_TAG:
                state.name = value
                state.changed = True

    def _log_params(self, item: LogParams) -> None:
        run_id = item.run_id
        for key, value in item.params:
            if self.params.setdefault((run_id, key), value) != value:
                self.refused.append((run_id, key, value))


def as_number(experiment_id: str) -> int:
    """Returns an experiment id as a number, -1 where it is none: a batch is never refused."""
    fits = experiment_id.isascii() and experiment_id.isdecimal() and len(experiment_id) < 19
    return int(experiment_id) if fits else -1
