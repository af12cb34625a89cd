"""Logged models: their records, and what belongs to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Literal, overload

from autolog import _active
from autolog._paging import collect
from autolog.fluent_runs import live_run, session_of
from autolog.utils.mlflow_tags import MLFLOW_MODEL_IS_EXTERNAL
from autolog_core.entities import LoggedModel, LoggedModelOutput, LoggedModelStatus
from autolog_core.errors import InvalidArgument, InvalidState
from autolog_core.logged_models import (
    LiveModel,
    begin_model,
    check_model_tag,
    live_model,
    remove_model,
    revive_model,
)
from autolog_core.runs import choose_experiment, source_tags
from autolog_core.session import default_session

if TYPE_CHECKING:
    import pandas as pd

    from autolog_core.session import Session

# The handle, not the id: a model that was just begun is finished without being looked up.
_last: ContextVar[LiveModel | None] = ContextVar("autolog_last_model", default=None)


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Begins a logged model: PENDING, until `finalize_logged_model` says how it went.

    A model that is still PENDING when this process ends becomes FAILED.

    Args:
        name: Its name; two words and a number if absent.
        source_run_id: The run that makes it; the active run if absent, if there is one.
        tags: Its tags, as text.
        params: Its params, as text.
        model_type: What kind of model it is, in your words.
        experiment_id: Where it belongs; by default where its run does, or the active experiment.

    Raises:
        NotFound: There is no such experiment.
        InvalidArgument: The experiment is deleted, or an argument breaks a limit.
    """
    return _begin(name, source_run_id, tags, params, model_type, experiment_id).record()


