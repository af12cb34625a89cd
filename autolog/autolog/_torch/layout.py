"""How the tensors of a model lie in memory, and how they are stored so that all of it comes back.

Each tensor object has a `Spec`. Most have an entry of their own among the stored tensors. Those
that share memory (tied weights, views of one another) have one entry for what they share, and say
which part of it they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

PARAMETER, TENSOR = "parameter", "tensor"

# What safetensors has a word for. Other types are stored as their bytes.
WORDS = {
    "float64": "F64",
    "float32": "F32",
    "float16": "F16",
    "bfloat16": "BF16",
    "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2",
    "int64": "I64",
    "int32": "I32",
    "int16": "I16",
    "int8": "I8",
    "uint64": "U64",
    "uint32": "U32",
    "uint16": "U16",
    "uint8": "U8",
    "bool": "BOOL",
}
BYTES = "U8"


@dataclass(frozen=True, slots=True)
class Spec:
    """How one tensor object is made from the stored tensors.

    Attributes:
        entry: Name of the stored tensor.
        kind: Whether it is a parameter or another tensor.
        dtype: Name of its type in PyTorch.
        shape: Its lengths.
        stride: Its strides in elements; None for those of a contiguous tensor.
        offset: Its first element within the entry; None when it is the whole entry.
        requires_grad: Whether gradients are wanted.
    """

    entry: str
    kind: str
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...] | None = None
    offset: int | None = None
    requires_grad: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Returns the fields as plain data, without those that say nothing."""
        found: dict[str, Any] = {
            "entry": self.entry,
            "kind": self.kind,
            "dtype": self.dtype,
            "shape": list(self.shape),
        }
        if self.stride is not None:
            found["stride"] = list(self.stride)
        if self.offset is not None:
            found["offset"] = self.offset
        if self.requires_grad:
            found["requires_grad"] = True
        return found

    @classmethod
    def from_dict(cls, fields: Mapping[str, Any]) -> Spec:
        """Returns the spec that `to_dict` told.

        Raises:
            KeyError: A field is missing.
            TypeError: One is of the wrong kind.
            ValueError: A number is.
        """
        stride, offset = fields.get("stride"), fields.get("offset")
        return cls(
            str(fields["entry"]),
            str(fields["kind"]),
            str(fields["dtype"]),
            tuple(map(int, fields["shape"])),
            None if stride is None else tuple(map(int, stride)),
            None if offset is None else int(offset),
            bool(fields.get("requires_grad", False)),
        )


@dataclass(frozen=True, slots=True)
class Layout:
    """What is stored of a model's tensors.

    Attributes:
        entries: The tensors to store, by name, without gradients.
        specs: How each tensor object is made from these, in the order in which they were given.
    """

    entries: Mapping[str, torch.Tensor]
    specs: tuple[Spec, ...]


def lay_out(tensors: Sequence[torch.Tensor], names: Mapping[int, str]) -> Layout:
    """Decides how tensors are stored.

    Args:
        tensors: Tensor objects, each once.
        names: What the model calls them, by `id`.
    """
    import torch

    entries: dict[str, torch.Tensor] = {}
    specs: dict[int, Spec] = {}
    for group in _overlapping(tensors):
        base = _base(group, tensors, names)
        for index in group:
            tensor = tensors[index]
            kind = PARAMETER if isinstance(tensor, torch.nn.Parameter) else TENSOR
            dtype = str(tensor.dtype).removeprefix("torch.")
            shape, contiguous = tuple(tensor.shape), tensor.is_contiguous()
            if base == index:
                name = _name(index, tensors, names)
                entries[name] = tensor.detach()
                strides = None if contiguous else tuple(tensor.stride())
                offset = None
            elif base is None:
                name, strides = f"__memory__.{group[0]}", tuple(tensor.stride())
                offset = (_region(tensor)[0] - _start(group, tensors)) // tensor.element_size()
            else:
                name, strides = _name(base, tensors, names), tuple(tensor.stride())
                offset = (_region(tensor)[0] - _region(tensors[base])[0]) // tensor.element_size()
            specs[index] = Spec(name, kind, dtype, shape, strides, offset, tensor.requires_grad)
        if base is None:
            entries[f"__memory__.{group[0]}"] = _memory(group, tensors)
    return Layout(entries, tuple(specs[index] for index in range(len(tensors))))


def _name(index: int, tensors: Sequence[torch.Tensor], names: Mapping[int, str]) -> str:
    return names.get(id(tensors[index])) or f"__other__.{index}"


def _region(tensor: torch.Tensor) -> tuple[int, int]:
    """Returns the first byte of a tensor in its memory and the one after its last."""
    size = tensor.element_size()
    start = tensor.storage_offset() * size
    if tensor.numel() == 0:
        return start, start
    last: int = sum((n - 1) * step for n, step in zip(tensor.shape, tensor.stride(), strict=True))
    return start, start + (last + 1) * size


