"""What is kept of the modules: a checkpoint for each epoch, and the model at the end."""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.pytorch.training import Training
    from autolog_core.models.manifest import Model
    from autolog_core.models.policy import CheckpointPolicy
    from autolog_core.models.snapshot import Snapshot

_FREE = 10
"""Checkpoints that are taken however short the epochs are."""
_PAUSE = 1.0
"""Seconds between those that follow."""
_SHARE = 50
"""Between two of them, the training goes on for this many times what the last one took."""


def save_epoch(training: Training, *, early: bool = False, window: bool = False) -> None:
    """Keeps a checkpoint of each module, if the epoch that has ended has none yet.

    Args:
        training: The training.
        early: Whether an evaluation may follow, which a policy may have to wait for.
        window: Whether no epoch has ended, only a number of steps.
    """
    recorder = training.recorder
    if not training.unsaved or not recorder.keeps_models() or not training.options.checkpoint:
        return
    with recorder.part("checkpoints"):
        policy, own = _policy(training)
        if early and policy.save_best_only and policy.monitor not in training.fresh:
            return
        training.unsaved = False
        saves, now = training.saves, perf_counter()
        # Short epochs would go on writing more than they train.
        soon = now - saves.began < max(_PAUSE, _SHARE * saves.took)
        if not own and soon and (window or saves.count >= _FREE):
            return
        for name, reference in training.models.items():
            module = reference()
            if module is not None:
                _save(training, policy, name, module)
        saves.count += 1
        saves.began, saves.took = now, perf_counter() - now


def _policy(training: Training) -> tuple[CheckpointPolicy, bool]:
    """Returns when to save and what to keep, and whether the user has said so."""
    from autolog.instrument.checkpoints import chosen_policy
    from autolog_core.models.policy import CheckpointPolicy

    chosen = chosen_policy()
    if chosen is not None:
        return chosen, True
    options = training.options
    # Else disks are not filled: the best and the last stay.
    kept = 1 if options.checkpoint_save_best_only else None
    monitor, mode = options.checkpoint_monitor, options.checkpoint_mode
    if monitor is None:
        monitor, mode = training.monitored(), mode or "min"
    policy = CheckpointPolicy(monitor=monitor, mode=mode, keep_best=kept, keep_last=kept)
    return policy, False


def _save(training: Training, policy: CheckpointPolicy, name: str, module: Any) -> None:
    step = max(0, training.steps - 1)
    made = training.recorder.checkpoint(
        partial(_take, module),
        step=step,
        epoch=max(0, training.epochs - 1),
        metrics=training.fresh,
        group=name,
        policy=policy,
    )
    if made is not None:
        training.saves.steps[name] = step
        training.recorder.trained(module, made)


def finish(training: Training, recorder: Recorder) -> None:
    """Logs what is still on its way, and each module as it is now."""
    with recorder.part("the last epoch"):
        training.settle()
        training.end_window()
        training.read()
    training.over = True
    save_epoch(training)
    _log_models(training, recorder)


def _log_models(training: Training, recorder: Recorder) -> None:
    if not recorder.keeps_models():
        recorder.skipped("model", "log_models is False")
        return
    step = max(0, training.steps - 1)
    for name, reference in training.models.items():
        module = reference()
        if training.saves.steps.get(name) == step:
            continue
        if module is None:
            recorder.skipped(f"model {name}", "the program has let go of it")
            continue
        with recorder.part("model"):
            recorder.model(partial(_take, module), name=name, step=step, subject=module)
            training.saves.steps[name] = step


def _take(module: Any, manifest: Model) -> Snapshot:
    from autolog._torch import flavor

    return flavor.snapshot(module, mlflow_model=manifest, shared=True)
