"""What a task takes with it into a worker process, and what the worker does around it.

A worker that starts as a fresh interpreter knows nothing of autologging, and one that is used again
stands as it did for an earlier task. So each task of the user carries how autologging stood when it
was sent. Around the task the worker stands the same way; when it is over, what was logged is in the
store, and nothing is autologged until the next such task.
"""

from __future__ import annotations

import copy
import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autolog.instrument import control
from autolog.instrument.runs import AUTOLOGGING_TAG, PARENT_TAG
from autolog.instrument.scope import outermost, suppress
from autolog.instrument.worker_state import State, report, thaw

if TYPE_CHECKING:
    from autolog_core.live import LiveRun
    from autolog_core.models.policy import CheckpointPolicy
    from autolog_core.session import Session

_PATIENCE = 30.0
"""Seconds for which a task waits at most for what is captured around its runs."""


class Carried:
    """A task with the state that it carries; calling it makes the user's call.

    Args:
        function: The task.
        state: As `freeze` returns it.
    """

    __slots__ = ("function", "state")

    def __init__(self, function: Callable[..., Any], state: bytes) -> None:
        self.function = function
        self.state = state

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Makes the user's call, in a worker that stands as the parent did."""
        __tracebackhide__ = True
        task = Task(self.state)
        task.begin()
        try:
            return self.function(*args, **kwargs)
        finally:
            task.end()

    def __reduce__(self) -> tuple[Any, ...]:
        return _carried, (_Arming(self.state), self.function)


def _carried(state: bytes, function: Callable[..., Any]) -> Carried:
    return Carried(function, state)


class Started:
    """What a started process runs instead of its own ``run``, which it calls.

    Args:
        process: The process.
        state: As for `Carried`; None where the process inherits it, as after a fork.
        asleep: Whether it waits for tasks which carry a state of their own.
    """

    __slots__ = ("asleep", "process", "state")

    def __init__(self, process: Any, state: bytes | None, asleep: bool) -> None:
        self.process = process
        self.state = state
        self.asleep = asleep

    def __call__(self) -> None:
        """Runs what the process would run without us."""
        __tracebackhide__ = True
        run = type(self.process).run
        if self.asleep:
            sleep()
            run(self.process)
            return
        task = Task(self.state)
        task.begin()
        try:
            run(self.process)
        finally:
            task.end()

    def __reduce__(self) -> tuple[Any, ...]:
        state = None if self.state is None else _Arming(self.state)
        return Started, (self.process, state, self.asleep)


class _Arming(bytes):
    """A state that makes the process ready which unpickles it, before that unpickles the task.

    A function or method that was looked up before it was patched would be called past us.
    """

    __slots__ = ()

    def __reduce__(self) -> tuple[Any, ...]:
        return _arm, (bytes(self),)


def _arm(data: bytes) -> bytes:
    global _applied
    try:
        state = thaw(data)
        if state.process != os.getpid() and _is_to_follow(state):
            # Asleep: what runs before the task is none of it.
            sleep()
            control.restore(state.integrations)
            _applied = control.snapshot()
    except Exception as error:
        report("the arrival of a task", error)
    return data


