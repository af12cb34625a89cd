"""What a loss function sees says more than the loss: accuracy of classes, error of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

# Loss functions of `torch.nn.functional`, and whether less than nothing is known of their input.
CLASSES = frozenset(("cross_entropy", "nll_loss"))
BINARY = {"binary_cross_entropy_with_logits": 0.0, "binary_cross_entropy": 0.5}
NUMBERS = frozenset(("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"))
OTHERS = frozenset(
    (
        "cosine_embedding_loss",
        "ctc_loss",
        "gaussian_nll_loss",
        "hinge_embedding_loss",
        "kl_div",
        "margin_ranking_loss",
        "multi_margin_loss",
        "multilabel_margin_loss",
        "multilabel_soft_margin_loss",
        "poisson_nll_loss",
        "soft_margin_loss",
        "triplet_margin_loss",
        "triplet_margin_with_distance_loss",
    )
)
LOSSES = CLASSES | BINARY.keys() | NUMBERS | OTHERS

LARGE = 1 << 16
"""Elements up to which outputs on the processor wait for others."""
_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Judged:
    """How right the outputs of one batch are.

    Attributes:
        name: "accuracy" or "mae".
        total: Scalar tensor: right ones, or the sum of absolute errors.
        count: How many there are: a number, or a scalar tensor where some are left out.
    """

    name: str
    total: Any
    count: Any


class Output(NamedTuple):
    """What a loss function was given.

    Attributes:
        function: Its name.
        output: (n, classes, ...) scores, or (n,) or (n, k) numbers; detached.
        target: (n, ...) classes, or numbers as `output`; detached.
        ignored: Class that does not count.
        versions: Of both tensors, which tell whether they were written over; None where they can
            not tell.
    """

    function: str
    output: Any
    target: Any
    ignored: int
    versions: tuple[int, int] | None


def output_of(
    function: str, output: Any, target: Any, ignored: int, versions: tuple[int, int] | None
) -> Output | None:
    """Returns what a loss function was given, where it can be judged.

    Args:
        function: Its name.
        output: Its first argument, detached.
        target: Its second argument.
        ignored: Class that does not count.
        versions: Of both when they were given.
    """
    if function in CLASSES:
        if output.dim() < 1 or target.is_floating_point():
            # Shares of classes as target: nothing is right or wrong.
            return None
    elif (
        output.shape != target.shape
        or output.dim() > 2
        or (function in BINARY and output.dim() == 2 and output.shape[1] != 1)
    ):
        return None
    return Output(function, output, target.detach(), ignored, versions)


def judge(function: str, output: Any, target: Any, ignored: int = -100) -> Judged:
    """Returns how right outputs are, computed where they are.

    Args:
        function: Name of the loss function that saw them.
        output: As in `Output`, which `output_of` has looked at.
        target: The same.
        ignored: Class that does not count.
    """
    import torch

    with torch.no_grad():
        if function in CLASSES:
            return _of_classes(output, target, ignored)
        if function in BINARY:
            right = (output > BINARY[function]) == (target > 0.5)
            return Judged("accuracy", right.sum(), right.numel())
        return Judged("mae", (output - target).abs().sum(), output.numel())


def _of_classes(output: Any, target: Any, ignored: int) -> Judged:
    right = output.argmax(1 if output.dim() > 1 else 0) == target
    counted = target != ignored
    return Judged("accuracy", (right & counted).sum(), counted.sum())


class Judging:
    """Judges the outputs of many batches together, as long as they are small.

    Outputs wait as they are; what the program has written over meanwhile is left out, which the
    versions of the tensors tell.
    """

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Output] = []

    def add(self, seen: Output) -> list[Judged]:
        """Takes the outputs of a batch; returns what has been judged by this."""
        output = seen.output
        if (
            seen.versions is None
            or not output.is_cpu
            or output.numel() > LARGE
            or output.dim() == 0
        ):
            return [judge(seen.function, output, seen.target, seen.ignored)]
        self._waiting.append(seen)
        return self.settle() if len(self._waiting) >= _TOGETHER else []

    def settle(self) -> list[Judged]:
        """Returns the judgement of what is waiting."""
        import torch

        groups: dict[Any, tuple[list[Any], list[Any]]] = {}
        for seen in self._waiting:
            output, target = seen.output, seen.target
            if (output._version, target._version) == seen.versions:
                kind = (output.dtype, output.shape[1:], target.dtype, target.shape[1:])
                key = (seen.function, seen.ignored, output.dim(), kind)
                outputs, targets = groups.setdefault(key, ([], []))
                outputs.append(output)
                targets.append(target)
        self._waiting.clear()
        found = []
        for (function, ignored, dims, _), (outputs, targets) in groups.items():
            if dims == 1 and function in CLASSES:
                # One row of scores each, and one class.
                outputs, targets = (
                    [each[None] for each in outputs],
                    [each[None] for each in targets],
                )
            found.append(judge(function, torch.cat(outputs), torch.cat(targets), ignored))
        return found
