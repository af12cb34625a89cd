"""Who calls XGBoost: the user's program, or a worker of a cluster that trains together."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import FrameType

# Their workers train as well: the driver records it once.
_CLUSTERS = ("xgboost.dask", "xgboost.spark")
_OURS = ("autolog", "wrapt")


def calling_module() -> str:
    """Returns the name of the module whose code made the call that is looked at."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name: str = frame.f_globals.get("__name__") or ""
        if name.partition(".")[0] not in _OURS:
            return name
        frame = frame.f_back
    return ""


def is_worker() -> bool:
    """Whether the training at hand is one worker's part of a training that is recorded elsewhere.

    Of workers that somebody else than dask or Spark has put together, the first one records.
    """
    if calling_module().startswith(_CLUSTERS):
        return True
    collective = sys.modules["xgboost.collective"]
    return bool(collective.is_distributed()) and collective.get_rank() != 0


def is_asynchronous(holder: object) -> bool:
    """Whether a client of dask returns before it has done what it is asked for.

    Args:
        holder: The client, an estimator that has one, or None for the current client.
    """
    client = getattr(holder, "_client", holder)
    distributed = sys.modules.get("distributed")
    if client is None and distributed is not None:
        # Where there is none, XGBoost says so in a moment.
        with suppress(ValueError):
            client = distributed.get_client()
    return bool(getattr(client, "asynchronous", False))