class Task:
    """The time of one task in a worker. None of our errors leaves it.

    Args:
        state: As `freeze` returned it in the parent; None if this process stands right.
    """

    def __init__(self, state: bytes | None) -> None:
        self._data = state
        self._session: Session | None = None
        self._policy: CheckpointPolicy | None = None
        self._away = True
        self._stands = False

    def begin(self) -> None:
        """Makes the process stand as the parent did."""
        try:
            if self._data is None:
                self._session = _session()
                return
            state = thaw(self._data)
            self._away = state.process != os.getpid()
            if self._away and _is_to_follow(state):
                self._stand(state)
        except Exception as error:
            report("the start of a task", error)

    def end(self) -> None:
        """Hands over what was logged, and lets nothing be logged until the next task."""
        if not self._away:
            return
        try:
            self._hand_over()
        except Exception as error:
            report("the end of a task", error)
        finally:
            self._leave()

    def _stand(self, state: State) -> None:
        from autolog.instrument.checkpoints import chosen_policy, set_policy
        from autolog.tracking.address import set_tracking_uri

        set_tracking_uri(state.address)
        session = self._session = _session()
        session.settings = state.settings
        if state.experiment_id is not None:
            session.chosen_experiment = state.experiment_id
        session.source_tags = dict(state.tags)
        if state.parent_run_id is not None:
            # Each run that begins here gets them: unless it is nested, it is a child of that run.
            session.source_tags[PARENT_TAG] = state.parent_run_id
        _drop_inherited(state.parent_run_id)
        self._policy = chosen_policy()
        set_policy(state.policy)
        self._stands = True
        control.restore(state.integrations)
        wake()

    def _hand_over(self) -> None:
        from autolog.instrument import ongoing

        if ongoing.any_open():
            ongoing.close_all()
        first, last = self._session, _session()
        if first is not None and first is not last:
            _finish(first)
        _finish(last)

    def _leave(self) -> None:
        global _applied
        if not self._stands:
            return
        from autolog.instrument.checkpoints import set_policy

        set_policy(self._policy)
        if self._session is not None and self._session.source_tags is not None:
            self._session.source_tags.pop(PARENT_TAG, None)
        _applied = control.snapshot()
        sleep()


def _session() -> Session:
    from autolog_core.session import default_session

    return default_session()


def _finish(session: Session) -> None:
    session.saving.wait(threading.TIMEOUT_MAX)
    session.background.wait(_PATIENCE)
    session.drain()


# What stands in a worker between tasks.

_scope: suppress | None = None
_applied: control.Snapshot = {}
"""How the integrations stood when the last task was over, or at the fork."""
_inherited: tuple[LiveRun, ...] = ()
"""The runs that were active in the parent at the fork."""


def sleep() -> None:
    """Lets nothing be autologged in this thread, and what it starts, until `wake`."""
    global _scope
    if _scope is None:
        scope = suppress()
        scope.__enter__()
        _scope = scope


def wake() -> None:
    """Ends what `sleep` began."""
    global _scope
    scope, _scope = _scope, None
    if scope is not None:
        scope.__exit__()


def told() -> None:
    """Hears that code of this process, and no task, has turned autologging on."""
    global _applied
    wake()
    processes = sys.modules.get("multiprocessing.process")
    if processes is not None and getattr(processes.current_process(), "_inheriting", False):
        # The parent's script, imported again: what it says it has said in the parent, and perhaps
        # something else since.
        _applied = control.snapshot()


def _is_to_follow(state: State) -> bool:
    """Whether the integrations stand as a task or the fork left them, or as the parent's do.

    Else the worker's own code has called ``autolog()``, and the worker is left as it is.
    """
    now = control.snapshot()
    same = now.keys() == _applied.keys() and all(now[name][1] is _applied[name][1] for name in now)
    return same or now == state.integrations


def _drop_inherited(parent_run_id: str | None) -> None:
    from autolog import _active

    runs = _active.stack.get()
    kept = tuple(run for run in runs if run not in _inherited or run.run_id == parent_run_id)
    if kept != runs:
        _active.stack.set(kept)


def _after_fork() -> None:
    """Takes the inherited runs for runs of the parent: a training here gets a child of its own."""
    global _applied, _inherited
    if not outermost.get():
        return
    from autolog import _active

    _applied = control.snapshot()
    if all(options.disable for _, options in _applied.values()):
        return
    _inherited = tuple(_handed_down(live) for live in _active.stack.get())
    _active.stack.set(_inherited)


def _handed_down(live: LiveRun) -> LiveRun:
    """Returns another handle of a run, which looks as if it held a training already."""
    handle = copy.copy(live)
    handle.attach()
    handle.tags = {AUTOLOGGING_TAG: "", **live.tags}
    return handle


os.register_at_fork(after_in_child=_after_fork)
