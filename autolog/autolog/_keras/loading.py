"""Loading a Keras model of a model directory, of autolog or of MLflow."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autolog._keras import objects
from autolog._keras.payload import DATA, HDF5, KERAS, NAME, OLD_FORMAT, PICKLED, brief
from autolog._keras.survey import read_config, survey
from autolog_core.errors import InvalidArgument, NotSupported
from autolog_core.models.code import importable
from autolog_core.models.locate import inside
from autolog_core.models.manifest import Model
from autolog_core.models.trust import require_trust

_BROKEN = (ValueError, TypeError, KeyError, OSError, AttributeError, NotImplementedError)


def load_keras(
    folder: Path,
    model: Model,
    conf: Mapping[str, Any],
    options: Mapping[str, Any] | None,
    trust: bool | None,
) -> Any:
    """Loads the Keras model of a model directory.

    Args:
        folder: The model directory.
        model: Its manifest.
        conf: Its flavor.
        options: Arguments for ``keras.saving.load_model``; ``safe_mode=False`` says that the model
            is trusted.
        trust: Whether the model may run code when it is loaded; None leaves it to the settings and
            the seal.

    Raises:
        PermissionDenied: Loading it runs code, and nobody trusts it.
        InvalidArgument: It is damaged, or needs classes that are not known here.
        NotSupported: It is of a format that Keras 3 does not load.
    """
    given = _check(options)
    if trust is None and given.get("safe_mode") is False:
        trust = True
    file = _file(folder, conf)
    custom = dict(given.pop("custom_objects", None) or {})
    pickled = objects.kept_files(file.parent)
    code, missing = _look(file, given.get("compile", True) is not False, custom)
    reasons = list(code)
    if missing and pickled:
        reasons.append(f"{PICKLED}, which holds {_names(missing)} that are not known here")
    place = conf.get("code")
    if place and (reasons or missing):
        reasons.append(f"it brings Python files in {place}/")
    require_trust(folder, model, reasons, trust)
    with importable(inside(folder, place, "code") if place and reasons else None):
        if missing or file.suffix == HDF5:
            custom = {**objects.unpickle(pickled), **custom}
            _, missing = _look(file, given.get("compile", True) is not False, custom)
        if missing:
            raise _unknown(folder, missing)
        return _read(file, {**given, "custom_objects": custom, "safe_mode": not code})


def copied_to(target: str | os.PathLike[str] | None, folder: Path) -> Path:
    """Copies a model directory to where the caller wants it; returns where it then is."""
    if target is None:
        return folder
    return Path(shutil.copytree(folder, target, dirs_exist_ok=True))


def _check(options: Mapping[str, Any] | None) -> dict[str, Any]:
    if options is not None and not isinstance(options, Mapping):
        raise InvalidArgument(f"arguments for loading must be a mapping, got {options!r}")
    found = dict(options or {})
    custom = found.get("custom_objects")
    if custom is not None and not isinstance(custom, Mapping):
        raise InvalidArgument(
            f"custom_objects must be a mapping of names to classes and functions, got {custom!r}"
        )
    return found


def _file(folder: Path, conf: Mapping[str, Any]) -> Path:
    data = inside(folder, conf.get("data", DATA), "data")
    for suffix in (KERAS, HDF5):
        file = data / f"{NAME}{suffix}"
        if file.is_file():
            return inside(folder, str(file.relative_to(folder.resolve())), "data")
    raise NotSupported(
        f"{folder} holds no {NAME}{KERAS} or {NAME}{HDF5}, and Keras 3 loads no other format; load "
        "it with the Keras that saved it, and save it again"
    )


def _look(
    file: Path, compiled: bool, custom: dict[str, Any]
) -> tuple[tuple[str, ...], dict[str, str | None]]:
    """Returns why loading runs code, and what is not known here; what is goes into `custom`."""
    if file.suffix == HDF5:
        return (OLD_FORMAT,), {}
    found = survey(read_config(file), compiled)
    missing = {}
    for name, module in found.custom.items():
        known = objects.look_up(name, custom)
        if known is None:
            missing[name] = module
        else:
            custom[name] = known
    return found.code, missing


def _names(missing: Mapping[str, str | None]) -> str:
    return ", ".join(missing)


def _unknown(folder: Path, missing: Mapping[str, str | None]) -> InvalidArgument:
    modules = ", ".join(sorted({each for each in missing.values() if each is not None}))
    where = f" ({modules})" if modules else ""
    pairs = ", ".join(f"{name!r}: ..." for name in missing)
    return InvalidArgument(
        f"the model {folder} is made of {_names(missing)}, which this process does not know: "
        f"import the module{where} that registers it with keras.saving, or pass "
        f"custom_objects={{{pairs}}} to load_model"
    )


def _read(file: Path, options: Mapping[str, Any]) -> Any:
    import keras

    try:
        return keras.saving.load_model(str(file), **options)
    except _BROKEN as error:
        raise InvalidArgument(f"{file} cannot be loaded: {brief(error)}") from error
