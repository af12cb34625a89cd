"""What a digest depends on, and what it does not."""

from __future__ import annotations

import datetime
import decimal
import enum
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autolog_core.data import digest_of
from autolog_core.errors import InvalidArgument
from autolog_core.limits import DATASET_DIGEST_LENGTH

DTYPES = [
    "?",
    "i1",
    "<i4",
    ">i4",
    "u8",
    "f2",
    "<f4",
    ">f8",
    "g",
    "c16",
    "U3",
    "S4",
    "M8[s]",
    "m8[D]",
]
FRAME = {
    "whole": [1, 2, 3],
    "real": [0.5, -1.5, 2.0],
    "yes": [True, False, True],
    "text": ["a", "", "ünï"],
}


class Color(enum.Enum):
    RED = 1
    BLUE = 2


def text_of(*parts: Any) -> str:
    return digest_of(*parts).text


def test_a_digest_fits_the_store() -> None:
    digest = text_of(np.zeros(3))
    assert len(digest) == 32 <= DATASET_DIGEST_LENGTH
    assert set(digest) <= set("0123456789abcdef")


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_layout_does_not_matter(dtype: str) -> None:
    drawn = np.random.default_rng(0)
    values = drawn.integers(0, 100, (70, 30, 4)).astype(dtype)
    expected = text_of(values)
    assert text_of(np.asfortranarray(values)) == expected
    spaced = np.zeros((140, 60, 4), values.dtype)
    spaced[::2, ::2] = values
    assert text_of(spaced[::2, ::2]) == expected
    assert text_of(values[::-1][::-1]) == expected
    assert text_of(np.ascontiguousarray(values.transpose(2, 0, 1)).transpose(1, 2, 0)) == expected
    assert text_of(values[::-1]) != expected


@pytest.mark.parametrize("shape", [(3_000_000,), (3, 700_000), (700_000, 3), (2, 2, 600_000)])
def test_blocks_do_not_matter(shape: tuple[int, ...]) -> None:
    values = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = text_of(values)
    assert text_of(np.asfortranarray(values)) == expected
    wide = np.repeat(values, 2, axis=-1)[..., ::2]
    assert text_of(wide) == expected
    values[(-1,) * len(shape)] += 1
    assert text_of(values) != expected


@settings(deadline=None, max_examples=150)
@given(
    hnp.arrays(
        st.sampled_from([np.float64, np.int32, np.uint8]),
        hnp.array_shapes(max_dims=3, max_side=6),
        elements=st.integers(0, 5),
    ),
    st.data(),
)
def test_every_element_counts(values: Any, data: st.DataObject) -> None:
    place = tuple(data.draw(st.integers(0, side - 1)) for side in values.shape)
    other = values.copy()
    other[place] += 1
    assert text_of(other) != text_of(values)
    assert text_of(values.copy(order="F")) == text_of(values)


def test_dtype_and_shape_count() -> None:
    values = np.arange(12)
    digests = {
        text_of(values),
        text_of(values.astype(np.int32)),
        text_of(values.astype(np.uint64)),
        text_of(values.astype(np.float64)),
        text_of(values.reshape(3, 4)),
        text_of(values.reshape(4, 3)),
        text_of(values.reshape(12, 1)),
        text_of(values.tolist()),
        text_of(pd.Series(values)),
        text_of(pd.DataFrame(values)),
    }
    assert len(digests) == 10


def test_parts_do_not_run_into_each_other() -> None:
    one, two = np.arange(4), np.arange(4, 6)
    digests = {
        text_of(one, two),
        text_of(two, one),
        text_of(np.arange(6)),
        text_of(one),
        text_of(one, one),
    }
    assert len(digests) == 5
    assert text_of(one, None) == text_of(one)
    assert text_of(["ab", "c"]) != text_of(["a", "bc"])
    assert text_of([["a"], ["b", "c"]]) != text_of([["a", "b"], ["c"]])


def test_a_nan_is_a_nan() -> None:
    with np.errstate(invalid="ignore"):
        computed = np.zeros(2) / np.zeros(2)
    assert computed.tobytes() != np.array([np.nan, np.nan]).tobytes()
    assert text_of(computed) == text_of(np.array([np.nan, np.nan]))
    assert text_of(np.array([np.nan, 1.0])) != text_of(np.array([1.0, np.nan]))
    assert text_of(np.array([np.inf])) != text_of(np.array([-np.inf]))
    complex_nan = np.array([complex(np.nan, 1)])
    assert text_of(complex_nan) != text_of(np.array([complex(np.nan, 2)]))


