"""Datasets of TensorFlow: tensors and `tf.data` pipelines."""

from __future__ import annotations

from typing import Any

from autolog.data._check import check_kind
from autolog_core.data import DataReference, kinds, read_tensorflow
from autolog_core.errors import InvalidArgument

__all__ = ["TensorFlowDataset", "from_tensorflow"]

_WORDS = "a tensor with values, a mapping of such tensors or a tf.data.Dataset"


class TensorFlowDataset(DataReference):
    """Tensors or a `tf.data.Dataset` of TensorFlow with what identifies them.

    Args:
        features: See `from_tensorflow`.
        source: See `from_tensorflow`.
        targets: See `from_tensorflow`.
        name: Up to 500 characters.
        digest: At most 36 characters.
        read: Whether every element is read now.

    Raises:
        InvalidArgument: An argument is not legal.
    """

    def __init__(
        self,
        features: Any,
        source: Any = None,
        targets: Any = None,
        name: str | None = None,
        digest: str | None = None,
        *,
        read: bool = False,
    ) -> None:
        super().__init__(features, source, targets, name, digest)
        if read and kinds.kind_of(features) == kinds.TENSORFLOW_SET:
            self._seen = read_tensorflow(features)
            self._labels_seen = None if targets is None else read_tensorflow(targets)

    @property
    def data(self) -> Any:
        """The features."""
        return self._data

    @property
    def targets(self) -> Any:
        """The labels, or None."""
        return self._labels


def from_tensorflow(
    features: Any,
    source: Any = None,
    targets: Any = None,
    name: str | None = None,
    digest: str | None = None,
    *,
    read: bool = False,
) -> TensorFlowDataset:
    """Returns a dataset of TensorFlow's tensors and `tf.data` pipelines.

    A pipeline is not iterated: that would run its functions and move its shuffles on. The tensors
    that it was made from are read where they lie. ``digest_of`` in the profile says what the digest
    covers:

    - ``data``: every value, where all steps only shuffle, batch, repeat, cache or prefetch; the
      digest is that of the same arrays in NumPy;
    - ``pipeline``: the tensors at the start (of file names, for files), and the names and numbers
      of the steps, but not what functions do;
    - ``description``: the element spec and the steps;
    - ``items``: every element, with ``read=True``.

    Args:
        features: A tensor with values, a mapping of such tensors, or a `tf.data.Dataset`.
        source: A path, an address or a `DatasetSource`; the running code when absent.
        targets: Labels, of the same sort as `features`.
        name: Up to 500 characters; "dataset" when absent.
        digest: At most 36 characters; made from the data when absent.
        read: Whether to iterate the pipeline once, here and now. The global random states of
            Python, NumPy and PyTorch are put back afterwards; random operations of the pipeline's
            own move on. Batches count as elements.

    Raises:
        InvalidArgument: `features` or `targets` is none of these, they are of two sorts, a pipeline
            to read shuffles or has no end, or another argument is not legal.
        Exception: Whatever the pipeline raises while it is read.
    """
    _check(features, "features")
    if targets is not None:
        _check(targets, "targets")
        if _is_set(features) != _is_set(targets):
            raise InvalidArgument(
                "features and targets must both be tensors or both be a tf.data.Dataset, got "
                f"{type(features).__name__} and {type(targets).__name__}"
            )
    return TensorFlowDataset(features, source, targets, name, digest, read=read)


def _is_set(value: Any) -> bool:
    return kinds.kind_of(value) == kinds.TENSORFLOW_SET


def _check(value: Any, argument: str) -> None:
    parts = value.values() if isinstance(value, dict) and value else (value,)
    for part in parts:
        check_kind(part, (kinds.TENSOR, kinds.TENSORFLOW_SET), argument, _WORDS)
        if not (kinds.is_a(part, "tensorflow", type(part).__name__)):
            raise InvalidArgument(f"{argument} must be {_WORDS}, got {type(part).__name__}")
