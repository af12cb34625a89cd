"""Arrays that are known again by their memory or by their content."""

import gc
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from autolog.instrument.lineage_memory import (
    Memory,
    fingerprint,
    is_decision,
    is_telling,
    owner_of,
    share_rows,
)

SLICES = st.slices(12)


@given(SLICES, SLICES, st.sampled_from("CF"))
def test_a_view_is_made_again(rows, columns, order):
    whole = np.array(np.arange(144.0).reshape(12, 12), order=order)
    view = whole[rows, columns]
    memory = Memory(view)
    again = memory.again()
    assert again is not None
    assert np.array_equal(again, view)
    assert not again.flags.writeable


def test_a_view_is_made_again_after_it_is_gone():
    whole = np.arange(20.0).reshape(5, 4)
    memory = Memory(whole[1:3])
    gc.collect()
    assert np.array_equal(memory.again(), whole[1:3])
    del whole
    assert memory.again() is None
    assert memory.place() is None


@given(SLICES, st.integers(0, 3), st.sampled_from("CF"), st.booleans())
def test_which_rows_a_view_has(rows, column, order, as_column):
    whole = np.array(np.arange(48.0).reshape(12, 4), order=order)
    view = whole[rows, column] if as_column else whole[rows]
    found = Memory(view).rows_of(Memory(whole))
    if len(view):
        assert found is not None
        assert np.array_equal(whole[found], whole[rows])
    else:
        assert found is None


def test_what_is_no_selection_of_rows():
    whole = np.arange(12.0).reshape(4, 3)
    for view in (whole[2], whole.T, whole.reshape(6, 2), whole.ravel()[1:]):
        assert Memory(view).rows_of(Memory(whole)) is None


def test_the_owner_of_a_view_of_a_view():
    whole = np.arange(12.0)
    assert owner_of(whole.reshape(3, 4)[1:][:, 0]) is whole
    assert owner_of(whole) is whole


def test_memory_keeps_nothing_alive():
    whole = np.arange(12.0)
    watched = weakref.ref(whole)
    memory = Memory(whole[2:])
    del whole
    assert watched() is None
    assert memory.again() is None


def test_rows_in_common():
    whole = np.arange(40.0).reshape(10, 4)
    first = Memory(whole[:5])
    assert share_rows(first, Memory(whole[4:]))
    assert not share_rows(first, Memory(whole[5:]))
    assert not share_rows(Memory(whole[::2]), Memory(whole[1::2]))
    assert not share_rows(first, Memory(whole[:5].copy()))


@pytest.mark.parametrize(
    "form",
    [
        list,
        tuple,
        np.ndarray.tolist,
        np.ndarray.copy,
        lambda values: values.reshape(-1, 1),
        lambda values: values[::-1][::-1],
        lambda values: values.astype(object),
        lambda values: np.repeat(values, 2)[::2],
    ],
)
@pytest.mark.parametrize(
    "values",
    [
        np.array([0.25, np.nan, 3.5, -1.0]),
        np.array([1, 0, 2**31, -7]),
        np.array([True, False, True]),
        np.array([0.1, 0.7], dtype=np.float32),
        np.array(["yes", "no", "maybe"]),
    ],
)
def test_the_content_is_the_same_in_any_form(form, values):
    assert fingerprint(np.asarray(form(values))) == fingerprint(values) is not None


@given(
    arrays.arrays(np.float64, st.integers(1, 20), elements=st.floats(-5, 5)),
    st.integers(0, 19),
)
def test_other_content_is_told_apart(values, place):
    other = values.copy()
    other[place % len(values)] += 1
    assert fingerprint(other) != fingerprint(values)


def test_what_has_no_content_that_can_be_read():
    assert fingerprint(np.array([object(), object()])) is None
    assert fingerprint(np.array(["2020-01-01"], dtype="datetime64[D]")) is None
    assert fingerprint(np.array([1j])) is None


def test_large_arrays_are_read_when_it_is_asked_for():
    large = np.zeros(1 << 22, dtype=bool)
    assert fingerprint(large) is None
    assert fingerprint(large, whole=True) is not None
    texts = np.array(["a"] * 10_001)
    assert fingerprint(texts) is None
    assert fingerprint(texts, whole=True) is not None


def test_what_others_could_hold_by_chance():
    assert is_telling(np.array([0.25]))
    assert is_telling(np.array([0, 1] * 8))
    assert is_telling(np.array(["a", "b"] * 8))
    assert not is_telling(np.array([0, 1] * 7))
    assert not is_telling(np.zeros(100))
    assert not is_telling(np.array(["a"] * 100))


def test_decisions():
    scores = np.array([[0.2, 0.8], [0.6, 0.4], [0.5, 0.5]])
    assert is_decision(np.array([1, 0, 0]), scores)
    assert not is_decision(np.array([1, 1, 0]), scores)
    assert is_decision(scores[:, 1] > 0.5, scores[:, 1])
    assert is_decision(np.array([1.0, 0.0, 0.0]), scores[:, 1:])
    assert is_decision(np.array([3, -2]), np.array([2.7, -1.9]))
    assert not is_decision(np.array([3, -2]), np.array([3, -2]))
    assert not is_decision(np.array(["a", "b"]), np.array([0.1, 0.9]))
    assert not is_decision(np.array([[1], [0]]), np.array([0.9, 0.1]))
