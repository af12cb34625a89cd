"""`from_torch(..., read=True)`: every item once, and every generator as it was before."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from autolog import data
from autolog_core.data.items import read_torch
from autolog_core.data.random_state import seeded
from autolog_core.errors import InvalidArgument

torch = pytest.importorskip("torch")
from PIL import Image  # noqa: E402
from torch.utils.data import (  # noqa: E402
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

GRAY = np.arange(12, dtype=np.uint8).reshape(3, 4)


class Made(Dataset):
    """Items that a function makes; notes which were asked for."""

    def __init__(self, make: Any, length: int = 6) -> None:
        self.make = make
        self.length = length
        self.asked: list[int] = []

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, place: int) -> Any:
        self.asked.append(place)
        return self.make(place)


def test_every_item_is_read_once_and_in_order() -> None:
    dataset = Made(lambda place: (torch.full((2, 3), float(place)), place))
    made = data.from_torch(dataset, read=True)
    assert dataset.asked == [0, 1, 2, 3, 4, 5]
    assert made.profile == {
        "num_rows": 6,
        "dataset_class": f"{__name__}.Made",
        "digest_of": "items",
    }
    made.to_dict()
    assert len(dataset.asked) == 6
    assert made.schema is not None
    assert '"shape": [-1, 2, 3]' in made.schema["mlflow_tensorspec"]["features"]
    for place in range(6):
        other = Made(lambda at, place=place: (torch.full((2, 3), float(at)), at + (at == place)))
        assert data.from_torch(other, read=True).digest != made.digest
    assert data.from_torch(dataset, read=True).digest == made.digest
    assert dataset.asked[6:] == dataset.asked[:6]


def test_a_loader_is_read_through_its_dataset() -> None:
    dataset = Made(lambda place: place)
    expected = data.from_torch(dataset, read=True).digest
    assert data.from_torch(DataLoader(dataset, 4, shuffle=True), read=True).digest == expected
    dataset.asked.clear()
    loader = DataLoader(dataset, sampler=SubsetRandomSampler([4, 2]))
    assert data.from_torch(loader, read=True).profile["num_rows"] == 2
    assert dataset.asked == [4, 2]
    subset = Subset(dataset, [4, 2])
    assert data.from_torch(loader, read=True).digest == data.from_torch(subset, read=True).digest


def test_what_lies_at_hand_is_not_asked_for() -> None:
    X = torch.arange(6.0)
    made = data.from_torch(TensorDataset(X), read=True)
    assert made.profile["digest_of"] == "data"
    assert made.digest == data.from_torch(X, read=True).digest


class Drawing:
    """A transform that draws from every sort of generator."""

    def __init__(self) -> None:
        self.own = np.random.default_rng(1)
        self.many = {
            "old": np.random.RandomState(2),
            "python": random.Random(3),
            "torch": [torch.Generator().manual_seed(4)],
        }

    def __call__(self, place: int) -> list[float]:
        return [
            random.random(),
            float(np.random.rand()),
            float(torch.rand(())),
            float(self.own.random()),
            float(self.many["old"].rand()),
            self.many["python"].random(),
            float(torch.rand((), generator=self.many["torch"][0])),
        ]


def test_random_states_are_put_back() -> None:
    draw = Drawing()
    dataset = Made(draw)
    random.seed(9)
    np.random.seed(9)
    torch.manual_seed(9)
    expected = [draw(0) for _ in range(2)]
    again = Drawing()
    random.seed(9)
    np.random.seed(9)
    torch.manual_seed(9)
    found = [again(0)]
    made = data.from_torch(Made(again), read=True)
    assert [*found, again(0)] == expected
    assert data.from_torch(Made(Drawing()), read=True).digest != made.digest
    one = data.from_torch(dataset, read=True).digest
    for seed in (random.seed, np.random.seed, torch.manual_seed):
        seed(11)
        assert data.from_torch(dataset, read=True).digest == one


def test_random_states_are_put_back_after_an_error() -> None:
    def fail(place: int) -> float:
        if place == 3:
            raise ValueError("broken item")
        return random.random() + float(torch.rand(()))

    before = random.getstate(), torch.get_rng_state().tolist()
    with pytest.raises(ValueError, match="broken item"):
        data.from_torch(Made(fail), read=True)
    assert (random.getstate(), torch.get_rng_state().tolist()) == before


def test_generators_in_a_circle_are_found_once() -> None:
    draw = Drawing()
    draw.many["me"] = draw
    state = draw.own.bit_generator.state
    with seeded(draw):
        draw(0)
    assert draw.own.bit_generator.state == state


def test_images_count_by_their_pixels() -> None:
    images = {
        "gray": Image.fromarray(GRAY),
        "other": Image.fromarray(GRAY + 1),
        "color": Image.fromarray(GRAY).convert("RGB"),
        "space": Image.fromarray(GRAY).convert("RGB").convert("HSV"),
        "palette": Image.fromarray(GRAY).convert("P"),
    }
    recolored = images["palette"].copy()
    recolored.putpalette([7] * 768)
    images["recolored"] = recolored
    digests = {
        name: data.from_torch(Made(lambda _, image=image: (image, 1), 2), read=True)
        for name, image in images.items()
    }
    assert len({made.digest for made in digests.values()}) == len(images)
    assert "undigested_elements" not in digests["gray"].profile
    schema = digests["color"].schema
    assert schema is not None
    assert '"shape": [-1, 3, 4, 3]' in schema["mlflow_tensorspec"]["features"]


@pytest.mark.parametrize(
    ("make", "shapes"),
    [
        (lambda place: torch.zeros(place + 1, 3), "[-1, -1, 3]"),
        (lambda place: {"x": {"y": np.zeros(2)}}, "[-1, 2]"),
        (lambda place: torch.zeros((1,) * (place + 1)), None),
        (lambda place: torch.zeros(2) if place else 1, None),
        (lambda place: ["a"] * place, None),
    ],
)
def test_the_schema_fits_all_items(make: Any, shapes: str | None) -> None:
    schema = data.from_torch(Made(make), read=True).schema
    assert (schema is None) == (shapes is None)
    if schema is not None:
        assert shapes in schema["mlflow_tensorspec"]["features"]


def test_objects_that_cannot_be_seen_into_are_counted() -> None:
    made = data.from_torch(Made(lambda place: (object(), place)), read=True)
    assert made.profile["undigested_elements"] == 6


def test_what_cannot_be_read_item_by_item_is_refused() -> None:
    class Stream(IterableDataset):
        def __iter__(self) -> Any:
            raise AssertionError("a stream was read")

    class Endless(Dataset):
        def __getitem__(self, place: int) -> int:
            raise AssertionError("an item was asked for")

    for stream in (Stream(), DataLoader(Stream())):
        with pytest.raises(InvalidArgument, match="stream"):
            data.from_torch(stream, read=True)
    with pytest.raises(InvalidArgument, match="length"):
        read_torch(Endless())
