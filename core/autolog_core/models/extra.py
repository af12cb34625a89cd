"""Files of the user's that travel with a model."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from autolog_core.errors import InvalidArgument, NotFound

FOLDER = "extra_files"


def check_paths(
    given: Sequence[str | os.PathLike[str]] | None, argument: str, folders: bool = False
) -> tuple[Path, ...]:
    """Returns the paths of files to keep with a model.

    Args:
        given: What the caller gave.
        argument: The name under which it was given, for the messages.
        folders: Whether folders will do as well.

    Raises:
        InvalidArgument: It is a single text, or two have the same name.
        NotFound: One does not exist.
    """
    if isinstance(given, (str, bytes, os.PathLike)):
        raise InvalidArgument(f"{argument} must be a list of paths, got {given!r}")
    found = tuple(Path(os.path.abspath(path)) for path in given or ())
    for path in found:
        if not (path.exists() if folders else path.is_file()):
            why = "does not exist" if folders else "is no file"
            raise NotFound(f"{argument} names {path}, which {why}")
    names = [path.name for path in found]
    if len(set(names)) < len(names):
        raise InvalidArgument(f"{argument} must have different names, got {names}")
    return found


def copy_files(files: Sequence[Path], folder: Path) -> dict[str, list[dict[str, str]]]:
    """Copies files into a model directory; returns what its flavor says of them, as MLflow does."""
    if not files:
        return {}
    (folder / FOLDER).mkdir()
    for file in files:
        shutil.copyfile(file, folder / FOLDER / file.name)
    return {FOLDER: [{"path": f"{FOLDER}/{file.name}"} for file in files]}
