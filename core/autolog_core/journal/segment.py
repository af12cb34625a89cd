"""One file of a journal, mapped into memory."""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import time
from pathlib import Path

from autolog_core.errors import CorruptJournal, StorageError, StorageFull, StorageReadOnly
from autolog_core.journal.format import HEADER, HEADER_SIZE, MAGIC, VERSION

_POPULATE = getattr(mmap, "MAP_POPULATE", 0)


class Segment:
    """A mapped segment file.

    Attributes:
        number: Counts from 1 within a journal.
        size: Bytes, a multiple of the page size.
        bytes: The mapping.
        words: The mapping as native 64-bit words; an assignment is one aligned store.
    """

    __slots__ = ("_view", "bytes", "number", "path", "size", "words")

    def __init__(self, path: Path, number: int, mapping: mmap.mmap) -> None:
        self.path = path
        self.number = number
        self.size = len(mapping)
        self.bytes = mapping
        self._view = memoryview(mapping)
        self.words = self._view.cast("Q")

    def sync(self) -> None:
        """Asks the system to write the file to the disk."""
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            getattr(os, "fdatasync", os.fsync)(descriptor)
        finally:
            os.close(descriptor)

    def close(self) -> None:
        """Unmaps the file, or leaves that to the last reader of its arrays."""
        with contextlib.suppress(BufferError):
            self.words.release()
            self._view.release()
            self.bytes.close()

    def remove(self) -> None:
        """Unmaps and deletes the file."""
        self.close()
        self.path.unlink(missing_ok=True)


def segment_path(folder: Path, number: int, version: int) -> Path:
    """Returns where segment `number` of a journal lies."""
    return folder / f"{number:08d}.{version}.segment"


def segment_number(path: Path) -> int:
    """Returns the number of the segment at `path`.

    Raises:
        ValueError: It has no segment's name.
    """
    return int(path.name.partition(".")[0])


def create_segment(path: Path, number: int, size: int, writer_id: str) -> Segment:
    """Makes a segment whose space is reserved, so that writing to it cannot fail.

    Raises:
        StorageFull: There is no room for it; nothing is left behind.
        StorageReadOnly: The folder cannot be written.
        StorageError: Anything else that the system refuses.
    """
    # Its name comes last: a process that dies here leaves nothing that looks like a segment.
    unfinished = path.with_suffix(".unfinished")
    try:
        descriptor = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise storage_error(error, path) from error
    try:
        _reserve(descriptor, size)
        mapping = mmap.mmap(descriptor, size, flags=mmap.MAP_SHARED | _POPULATE)
        header = HEADER.pack(
            MAGIC, VERSION, number, bytes.fromhex(writer_id), time.time_ns() // 1_000_000, size
        )
        mapping[: len(header)] = header
        unfinished.rename(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise storage_error(error, path) from error
    finally:
        os.close(descriptor)
    return Segment(path, number, mapping)


def open_segment(path: Path) -> Segment:
    """Maps a segment of another process, to read it.

    Raises:
        CorruptJournal: It is no segment, or its header is damaged.
    """
    try:
        number = segment_number(path)
        with path.open("rb") as file:
            head = file.read(HEADER_SIZE)
            length = os.fstat(file.fileno()).st_size
            if len(head) < HEADER_SIZE or length % 8:
                raise CorruptJournal(f"journal segment {path} is cut short: {length} bytes")
            magic, version, found, _, _, size = HEADER.unpack_from(head)
            if magic != MAGIC or version != VERSION or found != number:
                raise CorruptJournal(
                    f"journal segment {path} has a damaged header, or a newer format"
                )
            mapping = mmap.mmap(file.fileno(), min(length, size), access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:
        raise CorruptJournal(f"journal segment {path} cannot be read: {error}") from error
    return Segment(path, number, mapping)


def storage_error(error: OSError, path: Path) -> StorageError:
    """Returns the typed error for what the system said about `path`."""
    where = path.parent
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFull(f"no space left in {where}: free some and log again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageReadOnly(
            f"{where} cannot be written: change its permissions, or choose another place with "
            "set_tracking_uri() or AUTOLOG_TRACKING_URI"
        )
    return StorageError(f"{where} cannot be used for the journal: {error}")


def _reserve(descriptor: int, size: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    # macOS has no posix_fallocate: written zeros reserve as well.
    block = bytes(1 << 20)
    for start in range(0, size, len(block)):
        os.pwrite(descriptor, block[: min(len(block), size - start)], start)
