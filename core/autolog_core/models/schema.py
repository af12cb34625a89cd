"""Schemas of a model's input, output and params, in MLflow's JSON."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autolog_core.errors import InvalidArgument
from autolog_core.models.types import ColumnType, DataType, Object, as_type, read_type


@dataclass(frozen=True)
class ColSpec:
    """One column.

    Attributes:
        type: Type of its values, or the type's name.
        name: Its name; None where columns are told by their place.
        required: Whether the data must have it, without missing values.
    """

    type: ColumnType
    name: str | int | None = None
    required: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "type", as_type(self.type, f"type of column {self.name!r}"))
        # MLflow writes null for composite types, and means that the column is required.
        object.__setattr__(self, "required", self.required is None or bool(self.required))

    def __repr__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}: "
        return f"{label}{self.type!r} ({'required' if self.required else 'optional'})"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the column in JSON."""
        named = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **named, "required": self.required}


@dataclass(frozen=True)
class TensorSpec:
    """One tensor.

    Attributes:
        type: Its dtype, without the width of text.
        shape: Lengths of its axes; -1 where any will do.
        name: Its name; None where there is only one.
    """

    type: np.dtype[Any]
    shape: Sequence[int]
    name: str | None = None

    def __post_init__(self) -> None:
        dtype = np.dtype(self.type)
        plain = {"U": np.dtype("str"), "S": np.dtype("bytes")}.get(dtype.kind, dtype)
        object.__setattr__(self, "type", plain)
        object.__setattr__(self, "shape", tuple(int(length) for length in self.shape))

    @property
    def required(self) -> bool:
        """Whether the data must have it: always."""
        return True

    def __repr__(self) -> str:
        label = "" if self.name is None else f"{self.name!r}: "
        return f"{label}Tensor({self.type.name!r}, {self.shape!r})"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the tensor in JSON."""
        named = {} if self.name is None else {"name": self.name}
        spec = {"dtype": self.type.name, "shape": list(self.shape)}
        return {**named, "type": "tensor", "tensor-spec": spec}


@dataclass(frozen=True)
class Schema:
    """Columns or tensors, all of them named or none.

    Attributes:
        inputs: `ColSpec`s or `TensorSpec`s, in the order that the model takes them.
    """

    inputs: Sequence[ColSpec | TensorSpec]

    def __post_init__(self) -> None:
        inputs = tuple(self.inputs)
        named = [each.name is not None for each in inputs]
        tensors = [isinstance(each, TensorSpec) for each in inputs]
        if not inputs:
            raise InvalidArgument("a Schema needs at least one column or tensor")
        if any(named) != all(named):
            names = [each.name for each in inputs]
            raise InvalidArgument(f"a Schema names all its columns or none, got {names}")
        if any(tensors) != all(tensors):
            raise InvalidArgument("a Schema holds columns or tensors, not both")
        if all(tensors) and len(inputs) > 1 and not all(named):
            raise InvalidArgument("a Schema of several tensors needs a name for each")
        if not all(named) and not all(each.required for each in inputs):
            raise InvalidArgument("an optional column needs a name: name all columns")
        object.__setattr__(self, "inputs", inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __repr__(self) -> str:
        return repr(list(self.inputs))

    def is_tensor_spec(self) -> bool:
        """Returns whether it is made of tensors."""
        return isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        """Returns whether its columns have names."""
        return self.inputs[0].name is not None

    def input_names(self) -> list[str | int]:
        """Returns the names, or the places of columns without names."""
        return [place if each.name is None else each.name for place, each in self._numbered()]

    def required_input_names(self) -> list[str | int]:
        """Returns the names, or places, of what the data must have."""
        return [
            place if each.name is None else each.name
            for place, each in self._numbered()
            if each.required
        ]

    def optional_input_names(self) -> list[str | int]:
        """Returns the names of what the data may lack."""
        return [each.name for each in self.inputs if each.name is not None and not each.required]

    def input_types(self) -> list[Any]:
        """Returns the type of each column, or the dtype of each tensor."""
        return [each.type for each in self.inputs]

    def input_dict(self) -> dict[str | int, ColSpec | TensorSpec]:
        """Returns columns or tensors by name.

        Raises:
            InvalidArgument: They have none.
        """
        if not self.has_input_names():
            raise InvalidArgument("the columns of this schema have no names")
        return {each.name: each for each in self.inputs if each.name is not None}

    def numpy_types(self) -> list[np.dtype[Any]]:
        """Returns the dtype of each column or tensor.

        Raises:
            InvalidArgument: A column holds lists or objects.
        """
        plain = [each.type for each in self.inputs]
        if any(not isinstance(each, (np.dtype, DataType)) for each in plain):
            raise InvalidArgument("columns of lists or objects have no dtype")
        return [each.to_numpy() if isinstance(each, DataType) else each for each in plain]  # type: ignore[misc]

    def to_dict(self) -> list[dict[str, Any]]:
        """Returns what stands for the schema in JSON."""
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        """Returns the schema as JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        """Reads a schema.

        Raises:
            InvalidArgument: The text is none.
        """
        return cls([_read_input(each) for each in _entries(json_str, "schema")])

    def _numbered(self) -> Iterator[tuple[int, ColSpec | TensorSpec]]:
        return enumerate(self.inputs)


