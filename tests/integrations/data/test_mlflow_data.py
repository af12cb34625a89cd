"""Names, arguments and records against MLflow's."""

from __future__ import annotations

import inspect
import json
import sys
import warnings
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from autolog import data
from autolog_core.data import resolve_source
from autolog_core.data.schema import schema_of

# Left out: it starts a Spark session, and reads a table.
LEFT_OUT = {"load_delta"}


@pytest.fixture(scope="module")
def theirs() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("mlflow.data")


def test_names_and_arguments_of_mlflow(theirs: Any) -> None:
    assert set(theirs.__all__) - LEFT_OUT <= set(data.__all__)
    for name in set(theirs.__all__) - LEFT_OUT - {"get_source"}:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = inspect.signature(getattr(theirs, name)).parameters
        ours = inspect.signature(getattr(data, name)).parameters
        extra = list(ours)[len(wanted) :]
        assert list(ours)[: len(wanted)] == list(wanted), name
        assert all(ours[each].kind is inspect.Parameter.KEYWORD_ONLY for each in extra)
        for parameter in wanted:
            assert ours[parameter].default == wanted[parameter].default


@pytest.mark.parametrize(
    "kind", ["pandas", "polars", "numpy", "huggingface", "tensorflow", "spark"]
)
def test_classes_lie_where_mlflow_has_them(kind: str) -> None:
    module = __import__(f"autolog.data.{kind}_dataset", fromlist=["x"])
    assert getattr(module, f"from_{kind}") is getattr(data, f"from_{kind}")


def test_sources_of_mlflow_are_taken(theirs: Any) -> None:
    del theirs
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import mlflow.data.delta_dataset_source as delta
        import mlflow.data.http_dataset_source as http
        import mlflow.data.huggingface_dataset_source as hugging
        import mlflow.data.spark_dataset_source as spark
    for source in (
        http.HTTPDatasetSource("https://example.org/a"),
        hugging.HuggingFaceDatasetSource("org/x", split="train"),
        spark.SparkDatasetSource(path="a"),
        delta.DeltaDatasetSource(path="a", delta_table_version=3),
    ):
        made = data.from_pyarrow(pa.table({"x": [1]}), source)
        assert made.source.source_type == source._get_source_type()
        assert json.loads(made.source.to_json()) == source.to_dict()
        assert data.get_source(made.to_entity()) == made.source == resolve_source(source)


def features(record: dict[str, Any]) -> Any:
    return json.loads(json.loads(record["schema"])["mlflow_tensorspec"]["features"])


@pytest.mark.filterwarnings("ignore:Starting with pandas version 4:Warning")
def test_records_of_hugging_face(theirs: Any) -> None:
    datasets = pytest.importorskip("datasets")
    ds = datasets.Dataset.from_dict({"text": ["a", "b"], "ids": [[1], [2, 3]], "y": [0.5, None]})
    wanted = theirs.from_huggingface(ds, "org/x", "y", "folder", revision="v1", name="n").to_dict()
    found = data.from_huggingface(ds, "org/x", "y", "folder", revision="v1", name="n").to_dict()
    for same in ("name", "source", "source_type", "schema"):
        assert json.dumps(found[same]) == json.dumps(wanted[same]), same
    assert (
        json.loads(found["profile"]).items()
        >= {
            name: value
            for name, value in json.loads(wanted["profile"]).items()
            if value is not None
        }.items()
    )


def test_records_of_tensorflow(theirs: Any) -> None:
    tf = pytest.importorskip("tensorflow")
    X, y = tf.constant(np.zeros((4, 2))), tf.constant([1, 2, 3, 4])
    wanted = theirs.from_tensorflow(X, targets=y).to_dict()
    found = data.from_tensorflow(X, targets=y).to_dict()
    assert json.loads(found["schema"]) == json.loads(wanted["schema"])
    pipeline = tf.data.Dataset.from_tensor_slices((X, y)).batch(2)
    wanted = theirs.from_tensorflow(pipeline).to_dict()
    found = data.from_tensorflow(pipeline).to_dict()
    assert features(found) == features(wanted)
    assert json.loads(found["profile"]).items() >= json.loads(wanted["profile"]).items()


def test_nested_schemas_are_read_by_mlflow(theirs: Any) -> None:
    del theirs
    columns = pa.table(
        {
            "ids": [[1]],
            "record": [{"a": 1, "b": [["x"]]}],
            "counts": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
            "empty": pa.nulls(1),
        }
    )
    text = json.dumps(json.loads(schema_of(columns) or "")["mlflow_colspec"])
    schemas = sys.modules["mlflow.types"].Schema
    assert schemas.from_json(text).input_names() == columns.column_names