def test_memory_beside_the_values_does_not_count() -> None:
    padded = np.dtype([("a", "i1"), ("b", "f8")], align=True)
    one = np.zeros(3, padded)
    two = np.full(24 * 3, 255, np.uint8)[: one.nbytes].view(padded)
    two["a"], two["b"] = 0, 0
    assert text_of(one) == text_of(two)
    masked = np.ma.array([1, 2, 3], mask=[False, True, False])
    assert text_of(masked) == text_of(np.ma.array([1, 99, 3], mask=[False, True, False]))
    assert text_of(masked) != text_of(np.array([1, 2, 3]))
    long = np.array([1, 2], np.longdouble)
    dirty = np.full(long.nbytes, 255, np.uint8).view(np.longdouble)
    dirty[...] = long
    assert text_of(long) == text_of(dirty)


def test_unusual_arrays() -> None:
    assert text_of(np.array(3.0)) != text_of(np.array([3.0]))
    assert text_of(np.zeros((0, 3))) != text_of(np.zeros((0, 4)))
    assert text_of(np.array(["", ""])) != text_of(np.array([""]))
    if hasattr(np.dtypes, "StringDType"):
        strings = np.array(["a", "longer than sixteen bytes"], dtype=np.dtypes.StringDType())
        assert text_of(strings) == text_of(strings.copy())
        assert text_of(strings.reshape(2, 1).T) == text_of(strings.reshape(1, 2))
    assert text_of(np.arange(5).view(np.recarray)) == text_of(np.arange(5))


def test_no_column_is_ignored() -> None:
    frame = pd.DataFrame(FRAME)
    expected = text_of(frame)
    assert text_of(frame[list(reversed(frame.columns))]) != expected
    assert text_of(frame.rename(columns={"text": "words"})) != expected
    for column in frame:
        other = frame.copy()
        other.loc[2, column] = other.loc[0, column] if column != "yes" else False
        assert text_of(other) != expected, column
    assert text_of(frame.iloc[::-1]) != expected
    assert text_of(frame.astype({"whole": "int32"})) != expected


def test_every_row_counts() -> None:
    # MLflow reads 10,000 rows or elements and calls these two the same.
    values = np.zeros(50_000)
    other = values.copy()
    other[-1] = 1
    assert text_of(values) != text_of(other)
    assert text_of(pd.DataFrame({"x": values})) != text_of(pd.DataFrame({"x": other}))
    words = ["a"] * 50_000
    assert text_of(words) != text_of([*words[:-1], "b"])


def test_libraries_agree_on_plain_columns() -> None:
    frame = pd.DataFrame(FRAME)
    expected = text_of(frame)
    assert text_of(frame.astype({"text": object})) == expected
    assert text_of(frame.convert_dtypes(dtype_backend="numpy_nullable")) == expected
    arrow = {"whole": "int64", "real": "double", "yes": "bool", "text": "string"}
    assert (
        text_of(frame.astype({name: f"{kind}[pyarrow]" for name, kind in arrow.items()}))
        == expected
    )
    assert text_of(pl.DataFrame(FRAME)) == expected
    assert text_of(pa.table(FRAME)) == expected
    assert text_of(pa.table(FRAME).to_batches()[0]) == expected
    chunked = pa.concat_tables([pa.table(FRAME)[:1], pa.table(FRAME)[1:]])
    assert text_of(chunked) == expected
    assert text_of(pl.concat([pl.DataFrame(FRAME)[:1], pl.DataFrame(FRAME)[1:]])) == expected
    assert text_of(pd.Series([1, 2], name="x")) == text_of(pl.Series("x", [1, 2]))
    assert text_of(pd.Series([1, 2])) == text_of(pl.Series([1, 2])) == text_of(pa.array([1, 2]))
    assert text_of(pd.Index([1, 2])) == text_of(pd.Series([1, 2])) == text_of(pd.array([1, 2]))


def test_missing_values_count() -> None:
    one, two = [1, None, 3], [1, 0, 3]
    for make in (
        lambda values: pd.DataFrame({"x": pd.array(values, dtype="Int64")}),
        lambda values: pl.DataFrame({"x": values}),
        lambda values: pa.table({"x": values}),
        lambda values: pd.DataFrame({"x": pd.array(values, dtype="int64[pyarrow]")}),
    ):
        assert text_of(make(one)) != text_of(make(two))
    assert text_of(pd.DataFrame({"x": pd.array(one, dtype="Int64")})) == text_of(
        pa.table({"x": one})
    )
    assert text_of(pl.DataFrame({"x": one})) == text_of(pa.table({"x": one}))
    gaps = [["a", None, "b"], ["a", "b", None], ["a", "", "b"]]
    assert len({text_of(pd.Series(words)) for words in gaps}) == 3
    words = gaps[0]
    assert text_of(pd.Series(words, dtype=object)) == text_of(pd.Series(words, dtype="str"))
    assert text_of(pd.Series(words, dtype=object)) == text_of(pl.Series(words))
    flags = [True, None, False]
    assert text_of(pl.Series(flags)) == text_of(pa.array(flags))
    assert text_of(pl.Series(flags)) == text_of(pd.array(flags, dtype="boolean"))


