"""What is gathered while a program goes through data: losses, and how right the outputs were."""

from __future__ import annotations

import math
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from autolog.pytorch.measures import LARGE, Judging, output_of

if TYPE_CHECKING:
    from autolog.pytorch.measures import Judged, Output
    from autolog.pytorch.sites import Site
    from autolog.pytorch.training import Training

TRAIN, VALIDATION, TEST = "train", "val", "test"
_TOGETHER = 64


@dataclass(slots=True)
class Mean:
    """Sum and number of values, on the host."""

    total: float = 0.0
    count: int = 0

    def add(self, values: Sequence[float]) -> None:
        """Adds values; what is not a number counts as well, and shows in the mean."""
        self.total += math.fsum(values) if all(map(math.isfinite, values)) else sum(values)
        self.count += len(values)


@dataclass(slots=True)
class DeviceMean:
    """Mean of scalar tensors, which are added up where they are, many at a time.

    Attributes:
        count: Of how many values the mean is.
    """

    count: int = 0
    _total: Any = 0.0
    _waiting: list[Any] = field(default_factory=list)

    def add(self, value: Any, count: int = 1) -> None:
        """Adds a scalar tensor that is the sum of `count` values."""
        self._waiting.append(value)
        self.count += count
        if len(self._waiting) >= _TOGETHER:
            self._settle()

    def value(self) -> float:
        """Returns the mean; waits for the device."""
        self._settle()
        return float(self._total) / self.count

    def _settle(self) -> None:
        import torch

        if self._waiting:
            with torch.no_grad():
                stacked = torch.stack([each.reshape(()).double() for each in self._waiting])
                self._total = stacked.sum() + self._total
            self._waiting.clear()


@dataclass(slots=True)
class Scores:
    """Outputs that were right, or their errors, summed where they are.

    Attributes:
        totals: By name: sum and number, each a tensor or a number.
    """

    totals: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    judging: Judging = field(default_factory=Judging)

    def add(self, output: Output) -> None:
        """Takes what a loss function saw of one batch."""
        self._sum(self.judging.add(output))

    def _sum(self, found: Sequence[Judged]) -> None:
        for each in found:
            total, count = self.totals.get(each.name, (0, 0))
            self.totals[each.name] = (total + each.total, count + each.count)

    def means(self) -> dict[str, float]:
        """Returns the means by name; waits for the device."""
        self._sum(self.judging.settle())
        found = {}
        for name, (total, count) in self.totals.items():
            number = float(count)
            if number:
                found[name] = float(total) / number
        return found


class Seen(NamedTuple):
    """One call of a loss function, as it is kept in the midst of a step.

    Attributes:
        function: Its name in `torch.nn.functional`.
        value: What it returned, detached.
        result: The same with its gradient, referred to weakly.
        sums: Whether the value is a sum over the rows.
        site: Where in the program it was called.
        output: Its first argument, detached; None where that cannot be judged.
        target: Its second argument.
        ignored: Class that does not count.
        versions: Of output and target, which tell whether they were written over; None where they
            can not tell.
        place: The pass through data that was going on.
    """

    function: str
    value: Any
    result: weakref.ref[Any]
    sums: bool
    site: Site | None
    output: Any
    target: Any
    ignored: int
    versions: tuple[int, int] | None
    place: Pass | None

    def judged(self) -> Output | None:
        """Returns what the function was given, where it can be judged."""
        if self.output is None:
            return None
        return output_of(self.function, self.output, self.target, self.ignored, self.versions)

    def can_wait(self) -> bool:
        """Whether keeping it for a while takes little memory, and none of a device."""
        output = self.output
        return output is None or (output.is_cpu and output.numel() <= LARGE)


@dataclass(slots=True)
class Pass:
    """One pass through data, or a stretch of evaluation without a loader.

    Attributes:
        loader: The loader, referred to weakly; None where there is none.
        iterator: What takes batches from it, referred to weakly.
        settings: How the loader makes batches.
        role: "train" once an optimizer steps in it; before that "val" or "test".
        batches: How many were taken.
        steps: Of optimizers in it.
        trainings: To which they belong.
        losses: Means of what loss functions returned, by their names.
    """

    loader: Any = None
    iterator: Any = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    role: str = VALIDATION
    batches: int = 0
    steps: int = 0
    trainings: list[Training] = field(default_factory=list)
    losses: dict[str, DeviceMean] = field(default_factory=dict)
    _scores: dict[int, Scores] = field(default_factory=dict)

    def evaluate(self, seen: Seen) -> None:
        """Takes a loss that was computed to see how good the model is."""
        rows = len(seen.target) if seen.sums and seen.target.dim() else 1
        self.losses.setdefault(seen.function, DeviceMean()).add(seen.value, rows)
        judged = seen.judged()
        if judged is not None:
            self._scores.setdefault(id(seen.site), Scores()).add(judged)

    def scores(self) -> dict[str, float]:
        """Returns how right the outputs were; nothing where several losses judge them."""
        found = list(self._scores.values())
        return found[0].means() if len(found) == 1 else {}
