"""The specification of an artifact repository. `contract.py` holds the tests that each passes.

An artifact path is relative to the repository's root, with forward slashes; ``""`` is the root.
Every method that takes one refuses paths that could lead outside (see `paths.check_path`).
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import BinaryIO, TypeAlias

from autolog_core.entities import FileInfo

LocalPath: TypeAlias = str | os.PathLike[str]
FileList: TypeAlias = list[FileInfo]


class ArtifactRepository(ABC):
    """Where the files of a run (or of a model, or of an experiment) are kept.

    Every method is safe to call from any thread and any number of processes. A file appears whole
    or not at all: a reader never sees half of one, and a writer that is killed leaves the file of
    before. Writing to a path that exists replaces the file.

    Attributes:
        uri: The address that the repository was opened with.
    """

    uri: str

    @abstractmethod
    def log_file(self, local: LocalPath, artifact_folder: str = "") -> str:
        """Copies a local file into a folder under its own name and returns its artifact path.

        Raises:
            NotFound: There is no such local file.
            InvalidArgument: It is no regular file, or the path breaks a rule.
            StorageFull: No space is left; nothing of the file is kept.
            StorageReadOnly: The repository cannot be written.
        """

    @abstractmethod
    def log_folder(self, local: LocalPath, artifact_folder: str = "") -> list[str]:
        """Copies what a local folder holds, links followed, and returns the artifact paths.

        All names are checked before the first file is copied. Each file appears whole; the folder
        as one does not. The repository's own folder, if it lies inside, is left out.

        Raises:
            NotFound: There is no such local folder.
            InvalidArgument: It is no folder, holds a broken link, a loop of links or something that
                is no regular file, or a path breaks a rule.
            StorageFull: No space is left.
            StorageReadOnly: The repository cannot be written.
        """

    @abstractmethod
    def write_stream(self, path: str, stream: BinaryIO) -> None:
        """Writes all that `stream` yields to a file, in constant memory.

        Raises:
            InvalidArgument: The path breaks a rule or names a folder.
            StorageFull: No space is left; nothing of the file is kept.
            StorageReadOnly: The repository cannot be written.
        """

    @abstractmethod
    def write_bytes(self, path: str, data: bytes) -> None:
        """Writes a file.

        Raises:
            InvalidArgument: The path breaks a rule or names a folder.
            StorageFull: No space is left; nothing of the file is kept.
            StorageReadOnly: The repository cannot be written.
        """

    @abstractmethod
    def open_stream(self, path: str) -> BinaryIO:
        """Opens a file for reading; the caller closes it.

        Raises:
            NotFound: There is no such file.
            InvalidArgument: The path breaks a rule or names a folder.
            PermissionDenied: The file may not be read.
        """

    def read_bytes(self, path: str) -> bytes:
        """Returns the content of a file.

        Raises:
            NotFound: There is no such file.
            InvalidArgument: The path breaks a rule or names a folder.
            PermissionDenied: The file may not be read.
        """
        with self.open_stream(path) as stream:
            return stream.read()

    @abstractmethod
    def list(self, path: str = "") -> FileList:
        """Returns what lies directly in a folder, by name; nothing for a file or a missing path.

        Raises:
            InvalidArgument: The path breaks a rule.
        """

    @abstractmethod
    def exists(self, path: str) -> bool:
        """Whether there is a file or folder.

        Raises:
            InvalidArgument: The path breaks a rule.
        """

    @abstractmethod
    def download(self, path: str = "", dst: LocalPath | None = None) -> str:
        """Makes a file or folder available locally and returns its absolute local path.

        Args:
            path: File or folder; ``""`` is all of the repository.
            dst: Local folder, made if missing; the artifact is put there under its whole artifact
                path. Without it a repository on a local disk returns the artifact itself (do not
                write to it), any other a copy in a temporary folder.

        Raises:
            NotFound: There is no such artifact.
            InvalidArgument: The path breaks a rule, or `dst` is a file.
            StorageFull: No space is left at `dst`.
            StorageReadOnly: `dst` cannot be written.
        """

    @abstractmethod
    def delete(self, path: str) -> None:
        """Removes a file, or a folder with all it holds; ``""`` empties the repository.

        A link is removed, never what it leads to.

        Raises:
            NotFound: There is no such artifact.
            InvalidArgument: The path breaks a rule.
            StorageReadOnly: It may not be removed.
        """

    @abstractmethod
    def locked(self, path: str) -> AbstractContextManager[None]:
        """Keeps other callers of `locked` for the same path out, in all threads and processes.

        For reading, changing and writing back a file::

            with repository.locked("table.json"):
                rows = json.loads(repository.read_bytes("table.json"))
                repository.write_bytes("table.json", json.dumps(rows + new).encode())

        The lock goes with its process. It is not re-entrant, and `list` does not show it.

        Raises:
            InvalidArgument: The path breaks a rule.
            StorageReadOnly: The repository cannot be written.
        """
