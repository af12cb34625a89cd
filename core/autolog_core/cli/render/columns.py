"""Which params and metrics of a set of runs are worth a column."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from autolog_core.entities import Run

Group = Literal["metrics", "params", "tags"]
_EVALUATED = ("test", "val", "valid", "validation", "eval", "dev")


class Field(NamedTuple):
    """A param, metric or tag by name."""

    group: Group
    key: str


def value_of(run: Run, field: Field) -> str | float | None:
    """Returns what `run` holds under `field`, or None."""
    if field.group == "metrics":
        return run.data.metrics.get(field.key)
    return (run.data.params if field.group == "params" else run.data.tags).get(field.key)


def is_system(key: str) -> bool:
    """Whether a metric is of the machine rather than of the training."""
    return key.startswith("system/")


def keys_of(runs: Iterable[Run], group: Group) -> list[str]:
    """Returns the keys that any of `runs` holds, sorted."""
    found: set[str] = set()
    for run in runs:
        found.update(getattr(run.data, group))
    return sorted(found)


def choose_metrics(runs: Sequence[Run], most: int) -> list[Field]:
    """Returns the metrics that tell the runs apart best.

    Held by many runs comes first, then being an evaluation (a name with "val", "test" and the
    like), then how far the values spread. Metrics of the machine do not count.
    """
    ranked = []
    for key in keys_of(runs, "metrics"):
        if is_system(key):
            continue
        values = [run.data.metrics[key] for run in runs if key in run.data.metrics]
        cover = len(values) / len(runs)
        ranked.append((-round(cover, 1), not _is_evaluation(key), -_spread(values), key))
    return [Field("metrics", rank[-1]) for rank in sorted(ranked)[:most]]


def choose_params(runs: Sequence[Run], most: int) -> list[Field]:
    """Returns the params that differ between the runs, the most telling first.

    Held by many runs comes first, then taking many values. Seeds and long texts come last.

    One run shows none of its params as different; then those of the shortest values are taken.
    """
    ranked = []
    for key in keys_of(runs, "params"):
        values = [run.data.params.get(key) for run in runs]
        held = [value for value in values if value is not None]
        if len(runs) > 1 and len(set(values)) == 1:
            continue
        cover = len(held) / len(runs)
        length = max(map(len, held))
        noise = length > 24 or "seed" in key or key.endswith("random_state")
        ranked.append((noise, -round(cover, 1), -len(set(held)), length, key))
    return [Field("params", rank[-1]) for rank in sorted(ranked)[:most]]


def differing(runs: Sequence[Run], group: Group) -> list[str]:
    """Returns the keys whose value is not the same in all of `runs`, NaN being the same as NaN."""
    return [
        key
        for key in keys_of(runs, group)
        if len({repr(value_of(run, Field(group, key))) for run in runs}) > 1
    ]


def _is_evaluation(key: str) -> bool:
    return any(word in _EVALUATED for word in _words(key))


def _spread(values: Sequence[float]) -> float:
    finite = [value for value in values if math.isfinite(value)]
    if len(finite) < 2:
        return 0.0
    scale = max(map(abs, finite))
    return (max(finite) / scale - min(finite) / scale) if scale else 0.0


_LESS = ("error", "err", "mse", "rmse", "mae", "mape", "perplexity", "wer", "cer", "fid")
_MORE = ("auc", "f1", "precision", "recall", "score", "r2", "bleu", "map", "iou", "dice")


def best_direction(key: str) -> Literal["min", "max"] | None:
    """Returns whether less or more of a metric is better, as far as its name says."""
    words = _words(key)
    if any(word in _LESS or word.endswith("loss") for word in words):
        # scikit-learn turns errors into scores: neg_mean_squared_error.
        return "max" if "neg" in words else "min"
    if any(word in _MORE or word.startswith("acc") for word in words):
        return "max"
    return None


def _words(key: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", key.lower())
