"""Runs: starting, ending, finding, putting away."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog import _active
from autolog._sessions import retire
from autolog.handle import ActiveRun
from autolog.utils.mlflow_tags import MLFLOW_PARENT_RUN_ID
from autolog_core import config
from autolog_core.entities import Run, RunStatus
from autolog_core.errors import InvalidArgument, InvalidState
from autolog_core.runs import begin_run, finish_run
from autolog_core.session import default_session

if TYPE_CHECKING:
    from autolog_core.live import LiveRun
    from autolog_core.session import Session

_homes: WeakKeyDictionary[LiveRun, Session] = WeakKeyDictionary()


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: Mapping[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Starts a run, or resumes one, and makes it the active run of this thread or task.

    Args:
        run_id: A run to resume; it becomes RUNNING again. Without it the environment's
            AUTOLOG_RUN_ID or MLFLOW_RUN_ID counts, once.
        experiment_id: The experiment of a new run; by default the active one.
        run_name: Name of a new run, or new name of a resumed one; a random one if absent.
        nested: Allows an active run, which becomes the parent.
        parent_run_id: The parent of a new run; the active run, if there is one, must be it.
        tags: Tags to set.
        description: Text in Markdown, kept as the tag ``mlflow.note.content``.
        log_system_metrics: Whether CPU, memory, disk, network and GPU are sampled; by default as
            the settings say.

    Returns:
        The run, usable as a context manager.

    Raises:
        InvalidState: A run is active, and this one is to be neither nested in it nor its child.
        InvalidArgument: The run, its parent or its experiment is deleted, or an argument is off.
        NotFound: There is no run of `run_id` or `parent_run_id`.
    """
    session = default_session()
    runs = _active.stack.get()
    if runs:
        _check_nesting(runs[-1], nested, parent_run_id)
    if run_id is None:
        run_id = config.take_run_id()
    if run_id is not None:
        if experiment_id is not None:
            _check_same_experiment(session, run_id, str(experiment_id))
    elif parent_run_id is None:
        parent_run_id = runs[-1].run_id if runs else None
    elif not runs:
        session.live(parent_run_id)
    live = begin_run(
        session,
        experiment_id=None if experiment_id is None else str(experiment_id),
        run_id=run_id,
        run_name=run_name,
        tags=tags,
        description=description,
        parent_run_id=None if run_id is not None else parent_run_id,
        log_system_metrics=log_system_metrics,
    )
    _homes[live] = session
    _active.push(live)
    return ActiveRun(live, session)


def _check_nesting(active: LiveRun, nested: bool, parent_run_id: str | None) -> None:
    if parent_run_id is None:
        if not nested:
            raise InvalidState(
                f"run {active.run_id} is active: end it first with end_run(), or start a child of "
                "it with start_run(nested=True)"
            )
    elif parent_run_id != active.run_id:
        raise InvalidState(
            f"run {active.run_id} is active, so parent_run_id={parent_run_id!r} cannot be: end the "
            "active run first with end_run()"
        )


def _check_same_experiment(session: Session, run_id: str, experiment_id: str) -> None:
    home = session.read().get_run(run_id).info.experiment_id
    if home != experiment_id:
        raise InvalidArgument(
            f"run {run_id} belongs to experiment {home!r}, not to experiment_id="
            f"{experiment_id!r}; leave experiment_id out to resume it"
        )


def end_run(status: str = RunStatus.FINISHED) -> None:
    """Ends the active run; without one nothing happens.

    Args:
        status: FINISHED, FAILED or KILLED.

    Raises:
        InvalidArgument: `status` is none of these; the run goes on.
    """
    word = RunStatus.check(status)
    if not RunStatus.is_terminated(word):
        raise InvalidArgument(f"status must be FINISHED, FAILED or KILLED to end, got {status!r}")
    live = _active.current()
    if live is not None:
        config.take_run_id()
        close_run(live, word)


def close_run(live: LiveRun, status: str, error: BaseException | None = None) -> None:
    """Ends a run and the children that were left open in it, innermost first."""
    runs = _active.stack.get()
    for run in reversed(runs[runs.index(live) :] if live in runs else ()):
        _active.pop(run)
        _finish(run, status, error)
    if live.owned:
        # The block is left in another thread or task than it was entered in.
        _finish(live, status, error)


def _finish(live: LiveRun, status: str, error: BaseException | None) -> None:
    ongoing = sys.modules.get("autolog.instrument.ongoing")
    if ongoing is not None:
        # What trains in this run ends with it, and keeps its model there.
        ongoing.close_run(live)
    session = session_of(live)
    finish_run(live, status, session=session, exception=error)
    retire(session)


def session_of(live: LiveRun) -> Session:
    """Returns the session that a run was started in: the default one may have changed since."""
    return _homes.get(live) or default_session()


def active_run() -> ActiveRun | None:
    """Returns the active run of this thread or task, or None."""
    live = _active.current()
    return None if live is None else ActiveRun(live, session_of(live))


def last_active_run() -> Run | None:
    """Returns the active run, else the last run of this thread or task, or None."""
    active = active_run()
    if active is not None:
        return active
    run_id = _active.last_run_id()
    return None if run_id is None else get_run(run_id)


def live_run() -> LiveRun:
    """Returns the writing handle of the active run; starts a run if there is none."""
    live = _active.current()
    if live is None:
        start_run()
        live = _active.stack.get()[-1]
    return live


def target(run_id: str | None) -> LiveRun:
    """Returns the writing handle of a run, or of the active one if `run_id` is None."""
    return live_run() if run_id is None else default_session().live(run_id)


def get_run(run_id: str) -> Run:
    """Returns a run with all that was logged to it, deleted ones included.

    Raises:
        NotFound: There is none.
    """
    return default_session().read().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Returns the parent of a run, or None if it has none.

    Raises:
        NotFound: There is no such run, or its parent is gone.
    """
    return parent_of(default_session(), run_id)


def parent_of(session: Session, run_id: str) -> Run | None:
    """Returns the parent of a run of a session's store; see `get_parent_run`."""
    store = session.read()
    parent_run_id = store.get_run(run_id).data.tags.get(MLFLOW_PARENT_RUN_ID)
    return None if parent_run_id is None else store.get_run(parent_run_id)


def delete_run(run_id: str) -> None:
    """Puts a run away; `restore_run` brings it back.

    Raises:
        NotFound: There is none.
    """
    remove_run(default_session(), run_id)


def restore_run(run_id: str) -> None:
    """Brings back a deleted run.

    Raises:
        NotFound: There is none.
    """
    revive_run(default_session(), run_id)


def remove_run(session: Session, run_id: str) -> None:
    """Puts a run of a session's store away; see `delete_run`."""
    session.read().delete_run(run_id)
    session.forget(run_id=run_id)


def revive_run(session: Session, run_id: str) -> None:
    """Brings back a run of a session's store; see `restore_run`."""
    session.read().restore_run(run_id)
    session.forget(run_id=run_id)
