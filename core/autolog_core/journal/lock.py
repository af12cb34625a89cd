"""Who owns a journal: a lock that the system takes back when its process ends, however it ends.

POSIX record locks are used because a forked child does not inherit them. They have one trap:
closing any descriptor of the file gives the lock up, so a process never opens a lock file that it
holds.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

DONE = ".done"
"""Ending of the name of a journal that is being deleted."""

_held: dict[str, int] = {}


def acquire(path: Path) -> bool:
    """Takes the lock at `path`, which is made if need be; False if another process has it.

    Raises:
        OSError: The file cannot be opened.
    """
    name = str(path)
    if name in _held:
        return False
    descriptor = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return False
    _held[name] = descriptor
    return True


def release(path: Path) -> None:
    """Gives the lock at `path` back."""
    descriptor = _held.pop(str(path), None)
    if descriptor is not None:
        os.close(descriptor)


def moved(old: Path, new: Path) -> None:
    """Tells that the folder of a held lock was renamed."""
    _held[str(new)] = _held.pop(str(old))


def delete_locked(folder: Path) -> None:
    """Deletes a folder whose ``lock`` this process holds, and gives the lock up.

    It gets another name first: while its files go one by one, nobody may take it for a journal.
    """
    gone = folder.with_name(folder.name + DONE)
    try:
        folder.rename(gone)
    except OSError:
        gone = folder
    else:
        moved(folder / "lock", gone / "lock")
    shutil.rmtree(gone, ignore_errors=True)
    release(gone / "lock")


def is_current(path: Path) -> bool:
    """Whether the held lock is still that of the file at `path`, not of a deleted one."""
    descriptor = _held.get(str(path))
    if descriptor is None:
        return False
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _forget() -> None:
    _held.clear()


os.register_at_fork(after_in_child=_forget)
