"""One thread for work that no caller should wait for, in the order it was asked for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

logger = logging.getLogger("autolog")


class Background:
    """Runs small jobs on one daemon thread, which starts with the first job.

    A job that raises is logged and the next one goes on: nothing of this reaches the user's code.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.failures = 0

    def submit(self, job: Callable[[], None]) -> None:
        """Has `job` run soon."""
        self._jobs.put(job)
        if self._thread is None:
            with self._lock:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._thread.start()

    def wait(self, timeout: float | None = None) -> bool:
        """Returns True once all jobs asked for before the call are done, False on time-out."""
        if self._thread is None or threading.current_thread() is self._thread:
            return True
        done = threading.Event()
        self._jobs.put(done.set)
        return done.wait(timeout)

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            try:
                job()
            except Exception as error:
                self.failures += 1
                logger.warning("autolog could not finish background work: %s", error)
                logger.debug("background work", exc_info=True)
            # A job may hold much memory: it must not wait here for the next one.
            del job
