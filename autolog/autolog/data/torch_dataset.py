"""Datasets of PyTorch: tensors, map-style datasets, loaders."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autolog_core.data import DataReference, kinds, outline_of_tensors, read_torch
from autolog_core.errors import InvalidArgument

__all__ = ["TorchDataset", "from_torch"]


class TorchDataset(DataReference):
    """Tensors, a dataset or a loader of PyTorch with what identifies it.

    Args:
        data: See `from_torch`.
        source: See `from_torch`.
        targets: Tensors of labels.
        name: Up to 500 characters.
        digest: At most 36 characters.
        read: Whether every item is read now.

    Raises:
        InvalidArgument: An argument is not legal.
    """

    def __init__(
        self,
        data: Any,
        source: Any = None,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
        *,
        read: bool = False,
    ) -> None:
        super().__init__(data, source, targets, name, digest)
        if isinstance(data, (list, tuple)):
            self._seen = outline_of_tensors(data, {"num_rows": _rows(data[0])})
        elif isinstance(data, Mapping):
            self._seen = dict(data)
        elif read:
            self._seen = read_torch(data)

    @property
    def data(self) -> Any:
        """What was given: tensors, the dataset, the loader."""
        return self._data

    @property
    def targets(self) -> Any:
        """The labels, or None."""
        return self._labels


def from_torch(
    data: Any,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
    *,
    read: bool = False,
) -> TorchDataset:
    """Returns a dataset of PyTorch's tensors, datasets and loaders.

    No item of a dataset is asked for, no loader is iterated, and no random state moves. Tensors
    are read where they lie: those given, those of a `TensorDataset`, the chosen rows of a
    `Subset` of one, and those that another dataset keeps in its attributes, together with its
    arrays, tables and lists of plain values. A loader stands for its dataset. ``digest_of`` in the
    profile says what the digest covers:

    - ``data``: every value, so the digest is that of the same arrays in NumPy;
    - ``attributes``: the values in the attributes that ``digest_attributes`` names, and not what
      the dataset makes of them or reads beside them;
    - ``description``: no data; the class, the length, and settings that are text, paths or
      switches;
    - ``items``: every item, with ``read=True``.

    Args:
        data: A tensor, a tuple, list or mapping of tensors, a map-style dataset, an
            `IterableDataset` (never read) or a `DataLoader`.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: Labels, where `data` is tensors: a tensor or a mapping of tensors.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from the data when absent.
        read: Whether to ask the dataset for every item, once and in order, here and now. Global
            random states, and generators in the dataset's attributes, are put back afterwards;
            what the dataset itself counts or caches, it will.

    Raises:
        InvalidArgument: `data` or `targets` is none of these, or its values are nowhere in this
            process (the meta device), `read` is asked for a stream, or another argument is not
            legal.
        Exception: Whatever the dataset raises while it is read.
    """
    is_set = kinds.kind_of(data) in (kinds.TORCH_SET, kinds.TORCH_LOADER)
    if not is_set:
        words = "a tensor, a tuple or mapping of tensors, a Dataset or a DataLoader"
        _check_tensors(data, "data", words)
    if targets is not None:
        if is_set:
            raise InvalidArgument(
                f"targets goes with tensors; {type(data).__name__} holds its labels itself"
            )
        _check_tensors(targets, "targets", "a tensor or a mapping of tensors")
    return TorchDataset(data, source, targets, name, digest, read=read and is_set)


def _rows(tensor: Any) -> int:
    return int(tensor.shape[0]) if tensor.ndim else 1


def _check_tensors(value: Any, argument: str, words: str) -> None:
    parts = [value]
    if isinstance(value, Mapping):
        parts = list(value.values())
    elif isinstance(value, (list, tuple)) and argument == "data":
        parts = list(value)
    for part in parts or [None]:
        if kinds.is_a(part, "torch", "Tensor"):
            if not kinds.has_values(part):
                raise InvalidArgument(
                    f"{argument} has no values in this process: {type(part).__name__} on device "
                    f"{part.device}; give tensors with data, or a digest with another kind of "
                    "dataset"
                )
        else:
            raise InvalidArgument(f"{argument} must be {words}, got {type(part).__name__}")
