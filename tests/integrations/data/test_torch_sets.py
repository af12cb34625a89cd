"""References to PyTorch's datasets and loaders: what is read, and that no item is asked for."""

from __future__ import annotations

import copy
import random
from collections import UserDict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autolog
from autolog import data
from autolog_core.data import dataset_of, digest_of
from autolog_core.errors import InvalidArgument

torch = pytest.importorskip("torch")
from torch.utils.data import (  # noqa: E402
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    random_split,
)

X, Y = torch.arange(60.0).reshape(20, 3), torch.arange(20)


class Silent(Dataset):
    """A dataset whose items nobody may ask for."""

    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def __len__(self) -> int:
        return 20

    def __getitem__(self, place: int) -> Any:
        raise AssertionError("an item was asked for")


class Stream(IterableDataset):
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)

    def __iter__(self) -> Any:
        raise AssertionError("a stream was read")

    def __len__(self) -> int:
        self.asked = True
        return 20


class Augmented(TensorDataset):
    def __getitem__(self, place: int) -> Any:
        raise AssertionError("an item was asked for")


def text_of(*parts: Any) -> str:
    return digest_of(*parts).text


def covers(dataset: Any) -> str:
    return str(data.from_torch(dataset).profile["digest_of"])


def test_a_tensor_dataset_has_the_digest_of_its_arrays() -> None:
    made = data.from_torch(TensorDataset(X, Y))
    assert made.digest == data.from_numpy(X.numpy(), targets=Y.numpy()).digest
    assert made.profile == {
        "num_rows": 20,
        "num_elements": 80,
        "dataset_class": "torch.utils.data.dataset.TensorDataset",
        "digest_of": "data",
    }
    spec = made.schema["mlflow_tensorspec"] if made.schema else {}
    assert '"name": "0"' in spec["features"]
    assert '"shape": [-1, 3]' in spec["features"]
    assert covers(TensorDataset(X.to_sparse())) == "data"


@given(st.lists(st.integers(-20, 19), max_size=12), st.integers(0, 19), st.booleans())
def test_a_subset_is_its_rows(rows: list[int], changed: int, as_tensor: bool) -> None:
    base = X.clone()
    chosen: Any = torch.tensor(rows, dtype=torch.int64) if as_tensor else rows
    subset = Subset(TensorDataset(base, Y), chosen)
    before = text_of(subset)
    assert before == text_of(base.numpy()[rows], Y.numpy()[rows])
    assert text_of(Subset(Subset(TensorDataset(base, Y), range(19, -1, -1)), rows)) == text_of(
        base.numpy()[::-1][rows], Y.numpy()[::-1][rows]
    )
    base[changed, 1] = -1
    inside = changed in rows or changed - 20 in rows
    assert (text_of(subset) != before) == inside


def test_a_subset_of_what_is_not_rows_counts_its_places() -> None:
    base = Silent(x=X)
    subsets = [Subset(base, range(5)), Subset(base, range(5, 10)), base]
    assert len({text_of(each) for each in subsets}) == 3
    assert covers(subsets[0]) == "attributes"
    assert data.from_torch(subsets[0]).profile["num_rows"] == 5
    assert text_of(Subset(base, [0, 1])) == text_of(Subset(base, np.array([0, 1])))
    outside = Subset(TensorDataset(X), [50])
    assert text_of(outside) != text_of(Subset(TensorDataset(X), [51]))

    class Places:
        def __getitem__(self, place: int) -> int:
            raise AssertionError("a place was asked for")

        def __len__(self) -> int:
            return 3

    assert covers(Subset(TensorDataset(X), Places())) == "description"
    arrays = Subset(X.numpy(), [1, 2])
    assert text_of(arrays) == text_of(X.numpy()[[1, 2]])
    assert covers(arrays) == "data"


def test_a_subset_by_a_sampler_is_its_rows() -> None:
    loader = DataLoader(TensorDataset(X, Y), sampler=SubsetRandomSampler([3, 1]))
    assert text_of(loader) == text_of(X[[3, 1]], Y[[3, 1]])
    assert data.from_torch(loader).profile["num_rows"] == 2


