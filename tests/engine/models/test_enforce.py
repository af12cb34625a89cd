"""Data that fits a signature comes through unchanged; what is not safe to convert is refused."""

import datetime
import decimal
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse

from autolog_core.errors import InvalidArgument
from autolog_core.models.enforce import fit_input
from autolog_core.models.infer import infer_schema
from autolog_core.models.params import fit_params
from autolog_core.models.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from autolog_core.models.types import AnyType, Array, Map, Object, Property

dtypes = st.sampled_from(
    ["int8", "uint8", "int32", "int64", "float32", "float64", "bool", "datetime64[ns]"]
)
arrays = dtypes.flatmap(lambda dtype: hnp.arrays(dtype, 3))
frames = st.dictionaries(st.text(min_size=1, max_size=3), arrays, min_size=1, max_size=4).map(
    pd.DataFrame
)


@given(frames)
def test_a_frame_fits_its_own_signature(frame):
    fitted = fit_input(frame, infer_schema(frame))
    assert list(fitted.columns) == list(frame.columns)
    assert (fitted.to_numpy(object) == frame.to_numpy(object)).all() or fitted.isna().any().any()
    again = fit_input(fitted, infer_schema(frame))
    pd.testing.assert_frame_equal(again, fitted)


@given(frames, st.randoms())
def test_order_and_extra_columns_do_not_matter(frame, random):
    expected = fit_input(frame, infer_schema(frame))
    names = list(frame.columns)
    random.shuffle(names)
    mixed = frame[names].copy()
    mixed["another column"] = "x"
    pd.testing.assert_frame_equal(fit_input(mixed, infer_schema(frame)), expected)


@given(arrays, dtypes)
def test_a_conversion_keeps_every_value_or_is_refused(values, wanted):
    schema = infer_schema(pd.DataFrame({"a": np.zeros(1, wanted)}))
    try:
        fitted = fit_input(pd.DataFrame({"a": values}), schema)["a"].to_numpy()
    except InvalidArgument:
        return
    assert fitted.dtype == schema.numpy_types()[0]
    with np.errstate(all="ignore"):
        back = fitted.astype(values.dtype)
    assert np.array_equal(back, values, equal_nan=values.dtype.kind in "fM")


def test_a_frame_that_fits_is_not_copied():
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert fit_input(frame, infer_schema(frame)) is frame


def columns(**kinds):
    return Schema([ColSpec(kind, name) for name, kind in kinds.items()])


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["a", None], "string"),
        (pd.array(["a", None], "string"), "string"),
        (pd.Categorical(["a", "b"]), "string"),
        ([b"a", None], "binary"),
        ([True, None], "boolean"),
        (pd.array([1, 2], "Int64"), "long"),
        (pd.array([1, None], "Int64"), "double"),
        ([decimal.Decimal("1.5"), 2], "double"),
        ([datetime.date(2020, 1, 1)], "datetime"),
        (pd.to_datetime(["2020-01-01"]).astype("datetime64[s]"), "datetime"),
        ([{"a": 1}, 3], AnyType()),
        ([[1, 2], []], Array("long")),
        ([np.array([1, 2], "int32")], Array("long")),
        ([{"a": 1.5}], Map("double")),
        ([{"a": 1}], Object([Property("a", "long"), Property("b", "string", False)])),
    ],
)
def test_values_that_fit(values, kind):
    fitted = fit_input(pd.DataFrame({"a": pd.Series(values)}), columns(a=kind))
    assert len(fitted) == len(values)


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([1], "string", "expected string, got int64 .such as .*1"),
        (["a"], "binary", "expected binary, got str"),
        ([1.5], "long", "expected long, got float64"),
        ([1, None], "long", "missing values make whole numbers floating point"),
        ([2**60 + 1], "double", "cannot hold exactly"),
        ([2**60], "integer", "expected integer, got int64"),
        ([1.5], "float", "expected float, got float64"),
        ([1], "datetime", "expected datetime, got int64"),
        (pd.to_datetime(["2020-01-01"]).tz_localize("UTC"), "datetime", "without time zone"),
        ([object()], "long", "expected long, got object"),
        ([[1], ["a"]], Array("long"), "expected long, got"),
        ([3], Array("long"), "expected a list, got int"),
        ([{"b": "x"}], Object([Property("a", "long")]), "lacks 'a'"),
        ([{"a": 1, "c": 2}], Object([Property("a", "long")]), "has 'c', which is not known"),
        ([{"a": "x"}], Object([Property("a", "long")]), "'a': expected long, got"),
        ([{1: 2}], Map("long"), "mapping of text"),
        (["x"], Map("long"), "expected a mapping, got str"),
    ],
)
def test_values_that_do_not_fit(values, kind, said):
    with pytest.raises(InvalidArgument, match=said):
        fit_input(pd.DataFrame({"a": pd.Series(values)}), columns(a=kind))


