"""Arrow's types: the words of a digest, and what MLflow's schemas call a nested one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_LISTS = frozenset(("ListType", "LargeListType", "ListViewType", "LargeListViewType"))
_SIZES = {"large_string": "string", "string_view": "string"}
_SIZES |= {"large_binary": "binary", "binary_view": "binary"}


def family_of(kind: Any) -> str:
    """Returns "list", "fixed list", "struct", "map", "dictionary", "extension" or "plain"."""
    name = type(kind).__name__
    if name in _LISTS:
        return "list"
    if hasattr(kind, "storage_type"):
        return "extension"
    return {
        "FixedSizeListType": "fixed list",
        "StructType": "struct",
        "MapType": "map",
        "DictionaryType": "dictionary",
    }.get(name, "plain")


def fields_of(kind: Any) -> list[Any]:
    """Returns the fields of a struct."""
    return [kind.field(index) for index in range(kind.num_fields)]


def label_of(kind: Any) -> str:
    """Returns the words for a type; the width of offsets and the names of items do not count."""
    family = family_of(kind)
    if family == "list":
        return f"list<{label_of(kind.value_type)}>"
    if family == "fixed list":
        return f"list[{kind.list_size}]<{label_of(kind.value_type)}>"
    if family == "struct":
        inner = (f"{field.name!r}: {label_of(field.type)}" for field in fields_of(kind))
        return f"struct<{', '.join(inner)}>"
    if family == "map":
        return f"map<{label_of(kind.key_type)}, {label_of(kind.item_type)}>"
    if family == "dictionary":
        ordered = " ordered" if kind.ordered else ""
        return f"dictionary{ordered}<{label_of(kind.value_type)}>"
    if family == "extension":
        return f"extension {kind.extension_name}<{label_of(kind.storage_type)}>"
    return _SIZES.get(str(kind), str(kind))


def nested_spec(kind: Any, word: Callable[[Any], str]) -> dict[str, Any]:
    """Returns a type as MLflow's schemas have it: arrays, objects and maps of plain types.

    Args:
        kind: A type of Arrow.
        word: What such a schema calls a plain type.
    """
    family = family_of(kind)
    if family in ("list", "fixed list"):
        return {"type": "array", "items": nested_spec(kind.value_type, word)}
    if family == "struct" and kind.num_fields:
        return {
            "type": "object",
            "properties": {
                field.name: nested_spec(field.type, word) | {"required": not field.nullable}
                for field in fields_of(kind)
            },
        }
    if family == "map" and word(kind.key_type) == "string":
        return {"type": "map", "values": nested_spec(kind.item_type, word)}
    if family == "extension":
        return nested_spec(kind.storage_type, word)
    return {"type": word(kind)}
