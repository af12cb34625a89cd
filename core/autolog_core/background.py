"""One thread for work that no caller should wait for, in the order it was asked for."""

from __future__ import annotations

import importlib
import logging
import os
import queue
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

logger = logging.getLogger("autolog")

_IDLE = 30.0
"""Seconds without a job after which a thread counts as idle."""


class Background:
    """Runs small jobs on one daemon thread, which starts with the first job.

    A job that raises is logged and the next one goes on: nothing of this reaches the user's code.

    Args:
        name: Of the thread.
        nice: How far the thread stands back where others want the processor, from 0 to 19.
        idle: Is called when there was nothing to do for half a minute.
    """

    def __init__(self, name: str, nice: int = 0, idle: Callable[[], None] | None = None) -> None:
        self._name = name
        self._nice = nice
        self._idle = idle
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ended = threading.Condition()
        self._asked = self._done = 0
        self.failures = 0

    def submit(self, job: Callable[[], None]) -> int:
        """Has `job` run soon; returns its number, for `wait`."""
        with self._ended:
            # Counted and queued in one step: jobs end in the order of their numbers.
            self._asked += 1
            number = self._asked
            self._jobs.put(job)
        if self._thread is None and not self._begin():
            # A process that ends starts no more threads: what is left is done here and now.
            self._jobs.put(None)
            self._work()
        return number

    def _begin(self) -> bool:
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def wait(self, timeout: float | None = None, number: int | None = None) -> bool:
        """Returns True once jobs are done, False on time-out.

        Args:
            timeout: Seconds to wait at most.
            number: The last job to wait for; absent, the last that was asked for before the call.
        """
        if self._thread is None or threading.current_thread() is self._thread:
            return True
        with self._ended:
            last = self._asked if number is None else number
            return self._ended.wait_for(lambda: self._done >= last, timeout)

    def _run(self) -> None:
        if self._nice:
            with suppress(AttributeError, OSError):
                # Where threads have a priority of their own (Linux); elsewhere it stays.
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), self._nice)
        self._work()

    def _work(self) -> None:
        while True:
            job = self._next()
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
            with self._ended:
                self._done += 1
                self._ended.notify_all()

    def _next(self) -> Callable[[], None] | None:
        if self._idle is not None:
            try:
                return self._jobs.get(timeout=_IDLE)
            except queue.Empty:
                self._idle()
        return self._jobs.get()


def _drop_half_imported() -> None:
    """Lets a forked child import anew what a thread of its parent was importing.

    That thread is not in the child: the module would stay half of one, and its lock held.
    """
    locks = getattr(importlib._bootstrap, "_module_locks", {})
    for name, module in list(sys.modules.items()):
        half = getattr(getattr(module, "__spec__", None), "_initializing", False)
        if half and name.startswith("autolog"):
            del sys.modules[name]
            locks.pop(name, None)


os.register_at_fork(after_in_child=_drop_half_imported)
