"""``lightgbm.train`` and ``lightgbm.cv``: each is one training."""

from __future__ import annotations

import inspect
import sys
from functools import cache
from types import FrameType
from typing import TYPE_CHECKING, Any

from autolog.lightgbm import extract, patch_data, patch_model
from autolog.lightgbm.progress import PART, Progress, with_progress, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.instrument.spec import Options
    from autolog_core.entities import Dataset

# Where scikit-learn fits the folds of a search or a cross validation.
_FOLDS = frozenset(("_fit_and_score", "_fit_and_predict", "_permutation_test_score"))
_FOLDS_MODULE = "sklearn.model_selection._validation"


def in_fold() -> bool:
    """Whether scikit-learn is trying params or cross-validating: none of its fits is a run.

    With its own integration on it is not asked: then a search is watched as a whole.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_name in _FOLDS and frame.f_globals["__name__"] == _FOLDS_MODULE:
            return True
        frame = frame.f_back
    return False


def log_params(
    call: Call, recorder: Recorder, function: str, others: Mapping[str, str] | None = None
) -> None:
    """Logs the params of a call of ``train`` or ``cv``, and those of `others` that it lacks."""
    found = extract.training_params(call.arguments(), _defaults(function))
    recorder.params({**(others or {}), **found})


@cache
def _defaults(function: str) -> dict[str, Any]:
    import lightgbm

    return {
        name: parameter.default
        for name, parameter in inspect.signature(getattr(lightgbm, function)).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }


class TrainObserver:
    """Records one call of ``lightgbm.train``."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._datasets: dict[str, Dataset] = {}
        self._rows: Any = None
        self._progress: Progress | None = None

    def wants(self, call: Call) -> bool:
        """Whether it is a training of the user's, and no fold of scikit-learn's."""
        return not in_fold()

    def title(self, call: Call) -> str:
        """Returns the name of the function."""
        return "lightgbm.train"

    def before(self, call: Call, recorder: Recorder) -> Call | None:
        """Records params and data, and has each iteration told."""
        if not call.arguments():
            return None
        with recorder.part("params"):
            log_params(call, recorder, "train")
        with recorder.part("dataset"):
            self._record_data(call, recorder)
        checkpoint = patch_model.checkpoints(recorder, self._options, self._rows)
        self._progress = Progress(recorder, self._datasets, checkpoint)
        return with_progress(call, self._progress)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records where it stopped, the importances and the model."""
        step = patch_model.log_end(recorder, result, self._progress)
        with recorder.part("model"):
            patch_model.log_model(result, recorder, self._options, self._rows, step)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is no model."""
        recorder.skipped("model", "the training failed")

    def _record_data(self, call: Call, recorder: Recorder) -> None:
        train_set = call.get("train_set")
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
        names = extract.evaluated(call.arguments())
        if not extract.is_dataset(train_set):
            return
        given = call.get("valid_names")
        own = next((name for _, name, same in names if same and given), None)
        trained = patch_data.record(recorder, self._options, train_set, "train", own)
        self._rows = trained.rows
        for each, name, same in names:
            known = trained
            if not same and extract.is_dataset(each):
                known = patch_data.record(recorder, self._options, each, "eval", name)
            if known.reference is not None:
                self._datasets[name] = known.reference


class CvObserver:
    """Records one call of ``lightgbm.cv``: mean and deviation over the folds, and each fold."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._progress: Progress | None = None
        self._iterations = 0

    def wants(self, call: Call) -> bool:
        """Whether it is a training of the user's, and no fold of scikit-learn's."""
        return not in_fold()

    def title(self, call: Call) -> str:
        """Returns the name of the function."""
        return "lightgbm.cv"

    def before(self, call: Call, recorder: Recorder) -> Call | None:
        """Records params and data, and has each iteration told."""
        if not call.arguments():
            return None
        with recorder.part("params"):
            log_params(call, recorder, "cv")
        train_set = call.get("train_set")
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
        elif extract.is_dataset(train_set):
            with recorder.part("dataset"):
                patch_data.record(recorder, self._options, train_set, "train")
        self._progress = Progress(recorder, {})
        return with_progress(call, self._progress)

    def folds(self, recorder: Recorder, results: Any) -> None:
        """Records what each fold reports of an iteration.

        Args:
            recorder: Of the training.
            results: (folds,) lists of ``(dataset, metric, value, ...)``.
        """
        with recorder.part(PART):
            step, self._iterations = self._iterations, self._iterations + 1
            for place, each in enumerate(results):
                write(recorder, extract.readings(each), step, {}, prefix=f"fold_{place}/")

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records where it stopped."""
        progress = self._progress
        if progress is None or progress.last is None:
            return
        model, progress.model = progress.model, None
        with recorder.part("params"):
            if call.get("folds") is not None:
                recorder.params({"nfold": len(model.boosters)})
        if model.best_iteration > 0:
            with recorder.part("early stopping"):
                found = extract.best_cv_readings(result, model.best_iteration)
                patch_model.log_stopping(recorder, model.best_iteration, found, progress)
        recorder.skipped("model", "cv() trains a model per fold to measure with, and keeps none")

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Records nothing more."""


def see_folds(observer: Any, call: Call, recorder: Recorder) -> None:
    """Sees the results of the folds on their way to their mean; for `PatchSet.observe`."""
    if isinstance(observer, CvObserver):
        observer.folds(recorder, call.get("raw_results"))


class AggregateObserver(CvObserver):
    """Watches nothing: the mean over folds is only of interest inside of ``cv``."""

    def wants(self, call: Call) -> bool:
        """Never."""
        return False
