"""Applying patches and taking them back without a trace."""

from __future__ import annotations

import inspect
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from autolog.instrument.guard import FollowedSite, Site
from autolog.instrument.scope import suppress
from autolog.instrument.wrapper import Wrapper
from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.guard import Follower, Inside, Observer, Switch

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
        self._undoing: list[Callable[[], object]] = []
        self._spreading: dict[int, Wrapper] = {}
        self._everywhere: dict[int, Wrapper] = {}

    def __len__(self) -> int:
        return len(self._watched) + len(self._replaced)

    def observe(
        self,
        owner: Any,
        name: str,
        observer: Callable[[Any], Observer],
        *,
        inside: Inside | None = None,
        everywhere: bool = False,
    ) -> bool:
        """Watches calls of ``owner.name``.

        Args:
            owner: A module or class; an inherited method is watched on this class alone.
            name: Of a function, method or descriptor of methods.
            observer: Called with the options for each call, makes what watches it.
            inside: Sees the calls that are made inside a call which these patches watch.
            everywhere: Whether other modules that hold the same function are to be patched too, as
                they do after ``from library import function``. For functions of modules.

        Returns:
            Whether it is watched now and was not before.

        Raises:
            InvalidArgument: There is nothing of that name, or it is asynchronous or a generator:
                those return before they have run.
        """
        site = Site(self, owner.__name__, name, observer, inside)
        return self._wrap(owner, name, site, inner=inside is not None, everywhere=everywhere)

    def follow(
        self, owner: Any, name: str, follower: Follower, *, everywhere: bool = False
    ) -> bool:
        """Looks at the results of ``owner.name`` that the user's code asks for.

        Args:
            owner: A module or class.
            name: Of a function, method or descriptor of methods.
            follower: Called after each call as ``follower(call, result)``.
            everywhere: As for `observe`.

        Raises:
            InvalidArgument: As for `observe`.
        """
        site = FollowedSite(self, owner.__name__, name, follower)
        return self._wrap(owner, name, site, everywhere=everywhere)

    def silence(
        self,
        owner: Any,
        name: str,
        when: Callable[[Any], bool] | None = None,
        *,
        everywhere: bool = False,
    ) -> bool:
        """Makes calls of ``owner.name`` count as the inside of a training: no call in it is logged.

        Args:
            owner: A module or class.
            name: Of a function or method.
            when: Says so by the object whose method is called; absent, always.
            everywhere: As for `observe`.

        Raises:
            InvalidArgument: As for `observe`.
        """
        silent = _silent if when is None else partial(_silent_when, when)
        return self._wrap(owner, name, silent, everywhere=everywhere)

    def surround(self, owner: Any, name: str, site: Callable[..., Any]) -> bool:
        """Has `site` make the calls of ``owner.name``, as wrapt calls its wrappers.

        Args:
            owner: A module or class.
            name: Of a function or method.
            site: Called as ``site(wrapped, instance, args, kwargs)`` in place of it.

        Raises:
            InvalidArgument: As for `observe`.
        """
        return self._wrap(owner, name, site)

    def replace(self, owner: Any, name: str, value: Any) -> None:
        """Puts `value` into the dictionary of `owner`."""
        before = owner.__dict__.get(name, _ABSENT)
        setattr(owner, name, value)
        self._replaced.append((owner, name, before, owner.__dict__[name]))

    def on_undo(self, act: Callable[[], object]) -> None:
        """Has `act` called when the patches are taken back."""
        self._undoing.append(act)

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
        self._gather()
        for act in reversed(self._undoing):
            act()
        self._watched.clear()
        self._replaced.clear()
        self._undoing.clear()
        return covered

    def spread(self) -> None:
        """Puts wrappers that are to be everywhere into the modules that hold what they wrap."""
        wanted, self._spreading = self._spreading, {}
        if not wanted:
            return
        self._everywhere.update({id(wrapper): wrapper for wrapper in wanted.values()})
        for held, name, value in _entries():
            # A wrapper of earlier patches, which another module imported, is dead by now.
            raw = value.__wrapped__ if type(value) is Wrapper else value
            wrapper = wanted.get(id(raw))
            if wrapper is not None and value is not wrapper and raw is wrapper.__wrapped__:
                held[name] = wrapper

    def _gather(self) -> None:
        """Takes the wrappers that are everywhere out of all modules that hold them by now."""
        wanted, self._everywhere = self._everywhere, {}
        if not wanted:
            return
        for held, name, value in _entries():
            if type(value) is Wrapper and wanted.get(id(value)) is value:
                held[name] = value.__wrapped__

    def _wrap(
        self,
        owner: Any,
        name: str,
        observe: Callable[..., Any],
        inner: bool = False,
        everywhere: bool = False,
    ) -> bool:
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
        wrapper = Wrapper(raw, observe, inherited=own is _ABSENT, inner=inner)
        setattr(owner, name, wrapper)
        self._watched.append((weakref.ref(owner), name))
        if everywhere:
            self._spreading[id(raw)] = wrapper
        return True


def _silent(wrapped: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    __tracebackhide__ = True
    with suppress():
        return wrapped(*args, **kwargs)


def _silent_when(
    when: Callable[[Any], bool],
    wrapped: Any,
    instance: Any,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    __tracebackhide__ = True
    return _silent(wrapped, instance, args, kwargs) if when(instance) else wrapped(*args, **kwargs)


def _entries() -> Iterator[tuple[dict[str, Any], str, Any]]:
    """Yields what all modules hold: their dictionary, the name and the value."""
    modules: list[object] = list(sys.modules.values())
    for module in modules:
        if isinstance(module, types.ModuleType):
            held = module.__dict__
            for name, value in list(held.items()):
                yield held, name, value


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
