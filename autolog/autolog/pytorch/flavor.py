"""Saving and loading modules of PyTorch."""

from __future__ import annotations

from autolog._torch.flavor import (
    load_model,
    load_state_dict,
    log_model,
    log_state_dict,
    save_model,
    save_state_dict,
    snapshot,
)
from autolog._torch.loading import load_pyfunc

__all__ = [
    "load_model",
    "load_pyfunc",
    "load_state_dict",
    "log_model",
    "log_state_dict",
    "save_model",
    "save_state_dict",
    "snapshot",
]
