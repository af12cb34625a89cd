"""What is logged to a run: metrics, params, tags, datasets.

A call returns when its record is in this process's journal, which survives the process. With
``synchronous=True`` it returns when the store has it, with ``synchronous=False`` it returns a
handle to wait for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog import operations
from autolog._active import model_id as active_model_id
from autolog._active import stack
from autolog._datasets import dataset_inputs, dataset_record
from autolog.fluent_runs import live_run, session_of, target
from autolog_core.entities import DatasetInput, LoggedModelInput
from autolog_core.errors import InvalidArgument, NotFound
from autolog_core.session import default_session

if TYPE_CHECKING:
    from autolog.operations import RunOperations
    from autolog_core.live import LiveRun
    from autolog_core.session import Session

# Datasets that a run has as inputs: one that was logged with a context needs no second entry.
_datasets: WeakKeyDictionary[LiveRun, set[tuple[Any, Any]]] = WeakKeyDictionary()


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Logs one point of a metric to the active run; starts a run if there is none.

    Args:
        key: Name of the metric.
        value: A number; NaN and infinities are kept.
        step: Any 64-bit integer; 0 if absent.
        synchronous: True waits for the store, False returns a handle.
        timestamp: Milliseconds since the epoch; now if absent or 0.
        run_id: Another run to log to.
        model_id: The logged model that the value belongs to; the active one if absent. Without
            either, it belongs to the models that the run made at this step as well.
        dataset: The dataset that it was computed on; also logged as an input of the run.

    Raises:
        InvalidArgument: The key, value, step or timestamp breaks a rule.
    """
    if (
        synchronous is None
        and timestamp is None
        and run_id is None
        and model_id is None
        and dataset is None
    ):
        runs = stack.get()
        if runs and not operations.by_default and active_model_id.get() is None:
            runs[-1].log_metric(key, value, 0 if step is None else step)
            return None
    return log_metrics({key: value}, step, synchronous, run_id, timestamp, model_id, dataset)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Any = None,
) -> RunOperations | None:
    """Logs one point of several metrics; all are checked before any is written.

    The arguments are those of `log_metric`.

    Raises:
        InvalidArgument: A key or value, the step or the timestamp breaks a rule.
    """
    live = target(run_id)
    step = 0 if step is None else step
    model_id = model_id or active_model_id.get()
    if dataset is None:
        live.log_metrics(metrics, step, timestamp, model_id)
    else:
        name, digest = getattr(dataset, "name", None), getattr(dataset, "digest", None)
        known = _datasets.setdefault(live, set())
        fresh = None if (name, digest) in known else dataset_record(dataset)
        if fresh is not None:
            name, digest = fresh.name, fresh.digest
        live.log_metrics(metrics, step, timestamp, model_id, name, digest)
        if fresh is not None:
            _log_inputs(live, [DatasetInput(fresh)])
    return _done(live, synchronous)


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Logs a param of the active run, as text; starts a run if there is none.

    Returns:
        `value`, or a handle with ``synchronous=False``.

    Raises:
        ParamConflict: The run has the param with another value.
        InvalidArgument: The key or value breaks a limit.
    """
    runs = stack.get()
    live = runs[-1] if runs else live_run()
    live.log_param(key, value)
    if synchronous is None and not operations.by_default:
        return value
    return _done(live, synchronous) or value


def log_params(
    params: Mapping[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    """Logs params of the active run, as text; all are checked before any is written.

    Raises:
        ParamConflict: The run has one of them with another value.
        InvalidArgument: A key or value breaks a limit.
    """
    live = target(run_id)
    live.log_params(params)
    return _done(live, synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    """Sets a tag of the active run, as text; starts a run if there is none.

    ``mlflow.runName`` renames the run, ``mlflow.note.content`` is its description.
    """
    return set_tags({key: value}, synchronous)


def set_tags(tags: Mapping[str, Any], synchronous: bool | None = None) -> RunOperations | None:
    """Sets tags of the active run, as text; starts a run if there is none."""
    live = live_run()
    live.set_tags(tags)
    return _done(live, synchronous)


def delete_tag(key: str) -> None:
    """Removes a tag of the active run.

    Raises:
        NotFound: The run has no such tag.
    """
    live = live_run()
    check_tag(session_of(live), live, key)
    live.delete_tag(key)


def check_tag(session: Session, live: LiveRun, key: str) -> None:
    """Checks that a run has a tag.

    Raises:
        NotFound: It has not.
    """
    # Another process may have set it.
    if key not in live.tags and key not in session.read().get_run(live.run_id).data.tags:
        raise NotFound(f"run {live.run_id} has no tag {key!r}")


def log_input(
    dataset: Any = None,
    context: str | None = None,
    tags: Mapping[str, str] | None = None,
    model: LoggedModelInput | None = None,
) -> None:
    """Records that the active run used a dataset, a logged model, or both.

    Args:
        dataset: Of `autolog.data`, of ``mlflow.data``, or an `entities.Dataset`.
        context: What it was used as, such as "training".
        tags: More labels of this use.
        model: The logged model that was used.

    Raises:
        InvalidArgument: There is neither a dataset nor a model, or it is none.
    """
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: Sequence[Any] | None = None,
    contexts: Sequence[str | None] | None = None,
    tags_list: Sequence[Mapping[str, str] | None] | None = None,
    models: Sequence[LoggedModelInput | None] | None = None,
) -> None:
    """Records that the active run used several datasets or logged models.

    Args:
        datasets: As for `log_input`.
        contexts: One per dataset, or None for none.
        tags_list: One mapping per dataset, or None for none.
        models: `entities.LoggedModelInput` records; as many as they are, None for none.

    Raises:
        InvalidArgument: The lists of datasets differ in length, or an entry is no dataset or model.
    """
    uses = dataset_inputs(datasets or (), contexts, tags_list)
    used = model_inputs(models or ())
    if not uses and not used:
        raise InvalidArgument("log_inputs() needs datasets or models, got none")
    live = live_run()
    if uses:
        _log_inputs(live, uses)
    live.log_model_inputs(used)


def model_inputs(models: Sequence[Any]) -> list[str]:
    """Returns the ids of records of models that were used; None entries are left out.

    Raises:
        InvalidArgument: An entry is no record.
    """
    found = [model for model in models if model is not None]
    for model in found:
        if not hasattr(model, "model_id"):
            raise InvalidArgument(
                f"models must hold LoggedModelInput records, got {type(model).__name__}; write "
                "LoggedModelInput(model_id)"
            )
    return [model.model_id for model in found]


def _log_inputs(live: LiveRun, uses: list[DatasetInput]) -> None:
    live.log_inputs(uses)
    known = _datasets.setdefault(live, set())
    known.update((use.dataset.name, use.dataset.digest) for use in uses)


def flush_async_logging() -> None:
    """Returns when all that was logged so far is in the store."""
    default_session().drain()


def _done(live: LiveRun, synchronous: bool | None) -> RunOperations | None:
    if synchronous is None and not operations.by_default:
        return None
    return operations.done(synchronous, session_of(live).drain)
