"""Ordering, duplicates and summaries against plain Python."""

from __future__ import annotations

import math
import struct

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from autolog_core.stores.metric_codec import Points
from autolog_core.stores.sql.points import combine, drop_known, join, ranges, summarise, tidy

VALUES = st.sampled_from([0.0, -0.0, 1.0, 2.5, float("nan"), float("inf"), float("-inf")])
ROWS = st.lists(st.tuples(st.integers(-2, 3), st.integers(0, 3), VALUES), min_size=1, max_size=30)
Row = tuple[int, int, float]


def block(rows: list[Row]) -> Points:
    steps, times, values = zip(*rows, strict=True)
    return Points(np.array(steps, np.int64), np.array(times, np.int64), np.array(values))


def keys(points: Points) -> list[tuple[int, int, bytes]]:
    columns = (column.tolist() for column in points)
    return [
        (time, step, struct.pack("<d", value)) for step, time, value in zip(*columns, strict=True)
    ]


def key(row: Row) -> tuple[int, int, bytes]:
    return row[1], row[0], struct.pack("<d", row[2])


@given(ROWS)
def test_tidy_points_are_ordered_and_unique(rows: list[Row]) -> None:
    found = keys(tidy(block(rows)))
    assert sorted(found) == sorted({key(row) for row in rows})
    assert [item[:2] for item in found] == sorted(item[:2] for item in found)


@given(ROWS, ROWS)
def test_known_points_are_dropped(rows: list[Row], stored: list[Row]) -> None:
    known = {key(row) for row in stored}
    found = keys(drop_known(tidy(block(rows)), [block(stored)]))
    assert sorted(found) == sorted({key(row) for row in rows} - known)


@given(ROWS)
def test_summaries_are_those_of_a_plain_reading(rows: list[Row]) -> None:
    points = tidy(block(rows))
    found = summarise("m", points)
    plain = [row for row in rows if not math.isnan(row[2])]
    low, high = (
        (min(row[2] for row in plain), max(row[2] for row in plain)) if plain else (None, None)
    )
    assert (found.minimum, found.maximum) == (low, high)
    assert found.points == len(points.steps)
    last = max(
        rows, key=lambda row: (*row[:2], row[2] == row[2], 0 if row[2] != row[2] else row[2])
    )
    assert (found.step, found.timestamp) == last[:2]
    assert found.value == last[2] or (math.isnan(found.value) and math.isnan(last[2]))
    bounds = ranges(points)
    assert bounds[:2] == (min(row[0] for row in rows), max(row[0] for row in rows))
    assert bounds[2:4] == (min(row[1] for row in rows), max(row[1] for row in rows))
    assert bounds[4:] == (low, high)


@given(ROWS, ROWS)
def test_summaries_of_parts_combine_to_that_of_the_whole(first: list[Row], more: list[Row]) -> None:
    old = tidy(block(first))
    new = drop_known(tidy(block(more)), [old])
    if not len(new.steps):
        return
    found = combine(summarise("m", old), summarise("m", new))
    whole = summarise("m", tidy(join([old, new])))
    # The step of an extreme is that of the one logged first, which the whole does not know.
    assert (found.minimum, found.maximum, found.points) == (
        whole.minimum,
        whole.maximum,
        whole.points,
    )
    assert (found.step, found.timestamp) == (whole.step, whole.timestamp)
    assert found.value == whole.value or (math.isnan(found.value) and math.isnan(whole.value))
