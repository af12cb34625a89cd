"""Parameters of prediction: what is given must fit what the signature says."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from autolog_core.errors import InvalidArgument
from autolog_core.models.types import DataType, Object

if TYPE_CHECKING:
    from autolog_core.models.schema import ParamSchema, ParamSpec

_logger = logging.getLogger("autolog")
_WHOLE = (DataType.integer, DataType.long)
_REAL = (DataType.float, DataType.double)


def fit_params(params: Mapping[str, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """Returns the params of one prediction: those given, as the signature types them, and defaults.

    Params that the signature does not name are left out, and a warning says so.

    Raises:
        InvalidArgument: `params` is no mapping, or a value does not fit its type.
    """
    if params is not None and not isinstance(params, Mapping):
        raise InvalidArgument(f"params must be a mapping of names to values, got {params!r}")
    given = {str(name): value for name, value in (params or {}).items()}
    specs = {} if schema is None else {each.name: each for each in schema.params}
    unknown = sorted(given.keys() - specs.keys())
    if unknown:
        known = ", ".join(specs) or "none"
        _logger.warning(
            "params %s are ignored: the model's signature names %s; save the model with a "
            "signature that names them to use them",
            ", ".join(unknown),
            known,
        )
    return {
        name: check_value(spec, given[name]) if name in given else spec.default
        for name, spec in specs.items()
    }


def check_value(spec: ParamSpec, value: Any) -> Any:
    """Returns a param's value as plain Python.

    Raises:
        InvalidArgument: It does not fit the param's type or shape.
    """
    if isinstance(spec.dtype, Object):
        if value is not None and not isinstance(value, dict):
            raise _unfit(spec, value, "a mapping")
        return value
    if spec.shape is None:
        return _check_single(spec, spec.dtype, value)
    if not isinstance(value, (list, tuple, np.ndarray)) or np.ndim(value) != 1:
        raise _unfit(spec, value, f"a list of {spec.dtype!r}")
    return [_check_single(spec, spec.dtype, each) for each in value]


def _check_single(spec: ParamSpec, kind: DataType, value: Any) -> Any:
    if isinstance(value, np.generic) and kind is not DataType.datetime:
        value = value.item()
    if value is None:
        return None
    if kind is DataType.datetime:
        return _check_time(spec, value)
    plain = type(value)
    if kind is DataType.boolean:
        fits = plain is bool
    elif kind in _WHOLE:
        fits = plain is int
    elif kind in _REAL:
        fits = plain in (int, float)
    else:
        fits = isinstance(value, str)
    if not fits:
        raise _unfit(spec, value, repr(kind))
    return kind.to_python()(value)


def _check_time(spec: ParamSpec, value: Any) -> Any:
    try:
        moment = np.datetime64(value).item()
    except (ValueError, TypeError):
        moment = None
    if moment is None or isinstance(moment, int):
        raise _unfit(spec, value, "a date or time")
    return moment


def _unfit(spec: ParamSpec, value: Any, expected: str) -> InvalidArgument:
    return InvalidArgument(
        f"param {spec.name!r} must be {expected}, got {value!r} of type {type(value).__name__}"
    )
