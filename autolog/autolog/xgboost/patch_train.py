"""What is recorded around `xgboost.train` and `xgboost.cv`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autolog.xgboost import extract, matrices
from autolog.xgboost.callback import make_rounds
from autolog.xgboost.callers import is_worker
from autolog.xgboost.patch_data import is_matrix, log_matrices
from autolog.xgboost.patch_model import Keeper, log_best

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.callback import Rounds
    from autolog.xgboost.spec import XgboostOptions


class TrainObserver:
    """Records one call of `xgboost.train`.

    Args:
        function: What is called.
        options: The integration's.
    """

    def __init__(self, function: Callable[..., Any], options: XgboostOptions) -> None:
        self._function = function
        self._options = options
        self._keeper: Keeper | None = None
        self._rounds: Rounds | None = None

    def wants(self, call: Call) -> bool:
        """Whether this process is the one to record it."""
        return not is_worker()

    def title(self, call: Call) -> str:
        """Returns what a user calls it."""
        return f"xgboost.{self._function.__name__}"

    def before(self, call: Call, recorder: Recorder) -> Call | None:
        """Records params and data, and has the rounds seen."""
        passed = extract.arguments(call, self._function)
        train = passed.get("dtrain")
        with recorder.part("params"):
            recorder.params(extract.train_params(self._function, passed))
        datasets = {}
        with recorder.part("dataset"):
            datasets = log_matrices(recorder, self._options, train, passed.get("evals"))
        rows = None
        with recorder.part("first rows"):
            rows = matrices.rows_of(train) if is_matrix(train) else None
        self._keeper = Keeper(recorder, self._options, rows)
        self._rounds = make_rounds(recorder, datasets, self._keeper)
        return extract.with_callback(call, self._function, self._rounds)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the best round, importances and the booster."""
        assert self._rounds is not None
        assert self._keeper is not None
        self._keeper.close(self._rounds, result, result)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is no model."""
        recorder.skipped("model", "the training failed")


class CvObserver(TrainObserver):
    """Records one call of `xgboost.cv`: mean and deviation over the folds, and each fold."""

    def before(self, call: Call, recorder: Recorder) -> Call:
        """Records params and data, and has the rounds seen."""
        passed = extract.arguments(call, self._function)
        with recorder.part("params"):
            recorder.params(extract.train_params(self._function, passed))
        with recorder.part("dataset"):
            log_matrices(recorder, self._options, passed.get("dtrain"))
        self._rounds = make_rounds(recorder, {})
        return extract.with_callback(call, self._function, self._rounds)

    def see_folds(self, call: Call, recorder: Recorder) -> None:
        """Logs the scores of each fold, on their way to the mean.

        Args:
            call: Of what takes the mean of one line of scores per fold.
            recorder: Of the cross-validation.
        """
        step = 0 if self._rounds is None or self._rounds.last is None else self._rounds.last + 1
        for fold, line in enumerate(call.args[0]):
            values = extract.parse_scores(line)
            recorder.metrics({f"fold_{fold}/{key}": value for key, value in values.items()}, step)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records the best round; the library keeps no model."""
        assert self._rounds is not None
        with recorder.part("best round"):
            log_best(recorder, self._rounds, self._rounds.best)
        recorder.skipped("model", "cross-validation keeps none")
