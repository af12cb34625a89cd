"""References to datasets of Hugging Face: the Arrow table beneath, and the rows that are chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import autolog
from autolog import data
from autolog_core.data import dataset_of
from autolog_core.errors import InvalidArgument

datasets = pytest.importorskip("datasets")
pytestmark = pytest.mark.filterwarnings(
    "ignore:Specifying null_placement in SortOptions:FutureWarning"
)

COLUMNS = {
    "text": [f"text {number}" for number in range(40)],
    "tokens": [list(range(number % 5)) for number in range(40)],
    "score": [None, 1.5] * 20,
    "label": list(range(40)),
}


@pytest.fixture(autouse=True)
def no_bars() -> Iterator[None]:
    datasets.disable_progress_bars()
    yield
    datasets.enable_progress_bars()


@pytest.fixture
def dataset() -> Any:
    parts = [
        {name: values[start : start + 10] for name, values in COLUMNS.items()}
        for start in range(0, 40, 10)
    ]
    return datasets.concatenate_datasets([datasets.Dataset.from_dict(part) for part in parts])


def text_of(dataset: Any) -> str:
    return data.from_huggingface(dataset).digest


def test_the_digest_is_that_of_the_table(dataset: Any) -> None:
    assert text_of(dataset) == data.from_pyarrow(pa.table(COLUMNS)).digest
    frame = dataset.select_columns(["text", "label"])
    assert text_of(frame) == data.from_pandas(frame.to_pandas()).digest
    found = dataset_of(dataset)
    assert found is not None
    assert found.digest == text_of(dataset)


def test_chosen_rows_are_read_where_they_lie(dataset: Any) -> None:
    shuffled = dataset.shuffle(seed=0)
    assert shuffled._indices is not None
    chosen = [
        shuffled,
        shuffled.select([5, 3, 3]),
        dataset.sort("label", reverse=True),
        dataset.filter(lambda row: row["label"] % 3 == 0),
        dataset.select(range(7, 15)),
        dataset.select([]),
    ]
    for each in chosen:
        made = data.from_huggingface(each)
        flat = data.from_huggingface(each.flatten_indices())
        assert (made.digest, made.schema) == (flat.digest, flat.schema)
        assert made.profile["num_rows"] == len(each)
    assert len({text_of(each) for each in (dataset, *chosen)}) == len(chosen) + 1
    split = dataset.train_test_split(0.25, seed=1)
    assert text_of(split["train"]) != text_of(split["test"])


def test_where_and_how_a_dataset_is_kept_does_not_count(dataset: Any, tmp_path: Path) -> None:
    dataset.save_to_disk(tmp_path / "saved", num_shards=3)
    loaded = datasets.load_from_disk(tmp_path / "saved")
    assert text_of(loaded) == text_of(dataset)
    assert text_of(loaded.shuffle(seed=0)) == text_of(dataset.shuffle(seed=0))
    assert text_of(dataset.with_format("numpy")) == text_of(dataset)
    assert text_of(dataset.with_format("numpy", columns=["label"])) == text_of(dataset)

    def asked(row: Any) -> Any:
        raise AssertionError("a row was asked for")

    assert text_of(dataset.with_transform(asked)) == text_of(dataset)


def test_features_of_the_library() -> None:
    features = datasets.Features(
        {
            "grid": datasets.Array2D((2, 3), "float32"),
            "level": datasets.ClassLabel(names=["low", "high"]),
            "image": datasets.Image(decode=False),
        }
    )
    rows = {
        "grid": [np.full((2, 3), number) for number in range(6)],
        "level": [0, 1] * 3,
        "image": [{"bytes": bytes([number]), "path": None} for number in range(6)],
    }
    made = datasets.Dataset.from_dict(rows, features=features)
    rows["image"][3]["bytes"] = b"!"
    other = datasets.Dataset.from_dict(rows, features=features)
    assert text_of(made) != text_of(other)
    assert text_of(made.shuffle(seed=2)) == text_of(made.shuffle(seed=2).flatten_indices())


def test_the_record_of_a_dataset(dataset: Any) -> None:
    made = data.from_huggingface(dataset, targets="label", name="reviews")
    assert (made.ds, made.targets) == (dataset, "label")
    assert made.profile == {
        "num_rows": 40,
        "num_elements": 160,
        "fingerprint": dataset._fingerprint,
    }
    assert made.schema == {
        "mlflow_colspec": [
            {"type": "string", "name": "text", "required": True},
            {"type": "array", "items": {"type": "long"}, "name": "tokens", "required": True},
            {"type": "double", "name": "score", "required": False},
            {"type": "long", "name": "label", "required": True},
        ]
    }
    assert made.source.source_type == "code"
    assert data.from_huggingface(dataset, digest="mine").digest == "mine"


def test_sources(dataset: Any) -> None:
    made = data.from_huggingface(
        dataset,
        "org/reviews",
        data_dir="small",
        data_files={"train": ["a.csv", Path("b.csv")]},
        revision="v2",
        trust_remote_code=True,
    )
    assert made.source.source_type == "hugging_face"
    assert made.source.to_dict() == {
        "path": "org/reviews",
        "config_name": None,
        "data_dir": "small",
        "data_files": {"train": ["a.csv", "b.csv"]},
        "split": "None",
        "revision": "v2",
    }
    given = data.from_huggingface(dataset, "org/reviews", source="s3://bucket/reviews")
    assert given.source.source_type == "s3"


def test_what_is_no_dataset_is_refused(dataset: Any) -> None:
    split = dataset.train_test_split(0.25, seed=1)
    with pytest.raises(InvalidArgument, match=r"DatasetDict.*ds\['train'\], ds\['test'\]"):
        data.from_huggingface(split)
    with pytest.raises(InvalidArgument, match="streaming=False"):
        data.from_huggingface(dataset.to_iterable_dataset())
    with pytest.raises(InvalidArgument, match=r"'nothing'.*'text'"):
        data.from_huggingface(dataset, targets="nothing")


def test_loaders_of_torch_take_them(dataset: Any) -> None:
    loaders = pytest.importorskip("torch").utils.data
    made = data.from_torch(loaders.DataLoader(dataset.with_format("torch"), batch_size=4))
    assert made.digest == text_of(dataset)
    assert made.schema == data.from_huggingface(dataset).schema
    assert made.profile["digest_of"] == "data"
    stream = data.from_torch(loaders.DataLoader(dataset.to_iterable_dataset()))
    assert stream.profile["digest_of"] == "description"


def test_runs_keep_them(dataset: Any, tracking: Path) -> None:
    made = data.from_huggingface(dataset.shuffle(seed=0), "org/reviews", name="train")
    with autolog.start_run() as run:
        autolog.log_input(made, context="training")
        autolog.log_metric("loss", 0.5, dataset=made)
    (use,) = autolog.get_run(run.info.run_id).inputs.dataset_inputs
    assert use.dataset == made.to_entity()
    assert data.get_source(use) == made.source