def _entries(text: str, what: str) -> list[dict[str, Any]]:
    try:
        entries = json.loads(text)
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"the {what} of a signature must be JSON: {error}") from error
    if not isinstance(entries, list) or not all(isinstance(each, dict) for each in entries):
        raise InvalidArgument(f"the {what} of a signature must be a list of objects")
    return entries


def _read_input(spec: Mapping[str, Any]) -> ColSpec | TensorSpec:
    if spec.get("type") != "tensor":
        return ColSpec(read_type(spec), spec.get("name"), spec.get("required", True))
    try:
        tensor = spec["tensor-spec"]
        return TensorSpec(np.dtype(tensor["dtype"]), tensor["shape"], spec.get("name"))
    except (KeyError, TypeError, ValueError) as error:
        raise InvalidArgument(f"a tensor of a signature cannot be read: {error!r}") from error


@dataclass(frozen=True)
class ParamSpec:
    """One parameter of prediction.

    Attributes:
        name: Its name.
        dtype: Type of its value (of each, in a list), or the type's name.
        default: Its value where none is given.
        shape: ``(-1,)`` for a list, None for a single value or a mapping.
    """

    name: str
    dtype: DataType | Object
    default: Any
    shape: Sequence[int] | None = None

    def __post_init__(self) -> None:
        from autolog_core.models.params import check_value

        kind = as_type(self.dtype, f"dtype of param {self.name!r}")
        if not isinstance(kind, (DataType, Object)) or kind is DataType.binary:
            raise InvalidArgument(f"dtype of param {self.name!r} must be single, got {kind!r}")
        if self.shape is not None and tuple(self.shape) != (-1,):
            raise InvalidArgument(f"shape of param {self.name!r} must be None or (-1,)")
        object.__setattr__(self, "name", str(self.name))
        object.__setattr__(self, "dtype", kind)
        object.__setattr__(self, "shape", None if self.shape is None else (-1,))
        object.__setattr__(self, "default", check_value(self, self.default))

    def __repr__(self) -> str:
        shape = "" if self.shape is None else f" (shape: {self.shape})"
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"

    def to_dict(self) -> dict[str, Any]:
        """Returns what stands for the param in JSON."""
        default = self.default
        if self.dtype is DataType.datetime and default is not None:
            default = [_iso(each) for each in default] if self.shape else _iso(default)
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "default": default, "shape": shape, **self.dtype.to_dict()}


def _iso(value: Any) -> str:
    assert isinstance(value, datetime.date)
    return value.isoformat()


@dataclass(frozen=True)
class ParamSchema:
    """The parameters of prediction.

    Attributes:
        params: One `ParamSpec` for each.
    """

    params: Sequence[ParamSpec]

    def __post_init__(self) -> None:
        params = tuple(self.params)
        names = [each.name for each in params]
        if len(set(names)) < len(names):
            raise InvalidArgument(f"a ParamSchema has each param once, got {names}")
        object.__setattr__(self, "params", params)

    def __len__(self) -> int:
        return len(self.params)

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __repr__(self) -> str:
        return repr(list(self.params))

    def to_dict(self) -> list[dict[str, Any]]:
        """Returns what stands for the params in JSON."""
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        """Returns the params as JSON text."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        """Reads params.

        Raises:
            InvalidArgument: The text is none.
        """
        return cls([_read_param(each) for each in _entries(json_str, "params")])


def _read_param(spec: Mapping[str, Any]) -> ParamSpec:
    kind = spec.get("type", spec.get("dtype"))
    if not {"name", "default"} <= spec.keys() or kind is None:
        raise InvalidArgument(f"a param of a signature needs name, type and default, got {spec}")
    dtype = read_type({**spec, "type": kind})
    return ParamSpec(spec["name"], dtype, spec["default"], spec.get("shape"))  # type: ignore[arg-type]
