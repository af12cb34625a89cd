"""Types of columns and params, as MLflow's signatures name them."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from autolog_core.errors import InvalidArgument


class DataType(enum.Enum):
    """Type of a single value.

    `boolean`, `integer` (32 bits), `long` (64 bits), `float` (32 bits), `double` (64 bits),
    `string`, `binary` and `datetime`.
    """

    boolean = "boolean"
    integer = "integer"
    long = "long"
    float = "float"
    double = "double"
    string = "string"
    binary = "binary"
    datetime = "datetime"

    def __repr__(self) -> str:
        return self.name

    def to_numpy(self) -> np.dtype[Any]:
        """Returns the dtype of an array of such values."""
        return _NUMPY[self.name]

    def to_pandas(self) -> np.dtype[Any]:
        """Returns the dtype of a column of such values; text and bytes are objects."""
        return np.dtype(object) if self.name in ("string", "binary") else _NUMPY[self.name]

    def to_python(self) -> type:
        """Returns the class of a single Python value."""
        return _PYTHON[self.name]

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        return {"type": self.name}


_NUMPY: dict[str, np.dtype[Any]] = {
    "boolean": np.dtype("bool"),
    "integer": np.dtype("int32"),
    "long": np.dtype("int64"),
    "float": np.dtype("float32"),
    "double": np.dtype("float64"),
    "string": np.dtype("str"),
    "binary": np.dtype("bytes"),
    "datetime": np.dtype("datetime64[ns]"),
}
_PYTHON: dict[str, type] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "binary": bytes,
    "datetime": datetime.date,
}


@dataclass(frozen=True)
class AnyType:
    """A value of which nothing is said; it is never checked."""

    def __repr__(self) -> str:
        return "Any"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        return {"type": "any"}


@dataclass(frozen=True)
class Array:
    """A list of values of one type.

    Attributes:
        dtype: Type of the values, or its name.
    """

    dtype: ColumnType

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", as_type(self.dtype, "dtype of an Array"))

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        return {"type": "array", "items": self.dtype.to_dict()}


@dataclass(frozen=True)
class SparkMLVector:
    """A vector of Spark ML: a list of doubles."""

    def __repr__(self) -> str:
        return "SparkML vector"

    @property
    def dtype(self) -> DataType:
        """Type of the values."""
        return DataType.double

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        return {"type": "sparkml_vector"}


@dataclass(frozen=True)
class Map:
    """A mapping of text to values of one type.

    Attributes:
        value_type: Type of the values, or its name.
    """

    value_type: ColumnType

    def __post_init__(self) -> None:
        object.__setattr__(self, "value_type", as_type(self.value_type, "value_type of a Map"))

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type!r})"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        return {"type": "map", "values": self.value_type.to_dict()}


@dataclass(frozen=True)
class Property:
    """One entry of an `Object`.

    Attributes:
        name: Its key.
        dtype: Type of its value, or the type's name.
        required: Whether every object has it.
    """

    name: str
    dtype: ColumnType
    required: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str):
            raise InvalidArgument(f"name of a Property must be text, got {self.name!r}")
        object.__setattr__(self, "dtype", as_type(self.dtype, f"dtype of Property {self.name!r}"))

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({'required' if self.required else 'optional'})"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the property in JSON."""
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}


@dataclass(frozen=True)
class Object:
    """A mapping with known keys.

    Attributes:
        properties: Its entries, kept in order of their names.
    """

    properties: Sequence[Property]

    def __post_init__(self) -> None:
        ordered = tuple(sorted(self.properties, key=lambda each: each.name))
        names = [each.name for each in ordered]
        if not names:
            raise InvalidArgument("an Object needs at least one Property")
        if len(set(names)) < len(names):
            raise InvalidArgument(f"an Object has each Property once, got {names}")
        object.__setattr__(self, "properties", ordered)

    def __repr__(self) -> str:
        return "{" + ", ".join(map(repr, self.properties)) + "}"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the type in JSON."""
        entries = {key: spec for each in self.properties for key, spec in each.to_dict().items()}
        return {"type": "object", "properties": entries}


ColumnType: TypeAlias = DataType | Array | SparkMLVector | Map | Object | AnyType
_CLASSES = (DataType, Array, SparkMLVector, Map, Object, AnyType)


def as_type(value: object, what: str = "type") -> ColumnType:
    """Returns a type given by itself or by the name of a `DataType`.

    Args:
        value: What was given.
        what: What it was given for, for the message.

    Raises:
        InvalidArgument: It is neither.
    """
    if isinstance(value, str) and value in DataType.__members__:
        return DataType[value]
    if isinstance(value, _CLASSES):
        return value
    raise InvalidArgument(
        f"{what} must be one of {', '.join(DataType.__members__)}, or an Array, Object, Map or "
        f"AnyType, got {value!r}"
    )


def read_type(spec: Mapping[str, Any]) -> ColumnType:
    """Reads a type from its JSON.

    Raises:
        InvalidArgument: It is none.
    """
    word = spec.get("type") if isinstance(spec, Mapping) else None
    if word == "any":
        return AnyType()
    if word == "sparkml_vector":
        return SparkMLVector()
    if word == "array" and "items" in spec:
        return Array(read_type(spec["items"]))
    if word == "map" and "values" in spec:
        return Map(read_type(spec["values"]))
    if word == "object" and isinstance(spec.get("properties"), Mapping):
        return Object(
            [
                Property(name, read_type(each), bool(each.get("required", True)))
                for name, each in spec["properties"].items()
            ]
        )
    if isinstance(word, str):
        return as_type(word)
    raise InvalidArgument(f"a type in a signature must be an object with a type, got {spec!r}")


def merge(one: ColumnType, other: ColumnType) -> ColumnType:
    """Returns the type that holds values of both: what only one has becomes optional.

    Raises:
        InvalidArgument: There is none.
    """
    if one == other or isinstance(other, AnyType):
        return _optional(one) if isinstance(other, AnyType) else one
    if isinstance(one, AnyType):
        return _optional(other)
    if isinstance(one, Array) and isinstance(other, Array):
        return Array(merge(one.dtype, other.dtype))
    if isinstance(one, Map) and isinstance(other, Map):
        return Map(merge(one.value_type, other.value_type))
    if isinstance(one, Object) and isinstance(other, Object):
        return _merge_objects(one, other)
    raise InvalidArgument(f"values of type {one!r} and {other!r} have no common type")


def _optional(kind: ColumnType) -> ColumnType:
    if not isinstance(kind, Object):
        return kind
    return Object([Property(each.name, each.dtype, False) for each in kind.properties])


def _merge_objects(one: Object, other: Object) -> Object:
    left = {each.name: each for each in one.properties}
    right = {each.name: each for each in other.properties}
    merged = []
    for name in left.keys() | right.keys():
        first, second = left.get(name), right.get(name)
        if first is not None and second is not None:
            required = first.required and second.required
            merged.append(Property(name, merge(first.dtype, second.dtype), required))
        else:
            found = first or second
            assert found is not None
            merged.append(Property(name, found.dtype, False))
    return Object(merged)
