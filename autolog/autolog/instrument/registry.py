"""The integrations that there are. A new library is a new room and one line here."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog.instrument.spec import IntegrationSpec

BUILTIN: dict[str, str] = {
    "sklearn": "autolog.sklearn.spec:SPEC",
    "xgboost": "autolog.xgboost.spec:SPEC",
    "lightgbm": "autolog.lightgbm.spec:SPEC",
    "catboost": "autolog.catboost.spec:SPEC",
    "pytorch": "autolog.pytorch.spec:SPEC",
}


def load(target: str) -> Any:
    """Returns what ``"module:name"`` names."""
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def names() -> tuple[str, ...]:
    """Returns the names of all integrations."""
    return tuple(BUILTIN)


def find(name: str) -> IntegrationSpec:
    """Returns the description of an integration.

    Raises:
        InvalidArgument: There is none of that name.
    """
    if name not in BUILTIN:
        raise InvalidArgument(f"there is no integration {name!r}; there are: {', '.join(BUILTIN)}")
    spec: IntegrationSpec = load(BUILTIN[name])
    return spec


@cache
def owned_packages() -> frozenset[str]:
    """Returns the packages whose classes belong to one integration alone."""
    return frozenset(package for name in names() for package in find(name).owns)


def describe() -> list[dict[str, Any]]:
    """Returns what `autolog doctor` shows of each integration; no library is imported.

    Each has ``name``, ``package``, ``supported`` (version range), ``installed`` (version or None)
    and ``enabled``: whether `autolog.autolog()` turns it on.
    """
    from importlib.metadata import PackageNotFoundError, version

    found = []
    for name in names():
        spec = find(name)
        try:
            installed = version(spec.package)
        except PackageNotFoundError:
            installed = None
        found.append(
            {
                "name": name,
                "package": spec.package,
                "supported": spec.supports,
                "installed": installed,
                "enabled": True,
            }
        )
    return found
