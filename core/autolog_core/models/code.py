"""Python files that travel with a model."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import ModuleType
from typing import Any

from autolog_core.errors import InvalidArgument
from autolog_core.models.extra import check_paths

FOLDER = "code"
_loading = threading.RLock()
_roots: set[str] = set()


def check_code_paths(code_paths: Sequence[str | os.PathLike[str]] | None) -> tuple[Path, ...]:
    """Returns files and folders of code to keep with a model.

    Raises:
        InvalidArgument: It is a single text, two have the same name, or one has the name of a
            module of the standard library.
        NotFound: One does not exist.
    """
    found = check_paths(code_paths, "code_paths", folders=True)
    for path in found:
        if path.stem in sys.stdlib_module_names:
            raise InvalidArgument(
                f"code_paths names {path}, which would stand for the standard module "
                f"{path.stem!r}; rename it"
            )
    return found


def copy_code(paths: Sequence[Path], folder: Path) -> str | None:
    """Copies code into a model directory; returns the folder's name there, None without code."""
    if not paths:
        return None
    (folder / FOLDER).mkdir()
    for path in paths:
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.pyc", ".git")
            shutil.copytree(path, folder / FOLDER / path.name, ignore=ignored)
        else:
            shutil.copyfile(path, folder / FOLDER / path.name)
    return FOLDER


@contextmanager
def importable(folder: Path | None) -> Iterator[None]:
    """Makes the code of a model importable while the model is loaded.

    Inside, its modules come before all others, and a module of the same name that the process has
    loaded from elsewhere steps aside; afterwards that one is back in its place. The folder then
    stays at the end of `sys.path`, where it hides nothing, for what the model imports later. No
    compiled files are read from or written to it.

    Args:
        folder: Where the modules are; None for a model without code.
    """
    if folder is None:
        yield
        return
    root = str(folder.resolve())
    with _loading:
        _watch(root)
        aside = {name: module for name, module in list(sys.modules.items()) if _hides(name, root)}
        for name in aside:
            del sys.modules[name]
        sys.path.insert(0, root)
        try:
            yield
        finally:
            sys.path.remove(root)
            if root not in sys.path:
                sys.path.append(root)
            tops = {name.partition(".")[0] for name in aside}
            for name in [each for each in sys.modules if each.partition(".")[0] in tops]:
                del sys.modules[name]
            sys.modules.update(aside)


def _hides(name: str, root: str) -> bool:
    top = name.partition(".")[0]
    if not _provides(root, top):
        return False
    module: ModuleType | None = sys.modules.get(top)
    places = [getattr(module, "__file__", None) or "", *(getattr(module, "__path__", None) or ())]
    return not any(str(place).startswith(root + os.sep) for place in places)


def _provides(root: str, top: str) -> bool:
    return os.path.isdir(os.path.join(root, top)) or any(
        os.path.isfile(os.path.join(root, top + suffix))
        for suffix in (*SOURCE_SUFFIXES, *EXTENSION_SUFFIXES)
    )


class _Source(SourceFileLoader):
    """Reads sources only: a compiled file beside one could say anything."""

    def get_data(self, path: str) -> bytes:
        if path.endswith(".pyc"):
            raise FileNotFoundError(path)
        return super().get_data(path)

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Writes nothing: a model directory does not change by being used."""


def _watch(root: str) -> None:
    if not _roots:
        sys.path_hooks.insert(0, _find_in_code)
    _roots.add(root)
    sys.path_importer_cache.pop(root, None)


def _find_in_code(path: str) -> FileFinder:
    if not any(path == root or path.startswith(root + os.sep) for root in _roots):
        raise ImportError(path)
    return FileFinder(path, (ExtensionFileLoader, EXTENSION_SUFFIXES), (_Source, SOURCE_SUFFIXES))
