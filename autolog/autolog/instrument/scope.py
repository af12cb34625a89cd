"""Which calls are outermost: one logical training is one run.

Inside a watched call, and inside `suppress`, the calls that a library makes of itself are not
watched. The mark is a context variable, so threads and tasks do not see each other's. The worker
threads of a pool that was opened inside a watched call (joblib's threading backend) belong to that
call: they are recognised by the thread that started them, which `multiprocessing.dummy` keeps.
"""

from __future__ import annotations

import threading
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any

outermost: ContextVar[bool] = ContextVar("autolog_outermost", default=True)
"""False inside a watched call. Wrappers ask ``outermost.get`` from C before they call us."""

watching: ContextVar[Any] = ContextVar("autolog_watching", default=None)
"""The watched call that this code is inside of, a `guard.Watch` that has a recorder, or None."""

# Per thread, and for each scope open in it, the threads that lived before the scope opened.
_open: dict[threading.Thread, list[frozenset[threading.Thread]]] = {}


class suppress:  # noqa: N801 - reads like the context managers of contextlib
    """Context manager in which nothing is autologged, worker threads included."""

    __slots__ = ("_before", "_thread", "_token")

    _before: frozenset[threading.Thread]
    _thread: threading.Thread
    _token: Token[bool]

    def __enter__(self) -> None:
        self._thread = threading.current_thread()
        self._before = frozenset(threading.enumerate())
        self._token = outermost.set(False)
        _open.setdefault(self._thread, []).append(self._before)

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        trace: TracebackType | None = None,
    ) -> None:
        scopes = _open[self._thread]
        scopes.remove(self._before)
        if not scopes:
            del _open[self._thread]
        try:
            outermost.reset(self._token)
        except ValueError:
            # Left in another context than entered, as generators and async code can.
            before = self._token.old_value
            outermost.set(True if before is Token.MISSING else before)


def in_worker() -> bool:
    """Whether this thread works for a watched call of the thread that started it."""
    thread = threading.current_thread()
    while (parent := getattr(thread, "_parent", None)) is not None:
        if any(thread not in before for before in _open.get(parent, ())):
            return True
        thread = parent
    return False
