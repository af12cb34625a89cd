"""Tables of what is known of the user's objects, which do not keep them alive."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from autolog.instrument.lineage_records import Prediction

T = TypeVar("T")
_Drop = Callable[[Any], None]


class _Entry(weakref.ref[Any]):
    """A reference that knows its place in the table and what is kept there."""

    __slots__ = ("key", "value")

    key: int
    value: Any


class WeakTable(Generic[T]):
    """What is known of objects, by their identity; it goes when they do.

    No lock is held: entries are dropped whenever Python frees an object, in any thread, also in the
    midst of other work here.

    Args:
        most: Objects that are known at a time; the oldest are forgotten first.
    """

    __slots__ = ("_drop", "_entries", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._entries: dict[int, _Entry] = {}
        self._drop: _Drop = _dropping(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, subject: Any, value: T) -> bool:
        """Keeps `value` for an object; False if it cannot be referred to weakly, as lists."""
        try:
            entry = _Entry(subject, self._drop)
        except TypeError:
            return False
        entry.key = id(subject)
        entry.value = value
        entries = self._entries
        entries[entry.key] = entry
        if len(entries) > self._most:
            # Where another thread is at it, that one makes room.
            with suppress(RuntimeError, StopIteration):
                entries.pop(next(iter(entries)), None)
        return True

    def get(self, subject: Any) -> T | None:
        """Returns what is kept for an object."""
        entry = self._entries.get(id(subject))
        if entry is None or entry() is not subject:
            return None
        found: T = entry.value
        return found

    def forget(self, subject: Any) -> None:
        """Drops what is kept for an object."""
        self._entries.pop(id(subject), None)

    def clear(self) -> None:
        """Drops everything."""
        self._entries.clear()


def _dropping(entries: dict[int, _Entry]) -> _Drop:
    def drop(entry: _Entry) -> None:
        # The object's successor may have its place, and its entry, already.
        if entries.get(entry.key) is entry:
            entries.pop(entry.key, None)

    return drop


class Recent:
    """The last predictions of more than one row, to be known again by their content.

    Of predictions of equal content only the last of each thread is kept.

    Args:
        most: Predictions that are kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.RLock()
        self._items: dict[tuple[int, object, int], Prediction] = {}
        self._lengths: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._items)

    def renew_lock(self) -> None:
        """Makes a new lock: another thread of the parent may have held it at a fork."""
        self._lock = threading.RLock()

    def add(self, prediction: Prediction) -> None:
        """Keeps a prediction as the newest, and lets the oldest go if there are too many."""
        content = prediction if prediction.content is None else prediction.content
        key = (prediction.rows, content, prediction.thread)
        with self._lock:
            before = self._items.pop(key, None)
            self._items[key] = prediction
            if before is None:
                self._lengths[prediction.rows] = self._lengths.get(prediction.rows, 0) + 1
            if len(self._items) > self._most:
                self._drop_oldest()

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._items))
        del self._items[oldest]
        rows = oldest[0]
        self._lengths[rows] -= 1
        if not self._lengths[rows]:
            del self._lengths[rows]

    def any_of(self, rows: int) -> bool:
        """Whether there are predictions of that many rows."""
        return rows in self._lengths

    def find(self, rows: int, content: int) -> Prediction | None:
        """Returns the prediction of that content that this thread made."""
        return self._items.get((rows, content, threading.get_ident()))

    def of(self, rows: int) -> list[Prediction]:
        """Returns the predictions of that many rows: this thread's first, newest first."""
        here = threading.get_ident()
        with self._lock:
            found = [each for each in reversed(self._items.values()) if each.rows == rows]
        return sorted(found, key=lambda each: each.thread != here)

    def clear(self) -> None:
        """Drops everything."""
        with self._lock:
            self._items.clear()
            self._lengths.clear()
