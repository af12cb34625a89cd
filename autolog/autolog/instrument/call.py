"""One call of the user, seen by an observer."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any


class Call:
    """The call that is about to be made, or was.

    Arguments are bound by the function's signature, however they were passed, and only when asked
    for. A call that does not fit the signature has no arguments: it is about to raise TypeError.

    Attributes:
        instance: The object whose method is called; None for a function.
        args: Positional arguments as passed.
        kwargs: Keyword arguments as passed.
    """

    __slots__ = ("_bound", "_wrapped", "args", "instance", "kwargs")

    def __init__(
        self,
        wrapped: Callable[..., Any],
        instance: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        self._wrapped = wrapped
        self._bound: inspect.BoundArguments | None = None
        self.instance = instance
        self.args = args
        self.kwargs = kwargs

    def arguments(self) -> dict[str, Any]:
        """Returns the passed arguments by parameter name, ``**kwargs`` spread out."""
        bound = self._bind()
        if bound is None:
            return {}
        flat: dict[str, Any] = {}
        for name, value in bound.arguments.items():
            if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
                flat.update(value)
            else:
                flat[name] = value
        return flat

    def get(self, name: str, default: Any = None) -> Any:
        """Returns the argument of that parameter, or `default` if it was not passed."""
        return self.arguments().get(name, default)

    def replace(self, **changes: Any) -> Call:
        """Returns a call that differs in some arguments; the user's containers are not touched.

        Raises:
            TypeError: The call does not fit its signature, or has no such parameter.
        """
        bound = self._bind()
        if bound is None:
            raise TypeError("the arguments do not fit the signature of the call")
        values = dict(bound.arguments)
        catch_all = next(
            (
                parameter.name
                for parameter in bound.signature.parameters.values()
                if parameter.kind is inspect.Parameter.VAR_KEYWORD
            ),
            None,
        )
        for name, value in changes.items():
            if name in bound.signature.parameters:
                values[name] = value
            elif catch_all is not None:
                values[catch_all] = {**values.get(catch_all, {}), name: value}
            else:
                raise TypeError(f"the call has no parameter {name!r}")
        order = [name for name in bound.signature.parameters if name in values]
        changed = inspect.BoundArguments(
            bound.signature,
            {name: values[name] for name in order},
        )
        return Call(self._wrapped, self.instance, changed.args, changed.kwargs)

    def _bind(self) -> inspect.BoundArguments | None:
        if self._bound is None:
            try:
                self._bound = inspect.signature(self._wrapped).bind(*self.args, **self.kwargs)
            except (TypeError, ValueError):
                return None
        return self._bound
