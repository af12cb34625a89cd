"""Looking at the calls of a function that stays the object that it is.

A wrapper is another object: what was imported earlier goes past it, and compilers that know a
function by its identity (TorchDynamo, TorchScript) no longer do. A tap exchanges the code of the
function instead, for code of the same signature, file and line, that lets an observer see the call
and then runs the code that was there.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from autolog_core.errors import InvalidArgument

Before = Callable[[tuple[Any, ...], dict[str, Any]], object]
"""Sees the arguments of a call."""
After = Callable[[tuple[Any, ...], dict[str, Any], Any, BaseException | None], object]
"""Sees the arguments, the result, and what was raised instead of one."""

_NAME = "__autolog_tap_{}__"


class Tap:
    """A function whose calls are looked at, until `undo`.

    The observers must not raise: they run in the midst of the user's call.

    Args:
        function: A Python function without a closure.
        before: Called before each call. What is no keyword-only argument arrives by its place,
            defaults included.
        after: Called after each call.
        unless: Whether a call is not to be looked at now, as while a compiler traces it.

    Raises:
        InvalidArgument: The function is not written in Python, or has a closure.
    """

    def __init__(
        self,
        function: Any,
        before: Before | None = None,
        after: After | None = None,
        *,
        unless: Callable[[], bool] | None = None,
    ) -> None:
        if not isinstance(function, types.FunctionType) or function.__code__.co_freevars:
            raise InvalidArgument(f"{function!r} cannot be tapped: it is no plain Python function")
        self._function = function
        self._code = function.__code__
        self._name = _NAME.format(id(function))
        function.__globals__[self._name] = _caller(_copy(function), before, after, unless)
        self._tapped = _trampoline(function, self._name)
        function.__code__ = self._tapped

    def undo(self) -> bool:
        """Puts the code back; returns False if something else was put there since."""
        if self._function.__code__ is not self._tapped:
            return False
        self._function.__code__ = self._code
        del self._function.__globals__[self._name]
        return True


def _copy(function: types.FunctionType) -> types.FunctionType:
    copied = types.FunctionType(
        function.__code__, function.__globals__, function.__name__, function.__defaults__
    )
    copied.__kwdefaults__ = function.__kwdefaults__
    copied.__qualname__ = function.__qualname__
    return copied


def _caller(
    original: Callable[..., Any],
    before: Before | None,
    after: After | None,
    unless: Callable[[], bool] | None,
) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if unless is not None and unless():
            return original(*args, **kwargs)
        if before is not None:
            before(args, kwargs)
        if after is None:
            return original(*args, **kwargs)
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            after(args, kwargs, None, error)
            raise
        after(args, kwargs, result, None)
        return result

    return call


def _trampoline(function: types.FunctionType, target: str) -> types.CodeType:
    """Returns code with the signature of `function` that passes its arguments to a global."""
    code = function.__code__
    parameters = inspect.signature(_copy(function)).parameters.values()
    accepted: list[str] = []
    passed: list[str] = []
    kinds = inspect.Parameter
    stars: dict[object, str] = {kinds.VAR_POSITIONAL: "*", kinds.VAR_KEYWORD: "**"}
    marked = False
    for each in parameters:
        if each.kind is kinds.KEYWORD_ONLY and not marked:
            accepted.append("*")
            marked = True
        if each.kind is kinds.VAR_POSITIONAL:
            marked = True
        star = stars.get(each.kind, "")
        accepted.append(star + each.name)
        passed.append(
            f"{each.name}={each.name}" if each.kind is kinds.KEYWORD_ONLY else star + each.name
        )
        if each.kind is kinds.POSITIONAL_ONLY:
            # The mark goes after the last of them.
            accepted = [name for name in accepted if name != "/"] + ["/"]
    source = f"def tapped({', '.join(accepted)}): return {target}({', '.join(passed)})"
    built = compile(source, code.co_filename, "exec")
    inner = next(const for const in built.co_consts if isinstance(const, types.CodeType))
    return inner.replace(
        co_firstlineno=code.co_firstlineno, co_name=code.co_name, co_qualname=code.co_qualname
    )
