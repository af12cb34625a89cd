"""Logged models as they are written: how one begins, what is added to it, how it ends."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from autolog_core import limits
from autolog_core.entities import LifecycleStage, LoggedModel, LoggedModelStatus
from autolog_core.errors import InvalidArgument, NotFound, ParamConflict
from autolog_core.journal.format import (
    CREATE_MODEL,
    DELETE_MODEL_TAG,
    FIELD,
    LOG_MODEL_PARAMS,
    SET_MODEL_TAGS,
    UPDATE_MODEL,
)
from autolog_core.live import now

if TYPE_CHECKING:
    from autolog_core.journal.writer import JournalWriter
    from autolog_core.session import Session

_LONGEST_MESSAGE = limits.TAG_VALUE_LENGTH


class LiveModel:
    """Writes the record of one logged model; there is one per model id and session.

    Attributes:
        params: What this process knows of the model's params, to tell conflicts at the call.
        tags: What this process knows of the model's tags.
        owned: Whether the model becomes FAILED if this process ends before it is finished.
        status: As last set through this handle.
    """

    __slots__ = (
        "__weakref__",
        "_writer",
        "artifact_location",
        "creation_timestamp",
        "experiment_id",
        "last_updated_timestamp",
        "model_id",
        "model_type",
        "name",
        "owned",
        "params",
        "source_run_id",
        "status",
        "tags",
    )

    def __init__(
        self,
        writer: Callable[[], JournalWriter],
        *,
        model_id: str,
        experiment_id: str,
        name: str,
        artifact_location: str,
        creation_timestamp: int,
        source_run_id: str | None = None,
        model_type: str | None = None,
        status: str = LoggedModelStatus.PENDING,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
        owned: bool = False,
    ) -> None:
        self._writer = writer
        self.model_id = model_id
        self.experiment_id = experiment_id
        self.name = name
        self.artifact_location = artifact_location
        self.creation_timestamp = creation_timestamp
        self.last_updated_timestamp = creation_timestamp
        self.source_run_id = source_run_id
        self.model_type = model_type
        self.status = LoggedModelStatus.check(status)
        self.params: dict[str, str] = dict(params or {})
        self.tags: dict[str, str] = dict(tags or {})
        self.owned = owned

    def announce(self, writer: JournalWriter) -> None:
        """Tells a journal that the model exists."""
        head = [self.model_id, self.experiment_id, self.name, self.artifact_location]
        rest = [self.creation_timestamp, self.source_run_id, self.model_type, self.status.value]
        text = json.dumps(
            [[*head, *rest, self.owned], list(self.params.items()), list(self.tags.items())]
        )
        writer.append(CREATE_MODEL, self.creation_timestamp, text)

    def record(self) -> LoggedModel:
        """Returns the model as far as this process knows it, without metrics."""
        return LoggedModel(
            experiment_id=self.experiment_id,
            model_id=self.model_id,
            name=self.name,
            artifact_location=self.artifact_location,
            creation_timestamp=self.creation_timestamp,
            last_updated_timestamp=self.last_updated_timestamp,
            model_type=self.model_type,
            source_run_id=self.source_run_id,
            status=self.status,
            tags=dict(self.tags),
            params=dict(self.params),
        )

    def log_params(self, params: Mapping[str, object]) -> None:
        """Logs params; all are checked before any is written.

        Raises:
            InvalidArgument: A key or value breaks a limit.
            ParamConflict: One was logged before with another value.
            StorageFull: There is no room for the journal.
        """
        fresh: dict[str, str] = {}
        for key, text in checked_params(params).items():
            before = self.params.get(key)
            if before is None:
                fresh[key] = text
            elif before != text:
                raise ParamConflict(
                    f"param {key!r} of model {self.model_id} is {before[:200]!r} and cannot become "
                    f"{text[:200]!r}: params are written once; use another key or a tag"
                )
        if fresh:
            self._writer().append(LOG_MODEL_PARAMS, now(), _joined(self.model_id, fresh))
            self.params.update(fresh)

    def set_tags(self, tags: Mapping[str, object]) -> None:
        """Sets tags; all are checked before any is written.

        Raises:
            InvalidArgument: A key or value breaks a limit.
            StorageFull: There is no room for the journal.
        """
        labels = checked_tags(tags)
        if labels:
            self._writer().append(SET_MODEL_TAGS, now(), _joined(self.model_id, labels))
            self.tags.update(labels)

    def delete_tag(self, key: str) -> None:
        """Removes a tag, if it is there."""
        limits.check_key(key, "tag")
        self._writer().append(DELETE_MODEL_TAG, now(), f"{self.model_id}\0{key}")
        self.tags.pop(key, None)

    def finish(self, status: object = LoggedModelStatus.READY, message: str | None = None) -> None:
        """Says how the model is: READY, FAILED, PRUNED, or PENDING once more.

        Args:
            status: The status.
            message: Why it failed, or was pruned; cut after 8,000 characters.

        Raises:
            InvalidArgument: The status is none of these.
        """
        word = LoggedModelStatus.check(status)
        if word is LoggedModelStatus.UNSPECIFIED:
            raise InvalidArgument("status must be PENDING, READY or FAILED, got UNSPECIFIED")
        text = limits.check_text((message or "")[:_LONGEST_MESSAGE], _LONGEST_MESSAGE, "message")
        moment = now()
        fields = (self.model_id, word.value, str(moment), text)
        self._writer().append(UPDATE_MODEL, moment, FIELD.join(fields))
        self.status, self.last_updated_timestamp = word, moment
        if LoggedModelStatus.is_finalized(word):
            self.owned = False


def begin_model(
    session: Session,
    experiment_id: str,
    *,
    name: str | None = None,
    source_run_id: str | None = None,
    model_type: str | None = None,
    params: Mapping[str, object] | None = None,
    tags: Mapping[str, object] | None = None,
    model_id: str | None = None,
    owned: bool = True,
) -> LiveModel:
    """Begins a logged model through the journal, PENDING: nothing is written in the store.

    Args:
        session: Where it is kept.
        experiment_id: Where it belongs.
        name: Its name; by default two words and a number.
        source_run_id: The run that makes it.
        model_type: What kind of model it is, in the user's words.
        params: Its params.
        tags: Its tags.
        model_id: Its id; by default ``m-`` and 32 random hex digits.
        owned: Whether it becomes FAILED if this process ends before it is finished.

    Raises:
        NotFound: There is no such experiment.
        InvalidArgument: It is deleted, or an argument breaks a limit.
    """
    experiment = session.experiment(experiment_id)
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidArgument(
            f"experiment {experiment.name!r} (id {experiment_id}) is deleted: restore it with "
            "restore_experiment(), or choose another"
        )
    if name is None:
        from autolog_core.capture.names import random_name

        name = random_name()
    model_id = f"m-{uuid.uuid4().hex}" if model_id is None else limits.check_model_id(model_id)
    if source_run_id is not None:
        limits.check_run_id(source_run_id)
    if model_type is not None:
        model_type = limits.check_text(model_type, limits.MODEL_TYPE_LENGTH, "model_type")
    root = experiment.artifact_location.rstrip("/")
    live = LiveModel(
        session.writer,
        model_id=model_id,
        experiment_id=experiment_id,
        name=limits.check_model_name(name),
        artifact_location=f"{root}/models/{model_id}/artifacts",
        creation_timestamp=now(),
        source_run_id=source_run_id,
        model_type=model_type,
        params=checked_params(params or {}),
        tags=checked_tags(tags or {}),
        owned=owned,
    )
    live.announce(session.writer())
    session.models[model_id] = live
    return live


def live_model(session: Session, model_id: str) -> LiveModel:
    """Returns the handle to write to a logged model; the model is looked up once.

    Raises:
        NotFound: There is none, or it is deleted.
    """
    found = session.models.get(model_id)
    if found is not None:
        return found
    return handle_of(session, session.read().get_logged_model(limits.check_model_id(model_id)))


def handle_of(session: Session, model: LoggedModel) -> LiveModel:
    """Returns the handle to write to a logged model that was just read from the store."""
    live = LiveModel(
        session.writer,
        model_id=model.model_id,
        experiment_id=model.experiment_id,
        name=model.name,
        artifact_location=model.artifact_location,
        creation_timestamp=model.creation_timestamp,
        source_run_id=model.source_run_id,
        model_type=model.model_type,
        status=model.status,
        params=model.params,
        tags=model.tags,
    )
    return session.models.setdefault(model.model_id, live)


def remove_model(session: Session, model_id: str) -> None:
    """Puts a logged model away.

    Raises:
        NotFound: There is none, or it is deleted already.
    """
    session.read().delete_logged_model(model_id)
    session.models.pop(model_id, None)


def revive_model(session: Session, model_id: str) -> LoggedModel:
    """Brings a logged model back that was put away.

    Raises:
        NotFound: There is none that is deleted.
    """
    store = session.read()
    store.restore_logged_model(model_id)
    return store.get_logged_model(model_id)


def check_model_tag(session: Session, live: LiveModel, key: str) -> None:
    """Checks that a logged model has a tag.

    Raises:
        NotFound: It has not.
    """
    if key not in live.tags and key not in session.read().get_logged_model(live.model_id).tags:
        raise NotFound(f"model {live.model_id} has no tag {key!r}")


def checked_params(params: Mapping[str, object]) -> dict[str, str]:
    """Returns params of a model as text, within the limits."""
    return {
        limits.check_key(key, "param"): limits.check_text(
            value, limits.PARAM_VALUE_LENGTH, f"value of param {key!r}"
        )
        for key, value in params.items()
    }


def checked_tags(tags: Mapping[str, object]) -> dict[str, str]:
    """Returns tags of a model as text, within the limits."""
    return {
        limits.check_key(key, "tag"): limits.check_text(
            value, limits.TAG_VALUE_LENGTH, f"value of tag {key!r}"
        )
        for key, value in tags.items()
    }


def _joined(model_id: str, pairs: Mapping[str, str]) -> str:
    return FIELD.join((model_id, *(text for pair in pairs.items() for text in pair)))
