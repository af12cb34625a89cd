"""A model directory appears whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autolog_core.errors import AlreadyExists, StorageError, StorageFull, StorageReadOnly


@contextmanager
def new_directory(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a folder to fill, which becomes `path` at the end; on an exception nothing is left.

    Args:
        path: A folder that does not exist, or is empty.

    Raises:
        AlreadyExists: There is something at `path`.
        StorageFull: The disk is full.
        StorageReadOnly: The place cannot be written.
    """
    target = Path(os.path.abspath(path))
    if os.path.lexists(target) and not (
        target.is_dir() and not target.is_symlink() and next(target.iterdir(), None) is None
    ):
        raise AlreadyExists(f"{target} exists and is not an empty folder; name another for a model")
    draft = target.parent / f".{target.name}.{uuid.uuid4().hex[:12]}.partial"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft.mkdir()
        yield draft
        os.rename(draft, target)
    except OSError as error:
        raise _storage_error(error, target) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _storage_error(error: OSError, target: Path) -> Exception:
    import errno

    if isinstance(error, StorageError):
        return error
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StorageFull(f"no space is left to write the model {target}: {error}")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return StorageReadOnly(f"the model {target} cannot be written: {error}")
    if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
        return AlreadyExists(f"{target} came to be while the model was written")
    return StorageError(f"the model {target} cannot be written: {error}")


def files_of(folder: Path) -> list[Path]:
    """Returns the files of a folder and all below, relative to it, in order of their names.

    Links are among them: what they lead to is not followed.
    """
    found: list[Path] = []
    for root, folders, names in os.walk(folder):
        linked = [name for name in folders if os.path.islink(os.path.join(root, name))]
        found.extend(Path(root, name).relative_to(folder) for name in [*names, *linked])
    return sorted(found)


def size_of(folder: Path) -> int:
    """Returns the size of all files of a folder, in bytes."""
    return sum((folder / name).lstat().st_size for name in files_of(folder))
