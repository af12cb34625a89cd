"""What flavors share when they write a model's files and when they read them again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import xxhash

from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.models.code import importable
from autolog_core.models.locate import inside
from autolog_core.models.manifest import Model
from autolog_core.models.trust import require_trust

DIGESTS = "digests"


class Broken(ValueError):
    """Bytes are not whole, or of another kind; the message says what is wrong."""


class Content(NamedTuple):
    """A file of a model directory.

    Attributes:
        file: Where it is.
        data: What it holds.
        known: Whether the manifest has a digest of it, which it fits.
    """

    file: Path
    data: bytes
    known: bool


def write_files(folder: Path, files: Mapping[str, bytes | bytearray]) -> dict[str, str]:
    """Writes files into a model directory.

    Returns:
        Their digests by name, for the manifest, where `read_file` looks for them.
    """
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return {name: _digest(data) for name, data in files.items()}


def file_of(folder: Path, conf: Mapping[str, Any], field: str) -> Path:
    """Returns the file of a model directory that a field of its flavor names.

    Raises:
        InvalidArgument: It names no file of the directory.
        NotFound: There is no such file.
    """
    file = inside(folder, conf.get(field), field)
    if not file.is_file():
        raise InvalidArgument(f"{field} of a model must name a file, and {file} is a folder")
    return file


def read_file(folder: Path, conf: Mapping[str, Any], field: str) -> Content:
    """Returns what the file holds that a field of a flavor names.

    Args:
        folder: The model directory.
        conf: What the manifest says of the flavor.
        field: Which entry of it names the file.

    Raises:
        InvalidArgument: It names no file of the directory, or the file is not as it was written.
        NotFound: There is no such file.
    """
    file = file_of(folder, conf, field)
    data = file.read_bytes()
    digests = conf.get(DIGESTS)
    wanted = digests.get(conf[field]) if isinstance(digests, Mapping) else None
    if wanted is not None and wanted != _digest(data):
        raise damaged(file, "it is not as it was written")
    return Content(file, data, wanted is not None)


def _digest(data: bytes | bytearray) -> str:
    return f"xxh3_128:{xxhash.xxh3_128_hexdigest(data)}"


def damaged(file: Path, why: object) -> InvalidArgument:
    """Returns the error of a file that cannot be read."""
    return InvalidArgument(f"{file} is damaged or no model of this kind: {why}")


def flavor_conf(folder: Path, model: Model, flavor: str, library: str) -> Mapping[str, Any]:
    """Returns what a manifest says of a flavor.

    Raises:
        NotSupported: The model has no such flavor.
    """
    conf = model.flavors.get(flavor)
    if conf is None:
        held = ", ".join(model.flavors) or "none"
        raise NotSupported(f"{folder} is no model of {library}; its flavors are {held}")
    return conf


@contextmanager
def trusted(
    folder: Path,
    model: Model,
    conf: Mapping[str, Any],
    reasons: Sequence[str],
    trust: bool | None,
) -> Iterator[None]:
    """Makes the code of a model importable, once somebody trusts it.

    Args:
        folder: The model directory.
        model: Its manifest.
        conf: What the manifest says of the flavor.
        reasons: What of the model runs code when it is loaded, besides Python files it brings.
        trust: What the caller says; None leaves it to the settings and the seal.

    Raises:
        PermissionDenied: Nobody trusts it.
    """
    code = conf.get("code")
    brought = [f"it brings Python files in {code}/"] if code else []
    require_trust(folder, model, [*reasons, *brought], trust)
    with importable(inside(folder, code, "code") if code else None):
        yield
