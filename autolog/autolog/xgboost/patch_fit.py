"""What is recorded around the fit of an estimator: of XGBoost, of its module for dask, of users."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from autolog.xgboost import extract
from autolog.xgboost.callback import Rounds, make_rounds
from autolog.xgboost.callers import is_asynchronous, is_worker
from autolog.xgboost.patch_data import log_sets
from autolog.xgboost.patch_model import Keeper
from autolog_core.models.rows import as_rows, first_rows

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.spec import XgboostOptions
    from autolog_core.entities import Dataset


class FitObserver:
    """Records one fit of an estimator.

    Args:
        options: The integration's.
    """

    def __init__(self, options: XgboostOptions) -> None:
        self._options = options
        self._estimator: Any = None
        self._passed: Mapping[str, Any] = {}
        self._params: dict[str, Any] = {}
        self._datasets: Mapping[str, Dataset] = {}
        self._keeper: Keeper | None = None
        self._rounds: Rounds | None = None
        self._trainings = 0

    def wants(self, call: Call) -> bool:
        """Whether this process is the one to record it, and it is over when the call returns."""
        estimator = call.instance
        return not (is_worker() or (is_of_dask(type(estimator)) and is_asynchronous(estimator)))

    def title(self, call: Call) -> str:
        """Returns the name of the estimator's class."""
        return type(call.instance).__name__

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags and data as they are before the fit."""
        self._estimator = call.instance
        kind = type(self._estimator)
        with recorder.part("tags"):
            name = f"{kind.__module__}.{kind.__qualname__}"
            recorder.tags({"estimator_name": kind.__name__, "estimator_class": name})
        passed = self._passed = extract.arguments(call, self._estimator.fit)
        features = passed.get("X", next(iter(passed.values()), None))
        labels = next((passed[name] for name in ("y", "Y", "target") if name in passed), None)
        with recorder.part("dataset"):
            self._datasets = log_sets(
                recorder, self._options, features, labels, passed.get("eval_set")
            )
        rows = None
        with recorder.part("first rows"):
            rows = as_rows(first_rows(features))
        dress = partial(_dressed, self._estimator, self._params)
        self._keeper = Keeper(recorder, self._options, rows, dress)

    def see_train(self, call: Call, recorder: Recorder, function: Callable[..., Any]) -> Call:
        """Records the params of the training inside the fit, and has its rounds seen.

        A fit of a user's class may train more than once; metrics of the second training end with
        ``-2``.

        Args:
            call: Of `xgboost.train`.
            recorder: Of the fit.
            function: What is called.
        """
        self._trainings += 1
        if self._trainings == 1:
            with recorder.part("params"):
                passed = extract.arguments(call, function)
                self._params.update(extract.train_params(function, passed))
                recorder.params(self._params)
        suffix = "" if self._trainings == 1 else f"-{self._trainings}"
        self._rounds = make_rounds(recorder, self._datasets, self._keeper, suffix)
        return extract.with_callback(call, function, self._rounds)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the other params, the best round, importances and the estimator."""
        estimator = self._estimator
        assert self._keeper is not None
        with recorder.part("params"):
            recorder.params(extract.estimator_params(estimator, self._params))
        if not estimator.__sklearn_is_fitted__():
            recorder.skipped("model", "the estimator is not fitted")
            return
        booster = estimator.get_booster()
        if self._rounds is None:
            self._rounds = Rounds(recorder, self._datasets)
            with recorder.part("rounds"):
                start = extract.rounds_of(self._passed.get("xgb_model"))
                given = self._passed.get("eval_set")
                # Without sets, what there is may be of an earlier fit.
                evals = getattr(estimator, "evals_result_", {}) if given else {}
                self._rounds.replay(evals, start, booster.num_boosted_rounds())
        self._keeper.close(self._rounds, booster, estimator)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is no model."""
        recorder.skipped("model", "the training failed")


def _dressed(estimator: Any, params: Mapping[str, Any], booster: Any) -> Any:
    """Returns an estimator as it would be, had its training ended with this booster."""
    kind: Any = type(estimator)
    made = kind.__new__(kind)
    vars(made).update(vars(estimator))
    made._Booster = booster
    if not callable(made.objective):
        made.objective = params.get("objective", made.objective)
    return made


def is_of_dask(kind: type) -> bool:
    """Whether a class of estimators is one of XGBoost's module for dask, or of a user's."""
    return any(base.__name__ == "DaskScikitLearnBase" for base in kind.__mro__)