def _overlapping(tensors: Sequence[torch.Tensor]) -> list[list[int]]:
    """Returns groups of tensors that share bytes; most groups have one member."""
    by_memory: dict[Any, list[int]] = {}
    for index, tensor in enumerate(tensors):
        place = tensor.untyped_storage().data_ptr()
        # What has no memory of its own shares none.
        key = (tensor.device, place) if place and tensor.numel() else ("alone", index)
        by_memory.setdefault(key, []).append(index)
    groups: list[list[int]] = []
    for members in by_memory.values():
        end = -1
        for index in sorted(members, key=lambda each: _region(tensors[each])):
            start, stop = _region(tensors[index])
            if start >= end:
                groups.append([])
            groups[-1].append(index)
            end = max(end, stop)
    return groups


def _base(
    group: Sequence[int], tensors: Sequence[torch.Tensor], names: Mapping[int, str]
) -> int | None:
    """Returns the member that holds all the memory of its group, named ones first, or None."""
    if len(group) == 1 and _is_dense(tensors[group[0]]):
        return group[0]
    whole = (_start(group, tensors), max(_region(tensors[each])[1] for each in group))
    fitting = [
        each
        for each in group
        if tensors[each].is_contiguous()
        and _region(tensors[each]) == whole
        and whole[0] % tensors[each].element_size() == 0
    ]
    return min(fitting, key=lambda each: (id(tensors[each]) not in names, each), default=None)


def _start(group: Sequence[int], tensors: Sequence[torch.Tensor]) -> int:
    return min(_region(tensors[each])[0] for each in group)


def _is_dense(tensor: torch.Tensor) -> bool:
    """Whether the elements fill a piece of memory, in whatever order, each once."""
    expected = 1
    for step, length in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if length == 1:
            continue
        if step != expected:
            return False
        expected *= length
    return True


def _memory(group: Sequence[int], tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    """Returns the bytes that a group of tensors shares, as a tensor that looks at them."""
    import torch

    start = _start(group, tensors)
    end = max(_region(tensors[each])[1] for each in group)
    first = tensors[group[0]]
    seen = torch.empty(0, dtype=torch.uint8, device=first.device)
    return seen.set_(first.untyped_storage(), start, (end - start,), (1,))


def make_tensors(entries: Mapping[str, torch.Tensor], specs: Sequence[Spec]) -> list[torch.Tensor]:
    """Returns tensor objects as `lay_out` found them; those that shared memory share it again.

    Args:
        entries: The stored tensors, contiguous; they become the memory of what is returned.
        specs: How each object is made.

    Raises:
        KeyError: An entry is missing.
        ValueError: A spec does not fit its entry.
        RuntimeError: Likewise, as PyTorch says it.
    """
    import torch

    made: list[torch.Tensor] = []
    for spec in specs:
        dtype = getattr(torch, spec.dtype, None)
        if not isinstance(dtype, torch.dtype) or spec.kind not in (PARAMETER, TENSOR):
            raise ValueError(f"{spec.kind} of type {spec.dtype} is not known")
        entry = entries[spec.entry]
        if entry.dtype != dtype:
            entry = _as_bytes(entry).view(dtype)
        if spec.offset is not None:
            _check_inside(spec, entry.numel())
            tensor = entry.reshape(-1).as_strided(
                spec.shape, spec.stride or (), entry.storage_offset() + spec.offset
            )
        else:
            tensor = entry.view(spec.shape)
            if spec.stride is not None:
                ordered = torch.empty_strided(spec.shape, spec.stride, dtype=dtype)
                tensor = ordered.copy_(tensor)
        if spec.kind == PARAMETER:
            tensor = torch.nn.Parameter(tensor, spec.requires_grad)
        else:
            # A view of its own: gradients are asked of this object alone.
            tensor = tensor.detach().requires_grad_(spec.requires_grad)
        made.append(tensor)
    return made


def _as_bytes(tensor: torch.Tensor) -> torch.Tensor:
    import torch

    return tensor.reshape(-1).view(torch.uint8)


def _check_inside(spec: Spec, length: int) -> None:
    stride = spec.stride or ()
    if len(stride) != len(spec.shape) or min((spec.offset or 0, *stride, *spec.shape)) < 0:
        raise ValueError(f"{spec.entry} has no part of this shape")
    last = sum((n - 1) * step for n, step in zip(spec.shape, stride, strict=True))
    if 0 not in spec.shape and (spec.offset or 0) + last >= length:
        raise ValueError(f"{spec.entry} is shorter than its part")
