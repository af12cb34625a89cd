"""What the groups of client methods share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from autolog._sessions import session_at

if TYPE_CHECKING:
    from autolog_core.session import Session


class ClientBase:
    """Holds the address of the client's store."""

    _address: str

    @property
    def _session(self) -> Session:
        return session_at(self._address)
