"""Signatures: told from data, kept as MLflow's JSON, and read back the same."""

import datetime
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from autolog_core.errors import InvalidArgument
from autolog_core.models.infer import infer_params, infer_schema, infer_signature
from autolog_core.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from autolog_core.models.signature import ModelSignature
from autolog_core.models.types import (
    AnyType,
    Array,
    DataType,
    Map,
    Object,
    Property,
    SparkMLVector,
    merge,
    read_type,
)

scalars = st.sampled_from([*DataType, AnyType(), SparkMLVector()])
names = st.text(min_size=1, max_size=5)


def objects(kinds):
    entries = st.dictionaries(names, st.tuples(kinds, st.booleans()), min_size=1, max_size=3)
    return entries.map(
        lambda found: Object([Property(name, kind, need) for name, (kind, need) in found.items()])
    )


types = st.recursive(
    scalars, lambda kinds: kinds.map(Array) | kinds.map(Map) | objects(kinds), max_leaves=5
)
columns = st.lists(st.tuples(names, types, st.booleans()), min_size=1, max_size=4).map(
    lambda found: Schema([ColSpec(kind, name, need) for name, kind, need in found])
)
shapes = st.lists(st.integers(-1, 9), max_size=3)
dtypes = st.sampled_from(["float32", "int64", "bool", "str", "bytes", "object", "datetime64[ns]"])
tensors = st.dictionaries(names, st.tuples(dtypes, shapes), min_size=1, max_size=3).map(
    lambda found: Schema([TensorSpec(dtype, shape, name) for name, (dtype, shape) in found.items()])
)


@given(types)
def test_a_type_is_read_back_from_its_json(kind):
    assert read_type(json.loads(json.dumps(kind.to_dict()))) == kind


@given(columns | tensors)
def test_a_schema_is_read_back_from_its_json(schema):
    assert Schema.from_json(schema.to_json()) == schema
    signature = ModelSignature(schema, schema)
    assert ModelSignature.from_dict(signature.to_dict()) == signature


@given(types)
def test_merging_a_type_with_itself_and_with_nothing(kind):
    assert merge(kind, kind) == kind
    assert merge(kind, AnyType()) == merge(AnyType(), kind)


@given(types, types)
def test_merging_goes_both_ways(one, other):
    try:
        found = merge(one, other)
    except InvalidArgument:
        with pytest.raises(InvalidArgument):
            merge(other, one)
    else:
        assert merge(other, one) == found


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=3),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(names, values, max_size=3),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(names, json_values, min_size=1, max_size=3), min_size=1))
def test_any_rows_have_a_signature_that_is_read_back(rows):
    signature = infer_signature(rows, rows)
    assert ModelSignature.from_dict(signature.to_dict()) == signature


FRAME = pd.DataFrame(
    {
        "whole": np.array([1, 2], "int64"),
        "small": np.array([1, 2], "int16"),
        "double": [1.5, np.nan],
        "single": np.array([1, 2], "float32"),
        "flag": [True, False],
        "text": ["a", None],
        "bytes": [b"a", b"b"],
        "time": pd.to_datetime(["2020-01-01", None]),
        "kind": pd.Categorical(["a", "b"]),
        "masked": pd.array([1, None], "Int64"),
        "lists": [[1.5], []],
        "mappings": [{"a": 1}, {"a": 2, "b": "x"}],
    }
)
EXPECTED = {
    "whole": ("long", True),
    "small": ("integer", True),
    "double": ("double", False),
    "single": ("float", True),
    "flag": ("boolean", True),
    "text": ("string", False),
    "bytes": ("binary", True),
    "time": ("datetime", False),
    "kind": ("string", True),
    "masked": ("long", False),
    "lists": (Array("double"), True),
    "mappings": (Object([Property("a", "long"), Property("b", "string", False)]), True),
}


def test_columns_of_a_pandas_frame():
    expected = [ColSpec(kind, name, need) for name, (kind, need) in EXPECTED.items()]
    assert list(infer_schema(FRAME)) == expected


