"""From a model's address to its folder, and from the manifest's names to files inside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from autolog_core.artifacts.locate import local_folder
from autolog_core.errors import InvalidArgument, NotFound


def local_model(uri: str | os.PathLike[str]) -> str:
    """Returns the folder that a path or a ``file:`` address of a model names.

    Raises:
        InvalidArgument: The address is empty or malformed.
        NotSupported: It is not that of a local folder.
    """
    return local_folder(os.fspath(uri))


def inside(folder: Path, name: Any, what: str) -> Path:
    """Returns the file of a model directory that its manifest names.

    Args:
        folder: The model directory.
        name: What the manifest says.
        what: The field that says so, for the message.

    Raises:
        InvalidArgument: It is no relative path, or leads out of the directory.
        NotFound: There is no such file.
    """
    if not isinstance(name, str) or not name or "\0" in name:
        raise InvalidArgument(f"{what} of a model must name a file of its directory, got {name!r}")
    root = folder.resolve()
    file = (root / name).resolve()
    if not file.is_relative_to(root):
        raise InvalidArgument(f"{what} of a model leads out of its directory: {name!r}")
    if not file.exists():
        raise NotFound(f"{folder} lacks the file {name!r}, which its {what} names")
    return file
