"""Checkpoints of a training: whether one is due, what is remembered of it, and which ones go.

What a training has saved so far is remembered per run and group, and is read from the store where a
run is taken up again. Which checkpoints go is decided from the store each time, in the background,
after the files of the new one are written: only what is READY there counts as kept.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from autolog_core.entities import LoggedModel, LoggedModelStatus
from autolog_core.models.policy import (
    Checkpoint,
    CheckpointPolicy,
    CheckpointState,
    advance,
    score_of,
    should_save,
    to_prune,
)

if TYPE_CHECKING:
    from autolog_core.live import LiveRun
    from autolog_core.logged_models import LiveModel
    from autolog_core.models.manifest import Model, ModelInfo
    from autolog_core.models.snapshot import Snapshot
    from autolog_core.session import Session

logger = logging.getLogger("autolog")

GROUP_TAG = "autolog.checkpoint.group"
STEP_TAG = "autolog.checkpoint.step"
EPOCH_TAG = "autolog.checkpoint.epoch"
MONITOR_TAG = "autolog.checkpoint.monitor"
SCORE_TAG = "autolog.checkpoint.score"
_PAGE = 1000

_policy: ContextVar[CheckpointPolicy | None] = ContextVar("autolog_checkpoint_policy", default=None)
# By group and monitored metric.
_states: WeakKeyDictionary[LiveRun, dict[tuple[str, str], CheckpointState]] = WeakKeyDictionary()


def current_policy() -> CheckpointPolicy:
    """Returns the policy of this thread or task, where a call names none."""
    return _policy.get() or CheckpointPolicy()


def chosen_policy() -> CheckpointPolicy | None:
    """Returns the policy that was set in this thread or task, or None."""
    return _policy.get()


def set_policy(policy: CheckpointPolicy | None) -> None:
    """Sets the policy of this thread or task; None for each epoch, all of them kept."""
    _policy.set(policy)


def save_due(
    session: Session,
    run: LiveRun,
    make: Callable[[Model], Snapshot],
    *,
    group: str,
    step: int,
    epoch: int,
    metrics: Mapping[str, Any] | None,
    default: CheckpointPolicy | None,
) -> ModelInfo | None:
    """Saves a checkpoint of a training that autologging watches, if its policy says that it is due.

    Args:
        session: Where the run is kept.
        run: The training's run.
        make: Takes the snapshot, given the manifest; called only if it is due.
        group: What is counted by itself, and the beginning of the checkpoint's name.
        step: Step of the training.
        epoch: Its epoch.
        metrics: Values at this step.
        default: The policy where the user has set none; None for no checkpoints then.
    """
    from autolog.instrument.models import log_model

    policy = _policy.get() or default
    if policy is None:
        return None
    return save_checkpoint(
        session,
        run,
        policy,
        lambda tags: log_model(make, name=f"{group}-{step}", step=step, tags=tags, run=run),
        group=group,
        step=step,
        epoch=epoch,
        metrics=metrics,
    )


def save_checkpoint(
    session: Session,
    run: LiveRun,
    policy: CheckpointPolicy,
    save: Callable[[dict[str, str]], ModelInfo],
    *,
    group: str,
    step: int,
    epoch: int | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> ModelInfo | None:
    """Saves a checkpoint if it is due, and has pruned what the policy then does not keep.

    Args:
        session: Where the run is kept.
        run: The training's run.
        policy: When to save, and what to keep.
        save: Logs the model with these tags; called if it is due.
        group: What is counted by itself, such as the class of the model.
        step: Step of the training.
        epoch: Its epoch.
        metrics: Values at this step, the monitored one perhaps among them.

    Returns:
        What `save` returned, whose `wait` is for the pruning too; None if no checkpoint is due.

    Raises:
        InvalidArgument: The policy needs an epoch, or the monitored metric is no number.
    """
    values = metrics or {}
    known = state_of(session, run, policy, group)
    score = score_of(policy, values)
    saved = should_save(policy, known, step=step, epoch=epoch, metrics=values)
    info = save(_tags(policy, group, step, epoch, score)) if saved else None
    _states.setdefault(run, {})[group, policy.monitor] = advance(
        policy, known, step=step, epoch=epoch, score=score, saved=saved
    )
    return None if info is None else _settling(session, run, policy, group, info)


def state_of(
    session: Session, run: LiveRun, policy: CheckpointPolicy, group: str
) -> CheckpointState:
    """Returns what is known of the checkpoints of a run so far; read from the store once."""
    states = _states.setdefault(run, {})
    if (group, policy.monitor) not in states:
        if states:
            # What this process itself has saved may be on its way still.
            session.drain()
        state = CheckpointState()
        found = [
            (_checkpoint(model, policy), _whole(model.tags.get(EPOCH_TAG)))
            for model in _find(session, run, group, "status != 'FAILED'")
        ]
        for made, epoch in sorted(found, key=lambda each: (each[0].created, each[0].step)):
            state = advance(policy, state, step=made.step, epoch=epoch, score=made.score)
        states[group, policy.monitor] = state
    return states[group, policy.monitor]


def _tags(
    policy: CheckpointPolicy, group: str, step: int, epoch: int | None, score: float | None
) -> dict[str, str]:
    found = {GROUP_TAG: group, STEP_TAG: step, EPOCH_TAG: epoch}
    if score is not None:
        found |= {MONITOR_TAG: policy.monitor, SCORE_TAG: repr(score)}
    return {key: str(value) for key, value in found.items() if value is not None}


def _settling(
    session: Session, run: LiveRun, policy: CheckpointPolicy, group: str, info: ModelInfo
) -> ModelInfo:
    live = session.models.get(info.model_id or "")
    number = session.saving.submit(lambda: _settle(session, run, policy, group, live))

    def wait(timeout: float | None) -> bool:
        # Jobs end in their order: once this one has, the model is written or has failed.
        return session.saving.wait(timeout, number) and info.wait(timeout)

    return replace(info, _waiting=wait)


def _settle(
    session: Session, run: LiveRun, policy: CheckpointPolicy, group: str, live: LiveModel | None
) -> None:
    """Runs after the files of a checkpoint were written, or could not be."""
    if live is not None and live.status is LoggedModelStatus.FAILED:
        # It is none that a later one has to be better than, or far from: read anew what there is.
        session.drain()
        _states.get(run, {}).pop((group, policy.monitor), None)
    if policy.prunes:
        prune(session, run, policy, group)


def prune(session: Session, run: LiveRun, policy: CheckpointPolicy, group: str) -> None:
    """Deletes the weights of the checkpoints of a run that a policy does not keep.

    Raises:
        StorageError: The store cannot be read or written now; no file is deleted.
    """
    from autolog_core.pruning import prune_models

    session.drain()
    ready = list(_find(session, run, group, "status = 'READY'"))
    kept = [_checkpoint(model, policy, measure=policy.max_bytes is not None) for model in ready]
    going = {each.model_id for each in to_prune(policy, kept)}
    reason = f"the checkpoint policy ({policy.limits_text()})"
    prune_models(session, [model for model in ready if model.model_id in going], reason)


def _find(session: Session, run: LiveRun, group: str, condition: str) -> Iterator[LoggedModel]:
    """Yields the checkpoints of a run, in no order."""
    quoted = group.replace("'", "''")
    text = f"source_run_id = '{run.run_id}' AND tags.`{GROUP_TAG}` = '{quoted}' AND {condition}"
    token = None
    while True:
        page = session.store().search_logged_models(
            [run.experiment_id], text, None, _PAGE, None, token
        )
        yield from page
        token = page.token
        if token is None:
            return


def _checkpoint(model: LoggedModel, policy: CheckpointPolicy, measure: bool = False) -> Checkpoint:
    from autolog_core.artifacts.locate import local_folder
    from autolog_core.models.removal import sizes_on_disk

    return Checkpoint(
        model.model_id,
        _whole(model.tags.get(STEP_TAG)) or 0,
        model.creation_timestamp,
        _score(model, policy.monitor),
        sizes_on_disk(local_folder(model.artifact_location)) if measure else {},
    )


def _score(model: LoggedModel, monitor: str) -> float | None:
    """Returns the score of a checkpoint, of whatever metric was monitored when it was made."""
    if model.tags.get(MONITOR_TAG) == monitor:
        try:
            return float(model.tags[SCORE_TAG])
        except (KeyError, ValueError):
            pass
    values = [metric.value for metric in model.metrics if metric.key == monitor]
    return values[0] if values else None


def _whole(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
