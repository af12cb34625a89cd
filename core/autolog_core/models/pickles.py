"""Pickles of models, and which modules their parts come from."""

from __future__ import annotations

import functools
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

from autolog_core.errors import InvalidArgument

CLOUDPICKLE = "cloudpickle"


class Pickled(NamedTuple):
    """An object as bytes, and the names of the modules that its classes and functions are of."""

    data: bytes
    modules: frozenset[str]


def cloudpickle_version() -> str:
    """Returns the version of cloudpickle that is installed."""
    import cloudpickle

    version: str = cloudpickle.__version__
    return version


def dump(
    value: Any,
    what: str,
    protocol: int = pickle.DEFAULT_PROTOCOL,
    reduce: Callable[[Any], Any] = lambda part: NotImplemented,
) -> Pickled:
    """Returns an object, with functions and classes of ``__main__`` by value.

    Args:
        value: The object.
        what: What it is, for the message.
        protocol: Of pickle.
        reduce: Says how a part of it is pickled, as `pickle.Pickler.reducer_override` does;
            NotImplemented for as usual.

    Raises:
        InvalidArgument: It cannot be pickled; the message says what of it.
    """
    buffer = io.BytesIO()
    pickler = _noting_pickler()(buffer, protocol=protocol)
    pickler.noted, pickler.reduce = {}, reduce
    try:
        pickler.dump(value)
    except Exception as error:  # What the user's classes say of themselves may raise anything.
        raise InvalidArgument(
            f"{what} cannot be saved: {error}; leave out of it what holds locks, files or "
            "connections, or make that again in __setstate__"
        ) from error
    return Pickled(buffer.getvalue(), frozenset(map(_module_of, pickler.noted.values())) - {""})


def _module_of(noted: Any) -> str:
    if isinstance(noted, ModuleType):
        return noted.__name__
    return getattr(noted, "__module__", None) or ""


@functools.cache
def _noting_pickler() -> Any:
    import cloudpickle

    reduce = cloudpickle.Pickler.reducer_override
    named = (type, FunctionType, ModuleType)

    class NotingPickler(cloudpickle.Pickler):  # type: ignore[misc]
        """Notes the classes, functions and modules that it meets. Called for every object."""

        def reducer_override(self, obj: Any) -> Any:
            found = obj if isinstance(obj, named) else type(obj)
            self.noted[id(found)] = found
            own = self.reduce(obj)
            return reduce(self, obj) if own is NotImplemented else own

    return NotingPickler


def load(file: Path) -> Any:
    """Loads a pickle, which may run any code: ask for trust before.

    Raises:
        InvalidArgument: It is damaged, or needs modules that are not installed.
    """
    # What cloudpickle wrote is read by pickle, with the helpers of cloudpickle.
    try:
        with open(file, "rb") as stream:
            return pickle.load(stream)
    except (pickle.UnpicklingError, EOFError, ImportError) as error:
        raise InvalidArgument(
            f"{file} cannot be loaded: {error}; it needs the packages of the requirements.txt "
            "beside it"
        ) from error
