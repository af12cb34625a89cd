"""Reading every item of a dataset, where the user asked for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.columns import Tensor, tensor_of
from autolog_core.data.outline import DATA, ITEMS, Outline
from autolog_core.data.random_state import seeded
from autolog_core.data.tensorflow_sets import outline_of_tensorflow
from autolog_core.data.torch_sets import outline_of_torch, places_of
from autolog_core.data.values import encode
from autolog_core.data.writer import Writer
from autolog_core.errors import InvalidArgument

_INFINITE = -1


def read_torch(data: Any) -> Outline:
    """Returns the outline of a PyTorch dataset or loader whose digest is over all items.

    Each item is asked for once, in order; a loader's sampler and workers are not used. Global
    generators have one fixed state meanwhile, and afterwards the state from before.

    Raises:
        InvalidArgument: The dataset is a stream, or has no length.
        Exception: Whatever the dataset raises.
    """
    outline = outline_of_torch(data)
    if outline.covers == DATA:
        return outline
    dataset, places = data, None
    if kinds.kind_of(data) == kinds.TORCH_LOADER:
        dataset = data.dataset
        if kinds.is_a(data.sampler, "torch", "SubsetRandomSampler"):
            places = places_of(vars(data.sampler).get("indices"))
    if kinds.is_a(dataset, "torch", "IterableDataset"):
        raise InvalidArgument(
            f"read=True cannot read {type(dataset).__name__}: a stream may be read once, and that "
            "is for training; leave read out, or give a digest of your own"
        )
    if places is None:
        try:
            places = np.arange(len(dataset))
        except TypeError as error:
            raise InvalidArgument(
                f"read=True needs a dataset with a length, {type(dataset).__name__} has none"
            ) from error
    with seeded(dataset):
        return _read((dataset[int(place)] for place in places), outline)


def read_tensorflow(data: Any) -> Outline:
    """Returns the outline of a `tf.data.Dataset` whose digest is over all elements.

    Raises:
        InvalidArgument: It shuffles or has no end.
        Exception: Whatever its functions raise.
    """
    outline = outline_of_tensorflow(data)
    if outline.covers == DATA:
        return outline
    if any("Shuffle" in step for step in outline.profile["pipeline"]):
        raise InvalidArgument(
            "read=True cannot read a dataset that shuffles: its order is drawn anew each time; "
            "give the dataset from before shuffle()"
        )
    if outline.profile["cardinality"] == _INFINITE:
        raise InvalidArgument(
            "read=True cannot read a dataset without end; give the one from before repeat()"
        )
    with seeded():
        return replace(_read(data, outline), tensors=outline.tensors)


def _read(items: Iterable[Any], outline: Outline) -> Outline:
    writer = Writer()
    count = 0
    tensors: tuple[Tensor, ...] | None = None
    for item in items:
        plain = _plain(item)
        writer.raw(encode(plain, writer))
        found = tuple(_tensors(plain, None))
        tensors = found if tensors is None else _merged(tensors, found)
        count += 1
    profile = {key: value for key, value in outline.profile.items() if key != "digest_attributes"}
    return Outline(
        ITEMS,
        (count, writer.hexdigest()),
        "items",
        profile | {"num_rows": count},
        tensors or (),
        opaque=writer.opaque,
    )


class _Image(NamedTuple):
    mode: str
    pixels: np.ndarray[Any, Any]
    palette: list[int] | None


def _plain(item: Any) -> Any:
    """Returns an item with its images as arrays."""
    if kinds.is_a(item, "PIL", "Image"):
        palette = item.getpalette() if item.mode == "P" else None
        return _Image(item.mode, np.asarray(item), palette)
    if isinstance(item, (list, tuple)):
        return [_plain(part) for part in item]
    if isinstance(item, dict):
        return {name: _plain(part) for name, part in item.items()}
    return item


def _tensors(item: Any, name: str | None) -> Iterator[Tensor]:
    if isinstance(item, _Image):
        item = item.pixels
    if isinstance(item, (list, tuple, dict)):
        parts = item.items() if isinstance(item, dict) else enumerate(item)
        for key, part in parts:
            yield from _tensors(part, str(key) if name is None else f"{name}.{key}")
        return
    if isinstance(item, (bool, int, float, np.generic)):
        item = np.asarray(item)
    found = tensor_of(item, name) if kinds.kind_of(item) in (kinds.ARRAY, kinds.TENSOR) else None
    if found is not None:
        yield found._replace(shape=(-1, *item.shape))


def _merged(one: tuple[Tensor, ...], two: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Returns a schema that both items fit: an axis that varies is -1; none if there is no such."""
    if one == two:
        return one
    if [(each.name, each.dtype) for each in one] != [(each.name, each.dtype) for each in two]:
        return ()
    merged = []
    for first, second in zip(one, two, strict=True):
        if len(first.shape) != len(second.shape):
            return ()
        pairs = zip(first.shape, second.shape, strict=True)
        merged.append(first._replace(shape=tuple(a if a == b else -1 for a, b in pairs)))
    return tuple(merged)
