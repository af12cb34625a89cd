"""The runs that are open in this thread or task, outermost first.

The fluent functions and autologging share this stack; it is kept apart so that neither has to
import the other. A thread starts with an empty stack: a run that one thread opened never catches
what another one logs.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

from autolog_core.config import read_active_model_id

if TYPE_CHECKING:
    from autolog_core.live import LiveRun

stack: ContextVar[tuple[LiveRun, ...]] = ContextVar("autolog_active_runs", default=())
_named = read_active_model_id()
model_id: ContextVar[str | None] = ContextVar("autolog_active_model", default=_named)
"""The logged model that metrics without one belong to."""
_last_here: ContextVar[str | None] = ContextVar("autolog_last_run_id", default=None)


def current() -> LiveRun | None:
    """Returns the innermost open run of this thread or task, or None."""
    runs = stack.get()
    return runs[-1] if runs else None


def last_run_id() -> str | None:
    """Returns the id of the run that was opened last in this thread or task, or None."""
    return _last_here.get()


def push(live: LiveRun) -> None:
    """Makes `live` the innermost open run."""
    stack.set((*stack.get(), live))
    _last_here.set(live.run_id)


def pop(live: LiveRun) -> None:
    """Takes `live` off the stack, wherever it is; nothing happens if it is not there."""
    runs = stack.get()
    if live in runs:
        stack.set(tuple(run for run in runs if run is not live))
        _last_here.set(live.run_id)
