"""References to data: names, sources, schemas and profiles, and MLflow's reading of them."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse as sp

from autolog_core.data import (
    ArrayReference,
    DatasetSource,
    FrameReference,
    code_source,
    dataset_of,
    digest_of,
    resolve_source,
)
from autolog_core.data.schema import SHORTENED, schema_of
from autolog_core.entities import Dataset
from autolog_core.errors import InvalidArgument
from autolog_core.limits import DATASET_SCHEMA_LENGTH, DATASET_SOURCE_LENGTH

DAY = pd.Timestamp("2024-02-29")
FRAME = pd.DataFrame(
    {
        "whole": [1, 2],
        "small": np.array([1, 2], np.int16),
        "real": [0.5, np.nan],
        "single": np.array([1, 2], np.float32),
        "yes": [True, False],
        "text": ["a", "b"],
        "gaps": ["a", None],
        "when": [DAY, pd.NaT],
        "zoned": pd.Series([DAY, DAY]).dt.tz_localize("UTC"),
        "kind": pd.Categorical(["a", "b"]),
        "number": pd.Categorical([3, 4]),
        "nullable": pd.array([1, None], dtype="Int64"),
        "arrow": pd.array([1.0, 2.0], dtype="double[pyarrow]"),
        "bytes": [b"a", b"b"],
        "days": [datetime.date(2024, 1, 1)] * 2,
        "sparse": pd.arrays.SparseArray([0.0, 1.0]),
        "mixed": pd.Series([1, "a"], dtype=object),
        "spans": [DAY - DAY, DAY - DAY],
    }
)


def columns_of(text: str | None) -> dict[str, tuple[str, bool]]:
    found = json.loads(text or "")["mlflow_colspec"]
    return {column.get("name"): (column["type"], column["required"]) for column in found}


def test_a_frame_has_columns() -> None:
    assert columns_of(schema_of(FRAME)) == {
        "whole": ("long", True),
        "small": ("integer", True),
        "real": ("double", False),
        "single": ("float", True),
        "yes": ("boolean", True),
        "text": ("string", True),
        "gaps": ("string", False),
        "when": ("datetime", False),
        "zoned": ("datetime", True),
        "kind": ("string", True),
        "number": ("long", True),
        "nullable": ("long", False),
        "arrow": ("double", True),
        "bytes": ("binary", True),
        "days": ("datetime", True),
        "sparse": ("double", True),
        "mixed": ("any", True),
        "spans": ("any", True),
    }


def test_polars_and_arrow_have_the_same_columns() -> None:
    data = {
        "i": [1, None],
        "f": [0.5, 1.5],
        "b": [True, False],
        "s": ["a", "b"],
        "t": [datetime.datetime(2024, 1, 1)] * 2,
        "l": [[1], [2]],
    }
    expected = {
        "i": ("long", False),
        "f": ("double", True),
        "b": ("boolean", True),
        "s": ("string", True),
        "t": ("datetime", True),
        "l": ("array", True),
    }
    assert columns_of(schema_of(pl.DataFrame(data))) == expected
    assert columns_of(schema_of(pa.table(data))) == expected
    coded = pa.table({"c": pa.array(["a", "b"]).dictionary_encode()})
    assert columns_of(schema_of(coded)) == {"c": ("string", True)}


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        (pd.Series([0, 1], name="label"), ["label"]),
        (pd.Series([0, 1], name="text"), ["text_1"]),
        (np.array([0, 1]), ["target"]),
        (np.array(["a", "b"], dtype=object), ["target"]),
        (np.zeros((2, 2)), ["target", "target_1"]),
        ([0, 1], ["target"]),
        (pd.DataFrame({"p": [1, 2], "q": [1, 2]}), ["p", "q"]),
        (None, []),
    ],
)
def test_labels_are_the_last_columns(targets: Any, expected: list[str]) -> None:
    frame = FRAME[["text"]]
    assert list(columns_of(schema_of(frame, targets))) == ["text", *expected]


def test_arrays_have_tensors() -> None:
    spec = json.loads(schema_of(np.zeros((3, 2), np.float32), np.array(["a", "b", "c"])) or "")
    features = json.loads(spec["mlflow_tensorspec"]["features"])
    targets = json.loads(spec["mlflow_tensorspec"]["targets"])
    assert features == [{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 2]}}]
    assert targets == [{"type": "tensor", "tensor-spec": {"dtype": "str", "shape": [-1]}}]
    named = json.loads(schema_of({"a": np.zeros(2), "b": np.zeros((2, 4))}) or "")
    names = [each["name"] for each in json.loads(named["mlflow_tensorspec"]["features"])]
    assert names == ["a", "b"]
    rows = json.loads(schema_of([[1, 2.5], [3, 4]], pd.Series([True, False])) or "")
    assert json.loads(rows["mlflow_tensorspec"]["features"])[0]["tensor-spec"] == {
        "dtype": "float64",
        "shape": [-1, 2],
    }
    assert json.loads(rows["mlflow_tensorspec"]["targets"])[0]["tensor-spec"]["dtype"] == "bool"


def test_lists_have_one_column() -> None:
    assert columns_of(schema_of(["a", "b"])) == {None: ("string", True)}
    assert columns_of(schema_of(["a", None])) == {None: ("string", False)}
    assert columns_of(schema_of([0.5, float("nan")])) == {None: ("double", False)}


def test_a_schema_over_the_limit_says_so() -> None:
    wide = pd.DataFrame(np.zeros((1, 30_000)), columns=[f"column_{i}" for i in range(30_000)])
    text = schema_of(wide, np.array([1]))
    assert text is not None
    assert DATASET_SCHEMA_LENGTH - 100 < len(text) <= DATASET_SCHEMA_LENGTH
    schema = json.loads(text)
    assert schema[SHORTENED] == {"kept": len(schema["mlflow_colspec"]), "total": 30_001}
    profile = json.loads(dataset_of(wide).profile or "")  # type: ignore[union-attr]
    assert profile == {"num_rows": 1, "num_elements": 30_000}


def test_a_record_is_whole() -> None:
    X, y = np.zeros((3, 2)), np.arange(3)
    record = dataset_of(X, y, name="train", source="s3://bucket/train.npz")
    assert record == Dataset(
        name="train",
        digest=digest_of(X, y).text,
        source_type="s3",
        source='{"uri": "s3://bucket/train.npz"}',
        schema=schema_of(X, y),
        profile=json.dumps(
            {
                "num_rows": 3,
                "num_elements": 6,
                "features_shape": [3, 2],
                "features_size": 6,
                "features_nbytes": 48,
                "targets_shape": [3],
                "targets_size": 3,
                "targets_nbytes": 24,
            }
        ),
    )


@pytest.mark.parametrize(
    ("data", "rows", "elements"),
    [
        (FRAME[["whole", "text"]], 2, 4),
        (sp.csr_matrix((5, 3)), 5, 15),
        (["a", "b", "c"], 3, 3),
        ([[1, 2], [3, 4]], 2, 4),
        (pl.DataFrame({"a": [1, 2], "b": [1, 2]}), 2, 4),
        (pa.table({"a": [1, 2], "b": [1, 2]}), 2, 4),
        ({"a": np.zeros(2), "b": np.zeros((2, 4))}, 2, 10),
        ([], 0, None),
    ],
)
def test_profiles_tell_the_size(data: Any, rows: int, elements: int | None) -> None:
    record = dataset_of(data)
    assert record is not None
    profile = json.loads(record.profile or "")
    assert (profile["num_rows"], profile.get("num_elements")) == (rows, elements)


def test_labels_of_an_unknown_kind_are_left_out() -> None:
    record = dataset_of(np.zeros(2), object())
    assert record is not None
    assert record.digest == digest_of(np.zeros(2)).text


def test_data_of_an_unknown_kind_has_no_reference() -> None:
    assert dataset_of(object()) is None
    assert dataset_of("text") is None
    assert dataset_of(None) is None


def test_mappings_of_anything_have_a_size() -> None:
    for data, profile in (
        ({"a": object()}, {"num_elements": 0, "undigested_elements": 1}),
        ({}, {"num_rows": 0, "num_elements": 0}),
    ):
        record = dataset_of(data)
        assert record is not None
        found = json.loads(record.profile or "")
        assert {key: value for key, value in found.items() if "features" not in key} == profile


def test_what_the_digest_could_not_see_is_told() -> None:
    class Thing:
        pass

    record = dataset_of([Thing(), Thing()])
    assert record is not None
    assert json.loads(record.profile or "")["undigested_elements"] == 2


@pytest.mark.parametrize(
    ("source", "kind", "fields"),
    [
        ("data/train.csv", "local", {"uri": "data/train.csv"}),
        (Path("data") / "train.csv", "local", {"uri": "data/train.csv"}),
        ("file:///data/train.csv", "local", {"uri": "file:///data/train.csv"}),
        ("https://example.org/a.csv?v=2", "http", {"url": "https://example.org/a.csv?v=2"}),
        ("gs://bucket/a", "gs", {"uri": "gs://bucket/a"}),
        ("https://me:pw@example.org/a", "http", {"url": "https://example.org/a"}),
        (
            "s3://b/a?X-Amz-Signature=abc&X-Amz-Date=1",
            "s3",
            {"uri": "s3://b/a?X-Amz-Signature=REDACTED&X-Amz-Date=1"},
        ),
        (DatasetSource("delta_table", {"path": "x"}), "delta_table", {"path": "x"}),
    ],
)
def test_sources(source: Any, kind: str, fields: dict[str, str]) -> None:
    found = resolve_source(source)
    assert (found.source_type, found.to_dict()) == (kind, fields)
    assert json.loads(found.to_json()) == fields


def test_code_is_the_source_when_none_is_given() -> None:
    found = resolve_source()
    assert found.source_type == "code"
    assert found.fields["tags"]["mlflow.source.name"]
    tags = {"mlflow.source.git.commit": "abc"}
    assert code_source(tags).to_dict() == {"tags": tags}


@pytest.mark.parametrize("source", [3, "", object(), "x" * DATASET_SOURCE_LENGTH])
def test_other_sources_are_refused(source: Any) -> None:
    with pytest.raises(InvalidArgument, match="source"):
        resolve_source(source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": ""}, "name"),
        ({"name": 3}, "name"),
        ({"name": "x" * 501}, "500"),
        ({"targets": "nothing"}, "'nothing'.*'whole'"),
    ],
)
def test_wrong_arguments_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        dataset_of(FRAME[["whole"]], **arguments)
    with pytest.raises(InvalidArgument, match=message):
        FrameReference(FRAME[["whole"]], **arguments)


def test_references_hold_data_and_record() -> None:
    frame = FRAME[["whole", "text"]]
    reference = FrameReference(frame, "a.csv", targets="text", name="n", predictions="whole")
    assert reference.df is frame
    assert (reference.targets, reference.predictions) == ("text", "whole")
    assert reference.digest == digest_of(frame).text
    assert reference.to_entity() == reference._to_entity()
    assert json.loads(reference.to_json()) == reference.to_dict()
    assert reference.schema is not None
    assert list(reference.schema) == ["mlflow_colspec"]
    arrays = ArrayReference({"a": np.zeros(2)}, targets=np.ones(2), digest="mine")
    assert (arrays.digest, arrays.name) == ("mine", "dataset")
    assert arrays.to_entity().digest == "mine"
    assert arrays.features["a"].shape == arrays.targets.shape
    with pytest.raises(InvalidArgument, match="36"):
        ArrayReference(np.zeros(2), digest="x" * 37)
