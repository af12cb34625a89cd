"""Loops of the user's own over ``Booster.update``: a training that nobody says is over.

LightGBM reports values only where the loop asks for them (``eval_valid``, ``eval_train``,
``eval``): those are logged at the iteration that they are of. None is computed for us.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from autolog.instrument import ongoing
from autolog.lightgbm import extract, patch_data, patch_model
from autolog.lightgbm.progress import write

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset

SITE = "Booster.update"


class Loop:
    """What is known of one loop; called when it is over."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._datasets: dict[str, Dataset] = {}
        self._rows: Any = None
        self._checkpoint: patch_model.Checkpoints | None = None
        self._step = -1
        self._values: dict[str, float] = {}

    def begin(self, booster: Any, recorder: Recorder) -> None:
        """Records params and data."""
        with recorder.part("params"):
            recorder.params(
                {str(key): extract.text_of(value) for key, value in booster.params.items()}
            )
        with recorder.part("dataset"):
            if not self._options.log_datasets:
                recorder.skipped("dataset", "log_datasets is False")
            known = patch_data.record(recorder, self._options, booster.train_set, "train")
            self._rows = known.rows
            if known.reference is not None:
                self._datasets[booster._train_data_name] = known.reference
            self._record_valid(booster, recorder)
        self._checkpoint = patch_model.checkpoints(recorder, self._options, self._rows)
        if self._checkpoint is not None and "dart" in map(str, booster.params.values()):
            self._checkpoint = None
            recorder.skipped("checkpoints", "dart changes the trees of earlier iterations")

    def updated(self, booster: Any, recorder: Recorder) -> None:
        """Takes note of another iteration; the one before it is complete, with its metrics."""
        step = booster.current_iteration() - 1
        if step == self._step:
            # It found nothing to split.
            return
        if step > self._step:
            self._save(booster, recorder)
        self._step, self._values = step, {}

    def evaluated(self, booster: Any, recorder: Recorder, entries: Any) -> None:
        """Logs what LightGBM reports of the iteration; what was told already only if it differs."""
        with recorder.part("dataset"):
            self._record_valid(booster, recorder)
        found = [
            each for each in extract.readings(entries) if self._values.get(each.key) != each.value
        ]
        write(recorder, found, booster.current_iteration() - 1, self._datasets)
        self._values |= {each.key: each.value for each in found}

    def __call__(self, booster: Any, recorder: Recorder) -> None:
        """Records the last iteration's checkpoint, the importances and the model."""
        self._save(booster, recorder)
        step = patch_model.log_end(recorder, booster, None)
        with recorder.part("model"):
            patch_model.log_model(booster, recorder, self._options, self._rows, step)

    def _save(self, booster: Any, recorder: Recorder) -> None:
        if self._checkpoint is not None and self._step >= 0:
            with recorder.part("checkpoint"):
                self._checkpoint(booster, self._step, self._values, self._step + 1)

    def _record_valid(self, booster: Any, recorder: Recorder) -> None:
        if not self._options.log_datasets:
            return
        for name, each in zip(booster.name_valid_sets, booster.valid_sets, strict=True):
            if name not in self._datasets:
                known = patch_data.record(recorder, self._options, each, "eval", name)
                if known.reference is not None:
                    self._datasets[name] = known.reference


def follow_update(patches: PatchSet) -> Callable[[Call, Any], None]:
    """Returns what sees each ``Booster.update``; for `PatchSet.follow`."""
    return partial(_updated, patches)


def _updated(patches: PatchSet, call: Call, result: Any) -> None:
    booster = call.instance
    training = ongoing.find(booster)
    if training is None:
        loop = Loop(patches.switch.options)
        training = ongoing.begin(patches.switch, SITE, "Booster", booster, loop)
        if training is None:
            return
        loop.begin(booster, training.recorder)
    if isinstance(training.finish, Loop):
        training.finish.updated(booster, training.recorder)
        training.steps = booster.current_iteration()


def follow_eval(call: Call, result: Any) -> None:
    """Sees what ``eval``, ``eval_train`` and ``eval_valid`` return; for `PatchSet.follow`."""
    training = ongoing.find(call.instance)
    if training is not None and isinstance(training.finish, Loop):
        training.finish.evaluated(call.instance, training.recorder, result)
