"""The functions of `autolog.data`, with MLflow's arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from autolog import data
from autolog_core.entities import Dataset
from autolog_core.errors import InvalidArgument

FRAME = pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1], "guess": [1, 1]})


@pytest.mark.parametrize(
    ("make", "frame"),
    [(data.from_pandas, FRAME), (data.from_polars, pl.DataFrame(FRAME.to_dict("list")))],
)
def test_frames(make: Any, frame: Any) -> None:
    made = make(frame, "train.csv", "label", "train", predictions="guess")
    assert made.df is frame
    assert (made.name, made.targets, made.predictions) == ("train", "label", "guess")
    assert isinstance(made.to_entity(), Dataset)
    assert made.digest == data.from_pandas(FRAME).digest
    assert made.source.to_dict() == {"uri": "train.csv"}
    with pytest.raises(InvalidArgument, match="nothing"):
        make(frame, targets="nothing")


def test_arrays() -> None:
    made = data.from_numpy({"a": np.zeros(2)}, targets=np.ones(2), digest="abc")
    assert made.digest == "abc"
    assert made.targets.tolist() == [1, 1]
    assert data.from_numpy(np.zeros(2)).digest != data.from_numpy(np.ones(2)).digest


@pytest.mark.parametrize(
    "call",
    [
        lambda: data.from_pandas(np.zeros(2)),
        lambda: data.from_pandas(FRAME["x"]),
        lambda: data.from_polars(FRAME),
        lambda: data.from_polars(pl.LazyFrame({"a": [1]})),
        lambda: data.from_numpy([1, 2]),
        lambda: data.from_numpy(np.zeros(2), targets=[1, 2]),
        lambda: data.from_numpy({"a": [1, 2]}),
        lambda: data.from_pandas(FRAME, name=""),
    ],
)
def test_wrong_data_are_refused(call: Any) -> None:
    with pytest.raises(InvalidArgument, match="must be"):
        call()
