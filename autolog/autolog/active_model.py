"""The active logged model: metrics that name no model are its own while it is active."""

from __future__ import annotations

import logging
from dataclasses import fields
from types import TracebackType

from autolog import _active
from autolog_core import config
from autolog_core.entities import LoggedModel
from autolog_core.errors import InvalidArgument

_logger = logging.getLogger(__name__)


class ActiveModel(LoggedModel):
    """What `set_active_model` returns: the model, usable as a context manager.

    Leaving the ``with`` block makes the model active that was so before.
    """

    __slots__ = ("_before",)

    _before: str | None

    def __init__(self, model: LoggedModel, before: str | None) -> None:
        for field in fields(LoggedModel):
            object.__setattr__(self, field.name, getattr(model, field.name))
        object.__setattr__(self, "_before", before)

    def __enter__(self) -> ActiveModel:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _active.model_id.set(self._before)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Makes a logged model the active one of this thread or task.

    `log_metric` and `log_metrics` without `model_id` then log to it.

    Args:
        name: Name of the model: the newest one of the active experiment, made (READY, without
            files) if there is none.
        model_id: Id of the model.

    Returns:
        The model, usable as a context manager.

    Raises:
        InvalidArgument: Neither is given, or `name` is not that of the model.
        NotFound: There is no model of `model_id`.
    """
    from autolog import fluent_models

    if model_id is not None:
        model = fluent_models.get_logged_model(model_id)
        if name is not None and model.name != name:
            raise InvalidArgument(
                f"model {model_id} is named {model.name!r}, not {name!r}: give one of them"
            )
    elif name is not None:
        model = _named(name)
    else:
        raise InvalidArgument("set_active_model() needs a name or a model_id")
    active = ActiveModel(model, _active.model_id.get())
    _active.model_id.set(model.model_id)
    return active


def get_active_model_id() -> str | None:
    """Returns the id of the active model of this thread or task, or None.

    Where none was set, the one that AUTOLOG_ACTIVE_MODEL_ID or MLFLOW_ACTIVE_MODEL_ID names.
    """
    return _active.model_id.get()


def clear_active_model() -> None:
    """Leaves this thread or task without an active model, and the environment without its name."""
    config.take_active_model_id()
    _active.model_id.set(None)


def _named(name: str) -> LoggedModel:
    from autolog import fluent_models

    quoted = name.replace("'", "''")
    found = fluent_models.search_logged_models(
        filter_string=f"name = '{quoted}'", max_results=2, output_format="list"
    )
    if not found:
        return fluent_models.create_external_model(name=name)
    if len(found) > 1:
        _logger.warning("several models are named %r: the newest one is made active", name)
    return found[0]
