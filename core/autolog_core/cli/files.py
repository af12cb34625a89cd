"""Reads the artifacts of a run for printing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from autolog_core.errors import NotFound

if TYPE_CHECKING:
    from autolog_core.artifacts.base import ArtifactRepository
    from autolog_core.entities import FileInfo, Run


def repository_of(run: Run) -> ArtifactRepository:
    """Returns where the files of a run are kept.

    Raises:
        NotFound: The run has no such place.
        InvalidArgument: Its address is of a kind that cannot be opened.
    """
    from autolog_core.artifacts.locate import open_repository

    if not run.info.artifact_uri:
        raise NotFound(f"run {run.info.run_id} has no place for artifacts")
    return open_repository(run.info.artifact_uri)


def walk(repository: ArtifactRepository, path: str = "", most: int = 10_000) -> Iterator[FileInfo]:
    """Yields at most `most` files and folders below `path`, a folder before what it holds."""
    folders = [path]
    while folders:
        for entry in repository.list(folders.pop()):
            if most <= 0:
                return
            most -= 1
            yield entry
            if entry.is_dir:
                folders.append(entry.path)
