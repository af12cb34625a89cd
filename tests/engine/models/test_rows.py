"""Data in the form that libraries of trees read, whatever the caller has."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from autolog_core.models.rows import as_categories, as_rows

FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4]})


@pytest.mark.parametrize(
    "data",
    [
        pl.from_pandas(FRAME),
        pa.Table.from_pandas(FRAME),
        FRAME.to_dict("list"),
        FRAME.to_dict("records"),
        {"a": FRAME["a"].to_numpy(), "b": FRAME["b"].to_numpy()},
    ],
    ids=["polars", "arrow", "mapping", "rows", "mapping of arrays"],
)
def test_tables_become_frames(data):
    pd.testing.assert_frame_equal(as_rows(data), FRAME)


def test_one_row_and_one_column():
    assert as_rows({"a": 1.0, "b": 3}).to_dict("list") == {"a": [1.0], "b": [3]}
    pd.testing.assert_frame_equal(as_rows(FRAME["a"]), FRAME[["a"]])


@pytest.mark.parametrize(
    "data",
    [FRAME, FRAME.to_numpy(), scipy.sparse.csr_matrix(FRAME.to_numpy()), [[1, 2]], [], "text"],
    ids=["frame", "array", "sparse", "lists", "nothing", "text"],
)
def test_the_rest_stays_as_it_is(data):
    assert as_rows(data) is data


def test_columns_become_categories_and_the_frame_stays():
    frame = pd.DataFrame(
        {"c": ["x", "y"], "n": [20, 10], "k": pd.Categorical([1, 2]), 5: ["a", "b"]}
    )
    before = frame.copy()
    found = as_categories(
        frame, {"c": ["z", "y", "x"], "n": None, "k": ["other"], "absent": None, 5: None}
    )
    assert found["c"].cat.codes.tolist() == [2, 1]
    assert found["n"].cat.categories.tolist() == [10, 20]
    assert found["k"].cat.categories.tolist() == [1, 2]
    assert found[5].cat.categories.tolist() == ["a", "b"]
    pd.testing.assert_frame_equal(frame, before)
    assert as_categories(frame, {"k": None}) is frame


def test_what_is_in_no_category_is_missing():
    found = as_categories(pd.DataFrame({"c": ["x", "new"]}), {"c": ["x"]})
    assert found["c"].isna().tolist() == [False, True]
    assert np.array_equal(found["c"].cat.codes, [0, -1])
