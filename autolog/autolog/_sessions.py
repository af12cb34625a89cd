"""Sessions by address, for clients that track elsewhere than the default session does."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from autolog_core.address import resolve_address
from autolog_core.errors import InvalidArgument
from autolog_core.session import Session, default_session

_lock = threading.Lock()
_others: dict[str, Session] = {}


def plain_address(uri: str | Path | None) -> str:
    """Returns the absolute address of a store; that of the default session for None or "".

    Raises:
        InvalidArgument: No store is known for its scheme.
    """
    return full_address(uri) if uri else default_session().address


def full_address(uri: str | Path | None) -> str:
    """Returns the absolute address of a store; that of ``./mlruns`` for None or "".

    Raises:
        InvalidArgument: No store is known for its scheme, or it is neither text nor a path.
    """
    if uri is not None and not isinstance(uri, (str, os.PathLike)):
        raise InvalidArgument(
            f"tracking address must be text or a path, got {uri!r} of type {type(uri).__name__}"
        )
    return resolve_address(str(uri) if uri else None)


def session_at(address: str) -> Session:
    """Returns the session of an address as `plain_address` returns it."""
    default = default_session()
    if default.address == address:
        other = _others.get(address)
        if other is not None:
            # What went through it before this address became the default.
            other.drain()
        return default
    with _lock:
        session = _others.get(address)
        if session is None:
            session = _others[address] = Session(address)
        return session


def keep(session: Session) -> None:
    """Lets clients go on with a session that is the default one no more."""
    with _lock:
        _others.setdefault(session.address, session)


def retire(session: Session) -> None:
    """Closes a session that is the default one no more, once no run is open in it."""
    if session is not default_session() and not session.open_runs:
        with _lock:
            if _others.get(session.address) is session:
                del _others[session.address]
        session.close()
