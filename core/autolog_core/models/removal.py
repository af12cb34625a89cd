"""Taking away the files of a model, and what a save that was killed has left of itself."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from pathlib import Path

from autolog_core.artifacts.locate import local_folder
from autolog_core.errors import NotSupported
from autolog_core.models.directory import files_of

_DRAFT, _PRUNED = ".partial", ".pruned"


def own_folder(location: str, model_id: str) -> Path:
    """Returns the folder of a model's files, which nothing but that model can be in.

    Raises:
        NotSupported: The address is that of no local folder, or of one that is not below a folder
            with the model's id: whatever is recorded, no other folder is ever deleted.
    """
    folder = Path(local_folder(location))
    if folder.parent.name != model_id:
        raise NotSupported(
            f"the files of model {model_id} are in {folder}, which does not bear its id: only "
            "<folder>/<model id>/artifacts is deleted; delete it yourself"
        )
    return folder


def discard(path: str | os.PathLike[str]) -> None:
    """Removes the folder of a model, and what an earlier removal that was killed has left of it.

    It loses its name in one step, so nobody finds half of it. A link is removed, never what it
    leads to. Without such a folder nothing happens.

    Raises:
        OSError: The system refuses.
    """
    target = Path(os.path.abspath(path))
    hidden = target.with_name(f".{target.name}.{uuid.uuid4().hex[:12]}{_PRUNED}")
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.rename(target, hidden)
    _remove(target, _PRUNED)
    if target.parent.name.startswith("m-"):
        # The folder of the model's id: other things may lie there.
        with contextlib.suppress(OSError):
            target.parent.rmdir()


def remove_drafts(path: str | os.PathLike[str]) -> None:
    """Removes what saves that were killed have left beside the folder of a model.

    Only for a model that no process can be saving.

    Raises:
        OSError: The system refuses.
    """
    _remove(Path(os.path.abspath(path)), _DRAFT)


def sizes_on_disk(path: str | os.PathLike[str]) -> dict[tuple[int, int], int]:
    """Returns the bytes of the files of a folder by (device, inode); none if it is not there.

    Links to one file, in this folder and in others, have one key.
    """
    folder, sizes = Path(path), {}
    for name in files_of(folder):
        with contextlib.suppress(FileNotFoundError):
            state = (folder / name).lstat()
            sizes[state.st_dev, state.st_ino] = state.st_size
    return sizes


def _remove(target: Path, ending: str) -> None:
    beginning = f".{target.name}."
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for each in sorted(target.parent.iterdir()):
            if each.name.startswith(beginning) and each.name.endswith(ending):
                _remove_whole(each)


def _remove_whole(path: Path) -> None:
    # Another process may be removing the same.
    with contextlib.suppress(FileNotFoundError):
        if path.is_symlink() or not path.is_dir():
            path.unlink()
        else:
            shutil.rmtree(path)
