"""How autologging stands in a process, as far as its workers are to do the same."""

from __future__ import annotations

import os
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from autolog.instrument import control, faults
from autolog.instrument.runs import PARENT_TAG
from autolog.instrument.scope import in_worker, outermost

if TYPE_CHECKING:
    from autolog_core.config import Settings
    from autolog_core.models.policy import CheckpointPolicy


@dataclass(frozen=True, slots=True)
class State:
    """How autologging stands where a task is sent.

    Attributes:
        process: Id of that process.
        integrations: Who set the options of each integration, and the options.
        address: Of the store.
        settings: Of the session.
        experiment_id: Of the experiment for new runs, once it is chosen.
        tags: What program runs, and who runs it.
        parent_run_id: Of the run that is active.
        policy: When checkpoints are saved, if the user has said so.
    """

    process: int
    integrations: control.Snapshot
    address: str
    settings: Settings
    experiment_id: str | None
    tags: Mapping[str, str]
    parent_run_id: str | None
    policy: CheckpointPolicy | None


_frozen: tuple[State, bytes] | None = None


def freeze() -> bytes | None:
    """Returns the state for a task that is sent here and now.

    It is None where trainings of the task are not the user's, as inside a watched call, and where
    there is nothing to log. The bytes are a pickle, so that what cannot be pickled of it does not
    make the user's task fail.
    """
    global _frozen
    if not outermost.get() or in_worker():
        return None
    try:
        state = _read()
        if state is None:
            return None
        if _frozen is None or _frozen[0] != state:
            _frozen = (state, pickle.dumps(state, pickle.HIGHEST_PROTOCOL))
        return _frozen[1]
    except Exception as error:
        report("the sending of a task", error)
        return None


@lru_cache(maxsize=8)
def thaw(data: bytes) -> State:
    """Returns the state that `freeze` gave; the same object for the same bytes."""
    state: State = pickle.loads(data)
    return state


def report(phase: str, error: Exception) -> None:
    """Keeps an error of ours from the user's task."""
    on = [options for _, options in control.snapshot().values() if not options.disable]
    silent = bool(on) and all(options.silent for options in on)
    faults.record("workers", "a worker process", phase, error, silent=silent)


def _read() -> State | None:
    from autolog import _active
    from autolog.instrument.checkpoints import chosen_policy
    from autolog_core.runs import source_tags
    from autolog_core.session import default_session

    active = _active.current()
    integrations = {
        name: (source, options)
        for name, (source, options) in control.snapshot().items()
        if active is None or not options.exclusive
    }
    if all(options.disable for _, options in integrations.values()):
        return None
    session = default_session()
    tags = dict(source_tags(session))
    above = tags.pop(PARENT_TAG, None)
    return State(
        os.getpid(),
        integrations,
        session.address,
        session.settings,
        session.chosen_experiment,
        tags,
        above if active is None else active.run_id,
        chosen_policy(),
    )
