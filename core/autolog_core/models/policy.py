"""When a checkpoint is saved and which ones are kept: decided from plain data alone."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from autolog_core import limits
from autolog_core.errors import InvalidArgument

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", re.IGNORECASE | re.ASCII)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*|\d+")
_DOWN = frozenset((
    "loss", "logloss", "mlogloss", "error", "err", "merror", "mae", "mape", "mse", "rmse", "rmsle",
    "nll", "perplexity", "ppl", "wer", "cer", "crossentropy", "deviance",
))  # fmt: skip
_UP = frozenset((
    "acc", "accuracy", "auc", "aucpr", "auroc", "auprc", "ap", "map", "f1", "f2", "fbeta", "r2",
    "score", "precision", "recall", "iou", "miou", "dice", "bleu", "rouge", "ndcg", "mcc", "kappa",
    "mrr", "psnr", "ssim",
))  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPolicy:
    """How often a training is saved, and which of its checkpoints keep their weights.

    The best checkpoint (where scores are known) and the last one are always kept. With neither
    `keep_best` nor `keep_last` all are kept that `max_bytes` has room for; with one of them, what
    it names. The record of a checkpoint and its metrics stay whatever becomes of its weights.

    Attributes:
        every_n_epochs: Saves when this many epochs have gone by since the last save. Becomes None
            where `every_n_steps` is given.
        every_n_steps: Saves when this many steps have gone by since the last save.
        save_best_only: Saves only where the monitored metric is better than ever before.
        monitor: The metric that says which checkpoint is best.
        mode: Whether less (``"min"``) or more (``"max"``) of it is better; None: told from its
            name. A policy always holds one of the two words.
        keep_best: How many of the best are kept; of equal scores the earlier one is better, and
            NaN is never best.
        keep_last: How many of the newest are kept.
        max_bytes: Bytes on the disk that all checkpoints of a training may take, as a number or
            as text such as ``"10 GB"`` or ``"512 MiB"``; files that checkpoints share count once.

    Raises:
        InvalidArgument: A value is off, or `mode` cannot be told from the name of the metric.
    """

    every_n_epochs: int | None = 1
    every_n_steps: int | None = None
    save_best_only: bool = False
    monitor: str = "val_loss"
    mode: Literal["min", "max"] | None = None
    keep_best: int | None = None
    keep_last: int | None = None
    max_bytes: int | float | str | None = None

    def __post_init__(self) -> None:
        for name in ("every_n_epochs", "every_n_steps", "keep_best", "keep_last"):
            _check_count(name, getattr(self, name))
        if self.every_n_steps is not None:
            if self.every_n_epochs not in (None, 1):
                raise InvalidArgument(
                    f"every_n_epochs={self.every_n_epochs} and every_n_steps={self.every_n_steps} "
                    "cannot both say when to save: give one of them"
                )
            object.__setattr__(self, "every_n_epochs", None)
        elif self.every_n_epochs is None:
            raise InvalidArgument(
                "every_n_epochs=None needs every_n_steps; with every_n_epochs=1 and "
                "save_best_only=True the monitored metric alone decides"
            )
        if not isinstance(self.save_best_only, bool):
            raise InvalidArgument(
                f"save_best_only must be True or False, got {self.save_best_only!r}"
            )
        limits.check_key(self.monitor, "metric")
        if self.mode is None:
            object.__setattr__(self, "mode", mode_of(self.monitor))
        elif self.mode not in ("min", "max"):
            raise InvalidArgument(f"mode must be 'min', 'max' or None, got {self.mode!r}")
        object.__setattr__(self, "max_bytes", parse_size(self.max_bytes))

    @property
    def prunes(self) -> bool:
        """Whether checkpoints may lose their weights."""
        return (self.keep_best, self.keep_last, self.max_bytes) != (None, None, None)

    @property
    def needs_score(self) -> bool:
        """Whether it decides by the monitored metric."""
        return self.save_best_only or self.keep_best is not None

    def limits_text(self) -> str:
        """Returns what is kept, such as ``keep_best=2, keep_last=1``."""
        names = ("keep_best", "keep_last", "max_bytes")
        found = ((name, getattr(self, name)) for name in names)
        return ", ".join(f"{name}={value}" for name, value in found if value is not None)


@dataclass(frozen=True, slots=True)
class CheckpointState:
    """What is known of the checkpoints that a training has so far.

    Attributes:
        step: Step of the one that was saved last.
        epoch: Its epoch, where there was one.
        best: The best score of those that were saved.
        scored: Whether the monitored metric was ever given.
    """

    step: int | None = None
    epoch: int | None = None
    best: float | None = None
    scored: bool = False


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A checkpoint that can be loaded.

    Attributes:
        created: When it was made, in milliseconds since the epoch.
        score: Value of the monitored metric, None or NaN where there is none.
        files: Bytes of its files by what identifies them, such as (device, inode): a file that two
            checkpoints share is in both under the same key.
    """

    model_id: str
    step: int
    created: int
    score: float | None = None
    files: Mapping[Any, int] = field(default_factory=dict, hash=False)


def mode_of(monitor: str) -> Literal["min", "max"]:
    """Returns whether less or more of a metric is better, as its name says.

    Raises:
        InvalidArgument: The name says nothing, or two things.
    """
    found = {word.lower() for word in _WORD.findall(monitor)}
    words = found | {word.rstrip("0123456789") for word in found}
    down, up = bool(words & _DOWN), bool(words & _UP)
    if down == up:
        raise InvalidArgument(
            f"mode cannot be told from the name of the metric monitor={monitor!r}: give mode='min' "
            "where less is better, or mode='max'"
        )
    # scikit-learn negates errors so that more is better: neg_mean_squared_error.
    return "min" if down and "neg" not in words else "max"