def test_names_of_columns_may_be_numbers():
    schema = infer_schema(pd.DataFrame(np.zeros((2, 2))))
    assert schema.input_names() == [0, 1]
    assert Schema.from_json(schema.to_json()) == schema


@pytest.mark.parametrize("make", [pl.DataFrame, pa.table], ids=["polars", "arrow"])
def test_columns_of_other_libraries(make):
    data = make({"a": [1, 2], "b": ["x", None], "c": [[1], [2, 3]]})
    assert list(infer_schema(data)) == [
        ColSpec("long", "a"),
        ColSpec("string", "b", False),
        ColSpec(Array("long"), "c"),
    ]


@pytest.mark.parametrize(
    ("data", "schema"),
    [
        (np.zeros((3, 4), "float32"), [TensorSpec("float32", (-1, 4))]),
        (np.array(["a", "bc"]), [TensorSpec("str", (-1,))]),
        (sparse.csr_matrix(np.eye(2)), [TensorSpec("float64", (-1, 2))]),
        ({"a": np.zeros(2), "b": np.zeros((2, 1))}, [
            TensorSpec("float64", (-1,), "a"), TensorSpec("float64", (-1, 1), "b"),
        ]),
        (pd.Series([1, 2], name="y"), [ColSpec("long", "y")]),
        (pd.Series([1.0, np.nan]), [ColSpec("double")]),
        ([1, 2], [ColSpec("long")]),
        (["a", None], [ColSpec("string")]),
        ([], [ColSpec("string")]),
        ("text", [ColSpec("string")]),
        (1.5, [ColSpec("double")]),
        (datetime.datetime(2020, 1, 1), [ColSpec("datetime")]),
        ({"q": "a", "n": 1, "l": ["x"]}, [
            ColSpec("string", "q"), ColSpec("long", "n"), ColSpec(Array("string"), "l"),
        ]),
        ([{"a": 1}, {"a": None, "b": "x"}], [
            ColSpec("long", "a", False), ColSpec("string", "b", False),
        ]),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_schemas_of_other_data(data, schema):
    assert list(infer_schema(data)) == schema


def test_what_cannot_be_told_is_of_any_type_and_is_said(caplog):
    assert infer_signature([1, "a"]).inputs == Schema([ColSpec(AnyType())])
    assert "no common type" in caplog.text
    with pytest.raises(InvalidArgument, match="needs inputs, outputs or params"):
        infer_signature()


def test_params():
    moment = datetime.datetime(2020, 1, 2, 3)
    values = {"n": 1, "r": 0.5, "t": "x", "f": True, "l": [1, 2], "d": moment, "m": {"a": 1}}
    schema = infer_params(values)
    assert {each.name: each.default for each in schema} == values
    assert ParamSchema.from_json(schema.to_json()) == schema
    for bad in (b"x", [[1]], None, object()):
        with pytest.raises(InvalidArgument):
            infer_params({"a": bad})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Schema([]),
        lambda: Schema([ColSpec("long", "a"), ColSpec("long")]),
        lambda: Schema([ColSpec("long", "a"), TensorSpec("int64", (-1,), "b")]),
        lambda: Schema([TensorSpec("int64", (-1,)), TensorSpec("int64", (-1,))]),
        lambda: Schema([ColSpec("long", None, False)]),
        lambda: ColSpec("decimal", "a"),
        lambda: Array("list"),
        lambda: Object([]),
        lambda: Object([Property("a", "long"), Property("a", "long")]),
        lambda: ParamSpec("a", "binary", b""),
        lambda: ParamSpec("a", "long", "text"),
        lambda: ParamSpec("a", "long", 1, (2,)),
        lambda: ParamSchema([ParamSpec("a", "long", 1)] * 2),
        ModelSignature,
        lambda: ModelSignature(inputs=[1]),
        lambda: Schema.from_json("{"),
        lambda: Schema.from_json("[1]"),
        lambda: Schema.from_json('[{"type": "tensor"}]'),
        lambda: Schema.from_json('[{"name": "a"}]'),
        lambda: ParamSchema.from_json('[{"name": "a"}]'),
    ],
)
def test_what_is_no_signature_is_refused(make):
    with pytest.raises(InvalidArgument):
        make()
