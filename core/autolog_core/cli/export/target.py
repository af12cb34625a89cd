"""Where an export goes: a file that appears whole or not at all, or standard output."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from autolog_core.errors import (
    AutologError,
    InvalidArgument,
    StorageError,
    StorageFull,
    StorageReadOnly,
)


@contextmanager
def open_target(path: str | None) -> Iterator[IO[bytes]]:
    """Opens a file for writing, or standard output when `path` is None.

    The file takes its name when the block ends well; before, what had that name is still there.

    Raises:
        InvalidArgument: The folder is missing, or `path` is one.
        StorageFull: No space is left.
        StorageReadOnly: The place cannot be written.
    """
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    if os.path.isdir(path):
        raise InvalidArgument(f"{path!r} is a folder: name a file in it")
    part = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            yield file
        os.replace(part, path)
    except OSError as error:
        _remove(part)
        if isinstance(error, AutologError):
            raise
        raise _explain(error, path) from error
    except BaseException:
        _remove(part)
        raise


def _remove(path: str) -> None:
    with suppress(OSError):
        os.unlink(path)


def _explain(error: OSError, path: str) -> AutologError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StorageFull(f"no space is left to write {path!r}: nothing was kept")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StorageReadOnly(f"{path!r} cannot be written: choose another place for --output")
    if error.errno == errno.ENOENT:
        return InvalidArgument(f"{path!r} cannot be written: its folder does not exist")
    return StorageError(f"{path!r} cannot be written: {error.strerror}")
