"""Reading artifacts: listing, downloading, loading."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autolog._images import pillow
from autolog._sessions import plain_address, session_at
from autolog.run_files import repository_of
from autolog_core.artifacts import ArtifactRepository, open_repository
from autolog_core.entities import FileInfo
from autolog_core.errors import InvalidArgument, NotSupported

if TYPE_CHECKING:
    from PIL.Image import Image as PilImage

__all__ = ["download_artifacts", "list_artifacts", "load_dict", "load_image", "load_text"]


def download_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | Path | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Makes a file or folder of artifacts available locally and returns its path.

    Args:
        artifact_uri: ``runs:/<run id>/<path>``, or the address of the file or folder.
        run_id: A run, instead of the address.
        artifact_path: With `run_id`: path among its artifacts; all of them if absent.
        dst_path: Local folder to copy to; made if missing. Without it artifacts on this machine are
            not copied: do not change them.
        tracking_uri: Where the run is kept, if not where new runs go.

    Raises:
        NotFound: There is no such run or artifact.
        InvalidArgument: Both or neither of address and run are given, or a path is off.
    """
    repository, path = _locate(artifact_uri, run_id, artifact_path, tracking_uri)
    return repository.download(path, dst_path)


def list_artifacts(
    artifact_uri: str | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[FileInfo]:
    """Returns what lies directly in a folder of artifacts.

    The arguments are those of `download_artifacts`.

    Raises:
        NotFound: There is no such run.
        InvalidArgument: Both or neither of address and run are given, or a path is off.
    """
    repository, path = _locate(artifact_uri, run_id, artifact_path, tracking_uri)
    return repository.list(path)


def load_text(artifact_uri: str) -> str:
    """Returns the content of a text file.

    Raises:
        NotFound: There is no such artifact.
        InvalidArgument: It is no UTF-8 text.
    """
    try:
        return _content(artifact_uri).decode()
    except UnicodeDecodeError:
        raise InvalidArgument(
            f"artifact {artifact_uri!r} is no UTF-8 text; fetch it with download_artifacts() and "
            "open it with its encoding"
        ) from None


def load_dict(artifact_uri: str) -> Any:
    """Returns the content of a JSON file.

    Raises:
        NotFound: There is no such artifact.
        InvalidArgument: It is no JSON.
    """
    try:
        return json.loads(load_text(artifact_uri))
    except json.JSONDecodeError as error:
        raise InvalidArgument(f"artifact {artifact_uri!r} is no JSON: {error}") from None


def load_image(artifact_uri: str) -> PilImage:
    """Returns the content of an image file as an image of Pillow.

    Raises:
        NotFound: There is no such artifact.
        InvalidArgument: It is no image.
        MissingExtra: Pillow is not installed.
    """
    content = _content(artifact_uri)
    try:
        image: PilImage = pillow().open(io.BytesIO(content))
        image.load()
    except OSError as error:
        raise InvalidArgument(f"artifact {artifact_uri!r} is no image: {error}") from None
    return image


def _content(artifact_uri: str) -> bytes:
    repository, path = _locate(artifact_uri, None, None, None)
    return repository.read_bytes(path)


def _locate(
    artifact_uri: str | None,
    run_id: str | None,
    artifact_path: str | None,
    tracking_uri: str | None,
) -> tuple[ArtifactRepository, str]:
    if (artifact_uri is None) == (run_id is None):
        raise InvalidArgument(
            f"give either artifact_uri or run_id, got artifact_uri={artifact_uri!r} and "
            f"run_id={run_id!r}"
        )
    if artifact_uri is not None:
        if artifact_path is not None:
            raise InvalidArgument(
                f"artifact_path={artifact_path!r} goes with run_id; append it to artifact_uri"
            )
        uri = str(artifact_uri)
        if not uri.startswith("runs:/"):
            return _by_address(uri)
        run_id, _, artifact_path = uri.removeprefix("runs:/").strip("/").partition("/")
    session = session_at(plain_address(tracking_uri))
    return repository_of(session, str(run_id)), artifact_path or ""


def _by_address(uri: str) -> tuple[ArtifactRepository, str]:
    if uri.startswith("models:"):
        raise NotSupported(
            f"artifact_uri {uri!r}: models have no addresses yet; use runs:/<run id>/<path>"
        )
    root, _, name = uri.rstrip("/").rpartition("/")
    return open_repository(root or "/"), name
