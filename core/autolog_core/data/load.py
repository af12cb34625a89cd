"""Fetching what a source names."""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from autolog_core.errors import InvalidArgument, NotFound, NotSupported, StorageError

_TIMEOUT_S = 60
_REDACTED = "=REDACTED"
_ELSEWHERE = {
    "code": "the data were made by the program that the source names",
    "hugging_face": "call datasets.load_dataset with the fields of to_dict()",
    "spark": "read it with a SparkSession",
    "delta_table": "read it with a SparkSession, or with the package deltalake",
}


def load_source(kind: str, fields: Mapping[str, Any], folder: str | os.PathLike[str] | None) -> str:
    """Makes the data of a local or web source available as a file or folder; returns its path.

    Args:
        kind: The type of the source.
        fields: Its fields.
        folder: Where to copy to; made if missing. Without it local data stay where they are, and
            data of the web go to a new temporary folder.

    Raises:
        NotFound: There is nothing at the place.
        NotSupported: Sources of this type are fetched in another way; the error says how.
        InvalidArgument: The source lacks its place, or a secret of its address was left out.
        StorageError: The address cannot be reached.
    """
    if kind not in ("local", "http"):
        how = _ELSEWHERE.get(kind, "fetch it with autolog.artifacts.download_artifacts(uri)")
        raise NotSupported(f"a source of type {kind!r} has no file to load; {how}")
    place = fields.get("uri" if kind == "local" else "url")
    if not isinstance(place, str) or not place:
        raise InvalidArgument(f"the source of type {kind!r} names no place: {dict(fields)!r:.200}")
    return _local(place, folder) if kind == "local" else _download(place, folder)


def _local(place: str, folder: str | os.PathLike[str] | None) -> str:
    address = urlsplit(place)
    path = Path(unquote(address.path) if address.scheme == "file" else place)
    if not path.exists():
        raise NotFound(f"there is no {str(path)!r} on this machine")
    if folder is None:
        return str(path)
    goal = Path(folder) / path.name
    goal.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        shutil.copytree(path, goal, dirs_exist_ok=True)
    else:
        shutil.copy2(path, goal)
    return str(goal)


def _download(address: str, folder: str | os.PathLike[str] | None) -> str:
    if urlsplit(address).scheme not in ("http", "https"):
        raise InvalidArgument(f"the address must begin with http:// or https://, got {address!r}")
    if _REDACTED in address:
        raise InvalidArgument(
            f"a key or signature was left out when {address!r} was recorded; fetch it with one"
        )
    try:
        with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
            place = Path(folder) if folder is not None else Path(tempfile.mkdtemp())
            place.mkdir(parents=True, exist_ok=True)
            goal = place / _file_name(answer.headers, address)
            part = goal.with_name(f"{goal.name}.part")
            try:
                with part.open("wb") as file:
                    shutil.copyfileobj(answer, file, 2**20)
                part.replace(goal)
            finally:
                part.unlink(missing_ok=True)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code in (404, 410):
            raise NotFound(f"there is nothing at {address!r} (HTTP {error.code})") from error
        raise StorageError(f"{address!r} answered HTTP {error.code}") from error
    except urllib.error.URLError as error:
        raise StorageError(f"cannot reach {address!r}: {error.reason}") from error
    return str(goal)


def _file_name(headers: Message, address: str) -> str:
    given = headers.get_filename() or unquote(urlsplit(address).path)
    # A name that the other side chose must not lead out of the folder.
    name = given.replace("\\", "/").rpartition("/")[2]
    return name if name.strip(". ") else "dataset_source"
