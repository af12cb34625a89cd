"""The functions of `autolog.data`, with MLflow's arguments, and what runs keep of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset
import pytest
import scipy.sparse as sp

import autolog
from autolog import data
from autolog_core.entities import Dataset, DatasetInput
from autolog_core.errors import InvalidArgument

FRAME = pd.DataFrame({"x": [0.5, 1.5], "label": [0, 1], "guess": [1, 1]})
TABLE = pa.table(FRAME.to_dict("list"))


@pytest.mark.parametrize(
    ("make", "frame"),
    [
        (data.from_pandas, FRAME),
        (data.from_polars, pl.DataFrame(FRAME.to_dict("list"))),
        (data.from_pyarrow, TABLE),
        (data.from_pyarrow, TABLE.to_batches()[0]),
    ],
)
def test_frames(make: Any, frame: Any) -> None:
    made = make(frame, "train.csv", "label", "train", predictions="guess")
    assert made.df is frame
    assert (made.name, made.targets, made.predictions) == ("train", "label", "guess")
    assert isinstance(made.to_entity(), Dataset)
    assert made.digest == data.from_pandas(FRAME).digest
    assert made.profile == {"num_rows": 2, "num_elements": 6}
    assert made.source.to_dict() == {"uri": "train.csv"}
    with pytest.raises(InvalidArgument, match="nothing"):
        make(frame, targets="nothing")


def test_arrays() -> None:
    made = data.from_numpy({"a": np.zeros(2)}, targets=np.ones(2), digest="abc")
    assert made.digest == "abc"
    assert made.targets.tolist() == [1, 1]
    assert data.from_numpy(np.zeros(2)).digest != data.from_numpy(np.ones(2)).digest


def test_sparse_matrices_are_arrays_and_stay_sparse() -> None:
    matrix = sp.csr_matrix(([1.0], ([0], [2])), shape=(10**6, 10**6))
    made = data.from_numpy(matrix, targets=np.zeros(3))
    assert made.features is matrix
    assert made.profile["features_stored"] == 1
    assert made.digest != data.from_numpy(2 * matrix, targets=np.zeros(3)).digest
    assert data.from_numpy({"words": matrix}).digest == data.from_numpy({"words": matrix}).digest


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.from_pandas(np.zeros(2)), "pandas data frame, got ndarray"),
        (lambda: data.from_pandas(FRAME["x"]), "pandas data frame, got Series"),
        (lambda: data.from_polars(FRAME), "polars"),
        (lambda: data.from_polars(pl.LazyFrame({"a": [1]})), "collect"),
        (lambda: data.from_pyarrow(FRAME), "Arrow table"),
        (lambda: data.from_pyarrow(pa.array([1])), "Arrow table"),
        (lambda: data.from_pyarrow(pyarrow.dataset.dataset(TABLE)), "to_table"),
        (lambda: data.from_pyarrow(TABLE.to_reader()), "read_all"),
        (lambda: data.from_numpy([1, 2]), "NumPy array"),
        (lambda: data.from_numpy(np.zeros(2), targets=[1, 2]), "targets"),
        (lambda: data.from_numpy({"a": [1, 2]}), r"features\['a'\]"),
        (lambda: data.from_pandas(FRAME, name=""), "name"),
        (lambda: data.from_torch(np.zeros(2)), "tensor.*ndarray"),
        (lambda: data.from_torch([]), "tensor.*NoneType"),
        (lambda: data.from_tensorflow(np.zeros(2)), "tensor.*ndarray"),
        (lambda: data.from_tensorflow({}), "tensor.*dict"),
        (lambda: data.from_huggingface(FRAME), "datasets.Dataset, got DataFrame"),
        (lambda: data.from_spark(FRAME), "Spark data frame"),
    ],
)
def test_wrong_data_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message) as caught:
        call()
    assert "must be" in str(caught.value)


def test_a_dataset_without_data_is_told_by_its_source() -> None:
    columns = [{"type": "string", "name": "text", "required": True}]
    made = data.MetaDataset("https://example.org/reviews.gz", "reviews", schema=columns)
    assert made.schema == {"mlflow_colspec": columns}
    assert made.profile == {"digest_of": "description"}
    assert made.source.to_dict() == {"url": "https://example.org/reviews.gz"}
    digests = {
        made.digest,
        data.MetaDataset("https://example.org/reviews.gz").digest,
        data.MetaDataset("https://example.org/other.gz", schema=columns).digest,
    }
    assert len(digests) == 3
    assert data.MetaDataset(made.source, schema=columns).digest == made.digest
    schema = autolog.models.infer_signature(pd.DataFrame({"text": ["a"]})).inputs
    assert data.MetaDataset("a.csv", schema=schema).schema == {"mlflow_colspec": columns}
    given = data.MetaDataset(data.HTTPDatasetSource("https://example.org/a"), digest="v2")
    assert (given.digest, given.profile, given.schema) == ("v2", {}, None)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.MetaDataset(3), "source"),
        (lambda: data.MetaDataset("a.csv", schema="text"), "schema"),
        (lambda: data.MetaDataset("a.csv", schema=[1]), "schema"),
        (lambda: data.HTTPDatasetSource("s3://bucket/a"), "http"),
        (lambda: data.get_source(FRAME), "DataFrame"),
        (lambda: data.get_source(Dataset("n", "d", "local", "no json")), "JSON"),
    ],
)
def test_wrong_arguments_of_sources_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_the_source_of_what_a_run_used(tracking: Path, tmp_path: Path) -> None:
    file = tmp_path / "train.csv"
    file.write_text("x\n1\n")
    made = data.from_pyarrow(TABLE, source=file, name="train")
    with autolog.start_run() as run:
        autolog.log_input(made, context="training")
    (use,) = autolog.get_run(run.info.run_id).inputs.dataset_inputs
    assert use.dataset.digest == made.digest
    for dataset in (made, use, use.dataset, DatasetInput(made.to_entity())):
        assert data.get_source(dataset) == made.source
    assert data.get_source(use).load() == str(file)


def test_kinds_mix_in_one_run(tracking: Path) -> None:
    made = [
        data.from_pyarrow(TABLE, name="table"),
        data.from_numpy(sp.eye(3).tocsr(), name="matrix"),
        data.MetaDataset("s3://bucket/images", name="images"),
    ]
    with autolog.start_run() as run:
        autolog.log_inputs(made, ["train", "train", "eval"], [None, {"fold": "1"}, None])
        for step, dataset in enumerate(made):
            autolog.log_metric("loss", 0.5, step=step, dataset=dataset)
    found = autolog.get_run(run.info.run_id)
    assert {use.dataset.name: use.context for use in found.inputs.dataset_inputs} == {
        "table": "train",
        "matrix": "train",
        "images": "eval",
    }
    images = next(each.dataset for each in found.inputs.dataset_inputs if each.context == "eval")
    assert json.loads(images.profile or "") == {"digest_of": "description"}


def test_no_framework_is_imported_for_its_datasets() -> None:
    program = (
        "import sys, numpy as np\n"
        "from autolog import data\n"
        "data.from_numpy(np.zeros(2)).to_dict()\n"
        "names = 'torch tensorflow datasets pyspark pyarrow polars scipy urllib.request'.split()\n"
        "print(sorted(set(names) & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"