def test_columns_of_every_kind() -> None:
    day = pd.Timestamp("2024-02-29 12:00")
    kinds: list[Any] = [
        pd.Series(pd.Categorical(["a", "b", "a"])),
        pd.Series(pd.Categorical(["a", "b", "a"], categories=["b", "a"])),
        pd.Series(pd.Categorical(["a", "b", "a"], ordered=True)),
        pd.Series(["a", "b", "a"]),
        pd.Series([day, day, pd.NaT]),
        pd.Series([day, day, day]),
        pd.Series([day, day, day]).dt.tz_localize("UTC"),
        pd.Series([day, day, day]).dt.tz_localize("UTC").dt.tz_convert("Asia/Seoul"),
        pd.Series([day, day, day]).dt.to_period("D"),
        pd.Series([day, day, day]) - day,
        pd.Series(pd.arrays.SparseArray([0, 0, 1])),
        pd.Series(pd.arrays.SparseArray([0, 1, 0])),
        pd.Series(pd.interval_range(0, 3)),
        pd.Series([datetime.date(2024, 2, 29)] * 3),
        pd.Series([decimal.Decimal("0.10")] * 3),
        pd.Series([decimal.Decimal("0.1")] * 3),
        pd.Series([{"a": 1}, {"a": 2}, None]),
        pd.Series([[1, 2], [3], []]),
        pd.Series([b"a", b"b", b"c"]),
        pd.Series([1, "a", None], dtype=object),
        pd.Series([Color.RED, Color.BLUE, Color.RED]),
        pl.Series(["a", "b", "a"], dtype=pl.Categorical),
        pl.Series([datetime.date(2024, 2, 29)] * 3),
        pl.Series([day.to_pydatetime()] * 3),
        pl.Series([[1, 2], [3], []]),
        pl.Series([{"a": 1}, {"a": 2}, {"a": 3}]),
        pl.Series([decimal.Decimal("0.1")] * 3),
        pl.Series([None, None, None]),
        pa.array(["a", "b", "a"]).dictionary_encode(),
        pa.array([day.to_pydatetime()] * 3),
        pa.array([datetime.date(2024, 2, 28)] * 3),
        pa.array([[1, 2], [3], []]),
    ]
    digests = [digest_of(column) for column in kinds]
    assert len({digest.text for digest in digests}) >= len(kinds) - 1  # one day as pandas and Arrow
    assert not any(digest.opaque for digest in digests)
    assert [digest_of(column) for column in kinds] == digests


def test_an_index_counts_when_it_says_something() -> None:
    frame = pd.DataFrame({"x": [1, 2, 3]})
    expected = text_of(frame)
    assert text_of(frame.set_index(pd.Index([5, 2, 9]))) == expected
    for index in (
        pd.Index([5, 2, 9], name="customer"),
        pd.Index(["a", "b", "c"]),
        pd.date_range("2024-01-01", periods=3),
        pd.MultiIndex.from_tuples([(1, 1), (1, 2), (2, 1)]),
    ):
        assert text_of(frame.set_index(index)) != expected


def test_unusual_frames() -> None:
    twice = pd.DataFrame([[1, 2], [3, 4]], columns=["x", "x"])
    assert text_of(twice) != text_of(twice.iloc[:, ::-1])
    tuples = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", 1), ("a", 2)]))
    assert text_of(tuples) != text_of(pd.DataFrame([[1, 2]], columns=["a", "b"]))
    assert text_of(pd.DataFrame()) != text_of(pd.DataFrame({"x": []}))
    assert text_of(pd.DataFrame([[1, 2]], columns=[0, 1])) != text_of(
        pd.DataFrame([[1, 2]], columns=["0", "1"])
    )


