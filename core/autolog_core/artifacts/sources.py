"""What a local folder holds, checked before anything of it is copied."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass

from autolog_core.artifacts.paths import is_reserved
from autolog_core.errors import InvalidArgument, NotFound, PermissionDenied


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file to copy.

    Attributes:
        local: Where it is.
        path: Relative to the folder that was walked, with forward slashes.
        size: Bytes.
    """

    local: str
    path: str
    size: int


@dataclass(frozen=True, slots=True)
class SourceTree:
    """All that a folder holds, links followed.

    Attributes:
        files: In the order of their paths.
        folders: Relative paths of the folders, parents first.
    """

    files: tuple[SourceFile, ...]
    folders: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)


def walk_folder(local: str, leave_out: str | None = None) -> SourceTree:
    """Returns what the folder `local` holds.

    Args:
        local: Folder.
        leave_out: Resolved folder that is not entered, such as the repository's own.

    Raises:
        InvalidArgument: It is no folder, or holds a broken link, a link to a folder above itself,
            or something that is neither file nor folder.
        NotFound: There is no such folder.
        PermissionDenied: A folder in it may not be read.
    """
    _check_folder(local)
    files: list[SourceFile] = []
    folders: list[str] = []
    pending: list[tuple[str, str, tuple[str, ...]]] = [(local, "", (os.path.realpath(local),))]
    while pending:
        folder, prefix, above = pending.pop()
        for entry in _scan(folder):
            if is_reserved(entry.name):
                continue
            path = prefix + entry.name
            status = _status(entry)
            if stat.S_ISDIR(status.st_mode):
                resolved = os.path.realpath(entry.path)
                if resolved == leave_out:
                    continue
                if resolved in above:
                    raise InvalidArgument(
                        f"{entry.path!r} links to a folder that holds it; remove the link"
                    )
                folders.append(path)
                pending.append((entry.path, path + "/", (*above, resolved)))
            elif stat.S_ISREG(status.st_mode):
                files.append(SourceFile(entry.path, path, status.st_size))
            else:
                raise InvalidArgument(
                    f"{entry.path!r} is neither a file nor a folder and cannot be logged; remove it"
                )
    return SourceTree(
        tuple(sorted(files, key=lambda file: file.path)),
        tuple(sorted(folders)),
    )


def check_file(local: str) -> os.stat_result:
    """Returns the status of the regular file `local`.

    Raises:
        NotFound: There is none.
        InvalidArgument: It is a folder, a pipe or a device.
        PermissionDenied: It may not be looked at.
    """
    try:
        status = os.stat(local)
    except PermissionError as error:
        raise PermissionDenied(f"{local!r} may not be read: {error.strerror}") from None
    except (OSError, ValueError):
        raise NotFound(f"there is no local file {local!r}") from None
    if stat.S_ISDIR(status.st_mode):
        raise InvalidArgument(f"{local!r} is a folder; log it with log_artifacts()")
    if not stat.S_ISREG(status.st_mode):
        raise InvalidArgument(f"{local!r} is no regular file and cannot be logged")
    return status


def _check_folder(local: str) -> None:
    try:
        mode = os.stat(local).st_mode
    except PermissionError as error:
        raise PermissionDenied(f"{local!r} may not be read: {error.strerror}") from None
    except (OSError, ValueError):
        raise NotFound(f"there is no local folder {local!r}") from None
    if not stat.S_ISDIR(mode):
        raise InvalidArgument(f"{local!r} is a file; log it with log_artifact()")


def _scan(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except PermissionError as error:
        raise PermissionDenied(f"{folder!r} may not be read: {error.strerror}") from None
    except OSError as error:
        raise NotFound(f"{folder!r} cannot be read: {error.strerror}") from None


def _status(entry: os.DirEntry[str]) -> os.stat_result:
    try:
        return entry.stat()
    except OSError as error:
        raise InvalidArgument(
            f"{entry.path!r} cannot be read ({error.strerror}); remove it, or repair the link"
        ) from None
