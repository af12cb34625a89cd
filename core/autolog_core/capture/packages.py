"""Which distributions are installed, and which of them the process has imported.

Names and versions are read from the names of the metadata folders; a metadata file is opened only
where its folder's name does not tell both. `importlib.metadata` opens every one, which takes some
hundred times as long.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import ModuleType

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._]*[A-Za-z0-9])?"
_WHEEL = re.compile(rf"({_NAME})-([A-Za-z0-9][A-Za-z0-9._+!]*)\.dist-info")
_EGG = re.compile(rf"({_NAME})-([A-Za-z0-9][A-Za-z0-9._+!]*)-py\d+(?:\.\d+)?\.egg-info")
_METADATA_SIZE = 1 << 16
_SEPARATORS = re.compile(r"[-_.]+")


def normalize(name: str) -> str:
    """Returns a distribution's name as package indexes compare it."""
    return _SEPARATORS.sub("-", name).lower()


def packages(path: Sequence[str] | None = None) -> dict[str, str]:
    """Returns the version of each installed distribution, by normalised name, in order of names.

    Args:
        path: Folders to look into instead of `sys.path`; the first that has a name counts.
    """
    found: dict[str, str] = {}
    for folder in dict.fromkeys(sys.path if path is None else path):
        for name, version, _ in _in_folder(folder or "."):
            found.setdefault(name, version)
    return dict(sorted(found.items()))


def imported_packages(
    modules: Mapping[str, ModuleType] | None = None, path: Sequence[str] | None = None
) -> set[str]:
    """Returns the normalised names of the distributions that provide loaded modules.

    Editable installs are not among them: their modules lie elsewhere.

    Args:
        modules: Modules by name instead of those that are loaded.
        path: Folders to look into instead of `sys.path`.
    """
    loaded = dict(sys.modules) if modules is None else modules
    folders = [folder or "." for folder in dict.fromkeys(sys.path if path is None else path)]
    installed = [(folder, *item) for folder in folders for item in _in_folder(folder)]
    places = {os.path.realpath(folder) for folder in {item[0] for item in installed}}
    wanted = {
        name
        for name, module in loaded.items()
        if "." not in name and not name.startswith("_") and _lies_in(module, places)
    }
    found: set[str] = set()
    others: list[tuple[str, str]] = []
    for _, name, _, metadata in installed:
        same = name.replace("-", "_")
        if same in wanted:
            found.add(name)
            wanted.discard(same)
        else:
            others.append((name, metadata))
    for name, metadata in others:
        if not wanted:
            break
        provided = wanted.intersection(_top_levels(metadata))
        if provided:
            found.add(name)
            # A namespace has no file of its own, and further distributions may provide it.
            wanted -= {top for top in provided if loaded[top].__dict__.get("__file__")}
    return found


def _lies_in(module: object, places: set[str]) -> bool:
    # Asking the module itself could make a lazy one import what it stands for.
    own = getattr(module, "__dict__", None) or {}
    file = own.get("__file__")
    if isinstance(file, str):
        folder = os.path.dirname(file)
        package = os.path.basename(file).startswith("__init__.")
        return os.path.realpath(os.path.dirname(folder) if package else folder) in places
    return any(
        os.path.realpath(os.path.dirname(str(path))) in places for path in own.get("__path__") or ()
    )


def requirements(versions: Mapping[str, str], imported: Iterable[str] = ()) -> str:
    """Returns the text of a requirements file that pins `versions`, imported ones first."""
    first = {name for name in imported if name in versions}
    lines = [f"{name}=={versions[name]}" for name in sorted(first)]
    rest = [f"{name}=={version}" for name, version in sorted(versions.items()) if name not in first]
    if first:
        lines = ["# imported by the process", *lines]
    if first and rest:
        rest = ["", "# installed, not imported", *rest]
    return "".join(line + "\n" for line in [*lines, *rest])


def _in_folder(folder: str) -> Iterator[tuple[str, str, str]]:
    """Yields name, version and metadata path of the distributions of one folder."""
    try:
        entries = os.listdir(folder)
    except OSError:
        return
    for entry in entries:
        if not entry.endswith((".dist-info", ".egg-info")) or entry.startswith("~"):
            continue
        metadata = os.path.join(folder, entry)
        match = _WHEEL.fullmatch(entry) or _EGG.fullmatch(entry)
        if match and match[1].count("-") == 0 and _is_whole(metadata):
            yield normalize(match[1]), match[2], metadata
            continue
        told = _told(metadata)
        if told:
            yield normalize(told[0]), told[1], metadata


def _is_whole(metadata: str) -> bool:
    # A failed removal leaves folders without the file that makes them a distribution.
    return (
        os.path.exists(os.path.join(metadata, "METADATA"))
        or os.path.exists(os.path.join(metadata, "PKG-INFO"))
        or os.path.isfile(metadata)
    )


def _told(metadata: str) -> tuple[str, str] | None:
    for path in (
        os.path.join(metadata, "METADATA"),
        os.path.join(metadata, "PKG-INFO"),
        metadata,
    ):
        text = _read(path)
        if text is not None:
            break
    else:
        return None
    head = text.partition("\n\n")[0]
    name = re.search(r"^Name:[ \t]*(\S+)", head, re.MULTILINE)
    version = re.search(r"^Version:[ \t]*(\S+)", head, re.MULTILINE)
    return (name[1], version[1]) if name and version else None


def _top_levels(metadata: str) -> set[str]:
    listed = _read(os.path.join(metadata, "top_level.txt"))
    if listed is not None:
        return set(listed.split())
    record = _read(os.path.join(metadata, "RECORD"), size=-1) or ""
    tops = set()
    for line in record.splitlines():
        path = line.partition(",")[0].strip('"')
        top, slash, _ = path.partition("/")
        if slash:
            if not top.endswith((".dist-info", ".data")) and top != "..":
                tops.add(top)
        elif path.endswith((".py", ".so", ".pyd")):
            tops.add(path.partition(".")[0])
    return tops


def _read(path: str, size: int = _METADATA_SIZE) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(size)
    except OSError:
        return None
