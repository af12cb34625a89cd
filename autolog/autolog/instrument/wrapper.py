"""Function wrappers that behave like the functions they stand for.

wrapt's own wrappers cannot be pickled or copied, which breaks joblib, ray and dask. Ours are
pickled as a reference to the function of that name, so what is pickled holds nothing of us and
loads where autolog is not installed.
"""

from __future__ import annotations

import copy
import sys
import types
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import wrapt

from autolog.instrument.scope import outermost

if TYPE_CHECKING:
    _Bound: Any = object
    _Function: Any = object
else:
    _Bound = wrapt.BoundFunctionWrapper
    _Function = wrapt.FunctionWrapper

Observe = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class BoundWrapper(_Bound):  # type: ignore[misc]
    """What a wrapped function of a class is when looked up on an instance or a class."""

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        owner = self._self_instance
        if owner is None:
            owner = _owner(self.__wrapped__)
        return getattr, (owner, self.__wrapped__.__name__)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.__reduce_ex__(2)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if self._self_instance is None:
            return self
        return getattr(copy.deepcopy(self._self_instance, memo), self.__wrapped__.__name__)


class Wrapper(_Function):  # type: ignore[misc]
    """A function, method or descriptor that is watched.

    Calls that are not outermost go straight to the function, unless they are asked for: wrapt asks
    `outermost.get` from C.
    """

    __bound_function_wrapper__ = BoundWrapper

    def __init__(
        self, wrapped: Any, observe: Observe, inherited: bool, inner: bool = False
    ) -> None:
        super().__init__(wrapped, observe, enabled=None if inner else outermost.get)
        self._self_inherited = inherited

    def __reduce_ex__(self, protocol: object) -> Any:
        raw = self.__wrapped__
        if not isinstance(raw, types.FunctionType):
            return raw.__reduce_ex__(protocol)
        name = raw.__qualname__
        if "." in name or getattr(sys.modules.get(raw.__module__), name, None) is self:
            return name
        # The module that defines it holds the plain function, which this is copied from.
        return copy.copy, (raw,)

    def __reduce__(self) -> Any:
        return self.__reduce_ex__(2)

    def __copy__(self) -> Any:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        return self


def plain(wrapped: Any, instance: Any) -> Any:
    """Returns `wrapped` with a signature of its own if it is a method called through its class.

    wrapt passes those as a partial of its own kind, whose signature old versions do not adjust.
    """
    if type(wrapped) is wrapt.PartialCallableObjectProxy:
        return partial(wrapped.__wrapped__, instance)
    return wrapped


def _owner(function: Any) -> Any:
    owner: Any = sys.modules[function.__module__]
    for name in function.__qualname__.split(".")[:-1]:
        owner = getattr(owner, name)
    return owner