def finalize_logged_model(
    model_id: str, status: Literal["READY", "FAILED"] | LoggedModelStatus
) -> LoggedModel:
    """Says how the making of a logged model went, and returns the model.

    Raises:
        NotFound: There is no such model.
        InvalidArgument: The status is neither READY nor FAILED.
        InvalidState: Its weights were pruned.
    """
    return finish_model(default_session(), model_id, status)


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    params: Mapping[str, Any] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Makes a logged model whose files are kept elsewhere; it is READY at once.

    The arguments are those of `initialize_logged_model`. It gets the tag
    ``mlflow.model.isExternal``.
    """
    labels = {**(tags or {}), MLFLOW_MODEL_IS_EXTERNAL: "true"}
    live = _begin(name, source_run_id, labels, params, model_type, experiment_id)
    live.finish(LoggedModelStatus.READY)
    return live.record()


def get_logged_model(model_id: str) -> LoggedModel:
    """Returns a logged model with all that is known of it.

    If this process is writing its files, this waits for them.

    Raises:
        NotFound: There is none, or it is deleted.
    """
    return default_session().read_models(model_id).get_logged_model(model_id)


def remember(live: LiveModel) -> None:
    """Makes `live` the model that was begun last in this thread or task."""
    _last.set(live)


def last_logged_model() -> LoggedModel | None:
    """Returns the model that was begun last in this thread or task, or None."""
    live = _last.get()
    return None if live is None else get_logged_model(live.model_id)


def log_model_params(params: Mapping[str, Any], model_id: str | None = None) -> None:
    """Logs params of a logged model, as text; all are checked before any is written.

    Args:
        params: By key.
        model_id: The model; the active one if absent.

    Raises:
        ParamConflict: The model has one of them with another value.
        NotFound: There is no such model.
        InvalidArgument: There is no active model, or a key or value breaks a limit.
    """
    chosen = model_id or _active.model_id.get()
    if chosen is None:
        raise InvalidArgument(
            "log_model_params() needs a model_id, or an active model: see set_active_model()"
        )
    live_model(default_session(), chosen).log_params(params)


def set_logged_model_tags(model_id: str, tags: Mapping[str, Any]) -> None:
    """Sets tags of a logged model, as text.

    Raises:
        NotFound: There is no such model.
        InvalidArgument: A key or value breaks a limit.
    """
    live_model(default_session(), model_id).set_tags(tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    """Removes a tag of a logged model.

    Raises:
        NotFound: There is no such model or tag.
    """
    drop_tag(default_session(), model_id, key)


def delete_logged_model(model_id: str) -> None:
    """Puts a logged model away; `restore_logged_model` brings it back.

    Raises:
        NotFound: There is none.
    """
    remove_model(default_session(), model_id)


def restore_logged_model(model_id: str) -> LoggedModel:
    """Brings back a deleted logged model, and returns it.

    Raises:
        NotFound: There is no deleted one of that id.
    """
    return revive_model(default_session(), model_id)


def log_outputs(models: Sequence[LoggedModelOutput] | None = None) -> None:
    """Records that the active run made logged models, each at a step.

    A run is started if there is none. What it logs at that step without naming a model, before or
    after, is logged to the model as well.

    Args:
        models: `entities.LoggedModelOutput` records.

    Raises:
        InvalidArgument: An entry is no such record.
    """
    live_run().log_outputs(model_outputs(models or ()))


@overload
def search_logged_models(
    experiment_ids: Sequence[str] | None = ...,
    filter_string: str | None = ...,
    datasets: Sequence[Mapping[str, str]] | None = ...,
    max_results: int | None = ...,
    order_by: Sequence[Mapping[str, Any] | str] | None = ...,
    output_format: Literal["pandas"] = ...,
) -> pd.DataFrame: ...


@overload
def search_logged_models(
    experiment_ids: Sequence[str] | None = ...,
    filter_string: str | None = ...,
    datasets: Sequence[Mapping[str, str]] | None = ...,
    max_results: int | None = ...,
    order_by: Sequence[Mapping[str, Any] | str] | None = ...,
    output_format: Literal["list"] = ...,
) -> list[LoggedModel]: ...


def search_logged_models(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str | None = None,
    datasets: Sequence[Mapping[str, str]] | None = None,
    max_results: int | None = None,
    order_by: Sequence[Mapping[str, Any] | str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> pd.DataFrame | list[LoggedModel]:
    """Returns the logged models that match.

    Args:
        experiment_ids: Where to look; the active experiment if absent.
        filter_string: Such as ``"metrics.acc > 0.9 AND (params.depth = '3' OR tags.a = 'b')"``. A
            metric fits when any of the values logged to the model does.
        datasets: Such as ``[{"dataset_name": "iris", "dataset_digest": "1a2b"}]``, the digest if
            you like: metrics in the filter count on these only.
        max_results: How many at most; all if absent.
        order_by: Such as ``[{"field_name": "metrics.acc", "ascending": False, "dataset_name":
            "iris"}]`` or ``["metrics.acc DESC"]``; newest first by default.
        output_format: "pandas" for a frame with a column per field, "list" for entities.

    Raises:
        InvalidFilter: The filter or ordering cannot be read.
        InvalidArgument: An argument is off.
    """
    if output_format not in ("pandas", "list"):
        raise InvalidArgument(f"output_format must be 'pandas' or 'list', got {output_format!r}")
    session = default_session()
    places = places_of(experiment_ids) or [choose_experiment(session)]
    store = session.read_models()
    models = collect(
        lambda size, token: store.search_logged_models(
            places, filter_string, datasets, size, order_by, token
        ),
        max_results,
    )
    if output_format == "list":
        return models
    from autolog import _frames

    return _frames.models_frame(models)


def places_of(experiment_ids: Sequence[str] | None) -> list[str]:
    """Returns experiment ids as text.

    Raises:
        InvalidArgument: It is one text, not a list.
    """
    if isinstance(experiment_ids, str):
        raise InvalidArgument(
            f"experiment_ids must be a list, got {experiment_ids!r}; write [{experiment_ids!r}]"
        )
    return [str(experiment_id) for experiment_id in experiment_ids or ()]


def finish_model(session: Session, model_id: str, status: object) -> LoggedModel:
    """Says how the making of a model of a session's store went; see `finalize_logged_model`."""
    word = LoggedModelStatus.check(status)
    if word not in (LoggedModelStatus.READY, LoggedModelStatus.FAILED):
        raise InvalidArgument(f"status must be READY or FAILED to finalize, got {status!r}")
    live = live_model(session, model_id)
    if live.status is LoggedModelStatus.PRUNED:
        raise InvalidState(
            f"model {live.name!r} ({model_id}) is PRUNED: its weights were deleted, and it cannot "
            f"become {word.value}; log another model"
        )
    live.finish(word)
    return session.read().get_logged_model(model_id)


def drop_tag(session: Session, model_id: str, key: str) -> None:
    """Removes a tag of a model of a session's store; see `delete_logged_model_tag`."""
    live = live_model(session, model_id)
    check_model_tag(session, live, key)
    live.delete_tag(key)


def model_outputs(models: Sequence[Any]) -> list[tuple[str, int]]:
    """Returns (model id, step) of records of outputs.

    Raises:
        InvalidArgument: An entry is none.
    """
    for made in models:
        if not hasattr(made, "model_id") or not hasattr(made, "step"):
            raise InvalidArgument(
                f"models must hold LoggedModelOutput records, got {type(made).__name__}; write "
                "LoggedModelOutput(model_id, step)"
            )
    return [(made.model_id, made.step) for made in models]


def _begin(
    name: str | None,
    source_run_id: str | None,
    tags: Mapping[str, Any] | None,
    params: Mapping[str, Any] | None,
    model_type: str | None,
    experiment_id: str | None,
) -> LiveModel:
    run = _active.current()
    session = default_session() if run is None else session_of(run)
    if source_run_id is None and run is not None:
        source_run_id = run.run_id
    if experiment_id is None:
        experiment_id = choose_experiment(session) if run is None else run.experiment_id
    live = begin_model(
        session,
        str(experiment_id),
        name=name,
        source_run_id=source_run_id,
        model_type=model_type,
        params=params,
        tags={**source_tags(session), **(tags or {})},
    )
    _last.set(live)
    return live
