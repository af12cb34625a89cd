"""The weights of a model: copied in one go, written as safetensors, read without running code."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autolog._torch.layout import BYTES, WORDS, Layout, Spec, make_tensors
from autolog_core.errors import InvalidArgument, MissingExtra, NotFound
from autolog_core.models.locate import inside
from autolog_core.models.memory import Buffer, BufferPool
from autolog_core.models.tensors import Place, RawTensor, SharedTensors, digest_of, write_tensors

if TYPE_CHECKING:
    import torch

FILE = "weights.json"
_ALIGNED = 64
_VERSION = 1


@dataclass(slots=True)
class WeightsCopy:
    """The weights of a model as they were at one moment.

    Attributes:
        layout: How tensors are stored.
        offsets: Where each entry lies in the buffer, in bytes.
        buffer: The copy; None where `layout` names the model's own memory, for want of other.
        state: Index of the spec of each entry of the state dict, by name.
        size: Bytes of the buffer.
    """

    layout: Layout
    offsets: dict[str, int]
    buffer: Buffer | None
    state: Mapping[str, int]
    size: int

    def entries(self) -> dict[str, torch.Tensor]:
        """Returns the stored tensors; they look into the copy."""
        if self.buffer is None:
            return {name: each.contiguous() for name, each in self.layout.entries.items()}
        return {
            name: _look(self.buffer, self.offsets[name], entry)
            for name, entry in self.layout.entries.items()
        }

    def write(
        self,
        folder: Path,
        known: SharedTensors | None = None,
        breathe: Callable[[int], None] = lambda count: None,
    ) -> dict[str, Place]:
        """Writes the files; returns where each entry is.

        Args:
            folder: Where to.
            known: What this process wrote before, to share files with.
            breathe: Is told after each piece how many bytes are done; it may rest.
        """
        if self.buffer is not None:
            whole = memoryview(self.buffer.memory)
            raw = [
                _raw(name, entry, whole[offset : offset + entry.numel() * entry.element_size()])
                for (name, entry), offset in zip(
                    self.layout.entries.items(), self.offsets.values(), strict=True
                )
            ]
        else:
            raw = [_raw(name, entry, _bytes_of(entry)) for name, entry in self.entries().items()]
        places = write_tensors(raw, folder, known, breathe)
        told = {
            "version": _VERSION,
            "entries": {
                name: {"file": each.file, "name": each.name, "digest": each.digest}
                for name, each in places.items()
            },
            "tensors": [spec.to_dict() for spec in self.layout.specs],
            "state_dict": dict(self.state),
        }
        (folder / FILE).write_text(json.dumps(told, indent=1), encoding="utf-8")
        return places

    def forget_model(self) -> None:
        """Lets go of the model that was copied: its memory, on a device perhaps, is the user's."""
        if self.buffer is not None:
            shapes = {name: each.to("meta") for name, each in self.layout.entries.items()}
            self.layout = Layout(shapes, self.layout.specs)

    def release(self) -> None:
        """Gives the memory back."""
        if self.buffer is not None:
            self.buffer.release()


def copy_weights(layout: Layout, state: Mapping[str, int], pool: BufferPool) -> WeightsCopy:
    """Copies the entries of a layout, from whatever device.

    Raises:
        StorageError: There is no memory for the copy.
    """
    import torch

    offsets, end = {}, 0
    for name, entry in layout.entries.items():
        offsets[name] = end
        end += -(-entry.numel() * entry.element_size() // _ALIGNED) * _ALIGNED
    buffer = pool.take(max(end, 1))
    with torch.no_grad():
        for name, entry in layout.entries.items():
            _look(buffer, offsets[name], entry).copy_(entry)
    return WeightsCopy(layout, offsets, buffer, state, end)


def _look(buffer: Buffer, offset: int, entry: torch.Tensor) -> torch.Tensor:
    """Returns the place of an entry in a buffer, as a tensor."""
    import torch

    count = entry.numel() * entry.element_size()
    if count == 0:
        return torch.empty(entry.shape, dtype=entry.dtype)
    seen = torch.frombuffer(buffer.memory, dtype=torch.uint8, count=count, offset=offset)
    return seen.view(entry.dtype).view(entry.shape)


def _raw(name: str, entry: torch.Tensor, data: memoryview) -> RawTensor:
    word = WORDS.get(str(entry.dtype).removeprefix("torch."))
    if word is None:
        return RawTensor(name, BYTES, (len(data),), data)
    return RawTensor(name, word, tuple(entry.shape), data)


def _bytes_of(entry: torch.Tensor) -> memoryview:
    import numpy as np
    import torch

    plain = entry.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
    # numpy() would forbid the owner of the memory to resize it.
    return np.from_dlpack(plain).data if len(plain) else memoryview(b"")


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a model directory.

    Attributes:
        tensors: The tensor objects of the model, in order.
        state: Index of each entry of the state dict among them, by name.
    """

    tensors: Sequence[torch.Tensor]
    state: Mapping[str, int]

    def state_dict(self) -> dict[str, torch.Tensor]:
        """Returns the state dict, as `torch.nn.Module.load_state_dict` takes it."""
        return {name: self.tensors[index].detach() for name, index in self.state.items()}


def read_weights(folder: Path) -> Weights:
    """Reads the weights of a model; this runs no code of whoever wrote them.

    Raises:
        NotFound: A file is missing.
        InvalidArgument: One is damaged, or is not what the model was saved with.
        MissingExtra: safetensors is not installed.
    """
    told = _read_told(folder)
    try:
        specs = [Spec.from_dict(each) for each in told["tensors"]]
        state = {str(name): int(index) for name, index in told["state_dict"].items()}
        entries = _read_entries(folder, told["entries"])
        tensors = make_tensors(entries, specs)
        if any(not 0 <= index < len(tensors) for index in state.values()):
            raise ValueError("the state dict names a tensor that is not there")
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise InvalidArgument(f"{folder / FILE} cannot be read: {error}") from error
    return Weights(tensors, state)


def _read_told(folder: Path) -> dict[str, Any]:
    try:
        told = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"{folder} has no file {FILE}") from error
    except ValueError as error:
        raise InvalidArgument(f"{folder / FILE} cannot be read: {error}") from error
    if not isinstance(told, dict) or told.get("version") != _VERSION:
        raise InvalidArgument(
            f"{folder / FILE} is of a version that this autolog does not read; upgrade autolog-ml"
        )
    return told


def _read_entries(folder: Path, told: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    try:
        from safetensors import SafetensorError, safe_open
    except ModuleNotFoundError as error:
        raise MissingExtra(
            "safetensors is needed for this model: pip install 'autolog-ml[pytorch]'"
        ) from error
    entries: dict[str, torch.Tensor] = {}
    with ExitStack() as stack:
        files: dict[str, Any] = {}
        for name, place in told.items():
            file = place["file"]
            try:
                if file not in files:
                    path = inside(folder, file, f"file of {name}")
                    files[file] = stack.enter_context(safe_open(path, framework="pt"))
                entry = files[file].get_tensor(place["name"])
            except FileNotFoundError as error:
                raise NotFound(f"{folder} has no file {file}") from error
            except (SafetensorError, OSError) as error:
                raise InvalidArgument(f"{folder / file} is damaged: {error}") from error
            if digest_of(_raw(place["name"], entry, _bytes_of(entry))) != place["digest"]:
                raise InvalidArgument(
                    f"{folder / file} was changed since it was saved: {place['name']!r} has other "
                    "values"
                )
            entries[name] = entry
    return entries