def test_all_that_is_wrong_is_said_at_once():
    data = pd.DataFrame({"a": ["x"], "b": [1.5]})
    with pytest.raises(InvalidArgument) as caught:
        fit_input(data, columns(a="long", b="long", c="long"))
    said = str(caught.value)
    assert all(f"column {name!r}" in said for name in "abc")
    assert "infer_signature" in said
    many = columns(**{f"c{number}": "long" for number in range(50)})
    with pytest.raises(InvalidArgument, match="and 40 more"):
        fit_input(data, many)


def test_an_optional_column_may_be_missing():
    schema = Schema([ColSpec("long", "a"), ColSpec("long", "b", False)])
    assert list(fit_input(pd.DataFrame({"a": [1]}), schema)) == ["a"]


def test_plain_values_take_the_width_that_is_asked_for():
    schema = columns(a="float", b="integer")
    fitted = fit_input([{"a": 1.5, "b": 2}], schema)
    assert [str(dtype) for dtype in fitted.dtypes] == ["float32", "int32"]
    with pytest.raises(InvalidArgument, match="expected integer"):
        fit_input([{"a": 1.5, "b": 2**40}], schema)
    assert fit_input({"a": 1, "b": 2}, schema).shape == (1, 2)


def test_columns_without_names_go_by_place():
    schema = Schema([ColSpec("double"), ColSpec("double")])
    assert fit_input(np.ones((3, 3)), schema).shape == (3, 2)
    assert fit_input(sparse.csr_matrix(np.eye(2)), schema).shape == (2, 2)
    with pytest.raises(InvalidArgument, match="expected 2 columns, got 1"):
        fit_input([1.5], schema)
    assert fit_input("a", Schema([ColSpec("string")])).shape == (1, 1)


TENSOR = Schema([TensorSpec("float32", (-1, 2))])
NAMED = Schema([TensorSpec("float32", (-1, 2), "x"), TensorSpec("int64", (-1,), "y")])


def test_tensors_that_fit():
    array = np.ones((3, 2), "float32")
    assert fit_input(array, TENSOR) is array
    assert fit_input(sparse.csr_matrix(array), TENSOR).shape == (3, 2)
    assert fit_input([[1, 2]], TENSOR).dtype == "float32"
    assert fit_input(pd.DataFrame(array), TENSOR).shape == (3, 2)
    nested = fit_input(pd.DataFrame({"x": [[1, 2], [3, 4]], "y": [1, 2]}), NAMED)
    assert (nested["x"].dtype, nested["x"].shape, nested["y"].dtype) == ("float32", (2, 2), "int64")
    text = Schema([TensorSpec("str", (-1,))])
    assert fit_input(np.array(["abc"]), text).tolist() == ["abc"]


@pytest.mark.parametrize(
    ("data", "schema", "said"),
    [
        (np.ones((3, 3), "float32"), TENSOR, r"expected shape \(-1, 2\), got \(3, 3\)"),
        (np.ones((3, 2)), TENSOR, "expected dtype float32, got float64"),
        (np.ones(3, "float32"), TENSOR, r"got \(3,\)"),
        ("text", TENSOR, "expected an array of float32, got str"),
        (np.ones((3, 2), "float32"), NAMED, "expected a mapping of 'x', 'y'"),
        ({"x": np.ones((3, 2), "float32")}, NAMED, "input 'y' is missing"),
        ({"x": np.ones((3, 2)), "y": np.ones(3, "int64")}, NAMED, "input 'x': expected dtype"),
        (pd.DataFrame({"x": [[1], [2]], "y": [1, 2]}), NAMED, "input 'x': expected shape"),
    ],
)
def test_tensors_that_do_not_fit(data, schema, said):
    with pytest.raises(InvalidArgument, match=said):
        fit_input(data, schema)


PARAMS = ParamSchema(
    [
        ParamSpec("n", "long", 1),
        ParamSpec("r", "double", 0.5),
        ParamSpec("l", "string", ["a"], (-1,)),
        ParamSpec("d", "datetime", "2020-01-01"),
        ParamSpec("m", Object([Property("a", "long")]), {"a": 1}),
    ]
)


def test_params_have_defaults_and_types():
    moment = datetime.date(2020, 1, 1)
    assert fit_params(None, PARAMS) == {
        "n": 1, "r": 0.5, "l": ["a"], "d": moment, "m": {"a": 1},
    }  # fmt: skip
    given = {"n": np.int64(3), "r": 1, "l": np.array(["x"]), "d": "2021-01-01T01:00"}
    found = fit_params(given, PARAMS)
    assert (found["n"], found["r"], found["l"]) == (3, 1.0, ["x"])
    assert type(found["n"]) is int
    assert found["d"] == datetime.datetime(2021, 1, 1, 1)
    assert fit_params({}, None) == {}


@pytest.mark.parametrize(
    "given", [{"n": 1.5}, {"n": True}, {"r": "x"}, {"l": "x"}, {"l": [1]}, {"d": 3}, {"m": 1}, [1]]
)
def test_params_that_do_not_fit(given):
    with pytest.raises(InvalidArgument, match="param"):
        fit_params(given, PARAMS)


def test_nothing_is_imported_to_ask_what_data_is():
    assert "torch" not in sys.modules
    assert "tensorflow" not in sys.modules
