"""Trainings that go on between calls: ``partial_fit``, ``Booster.update``.

Nobody says when such a training is over. Its run stays open while the calls come, and is ended when

- another training begins in the same thread, unless the two have taken turns before;
- the run of the user that it was begun in ends: then that run holds all of it;
- the program has let go of what was trained, which is seen when another such training begins;
- what was trained is trained anew, by a ``fit``;
- the integration is turned off, or the process ends.

At the end the model is kept. A call after that takes the run up again, and there will be another
model at its end; only where the user's run is over does a new run begin, which counts the steps on.
Whatever else happens to what was trained (it is pickled, copied, cloned) has no effect: nothing is
written into it, and a copy is another training.

A process that is killed keeps every step; its run is FAILED, without a model.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any

from autolog import _active
from autolog.instrument import faults, scope
from autolog.instrument.recorder import Recorder

if TYPE_CHECKING:
    from autolog.instrument.guard import Switch
    from autolog_core.live import LiveRun

Finish = Callable[[Any, Recorder], None]
"""Records what is known at the end: ``finish(subject, recorder)``, such as the model."""

EARLIER_TAG = "autolog.continues"
"""Of a run that goes on with the training of another run, which is over: the id of that run."""
_EXIT_PRIORITY = 20
"""Before the session, which a worker of `multiprocessing` closes at 10."""


class Ongoing:
    """One such training.

    Attributes:
        subject: What is trained; None while the training is ended.
        recorder: Writes to its run.
        finish: Called at each end.
        steps: How many there were: whoever counts the calls adds to it.
        state: For whoever records it; goes over to the run that continues this one.
        thread: The thread that trained last.
        interleaved: Whether it went on after another training had ended it.
        home: The user's run that it was begun in, if any.
        exclusive: Whether it is left alone while a run of the user is active.
    """

    __slots__ = (
        "_busy",
        "_due",
        "exclusive",
        "finish",
        "home",
        "interleaved",
        "recorder",
        "state",
        "steps",
        "subject",
        "thread",
    )

    def __init__(
        self,
        subject: Any,
        recorder: Recorder,
        finish: Finish,
        home: LiveRun | None = None,
        exclusive: bool = False,
    ) -> None:
        self.subject = subject
        self.recorder = recorder
        self.finish = finish
        self.steps = 0
        self.state: Any = None
        self.thread = threading.get_ident()
        self.interleaved = False
        self.home = home
        self.exclusive = exclusive
        self._busy = 0
        self._due = False

    def enter(self) -> bool:
        """Notes that a call is under way: the training is not ended before `leave`.

        Returns:
            Whether it is not ended already, by another thread.
        """
        with _lock:
            self._busy += self.subject is not None
            return self.subject is not None

    def leave(self) -> None:
        """Notes that the call is over."""
        with _lock:
            self._busy -= 1
            due = self._due and not self._busy
        if due:
            close(self)

    def is_over(self) -> bool:
        """Whether the user's run that it belongs to has ended."""
        return self.home is not None and self.home.status != "RUNNING"


_lock = threading.RLock()
_open: dict[int, Ongoing] = {}
_ended: dict[int, tuple[weakref.ref[Any], Ongoing]] = {}
_ready = False
_exiting = False


def any_open() -> bool:
    """Whether there is any that `close_here` would have to look at."""
    return bool(_open or _ended)


def find(subject: Any) -> Ongoing | None:
    """Returns the training of `subject`, taken up again if it was ended.

    None where there is none yet, or none to go on with now: `begin` then says whether there is to
    be a new one.
    """
    found = _open.get(id(subject))
    if found is not None:
        if found.exclusive and _active.current() is not None:
            return None
        if not found.is_over():
            found.thread = threading.get_ident()
            return found
        close(found)
    ended = _remembered(subject)
    if ended is None or _exiting or (ended.exclusive and _active.current() is not None):
        return None
    if ended.is_over() or not ended.recorder.resume_run():
        return None
    _ended.pop(id(subject), None)
    ended.subject = subject
    ended.thread = threading.get_ident()
    _add(ended)
    return ended


def step_of(subject: Any) -> int | None:
    """Returns the step that the training of `subject` is at, counted from 0.

    It is that of the last call, and stays so when the training is ended. None where `subject` is
    not trained in this way, or has been trained anew since.
    """
    found = _open.get(id(subject)) or _remembered(subject)
    return found.steps - 1 if found is not None and found.steps else None


def tell_step(subject: Any) -> None:
    """Has what is measured of `subject` now logged at the step that its training is at.

    For whoever asks which run trained it: a training tells nothing at each step of its own accord,
    which would cost more than its metrics.
    """
    found = _open.get(id(subject))
    if found is not None and found.steps:
        found.recorder.trained(subject, step=found.steps - 1)


