"""What data are taken for, by the names of their classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from autolog_core.data import dataset_of
from autolog_core.data.kinds import is_a, kind_of, owner_is


def made(module: str, name: str, *bases: type, **members: Any) -> Any:
    return type(name, bases or (object,), {"__module__": module, **members})


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("datasets", "Dataset"),
        ("datasets.voc", "Dataset"),
        ("datasets.arrow_dataset", "Loader"),
        ("pyspark.pandas.frame", "DataFrame"),
        ("spark.sql.dataframe", "DataFrame"),
        ("mytorch.data", "Dataset"),
    ],
)
def test_classes_of_the_same_name_elsewhere_are_not_mistaken(module: str, name: str) -> None:
    found = made(module, name)()
    assert kind_of(found) is None
    assert dataset_of(found) is None


def test_a_class_is_known_by_its_ancestors() -> None:
    dataset = made("torch.utils.data.dataset", "Dataset", __getitem__=lambda self, place: place)
    mine = made("train", "Mine", dataset)
    own = made("train", "Own", dataset, __getitem__=lambda self, place: 0)
    assert is_a(mine(), "torch", "Dataset")
    assert not is_a(np.zeros(1), "torch", "Dataset")
    assert owner_is(mine(), "__getitem__", "torch", "Dataset")
    assert not owner_is(own(), "__getitem__", "torch", "Dataset")
    assert not owner_is(mine(), "nothing", "torch", "Dataset")
