"""Rules for artifact paths: what a path may be, and where it leads on a disk."""

from __future__ import annotations

import os
import re
from urllib.parse import unquote

from autolog_core.errors import InvalidArgument
from autolog_core.limits import check_artifact_path

SEGMENT_LENGTH = 255
_RESERVED = re.compile(r"\.autolog-[0-9a-f]{16}\.(?:part|lock)")
_DECODINGS = 4


def check_path(path: object) -> str:
    """Returns `path` normalised, relative to the root; ``""`` is the root.

    Percent signs are plain characters of a name here, but a path that would step outside once
    somebody decoded it is refused, however often it is encoded.

    Raises:
        InvalidArgument: It is absolute, an address, steps outside, holds a backslash, drive, NUL or
            what is no Unicode, has a segment of over 255 bytes, or a name kept for our own files.
    """
    plain = check_artifact_path(path)
    try:
        segments = plain.encode().split(b"/")
    except UnicodeEncodeError:
        raise InvalidArgument(
            f"artifact path {plain!r} cannot be written as UTF-8; rename the file"
        ) from None
    long = next((part for part in segments if len(part) > SEGMENT_LENGTH), None)
    if long is not None:
        raise InvalidArgument(
            f"artifact path has a name of {len(long)} bytes, at most {SEGMENT_LENGTH} are allowed: "
            f"{long[:40].decode(errors='replace')!r}..."
        )
    if "%" in plain:
        _check_decoded(plain)
    if ".autolog-" in plain and any(map(is_reserved, plain.split("/"))):
        raise InvalidArgument(f"artifact path {plain!r} has a name that autolog keeps for itself")
    return plain


def check_file_path(path: object) -> str:
    """Returns `path` like `check_path`, the root excluded.

    Raises:
        InvalidArgument: It breaks a rule of `check_path`, or is the root.
    """
    plain = check_path(path)
    if not plain:
        raise InvalidArgument("artifact path must name a file, such as 'notes.txt'")
    return plain


def is_reserved(name: str) -> bool:
    """Whether `name` is that of a temporary or lock file of a repository."""
    return name.startswith(".autolog-") and _RESERVED.fullmatch(name) is not None


def is_inside(path: str, root: str) -> bool:
    """Whether the resolved `path` is the resolved `root` or lies under it."""
    return path == root or path.startswith(root.rstrip("/") + "/")


def resolve(root: str, path: str) -> str:
    """Returns where a checked artifact path leads, links followed.

    Args:
        root: Resolved root folder.
        path: As `check_path` returns it.

    Raises:
        InvalidArgument: A link on the way leads outside the root, or in a circle.
    """
    target = os.path.realpath(os.path.join(root, path)) if path else root
    if not is_inside(target, root):
        raise InvalidArgument(f"artifact path {path!r} leads outside the artifact root")
    return target


def _check_decoded(path: str) -> None:
    decoded = path
    for _ in range(_DECODINGS):
        before, decoded = decoded, unquote(decoded)
        if decoded == before:
            return
        if (
            "\0" in decoded
            or "\\" in decoded
            or decoded.startswith("/")
            or ".." in decoded.split("/")
        ):
            raise InvalidArgument(
                f"artifact path {path!r} must not hold an encoded '..', backslash, NUL or root"
            )
    raise InvalidArgument(f"artifact path {path!r} is encoded too often; give the plain path")
