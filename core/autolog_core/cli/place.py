"""Finds out where data goes, and what is wrong there; nothing is made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from autolog_core.cli.problem import Problem
from autolog_core.cli.render.text import without_login
from autolog_core.errors import AutologError

_LOW_SPACE = 1_000_000_000
_NETWORK_DISKS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "lustre", "beegfs", "glusterfs")


@dataclass(frozen=True, slots=True)
class Place:
    """Where data goes.

    Attributes:
        address: The resolved tracking address.
        source: What decided on it.
        exists: Whether there is a database.
        size: Bytes of the database and its log, None while there is none.
        artifact_root: Where files of new experiments go.
        writable: Whether both can be written by this user.
        free: Bytes left on that disk.
        disk: Kind of the file system, or "".
        revision: Of the database's schema, None where unknown.
        journals: Processes that have a journal there and may be logging now, or died.
    """

    address: str
    source: str
    exists: bool
    size: int | None
    artifact_root: str
    writable: bool
    free: int
    disk: str
    revision: str | None
    journals: int


def find_place(
    address: str | None, environ: Mapping[str, str], problems: list[Problem]
) -> Place | None:
    """Returns where data goes, or None after telling `problems` why that is unknown."""
    from autolog_core.address import resolve_address, spool_folder
    from autolog_core.cli.opening import database_file
    from autolog_core.config import read_settings

    try:
        settings = read_settings(environ)
        chosen = address or settings.tracking_uri
        full = resolve_address(chosen)
    except AutologError as error:
        problems.append(
            Problem("error", without_login(error.message), "correct it, or pass --tracking-uri")
        )
        return None
    path = database_file(full)
    if path is None:
        return None
    folder = _existing(os.path.dirname(path))
    exists = os.path.exists(path)
    files = [path, path + "-wal"]
    spool = spool_folder(full)
    return Place(
        address=full,
        source=_source(address, environ),
        exists=exists,
        size=sum(map(os.path.getsize, filter(os.path.exists, files))) if exists else None,
        artifact_root=os.path.dirname(path),
        writable=os.access(folder, os.W_OK) and (not exists or os.access(path, os.W_OK)),
        free=shutil.disk_usage(folder).free,
        disk=_disk_kind(folder),
        revision=_revision(full, problems) if exists else None,
        journals=sum(entry.is_dir() for entry in os.scandir(spool)) if spool.is_dir() else 0,
    )


def _source(address: str | None, environ: Mapping[str, str]) -> str:
    if address:
        return "--tracking-uri"
    for name in ("AUTOLOG_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        if environ.get(name):
            return name
    return "the default, in the working folder"


def _existing(folder: str) -> str:
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder)
    return folder


def _disk_kind(folder: str) -> str:
    import psutil

    real = os.path.realpath(folder)
    best, kind = "", ""
    for part in psutil.disk_partitions(all=True):
        root = part.mountpoint.rstrip("/") + "/"
        if (real + "/").startswith(root) and len(root) > len(best):
            best, kind = root, part.fstype
    return kind


def _revision(address: str, problems: list[Problem]) -> str | None:
    from autolog_core.stores.sql.maintenance import get_revision
    from autolog_core.stores.sql.versions import HEAD

    try:
        revision = get_revision(address)
    except AutologError as error:
        problems.append(Problem("error", error.message, f"look closer: autolog db check {address}"))
        return None
    if revision is not None and revision != HEAD:
        older = revision < HEAD
        problems.append(
            Problem(
                "error",
                f"the database has schema {revision}, this version of autolog works with {HEAD}",
                f"back it up, then run autolog db upgrade {address}"
                if older
                else "pip install -U autolog-ml",
            )
        )
    return revision


def check_place(place: Place) -> Iterator[Problem]:
    """Yields what is wrong with where data goes."""
    if not place.writable:
        yield Problem(
            "error",
            f"{place.artifact_root} cannot be written by this user: runs cannot be logged",
            "make it writable, or set AUTOLOG_TRACKING_URI to another place",
        )
    if place.free < _LOW_SPACE:
        yield Problem(
            "warning",
            f"{place.free / 1e6:,.0f} MB are left on the disk of {place.artifact_root}",
            "free some space, or set AUTOLOG_TRACKING_URI to another disk",
        )
    if place.disk.lower().startswith(_NETWORK_DISKS):
        yield Problem(
            "warning",
            f"{place.artifact_root} is on a network disk ({place.disk}): SQLite cannot lock there "
            "safely when several machines log",
            "set AUTOLOG_TRACKING_URI to a local disk",
        )
