"""What a batch of operations comes to, model by model, before anything is written: no SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autolog_core.entities import LoggedModelStatus
from autolog_core.stores.operations import (
    CreateModel,
    DeleteModelTag,
    LogModelParams,
    ModelOperation,
    SetModelTags,
    UpdateModel,
)
from autolog_core.stores.sql.batch import as_number


@dataclass(slots=True)
class ModelState:
    """What a logged model is after the operations so far."""

    model_id: str
    experiment_id: int
    status: str
    status_message: str | None
    last_updated_timestamp: int
    owner: str | None
    created: CreateModel | None = None
    changed: bool = False


@dataclass(slots=True)
class ModelBatch:
    """The outcome of operations on logged models.

    Attributes:
        experiments: Lifecycle stage of each experiment that a new model names and that exists.
        writer_id: Owner of the models that the batch creates.
        operations: What `take` works in.
        models: By id: those stored before, and those that the batch creates.
        tags: Last value by (model id, key), None where the tag goes.
        params: First value by (model id, key).
        refused: (model id, key, refused value) of params that came later with another value.
    """

    experiments: Mapping[int, str]
    writer_id: str | None
    operations: Sequence[ModelOperation]
    models: dict[str, ModelState] = field(default_factory=dict)
    tags: dict[tuple[str, str], str | None] = field(default_factory=dict)
    params: dict[tuple[str, str], str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    orphans: dict[str, None] = field(default_factory=dict)

    def take(self, stored: Mapping[str, ModelState]) -> None:
        """Works the operations in, in their order.

        Args:
            stored: The models that are stored, of those that the operations name.
        """
        self.models.update(stored)
        for item in self.operations:
            if type(item) is CreateModel:
                self._create(item)
                continue
            state = self.models.get(item.model_id)
            if state is None:
                self.orphans[item.model_id] = None
            elif type(item) is UpdateModel:
                self._update(state, item)
            elif type(item) is SetModelTags:
                self._set_tags(item.model_id, item.tags)
            elif type(item) is LogModelParams:
                self._log_params(item.model_id, item.params)
            elif type(item) is DeleteModelTag:
                self.tags[item.model_id, item.key] = None

    def _create(self, item: CreateModel) -> None:
        known = self.models.get(item.model_id)
        if known is not None:
            # A forked child, which tells of its parent's model without owning it, may be first.
            pending = known.status == LoggedModelStatus.PENDING.value
            if item.owned and known.owner is None and pending:
                known.owner = self.writer_id
                known.changed = True
            return
        number = as_number(item.experiment_id)
        if number not in self.experiments:
            self.orphans[item.model_id] = None
            return
        final = LoggedModelStatus.is_finalized(item.status)
        self.models[item.model_id] = ModelState(
            item.model_id,
            number,
            item.status,
            None,
            item.creation_timestamp,
            self.writer_id if item.owned and not final else None,
            created=item,
        )
        self._set_tags(item.model_id, item.tags)
        self._log_params(item.model_id, item.params)

    def _update(self, state: ModelState, item: UpdateModel) -> None:
        state.changed = True
        state.status = item.status
        state.status_message = item.message
        state.last_updated_timestamp = max(state.last_updated_timestamp, item.timestamp)
        if item.status == LoggedModelStatus.PRUNED.value:
            state.owner = self.writer_id
        elif LoggedModelStatus.is_finalized(item.status):
            state.owner = None

    def _set_tags(self, model_id: str, tags: Iterable[tuple[str, str]]) -> None:
        for key, value in tags:
            self.tags[model_id, key] = value

    def _log_params(self, model_id: str, params: Iterable[tuple[str, str]]) -> None:
        for key, value in params:
            if self.params.setdefault((model_id, key), value) != value:
                self.refused.append((model_id, key, value))
