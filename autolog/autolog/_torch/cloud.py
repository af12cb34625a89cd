"""A pickle module for `torch.save` that holds functions and classes of a script."""

from __future__ import annotations

from pickle import Unpickler as Unpickler
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cloudpickle import Pickler as Pickler


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    import cloudpickle

    return getattr(cloudpickle, name)
