"""Chunks come back bit for bit, and damage is told."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autolog_core.errors import CorruptStore
from autolog_core.stores.metric_codec import (
    Points,
    append_rows,
    decode,
    encode,
    encode_columns,
    encode_rows,
)

SIZES = st.integers(1, 300)
INTS = st.one_of(
    st.integers(-(2**63), 2**63 - 1), st.integers(-10, 10), st.integers(10**12, 10**12 + 300)
)


@st.composite
def blocks(draw: st.DrawFn) -> Points:
    size = draw(SIZES)
    ints = hnp.arrays(np.int64, size, elements=INTS)
    regular = st.builds(
        lambda first, step: np.arange(size, dtype=np.int64) * step + first,
        st.integers(-(2**40), 2**40),
        st.integers(-1000, 1000),
    )
    values = st.one_of(
        # Any bits at all: NaNs with payloads, signed zeros, infinities.
        hnp.arrays(np.uint64, size, elements=st.integers(0, 2**64 - 1)).map(
            lambda raw: raw.view(np.float64)
        ),
        hnp.arrays(np.float64, size, elements=st.floats(width=32)),
        hnp.arrays(np.float64, size, elements=st.sampled_from([0.0, -0.0, 1.0, np.nan, np.inf])),
    )
    return Points(draw(st.one_of(ints, regular)), draw(st.one_of(ints, regular)), draw(values))


def same(first: Points, second: Points) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True))


@given(blocks())
def test_every_layout_gives_back_the_same_bits(points: Points) -> None:
    for data in (encode(points), encode_rows(points), encode_columns(points)):
        found = decode(data)
        assert same(found, points)
        assert [column.dtype for column in found] == [np.int64, np.int64, np.float64]


@given(blocks(), blocks())
def test_rows_grow_without_being_read(first: Points, second: Points) -> None:
    longer = append_rows(encode_rows(first), second)
    assert longer is not None
    both = Points(*(np.concatenate(pair) for pair in zip(first, second, strict=True)))
    assert same(decode(longer), both)
    assert append_rows(encode_columns(first), second) is None


@given(blocks(), st.data())
def test_damage_is_a_typed_error(points: Points, data: st.DataObject) -> None:
    for whole in (encode_rows(points), encode_columns(points)):
        place = data.draw(st.integers(0, len(whole) - 1))
        flip = data.draw(st.integers(1, 255))
        broken = whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]
        with pytest.raises(CorruptStore):
            decode(broken)
        with pytest.raises(CorruptStore):
            decode(whole[:place])


def test_a_newer_format_names_the_remedy() -> None:
    with pytest.raises(CorruptStore, match="upgrade"):
        decode(b"\x09" + bytes(40))


def test_a_regular_series_is_small() -> None:
    rng = np.random.default_rng(1)
    size = 16384
    times = 1_700_000_000_000 + np.cumsum(rng.integers(0, 12, size))
    steps = np.arange(size, dtype=np.int64)
    kinds = {
        "random float64": (rng.random(size), 8.0),
        "random float32": (rng.random(size).astype(np.float32).astype(np.float64), 4.5),
        "constant": (np.full(size, 1e-3), 0.7),
    }
    for name, (values, most) in kinds.items():
        assert len(encode(Points(steps, times, values))) / size <= most, name
    assert len(encode(Points(steps, steps * 1000, np.zeros(size)))) < 100
