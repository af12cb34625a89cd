"""What is recorded around a fit."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from autolog.catboost import extract, extract_params, live, patch_model, pools
from autolog.catboost.extract_files import Watched

if TYPE_CHECKING:
    from autolog.catboost.spec import CatboostOptions
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

# Where scikit-learn fits what it measures.
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


class FitObserver:
    """Records one training of a model."""

    def __init__(self, options: CatboostOptions) -> None:
        self._options = options
        self._passed: Mapping[str, Any] = {}
        self._params: Mapping[str, Any] = {}
        self._known: dict[str, str] = {}
        self._datasets: dict[str, Dataset] = {}
        self._rows: Any = None
        self._trees: int | None = 0
        self._live: live.LiveCurves | None = None
        self._files: Watched | None = None

    def wants(self, call: Call) -> bool:
        """Whether it is a training of the user's, and no fold of scikit-learn's."""
        return not in_fold()

    def title(self, call: Call) -> str:
        """Returns the name of the model's class."""
        return type(call.instance).__name__

    def before(self, call: Call, recorder: Recorder) -> Call | None:
        """Records tags, params and data, and has a callback added where that costs nothing."""
        self._passed = call.arguments()
        with recorder.part("tags"):
            recorder.tags(extract_params.model_tags(call.instance))
        with recorder.part("params"):
            self._params = call.instance.get_params()
            self._known = extract_params.fit_params(self._params, self._passed)
            recorder.params(self._known)
        with recorder.part("datasets"):
            self._datasets = pools.log_datasets(self._passed, recorder, self._options)
        with recorder.part("rows"):
            self._rows = pools.rows_of(self._passed.get("X"))
        with recorder.part("the model to begin with"):
            start = self._passed.get("init_model")
            # One in a file is not read twice.
            known = start is None or hasattr(start, "is_fitted")
            self._trees = extract.tree_count(start) if known else None
        self._files = Watched(self._params)
        return self._with_callback(call, recorder)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records curves, what the training came to, and the model."""
        self._end()
        model, options = call.instance, self._options
        if self._live is not None and self._live.alone:
            with recorder.part("live metrics"):
                live.forget(model)
        resolved: Mapping[str, Any] = {}
        with recorder.part("resolved params"):
            resolved = model.get_all_params()
            patch_model.log_resolved(resolved, recorder, self._known)
        evals: extract.Evals = model.get_evals_result()
        planned = resolved.get("iterations") or extract_params.setting("iterations", self._params)
        watched = extract_params.watches_overfitting(resolved)
        curves = list(extract.curves(evals, int(planned), self._period(), watched))
        for name in extract.unplaced(evals, curves):
            recorder.skipped(name, "CatBoost does not tell the iterations of its values")
        self._log_curves(recorder, curves)
        with recorder.part("best iteration"):
            facts = extract.facts(model.best_iteration_, curves)
            if watched:
                facts["stopped_iteration"] = extract.iterations_done(evals) - 1
            if facts:
                recorder.metrics(facts)
        with recorder.part("feature importance"):
            patch_model.log_importances(
                model,
                recorder,
                options.importance_types,
                lambda: pools.as_pool(model, self._passed),
            )
        step = self._last_step(model, resolved, curves)
        with recorder.part("checkpoints"):
            before = extract.tree_count(model) - step - 1
            patch_model.log_checkpoints(
                model, recorder, options, self._rows, before=before, curves=curves
            )
        with recorder.part("model"):
            patch_model.log_model(model, recorder, options, self._rows, step=step)
        if self._live is not None and self._live.lost(evals):
            raise KeyboardInterrupt

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Records how far the training came, as far as CatBoost has written that down."""
        self._end()
        recorder.skipped("model", "the fit failed")
        if self._live is not None and self._live.caused(error):
            raise KeyboardInterrupt from None
        if self._live is not None and self._live.seen:
            return
        with recorder.part("metrics of the failed fit"):
            told = None if self._files is None else self._files.read()
            names = [name for name, _ in extract.eval_sets(self._passed.get("eval_set"))]
            planned = extract_params.setting("iterations", self._params)
            if told is None or told.planned != planned or len(told.tests) != len(names):
                recorder.skipped("metrics", "CatBoost tells none of a fit that failed")
                return
            curves = extract.told_curves(told, dict(zip(told.tests, names, strict=True)))
            self._log_curves(recorder, curves)

    def _end(self) -> None:
        if self._files is not None:
            self._files.end()

    def _period(self) -> int:
        return int(extract_params.setting("metric_period", self._passed, self._params))

    def _with_callback(self, call: Call, recorder: Recorder) -> Call | None:
        callbacks = self._passed.get("callbacks")
        if not isinstance(callbacks, (list, tuple, type(None))):
            return None
        if extract_params.on_gpu(self._params) or self._period() != 1:
            return None
        alone = callbacks is None
        if alone and not live.is_cheap(self._passed, self._params):
            return None
        self._live = live.LiveCurves(recorder, self._datasets, alone)
        return call.replace(callbacks=[self._live, *(callbacks or ())])

    def _log_curves(self, recorder: Recorder, curves: list[extract.Curve]) -> None:
        written = {} if self._live is None else self._live.written
        with recorder.part("metrics"):
            for curve in curves:
                start = written.get(curve.key, 0)
                recorder.curve(
                    curve.key,
                    curve.values[start:],
                    curve.steps[start:],
                    self._datasets.get(curve.dataset),
                )

    def _last_step(
        self, model: Any, resolved: Mapping[str, Any], curves: list[extract.Curve]
    ) -> int:
        """Returns the iteration of the model's last tree: the best one, or the last."""
        if self._trees is not None:
            return max(extract.tree_count(model) - self._trees - 1, 0)
        best = model.best_iteration_
        if best is not None and resolved.get("use_best_model"):
            return int(best)
        return max((curve.steps[-1] for curve in curves), default=0)
