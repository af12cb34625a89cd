"""Weights of models as safetensors files, where equal tensors of several models are stored once.

A checkpoint often repeats most of the one before: frozen layers, or everything where the best is
also the last. What a file of an earlier model of this process holds already is not written again:
that file gets a second name in the new directory (a hard link), and only the rest is written. Each
directory is complete by itself; the file system keeps a file until its last name is deleted.

The format is that of https://github.com/huggingface/safetensors: eight bytes with the length of the
header, the header as JSON, and the bytes of the tensors.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import xxhash

from autolog_core.models.bulk import write_whole

FILE = "model.safetensors"
"""The name of a file that holds all tensors of a model and nothing else."""
_PART = "weights-{}.safetensors"
_PIECE = 2**20
"""Bytes that are worked on in one go."""
_LEAST = 64 * 2**10
"""Bytes below which a file is not worth another name."""
_FILES = 64
"""Files that are remembered."""
_NAMES = 8
"""Names that are remembered of each; the newest belongs to a model that is hardly pruned yet."""


@dataclass(frozen=True, slots=True)
class RawTensor:
    """A tensor as bytes.

    Attributes:
        name: Its name.
        dtype: Word of safetensors for its type, such as F32.
        shape: Its lengths.
        data: Its values, contiguous, little-endian.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    data: memoryview


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor is stored.

    Attributes:
        file: Name of the file in the directory.
        name: Name of the tensor in the file.
        digest: Over its type, shape and values: 32 hex digits.
    """

    file: str
    name: str
    digest: str


@dataclass(slots=True)
class _File:
    identity: tuple[int, ...]
    size: int
    names: dict[str, str]
    """Names of its tensors, by digest."""
    paths: list[Path] = field(default_factory=list)


class SharedTensors:
    """Which tensors lie in which files that this process wrote. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[tuple[int, ...], _File] = {}

    def add(self, folder: Path, places: Iterable[Place]) -> None:
        """Remembers the files of a directory that is complete."""
        held: dict[str, list[Place]] = {}
        for place in places:
            held.setdefault(place.file, []).append(place)
        with self._lock:
            for name, found in held.items():
                path = folder / name
                try:
                    identity, size = _identity(path)
                except OSError:
                    continue
                file = self._files.pop(identity, None) or _File(identity, size, {})
                file.names.update({place.digest: place.name for place in found})
                file.paths = [*file.paths, path][-_NAMES:]
                self._files[identity] = file
            for identity in list(self._files)[:-_FILES]:
                del self._files[identity]

    def link(self, sizes: Mapping[str, int], folder: Path) -> list[tuple[str, Mapping[str, str]]]:
        """Gives files that hold much of what is wanted another name in `folder`.

        A file is taken where at least half of it is wanted, so that what is stored stays within
        twice of what is used.

        Args:
            sizes: The bytes of what is wanted, by digest.
            folder: Where to.

        Returns:
            The name of each file there, and the names of its tensors by digest.
        """
        wanted = dict(sizes)
        with self._lock:
            # The newest first: of two that hold as much it is the one that stays longer.
            files = [(file, list(file.paths)) for file in reversed(self._files.values())]
        found: list[tuple[str, Mapping[str, str]]] = []
        while files:
            useful = [
                sum(wanted[key] for key in file.names.keys() & wanted.keys()) for file, _ in files
            ]
            most = max(range(len(files)), key=useful.__getitem__)
            file, paths = files.pop(most)
            if useful[most] < _LEAST:
                break
            if useful[most] * 2 < file.size:
                continue
            target = folder / _PART.format(len(found) + 1)
            if _link(file, paths, target):
                found.append((target.name, dict(file.names)))
                wanted = {key: size for key, size in wanted.items() if key not in file.names}
        return found


def _identity(path: Path) -> tuple[tuple[int, ...], int]:
    told = os.stat(path)
    # A file that was replaced or written again is not the one that was remembered.
    return (told.st_dev, told.st_ino, told.st_size, told.st_mtime_ns), told.st_size


def _link(file: _File, paths: Sequence[Path], target: Path) -> bool:
    for path in reversed(paths):
        try:
            os.link(path, target)
            if _identity(target)[0] == file.identity:
                return True
            target.unlink()
        except OSError:
            # The model was pruned, or this file system has no links: the next name, or none.
            continue
    return False


def _go_on(count: int) -> None:
    """Does nothing after a piece of work."""


def digest_of(tensor: RawTensor, breathe: Callable[[int], None] = _go_on) -> str:
    """Returns the digest over type, shape and values: 32 hex digits.

    Args:
        tensor: The tensor.
        breathe: Is called after each piece, with 0.
    """
    made = xxhash.xxh3_128(f"{tensor.dtype}{list(tensor.shape)}".encode())
    for start in range(0, len(tensor.data), _PIECE):
        made.update(tensor.data[start : start + _PIECE])
        breathe(0)
    return made.hexdigest()


def write_tensors(
    tensors: Sequence[RawTensor],
    folder: Path,
    known: SharedTensors | None = None,
    breathe: Callable[[int], None] = _go_on,
) -> dict[str, Place]:
    """Writes tensors into a folder, except those that a file of an earlier model holds.

    Args:
        tensors: The tensors, each with a name of its own.
        folder: Where to; it has no such files yet.
        known: What this process wrote before; None to write all.
        breathe: Is told after each piece of work how many bytes were written or found; it may rest
            for a moment, to leave the machine to others.

    Returns:
        Where each tensor is, by name. Without sharing all are in `FILE`.

    Raises:
        OSError: The disk refuses.
    """
    digests = {tensor.name: digest_of(tensor, breathe) for tensor in tensors}
    sizes = {digests[tensor.name]: len(tensor.data) for tensor in tensors}
    linked = [] if known is None else known.link(sizes, folder)
    if len(linked) == 1 and set(linked[0][1].items()) == {(d, n) for n, d in digests.items()}:
        os.rename(folder / linked[0][0], folder / FILE)
        linked = [(FILE, linked[0][1])]
    places: dict[str, Place] = {}
    for tensor in tensors:
        digest = digests[tensor.name]
        for file, names in linked:
            if digest in names:
                places[tensor.name] = Place(file, names[digest], digest)
                breathe(len(tensor.data))
                break
    rest = [tensor for tensor in tensors if tensor.name not in places]
    if rest or not tensors:
        name = _PART.format(len(linked) + 1) if linked else FILE
        _write_file(folder / name, rest, breathe)
        places.update(
            {tensor.name: Place(name, tensor.name, digests[tensor.name]) for tensor in rest}
        )
    return places


def _write_file(path: Path, tensors: Sequence[RawTensor], breathe: Callable[[int], None]) -> None:
    # Wide types first, so that each tensor begins at a multiple of its width.
    ordered = sorted(tensors, key=lambda each: (-_width(each), each.name))
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in ordered:
        start, end = end, end + len(tensor.data)
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    head = len(text).to_bytes(8, "little") + text
    write_whole(path, [memoryview(head), *(tensor.data for tensor in ordered)], breathe)
    # Other models may have the same file: nobody is to write into it.
    path.chmod(0o444)


def _width(tensor: RawTensor) -> int:
    digits = "".join(letter for letter in tensor.dtype.partition("_")[0] if letter.isdigit())
    return int(digits or 8)