def begin(switch: Switch, site: str, title: str, subject: Any, finish: Finish) -> Ongoing | None:
    """Opens a run for the training of `subject`, which is not made the active one.

    With the option `exclusive` it returns None while a run of the user is active.

    Args:
        switch: State of the integration, as patches hold it.
        site: The watched call, such as "SGDClassifier.partial_fit".
        title: Name for a child run.
        subject: What is trained; held until the training is over.
        finish: Called when it is.

    Raises:
        AutologError: The run cannot be opened.
    """
    close_abandoned()
    home = _active.current()
    if _exiting or (switch.options.exclusive and home is not None):
        return None
    recorder = Recorder.open(
        switch.spec, switch.options, site, title, perf_counter(), detached=True
    )
    made = Ongoing(subject, recorder, finish, home, switch.options.exclusive)
    earlier = _remembered(subject)
    if earlier is not None:
        _ended.pop(id(subject), None)
        made.steps, made.state = earlier.steps, earlier.state
        with recorder.part("tags"):
            recorder.tags({EARLIER_TAG: earlier.recorder.run_id})
    recorder.pause()
    _add(made)
    return made


def close_here(subject: Any = None) -> None:
    """Ends the trainings of this thread, because another one begins, that of `subject`."""
    own = _open.get(id(subject))
    if own is not None:
        close(own)
    if _remembered(subject) is not None:
        del _ended[id(subject)]
    close_abandoned()
    here = threading.get_ident()
    for each in list(_open.values()):
        if each.thread == here and not each.interleaved:
            each.interleaved = True
            close(each)


def close_run(live: LiveRun) -> None:
    """Ends the trainings that were begun in a run of the user, because that run is about to end."""
    for each in list(_open.values()):
        if each.home is live:
            close(each)


def close_integration(name: str) -> None:
    """Ends the trainings of an integration, because it is turned off."""
    for each in list(_open.values()):
        if each.recorder.integration == name:
            close(each)


def close_abandoned() -> None:
    """Ends the trainings whose subject the program has let go of."""
    for each in list(_open.values()):
        # One for the attribute, one for the argument.
        if sys.getrefcount(each.subject) <= 2:
            close(each)


def close_all() -> None:
    """Ends all trainings."""
    for each in list(_open.values()):
        close(each)


def close(training: Ongoing, status: str = "FINISHED", error: BaseException | None = None) -> None:
    """Ends a training: its model is kept, and a run of its own is ended.

    Args:
        training: The training; nothing happens if it is ended already. In the midst of a call, as
            can be in another thread, it is ended when the call is over.
        status: How the run ends.
        error: Why it failed.
    """
    with _lock:
        subject = training.subject
        if _open.get(id(subject)) is not training:
            return
        if training._busy and not _exiting:
            training._due = True
            return
        del _open[id(subject)]
        training.subject, training._due = None, False
    recorder = training.recorder
    with scope.suppress():
        try:
            recorder.resume()
            with recorder.part("the end of the training"):
                if training._busy:
                    recorder.skipped("model", "the process ended in the midst of a call")
                else:
                    training.finish(subject, recorder)
            recorder.close(status, error)
        except Exception as fault:
            faults.record(recorder.integration, recorder.site, "the end", fault)
    with suppress(TypeError):
        # What cannot be referred to weakly begins a new run next time.
        key = id(subject)
        _ended[key] = weakref.ref(subject, lambda _: _ended.pop(key, None)), training


def discard(training: Ongoing, error: BaseException) -> None:
    """Ends a training whose first call raised `error`: there is no model, and its run FAILED."""
    with _lock:
        training._busy = 0
        if _open.pop(id(training.subject), None) is not training:
            return
        training.subject = None
    try:
        training.recorder.resume()
        training.recorder.close("FAILED", error)
    except Exception as fault:
        recorder = training.recorder
        faults.record(recorder.integration, recorder.site, "the end", fault)


def _remembered(subject: Any) -> Ongoing | None:
    found = _ended.get(id(subject))
    return found[1] if found is not None and found[0]() is subject else None


def _add(training: Ongoing) -> None:
    global _ready
    with _lock:
        _open[id(training.subject)] = training
        if _ready:
            return
        _ready = True
    # After the session's own, so that it runs before it.
    atexit.register(_exit)
    util = sys.modules.get("multiprocessing.util")
    process = sys.modules.get("multiprocessing.process")
    if util is not None and process is not None and process.parent_process() is not None:
        # A worker skips `atexit`.
        util.Finalize(None, _exit, exitpriority=_EXIT_PRIORITY)


def _exit() -> None:
    global _exiting
    _exiting = True
    error = getattr(sys, "last_value", None)
    failed = isinstance(error, BaseException) and not hasattr(sys, "ps1")
    for each in list(_open.values()):
        close(each, "FAILED" if failed else "FINISHED", error if failed else None)


def _forget() -> None:
    # They go on in the parent of a fork.
    global _lock, _ready
    _lock = threading.RLock()
    _ready = False
    _open.clear()
    _ended.clear()


os.register_at_fork(after_in_child=_forget)