def parse_size(size: object) -> int | None:
    """Returns a number of bytes, given as a number or as text such as ``"10 GB"`` or ``"1.5GiB"``.

    Raises:
        InvalidArgument: It is neither, or not above zero.
    """
    if size is None:
        return None
    number = 0.0
    if isinstance(size, str):
        match = _SIZE.fullmatch(size.strip())
        if match is not None and (match[2] or not match[3]):
            number = float(match[1]) * (1024 if match[3] else 1000) ** _POWERS[match[2].lower()]
    elif isinstance(size, int | float) and not isinstance(size, bool) and math.isfinite(size):
        number = size
    if number < 1:
        raise InvalidArgument(
            "max_bytes must be a number of bytes above zero, or text such as '10 GB' or "
            f"'512 MiB', got {size!r}"
        )
    return int(number)


def score_of(policy: CheckpointPolicy, metrics: Mapping[str, Any]) -> float | None:
    """Returns the value of the monitored metric, None where it is missing.

    Raises:
        InvalidArgument: It is no number.
    """
    if policy.monitor not in metrics:
        return None
    return limits.check_metric_value(policy.monitor, metrics[policy.monitor])


def check_monitor(
    policy: CheckpointPolicy, state: CheckpointState, metrics: Mapping[str, Any]
) -> None:
    """Checks that a policy which decides by a metric is given it, until it was given once.

    Raises:
        InvalidArgument: It was never given.
    """
    if policy.needs_score and not state.scored and policy.monitor not in metrics:
        told = f"metrics has {', '.join(sorted(metrics))}" if metrics else "no metrics are given"
        raise InvalidArgument(
            f"the checkpoint policy monitors {policy.monitor!r}, but {told}: pass that metric, or "
            "name another with CheckpointPolicy(monitor=...)"
        )


def should_save(
    policy: CheckpointPolicy,
    state: CheckpointState,
    *,
    step: int,
    epoch: int | None = None,
    metrics: Mapping[str, Any] | None = None,
) -> bool:
    """Whether a checkpoint is to be saved now.

    The first one is, and then each that is far enough from the one saved last. A step or epoch
    that lies before that one begins another training. Without an epoch each call counts as one.

    Raises:
        InvalidArgument: The policy counts several epochs and is given none, or the monitored
            metric is no number.
    """
    if policy.save_best_only:
        score = _number(score_of(policy, metrics or {}))
        if score is None or (state.best is not None and not _better(policy, score, state.best)):
            return False
        if policy.every_n_epochs == 1:
            return True
    if policy.every_n_steps is not None:
        return _far(state.step, step, policy.every_n_steps)
    gap = policy.every_n_epochs or 1
    if epoch is None:
        if gap > 1:
            raise InvalidArgument(
                f"the checkpoint policy saves every_n_epochs={gap}: say which epoch it is with "
                "epoch=, or use every_n_steps"
            )
        return True
    return _far(state.epoch, epoch, gap)


def advance(
    policy: CheckpointPolicy,
    state: CheckpointState,
    *,
    step: int,
    epoch: int | None = None,
    score: float | None = None,
    saved: bool = True,
) -> CheckpointState:
    """Returns what is known after a checkpoint was saved, or was not.

    Args:
        policy: Which scores are better.
        state: What was known before.
        step: Its step.
        epoch: Its epoch, if it had one.
        score: Value of the monitored metric, None where there was none.
        saved: Whether it was saved.
    """
    scored = state.scored or score is not None
    if not saved:
        return replace(state, scored=scored)
    number, best = _number(score), state.best
    if number is not None and (best is None or _better(policy, number, best)):
        best = number
    return CheckpointState(step, epoch, best, scored)


def to_prune(policy: CheckpointPolicy, kept: Iterable[Checkpoint]) -> list[Checkpoint]:
    """Returns the checkpoints whose weights are to go, oldest first.

    Never the best and never the last of them. Where the budget has no room for all that the policy
    names, the best come first, then the newest; what does not fit goes.
    """
    found = {each.model_id: each for each in kept}
    if not policy.prunes:
        return []
    newest = sorted(found.values(), key=_age, reverse=True)
    scores = ((_number(each.score), each) for each in newest)
    sign = -1.0 if policy.mode == "max" else 1.0
    ranks = sorted((sign * score, *_age(each)) for score, each in scores if score is not None)
    best = [found[model_id] for *_, model_id in ranks]
    protected, wanted = [*best[:1], *newest[:1]], [*best, *newest]
    if policy.keep_best is not None or policy.keep_last is not None:
        wanted = [*best[: policy.keep_best or 0], *newest[: policy.keep_last or 0]]
    staying = {each.model_id for each in protected}
    files: dict[Any, int] = {}
    for each in protected:
        files.update(each.files)
    budget, used = parse_size(policy.max_bytes), sum(files.values())
    for each in wanted:
        fresh = {key: size for key, size in each.files.items() if key not in files}
        if each.model_id in staying or (budget and used + sum(fresh.values()) > budget):
            continue
        staying.add(each.model_id)
        files.update(fresh)
        used += sum(fresh.values())
    return [each for each in reversed(newest) if each.model_id not in staying]


def _check_count(name: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise InvalidArgument(f"{name} must be a whole number from 1, or None, got {value!r}")


def _age(checkpoint: Checkpoint) -> tuple[int, int, str]:
    return checkpoint.created, checkpoint.step, checkpoint.model_id


def _number(score: float | None) -> float | None:
    return None if score is None or math.isnan(score) else score


def _better(policy: CheckpointPolicy, score: float, than: float) -> bool:
    return score > than if policy.mode == "max" else score < than


def _far(last: int | None, now: int, gap: int) -> bool:
    return last is None or now < last or now - last >= gap
