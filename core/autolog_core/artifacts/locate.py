"""From an address to the repository that serves it."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from autolog_core.artifacts.base import ArtifactRepository, LocalPath
from autolog_core.artifacts.local import LocalRepository
from autolog_core.config import read_settings
from autolog_core.errors import InvalidArgument, NotSupported

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.\-]*):")


def open_repository(uri: LocalPath, progress: bool | None = None) -> ArtifactRepository:
    """Opens the artifact repository at an address. Nothing is made or read yet.

    Args:
        uri: A folder, or the ``file://`` address of one.
        progress: Whether copies of over a second show a bar on a terminal; absent, the setting
            ``AUTOLOG_ENABLE_ARTIFACTS_PROGRESS_BAR`` says so.

    Raises:
        InvalidArgument: The address is empty, names another host, or holds ``..`` or NUL, or is a
            ``file:`` address with a query or fragment.
        NotSupported: Its scheme is not served; the message names those that are.
    """
    text = os.fspath(uri) if isinstance(uri, os.PathLike) else uri
    folder = local_folder(text)
    if progress is None:
        progress = read_settings().artifacts_progress_bar
    return LocalRepository(folder, text, progress)


def local_folder(uri: str) -> str:
    """Returns the folder that an address of a local repository names.

    Raises:
        InvalidArgument: The address is empty, names another host, or holds ``..`` or NUL, or is a
            ``file:`` address with a query or fragment.
        NotSupported: It is not that of a local folder.
    """
    if not isinstance(uri, str) or not uri.strip():
        raise InvalidArgument(f"artifact address must be a non-empty string, got {uri!r}")
    scheme = _SCHEME.match(uri)
    if scheme is None:
        return _check_folder(uri, uri)
    if scheme[1].lower() != "file":
        # The address itself stays out of the message: it may hold credentials.
        raise NotSupported(
            f"artifact addresses of scheme {scheme[1]!r} are not served; "
            "use a local folder or file:///path/to/folder"
        )
    rest = uri[scheme.end() :]
    if "#" in rest or "?" in rest:
        raise InvalidArgument(
            f"artifact address {uri!r} must not hold '#' or '?'; write them as %23 and %3F"
        )
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host not in ("", "localhost"):
            raise InvalidArgument(
                f"artifact address {uri!r} names the host {host!r}; "
                "write file:///path with three slashes for a local folder"
            )
        rest = slash + path
    return _check_folder(unquote(rest), uri)


def _check_folder(folder: str, uri: str) -> str:
    if not folder or "\0" in folder:
        raise InvalidArgument(f"artifact address {uri!r} names no folder")
    if ".." in re.split(r"[/\\]", folder):
        raise InvalidArgument(f"artifact address {uri!r} must not hold '..'; give the plain folder")
    return folder
