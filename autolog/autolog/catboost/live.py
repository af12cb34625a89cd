"""Curves while a training goes on, through CatBoost's own callbacks.

A callback is not free. CatBoost hands it the values of all iterations at each of them, a quarter of
a microsecond per value: half a second over a training of 1,000 iterations with four series, a
minute over one of 10,000. So one is added where that is below a hundredth of the training, as far
as the size of its data tells, or where the user has callbacks anyway. All other curves are written
when the training is over.

Nor is it without a trace, and each is taken back here. The model remembers that it had a callback,
and could not be trained anew once it is stored (`forget`). A Ctrl-C that comes while CatBoost puts
the values together ends the training as if all were well (`LiveCurves.lost`); one that comes while
Python code of the callback runs is raised as an error of the callback (`LiveCurves.caused`).
Without a callback, CatBoost raises KeyboardInterrupt whatever a handler of a signal raises.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract, extract_params, pools

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

# Measured with 1.2.10: what a value costs at each later iteration, and what an iteration takes at
# least for each row and level of the trees, and for each of its cells.
_SECONDS_PER_VALUE = 0.25e-6
_SECONDS_PER_ROW = 10e-9
_SECONDS_PER_CELL = 0.6e-9
_SHARE = 0.01
# Who calls a callback, in the text of an error that one raised.
_CALLING = "_CallbackAfterIteration"
_TRACE = re.compile(r'"callbacks":"PythonUserDefinedPerObject",|,"callbacks":"[^"]*"(?=})')


def is_cheap(passed: Mapping[str, Any], params: Mapping[str, Any]) -> bool:
    """Whether a callback costs next to nothing in a training.

    Args:
        passed: Arguments of the fit, by name.
        params: Of the model.
    """
    shape = pools.shape_of(passed.get("X"))
    if shape is None:
        return False
    rows, columns = shape
    iterations = int(extract_params.setting("iterations", params))
    level = rows * (_SECONDS_PER_ROW + columns * _SECONDS_PER_CELL) / threads(params)
    training = iterations * int(extract_params.setting("depth", params)) * level
    series = extract_params.number_of_series(params, len(extract.eval_sets(passed.get("eval_set"))))
    return _SECONDS_PER_VALUE * series * iterations**2 / 2 <= _SHARE * training


def threads(params: Mapping[str, Any]) -> int:
    """Returns how many threads train."""
    given = params.get("thread_count")
    if isinstance(given, int) and given > 0:
        return given
    return os.cpu_count() or 1


def forget(model: Any) -> None:
    """Makes a fitted model forget that it was trained with a callback."""
    kept = model.get_metadata()
    told: str = kept["params"]
    place = told.index('"flat_params":')
    kept["params"] = told[:place] + _TRACE.sub("", told[place:], count=1)


class LiveCurves:
    """A callback that writes the values of each iteration; it never stops a training.

    Args:
        recorder: Of the training.
        datasets: References to the evaluation sets, by CatBoost's names for them.
        alone: Whether the user has no callback.

    Attributes:
        alone: Whether the user has no callback.
        first: Number of the first iteration that was seen; 0 before it.
        seen: How many iterations were.
        written: How many values were, by key.
    """

    def __init__(self, recorder: Recorder, datasets: Mapping[str, Dataset], alone: bool) -> None:
        self.alone = alone
        self.first = 0
        self.seen = 0
        self.written: dict[str, int] = {}
        self._recorder = recorder
        self._datasets = datasets
        self._broken = False

    def after_iteration(self, info: Any) -> bool:
        """Writes what CatBoost reports of an iteration, and lets the training go on."""
        self.first = self.first or info.iteration
        self.seen += 1
        if not self._broken:
            self._broken = True
            with self._recorder.part("live metrics"):
                self._write(info)
                self._broken = False
        return True

    def lost(self, evals: extract.Evals) -> bool:
        """Whether CatBoost lost a Ctrl-C, which without this callback would have been raised.

        Args:
            evals: Values of all iterations.
        """
        seen = max(self.first, 1) - 1 + self.seen
        return self._may_be_interrupted() and extract.iterations_done(evals) > seen

    def caused(self, error: BaseException) -> bool:
        """Whether an error is a Ctrl-C that came while this callback ran; it has no others."""
        return self._may_be_interrupted() and _CALLING in str(error)

    def _may_be_interrupted(self) -> bool:
        return self.alone and threading.current_thread() is threading.main_thread()

    def _write(self, info: Any) -> None:
        done = info.iteration
        for dataset, metrics in info.metrics.items():
            fresh: dict[int, dict[str, float]] = {}
            for metric, values in metrics.items():
                key = extract.key_of(dataset, metric)
                if len(values) != done:
                    continue
                # More than one where a training was taken up from a snapshot.
                for step in range(self.written.get(key, 0), done):
                    fresh.setdefault(step, {})[key] = values[step]
                self.written[key] = done
            for step, found in fresh.items():
                self._recorder.metrics(found, step, dataset=self._datasets.get(dataset))
