"""A callback of XGBoost that logs the values of each round while the training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from autolog.xgboost.extract import Evals, best_round, metric_key, values_at

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.xgboost.patch_model import Keeper
    from autolog_core.entities import Dataset


class Rounds:
    """The rounds of one training, seen as they go by. No method of it raises.

    Args:
        recorder: Of the training.
        datasets: References to the evaluation sets, by the training's names for them.
        keeper: Is offered the booster of each round; None for nobody.
        suffix: Of the metrics' names.

    Attributes:
        start: Rounds that the model had before; they are counted in steps, as in the library's
            best iteration.
        last: Step of the last round; None before the first.
        best: Step that an early stopping of a cross-validation found best; None without one.
        evals: The library's own record of all values.
    """

    def __init__(
        self,
        recorder: Recorder,
        datasets: Mapping[str, Dataset],
        keeper: Keeper | None = None,
        suffix: str = "",
    ) -> None:
        self.start = 0
        self.last: int | None = None
        self.best: int | None = None
        self.evals: Evals = {}
        self._recorder = recorder
        self._datasets = datasets
        self._keeper = keeper
        self._suffix = suffix
        self._is_broken = False

    def __hash__(self) -> int:
        """Goes first where callbacks are put into a set, as by XGBoost 2: see `with_callback`."""
        return 0

    def before_training(self, model: Any) -> Any:
        """Is called by XGBoost before the first round; asks nothing: that would set it up."""
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Is called by XGBoost before each round; stops nothing."""
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        """Is called by XGBoost after each round; stops nothing."""
        if self._is_broken:
            return False
        self._is_broken = True
        with self._recorder.part("rounds"):
            if self.last is None:
                self.start = max(0, int(model.num_boosted_rounds()) - epoch - 1)
            self.last = self.start + epoch
            self.evals = evals_log
            values = self.log(self.last)
            if self._keeper is not None:
                self._keeper.offer(model, self.last, values)
            self._is_broken = False
        return False

    def after_training(self, model: Any) -> Any:
        """Is called by XGBoost after the last round."""
        if hasattr(model, "cvfolds"):
            with self._recorder.part("rounds"):
                self.best = best_round(model, self.start)
        return model

    def log(self, step: int, prefix: str = "") -> dict[str, float]:
        """Logs the values of a round, each with the dataset that it was computed on.

        Args:
            step: Of the round.
            prefix: Of the metrics' names.

        Returns:
            The values.
        """
        found: dict[str, float] = {}
        for name, values in values_at(self.evals, step - self.start).items():
            if prefix or self._suffix:
                values = {f"{prefix}{key}{self._suffix}": value for key, value in values.items()}
            self._recorder.metrics(values, step, dataset=self._datasets.get(name))
            found |= values
        return found

    def replay(self, evals: Evals, start: int, end: int) -> None:
        """Logs the values of all rounds at once, where none could be seen as it went by.

        Args:
            evals: The library's own record of them.
            start: Rounds that the model had before.
            end: Rounds that it has now.
        """
        lengths = [len(series) for metrics in evals.values() for series in metrics.values()]
        self.start, self.evals = start, evals
        self.last = max(start + max(lengths, default=0), end) - 1
        for name, metrics in evals.items():
            for metric, series in metrics.items():
                self._recorder.curve(
                    metric_key(name, metric),
                    list(map(float, series)),
                    range(start, start + len(series)),
                    self._datasets.get(name),
                )


@cache
def _kind() -> type[Rounds]:
    from xgboost.callback import TrainingCallback

    return type("LoggedRounds", (Rounds, TrainingCallback), {})


def make_rounds(
    recorder: Recorder,
    datasets: Mapping[str, Dataset],
    keeper: Keeper | None = None,
    suffix: str = "",
) -> Rounds:
    """Returns a callback that XGBoost takes.

    Args:
        recorder: Of the training.
        datasets: References to the evaluation sets, by the training's names for them.
        keeper: Keeps the training's models.
        suffix: Of the metrics' names.
    """
    offered = keeper if keeper is not None and recorder.wants_checkpoints() else None
    return _kind()(recorder, datasets, offered, suffix)
