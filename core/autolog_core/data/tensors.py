"""Digests of tensors of PyTorch and TensorFlow, by methods of the tensor alone.

A tensor has the digest of the NumPy array of the same values. One in main memory is read in place;
one on a device, or one that PyTorch keeps conjugated, through blocks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.arrays import Array, bits_label, dtype_label, write_bits, write_elements
from autolog_core.data.sparse import write_entries
from autolog_core.data.writer import Writer

_BLOCK = 2**26
_GATHER = 2**23
_ROWS = 2**16
_BY_DLPACK = frozenset(
    (
        *("float16", "float32", "float64", "complex64", "complex128", "uint8"),
        *("int8", "int16", "int32", "int64"),
    )
)
_NUMPY = _BY_DLPACK | {"bool", "uint16", "uint32", "uint64"}


class Facts(NamedTuple):
    """The words of NumPy for a tensor's elements, its shape, and bytes per element (0: varied)."""

    dtype: str
    shape: tuple[int, ...]
    itemsize: int


def facts_of(tensor: Any) -> Facts:
    """Returns what is known of a tensor without reading it; an axis of varied length is -1."""
    shape = tuple(-1 if length is None else int(length) for length in tensor.shape)
    if kinds.is_a(tensor, "torch", "Tensor"):
        return Facts(_torch_dtype(tensor), shape, tensor.dtype.itemsize)
    name = tensor.dtype.name
    return Facts("str" if name == "string" else name, shape, tensor.dtype.size or 0)


def measures_of(tensor: Any) -> dict[str, Any]:
    """Returns shape, size and nbytes of a tensor; of a sparse or ragged one the shape alone."""
    facts = facts_of(tensor)
    is_torch = kinds.is_a(tensor, "torch", "Tensor")
    dense = _is_strided(tensor) if is_torch else not hasattr(tensor, "values")
    if not dense:
        return {"shape": facts.shape}
    size = int(np.prod(facts.shape, dtype=np.int64))
    return {"shape": facts.shape, "size": size, "nbytes": size * facts.itemsize or None}


def _torch_dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def write_tensor(writer: Writer, tensor: Any) -> None:
    """Adds dtype, shape and every element of a tensor."""
    if not kinds.is_a(tensor, "torch", "Tensor"):
        _write_tensorflow(writer, tensor)
        return
    plain = tensor.detach()
    if not _is_strided(plain):
        _write_sparse(writer, plain)
        return
    _write_head(writer, _torch_dtype(plain), tuple(plain.shape))
    for block in _blocks(plain):
        _write_block(writer, plain, block)


def can_pick(data: Any) -> bool:
    """Whether `write_rows` can read rows of `data`."""
    kind = kinds.kind_of(data)
    if kind == kinds.TENSOR:
        return kinds.is_a(data, "torch", "Tensor") and _is_strided(data) and data.ndim > 0
    return bool(kind == kinds.ARRAY and data.ndim > 0 and not data.dtype.hasobject)


