"""Samples of the machine's load for all runs of a process, by one background thread.

A run's clock starts when it is watched: it gets its first sample one interval later, so a run that
is over before then has none. Processor load is the mean since the sample before. Network figures
count from the thread's first look at the run, a tenth of an interval (at most a second) after its
start.
"""

from __future__ import annotations

import _thread
import logging
import math
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from autolog_core.errors import InvalidArgument

if TYPE_CHECKING:
    from autolog_core.capture.load import Counters, GaugeReader

Sink: TypeAlias = Callable[[dict[str, float], int, int], Any]
"""Takes values by key, step, and milliseconds since the epoch."""

_TOTALS = frozenset(("network_receive_megabytes", "network_transmit_megabytes"))
_logger = logging.getLogger("autolog")


class _Watched:
    """One run: when it is due, and its samples since the last logged point."""

    __slots__ = (
        "due",
        "first",
        "interval",
        "last",
        "moment",
        "prefix",
        "samples",
        "sink",
        "step",
        "window",
    )

    def __init__(
        self, sink: Sink, step: int, prefix: str, interval: float, samples: int, due: float
    ) -> None:
        self.sink = sink
        self.step = step
        self.prefix = prefix
        self.interval = interval
        self.samples = samples
        self.due = due
        self.first: Counters | None = None
        self.last: Counters | None = None
        self.moment = 0
        self.window: list[dict[str, float]] = []


class SystemMetricsSampler:
    """Samples the machine's load for every run that is watched.

    The caller only notes the run, and wakes the thread at most once a second; the thread is started
    by the first call, and loads psutil and NVIDIA's library itself. It ends with the process. A
    forked child starts without watched runs.

    Args:
        interval: Seconds between the samples of a run.
        samples: How many samples are averaged into one logged point.
        node: Word between ``system/`` and the metric's name, for runs on several machines.

    Raises:
        InvalidArgument: `interval` is not above 0, or `samples` is below 1.
    """

    _alarm: float
    _running: bool
    _stopping: bool
    _broken: bool

    def __init__(self, interval: float = 10.0, samples: int = 1, node: str | None = None) -> None:
        self.configure(interval, samples, node)
        self._gauges: GaugeReader | None = None
        self._reset()
        reference = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _reset_in_child(reference))

    def configure(self, interval: float, samples: int = 1, node: str | None = None) -> None:
        """Sets how runs are sampled that are watched from now on.

        Raises:
            InvalidArgument: `interval` is not above 0, or `samples` is below 1.
        """
        if not 0 < interval < math.inf:
            raise InvalidArgument(f"interval must be seconds above 0, got {interval!r}")
        if samples < 1:
            raise InvalidArgument(f"samples must be at least 1, got {samples!r}")
        self._interval = float(interval)
        self._samples = int(samples)
        self._prefix = f"system/{node}/" if node else "system/"

    def watch(self, run_id: str, sink: Sink, step: int = 0) -> None:
        """Begins to sample for a run; a run that is watched already goes on as it was.

        Args:
            sink: Called by the thread, and by `unwatch`, with a lock held: it must not call this
                object, nor wait for a thread that does.
            step: Step of the first logged point, for runs that are resumed.
        """
        now = time.monotonic()
        interval = self._interval
        with self._lock:
            if run_id in self._runs or self._broken:
                return
            self._runs[run_id] = _Watched(
                sink, step, self._prefix, interval, self._samples, now + interval
            )
            look = now + _settling(interval)
            if look < self._alarm:
                self._alarm = look
                self._rouse()

    def unwatch(self, run_id: str) -> None:
        """Ends the sampling for a run and logs what its last window holds.

        When it returns, the run's sink is not called any more. A run that is not watched is left
        alone.
        """
        with self._lock:
            run = self._runs.pop(run_id, None)
            if run is not None:
                _log(run)

    def stop(self) -> None:
        """Ends the sampling for all runs, and the thread; a later `watch` starts afresh."""
        with self._lock:
            runs = list(self._runs.values())
            self._runs.clear()
            for run in runs:
                _log(run)
            running, ended = self._running, self._ended
            self._stopping = True
            self._wake.set()
        if running:
            ended.wait()
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._runs: dict[str, _Watched] = {}
        self._alarm = math.inf
        self._running = False
        self._stopping = False
        self._broken = False

    def _rouse(self) -> None:
        if self._running:
            self._wake.set()
            return
        try:
            # A tenth of the time that threading.Thread.start() takes: that waits for the thread.
            _thread.start_new_thread(self._loop, ())
            self._running = True
        except RuntimeError:
            # The interpreter is on its way out, or out of threads: nothing will be sampled.
            self._broken = True
            self._runs.clear()

    def _loop(self) -> None:
        try:
            while True:
                with self._lock:
                    if self._stopping:
                        return
                    self._alarm = self._next_alarm()
                    wait = self._alarm - time.monotonic()
                    self._wake.clear()
                self._wake.wait(None if wait == math.inf else max(wait, 0.0))
                if self._alarm <= time.monotonic() and self._runs and not self._stopping:
                    self._sample()
        except Exception:
            _logger.warning("system metrics cannot be sampled and are switched off", exc_info=True)
            with self._lock:
                self._broken = True
                self._runs.clear()
        finally:
            self._ended.set()

    def _next_alarm(self) -> float:
        return min(
            (
                run.due if run.first else run.due - run.interval + _settling(run.interval)
                for run in self._runs.values()
            ),
            default=math.inf,
        )

    def _sample(self) -> None:
        from autolog_core.capture.load import GaugeReader, differences, read_counters

        counters, now = read_counters(), time.monotonic()
        with self._lock:
            due = [run for run in self._runs.values() if run.first and _is_due(run, now)]
        gauges: dict[str, float] = {}
        if due:
            self._gauges = self._gauges or GaugeReader()
            gauges = self._gauges.read()
        moment = time.time_ns() // 1_000_000
        with self._lock:
            for run_id, run in list(self._runs.items()):
                if run.first is None or run.last is None:
                    run.first = run.last = counters
                elif run in due:
                    run.window.append(gauges | differences(counters, run.last, run.first))
                    run.last, run.moment = counters, moment
                    run.due = max(run.due + run.interval, now)
                    if len(run.window) >= run.samples and not _log(run):
                        del self._runs[run_id]


def _settling(interval: float) -> float:
    return min(interval / 10, 1.0)


def _is_due(run: _Watched, now: float) -> bool:
    # Runs that are due almost together share one sample.
    return run.due <= now + run.interval / 20


def _log(run: _Watched) -> bool:
    """Logs the run's window, if there is one; False when the run cannot be written."""
    if not run.window:
        return True
    values = {run.prefix + key: _summary(key, run.window) for key in run.window[-1]}
    run.window = []
    try:
        run.sink(values, run.step, run.moment)
    except Exception:
        _logger.warning("system metrics of a run could not be logged", exc_info=True)
        return False
    run.step += 1
    return True


def _summary(key: str, window: list[dict[str, float]]) -> float:
    if key in _TOTALS:
        return round(window[-1][key], 3)
    values = [sample[key] for sample in window if key in sample]
    return round(sum(values) / len(values), 1)


def _reset_in_child(reference: weakref.ref[SystemMetricsSampler]) -> None:
    sampler = reference()
    if sampler is not None:
        sampler._gauges = None
        sampler._reset()
