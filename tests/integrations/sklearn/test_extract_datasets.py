"""References to data against MLflow's."""

from __future__ import annotations

import inspect
import json
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

from autolog import data as autolog_data
from autolog_core.data import ArrayReference, DatasetSource, FrameReference, resolve_source
from autolog_core.data.schema import schema_of

PLAIN = pd.DataFrame(
    {
        "whole": [1, 2],
        "small": np.array([1, 2], np.int16),
        "real": [0.5, np.nan],
        "single": np.array([1, 2], np.float32),
        "yes": [True, False],
        "text": ["a", "b"],
        "when": [pd.Timestamp("2024-02-29"), pd.NaT],
        "bytes": [b"a", b"b"],
    }
)


def test_arguments_of_datasets_are_those_of_mlflow() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pytest.importorskip("mlflow.data")
        for name in ("from_pandas", "from_numpy", "from_polars"):
            ours = inspect.signature(getattr(autolog_data, name)).parameters
            assert list(ours) == list(inspect.signature(getattr(theirs, name)).parameters)


def test_mlflow_reads_what_is_written() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = pytest.importorskip("mlflow.data")
        schemas = sys.modules["mlflow.types"].Schema
        theirs = data.from_pandas(PLAIN, targets="yes")
        ours = FrameReference(PLAIN, targets="yes")
        assert ours.schema == json.loads(theirs.to_dict()["schema"])
        assert ours.profile == theirs.profile
        for text in (schema_of(PLAIN), schema_of(["a"]), schema_of(PLAIN, [1, 2])):
            columns = json.loads(text or "")["mlflow_colspec"]
            assert len(schemas.from_json(json.dumps(columns)).inputs) == len(columns)
        X, y = np.zeros((3, 2)), np.array(["a", "b", "c"])
        theirs = data.from_numpy(X, targets=y)
        assert ArrayReference(X, targets=y).schema == json.loads(theirs.to_dict()["schema"])
        profile = json.loads(json.dumps(theirs.profile))
        assert ArrayReference(X, targets=y).profile.items() >= profile.items()
        for source in ("https://example.org/a.csv", "data/a.csv"):
            theirs = data.from_pandas(PLAIN, source=source).to_dict()
            ours_too = FrameReference(PLAIN, source).to_dict()
            assert ours_too["source_type"] == theirs["source_type"]
            assert ours_too["source"] == theirs["source"]
        adapted = resolve_source(data.from_pandas(PLAIN, source="data/a.csv").source)
        assert adapted == DatasetSource("local", {"uri": "data/a.csv"})
