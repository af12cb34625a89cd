"""Saving and loading modules of Lightning, which are modules of PyTorch."""

from __future__ import annotations

from autolog._torch.flavor import load_model, log_model, save_model, snapshot

__all__ = ["load_model", "log_model", "save_model", "snapshot"]
