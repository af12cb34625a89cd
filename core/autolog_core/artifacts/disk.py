"""Writing files whole or not at all, and what a disk's errors mean."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable, Iterator

from autolog_core.errors import (
    AutologError,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    StorageError,
    StorageFull,
    StorageReadOnly,
)

CHUNK = 8 * 1024 * 1024
_FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
_REFUSED = frozenset((errno.EACCES, errno.EPERM))
# What a kernel or file system says that cannot copy between these two files by itself.
_NO_KERNEL_COPY = frozenset(
    (
        errno.EXDEV,
        errno.EINVAL,
        errno.ENOSYS,
        errno.EOPNOTSUPP,
        errno.EBADF,
        errno.EPERM,
        errno.ETXTBSY,
    )
)
_ATTEMPTS = 5


def explain_write(error: OSError, path: str, root: str) -> AutologError:
    """Returns what `error` means for a write of artifact `path` under the folder `root`."""
    if error.errno in _FULL:
        return StorageFull(
            f"artifact {path!r} was not written: no space is left under {root!r} "
            f"({error.strerror}); free space or set another artifact location"
        )
    if error.errno == errno.EROFS or error.errno in _REFUSED:
        return StorageReadOnly(
            f"artifact {path!r} was not changed: {root!r} cannot be written ({error.strerror}); "
            "give write permission or set another artifact location"
        )
    if error.errno in (errno.EISDIR, errno.ENOTEMPTY):
        return InvalidArgument(f"artifact path {path!r} is a folder; name a file")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return InvalidArgument(f"artifact path {path!r} passes through a file; use another folder")
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
        return InvalidArgument(f"artifact path {path!r} cannot be used: {error.strerror}")
    return StorageError(f"artifact {path!r} was not written under {root!r}: {error.strerror}")


def explain_read(error: OSError, path: str) -> AutologError:
    """Returns what `error` means for a read of artifact `path`."""
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return NotFound(f"there is no artifact {path!r}")
    if error.errno in _REFUSED:
        return PermissionDenied(f"artifact {path!r} may not be read: {error.strerror}")
    if error.errno == errno.EISDIR:
        return InvalidArgument(f"artifact path {path!r} is a folder; name a file")
    if error.errno in (errno.ENAMETOOLONG, errno.ELOOP):
        return InvalidArgument(f"artifact path {path!r} cannot be used: {error.strerror}")
    return StorageError(f"artifact {path!r} cannot be read: {error.strerror}")


@contextlib.contextmanager
def replacing(target: str) -> Iterator[int]:
    """Opens a new file that takes the place of `target` when the block ends well.

    Folders on the way are made. What was written survives the death of the process; a power loss
    within the kernel's write-back time may lose it.

    Yields:
        A descriptor to write to.

    Raises:
        OSError: Whatever the disk says; nothing is left behind then.
    """
    temporary, descriptor = _create_beside(target)
    opened = True
    try:
        yield descriptor
        opened = False
        os.close(descriptor)
        os.replace(temporary, target)
    except BaseException:
        if opened:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Writes all of `data`; the kernel may take it in parts."""
    view = memoryview(data).cast("B")
    while view:
        view = view[os.write(descriptor, view) :]


@contextlib.contextmanager
def open_source(local: str, name: str) -> Iterator[int]:
    """Opens a file to be copied; `name` is what errors call it."""
    try:
        descriptor = os.open(local, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise explain_read(error, name) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def copy_file(source: int, target: str, advance: Callable[[int], None]) -> None:
    """Copies the descriptor `source` to the file `target`, whole or not at all.

    The time of the last change and the executable bits come along.

    Args:
        advance: Told the bytes of each part that was copied.
    """
    with replacing(target) as descriptor:
        _copy_descriptor(source, descriptor, advance)
        status = os.fstat(source)
        if status.st_mode & 0o100:
            mode = os.fstat(descriptor).st_mode & 0o777
            os.fchmod(descriptor, mode | (mode & 0o444) >> 2)
        os.utime(descriptor, ns=(status.st_atime_ns, status.st_mtime_ns))


def _copy_descriptor(source: int, target: int, advance: Callable[[int], None]) -> None:
    # The kernel copies by itself where it can, so on file systems that share blocks it takes no
    # time and no space, and later changes of either file leave the other alone.
    if os.fstat(source).st_size and hasattr(os, "copy_file_range"):
        copied = 0
        try:
            while count := os.copy_file_range(source, target, CHUNK):
                copied += count
                advance(count)
        except OSError as error:
            if copied or error.errno not in _NO_KERNEL_COPY:
                raise
        if copied:
            return
    while data := os.read(source, CHUNK):
        write_all(target, data)
        advance(len(data))


def _create_beside(target: str) -> tuple[str, int]:
    folder = os.path.dirname(target)
    for attempt in range(_ATTEMPTS):
        temporary = os.path.join(folder, f".autolog-{os.urandom(8).hex()}.part")
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return temporary, os.open(temporary, flags, 0o666)
        except FileNotFoundError:
            if attempt + 1 == _ATTEMPTS:
                raise
            # Another process may remove the folder between these two calls.
            os.makedirs(folder, exist_ok=True)
    raise AssertionError("unreachable")
