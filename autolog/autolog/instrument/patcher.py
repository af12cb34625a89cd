"""Applying patches and taking them back without a trace."""

from __future__ import annotations

import inspect
import types
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autolog.instrument.guard import Site
from autolog.instrument.scope import suppress
from autolog.instrument.wrapper import Wrapper
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.guard import Observer, Switch

_ABSENT = object()


class PatchSet:
    """The patches of one integration, taken back together.

    Owners are modules or classes; classes are held weakly, so that a class which the user drops
    goes away with its patches.

    Args:
        switch: State of the integration, whose options watched calls ask for.

    Attributes:
        live: Whether the patches are in place.
        installed: The modules that were patched, by name.
    """

    def __init__(self, switch: Switch) -> None:
        self.switch = switch
        self.live = True
        self.installed: dict[str, object] = {}
        self._watched: list[tuple[weakref.ref[Any], str]] = []
        self._replaced: list[tuple[Any, str, Any, Any]] = []

    def __len__(self) -> int:
        return len(self._watched) + len(self._replaced)

    def observe(self, owner: Any, name: str, observer: Callable[[Any], Observer]) -> bool:
        """Watches calls of ``owner.name``.

        Args:
            owner: A module or class; an inherited method is watched on this class alone.
            name: Of a function, method or descriptor of methods.
            observer: Called with the options for each call, makes what watches it.

        Returns:
            Whether it is watched now and was not before.

        Raises:
            InvalidArgument: There is nothing of that name, or it is asynchronous or a generator:
                those return before they have run.
        """
        return self._wrap(owner, name, Site(self, owner.__name__, name, observer))

    def silence(self, owner: Any, name: str) -> bool:
        """Makes calls of ``owner.name`` count as the inside of a training: no call in it is logged.

        Raises:
            InvalidArgument: As for `observe`.
        """
        return self._wrap(owner, name, _silent)

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Puts `value` into the dictionary of `owner`."""
        before = owner.__dict__.get(name, _ABSENT)
        setattr(owner, name, value)
        self._replaced.append((owner, name, before, owner.__dict__[name]))

    def undo(self) -> list[str]:
        """Restores the raw dictionary entries, last patch first.

        Returns:
            Where something else was put over a patch since: there it stays, and passes calls on.
        """
        self.live = False
        covered: list[str] = []
        for owner, name, before, installed in reversed(self._replaced):
            if owner.__dict__.get(name) is not installed:
                covered.append(_label(owner, name))
            elif before is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, before)
        for reference, name in reversed(self._watched):
            owner = reference()
            if owner is None:
                continue
            current = owner.__dict__.get(name)
            if type(current) is not Wrapper:
                if current is not None:
                    covered.append(_label(owner, name))
            elif current._self_inherited:
                delattr(owner, name)
            else:
                setattr(owner, name, current.__wrapped__)
        self._watched.clear()
        self._replaced.clear()
        return covered

    def _wrap(self, owner: Any, name: str, observe: Callable[..., Any]) -> bool:
        own = owner.__dict__.get(name, _ABSENT)
        if type(own) is Wrapper:
            return False
        raw = own if own is not _ABSENT else _inherited(owner, name)
        if raw is _ABSENT or raw is None:
            raise InvalidArgument(f"{_label(owner, name)} cannot be watched: it does not exist")
        if _returns_early(raw):
            raise InvalidArgument(
                f"{_label(owner, name)} cannot be watched: it returns before it has run"
            )
        setattr(owner, name, Wrapper(raw, observe, inherited=own is _ABSENT))
        self._watched.append((weakref.ref(owner), name))
        return True


def _silent(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    with suppress():
        return wrapped(*args, **kwargs)


def _inherited(owner: Any, name: str) -> Any:
    for base in getattr(owner, "__mro__", ()):
        if name in base.__dict__:
            found = base.__dict__[name]
            return found.__wrapped__ if type(found) is Wrapper else found
    return _ABSENT


def _returns_early(raw: Any) -> bool:
    function = getattr(raw, "__func__", raw)
    return isinstance(function, types.FunctionType) and (
        inspect.iscoroutinefunction(function)
        or inspect.isgeneratorfunction(function)
        or inspect.isasyncgenfunction(function)
    )


def _label(owner: Any, name: str) -> str:
    return f"{getattr(owner, '__module__', None) or owner.__name__}.{_plain(owner)}{name}"


def _plain(owner: Any) -> str:
    return f"{owner.__qualname__}." if isinstance(owner, type) else ""
