"""Digests of composed Arrow columns: of every value, and of nothing but values."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autolog_core.data import digest_of
from autolog_core.data.rows import PickedColumn, PickedTable
from autolog_core.data.schema import schema_of

TIME = datetime.datetime(2024, 2, 29)


def column(values: list[Any], kind: Any = None) -> Callable[[], pa.Array]:
    return lambda: pa.array(values * 5, kind)


COLUMNS = {
    "list": column([[1, 2], None, [], [3]]),
    "large list of lists": column(
        [[[1.5], []], None, [None, [2.0]], [[3.0, None]]], pa.large_list(pa.list_(pa.float32()))
    ),
    "list view": column([[1, 2], None, [], [3]], pa.list_view(pa.int64())),
    "fixed list": column([[1, 2], None, [3, None], [5, 6]], pa.list_(pa.int8(), 2)),
    "struct": column([{"a": 1, "b": "x"}, None, {"a": None, "b": "yy"}, {"a": 3, "b": None}]),
    "dictionary": lambda: pa.array(["a", "b", None, "ab"] * 5).dictionary_encode(),
    "decimal": column(
        [decimal.Decimal("1.10"), None, decimal.Decimal("2.20"), decimal.Decimal("3.10")],
        pa.decimal128(6, 2),
    ),
    "bytes": column([b"a", None, b"", b"ccc"]),
    "bytes view": column([b"a", None, b"", b"c" * 20], pa.binary_view()),
    "fixed bytes": column([b"aa", None, b"bb", b"cc"], pa.binary(2)),
    "lists of times": column([[TIME], None, [], [None]]),
    "lists of text": column([["a", ""], None, ["ünï"], [None]]),
    "lists of booleans": column([[True], None, [], [False, None]]),
    "lists of halves": column([[np.float16(1)], None, [np.float16(2)]], pa.list_(pa.float16())),
    "map": column([[("a", 1)], None, [], [("b", 2)]], pa.map_(pa.string(), pa.int64())),
    "interval": column([pa.MonthDayNano([1, 2, 3]), None, pa.MonthDayNano([1, 2, 4])]),
}


class Point(pa.ExtensionType):
    def __init__(self) -> None:
        super().__init__(pa.list_(pa.float32()), "tests.point")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, storage: Any, data: bytes) -> Any:
        return cls()


def points() -> pa.Array:
    stored = pa.array([[1.0, 2.0], None, [], [3.0]] * 5, pa.list_(pa.float32()))
    return pa.ExtensionArray.from_storage(Point(), stored)


COLUMNS["extension"] = points


def text_of(data: Any) -> str:
    return digest_of(data).text


def table(data: Any) -> pa.Table:
    return pa.table({"x": data})


@pytest.mark.parametrize("name", COLUMNS)
def test_chunks_offsets_and_picked_rows_do_not_matter(name: str) -> None:
    values = COLUMNS[name]()
    expected = digest_of(table(values))
    assert expected.opaque == 0
    cut = [values[:1], values[1:7], values[7:7], values[7:]]
    chunked = pa.chunked_array(cut)
    assert text_of(table(chunked)) == expected.text
    offset = pa.chunked_array([values[3:], values]).combine_chunks()
    assert text_of(table(offset[len(values) - 3 :])) == expected.text
    rows = np.random.default_rng(0).permutation(len(values))[:12]
    picked = PickedTable(table(chunked), rows)
    one_by_one = pa.chunked_array([values.slice(row, 1) for row in rows.tolist()])
    assert text_of(picked) == text_of(table(one_by_one))
    assert schema_of(picked) == schema_of(table(one_by_one))


@pytest.mark.parametrize("name", COLUMNS)
def test_every_row_and_its_place_count(name: str) -> None:
    values = COLUMNS[name]()
    kept = [pa.chunked_array([values[:row], values[row + 1 :]]) for row in range(3)]
    swapped = pa.chunked_array([values[1:2], values[:1], values[2:]])
    columns = [values, values[:-1], swapped, *kept]
    assert len({text_of(table(each)) for each in columns}) == len(columns)


def test_the_type_counts_and_its_width_of_offsets_does_not() -> None:
    values = [[1, 2], [], [3]]
    kinds = [
        pa.list_(pa.int64()),
        pa.list_(pa.int32()),
        pa.list_(pa.uint64()),
        pa.list_(pa.float64()),
        pa.list_(pa.list_(pa.int64())),
    ]
    arrays = [pa.array(values, kind) for kind in kinds[:4]]
    arrays.append(pa.array([[[1, 2]], [], [[3]]], kinds[4]))
    assert len({text_of(table(array)) for array in arrays}) == len(arrays)
    large = pa.array(values, pa.large_list(pa.int64()))
    assert text_of(table(large)) == text_of(table(arrays[0]))
    named = pa.array(values, pa.list_(pa.field("element", pa.int64())))
    assert text_of(table(named)) == text_of(table(arrays[0]))
    two = [pa.array([{"a": 1}]), pa.array([{"b": 1}])]
    assert text_of(table(two[0])) != text_of(table(two[1]))


def test_codes_of_a_dictionary_do_not_count() -> None:
    one = pa.DictionaryArray.from_arrays([0, 1, 0], ["a", "b"])
    two = pa.DictionaryArray.from_arrays([1, 0, 1], ["b", "a"])
    assert text_of(table(one)) == text_of(table(two))
    assert text_of(table(pa.chunked_array([one[:1], two[1:]]))) == text_of(table(one))
    ordered = pa.DictionaryArray.from_arrays([0, 1, 0], ["a", "b"], ordered=True)
    assert text_of(table(ordered)) != text_of(table(one))
    assert text_of(table(one)) != text_of(table(pa.array(["a", "b", "a"])))


def test_what_lies_under_missing_values_does_not_count() -> None:
    hidden = pa.ListArray.from_arrays(
        pa.array([0, 2, 3], pa.int32()), pa.array([7, 8, 9]), mask=pa.array([True, False])
    )
    assert text_of(table(hidden)) == text_of(table(pa.array([None, [9]])))
    gaps = pa.py_buffer(b"\x02")
    fixed = pa.Array.from_buffers(pa.binary(2), 2, [gaps, pa.py_buffer(b"??ab")])
    assert text_of(table(fixed)) == text_of(table(pa.array([None, b"ab"], pa.binary(2))))


NESTED = st.lists(
    st.none() | st.lists(st.none() | st.lists(st.integers(0, 3), max_size=3), max_size=3),
    min_size=1,
    max_size=12,
)
KIND = pa.list_(pa.list_(pa.int32()))


@given(NESTED, NESTED, st.data())
def test_equal_lists_and_only_those_have_one_digest(one: Any, two: Any, data: Any) -> None:
    cut = data.draw(st.integers(0, len(one)))
    whole = pa.array(one, KIND)
    chunked = pa.chunked_array([whole[:cut], pa.array(one[cut:], KIND)], KIND)
    assert text_of(table(chunked)) == text_of(table(whole))
    assert (text_of(table(pa.array(two, KIND))) == text_of(table(whole))) == (one == two)


@given(st.lists(st.none() | st.binary(max_size=6), max_size=12), st.data())
def test_equal_bytes_and_only_those_have_one_digest(one: list[bytes | None], data: Any) -> None:
    whole = table(pa.array(one, pa.binary()))
    for kind in (pa.large_binary(), pa.binary_view()):
        assert text_of(table(pa.array(one, kind))) == text_of(whole)
    if one:
        place = data.draw(st.integers(0, len(one) - 1))
        other = [*one]
        other[place] = (one[place] or b"") + b"!"
        assert text_of(table(pa.array(other, pa.binary()))) != text_of(whole)


def test_where_lists_bytes_and_structs_end_counts() -> None:
    groups: list[list[Any]] = [
        [[[1, 2], [3]], [[1], [2, 3]], [[1, 2, 3], []], [[], [1, 2, 3]]],
        [[[[1], [2]], []], [[[1]], [[2]]], [[[1, 2]], []]],
        [[b"ab", b"c"], [b"a", b"bc"], [b"abc", b""], [b"", b"abc"]],
        [[["ab", "c"]], [["a", "bc"]], [["ab"], ["c"]]],
        [[None, []], [[], None], [[], []], [[None], []], [None, None]],
    ]
    for group in groups:
        assert len({text_of(table(pa.array(values))) for values in group}) == len(group)


def test_a_nan_in_a_list_is_a_nan() -> None:
    with np.errstate(invalid="ignore"):
        computed = np.zeros(1) / np.zeros(1)
    lists = [pa.ListArray.from_arrays([0, 1], pa.array(each)) for each in (computed, [np.nan])]
    assert computed.tobytes() != np.array([np.nan]).tobytes()
    assert text_of(table(lists[0])) == text_of(table(lists[1]))


def test_tables_of_odd_sizes() -> None:
    empty = [pa.table({}), table(pa.array([], KIND)), table(pa.array([], pa.binary()))]
    assert len({text_of(each) for each in empty}) == len(empty)
    assert text_of(PickedTable(table([[1], [2]]), np.array([], np.int64))) == text_of(
        table(pa.array([], pa.list_(pa.int64())))
    )
    wide = pa.table({f"c{number}": [[number]] for number in range(3000)})
    assert text_of(wide) == text_of(pa.Table.from_batches(wide.to_batches()))


def test_picked_rows_are_fetched_in_parts_of_any_size() -> None:
    values = pa.chunked_array([list(range(start, start + 7)) for start in range(0, 700, 7)])
    rows = np.random.default_rng(1).integers(0, 700, 1000)
    picked = PickedColumn(values, rows)
    picked._reach = 90
    expected = values.take(pa.array(rows)).to_pylist()
    assert [value for part in picked.chunks for value in part.to_pylist()] == expected
    for start, count in ((0, 10), (85, 10), (5, 300), (990, 90), (1000, 5)):
        assert picked.slice(start, count).to_pylist() == expected[start : start + count]
    gaps = PickedColumn(pa.chunked_array([[1, None], [None, 2]]), np.array([1, 1, 3]))
    assert gaps.null_count == 2


def test_the_schema_of_a_nested_column_says_what_it_holds() -> None:
    data = pa.table(
        {
            "tokens": pa.array([[1, 2]], pa.list_(pa.int32())),
            "record": pa.array([{"name": "a", "scores": [0.5]}]),
            "counts": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "level": pa.array(["a"]).dictionary_encode(),
            "price": pa.array([decimal.Decimal("1.5")]),
        }
    )
    found = json.loads(schema_of(data) or "")["mlflow_colspec"]
    assert [{**entry, "required": None} for entry in found] == [
        {"type": "array", "items": {"type": "integer"}, "name": "tokens", "required": None},
        {
            "type": "object",
            "properties": {
                "name": {"type": "string", "required": False},
                "scores": {"type": "array", "items": {"type": "double"}, "required": False},
            },
            "name": "record",
            "required": None,
        },
        {"type": "map", "values": {"type": "long"}, "name": "counts", "required": None},
        {"type": "string", "name": "level", "required": None},
        {"type": "any", "name": "price", "required": None},
    ]