def test_a_sparse_matrix_has_one_digest_in_every_format() -> None:
    matrix = sp.random(50, 40, 0.1, format="csr", random_state=0)
    expected = text_of(matrix)
    for name in ("csc", "coo", "lil", "dok", "bsr"):
        assert text_of(matrix.asformat(name)) == expected, name
    assert text_of(sp.csr_array(matrix)) == expected
    assert text_of(matrix.astype(np.float32)) != expected
    other = matrix.copy()
    other.data[-1] += 1
    assert text_of(other) != expected
    rows = matrix.tocoo()
    order = np.random.default_rng(0).permutation(rows.nnz)
    mixed = sp.coo_matrix((rows.data[order], (rows.row[order], rows.col[order])), rows.shape)
    assert text_of(mixed) == expected
    unsorted = mixed.tocsr()
    unsorted.indices[:] = unsorted.indices[::1]
    assert text_of(sp.csr_matrix((50, 41))) != text_of(sp.csr_matrix((50, 40)))
    assert text_of(sp.coo_array(np.array([0, 1, 0]))) != text_of(sp.coo_array(np.array([1, 0, 0])))


def test_a_sparse_matrix_is_not_written_to_and_not_made_dense() -> None:
    data, columns, starts = np.array([1.0, 2.0]), np.array([2, 0]), np.array([0, 2])
    matrix = sp.csr_matrix((data, columns, starts), shape=(1, 3))
    before = dict(vars(matrix))
    text_of(matrix)
    assert {key: vars(matrix)[key] for key in before} == before
    assert columns.tolist() == [2, 0]
    # 8 TB if it were dense.
    text_of(sp.csr_matrix((10**6, 10**6)))


def test_lists() -> None:
    assert text_of([1, 2]) != text_of([1.0, 2.0])
    assert text_of([1, 2]) == text_of((1, 2))
    assert text_of([[1, 2], [3, 4]]) != text_of([[1, 2], [3]])
    assert text_of(["a", None]) != text_of(["a", ""])
    assert text_of([]) != text_of([[]])
    assert text_of([10**30]) != text_of([10**31])
    assert text_of([{"a": 1, "b": 2}]) == text_of([{"b": 2, "a": 1}])
    assert text_of([{1, 2}]) == text_of([{2, 1}])
    assert text_of(["\ud800"]) != text_of(["?"])
    assert text_of([np.arange(3), np.arange(2)]) != text_of([np.arange(3), np.arange(3)])
    deep: list[Any] = []
    deep.append(deep)
    assert digest_of(deep).opaque == 1


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text() | st.none() | st.integers() | st.floats(), max_size=30))
def test_equal_lists_have_equal_digests(values: list[Any]) -> None:
    assert text_of(values) == text_of(list(values))
    if values:
        assert text_of(values) != text_of(values[:-1])


def test_mappings_of_arrays() -> None:
    one = {"a": np.zeros(3), "b": np.ones(3)}
    assert text_of(one) == text_of(dict(reversed(one.items())))
    assert text_of(one) != text_of({"b": np.zeros(3), "a": np.ones(3)})
    assert digest_of({"a": object()}).opaque == 1


def test_objects_are_told_by_class_and_counted() -> None:
    class Thing:
        pass

    digest = digest_of(np.array([Thing(), 1, Thing()], dtype=object))
    assert digest.opaque == 2
    assert digest == digest_of(np.array([Thing(), 1, Thing()], dtype=object))


def test_a_digest_is_the_same_in_another_process() -> None:
    program = (
        "import numpy as np, pandas as pd\n"
        "from autolog_core.data import digest_of\n"
        "frame = pd.DataFrame({'a': ['x', None], 'b': [{1, 2}, {'q'}]})\n"
        "print(digest_of(np.arange(9.0), frame).text)"
    )
    here = text_of(np.arange(9.0), pd.DataFrame({"a": ["x", None], "b": [{1, 2}, {"q"}]}))
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == here
    # Pinned: a change of the digest of data makes old runs look as if they used other data.
    assert text_of(np.arange(6.0).reshape(2, 3), np.array([0, 1])) == PINNED


PINNED = "503c050aea0090c552c0ea27b919267e"


def test_no_library_is_imported_for_data_of_another() -> None:
    program = (
        "import sys, numpy as np\n"
        "from autolog_core.data import dataset_of\n"
        "dataset_of(np.zeros((2, 2)), [0, 1]); dataset_of(['a'])\n"
        "print(sorted({'pandas', 'polars', 'pyarrow', 'scipy'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("data", [3, "text", object(), iter([1]), pl.LazyFrame({"a": [1]})])
def test_what_cannot_be_read_is_refused(data: Any) -> None:
    with pytest.raises(InvalidArgument, match="cannot make a digest"):
        digest_of(data)
