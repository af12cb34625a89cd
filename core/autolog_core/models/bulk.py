"""Writing large files beside a training that wants the machine for itself.

A large file goes to the disk directly, past the system's cache of files: it takes no memory from
the training, and the processor hardly has a part in it. Through the cache, the system copies each
piece in one go that no priority interrupts, and a training that waits for all cores waits for that.
Where a file system does not write directly, the pieces are small.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

_LARGE = 16 * 2**20
"""Bytes from which a file is written directly."""
_BLOCK = 4096
"""What addresses, lengths and places in the file are multiples of, where it is written directly."""
_STAGE = 4 * 2**20
_SMALL = 64 * 2**10
_REFUSED = (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP)


def write_whole(path: Path, parts: Sequence[memoryview], breathe: Callable[[int], None]) -> None:
    """Writes a new file.

    Args:
        path: Where to.
        parts: Its content, one after the other, as bytes.
        breathe: Is told after each piece how many bytes were written.

    Raises:
        OSError: The disk refuses.
    """
    if sum(map(len, parts)) < _LARGE or not _write_directly(path, parts, breathe):
        with open(path, "wb", buffering=_SMALL) as stream:
            for part in parts:
                for start in range(0, len(part), _SMALL):
                    breathe(stream.write(part[start : start + _SMALL]))


def _write_directly(
    path: Path, parts: Sequence[memoryview], breathe: Callable[[int], None]
) -> bool:
    """Writes a file past the system's cache; returns False if the file system does not do that."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_DIRECT, 0o666)
    except AttributeError:
        return False
    except OSError as error:
        if error.errno in _REFUSED:
            return False
        raise
    # Anonymous memory begins at a page, as direct writing wants it.
    stage = mmap.mmap(-1, _STAGE)
    try:
        return _fill(handle, stage, parts, breathe)
    finally:
        os.close(handle)


def _fill(
    handle: int, stage: mmap.mmap, parts: Sequence[memoryview], breathe: Callable[[int], None]
) -> bool:
    place = np.frombuffer(stage, dtype=np.uint8)
    whole, filled, written = memoryview(stage), 0, 0
    for part in parts:
        content = np.frombuffer(part, dtype=np.uint8) if len(part) else place[:0]
        start = 0
        while start < len(content):
            count = min(_STAGE - filled, len(content) - start)
            place[filled : filled + count] = content[start : start + count]
            start, filled = start + count, filled + count
            if filled == _STAGE:
                if not _write(handle, whole):
                    return False
                written, filled = written + _STAGE, 0
                breathe(_STAGE)
    if filled:
        # The last block is written whole, and the file cut to its length.
        rest = -(-filled // _BLOCK) * _BLOCK
        if not _write(handle, whole[:rest]):
            return False
        os.ftruncate(handle, written + filled)
        breathe(filled)
    return True


def _write(handle: int, data: memoryview) -> bool:
    """Writes all of `data`; returns False where the file system wants other pieces than these."""
    done = 0
    try:
        while done < len(data):
            done += os.write(handle, data[done:])
    except OSError as error:
        if error.errno in _REFUSED:
            return False
        raise
    return True
