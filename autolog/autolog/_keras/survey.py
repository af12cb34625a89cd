"""What loading a ``.keras`` file would build, told from its config before anything is built.

Keras has a safe mode, but each of its versions lets through what a later one refuses: modules that
a file names are imported, functions of Keras itself are called with what the file says. So the
config is read first: classes and functions of Keras that only make models are safe; those of others
must be known to the process already; all else is code that asks for trust.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from autolog_core.errors import InvalidArgument

_LONGEST = 256 * 2**20
_PLAIN = frozenset(
    (
        "__bytes__",
        "__ellipsis__",
        "__keras_tensor__",
        "__numpy__",
        "__slice__",
        "__tensor__",
    )
)
_FUNCTION_MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "ops",
    "optimizers",
    "regularizers",
)
_PROGRAMS = {
    "FlaxLayer": "it holds a program of JAX",
    "JaxLayer": "it holds a program of JAX",
    "TFSMLayer": "it runs a SavedModel, which is a program",
    "TorchModuleWrapper": "it holds a pickled module of PyTorch",
}


@dataclass(frozen=True, slots=True)
class Survey:
    """What a config names.

    Attributes:
        custom: Classes and functions that are not of Keras: the name that they are looked up by,
            and the module that the file says they are of, where it does.
        code: Why building it runs code of whoever wrote it; empty where it does not.
    """

    custom: Mapping[str, str | None]
    code: tuple[str, ...]


def read_config(file: Path) -> str:
    """Returns the config of a ``.keras`` file, as JSON text.

    Raises:
        InvalidArgument: It is none.
    """
    try:
        with zipfile.ZipFile(file) as archive, archive.open("config.json") as stream:
            text = stream.read(_LONGEST + 1)
        if len(text) > _LONGEST:
            raise InvalidArgument(f"{file} is damaged: its config is over {_LONGEST} bytes")
        return text.decode("utf-8")
    except (zipfile.BadZipFile, KeyError, OSError, RuntimeError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"{file} is no .keras file: {error}") from error


def survey(config: str, compiled: bool = True) -> Survey:
    """Returns what a config names. Only modules of Keras are imported.

    Args:
        config: JSON text.
        compiled: Whether what the model was compiled with is wanted as well.

    Raises:
        InvalidArgument: The text is no config.
    """
    try:
        root = json.loads(config)
    except (ValueError, RecursionError) as error:
        raise InvalidArgument(f"the config of the model cannot be read: {error}") from error
    if not isinstance(root, dict):
        raise InvalidArgument("the config of the model is no JSON object")
    if not compiled:
        root.pop("compile_config", None)
    custom: dict[str, str | None] = {}
    code: dict[str, None] = {}
    for entry in _entries(root):
        reason = _place(entry, custom)
        if reason:
            code[reason] = None
    return Survey(custom, tuple(code))


def _entries(root: Any) -> Iterator[Mapping[str, Any]]:
    # Files may be nested deeper than Python recurses.
    left = [root]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _place(entry: Mapping[str, Any], custom: dict[str, str | None]) -> str | None:
    """Notes what one entry names; returns why building it runs code, if it does."""
    name, module, inner = entry["class_name"], entry.get("module"), entry.get("config")
    if not isinstance(name, str) or not isinstance(module, (str, type(None))):
        return f"it names {name!r} of {module!r}"
    if name in _PLAIN:
        return None
    if name == "__lambda__":
        return "it holds a lambda as bytes of code"
    if name == "function":
        return _place_function(inner, module, custom)
    if module is None or module.partition(".")[0] != "keras":
        custom[str(entry.get("registered_name") or name)] = module
        return None
    if name in _PROGRAMS:
        return _PROGRAMS[name]
    if name == "Lambda" and not _is_reference(inner):
        return "it holds a lambda as bytes of code"
    if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
        return f"it reads the file {inner['vocabulary']!r}"
    found = _attribute(module, name)
    if found is None or (isinstance(found, type) and hasattr(found, "from_config")):
        return None
    return f"it calls {module}.{name}"


def _place_function(name: Any, module: str | None, custom: dict[str, str | None]) -> str | None:
    if not isinstance(name, str):
        return f"it names the function {name!r}"
    if any(callable(_attribute(f"keras.{each}", name)) for each in _FUNCTION_MODULES):
        return None
    if module is not None and module.partition(".")[0] == "keras":
        return f"it calls {module}.{name}"
    custom[name] = None if module == "builtins" else module
    return None


def _is_reference(layer: Any) -> bool:
    function = layer.get("function") if isinstance(layer, dict) else None
    return isinstance(function, dict) and function.get("class_name") == "function"


def _attribute(module: str, name: str) -> Callable[..., Any] | None:
    try:
        return getattr(import_module(module), name, None)
    except (ImportError, ValueError):
        return None
