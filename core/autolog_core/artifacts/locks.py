"""A lock on a path, held by a file beside it that vanishes with the lock."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def lock_beside(target: str) -> Iterator[None]:
    """Holds the lock of the file `target`, which need not exist; its folder is made.

    The lock is the kernel's: it goes with the process that holds it, so a lock file that a killed
    process left is taken over, and removed by the next holder.

    Raises:
        OSError: The lock file cannot be made.
    """
    folder, name = os.path.split(target)
    # A digest, because the longest legal name leaves no room for an ending.
    digest = hashlib.sha256(name.encode()).hexdigest()[:16]
    path = os.path.join(folder, f".autolog-{digest}.lock")
    descriptor = _take(path, folder)
    try:
        yield
    finally:
        # Removed while it is held: a waiter then sees that its file is gone, and starts again.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _take(path: str, folder: str) -> int:
    while True:
        os.makedirs(folder, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags, 0o666)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _names(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _names(path: str, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
