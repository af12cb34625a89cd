"""Our own errors: logged once per site, counted, never raised into the user's program."""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections import Counter, deque
from typing import NamedTuple

logger = logging.getLogger("autolog")


class Fault(NamedTuple):
    """An error of ours that was kept from the user's program.

    Attributes:
        integration: Where it happened, such as "sklearn".
        site: The watched call, such as "Ridge.fit".
        phase: What we were doing, such as "training metrics".
        kind: Class of the error.
        text: The error with its traceback.
    """

    integration: str
    site: str
    phase: str
    kind: str
    text: str


_lock = threading.Lock()
_counts: Counter[tuple[str, str, str, str]] = Counter()
_recent: deque[Fault] = deque(maxlen=100)


def record(
    integration: str, site: str, phase: str, error: BaseException, *, silent: bool = False
) -> Fault:
    """Counts an error and logs it the first time that it happens there.

    Args:
        integration: Name of the integration.
        site: The watched call.
        phase: What we were doing.
        error: The error; only its text is kept.
        silent: Whether to log nothing.
    """
    text = "".join(traceback.format_exception(error))
    fault = Fault(integration, site, phase, type(error).__name__, text)
    with _lock:
        _recent.append(fault)
        _counts[fault[:4]] += 1
        first = _counts[fault[:4]] == 1
    if first and not silent:
        logger.warning(
            "autologging of %s could not log %s of %s: %s (your code is not affected; "
            "further ones are counted in autolog.status())",
            integration,
            phase,
            site,
            text.strip().rpartition("\n")[2],
        )
    return fault


def count(integration: str | None = None) -> int:
    """Returns how many errors there were, in one integration or in all."""
    with _lock:
        return sum(number for key, number in _counts.items() if integration in (None, key[0]))


def recent() -> tuple[Fault, ...]:
    """Returns the last hundred errors, oldest first."""
    with _lock:
        return tuple(_recent)


def clear() -> None:
    """Forgets all errors; the next one of a site is logged again."""
    with _lock:
        _counts.clear()
        _recent.clear()


def _renew_lock() -> None:
    # Another thread of the parent may have held it at the fork.
    global _lock
    _lock = threading.Lock()


os.register_at_fork(after_in_child=_renew_lock)
