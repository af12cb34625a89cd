"""What optimizers, loaders and modules say of themselves, as plain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_PLAIN = (bool, int, float, str, type(None))


def optimizer_params(optimizer: Any) -> dict[str, Any]:
    """Returns the class of an optimizer and the settings of its groups.

    A setting that differs between groups is there once for each: ``lr_0``, ``lr_1``.
    """
    found: dict[str, Any] = {"optimizer": type(optimizer).__name__}
    groups = [group_settings(group) for group in optimizer.param_groups]
    for key in {key: None for group in groups for key in group}:
        values = [group.get(key) for group in groups]
        if all(value == values[0] for value in values):
            found[key] = values[0]
        else:
            found |= {f"{key}_{place}": value for place, value in enumerate(values)}
    if len(groups) > 1:
        found["param_groups"] = len(groups)
    return found


def group_settings(group: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what is plain in a group of parameters: numbers, words, pairs of numbers."""
    return {
        key: value
        for key, value in group.items()
        if key != "params"
        and (isinstance(value, _PLAIN) or (isinstance(value, tuple) and _are_plain(value)))
    }


def _are_plain(values: Iterable[Any]) -> bool:
    return all(isinstance(value, _PLAIN) for value in values)


def autocast_dtype(device: str) -> str | None:
    """Returns the type that operations are cast to on a kind of device now; None if to none."""
    import torch

    if not torch.is_autocast_enabled(device):
        return None
    return str(torch.get_autocast_dtype(device)).removeprefix("torch.")


def loader_params(loader: Any) -> dict[str, Any]:
    """Returns how a data loader makes batches."""
    found: dict[str, Any] = {"batch_size": batch_size(loader)}
    sampler = type(getattr(loader, "sampler", None)).__name__
    found["shuffle"] = {"RandomSampler": True, "SequentialSampler": False}.get(sampler)
    for name in ("num_workers", "drop_last"):
        found[name] = getattr(loader, name, None)
    return {key: value for key, value in found.items() if value is not None}


def batch_size(loader: Any) -> int | None:
    """Returns the rows of a batch, also where a sampler of batches decides."""
    own = getattr(loader, "batch_size", None)
    if own is None:
        own = getattr(getattr(loader, "batch_sampler", None), "batch_size", None)
    return own if isinstance(own, int) else None


def module_params(module: Any) -> dict[str, Any]:
    """Returns the class of a module, its numbers of parameters, and where they are."""
    whole = trained = 0
    devices: dict[str, None] = {}
    for parameter in module.parameters():
        count = parameter.numel()
        whole += count
        trained += count if parameter.requires_grad else 0
        devices[str(parameter.device)] = None
    return {
        "model": type(module).__name__,
        "model_parameters": whole,
        "model_parameters_trainable": trained,
        "device": ", ".join(devices) or None,
    }


def best_module(candidates: Sequence[tuple[str, Any]], wanted: set[int]) -> tuple[str, Any] | None:
    """Returns the module that an optimizer trains, with its name.

    It is the smallest one that holds all of the parameters, else the one that holds most of them.

    Args:
        candidates: Modules by name.
        wanted: Ids of the parameters.
    """
    best: tuple[int, int] | None = None
    found = None
    for name, module in candidates:
        held = {id(parameter) for parameter in module.parameters()}
        covered = len(held & wanted)
        rank = (covered, -len(held))
        if covered and (best is None or rank > best):
            best, found = rank, (name, module)
    return found


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Returns nested settings as one level, with dots; what is no plain value is left out."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, _PLAIN):
            found[name] = value
        elif isinstance(value, Mapping):
            found |= flat(value, f"{name}.")
        elif isinstance(value, (list, tuple)) and _are_plain(value):
            found[name] = list(value)
        elif hasattr(value, "__fspath__"):
            found[name] = str(value)
    return found
