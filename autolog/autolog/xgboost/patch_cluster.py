"""What is recorded of trainings on dask and Spark: once, by the program that asks for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from autolog.xgboost import extract, matrices
from autolog.xgboost.callback import Rounds
from autolog.xgboost.callers import is_asynchronous, is_worker
from autolog.xgboost.patch_data import TRAIN, log_matrices
from autolog.xgboost.patch_model import Keeper

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.spec import XgboostOptions
    from autolog_core.entities import Dataset


class DaskObserver:
    """Records one call of `xgboost.dask.train`.

    Args:
        function: What is called.
        options: The integration's.
    """

    def __init__(self, function: Callable[..., Any], options: XgboostOptions) -> None:
        self._function = function
        self._options = options
        self._passed: dict[str, Any] = {}
        self._datasets: dict[str, Dataset] = {}

    def wants(self, call: Call) -> bool:
        """Whether the training is over when the call returns."""
        client = extract.arguments(call, self._function).get("client")
        return not (is_worker() or is_asynchronous(client))

    def title(self, call: Call) -> str:
        """Returns what a user calls it."""
        return "xgboost.dask.train"

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records params and data."""
        passed = self._passed = extract.arguments(call, self._function)
        with recorder.part("params"):
            recorder.params(extract.train_params(self._function, passed))
        with recorder.part("dataset"):
            self._datasets = log_matrices(
                recorder, self._options, passed.get("dtrain"), passed.get("evals")
            )

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records all rounds, the best one, importances and the booster."""
        booster = result["booster"]
        start = extract.rounds_of(self._passed.get("xgb_model"))
        rounds = Rounds(recorder, self._datasets)
        with recorder.part("rounds"):
            rounds.replay(result["history"], start, booster.num_boosted_rounds())
        Keeper(recorder, self._options, None).close(rounds, booster, booster)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is no model."""
        recorder.skipped("model", "the training failed")


class SparkObserver:
    """Records one fit of an estimator of `xgboost.spark`.

    Args:
        options: The integration's.
    """

    def __init__(self, options: XgboostOptions) -> None:
        self._options = options

    def wants(self, call: Call) -> bool:
        """Every fit is wanted: workers call no estimator."""
        return True

    def title(self, call: Call) -> str:
        """Returns the name of the estimator's class."""
        return type(call.instance).__name__

    def before(self, call: Call, recorder: Recorder) -> None:
        """Records tags, params and the frame."""
        estimator = call.instance
        kind = type(estimator)
        with recorder.part("tags"):
            name = f"{kind.__module__}.{kind.__qualname__}"
            recorder.tags({"estimator_name": kind.__name__, "estimator_class": name})
        with recorder.part("params"):
            recorder.params(extract.spark_params(estimator))
        if not self._options.log_datasets:
            recorder.skipped("dataset", "log_datasets is False")
            return
        with recorder.part("dataset"):
            frame = call.get("dataset")
            made = matrices.reference_of(frame)
            if made is not None:
                recorder.dataset(made, TRAIN, frame)

    def after(self, call: Call, recorder: Recorder, result: Any) -> None:
        """Records all rounds, the best one, importances and the estimator that the model holds."""
        estimator = result._xgb_sklearn_model
        booster = estimator.get_booster()
        rounds = Rounds(recorder, {})
        with recorder.part("rounds"):
            summary = getattr(result, "training_summary", None)
            rounds.replay(extract.spark_evals(summary), 0, booster.num_boosted_rounds())
            if summary is None:
                recorder.skipped("metrics of the rounds", "this XGBoost keeps none on Spark")
        Keeper(recorder, self._options, None).close(rounds, booster, estimator)

    def failed(self, call: Call, recorder: Recorder, error: BaseException) -> None:
        """Notes that there is no model."""
        recorder.skipped("model", "the training failed")
