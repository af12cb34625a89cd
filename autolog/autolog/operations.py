"""Handles to wait for what was logged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

by_default = False
"""Whether calls without `synchronous` return a handle."""


class RunOperations:
    """What a logging call with ``synchronous=False`` returns.

    Args:
        wait: Called once, by the first `wait`.
    """

    __slots__ = ("_wait",)

    def __init__(self, wait: Callable[[], Any]) -> None:
        self._wait: Callable[[], Any] | None = wait

    def wait(self) -> None:
        """Returns when what the call logged is where it belongs.

        Raises:
            AutologError: It could not be stored.
        """
        if self._wait is not None:
            self._wait()
            self._wait = None


def done(synchronous: bool | None, finish: Callable[[], Any]) -> RunOperations | None:
    """Ends a logging call: waits, returns a handle to wait with, or does nothing.

    Args:
        synchronous: The call's argument: True, False or None.
        finish: Returns when all is stored.
    """
    if synchronous is None:
        return RunOperations(finish) if by_default else None
    if synchronous:
        finish()
        return None
    return RunOperations(finish)


def enable_async_logging(enable: bool = True) -> None:
    """Makes calls without `synchronous` return a handle (True) or nothing (False).

    Either way a call returns when its record is in the journal.
    """
    global by_default
    by_default = bool(enable)
