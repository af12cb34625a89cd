"""PyTorch: modules as logged models, with their weights as safetensors.

`log_model` keeps a module as a logged model of the active run, with an id of its own; `save_model`
as a model directory of your choice, which MLflow reads too. `load_model` and
`autolog.pyfunc.load_model` take the address of either.

**The caller waits for a copy of the weights**, and for one prediction where there is an input
example; this runs on a second module that looks into the copy, so that neither the user's module
nor its random numbers change. Hashing and writing happen in the background. Where copies come
faster than the disk takes them, the next one waits before memory runs short.

**Weights are stored once.** What an earlier model of this process holds unchanged, as frozen layers
are, gets a second name in the new directory. Each directory is complete by itself.

**Any module**: classes of a script, tied weights, views, buffers, half precision, quantized and
sparse tensors. Compiled and parallel modules are kept as what they wrap, TorchScript as its own
file. The architecture is a pickle: yours loads without a word, one from elsewhere asks for trust.
`load_state_dict` reads the weights alone and runs no code.

`autolog` (or ``autolog.autolog()``) records plain training loops without any change to them; see
docs/pytorch-loops.md.
"""

from __future__ import annotations

from collections.abc import Mapping

# typing.TYPE_CHECKING without loading typing: type checkers take any name of this spelling as true.
TYPE_CHECKING = False

_FUNCTIONS = (
    "load_model",
    "load_state_dict",
    "log_model",
    "log_state_dict",
    "save_model",
    "save_state_dict",
)

if TYPE_CHECKING:
    from autolog.pytorch.flavor import load_model as load_model
    from autolog.pytorch.flavor import load_state_dict as load_state_dict
    from autolog.pytorch.flavor import log_model as log_model
    from autolog.pytorch.flavor import log_state_dict as log_state_dict
    from autolog.pytorch.flavor import save_model as save_model
    from autolog.pytorch.flavor import save_state_dict as save_state_dict
else:

    def __getattr__(name: str) -> object:
        if name not in _FUNCTIONS:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from autolog.pytorch import flavor

        return getattr(flavor, name)


def autolog(
    log_every_n_epoch: int = 1,
    log_every_n_step: int | None = 1,
    log_models: bool = True,
    log_datasets: bool = True,
    disable: bool = False,
    exclusive: bool = False,
    disable_for_unsupported_versions: bool = False,
    silent: bool = False,
    registered_model_name: str | None = None,
    extra_tags: Mapping[str, str] | None = None,
    checkpoint: bool = True,
    checkpoint_monitor: str | None = None,
    checkpoint_mode: str | None = None,
    checkpoint_save_best_only: bool = True,
) -> None:
    """Turns autologging of training loops on, or off; wins over ``autolog.autolog()``.

    Args:
        log_every_n_epoch: Epochs from one to the next whose means are kept.
        log_every_n_step: Steps from one to the next whose losses are kept; None for none. Means
            over an epoch are of all steps.
        log_models: Whether modules are kept, as logged models of their runs.
        log_datasets: Whether references to the data of loaders are kept.
        disable: Turns the integration off and restores PyTorch.
        exclusive: Logs nothing while a run of the user is active.
        disable_for_unsupported_versions: Leaves versions that were not tested alone.
        silent: No line of ours is printed or logged.
        registered_model_name: No effect yet: this version has no model registry.
        extra_tags: Tags for every autologged run.
        checkpoint: Whether a model is kept for each epoch; else only the last one. A policy of
            `autolog.set_checkpoint_policy` says more, and wins over the following.
        checkpoint_monitor: The metric that tells the best; None for the loss in validation, or in
            training where there is no validation.
        checkpoint_mode: ``min`` or ``max``; None: told from the name of the metric.
        checkpoint_save_best_only: Whether only the best and the last keep their weights.

    Raises:
        InvalidArgument: An option has a wrong value.
    """
    from autolog.instrument import control

    control.configure(
        "pytorch",
        control.OWN,
        log_every_n_epoch=log_every_n_epoch,
        log_every_n_step=log_every_n_step,
        log_models=log_models,
        log_datasets=log_datasets,
        disable=disable,
        exclusive=exclusive,
        disable_for_unsupported_versions=disable_for_unsupported_versions,
        silent=silent,
        registered_model_name=registered_model_name,
        extra_tags=extra_tags,
        checkpoint=checkpoint,
        checkpoint_monitor=checkpoint_monitor,
        checkpoint_mode=checkpoint_mode,
        checkpoint_save_best_only=checkpoint_save_best_only,
    )
