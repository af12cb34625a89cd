"""Finds out what is installed, where data goes and what is wrong, for `autolog doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any, Literal

from autolog_core import __version__
from autolog_core.cli.render.text import without_login
from autolog_core.errors import AutologError

GROUP = "autolog.doctor"
"""Entry points of this group are functions that describe integrations; see `Integration`."""

_LOW_SPACE = 1_000_000_000
_NETWORK_DISKS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "lustre", "beegfs", "glusterfs")


@dataclass(frozen=True, slots=True)
class Integration:
    """A library that autolog can capture, as its spec says.

    Attributes:
        name: The integration's name, such as "sklearn".
        package: The distribution to install.
        supported: The range of versions, such as ">=1.5".
        installed: The version that is installed, or None.
        enabled: Whether `autolog()` switches it on, None where that cannot be told.
        compatible: Whether the installed version is in range; None when there is none.
    """

    name: str
    package: str
    supported: str
    installed: str | None
    enabled: bool | None
    compatible: bool | None


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


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong or may go wrong, with what to do."""

    severity: Literal["error", "warning"]
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Health:
    """All that `autolog doctor` says.

    Attributes:
        system: Versions and the machine, by label.
        integrations: What can be captured; None when no package describes itself.
        place: Where data goes; None when the address cannot be read.
        settings: Variables in force, secrets masked.
        problems: The errors first.
    """

    system: Mapping[str, str]
    integrations: tuple[Integration, ...] | None
    place: Place | None
    settings: Mapping[str, str]
    problems: tuple[Problem, ...]

    def to_dictionary(self) -> dict[str, Any]:
        """Returns the fields as plain data."""
        return asdict(self)


def examine(address: str | None, environ: Mapping[str, str]) -> Health:
    """Looks at everything; nothing is made or changed.

    Args:
        address: The tracking address asked for on the command line.
        environ: The variables of autolog in the environment.
    """
    problems: list[Problem] = []
    integrations = find_integrations(problems)
    place = find_place(address, environ, problems)
    problems += check_settings(environ)
    problems += check_tools(environ)
    if place is not None:
        problems += check_place(place)
    return Health(
        describe_system(),
        integrations,
        place,
        {name: mask(name, value) for name, value in sorted(environ.items())},
        tuple(sorted(problems, key=lambda problem: problem.severity)),
    )


def describe_system() -> dict[str, str]:
    """Returns versions and the machine, by label."""
    import autolog_core

    return {
        "autolog": f"{__version__} ({os.path.dirname(autolog_core.__file__)})",
        "Python": f"{platform.python_version()} ({sys.executable})",
        "platform": f"{platform.platform()}, {os.cpu_count()} cores",
    }


def mask(name: str, value: str) -> str:
    """Returns `value` without what must not be shown on a screen."""
    from autolog_core.capture.source import MASK, is_secret_name, mask_arguments

    return MASK if is_secret_name(name) else mask_arguments((value,))[0]


def find_integrations(problems: list[Problem]) -> tuple[Integration, ...] | None:
    """Asks every package that describes integrations, importing no framework; None if none does.

    Args:
        problems: Gets what is wrong with them.
    """
    points = metadata.entry_points(group=GROUP)
    if not points:
        return None
    found = []
    for point in points:
        try:
            described = point.load()()
        except Exception as error:  # a broken plug-in must not take the doctor down
            problems.append(
                Problem(
                    "warning",
                    f"{point.value} cannot say which integrations there are: "
                    f"{type(error).__name__}: {error}",
                    "install autolog-ml again: pip install --force-reinstall autolog-ml",
                )
            )
            continue
        found += [_integration(item) for item in described]
    for item in found:
        if item.compatible is False:
            problems.append(
                Problem(
                    "warning",
                    f"{item.package} {item.installed} is not in the supported range "
                    f"{item.supported}: it is not captured",
                    f'pip install "{item.package}{item.supported}"',
                )
            )
    if not found:
        return None
    return tuple(sorted(found, key=lambda item: (item.installed is None, item.name)))


def _integration(item: Mapping[str, Any]) -> Integration:
    installed = item.get("installed")
    supported = str(item.get("supported") or "")
    compatible = None
    if installed:
        from packaging.specifiers import SpecifierSet

        compatible = SpecifierSet(supported).contains(str(installed), prereleases=True)
    enabled = item.get("enabled")
    return Integration(
        str(item["name"]),
        str(item.get("package") or item["name"]),
        supported,
        str(installed) if installed else None,
        None if enabled is None else bool(enabled),
        compatible,
    )


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


def check_settings(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields variables that look like settings and are none."""
    import difflib

    from autolog_core.config import read_settings

    known = _Recorded(environ)
    try:
        read_settings(known)
    except AutologError:
        return  # told by `find_place`
    ours = [name for name in known.asked if name.startswith("AUTOLOG_")]
    for name in sorted(environ):
        if name.startswith("AUTOLOG_") and name not in ours:
            near = difflib.get_close_matches(name, ours, n=1)
            yield Problem(
                "warning",
                f"{name} is set and is no setting of autolog",
                f"did you mean {near[0]}?" if near else f"unset {name}",
            )


class _Recorded(dict[str, str]):
    """Variables that remember which of them were asked for: so the names live in `config` only."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        super().__init__(environ)
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        """Returns a variable, and notes its name."""
        self.asked.add(name)
        return super().get(name, default)


def check_tools(environ: Mapping[str, str]) -> Iterator[Problem]:
    """Yields tools that are missing for what the settings ask."""
    from autolog_core.config import read_settings

    try:
        settings = read_settings(environ)
    except AutologError:
        return
    if settings.capture_code and shutil.which("git") is None:
        yield Problem(
            "warning",
            "git is not on the PATH: runs are kept without their commit and diff",
            "install git, or set AUTOLOG_CAPTURE_CODE=false",
        )
    if settings.system_metrics and shutil.which("nvidia-smi") and not _has("nvidia-ml-py"):
        yield Problem(
            "warning",
            "there is an NVIDIA driver, and the library that reads its GPUs is missing",
            'pip install "autolog-ml[gpu]"',
        )


def _has(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return False
    return True
