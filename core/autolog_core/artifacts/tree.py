"""What lies in a repository's folder: our own files and links that lead outside do not show."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass

from autolog_core.artifacts.disk import explain_read
from autolog_core.artifacts.paths import is_inside, is_reserved, resolve
from autolog_core.entities import FileInfo


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder of a repository.

    Attributes:
        local: Where it is, links followed.
        info: How it shows.
    """

    local: str
    info: FileInfo


def list_entries(root: str, path: str) -> list[Entry]:
    """Returns what lies directly in the folder `path`, by name; nothing for a file or no folder.

    Args:
        root: Resolved root folder.
        path: As `paths.check_path` returns it.
    """
    try:
        with os.scandir(resolve(root, path)) as scanned:
            found = list(scanned)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise explain_read(error, path) from error
    prefix = f"{path}/" if path else ""
    entries = [_entry(root, item, prefix + item.name) for item in found]
    return sorted(
        (entry for entry in entries if entry is not None), key=lambda entry: entry.info.path
    )


def walk(root: str, path: str) -> Iterator[Entry]:
    """Yields all that lies in the folder `path` at any depth, folders before what they hold.

    A link to a folder above itself is not entered again.
    """
    pending: list[tuple[str, tuple[str, ...]]] = [(path, (resolve(root, path),))]
    while pending:
        folder, above = pending.pop()
        for entry in list_entries(root, folder):
            if entry.info.is_dir:
                if entry.local in above:
                    continue
                pending.append((entry.info.path, (*above, entry.local)))
            yield entry


def _entry(root: str, item: os.DirEntry[str], path: str) -> Entry | None:
    if is_reserved(item.name):
        return None
    local = item.path
    if item.is_symlink():
        local = os.path.realpath(local)
        if not is_inside(local, root):
            return None
    try:
        status = os.stat(local)
    except OSError:
        # A broken link, or a file that another process removed since the folder was read.
        return None
    if stat.S_ISDIR(status.st_mode):
        return Entry(local, FileInfo(path, True))
    if stat.S_ISREG(status.st_mode):
        return Entry(local, FileInfo(path, False, status.st_size))
    return None