def write_rows(writer: Writer, data: Any, rows: Array) -> None:
    """Adds the chosen rows of an array or tensor as if they were one by themselves.

    Args:
        writer: Takes them.
        data: An array or a strided tensor of PyTorch, of at least one axis.
        rows: Which rows, from 0, in this order; int64.
    """
    is_array = isinstance(data, np.ndarray)
    source: Any = np.asarray(data) if is_array else data.detach()
    shape = (len(rows), *source.shape[1:])
    step = max(1, min(_ROWS, _GATHER // max(1, source[:1].nbytes)))
    if is_array:
        writer.label(dtype_label(source.dtype))
        writer.numbers(*shape)
    else:
        _write_head(writer, _torch_dtype(source), shape)
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        if is_array:
            write_elements(writer, source[part])
        elif _in_memory(source):
            _write_block(writer, source, _view(source)[part])
        else:
            chosen = sys.modules["torch"].as_tensor(part, device=source.device)
            for block in _blocks(source.index_select(0, chosen)):
                _write_block(writer, source, block)


def _label(dtype: str) -> str:
    return dtype_label(np.dtype(dtype)) if dtype in _NUMPY else bits_label(dtype)


def _write_head(writer: Writer, dtype: str, shape: Sequence[int]) -> None:
    writer.label(_label(dtype))
    writer.numbers(*shape)


def _write_block(writer: Writer, tensor: Any, block: Array) -> None:
    dtype = _torch_dtype(tensor)
    if dtype in _NUMPY:
        write_elements(writer, block)
    else:
        write_bits(writer, block, dtype)


def _is_strided(tensor: Any) -> bool:
    return str(tensor.layout) == "torch.strided"


def _in_memory(tensor: Any) -> bool:
    return tensor.device.type == "cpu" and not tensor.is_conj() and not tensor.is_neg()


def _blocks(tensor: Any) -> Iterator[Array]:
    """Yields the elements in C order."""
    if tensor.numel() == 0:
        return
    if _in_memory(tensor):
        yield _view(tensor)
        return
    row = tensor[0].nbytes if tensor.ndim else 0
    if tensor.ndim == 0 or row * len(tensor) <= _BLOCK:
        yield _view(tensor.resolve_conj().resolve_neg().cpu())
    elif row > _BLOCK:
        for part in tensor:
            yield from _blocks(part)
    else:
        step = _BLOCK // row
        for start in range(0, len(tensor), step):
            yield from _blocks(tensor[start : start + step])


def _view(tensor: Any) -> Array:
    """Returns an array over the memory of a tensor; of its bits where NumPy lacks the dtype.

    By DLPack: `Tensor.numpy` would forbid the tensor's owner to resize it from then on.
    """
    name = _torch_dtype(tensor)
    if name in _BY_DLPACK:
        return np.from_dlpack(tensor)
    bits = 8 * tensor.dtype.itemsize
    integers = getattr(sys.modules["torch"], "uint8" if bits == 8 else f"int{bits}")
    array = np.from_dlpack(tensor.view(integers))
    return array.view(name if name in _NUMPY else f"uint{bits}")


def _write_sparse(writer: Writer, tensor: Any) -> None:
    entries = tensor.to_sparse_coo().coalesce()
    values = entries.values().cpu()

    def write_values() -> None:
        for block in _blocks(values):
            _write_block(writer, tensor, block)

    axes = list(_view(entries.indices().cpu()))
    label = _label(_torch_dtype(tensor))
    write_entries(writer, label, tuple(entries.shape), axes, write_values)


def _write_tensorflow(writer: Writer, tensor: Any) -> None:
    if kinds.is_a(tensor, "tensorflow", "RaggedTensor"):
        writer.label("ragged")
        writer.numbers(len(tensor.nested_row_splits))
        for part in (tensor.flat_values, *tensor.nested_row_splits):
            write_tensor(writer, part)
        return
    if kinds.is_a(tensor, "tensorflow", "SparseTensor"):
        _write_tensorflow_sparse(writer, tensor)
        return
    if kinds.is_a(tensor, "tensorflow", "Variable"):
        tensor = tensor.read_value()
    facts = facts_of(tensor)
    writer.label(dtype_label(np.dtype(tensor.dtype.as_numpy_dtype)))
    writer.numbers(*facts.shape)
    row = facts.itemsize * int(np.prod(facts.shape[1:], dtype=np.int64))
    if "CPU" in tensor.device or not facts.shape or row * facts.shape[0] <= _BLOCK:
        # NumPy reads the buffer; the method `numpy` would copy it.
        write_elements(writer, np.asarray(tensor))
        return
    step = max(1, _BLOCK // row)
    for start in range(0, facts.shape[0], step):
        write_elements(writer, np.asarray(tensor[start : start + step]))


def _write_tensorflow_sparse(writer: Writer, tensor: Any) -> None:
    axes = np.asarray(tensor.indices, np.int64).T
    values = np.asarray(tensor.values)
    order = np.lexsort(axes[::-1])
    write_entries(
        writer,
        dtype_label(values.dtype),
        tuple(np.asarray(tensor.dense_shape).tolist()),
        [axis[order] for axis in axes],
        lambda: write_elements(writer, values[order]),
    )
