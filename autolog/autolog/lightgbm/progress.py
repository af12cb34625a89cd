"""The callback that LightGBM calls after each iteration, on a copy of the user's callbacks.

Steps are LightGBM's own count of iterations from 0, as MLflow has them; with an earlier model to
go on from (``init_model``) they go on from its last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from autolog.lightgbm import extract

if TYPE_CHECKING:
    from autolog.instrument.call import Call
    from autolog.instrument.recorder import Recorder
    from autolog_core.entities import Dataset

PART = "metrics of an iteration"


class Progress:
    """Writes down what LightGBM reports of an iteration. Runs inside of its loop: never raises.

    Args:
        recorder: Of the training.
        datasets: References by the names that LightGBM has for the data.
        checkpoint: Called as ``checkpoint(booster, step, metrics)`` after each iteration, or None.
        suffix: What the keys of metrics end with.

    Attributes:
        datasets: As given.
        suffix: As given.
        last: The last iteration, from 0; None before the first.
        model: What is trained, as the last iteration gave it.
    """

    def __init__(
        self,
        recorder: Recorder,
        datasets: Mapping[str, Dataset],
        checkpoint: Callable[[Any, int, Mapping[str, float]], None] | None = None,
        suffix: str = "",
    ) -> None:
        # Before all others: early stopping raises an exception to end the loop. LightGBM asks
        # for these by name, and gives an order of its own to what has none in its `__dict__`.
        self.order = float("-inf")
        self.before_iteration = False
        self.last: int | None = None
        self.model: Any = None
        self.datasets = datasets
        self.suffix = suffix
        self._recorder = recorder
        self._checkpoint = checkpoint

    def __call__(self, env: Any) -> None:
        """Writes the metrics of an iteration, and a checkpoint if one is due."""
        with self._recorder.part(PART):
            self.last, self.model = env.iteration, env.model
            found = extract.readings(env.evaluation_result_list or ())
            write(self._recorder, found, env.iteration, self.datasets, self.suffix)
            if self._checkpoint is not None:
                values = {each.key + self.suffix: each.value for each in found}
                self._checkpoint(env.model, env.iteration, values)


def write(
    recorder: Recorder,
    found: list[extract.Reading],
    step: int,
    datasets: Mapping[str, Dataset],
    suffix: str = "",
    prefix: str = "",
) -> None:
    """Writes values of one step, each linked to the dataset that it was computed on."""
    grouped: dict[str, dict[str, float]] = {}
    for each in found:
        grouped.setdefault(each.dataset, {})[f"{prefix}{each.key}{suffix}"] = each.value
    for name, values in grouped.items():
        recorder.metrics(values, step, dataset=datasets.get(name))


def with_progress(call: Call, progress: Progress) -> Call | None:
    """Returns the call with our callback beside the user's, whose list is not changed.

    None where the callbacks are none that LightGBM takes: its error is the user's to see.
    """
    given = call.get("callbacks")
    if given is None:
        return call.replace(callbacks=[progress])
    if not isinstance(given, Collection) or isinstance(given, (str, bytes)):
        return None
    for place, each in enumerate(given):
        # As LightGBM would number them without ours.
        getattr(each, "__dict__", {}).setdefault("order", place - len(given))
    return call.replace(callbacks=[*given, progress])
