"""The writer thread: it takes records from the journal to the store."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from autolog_core.errors import AutologError, StorageError, StorageFull
from autolog_core.journal.writer import JournalWriter
from autolog_core.stores.operations import ApplyReport, WriterMark

if TYPE_CHECKING:
    from autolog_core.journal.reader import SegmentReader
    from autolog_core.stores.base import Store

logger = logging.getLogger("autolog")

SYNC_INTERVAL = 5.0
"""Seconds of logging that a power loss may cost."""
LONGEST_BACKOFF = 30.0
SMALL_BATCH = 256 << 10
"""Bytes of journal that are applied at once on a full disk."""
_LEFT_OPEN = "the process ended without closing this run"


class Pump:
    """Owns the journal of a process and applies it to a store.

    Args:
        spool: Folder of the store's journals.
        open_store: Returns the store; called on the writer thread the first time.
        interval: Seconds between commits while records come in.
        on_report: Told what the store could not take as it was.
    """

    def __init__(
        self,
        spool: Path,
        open_store: Callable[[], Store],
        interval: float,
        on_report: Callable[[ApplyReport], None],
    ) -> None:
        self._wakened = threading.Event()
        self.writer = JournalWriter(spool, self._wakened.set)
        self._open_store = open_store
        self._interval = interval
        self._on_report = on_report
        self._flushing = threading.RLock()
        self._reader: SegmentReader | None = None
        self._applied = 0
        self._last_time = 0
        self._last_sync = time.monotonic()
        self._unsynced = False
        self._warned = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="autolog-writer", daemon=True)
        self._thread.start()

    def flush(self) -> None:
        """Applies all that was appended before the call, on the calling thread.

        Raises:
            StorageError: The store cannot take it now; the journal keeps it.
        """
        _, end = self.writer.written()
        if self._applied >= end:
            return
        with self._flushing:
            while self._applied < end and self._step():
                pass

    def close(self, timeout: float | None = None) -> bool:
        """Stops the thread, applies what is left and deletes the journal.

        Returns:
            False if the store could not take all: the journal then stays, to be replayed.
        """
        self._stopping.set()
        self._wakened.set()
        self._thread.join(timeout)
        try:
            self.flush()
            store = self._open_store()
            if store.list_owned_models(self.writer.writer_id):
                from autolog_core.journal.recovery import sweep_models

                sweep_models(store, self.writer.writer_id)
            store.close_writer(self.writer.writer_id, _LEFT_OPEN)
        except AutologError as error:
            self.writer.abandon()
            logger.warning(
                "autolog could not write everything to the store (%s); the rest is kept in %s and "
                "is written when the store is next opened, or by `autolog sync`",
                error,
                self.writer.folder,
            )
            return False
        if self._reader is not None:
            self._reader.close()
        self.writer.discard()
        return True

    def _run(self) -> None:
        delay = self._interval
        while not self._stopping.is_set():
            woken = self._wakened.wait(SYNC_INTERVAL if self._unsynced else None)
            if woken and self._stopping.wait(delay):
                return
            self._wakened.clear()
            try:
                try:
                    self.writer.prepare_spare()
                finally:
                    # On a full disk above all: what goes to the store makes room.
                    self.flush()
                self._sync()
                delay = self._interval
                self._warned = False
            except AutologError as error:
                delay = self._fail(error, delay)
            except Exception as error:
                logger.debug("autolog's writer thread", exc_info=True)
                delay = self._fail(error, delay)
            if not self.writer.rest(self._applied):
                self._wakened.set()

    def _fail(self, error: Exception, delay: float) -> float:
        if not self._warned:
            self._warned = True
            logger.warning(
                "autolog cannot write to the store now and will try again (%s); nothing is lost, "
                "what is logged is kept in %s",
                error,
                self.writer.folder,
            )
        return min(LONGEST_BACKOFF, max(self._interval, delay) * 2)

    def _step(self) -> bool:
        """Applies one batch; False if there was nothing more."""
        from autolog_core.journal.reader import SegmentReader

        segments, _ = self.writer.written()
        if self._reader is None:
            self._reader = SegmentReader(segments[0], check=False)
        reader = self._reader
        before = reader.offset
        batch = reader.read()
        if reader.offset == before and not batch.done:
            return False
        if batch.operations:
            store = self._open_store()
            self._last_time = max(self._last_time, batch.last_time)
            mark = WriterMark(
                self.writer.writer_id,
                batch.position,
                self._last_time,
                os.uname().nodename,
                os.getpid(),
            )
            try:
                report = store.apply(batch.operations, mark)
            except StorageFull:
                reader.rewind(before)
                if reader.limit <= SMALL_BATCH:
                    raise
                # Little by little, what is applied makes room: its segments go.
                reader.limit = SMALL_BATCH
                return True
            except BaseException:
                reader.rewind(before)
                raise
            if not report.is_silent:
                self._on_report(report)
            self._unsynced = True
        self._applied = batch.position
        if batch.done:
            number = reader.segment.number
            reader.close()
            following = [s for s in self.writer.written()[0] if s.number > number]
            self._reader = SegmentReader(following[0], check=False)
            for segment in self.writer.retire(number + 1):
                segment.remove()
        return True

    def _sync(self) -> None:
        """Bounds what a power loss costs: what is in the journal and what went to the store."""
        now = time.monotonic()
        if not self._unsynced or now - self._last_sync < SYNC_INTERVAL:
            return
        self._last_sync = now
        self._unsynced = False
        segments, _ = self.writer.written()
        try:
            for segment in segments:
                segment.sync()
        except OSError as error:
            message = f"the journal in {self.writer.folder} cannot be synced: {error}"
            raise StorageError(message) from error
        self._open_store().sync()
