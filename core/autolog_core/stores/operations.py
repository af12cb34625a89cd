"""The vocabulary of writes: what a journal records and a store applies.

A batch is applied in one transaction with the writer's position, so a replay after any crash is
exactly-once. Operations of a batch are applied in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from autolog_core.entities import DatasetInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CreateRun:
    """A run begins. A run that exists already is left as it is, but that an owner takes it on.

    A forked child tells of the runs that it inherits before it logs to them, without owning them:
    its journal may be applied before its parent's.

    Attributes:
        start_time: Milliseconds since the epoch.
        owned: Whether the run ends, FAILED, when the writing process dies.
    """

    run_id: str
    experiment_id: str
    name: str
    user_id: str | None
    start_time: int
    artifact_uri: str
    tags: tuple[tuple[str, str], ...] = ()
    status: str = "RUNNING"
    owned: bool = True


@dataclass(frozen=True, slots=True)
class UpdateRun:
    """A run changes; None leaves a field as it is.

    Attributes:
        status: A terminal status also gives up ownership. RUNNING with `owned` set takes it (a
            resumed run) and clears `end_time`.
        name: Kept in step with the tag ``mlflow.runName``.
    """

    run_id: str
    status: str | None = None
    end_time: int | None = None
    name: str | None = None
    owned: bool = False


@dataclass(frozen=True, slots=True)
class SetTags:
    """Tags of a run are set, over what was there. ``mlflow.runName`` renames the run."""

    run_id: str
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeleteTag:
    """A tag of a run is removed, if it is there."""

    run_id: str
    key: str


@dataclass(frozen=True, slots=True)
class LogParams:
    """Params of a run. A key that is there already keeps its first value."""

    run_id: str
    params: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class LogInputs:
    """Datasets that a run used. The same dataset with the same context counts once."""

    run_id: str
    datasets: tuple[DatasetInput, ...]


@dataclass(frozen=True, slots=True, eq=False)
class AppendMetrics:
    """Points of one series, in the order they were logged.

    Attributes:
        steps: int64, shape (n,).
        timestamps: int64 milliseconds, shape (n,).
        values: float64, shape (n,).
    """

    run_id: str
    key: str
    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


@dataclass(frozen=True, slots=True)
class LogOutputs:
    """Logged models that a run made, each at a step.

    A metric of the run that was logged at that step, before or after, without naming a model, is
    also each such model's.
    """

    run_id: str
    models: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LogModelInputs:
    """Logged models that a run used."""

    run_id: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateModel:
    """A logged model begins. One that exists already is left, but that an owner takes it on.

    Attributes:
        creation_timestamp: Milliseconds since the epoch.
        owned: Whether the model, while PENDING, becomes FAILED when the writing process dies.
    """

    model_id: str
    experiment_id: str
    name: str
    artifact_location: str
    creation_timestamp: int
    source_run_id: str | None = None
    model_type: str | None = None
    status: str = "PENDING"
    params: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    owned: bool = True


@dataclass(frozen=True, slots=True)
class UpdateModel:
    """The status of a logged model changes; one that is READY or FAILED has no owner.

    One that becomes PRUNED is owned by the writer, until that is closed: should it die before the
    weights are gone, whoever finds its journal knows where to look.

    Attributes:
        timestamp: Milliseconds since the epoch.
        message: Why it failed or was pruned, if it was.
    """

    model_id: str
    status: str
    timestamp: int
    message: str | None = None


@dataclass(frozen=True, slots=True)
class SetModelTags:
    """Tags of a logged model are set, over what was there."""

    model_id: str
    tags: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class DeleteModelTag:
    """A tag of a logged model is removed, if it is there."""

    model_id: str
    key: str


@dataclass(frozen=True, slots=True)
class LogModelParams:
    """Params of a logged model. A key that is there already keeps its first value."""

    model_id: str
    params: tuple[tuple[str, str], ...]


RunOperation: TypeAlias = (
    CreateRun
    | UpdateRun
    | SetTags
    | DeleteTag
    | LogParams
    | LogInputs
    | LogOutputs
    | LogModelInputs
    | AppendMetrics
)
ModelOperation: TypeAlias = (
    CreateModel | UpdateModel | SetModelTags | DeleteModelTag | LogModelParams
)
Operation: TypeAlias = RunOperation | ModelOperation
MODEL_OPERATIONS = (CreateModel, UpdateModel, SetModelTags, DeleteModelTag, LogModelParams)


@dataclass(frozen=True, slots=True)
class OwnedModel:
    """A logged model that a writer has in hand; its files may be half written or half removed."""

    model_id: str
    status: str
    artifact_location: str


@dataclass(frozen=True, slots=True)
class WriterMark:
    """Up to where a writer's journal is applied.

    Attributes:
        writer_id: Id of one process's journal.
        position: Grows with every record; a store refuses to go back.
        last_time: Milliseconds since the epoch of the newest record.
        host: Where the writer runs.
        pid: Its process id there.
    """

    writer_id: str
    position: int
    last_time: int
    host: str = ""
    pid: int = 0


@dataclass(frozen=True, slots=True)
class ApplyReport:
    """What a store could not take as it was, to be told to the user once.

    Attributes:
        param_conflicts: (run id, key, kept value, refused value).
        orphans: Run ids that operations named and the store does not hold.
        model_param_conflicts: (model id, key, kept value, refused value).
        model_orphans: Ids of logged models that operations changed and the store does not hold.
    """

    param_conflicts: tuple[tuple[str, str, str, str], ...] = ()
    orphans: tuple[str, ...] = ()
    model_param_conflicts: tuple[tuple[str, str, str, str], ...] = ()
    model_orphans: tuple[str, ...] = ()

    @property
    def is_silent(self) -> bool:
        """Whether there is nothing to tell."""
        return self == _NOTHING


_NOTHING = ApplyReport()
