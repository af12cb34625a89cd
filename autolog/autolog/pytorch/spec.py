"""What the integration of PyTorch says about itself, without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from autolog.instrument.spec import IntegrationSpec, Options
from autolog_core.errors import InvalidArgument


@dataclass(frozen=True, slots=True, kw_only=True)
class TorchOptions(Options):
    """Options of PyTorch's integration, with MLflow's names.

    Attributes:
        log_every_n_epoch: Epochs from one to the next whose means are kept.
        log_every_n_step: Steps from one to the next whose losses are kept; None for none.
        checkpoint: Whether a model is kept for each epoch.
        checkpoint_monitor: The metric that tells the best of them; None for the loss in
            validation, else in training.
        checkpoint_mode: Whether less ("min") or more ("max") of it is better; None: told from its
            name.
        checkpoint_save_best_only: Whether only the best and the last keep their weights.
    """

    log_every_n_epoch: int = 1
    log_every_n_step: int | None = 1
    checkpoint: bool = True
    checkpoint_monitor: str | None = None
    checkpoint_mode: Literal["min", "max"] | None = None
    checkpoint_save_best_only: bool = True

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        for name in ("log_every_n_epoch", "log_every_n_step"):
            value = getattr(self, name)
            if value is None and name == "log_every_n_step":
                continue
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InvalidArgument(f"{name} must be a number from 1, got {value!r}")
        if self.checkpoint_mode not in ("min", "max", None):
            raise InvalidArgument(
                f"checkpoint_mode must be 'min', 'max' or None, got {self.checkpoint_mode!r}"
            )
        if self.checkpoint_monitor is not None:
            from autolog_core.models.policy import CheckpointPolicy

            CheckpointPolicy(monitor=self.checkpoint_monitor, mode=self.checkpoint_mode)


SPEC = IntegrationSpec(
    name="pytorch",
    package="torch",
    supports=">=2.4,<2.14",
    hooks=("torch",),
    patch="autolog.pytorch.patch:install",
    options=TorchOptions,
    without_effect={
        "registered_model_name": "this version has no model registry",
        "log_input_examples": "what a plain loop gives its model is not kept",
        "log_model_signatures": "what a plain loop gives its model is not kept",
    },
)
