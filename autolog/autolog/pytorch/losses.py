"""The losses of one step: what loss functions returned, and what gradients were computed of."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from autolog.pytorch import extract
from autolog.pytorch.measures import OTHERS
from autolog.pytorch.passes import Pass, Seen
from autolog.pytorch.sites import in_step
from autolog.pytorch.training import Step

if TYPE_CHECKING:
    from autolog.pytorch.sites import Sites
    from autolog.pytorch.training import Known, Training

_MOST = 64
"""Losses that wait for a step at most."""
_LOSS = "loss"


class Losses:
    """What is known of the losses since the last step.

    Args:
        sites: The places of the program.
    """

    def __init__(self, sites: Sites) -> None:
        self._sites = sites
        self._seen: list[Seen] = []
        self._scaled: dict[int, tuple[weakref.ref[Any], Any]] = {}
        self._values: dict[str, list[Any]] = {}
        self._judged: dict[str, list[Seen]] = {}
        self._names: dict[str, str] = {}
        self._evaluation: Pass | None = None
        self._target = 0
        self._precision: str | None = None

    def sees(
        self,
        function: str,
        output: Any,
        target: Any,
        result: Any,
        ignored: int,
        sums: bool,
        place: Pass | None,
    ) -> None:
        """Takes what a loss function was given, and what it returned.

        Args:
            function: Its name.
            output: Its first argument.
            target: Its second argument.
            result: What it returned.
            ignored: Class that does not count.
            sums: Whether the result is a sum over the rows.
            place: The pass through data that is going on.
        """
        differentiable = result.requires_grad
        if not differentiable and result.numel() != 1:
            return
        kept = versions = None
        if function not in OTHERS:
            kept = output.detach()
            if not (target.is_inference() or output.is_inference()):
                versions = kept._version, target._version
        seen = Seen(
            function,
            result.detach(),
            weakref.ref(result),
            sums,
            self._sites.here(),
            kept,
            target,
            ignored,
            versions,
            place,
        )
        if differentiable:
            if len(self._seen) >= _MOST:
                del self._seen[0]
            self._seen.append(seen)
            self._target = target.data_ptr()
            if self._precision is None or (place is not None and not place.steps):
                self._precision = extract.autocast_dtype(result.device.type) or ""
        elif place is not None and not place.steps:
            place.evaluate(seen)
        elif self._target != target.data_ptr():
            # Else it is a figure of the batch that the model is trained with.
            if self._evaluation is None:
                self._evaluation = Pass(role=self._sites.role())
            self._evaluation.evaluate(seen)

    def scales(self, tensor: Any, scaled: Any) -> None:
        """Takes that a scaler of gradients has multiplied a loss."""
        if len(self._scaled) >= _MOST:
            self._scaled.clear()
        self._scaled[id(scaled)] = weakref.ref(scaled), tensor.detach()
        self._seen = [
            seen._replace(result=weakref.ref(scaled)) if seen.result() is tensor else seen
            for seen in self._seen
        ]

    def take_evaluation(self) -> Pass | None:
        """Returns the evaluation without a loader that has come to its end, if any."""
        found, self._evaluation = self._evaluation, None
        return found

    def claim(self, place: Pass) -> None:
        """Counts losses with gradients as evaluation, where a pass is over without a step."""
        for seen in [seen for seen in self._seen if seen.place is place]:
            self._seen.remove(seen)
            if seen.value.numel() == 1:
                place.evaluate(seen)

    def back(self, tensor: Any) -> None:
        """Takes a scalar that gradients are computed of."""
        found, self._seen = self._seen, []
        site = self._sites.here()
        name = _LOSS if site is None or site.loss is None else site.loss
        if name in self._values and in_step():
            # Of the evaluations in one step, the first is of the weights that it began with.
            return
        value = None
        if self._scaled:
            scaled = self._scaled.pop(id(tensor), None)
            if scaled is not None and scaled[0]() is tensor:
                value = scaled[1]
        if len(found) == 1 and found[0].result() is tensor:
            # The loss itself was seen when it was computed.
            self._add(name, found[0].value if value is None else value)
            self._explain(found[0].function, name)
            self._judge(name, found)
            return
        direct = [seen for seen in found if seen.result() is tensor]
        if not direct and site is not None and site.divides and value is None:
            direct, value = _undivided(tensor, found)
        self._add(name, tensor.detach() if value is None else value)
        if direct:
            same = direct[0].site
            self._explain(direct[0].function, name)
            self._judge(name, [seen for seen in found if seen.site is same])
        elif found:
            for seen in found:
                self._part(seen, name)
            self._judge(name, found)

    def _part(self, seen: Seen, whole: str) -> None:
        name = None if seen.site is None else seen.site.target
        if name is None or name == whole:
            name = seen.function
        self._explain(seen.function, name)
        if seen.value.numel() == 1:
            self._add(name, seen.value)

    def _add(self, name: str, value: Any) -> None:
        values = self._values.setdefault(name, [])
        if len(values) < _MOST:
            values.append(value)

    def _judge(self, name: str, seen: list[Seen]) -> None:
        judged = self._judged.setdefault(name, [])
        if len(judged) < _MOST:
            judged += seen

    def _explain(self, function: str, name: str) -> None:
        known = self._names.get(function)
        # A function that gives several losses has no other name than its own.
        self._names[function] = name if known in (None, name) else function

    def describe(self, training: Training) -> None:
        """Records what the losses say about a training that begins."""
        found = {
            "loss_function": ", ".join(self._names),
            "autocast": self._precision,
        }
        told = {key: value for key, value in found.items() if value}
        with training.recorder.part("loss"):
            training.recorder.params(told)

    def hand_over(self, known: Known, step: int) -> Step:
        """Returns the losses that led to a step, and forgets them."""
        found = Step(known, step, self._values, self._judged, self._names)
        self._values, self._judged, self._names = {}, {}, {}
        if self._scaled:
            self._scaled.clear()
        return found

    def clear(self) -> None:
        """Forgets what led to a step."""
        self._values, self._judged, self._names = {}, {}, {}
        self._scaled.clear()


def _undivided(tensor: Any, found: list[Seen]) -> tuple[list[Seen], Any]:
    """Returns what was multiplied or divided by a number, to be what gradients are computed of."""
    nodes = [node for node, _ in tensor.grad_fn.next_functions if node is not None]
    for seen in found:
        if getattr(seen.result(), "grad_fn", None) in nodes:
            return [seen], seen.value
    divisor = getattr(tensor.grad_fn, "_saved_other", None)
    if type(tensor.grad_fn).__name__ == "DivBackward0" and divisor is not None:
        return [], tensor.detach().double() * divisor
    return [], None
