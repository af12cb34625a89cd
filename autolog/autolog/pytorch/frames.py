"""Objects that the program has names for, found once, when a training begins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from inspect import CO_OPTIMIZED
from types import FrameType, ModuleType
from typing import Any

from autolog.pytorch.sites import frames

_SMALL = 32
"""Items up to which a list or dictionary is looked into."""
_HELD = 3
"""References to the variables of a frame: its own, ours, and the argument of the count."""
_SELVES = ("locals", "vars")


def survey() -> list[tuple[str, Any]]:
    """Returns what the running program has names for, innermost first, each object once.

    That are variables, attributes of ``self``, and items of short lists and dictionaries; those get
    the name of the list and their place in it. Functions that ask for their own ``locals()`` are
    left out: they would see more than they had when they asked.
    """
    found: list[tuple[str, Any]] = []
    seen: set[int] = set()
    spaces: set[int] = set()
    for frame in frames():
        for name, held in _of_frame(frame, spaces):
            if id(held) in seen or isinstance(held, ModuleType):
                continue
            seen.add(id(held))
            found.append((name, held))
            for key, each in _items(held):
                if id(each) not in seen:
                    seen.add(id(each))
                    found.append((f"{name}_{key}", each))
    return found


def instances(surveyed: list[tuple[str, Any]], kind: type) -> list[tuple[str, Any]]:
    """Returns the objects of a class; objects that only claim to be of it are none."""
    return [(name, held) for name, held in surveyed if issubclass(type(held), kind)]


def _of_frame(frame: FrameType, spaces: set[int]) -> Iterator[tuple[str, Any]]:
    code = frame.f_code
    if not code.co_flags & CO_OPTIMIZED:
        yield from _named(frame.f_locals)
    elif not any(name in code.co_names for name in _SELVES):
        variables = frame.f_locals
        own = variables.get("self")
        yield from list(_named(variables))
        # They would keep alive what the function lets go of; in Python 3.13 there is no such copy.
        if type(variables) is dict and sys.getrefcount(variables) <= _HELD:
            variables.clear()
        attributes = getattr(own, "__dict__", None)
        if type(attributes) is dict and id(attributes) not in spaces:
            spaces.add(id(attributes))
            yield from ((name.lstrip("_"), held) for name, held in _named(attributes, "__"))
            if type(attributes.get("_modules")) is dict:
                yield from list(attributes["_modules"].items())
    if id(frame.f_globals) not in spaces:
        spaces.add(id(frame.f_globals))
        yield from _named(frame.f_globals)


def _named(space: Any, hidden: str = "_") -> Iterator[tuple[str, Any]]:
    for name, held in list(space.items()):
        if isinstance(name, str) and not name.startswith(hidden):
            yield name, held


def _items(held: Any) -> list[tuple[Any, Any]]:
    if type(held) in (list, tuple) and len(held) <= _SMALL:
        return list(enumerate(held))
    if type(held) is dict and len(held) <= _SMALL:
        return [(key, each) for key, each in held.items() if isinstance(key, (str, int))]
    return []