def test_a_loader_stands_for_its_dataset() -> None:
    train, test = random_split(TensorDataset(X, Y), [15, 5], torch.Generator().manual_seed(0))
    loader = DataLoader(train, batch_size=4, shuffle=True, drop_last=True)
    made = data.from_torch(loader, name="train")
    assert made.digest == text_of(train) != text_of(test)
    assert made.profile == {
        "num_rows": 15,
        "num_elements": 60,
        "dataset_class": "torch.utils.data.dataset.Subset of "
        "torch.utils.data.dataset.TensorDataset",
        "loader": {"batch_size": 4, "sampler": "RandomSampler", "drop_last": True},
        "digest_of": "data",
    }
    assert made.data is loader


def test_no_random_state_moves_and_no_loader_is_read() -> None:
    generator = torch.Generator().manual_seed(3)
    loader = DataLoader(TensorDataset(X, Y), batch_size=4, shuffle=True, generator=generator)
    sets = [loader, DataLoader(Silent(x=X)), DataLoader(Stream(x=X)), Augmented(X)]
    iterator = iter(loader)
    next(iterator)
    before = (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
        generator.get_state().tolist(),
    )
    for each in sets:
        data.from_torch(each).to_dict()
        dataset_of(each)
    assert before == (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
        generator.get_state().tolist(),
    )
    assert len(list(iterator)) == 4


ATTRIBUTES: list[tuple[Any, Any]] = [
    (X, X + 1),
    (X.numpy(), X.numpy() + 1),
    (pd.DataFrame({"a": range(20)}), pd.DataFrame({"a": range(1, 21)})),
    (["a", "b"], ["a", "c"]),
    ([("a.png", 0), ("b.png", 1)], [("a.png", 0), ("b.png", 2)]),
    ([("a.png", 0), ("b.png",)], [("a.png", 0), ("c.png",)]),
    ([{"text": "a", "label": None}], [{"text": "b", "label": None}]),
    ([[1, 2], [3]], [[1, 2], [4]]),
    ([torch.zeros(2), torch.zeros(3)], [torch.zeros(2), torch.ones(3)]),
    ((X, Y), (X, Y + 1)),
    ({"ids": X, "mask": [1, 0]}, {"ids": X, "mask": [1, 1]}),
    (UserDict(ids=X), UserDict(ids=X + 1)),
    (TensorDataset(X), TensorDataset(X + 1)),
    ([TensorDataset(X), TensorDataset(Y)], [TensorDataset(X), TensorDataset(Y + 1)]),
    ({"a": TensorDataset(X)}, {"b": TensorDataset(X)}),
    (DataLoader(TensorDataset(X)), DataLoader(TensorDataset(X + 1))),
]


@pytest.mark.parametrize(("one", "two"), ATTRIBUTES)
def test_data_in_attributes_are_read(one: Any, two: Any) -> None:
    for kind in (Silent, Stream):
        made = data.from_torch(kind(values=one))
        assert made.profile["digest_of"] == "attributes"
        assert made.profile["digest_attributes"] == ["values"]
        assert made.digest == data.from_torch(kind(values=copy.deepcopy(one))).digest
        assert made.digest != data.from_torch(kind(values=two)).digest
        assert made.digest != data.from_torch(kind(other=one)).digest


def test_what_changes_in_use_or_is_no_data_does_not_count() -> None:
    expected = data.from_torch(Silent(x=X))
    for extra in (
        {"epoch": 3},
        {"loss": 0.5},
        {"cache": [X]},
        {"_cached_items": {"a": X}},
        {"transform": X},
        {"rng": np.arange(3)},
        {"seed": [1]},
        {"model": object()},
        {"items": [None, None]},
        {"by_place": {0: X}},
        {"classes": {"cat": 0}},
        {"scalar": torch.tensor(3)},
        {"root": "elsewhere"},
        {"x_again": X},
    ):
        assert data.from_torch(Silent(x=X, **extra)).digest == expected.digest, extra


def test_a_mapped_file_is_named_and_not_read(tmp_path: Path) -> None:
    file = tmp_path / "tokens.bin"
    np.arange(100, dtype=np.int32).tofile(file)
    mapped = np.memmap(file, np.int32, "r")
    made = data.from_torch(Silent(tokens=mapped))
    assert made.profile["digest_of"] == "description"
    np.zeros(100, dtype=np.int32).tofile(file)
    assert data.from_torch(Silent(tokens=np.memmap(file, np.int32, "r"))).digest == made.digest
    assert data.from_torch(Silent(tokens=mapped[:50])).digest != made.digest
    assert digest_of(mapped) == digest_of(np.zeros(100, np.int32))


