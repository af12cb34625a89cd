"""What is looked at in PyTorch. Nothing is replaced: functions keep their identity.

- the end of an optimizer's step, by PyTorch's own hook for all optimizers;
- the start of a backward pass (`torch.autograd.backward`, which `Tensor.backward` calls);
- loss functions of `torch.nn.functional`, which those of `torch.nn` call;
- the beginning of a pass through a `DataLoader`, its batches and its end;
- what `torch.amp.GradScaler` multiplies, and the steps that it leaves out.

While a compiler of PyTorch traces a call, none of this is looked at: it would see itself.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

from autolog.instrument import faults
from autolog.instrument.scope import outermost
from autolog.instrument.taps import Tap

if TYPE_CHECKING:
    from autolog.instrument.patcher import PatchSet
    from autolog.pytorch.watcher import Watchers

_IGNORED = -100


def install(patches: PatchSet, module: ModuleType) -> None:
    """Looks at the calls that make a training loop.

    Args:
        patches: Of the integration.
        module: ``torch``, imported whole.
    """
    import torch
    import torch.utils.data.dataloader as loading
    from torch.optim import optimizer as optimizing

    from autolog.pytorch.measures import LOSSES
    from autolog.pytorch.watcher import Watchers

    watchers, guard = Watchers(patches.switch), _Guard(patches)
    ends = guard("a step of an optimizer", _steps(watchers))
    is_compiling = torch.compiler.is_compiling

    def after_step(optimizer: Any, args: Any, kwargs: Any) -> None:
        if not is_compiling():
            ends(optimizer)

    patches.on_undo(optimizing.register_optimizer_step_post_hook(after_step).remove)
    scaler = torch.amp.GradScaler
    looks: list[tuple[Any, str, Callable[..., Any] | None, Callable[..., Any] | None]] = [
        (torch.autograd.backward, "a backward pass", _backward(watchers), None),
        (loading.DataLoader.__iter__, "the start of a pass", None, _begins(watchers)),
        (loading._BaseDataLoaderIter.__next__, "a batch", None, _taken(watchers)),
        (scaler.scale, "a scaled loss", None, _scales(watchers)),
        (scaler.step, "a scaled step", _asks(watchers), _skips(watchers)),
    ]
    for name in sorted(LOSSES):
        function = getattr(torch.nn.functional, name, None)
        if function is not None:
            looks.append((function, "a loss", None, _lost(watchers, name, function)))
    for function, phase, before, after in looks:
        tap = Tap(
            function,
            None if before is None else guard(phase, before),
            None if after is None else guard(phase, after),
            unless=is_compiling,
        )
        patches.on_undo(tap.undo)


class _Guard:
    """Keeps our errors out of the user's calls, and us out of what is not to be watched."""

    def __init__(self, patches: PatchSet) -> None:
        self._patches = patches

    def __call__(self, phase: str, act: Callable[..., Any]) -> Callable[..., None]:
        import torch

        switch = self._patches.switch
        is_outermost, is_tracing = outermost.get, torch._C._is_tracing

        def guarded(*args: Any) -> None:
            try:
                if is_outermost() and not is_tracing():
                    act(*args)
            except Exception as error:
                faults.record("pytorch", phase, "it", error, silent=switch.options.silent)

        return guarded


def _steps(watchers: Watchers) -> Callable[..., None]:
    def seen(optimizer: Any) -> None:
        watchers.mine.steps(optimizer)

    return seen


def _backward(watchers: Watchers) -> Callable[..., None]:
    def seen(args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        tensors = args[0]
        watchers.mine.backs(tensors if isinstance(tensors, (list, tuple)) else (tensors,))

    return seen


def _begins(watchers: Watchers) -> Callable[..., None]:
    def seen(args: tuple[Any, ...], _: Any, iterator: Any, error: BaseException | None) -> None:
        if error is None:
            watchers.mine.begins(args[0], iterator)

    return seen


def _taken(watchers: Watchers) -> Callable[..., None]:
    def seen(args: tuple[Any, ...], _: Any, batch: Any, error: BaseException | None) -> None:
        if error is None:
            watchers.mine.takes(args[0])
        elif isinstance(error, StopIteration):
            watchers.mine.exhausted(args[0])

    return seen


def _scales(watchers: Watchers) -> Callable[..., None]:
    import torch

    def seen(args: tuple[Any, ...], _: Any, scaled: Any, error: BaseException | None) -> None:
        tensor = args[1]
        if error is None and type(tensor) is torch.Tensor and scaled is not tensor:
            watchers.mine.losses.scales(tensor, scaled)

    return seen


def _asks(watchers: Watchers) -> Callable[..., None]:
    def seen(args: tuple[Any, ...], _: Any) -> None:
        watchers.mine.asks()

    return seen


def _skips(watchers: Watchers) -> Callable[..., None]:
    def seen(args: tuple[Any, ...], _: Any, result: Any, error: BaseException | None) -> None:
        if error is None:
            watchers.mine.skips(args[1])

    return seen


def _lost(watchers: Watchers, name: str, function: Callable[..., Any]) -> Callable[..., None]:
    import torch

    names = list(inspect.signature(function).parameters)
    ignored = names.index("ignore_index") if "ignore_index" in names else None
    reduction = names.index("reduction") if "reduction" in names else None
    keyword = function.__kwdefaults__ or {}
    in_transform = torch._C._functorch.peek_interpreter_stack

    def seen(
        args: tuple[Any, ...], kwargs: dict[str, Any], result: Any, error: BaseException | None
    ) -> None:
        if error is not None or type(result) is not torch.Tensor or in_transform() is not None:
            return
        output, target = args[0], args[1]
        if not isinstance(target, torch.Tensor):
            return
        if "reduction" in keyword:
            reduced = kwargs["reduction"]
        else:
            reduced = None if reduction is None else args[reduction]
        skipped = _IGNORED if ignored is None else args[ignored]
        watchers.mine.loses(name, output, target, result, skipped, reduced == "sum")

    return seen
