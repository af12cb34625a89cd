"""Sessions by address, for clients that track elsewhere than the default session does."""

from __future__ import annotations

import threading
from pathlib import Path

from autolog_core.address import resolve_address
from autolog_core.session import Session, default_session

_lock = threading.Lock()
_others: dict[str, Session] = {}


def plain_address(uri: str | Path | None) -> str:
    """Returns the absolute address of a store; that of the default session for None or "".

    Raises:
        InvalidArgument: No store is known for its scheme.
    """
    return resolve_address(str(uri)) if uri else default_session().address


def session_at(address: str) -> Session:
    """Returns the session of an address as `plain_address` returns it."""
    default = default_session()
    if default.address == address:
        other = _others.get(address)
        if other is not None:
            other.drain()
        return default
    with _lock:
        session = _others.get(address)
        if session is None:
            session = _others[address] = Session(address)
        return session


def close_others() -> None:
    """Closes the sessions that clients opened."""
    with _lock:
        sessions, others = list(_others.values()), _others
        others.clear()
    for session in sessions:
        session.close()
