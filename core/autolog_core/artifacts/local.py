"""Artifacts in a folder of a local or mounted disk."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from autolog_core.artifacts.base import ArtifactRepository, FileList, LocalPath
from autolog_core.artifacts.disk import (
    CHUNK,
    copy_file,
    explain_read,
    explain_write,
    open_source,
    replacing,
    write_all,
)
from autolog_core.artifacts.locks import lock_beside
from autolog_core.artifacts.paths import (
    check_file_path,
    check_path,
    resolve,
)
from autolog_core.artifacts.progress import CopyProgress
from autolog_core.artifacts.sources import SourceFile, check_file, walk_folder
from autolog_core.artifacts.tree import Entry, list_entries, walk
from autolog_core.entities import FileInfo
from autolog_core.errors import InvalidArgument, NotFound


class LocalRepository(ArtifactRepository):
    """Artifacts under a folder, which is made by the first write.

    Args:
        root: The folder; relative to the working folder of now.
        uri: The address to show, the folder itself when absent.
        progress: Whether copies of over a second show a bar on a terminal.
    """

    def __init__(self, root: LocalPath, uri: str | None = None, progress: bool = True) -> None:
        self._root = os.path.abspath(os.fspath(root))
        self._progress = progress
        self.uri = uri or self._root

    def log_file(self, local: LocalPath, artifact_folder: str = "") -> str:
        """Copies a local file; see `ArtifactRepository.log_file`."""
        source = os.fspath(local)
        size = check_file(source).st_size
        path = check_file_path(_join(check_path(artifact_folder), os.path.basename(source)))
        with CopyProgress(path, size, self._progress) as progress:
            self._copy_in(SourceFile(source, path, size), path, progress)
        return path

    def log_folder(self, local: LocalPath, artifact_folder: str = "") -> list[str]:
        """Copies a local folder; see `ArtifactRepository.log_folder`."""
        prefix = check_path(artifact_folder)
        root = self._real_root()
        tree = walk_folder(os.fspath(local), leave_out=root)
        paths = [check_file_path(_join(prefix, file.path)) for file in tree.files]
        folders = [check_path(_join(prefix, folder)) for folder in ("", *tree.folders)]
        for folder in folders:
            self._make_folder(folder, root)
        with CopyProgress(os.fspath(local), tree.size, self._progress) as progress:
            for file, path in zip(tree.files, paths, strict=True):
                self._copy_in(file, path, progress)
        return paths

    def write_bytes(self, path: str, data: bytes) -> None:
        """Writes a file; see `ArtifactRepository.write_bytes`."""
        path, target = self._target(path)
        with self._writing(path), replacing(target) as descriptor:
            write_all(descriptor, data)

    def write_stream(self, path: str, stream: BinaryIO) -> None:
        """Writes a file from a stream; see `ArtifactRepository.write_stream`."""
        path, target = self._target(path)
        try:
            with self._writing(path), replacing(target) as descriptor:
                while data := _read(stream, path):
                    write_all(descriptor, data)
        except _StreamBroke as broke:
            raise broke.error from None

    def open_stream(self, path: str) -> BinaryIO:
        """Opens a file for reading; see `ArtifactRepository.open_stream`."""
        path, target = self._target(path)
        try:
            # Without O_NONBLOCK the opening of a pipe waits for its writer for ever.
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(target, flags)
        except OSError as error:
            raise explain_read(error, path) from error
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            os.close(descriptor)
            raise InvalidArgument(f"artifact path {path!r} is a folder or no regular file")
        return os.fdopen(descriptor, "rb")

    def list(self, path: str = "") -> FileList:
        """Returns what lies in a folder; see `ArtifactRepository.list`."""
        return [entry.info for entry in list_entries(self._real_root(), check_path(path))]

    def exists(self, path: str) -> bool:
        """Whether there is a file or folder; see `ArtifactRepository.exists`."""
        path = check_path(path)
        return os.path.exists(resolve(self._real_root(), path))

    def download(self, path: str = "", dst: LocalPath | None = None) -> str:
        """Returns a local path of an artifact; see `ArtifactRepository.download`."""
        path = check_path(path)
        root = self._real_root()
        source = resolve(root, path)
        if not os.path.exists(source) and (path or dst is None):
            raise NotFound(f"there is no artifact {path!r}")
        if dst is None:
            return source
        base = os.path.realpath(os.fspath(dst))
        if os.path.isfile(source):
            self._copy_out([Entry(source, FileInfo(path, False, os.path.getsize(source)))], base)
        else:
            # All of it is read first: `dst` may lie inside what is copied.
            self._copy_out([Entry(source, FileInfo(path, True)), *walk(root, path)], base)
        return os.path.join(base, path) if path else base

    def delete(self, path: str) -> None:
        """Removes a file or folder; see `ArtifactRepository.delete`."""
        path = check_path(path)
        root = self._real_root()
        folder, _, name = path.rpartition("/")
        target = os.path.join(resolve(root, folder), name) if path else root
        try:
            if os.path.isdir(target) and not os.path.islink(target):
                shutil.rmtree(target)
            else:
                os.unlink(target)
        except FileNotFoundError:
            raise NotFound(f"there is no artifact {path!r}") from None
        except NotADirectoryError:
            raise NotFound(f"there is no artifact {path!r}") from None
        except OSError as error:
            raise explain_write(error, path, self._root) from error

    @contextlib.contextmanager
    def locked(self, path: str) -> Iterator[None]:
        """Keeps others out; see `ArtifactRepository.locked`."""
        path, target = self._target(path)
        with contextlib.ExitStack() as stack:
            # Only the taking of the lock is the disk's business, not what the block raises.
            with self._writing(path):
                stack.enter_context(lock_beside(target))
            yield

    def _real_root(self) -> str:
        return os.path.realpath(self._root)

    def _target(self, path: str) -> tuple[str, str]:
        path = check_file_path(path)
        return path, resolve(self._real_root(), path)

    @contextlib.contextmanager
    def _writing(self, path: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise explain_write(error, path, self._root) from error

    def _make_folder(self, path: str, root: str) -> None:
        target = resolve(root, path)
        with self._writing(path):
            os.makedirs(target, exist_ok=True)

    def _copy_in(self, file: SourceFile, path: str, progress: CopyProgress) -> None:
        target = resolve(self._real_root(), path)
        with open_source(file.local, file.local) as source, self._writing(path):
            copy_file(source, target, progress.advance)

    def _copy_out(self, entries: Sequence[Entry], base: str) -> None:
        size = sum(entry.info.file_size or 0 for entry in entries)
        with CopyProgress(base, size, self._progress) as progress:
            for entry in entries:
                path = entry.info.path
                target = os.path.join(base, path) if path else base
                try:
                    if entry.info.is_dir:
                        os.makedirs(target, exist_ok=True)
                        continue
                    with open_source(entry.local, path) as source:
                        copy_file(source, target, progress.advance)
                except OSError as error:
                    raise explain_write(error, path, base) from error


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder and name else folder or name


class _StreamBroke(Exception):
    """Carries an error of the caller's stream past the explaining of the disk's errors."""

    def __init__(self, error: OSError) -> None:
        super().__init__(error)
        self.error = error


def _read(stream: BinaryIO, path: str) -> bytes:
    try:
        data = stream.read(CHUNK)
    except OSError as error:
        raise _StreamBroke(error) from error
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidArgument(
            f"the stream for artifact {path!r} must yield bytes, got {type(data).__name__}; "
            "open the file with mode 'rb'"
        )
    return bytes(data)
