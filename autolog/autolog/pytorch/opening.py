"""What is known of a training when an optimizer makes its first step."""

from __future__ import annotations

import argparse
import dataclasses
import weakref
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from autolog.instrument import ongoing
from autolog.pytorch import extract
from autolog.pytorch.frames import instances, survey
from autolog.pytorch.passes import TRAIN
from autolog.pytorch.training import Known, Training, parameters_of

if TYPE_CHECKING:
    from autolog.instrument.guard import Switch
    from autolog.instrument.recorder import Recorder
    from autolog.pytorch.passes import Pass
    from autolog.pytorch.spec import TorchOptions

_CONFIGS = frozenset(("args", "cfg", "conf", "config", "hparams", "hyperparameters", "opt", "opts"))
_CONTINUES = "autolog.continues"


def open_training(
    switch: Switch,
    optimizer: Any,
    earlier: Training | None,
    finish: Callable[[Training, Recorder], None],
) -> Training | None:
    """Opens the run of a training; None where nothing is to be recorded now.

    Args:
        switch: State of the integration.
        optimizer: The one that made a step.
        earlier: The training that it has made steps in before, whose run is over for good.
        finish: Called when it ends.
    """
    import torch

    kind = type(optimizer).__name__
    training = Training(cast("TorchOptions", switch.options))
    begun = ongoing.begin(switch, f"{kind}.step", kind, training, finish)
    if begun is None:
        return None
    surveyed = survey()
    training.recorder = begun.recorder
    if earlier is not None:
        training.steps, training.epochs = earlier.steps, earlier.epochs
        begun.recorder.tags({_CONTINUES: earlier.recorder.run_id})
    for _, other in instances(surveyed, torch.optim.Optimizer):
        training.siblings.add(other)
    with begun.recorder.part("arguments"):
        begun.recorder.params(_settings(surveyed))
    with begun.recorder.part("seed"):
        begun.recorder.params({"torch_seed": torch.initial_seed()})
    join(training, optimizer, surveyed)
    return training


def join(training: Training, optimizer: Any, surveyed: list[tuple[str, Any]] | None = None) -> None:
    """Takes an optimizer into a training, with what it trains.

    Args:
        training: The training.
        optimizer: The optimizer.
        surveyed: What the program has names for; absent, it is looked for.
    """
    import torch

    recorder = training.recorder
    if surveyed is None:
        surveyed = survey()
    names = [name for name, held in surveyed if held is optimizer]
    own = names[0] if names else type(optimizer).__name__.lower()
    several = len(training.siblings | {optimizer}) > 1
    prefix = f"{own}." if several else ""
    groups = len(optimizer.param_groups)
    rates = [f"{prefix}lr_{place}" for place in range(groups)] if groups > 1 else [f"{prefix}lr"]
    training.join(optimizer, Known(own, rates, len(training.optimizers)))
    with recorder.part("optimizer"):
        told = extract.optimizer_params(optimizer)
        recorder.params({prefix + key: value for key, value in told.items()})
    with recorder.part("model"):
        _describe_model(training, optimizer, instances(surveyed, torch.nn.Module), several)


def _describe_model(
    training: Training, optimizer: Any, modules: list[tuple[str, Any]], several: bool
) -> None:
    recorder = training.recorder
    found = extract.best_module(modules, {id(each) for each in parameters_of(optimizer)})
    if found is None:
        recorder.skipped("model", "the program has no name for the module that is trained")
        return
    name, module = found
    if any(reference() is module for reference in training.models.values()):
        return
    name = "model" if name == "self" else name
    if name in training.models:
        name = f"{name}_{len(training.models)}"
    training.models[name] = weakref.ref(module)
    told = extract.module_params(module)
    mark = f"{name}." if several else ""
    recorder.params({mark + key: value for key, value in told.items()})
    recorder.artifact(f"{mark}model_summary.txt".replace("/", "_"), f"{module}\n")


def describe_loader(training: Training, each: Pass) -> None:
    """Records the loader that the batches of a pass come from, once.

    Args:
        training: The training.
        each: The pass.
    """
    if each.loader is None or each.iterator is None:
        return
    # The loader may have been made for this one pass, and be gone.
    loader, iterator = each.loader(), each.iterator()
    data = loader.dataset if loader is not None else getattr(iterator, "_dataset", None)
    if any(known is loader or known is data for known in training.described):
        return
    for one in (loader, data):
        with suppress(TypeError):
            training.described.add(one)
    recorder = training.recorder
    if each.role == TRAIN and not training.epochs:
        with recorder.part("data loader"):
            recorder.params(each.settings)
    if training.options.log_datasets and data is not None:
        from autolog_core.data import dataset_of

        with recorder.part("dataset"):
            found = dataset_of(data)
            if found is not None:
                recorder.dataset(found, each.role)


def _settings(surveyed: list[tuple[str, Any]]) -> dict[str, Any]:
    """Returns what the script parsed from its command line, or keeps as its configuration."""
    for _, parsed in instances(surveyed, argparse.Namespace):
        return extract.flat(vars(parsed))
    for name, held in surveyed:
        if name.lower() in _CONFIGS:
            if isinstance(held, Mapping):
                return extract.flat({str(key): value for key, value in held.items()})
            if dataclasses.is_dataclass(held) and not isinstance(held, type):
                return extract.flat(
                    {each.name: getattr(held, each.name) for each in dataclasses.fields(held)}
                )
    return {}
