"""What can be told of a `tf.data.Dataset` without iterating it.

Iterating runs the user's functions and moves its shuffles on. So the tensors that a pipeline was
made from are read where they lie. If all that follows puts elements in order, in batches or ahead
of time, they are the data; else the pipeline's steps are part of the digest, by name.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from autolog_core.data import kinds
from autolog_core.data.columns import Tensor
from autolog_core.data.outline import DATA, DESCRIPTION, PIPELINE, Outline
from autolog_core.data.tensors import facts_of

# Steps that change neither which elements there are nor what they hold.
_ORDERING = frozenset(
    (
        *("Shuffle", "Batch", "ParallelBatch", "Prefetch", "Cache", "Repeat", "Options"),
        *("ShuffleAndRepeat", "AssertCardinality"),
    )
)
_SOURCES = frozenset(("TensorSlice", "Tensor"))
_SMALL = 1024
_DEPTH = 200
_MOST = 1000


def outline_of_tensorflow(data: Any) -> Outline:
    """Returns the outline of a dataset."""
    steps = list(islice(_steps(data), _MOST))
    names = [_name(step) for step in steps]
    profile = {"cardinality": _cardinality(data), "pipeline": names[::-1]}
    tensors = _schema(data.element_spec, batched=_is_batched(names))
    if names[-1] in _SOURCES and _ORDERING.issuperset(names[:-1]):
        parts = _source_parts(steps[-1])
        if parts is not None:
            profile["num_rows"] = 1 if names[-1] == "Tensor" else _rows_of(steps[-1])
            return Outline(DATA, parts, None, profile, tensors)
    # What orders the elements at the end does not count; before a step that takes some, it does.
    counted = next((n for n, name in enumerate(names) if name not in _ORDERING), len(names))
    pieces: list[Any] = []
    read = False
    for step, name in zip(steps[counted:], names[counted:], strict=True):
        values = list(_values(step, whole=name in _SOURCES))
        # A generator starts from a tensor as well, of a single number.
        is_number = name == "Tensor" and _rows_of(step) is None
        read |= bool(values) and name in _SOURCES and not is_number
        pieces += [name, *values]
    covers = PIPELINE if read else DESCRIPTION
    spec = repr(steps[min(counted, len(steps) - 1)].element_spec)
    return Outline(covers, (spec, *pieces), "tensorflow dataset", profile, tensors)


def _steps(data: Any, depth: int = 0) -> Iterator[Any]:
    """Yields a dataset and those that it is made from, the last step first."""
    yield data
    if depth > _DEPTH:
        return
    inputs = list(data._inputs()) or [
        value
        for name, value in vars(data).items()
        if name != "_impl" and kinds.kind_of(value) == kinds.TENSORFLOW_SET
    ]
    for each in inputs:
        yield from _steps(each, depth + 1)


def _name(step: Any) -> str:
    return type(step).__name__.strip("_").removesuffix("V2").removesuffix("Dataset")


def _is_batched(names: list[str]) -> bool:
    """Whether the last step that makes or takes apart batches makes them."""
    return next((name != "Unbatch" for name in names if name.lower().endswith("batch")), False)


def _source_parts(source: Any) -> tuple[Any, ...] | None:
    tensors = list(getattr(source, "_tensors", ()))
    if not tensors or any(kinds.kind_of(tensor) != kinds.TENSOR for tensor in tensors):
        return None
    structure = sys.modules["tensorflow"].nest.pack_sequence_as(source.element_spec, tensors)
    return structure if type(structure) is tuple else (structure,)


def _rows_of(source: Any) -> int | None:
    shape = facts_of(source._tensors[0]).shape
    return shape[0] if shape else None


def _values(step: Any, whole: bool) -> Iterator[Any]:
    """Yields the numbers and names that a step was given, and the tensors of a source."""
    for name, value in sorted(vars(step).items()):
        for part in value if isinstance(value, (list, tuple)) else (value,):
            if kinds.kind_of(part) != kinds.TENSOR or "seed" in name:
                continue
            size = 1
            for length in facts_of(part).shape:
                size *= length
            if whole or size <= _SMALL:
                yield from (name, part)


def _cardinality(data: Any) -> int | None:
    try:
        return int(data.cardinality())
    except (TypeError, ValueError, NotImplementedError):
        # Inside a graph there is no number yet.
        return None


def _schema(spec: Any, batched: bool) -> tuple[Tensor, ...]:
    return tuple(_tensors(spec, None, batched))


def _tensors(spec: Any, name: str | None, batched: bool) -> Iterator[Tensor]:
    if isinstance(spec, dict):
        parts = [(str(key), part) for key, part in spec.items()]
    elif isinstance(spec, (list, tuple)):
        parts = [(str(place), part) for place, part in enumerate(spec)]
    else:
        dtype, shape = getattr(spec, "dtype", None), getattr(spec, "shape", None)
        if dtype is not None and shape is not None and shape.rank is not None:
            lengths = [-1 if length is None else int(length) for length in shape]
            rows = lengths if lengths and batched else [-1, *lengths]
            word = "str" if dtype.name == "string" else dtype.name
            yield Tensor(name, word, (-1, *rows[1:]))
        return
    for key, part in parts:
        yield from _tensors(part, key if name is None else f"{name}.{key}", batched)
