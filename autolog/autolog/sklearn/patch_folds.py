"""Cross-validation: all fits of an estimator on folds of the data are one run."""

from __future__ import annotations

from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autolog.sklearn import extract, extract_folds, extract_tables

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.patcher import PatchSet
    from autolog.instrument.recorder import Recorder
    from autolog.sklearn.spec import SklearnOptions
    from autolog_core.entities import Dataset

FUNCTIONS = (
    "cross_validate",
    "cross_val_score",
    "cross_val_predict",
    "learning_curve",
    "validation_curve",
    "permutation_test_score",
)


def install_folds(patches: PatchSet, module: ModuleType) -> None:
    """Watches the functions of cross-validation.

    Args:
        patches: Of the integration.
        module: ``sklearn.model_selection``, imported whole: then all that hold the functions under
            a name of their own can be told, and given back what they held.
    """
    for name in FUNCTIONS:
        patches.observe(module._validation, name, partial(FoldsObserver, name), everywhere=True)


class FoldsObserver:
    """Records one cross-validation.

    Args:
        function: Name of the function that is watched.
        options: The integration's.
    """

    def __init__(self, function: str, options: SklearnOptions) -> None:
        self._function = function
        self._options = options
        self._dataset: Dataset | None = None

    def wants(self, call: Call) -> bool:
        """Whether the estimator is one that is trained, rather than one that prepares data."""
        return extract.is_loggable(call.get("estimator"))

    def title(self, call: Call) -> str:
        """Returns the function and the name of the estimator's class."""
        return f"{self._function} of {type(call.get('estimator')).__name__}"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags, params and the data as they are before the first fit."""
        passed = call.arguments()
        estimator = passed.get("estimator")
        with recorder.part("tags"):
            recorder.tags(extract.estimator_tags(estimator))
        with recorder.part("params"):
            if hasattr(estimator, "get_params"):
                recorder.params(self._estimator_params(estimator, passed, recorder))
            else:
                recorder.skipped("params of the estimator", "it has no get_params")
            recorder.params(extract_folds.call_params(self._function, passed))
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
            return
        with recorder.part("dataset"):
            features = passed.get("X")
            self._dataset = extract.dataset_of(features, passed.get("y"))
            if self._dataset is None:
                recorder.skipped("dataset", f"no reference can be made to {type(features)}")
            else:
                recorder.dataset(self._dataset, "train", features)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records scores and times of the folds, their means, and curves."""
        with recorder.part("scores"):
            passed = call.arguments()
            found = extract_folds.findings(self._function, passed, result)
            if found.folds is not None:
                recorder.params({"cv_n_splits": found.folds})
            recorder.metrics(found.metrics, dataset=self._dataset)
            for key, (steps, values) in found.curves.items():
                recorder.curve(key, values, steps, dataset=self._dataset)
            if found.chart is not None:
                recorder.chart(self._function, found.chart)
            if found.table is not None:
                table = found.table
                recorder.artifact_later(
                    f"{self._function}.csv", lambda: extract_tables.to_csv(table)
                )

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there are no scores."""
        recorder.skipped("scores", "the call failed")

    def _estimator_params(
        self, estimator: Any, passed: dict[str, Any], recorder: Recorder
    ) -> dict[str, str]:
        params = extract.estimator_params(estimator)
        varied = passed.get("param_name")
        if self._function == "validation_curve" and params.pop(str(varied), None) is not None:
            recorder.skipped(f"param {varied}", "it is what the curve varies")
        return params
