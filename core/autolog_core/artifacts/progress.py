"""A progress bar for copies that take long, shown only where a person can see it."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

DELAY = 1.0
"""Seconds that a copy takes before its bar appears."""


class CopyProgress:
    """Counts bytes and, after `DELAY`, shows them on a terminal's standard error.

    Args:
        label: What is copied.
        total: Bytes in all.
        enabled: Whether a bar may appear at all.
    """

    def __init__(self, label: str, total: int, enabled: bool) -> None:
        self._label = label
        self._total = total
        self._enabled = enabled
        self._done = 0
        self._since = time.monotonic()
        self._bar: Progress | None = None
        self._task: TaskID | None = None

    @property
    def shown(self) -> bool:
        """Whether the bar has appeared."""
        return self._bar is not None

    def advance(self, count: int) -> None:
        """Adds `count` bytes."""
        self._done += count
        if not self._enabled:
            return
        if self._bar is None:
            if time.monotonic() - self._since < DELAY:
                return
            self._enabled = is_terminal(sys.stderr)
            if not self._enabled:
                return
            self._show()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done)

    def _show(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TransferSpeedColumn,
        )

        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(self._label, total=self._total)
        self._bar.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def is_terminal(stream: object) -> bool:
    """Whether a person watches `stream`; a closed or missing one counts as no."""
    isatty = getattr(stream, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:
        return False
