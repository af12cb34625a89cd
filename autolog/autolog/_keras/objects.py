"""Classes and functions of the user's that a model is made of, kept beside it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autolog_core.errors import InvalidArgument
from autolog_core.models import pickles

GIVEN, REGISTERED = "custom_objects.cloudpickle", "global_custom_objects.cloudpickle"


@dataclass(frozen=True, slots=True)
class Kept:
    """Custom objects as bytes.

    Attributes:
        files: Pickles of mappings, by the name of their file.
        modules: Names of the modules that they come from.
        notes: What the user should know.
    """

    files: Mapping[str, bytes]
    modules: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def write(self, folder: Path) -> None:
        """Writes the files."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


def look_up(name: str, given: Mapping[str, Any]) -> Any:
    """Returns the class or function that a config names, or None.

    Args:
        name: What the config says.
        given: Objects by name, for what is not registered with Keras.
    """
    import keras

    found = keras.saving.get_registered_object(name, custom_objects=given)
    if found is not None or ">" in name:
        return found
    # Up to version 3.6 Keras writes functions without the package that they are registered in.
    known = {**keras.saving.get_custom_objects(), **given}
    longer = [each for each in known if each.endswith(f">{name}")]
    return known[longer[0]] if len(longer) == 1 else None


def keep(custom: Mapping[str, str | None], given: Mapping[str, Any] | None) -> Kept:
    """Pickles what a model needs of the user's.

    Args:
        custom: Names that its config looks up, and their modules.
        given: Objects that the caller wants kept.

    Raises:
        InvalidArgument: `given` is no mapping of names, or cannot be pickled.
    """
    if given is not None and not (
        isinstance(given, Mapping) and all(isinstance(name, str) for name in given)
    ):
        raise InvalidArgument(
            f"custom_objects must be a mapping of names to classes and functions, got {given!r}"
        )
    files, modules = {}, frozenset[str]()
    notes: tuple[str, ...] = ()
    if given:
        pickled = pickles.dump(dict(given), "custom_objects")
        files[GIVEN], modules = pickled.data, pickled.modules
    found = {
        name: each
        for name, module in custom.items()
        if name not in (given or {}) and (each := _find(name, module)) is not None
    }
    if found:
        try:
            pickled = pickles.dump(found, "the model's own classes and functions")
        except Exception as error:  # What they refer to may raise anything.
            names = ", ".join(found)
            notes = (f"{names} are not kept with it, give custom_objects to load it: {error}",)
        else:
            files[REGISTERED], modules = pickled.data, modules | pickled.modules
    return Kept(files, modules, notes)


def _find(name: str, module: str | None) -> Any:
    found = look_up(name, {})
    if found is not None:
        return found
    # Keras writes no module for what a script defines.
    return getattr(sys.modules.get(module or "__main__"), name, None)


def kept_files(folder: Path) -> list[Path]:
    """Returns the pickles of custom objects in a folder; those that the caller gave win."""
    return [folder / name for name in (REGISTERED, GIVEN) if (folder / name).is_file()]


def unpickle(files: list[Path]) -> dict[str, Any]:
    """Loads pickles of custom objects, which may run any code: ask for trust before.

    Raises:
        InvalidArgument: One is damaged, or needs modules that are not installed.
    """
    found: dict[str, Any] = {}
    for file in files:
        content = pickles.load(file)
        if not isinstance(content, Mapping):
            raise InvalidArgument(f"{file} holds no mapping of names to classes and functions")
        found.update(content)
    return found