def test_without_data_at_hand_a_dataset_is_described() -> None:
    made = data.from_torch(Silent(root="images", train=True, transform=torch.nn.ReLU()))
    assert made.profile == {
        "num_rows": 20,
        "dataset_class": f"{__name__}.Silent",
        "transform": "ReLU()",
        "digest_of": "description",
    }
    assert made.schema is None
    described = [
        made,
        data.from_torch(Silent(root="other", train=True)),
        data.from_torch(Silent(root="images", train=False)),
        data.from_torch(Silent(root=Path("images"))),
        data.from_torch(Stream(root="images", train=True)),
    ]
    assert len({each.digest for each in described}) == 5
    assert data.from_torch(Silent(root="images", train=True, epoch=4)).digest == made.digest
    assert "num_rows" not in described[-1].profile
    assert not hasattr(described[-1].data, "asked")


def test_attributes_with_rows_make_a_schema() -> None:
    made = data.from_torch(Silent(images=X.numpy(), labels=Y, mean=torch.zeros(3)))
    assert made.schema is not None
    features = made.schema["mlflow_tensorspec"]["features"]
    assert ('"images"' in features, '"labels"' in features) == (True, True)
    assert '"mean"' not in features


def test_joined_datasets_count_each() -> None:
    one, two = TensorDataset(X), TensorDataset(Y)
    joined = [
        ConcatDataset([one, two]),
        ConcatDataset([two, one]),
        ConcatDataset([one]),
        StackDataset(one, two),
        StackDataset(a=one, b=two),
        StackDataset(a=one, c=two),
        StackDataset(TensorDataset(X, Y), one),
        StackDataset(one, TensorDataset(Y, X)),
        one,
    ]
    assert len({text_of(each) for each in joined}) == len(joined)
    assert [covers(each) for each in joined] == ["data"] * len(joined)
    assert covers(ConcatDataset([one, Silent(x=X)])) == "attributes"
    assert covers(ConcatDataset([one, Silent()])) == "description"
    assert "digest_attributes" not in data.from_torch(joined[0]).profile


def test_a_class_derived_from_a_known_one_makes_its_own_items() -> None:
    made = data.from_torch(Augmented(X, Y))
    assert made.profile["digest_of"] == "attributes"
    assert made.digest != text_of(TensorDataset(X, Y))
    assert made.digest != data.from_torch(Augmented(X, Y + 1)).digest


def test_odd_datasets_have_a_reference() -> None:
    class Slotted(Dataset):
        __slots__ = ()

    class Loud:
        def __repr__(self) -> str:
            raise ValueError("no text")

    class Circle(Dataset):
        def __init__(self) -> None:
            self.me = self
            self.x = X

    assert covers(Slotted()) == "description"
    assert data.from_torch(Silent(transform=Loud())).profile["transform"] == (
        "<test_odd_datasets_have_a_reference.<locals>.Loud without text: ValueError>"
    )
    assert covers(Circle()) == "attributes"
    assert text_of(Circle()) == text_of(Circle())
    assert covers(DataLoader([1.0, 2.0])) == "data"
    assert covers(DataLoader([(X[0], 1), (X[1], 0)])) == "description"
    assert covers(TensorDataset(torch.zeros(3, device="meta"))) == "description"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: data.from_torch(TensorDataset(X), targets=Y), "targets"),
        (lambda: data.from_torch(object()), "DataLoader, got object"),
        (lambda: data.from_torch(TensorDataset(X), digest="x" * 37), "36"),
    ],
)
def test_wrong_arguments_are_refused(call: Any, message: str) -> None:
    with pytest.raises(InvalidArgument, match=message):
        call()


def test_a_digest_of_ones_own_is_not_explained() -> None:
    made = data.from_torch(Silent(x=X), digest="v7")
    assert made.digest == "v7"
    assert made.profile == {"num_rows": 20, "dataset_class": f"{__name__}.Silent"}


def test_runs_keep_them(tracking: Path) -> None:
    made = data.from_torch(DataLoader(TensorDataset(X, Y)), "s3://bucket/x", name="train")
    with autolog.start_run() as run:
        autolog.log_input(made, context="training")
        autolog.log_metric("loss", 0.5, dataset=made)
    (use,) = autolog.get_run(run.info.run_id).inputs.dataset_inputs
    assert use.dataset == made.to_entity()
    assert use.context == "training"
