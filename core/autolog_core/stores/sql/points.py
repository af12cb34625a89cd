"""What is done to blocks of points before they are stored and after they are read: no SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from autolog_core.entities import MetricSummary
from autolog_core.stores.metric_codec import Floats, Points, bits


class Ranges(NamedTuple):
    """The bounds of a block; `minimum` and `maximum` leave NaN out, None where all are NaN."""

    first_step: int
    last_step: int
    first_time: int
    last_time: int
    minimum: float | None
    maximum: float | None


def join(blocks: Sequence[Points]) -> Points:
    """Returns blocks as one."""
    if len(blocks) == 1:
        return blocks[0]
    return Points(
        np.concatenate([block.steps for block in blocks]),
        np.concatenate([block.times for block in blocks]),
        np.concatenate([block.values for block in blocks]),
    )


def tidy(points: Points) -> Points:
    """Returns points ordered by (time, step, value), each once."""
    if len(points.steps) < 2 or _rises(points):
        return points
    key = bits(points.values)
    order = np.lexsort((key, points.values, points.steps, points.times))
    points, key = points.take(order), key[order]
    same = (np.diff(points.times) == 0) & (np.diff(points.steps) == 0) & (np.diff(key) == 0)
    if same.any():
        points = points.take(np.concatenate(([0], np.flatnonzero(~same) + 1)))
    return points


def drop_known(points: Points, known: Sequence[Points]) -> Points:
    """Returns `points` without those that `known` holds."""
    seen: set[bytes] = set()
    low = points.times.min()
    for block in known:
        seen.update(_records(block.take(np.flatnonzero(block.times >= low))))
    if not seen:
        return points
    fresh = [index for index, record in enumerate(_records(points)) if record not in seen]
    return points if len(fresh) == len(points.steps) else points.take(np.array(fresh, np.intp))


def ranges(points: Points) -> Ranges:
    """Returns the bounds of `points`, at least one."""
    steps, times, values = points
    if len(steps) == 1:
        step, time, value = int(steps[0]), int(times[0]), float(values[0])
        number = None if value != value else value
        return Ranges(step, step, time, time, number, number)
    low = float(np.fmin.reduce(values))
    high = float(np.fmax.reduce(values))
    blank = low != low
    return Ranges(
        int(steps.min()),
        int(steps.max()),
        int(times.min()),
        int(times.max()),
        None if blank else low,
        None if blank else high,
    )


def summarise(key: str, points: Points) -> MetricSummary:
    """Returns the summary of `points`, at least one, tidy."""
    steps, times, values = points
    if len(steps) == 1:
        step, time, value = int(steps[0]), int(times[0]), float(values[0])
        if value != value:
            return MetricSummary(key, value, time, step, None, None, None, None, 1)
        return MetricSummary(key, value, time, step, value, step, value, step, 1)
    last = len(steps) - 1
    if steps[last] != steps.max() or steps[last - 1] == steps[last]:
        number = ~np.isnan(values)
        last = int(np.lexsort((np.where(number, values, 0.0), number, times, steps))[-1])
    low = high = None
    low_step = high_step = None
    extremes = find_extremes(values)
    if extremes is not None:
        lowest, highest = extremes
        low, low_step = float(values[lowest]), int(steps[lowest])
        high, high_step = float(values[highest]), int(steps[highest])
    return MetricSummary(
        key,
        float(values[last]),
        int(times[last]),
        int(steps[last]),
        low,
        low_step,
        high,
        high_step,
        len(steps),
    )


def combine(old: MetricSummary, new: MetricSummary) -> MetricSummary:
    """Returns the summary of two blocks of a series, `old` logged first."""
    latest = new if _rank(new) >= _rank(old) else old
    low, high = old, old
    if old.minimum is None or (new.minimum is not None and new.minimum < old.minimum):
        low = new
    if old.maximum is None or (new.maximum is not None and new.maximum > old.maximum):
        high = new
    return MetricSummary(
        old.key,
        latest.value,
        latest.timestamp,
        latest.step,
        low.minimum,
        low.minimum_step,
        high.maximum,
        high.maximum_step,
        old.points + new.points,
    )


def find_extremes(values: Floats) -> tuple[int, int] | None:
    """Returns where the lowest and the highest value first are; None if all are NaN."""
    low = np.fmin.reduce(values)
    if np.isnan(low):
        return None
    # Not nanargmin: it takes a NaN for an infinity, and may point at it.
    return int(np.argmax(values == low)), int(np.argmax(values == np.fmax.reduce(values)))


def _rank(summary: MetricSummary) -> tuple[int, int, bool, float]:
    value = summary.value
    number = value == value
    return summary.step, summary.timestamp, number, value if number else 0.0


def _rises(points: Points) -> bool:
    """Whether (time, step) grows from each point to the next."""
    later = points.times[1:] > points.times[:-1]
    if later.all():
        return True
    same = points.times[1:] == points.times[:-1]
    further = points.steps[1:] > points.steps[:-1]
    return bool((later | (same & further)).all())


def _records(points: Points) -> list[bytes]:
    """Returns each point as bytes that are equal where the points are, bit for bit."""
    table = np.empty((len(points.steps), 3), np.int64)
    table[:, 0], table[:, 1], table[:, 2] = points.steps, points.times, bits(points.values)
    return table.view("V24").ravel().tolist()
