"""The data that a PyTorch dataset keeps in its attributes, told by what they are."""

from __future__ import annotations

import os
import re
from collections import UserDict
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from autolog_core.data import kinds
from autolog_core.data.outline import DATA, Outline

# Attributes of these names change while a dataset is used, or say how items are made from data.
_NO_DATA = re.compile(r"cache|transform|generator|rng|seed|^__")
_WHOLE = frozenset(
    (
        *(kinds.ARRAY, kinds.TENSOR, kinds.SPARSE, kinds.ARROW_SET),
        *(kinds.FRAMES | kinds.COLUMNS),
    )
)
_PLAIN = (str, bytes, bool, int, float, complex, os.PathLike, np.generic)
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_TEXT = 500
_WIDTH = 16
_DEPTH = 6


def attributes_of(data: Any) -> dict[str, Any]:
    """Returns what an object holds, by name, without running its properties."""
    try:
        return dict(sorted(vars(data).items()))
    except TypeError:
        return {}


def part_of(name: str, value: Any) -> Any:
    """Returns the data in an attribute, None if it holds none."""
    if _NO_DATA.search(name.lower()):
        return None
    if isinstance(value, UserDict):
        value = value.data
    if not is_data(value):
        return None
    return _columns(value) or value


def is_data(value: Any) -> bool:
    """Whether a value is data that can be read in place: arrays, tensors, tables, plain lists."""
    kind = kinds.kind_of(value)
    if kind in _WHOLE:
        return not isinstance(value, np.memmap) and getattr(value, "ndim", 1) > 0
    if kind == kinds.LIST:
        return len(value) > 0 and (
            (_is_plain(value[0]) and _is_plain(value[-1])) or all(map(_is_array, value))
        )
    if kind == kinds.DICT:
        return len(value) > 0 and all(
            isinstance(name, str) and is_data(each) for name, each in value.items()
        )
    return False


def _is_array(value: Any) -> bool:
    return kinds.kind_of(value) in (kinds.ARRAY, kinds.TENSOR)


def _is_plain(value: Any, depth: int = 0) -> bool:
    if isinstance(value, _PLAIN):
        return True
    if depth and value is None:
        return True
    if depth > _DEPTH:
        return False
    if isinstance(value, (list, tuple)):
        return all(_is_plain(each, depth + 1) for each in (*value[:1], *value[-1:]))
    if isinstance(value, dict):
        return len(value) < 1000 and all(_is_plain(each, depth + 1) for each in value.values())
    return False


def _columns(value: Any) -> Outline | None:
    """Returns a list of equally long tuples as lists, which are read far faster."""
    if not isinstance(value, list) or not isinstance(value[0], tuple):
        return None
    width = len(value[0])
    if not 0 < width <= _WIDTH:
        return None
    if any(type(row) is not tuple or len(row) != width for row in value):
        return None
    columns = tuple([row[place] for row in value] for place in range(width))
    return Outline(DATA, columns, "tuples")


def settings_of(attributes: Mapping[str, Any]) -> Iterable[Any]:
    """Yields names and values of the attributes that say which data a dataset stands for.

    Text, paths and switches; of arrays in mapped files, the file and the shape. Numbers are left
    out: many of them count.
    """
    for name, value in attributes.items():
        if name.startswith("_") or _NO_DATA.search(name.lower()):
            continue
        if isinstance(value, np.memmap):
            yield from (name, str(value.filename or ""), value.dtype.str, list(value.shape))
        elif isinstance(value, (str, bool, os.PathLike)):
            yield from (name, os.fspath(value) if isinstance(value, os.PathLike) else value)


def transforms_of(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Returns the text of the attributes that transform items."""
    found = {}
    for name, value in attributes.items():
        if "transform" in name and not name.startswith("_") and value is not None:
            found[name] = _text(value)
    return found


def _text(value: Any) -> str:
    try:
        return _ADDRESS.sub("", repr(value))[:_TEXT]
    except Exception as error:
        # The text of a user's object must not cost the reference.
        return f"<{type(value).__qualname__} without text: {type(error).__name__}>"


def class_of(data: Any) -> str:
    """Returns the full name of an object's class."""
    return f"{type(data).__module__}.{type(data).__qualname__}"
