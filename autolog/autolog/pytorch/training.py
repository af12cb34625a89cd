"""One training of a plain loop: its series, its epochs, its runs through data for validation.

The steps of all series are those of the optimizer, counted from 0 over the whole training, so that
an epoch's mean, its validation and its checkpoint meet at the step that the epoch ended with.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

from autolog.pytorch.passes import TRAIN, VALIDATION, Mean, Scores, Seen
from autolog.pytorch.series import Series

if TYPE_CHECKING:
    from autolog.instrument.recorder import Recorder
    from autolog.pytorch.passes import Pass
    from autolog.pytorch.spec import TorchOptions

EPOCH = "epoch"
SKIPPED = "skipped_steps"
_TOGETHER = 32
"""Steps that are looked at together: code that is warm takes a fraction of the time."""
_PERIOD = 0.25
"""Seconds that they wait at most, as long as there are steps."""
WINDOW = 100
"""Steps over which means are taken where there is no pass through a loader."""


@dataclass(slots=True)
class Known:
    """An optimizer of a training.

    Attributes:
        name: What the program calls it.
        rates: Names of the learning rates of its groups.
        last: The learning rates at its last step.
        group: Optimizers that follow each other have one number; those that take turns have not.
    """

    name: str
    rates: list[str]
    group: int
    last: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class Saves:
    """The checkpoints of a training so far.

    Attributes:
        steps: Step of the last one of each module.
        count: How many there were.
        began: When the last one was begun, of `time.perf_counter`.
        took: Seconds that the training waited for it.
    """

    steps: dict[str, int] = field(default_factory=dict)
    count: int = 0
    began: float = field(default_factory=perf_counter)
    took: float = 0.0


class Step(NamedTuple):
    """What led to one step of an optimizer.

    Attributes:
        known: The optimizer.
        step: The step.
        values: By name of a loss, the scalar tensors that it was.
        judged: By name of a loss, the calls of loss functions that led to it.
        names: By name of a loss function, the name of the loss that it gives.
    """

    known: Known
    step: int
    values: dict[str, list[Any]]
    judged: dict[str, list[Seen]]
    names: dict[str, str]

    def can_wait(self) -> bool:
        """Whether keeping it for a while takes little memory, and none of a device."""
        for seen in self.judged.values():
            for each in seen:
                if not each.can_wait():
                    return False
        return True


class Training:
    """What is recorded of one training; lives as long as an optimizer of it.

    Attributes:
        recorder: Writes to its run.
        options: Of the integration.
        over: Whether it is ended.
        steps: Steps so far; where optimizers take turns, those of the one that makes most.
        epochs: Passes through the training data that are over.
        optimizers: Those that step in it.
        siblings: Those that the program had when it began, which belong to it when they step.
        models: The modules that it trains by their names, referred to weakly.
        described: Loaders and datasets that are recorded.
        functions: What the value of a loss function is called in training.
        unsaved: Whether the last epoch is over and has no checkpoint yet.
        saves: What is known of the checkpoints so far.
        fresh: Those of the last epoch and what followed it.
        loader: Where its batches come from, referred to weakly.
        skipped: Steps that a scaler of gradients has left out.
        settle: Takes in what has been seen and not been assigned yet.
    """

    def __init__(self, options: TorchOptions) -> None:
        self.recorder: Recorder
        self.options = options
        self.over = False
        self.steps = 0
        self.epochs = 0
        self.optimizers: weakref.WeakKeyDictionary[Any, Known] = weakref.WeakKeyDictionary()
        self.siblings: weakref.WeakSet[Any] = weakref.WeakSet()
        self.models: dict[str, weakref.ref[Any]] = {}
        self.described: weakref.WeakSet[Any] = weakref.WeakSet()
        self.functions: dict[str, str] = {}
        self.series = Series(self._write)
        self.unsaved = False
        self.fresh: dict[str, float] = {}
        self.loader: weakref.ref[Any] | None = None
        self.saves = Saves()
        self.skipped = 0
        self.settle: Callable[[], None]
        self._parameters: dict[int, weakref.ref[Any]] = {}
        self._round: set[int] = set()
        self._owners: dict[str, int] = {}
        self._scores: dict[str, Scores] = {}
        self._means: dict[str, Mean] = {}
        self._monitors: dict[str, None] = {}
        self._window = 0
        self._waiting: list[Step] = []
        self._due = 0.0

    def trains_on(self, loader: Any) -> bool:
        """Whether the last steps were made in a pass through `loader`."""
        return self.loader is not None and self.loader() is loader

    def trains(self, optimizer: Any) -> bool:
        """Whether an optimizer goes on with parameters of this one, as after unfreezing layers."""
        for parameter in parameters_of(optimizer):
            known = self._parameters.get(id(parameter))
            if known is not None and known() is parameter:
                return True
        return False

    def is_related(self, optimizer: Any) -> bool:
        """Whether an optimizer that steps for the first time belongs to this training.

        It does if the program had it when the training began and no epoch is over, as the other one
        of a GAN, or if it goes on with the same parameters.
        """
        if optimizer in self.siblings and not self.epochs:
            return True
        return self.trains(optimizer) or self._holds(optimizer)

    def _holds(self, optimizer: Any) -> bool:
        wanted = {id(each) for each in parameters_of(optimizer)}
        modules = [reference() for reference in self.models.values()]
        return any(
            id(each) in wanted
            for module in modules
            if module is not None
            for each in module.parameters()
        )

    def join(self, optimizer: Any, known: Known) -> None:
        """Takes an optimizer in."""
        if self.trains(optimizer):
            known.group = 0
            self._round = {id(each) for each in (optimizer, *self.optimizers)}
        self.optimizers[optimizer] = known
        for parameter in parameters_of(optimizer):
            self._parameters[id(parameter)] = weakref.ref(parameter)

    def advance(self, optimizer: Any) -> int:
        """Counts a step of an optimizer; returns the step that the training is at."""
        if not self._round or id(optimizer) in self._round:
            self.steps += 1
            self._round = {id(optimizer)}
        else:
            self._round.add(id(optimizer))
        return self.steps - 1

    def add(self, step: Step) -> None:
        """Takes what led to a step; it is looked at together with that of other steps."""
        waiting = self._waiting
        waiting.append(step)
        now = perf_counter()
        if len(waiting) >= _TOGETHER or now > self._due or not step.can_wait():
            self._due = now + _PERIOD
            self._take_in()
            self.series.read_if_due()

    def _take_in(self) -> None:
        waiting, self._waiting = self._waiting, []
        for step in waiting:
            for name, values in step.values.items():
                series = self._add_loss(name, values, step)
                if name in step.judged:
                    self._judge(series, step.judged[name])
            for function, name in step.names.items():
                if self.functions.setdefault(function, name) != name:
                    # A function that gives several losses has no other name than its own.
                    self.functions[function] = function

    def _add_loss(self, name: str, values: Sequence[Any], step: Step) -> str:
        """Adds the value of a loss at a step; of several backward passes their mean.

        Returns:
            The name of the series: where optimizers have losses of one name, it is told apart.
        """
        if self._owners.setdefault(name, step.known.group) != step.known.group:
            name = f"{step.known.name}.{name}"
        value = values[0]
        if len(values) > 1:
            import torch

            with torch.no_grad():
                value = torch.stack([each.reshape(()).double() for each in values]).mean()
        self.series.add(name, step.step, value)
        return name

    def _judge(self, name: str, seen: Sequence[Seen]) -> None:
        """Takes what led to a loss, if one place of the program has computed it.

        Where there are several losses, being right means something else for each: no score is kept.
        """
        scores = self._scores.setdefault(name, Scores())
        if len(self._scores) > 1 or any(each.site is not seen[0].site for each in seen):
            return
        for each in seen:
            judged = each.judged()
            if judged is not None:
                scores.add(judged)

    def add_rates(self, known: Known, rates: list[Any], step: int) -> None:
        """Logs learning rates where they have changed; one that is a tensor is left out."""
        before = known.last or [None] * len(rates)
        found = {
            name: rate
            for name, rate, last in zip(known.rates, rates, before, strict=False)
            if isinstance(rate, (int, float)) and rate != last
        }
        known.last = rates
        if found:
            self.recorder.metrics(found, step=step)

    def skip(self) -> None:
        """Counts a step that a scaler of gradients has left out."""
        self.skipped += 1
        self.recorder.metrics({SKIPPED: self.skipped}, step=max(0, self.steps - 1))

    def tick(self) -> bool:
        """Counts a step outside of any pass through a loader; returns whether means were logged."""
        self._window += 1
        return self._window >= WINDOW and self.end_window()

    def end_window(self) -> bool:
        """Logs the means of the steps since the last window; returns False if there were none."""
        if not self._window:
            return False
        self._end({}, True)
        return True

    def end_epoch(self) -> None:
        """Logs the means of a pass through the training data."""
        self.epochs += 1
        self._end({EPOCH: self.epochs}, self._tells())

    def _tells(self) -> bool:
        every = self.options.log_every_n_epoch
        return self.epochs % every == 0

    def _end(self, more: dict[str, float], tells: bool) -> None:
        self.read()
        found = {epoch_name(name): mean.total / mean.count for name, mean in self._means.items()}
        self._monitors |= dict.fromkeys(found)
        if len(self._scores) == 1:
            (scores,) = self._scores.values()
            found |= {f"{TRAIN}_{name}": value for name, value in scores.means().items()}
        self._means.clear()
        self._scores.clear()
        self._window, self.unsaved = 0, True
        self.fresh = found
        if tells:
            self.recorder.metrics({**found, **more}, step=max(0, self.steps - 1))

    def read(self) -> None:
        """Writes what has been seen so far; waits for devices."""
        self._take_in()
        self.series.read(wait=True)

    def end_evaluation(self, each: Pass) -> None:
        """Logs what a pass through other data showed, at the step that the training is at."""
        self._take_in()
        found = {
            f"{each.role}_{plain_loss(self.functions.get(function, function))}": mean.value()
            for function, mean in each.losses.items()
        }
        self._monitors |= dict.fromkeys(found)
        found |= {f"{each.role}_{name}": value for name, value in each.scores().items()}
        self.fresh |= found
        if self._tells():
            self.recorder.metrics(found, step=max(0, self.steps - 1))

    def monitored(self) -> str:
        """Returns the metric that tells the best epoch: the loss in validation or training."""
        known = list(self._monitors) or [f"{VALIDATION}_loss"]
        return next((name for name in known if name.startswith(f"{VALIDATION}_")), known[0])

    def _write(self, name: str, steps: Sequence[int], values: Sequence[float]) -> None:
        self._means.setdefault(name, Mean()).add(values)
        every = self.options.log_every_n_step
        if every == 1:
            self.recorder.curve(name, values, steps)
        elif every is not None:
            kept = [place for place, step in enumerate(steps) if (step + 1) % every == 0]
            self.recorder.curve(
                name, [values[each] for each in kept], [steps[each] for each in kept]
            )


def parameters_of(optimizer: Any) -> list[Any]:
    """Returns the parameters of an optimizer."""
    return [each for group in optimizer.param_groups for each in group["params"]]


def epoch_name(name: str) -> str:
    """Returns the name of the mean over an epoch: "train_loss" of "loss"."""
    return f"{name}_{EPOCH}" if name.startswith(TRAIN) else f"{TRAIN}_{name}"


def plain_loss(name: str) -> str:
    """Returns the name of a loss in validation, where the training's name has its own prefix."""
    return name.removeprefix(f"{TRAIN}_")
