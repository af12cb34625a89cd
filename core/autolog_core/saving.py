"""Writing the files of models in the background."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from autolog_core.background import Background

if TYPE_CHECKING:
    from autolog_core.config import Settings
    from autolog_core.models.workshop import Workshop

_NICE = 10
"""How far the writing stands back where the training wants the processor."""
_GLANCE = 0.1
"""Seconds between looks at how far it is."""


class ModelWriter:
    """Runs the jobs that write models, in the order in which they were logged.

    Args:
        settings: What can be set from outside.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A signal handler may log a model in the middle of a call of the same thread.
        self._lock = threading.RLock()
        self._workshop: Workshop | None = None
        self._jobs = Background("autolog-models", _NICE, self._trim)
        self._numbers: dict[str, int] = {}
        self._waiting = 0

    def workshop(self) -> Workshop:
        """Returns what models share while they are saved."""
        if self._workshop is None:
            from autolog_core.models.workshop import Workshop

            with self._lock:
                if self._workshop is None:
                    self._workshop = Workshop(
                        self._settings.snapshot_memory, lambda: self._waiting > 0
                    )
        return self._workshop

    def submit(self, job: Callable[[], None], model_id: str | None = None) -> int:
        """Has a job run after those before it; returns its number, for `wait`.

        Args:
            job: The job.
            model_id: The model whose files it writes.
        """
        with self._lock:
            number = self._jobs.submit(job)
            if model_id is not None:
                self._forget_written()
                self._numbers[model_id] = number
        return number

    def _forget_written(self) -> None:
        # Jobs end in their order: behind the first that is on its way, all are.
        while self._numbers:
            model_id, number = next(iter(self._numbers.items()))
            if not self._jobs.wait(0, number):
                return
            del self._numbers[model_id]

    def is_saving(self, model_id: str) -> bool:
        """Whether the files of a model are on their way."""
        number = self._numbers.get(model_id)
        return number is not None and not self._jobs.wait(0, number)

    def wait_for(self, model_id: str) -> None:
        """Returns when the files of a model are written, or could not be."""
        number = self._numbers.get(model_id)
        if number is not None:
            self.wait(None, number)

    def wait(self, timeout: float | None = None, number: int | None = None) -> bool:
        """Returns True once the files of models are written, False on time-out.

        Whoever waits long at a terminal is shown how far it is.

        Args:
            timeout: Seconds to wait at most.
            number: The last job to wait for; absent, the last that was asked for before the call.
        """
        if self._jobs.wait(0, number):
            return True
        if timeout == 0:
            return False
        with self._lock:
            self._waiting += 1
        try:
            return self._wait(timeout, number)
        finally:
            with self._lock:
                self._waiting -= 1

    def _wait(self, timeout: float | None, number: int | None) -> bool:
        if self._workshop is None or timeout is not None:
            return self._jobs.wait(timeout, number)
        from autolog_core.artifacts.progress import CopyProgress

        tally = self._workshop.tally
        seen = tally.done
        shown = self._settings.artifacts_progress_bar
        with CopyProgress("writing models", tally.asked - seen, shown) as bar:
            while not self._jobs.wait(_GLANCE, number):
                done = tally.done
                bar.advance(done - seen)
                seen = done
        return True

    def _trim(self) -> None:
        if self._workshop is not None:
            self._workshop.buffers.trim()
